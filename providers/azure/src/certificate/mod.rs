//! A certificate and its key, from the file that `--client-certificate` names.
//!
//! What is in the file decides how it is read, not what the file is called: PEM, with everything in any
//! order, or PFX. The certificate meant is the one whose public key is the private key's; those that
//! vouch for it go along, since Entra can be told to trust an issuer and a name in place of one
//! certificate.

mod der;
mod pbe;
mod pem;
mod pfx;
mod private_key;
mod x509;

use std::{fmt, path::Path};

use aws_lc_rs::digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use fleetkey_provider::{Error, ExposeSecret, Result, SecretString, quoted, shown};
use jsonwebtoken::EncodingKey;

use self::{
    private_key::{RsaKey, Unfit},
    x509::X509,
};

/// A certificate that can sign.
pub(crate) struct Certificate {
    key: EncodingKey,
    chain: Vec<Vec<u8>>,
}

/// What is in a file.
#[derive(Default)]
struct Contents {
    keys: Vec<Result<RsaKey, Unfit>>,
    certificates: Vec<Vec<u8>>,
}

impl Certificate {
    /// From what is in the file at `path`.
    pub(crate) fn read(file: &[u8], password: Option<&SecretString>, path: &Path) -> Result<Self> {
        let path = path.to_string_lossy();
        let wrong = |cause: &str| {
            Error::config(format!("`{}` is no certificate to sign in with", shown(&path)))
                .because(cause)
        };
        let contents = if pem::is_pem(file) {
            pem::read(file).map_err(|reason| match reason {
                pem::Wrong::Broken => wrong("its PEM text is cut off or damaged"),
                pem::Wrong::Encrypted => wrong(
                    "its key is encrypted, which only that of a PFX file may be \
                     (`--client-certificate-password` opens it)",
                )
                .next(format!(
                    "openssl pkcs12 -export -in {0} -out {1}",
                    quoted(&path),
                    pfx_name(&path)
                )),
            })?
        } else if X509::read(file).is_some() {
            return Err(wrong("it holds a certificate without its private key"));
        } else {
            let given = password.map(ExposeSecret::expose_secret);
            pfx::read(file, given.unwrap_or_default()).map_err(|reason| match (reason, given) {
                (pbe::Wrong::Broken, _) => wrong("it is neither PEM text nor a whole PFX file"),
                (pbe::Wrong::Password, None) => {
                    wrong("it is a PFX file with a password: `--client-certificate-password`")
                }
                (pbe::Wrong::Password, Some(_)) => wrong("it is a PFX file with another password")
                    .next(format!("openssl pkcs12 -noout -in {}", quoted(&path)))
                    .once(),
                (pbe::Wrong::Unknown, _) => {
                    wrong("it is a PFX file that is protected in a way not known here")
                        .next(format!("openssl pkcs12 -nodes -in {0} -out {0}.pem", quoted(&path)))
                }
            })?
        };
        contents.matched().map_err(wrong)
    }

    /// What signs.
    pub(crate) fn key(&self) -> &EncodingKey {
        &self.key
    }

    /// As DER: first its own, then who vouches for it, and so on.
    pub(crate) fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// SHA-1 of it, by which v1 tokens and, in hex, the Azure portal name it.
    pub(crate) fn sha1(&self) -> Digest {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, self.leaf())
    }

    /// SHA-256 of it.
    pub(crate) fn sha256(&self) -> Digest {
        digest(&SHA256, self.leaf())
    }

    fn leaf(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate with thumbprint {}", thumbprint(self.leaf()))
    }
}

/// The thumbprint of a certificate in DER, as the Azure portal shows it: SHA-1 in hex.
pub(crate) fn thumbprint(der: &[u8]) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    digest.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"))
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Contents {
    /// The key and the certificate that belong together; or why there are none.
    fn matched(self) -> Result<Certificate, &'static str> {
        let Self { keys, certificates } = self;
        if keys.is_empty() {
            return Err(if certificates.is_empty() {
                "it holds neither a private key nor a certificate"
            } else {
                "it holds a certificate without its private key"
            });
        }
        if certificates.is_empty() {
            return Err("it holds a private key without its certificate");
        }
        let Some(read) = certificates.iter().map(|der| X509::read(der)).collect::<Option<Vec<_>>>()
        else {
            return Err("a certificate in it is damaged");
        };
        for key in keys.iter().flatten() {
            if let Some(leaf) = read.iter().position(|one| one.public_key == key.public) {
                let chain = chain(leaf, &read).into_iter();
                let chain = chain.filter_map(|index| certificates.get(index).cloned()).collect();
                return Ok(Certificate { key: EncodingKey::from_rsa_der(&key.pkcs1), chain });
            }
        }
        Err(match keys.into_iter().find_map(Result::err) {
            Some(Unfit::NotRsa) => "its key is not an RSA key, and Entra takes no other",
            Some(Unfit::Broken) => "its key is damaged, or not an RSA key of 2048 to 8192 bits",
            None => "its private key belongs to none of its certificates",
        })
    }
}

/// From a certificate to the last that is there of those that vouch, each for the one before, as RFC
/// 7515 (4.1.6) wants them.
fn chain(leaf: usize, certificates: &[X509<'_>]) -> Vec<usize> {
    let mut chain = vec![leaf];
    let mut last = certificates.get(leaf);
    while let Some(one) = last.filter(|one| !one.is_root()) {
        let next = certificates
            .iter()
            .enumerate()
            .find(|(index, other)| other.subject == one.issuer && !chain.contains(index));
        last = next.map(|(index, other)| {
            chain.push(index);
            other
        });
    }
    chain
}

/// `cert.pfx` for `cert.pem`, quoted.
fn pfx_name(path: &str) -> String {
    quoted(&format!("{}.pfx", path.strip_suffix(".pem").unwrap_or(path)))
}

#[cfg(test)]
mod tests;
