//! What of a certificate matters here (RFC 5280, section 4.1): whose it is, who vouches for it, and its
//! key. Nobody's signature is checked: Entra will.

use super::der::{BIT_STRING, CONTEXT_0, INTEGER, Reader, SEQUENCE};

/// A certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct X509<'a> {
    /// Who vouches for it, as DER.
    pub(super) issuer: &'a [u8],
    /// Whose it is, as DER.
    pub(super) subject: &'a [u8],
    /// An RSA key's `RSAPublicKey` (RFC 8017, A.1.1); what other keys have in its place.
    pub(super) public_key: &'a [u8],
}

impl<'a> X509<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.expect(SEQUENCE)?;
        if !outer.is_empty() {
            return None;
        }
        let mut fields = certificate.expect(SEQUENCE)?;
        let _version = fields.optional(CONTEXT_0);
        let _serial_number = fields.expect(INTEGER)?;
        let _signature_algorithm = fields.expect(SEQUENCE)?;
        let issuer = fields.next()?.whole;
        let _validity = fields.expect(SEQUENCE)?;
        let subject = fields.next()?.whole;
        let mut key = fields.expect(SEQUENCE)?;
        let _key_algorithm = key.expect(SEQUENCE)?;
        // the first byte says how many bits of the last one do not count: none, in keys
        let public_key = key.bytes(BIT_STRING)?.strip_prefix(&[0])?;
        Some(Self { issuer, subject, public_key })
    }

    /// Whether it vouches for itself, which ends a chain.
    pub(super) fn is_root(&self) -> bool {
        self.issuer == self.subject
    }
}
