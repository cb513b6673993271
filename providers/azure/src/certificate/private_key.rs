//! A private key as Entra takes it: RSA, 2048 bits or more.

use std::borrow::Cow;

use aws_lc_rs::signature::{KeyPair, RsaKeyPair};

use super::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// An RSA key that was looked at and found whole.
pub(super) struct RsaKey {
    /// `RSAPrivateKey` (RFC 8017, A.1.2).
    pub(super) pkcs1: Vec<u8>,
    /// `RSAPublicKey`, as it stands in certificates.
    pub(super) public: Vec<u8>,
}

/// Why a key is of no use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unfit {
    /// An elliptic curve's, or something else that Entra does not take.
    NotRsa,
    /// Damaged, or too short to be safe.
    Broken,
}

impl RsaKey {
    /// From `RSAPrivateKey`.
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, Unfit> {
        let pair = RsaKeyPair::from_der(der).map_err(|_| Unfit::Broken)?;
        Ok(Self { pkcs1: der.to_vec(), public: pair.public_key().as_ref().to_vec() })
    }

    /// From `PrivateKeyInfo` (RFC 5208).
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Self, Unfit> {
        let (algorithm, key) = pkcs8(der).ok_or(Unfit::Broken)?;
        if algorithm == RSA { Self::from_pkcs1(&key) } else { Err(Unfit::NotRsa) }
    }
}

/// The algorithm, and the key in its own shape.
fn pkcs8(der: &[u8]) -> Option<(&[u8], Cow<'_, [u8]>)> {
    let mut info = Reader::of(SEQUENCE, der)?;
    let _version = info.expect(INTEGER)?;
    let algorithm = info.expect(SEQUENCE)?.bytes(OID)?;
    Some((algorithm, info.octets(OCTET_STRING)?))
}
