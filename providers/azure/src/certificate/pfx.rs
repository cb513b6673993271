//! PFX files, also called PKCS#12: keys and certificates, under a password (RFC 7292).

use std::{borrow::Cow, num::NonZeroU32};

use aws_lc_rs::{digest, hmac};

use super::{
    Contents,
    der::{CONTEXT_0, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, STRING_0},
    pbe::{self, Password, Purpose, Wrong},
    private_key::RsaKey,
};

/// What is in a file that this password opens.
pub(super) fn read(file: &[u8], password: &str) -> Result<Contents, Wrong> {
    let mut outcome = Err(Wrong::Password);
    for password in Password::spellings(password) {
        outcome = open(file, &password);
        if !matches!(outcome, Err(Wrong::Password)) {
            break;
        }
    }
    outcome
}

fn open(file: &[u8], password: &Password) -> Result<Contents, Wrong> {
    let mut pfx = Reader::of(SEQUENCE, file).ok_or(Wrong::Broken)?;
    if pfx.number() != Some(3) {
        return Err(Wrong::Broken);
    }
    let (kind, mut content) = content_info(&mut pfx).ok_or(Wrong::Broken)?;
    if kind != DATA {
        return Err(Wrong::Unknown); // signed with a key, in place of a password
    }
    let safe = content.octets(OCTET_STRING).ok_or(Wrong::Broken)?;
    // some writers leave it out; what is encrypted then has to hold by itself
    if !pfx.is_empty() {
        verify(&mut pfx.expect(SEQUENCE).ok_or(Wrong::Broken)?, &safe, password)?;
    }
    let mut contents = Contents::default();
    let mut parts = Reader::of(SEQUENCE, &safe).ok_or(Wrong::Broken)?;
    while !parts.is_empty() {
        let (kind, mut content) = content_info(&mut parts).ok_or(Wrong::Broken)?;
        match kind {
            DATA => {
                let bags = content.octets(OCTET_STRING).ok_or(Wrong::Broken)?;
                take(&bags, password, &mut contents)?;
            }
            ENCRYPTED_DATA => {
                let bags = encrypted_data(&mut content, password)?;
                take(&bags, password, &mut contents)?;
            }
            _ => return Err(Wrong::Unknown),
        }
    }
    Ok(contents)
}

/// `ContentInfo`: what it is, and what it holds.
fn content_info<'a>(reader: &mut Reader<'a>) -> Option<(&'a [u8], Reader<'a>)> {
    let mut info = reader.expect(SEQUENCE)?;
    Some((info.bytes(OID)?, info.expect(CONTEXT_0)?))
}

/// Whether the file is what its writer made, with the same password: `MacData`.
fn verify(mac_data: &mut Reader<'_>, safe: &[u8], password: &Password) -> Result<(), Wrong> {
    let mut mac = mac_data.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    let hash = mac.expect(SEQUENCE).and_then(|mut algorithm| algorithm.bytes(OID));
    let (hash, keyed) = match hash.ok_or(Wrong::Broken)? {
        SHA1 => (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        SHA256 => (&digest::SHA256, hmac::HMAC_SHA256),
        SHA384 => (&digest::SHA384, hmac::HMAC_SHA384),
        SHA512 => (&digest::SHA512, hmac::HMAC_SHA512),
        _ => return Err(Wrong::Unknown),
    };
    let tag = mac.octets(OCTET_STRING).ok_or(Wrong::Broken)?;
    let salt = mac_data.octets(OCTET_STRING).ok_or(Wrong::Broken)?;
    let iterations =
        if mac_data.is_empty() { NonZeroU32::MIN } else { password.iterations(mac_data)? };
    let key = password.derive(hash, Purpose::Mac, &salt, iterations, hash.output_len());
    hmac::verify(&hmac::Key::new(keyed, &key), safe, &tag).map_err(|_| Wrong::Password)
}

/// `EncryptedData` (RFC 5652, section 8), opened.
fn encrypted_data(content: &mut Reader<'_>, password: &Password) -> Result<Vec<u8>, Wrong> {
    let mut fields = || {
        let mut data = content.expect(SEQUENCE)?;
        let _version = data.expect(INTEGER)?;
        let mut info = data.expect(SEQUENCE)?;
        let _kind = info.bytes(OID)?;
        Some((info.expect(SEQUENCE)?, info.octets(STRING_0)?))
    };
    let (algorithm, closed) = fields().ok_or(Wrong::Broken)?;
    pbe::decrypt(algorithm, &closed, password)
}

/// `SafeContents`: takes the keys and certificates among the bags.
fn take(bags: &[u8], password: &Password, contents: &mut Contents) -> Result<(), Wrong> {
    let mut bags = Reader::of(SEQUENCE, bags).ok_or(Wrong::Broken)?;
    while !bags.is_empty() {
        let mut bag = bags.expect(SEQUENCE).ok_or(Wrong::Broken)?;
        let kind = bag.bytes(OID).ok_or(Wrong::Broken)?;
        let mut value = bag.expect(CONTEXT_0).ok_or(Wrong::Broken)?;
        match kind {
            KEY_BAG => {
                let key = value.next().ok_or(Wrong::Broken)?;
                contents.keys.push(RsaKey::from_pkcs8(key.whole));
            }
            SHROUDED_KEY_BAG => {
                let key = shrouded_key(&mut value, password)?;
                contents.keys.push(RsaKey::from_pkcs8(&key));
            }
            CERTIFICATE_BAG => {
                let (kind, der) = certificate(&mut value).ok_or(Wrong::Broken)?;
                if kind == X509 {
                    contents.certificates.push(der.into_owned());
                }
            }
            _ => {} // lists of revoked certificates, other secrets
        }
    }
    Ok(())
}

/// `EncryptedPrivateKeyInfo`, opened.
fn shrouded_key(value: &mut Reader<'_>, password: &Password) -> Result<Vec<u8>, Wrong> {
    let mut info = value.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    let algorithm = info.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    let closed = info.octets(OCTET_STRING).ok_or(Wrong::Broken)?;
    pbe::decrypt(algorithm, &closed, password)
}

/// `CertBag`: of which kind, and the certificate.
fn certificate<'a>(value: &mut Reader<'a>) -> Option<(&'a [u8], Cow<'a, [u8]>)> {
    let mut bag = value.expect(SEQUENCE)?;
    Some((bag.bytes(OID)?, bag.expect(CONTEXT_0)?.octets(OCTET_STRING)?))
}

/// 1.2.840.113549.1.7.1 and .6
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// 1.2.840.113549.1.12.10.1.1, .2 and .3
const KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 1];
const SHROUDED_KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 2];
const CERTIFICATE_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 3];
/// 1.2.840.113549.1.9.22.1
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
/// 1.3.14.3.2.26, and 2.16.840.1.101.3.4.2.1 to .3
const SHA1: &[u8] = &[0x2b, 14, 3, 2, 26];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
