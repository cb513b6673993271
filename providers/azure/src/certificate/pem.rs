//! PEM text: keys and certificates between lines of dashes, in any order (RFC 7468).

use super::{
    Contents,
    private_key::{RsaKey, Unfit},
};

/// Why such a text is of no use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// It is cut off, or has letters that it may not have.
    Broken,
    /// A key in it is under a password.
    Encrypted,
}

/// Whether it is such a text at all.
pub(super) fn is_pem(file: &[u8]) -> bool {
    begun(file) > 0
}

/// How many blocks begin.
fn begun(file: &[u8]) -> usize {
    file.windows(BEGIN.len()).filter(|window| *window == BEGIN).count()
}

/// What is in it.
pub(super) fn read(file: &[u8]) -> Result<Contents, Wrong> {
    let blocks = pem::parse_many(file).map_err(|_| Wrong::Broken)?;
    // a block without an end is passed over by the parser
    if blocks.len() != begun(file) {
        return Err(Wrong::Broken);
    }
    let mut contents = Contents::default();
    for block in blocks {
        // the old way to encrypt a key (RFC 1421, 4.6.1.1)
        let is_encrypted =
            block.headers().get("Proc-Type").is_some_and(|it| it.contains("ENCRYPTED"));
        match block.tag() {
            "ENCRYPTED PRIVATE KEY" => return Err(Wrong::Encrypted),
            tag if tag.ends_with("PRIVATE KEY") && is_encrypted => return Err(Wrong::Encrypted),
            "PRIVATE KEY" => contents.keys.push(RsaKey::from_pkcs8(block.contents())),
            "RSA PRIVATE KEY" => contents.keys.push(RsaKey::from_pkcs1(block.contents())),
            tag if tag.ends_with("PRIVATE KEY") => contents.keys.push(Err(Unfit::NotRsa)),
            "CERTIFICATE" | "X509 CERTIFICATE" => contents.certificates.push(block.into_contents()),
            _ => {} // parameters, requests, public keys
        }
    }
    Ok(contents)
}

const BEGIN: &[u8] = b"-----BEGIN ";
