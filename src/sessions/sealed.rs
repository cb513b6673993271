//! A kept session as bytes: a line that says which key seals it, a nonce, and what AES-256-GCM makes
//! of the rest. The line and the session's own key are authenticated with it, so a file under another
//! name, or with another line, opens as little as one with a flipped bit.

use std::io::Write;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use fleetkey_provider::{ExposeSecret, Fingerprint, SecretString};
use secrecy::zeroize::Zeroizing;

use crate::vault::{Key, Kind, Sealer};

const MAGIC: &str = "fleetkey-session 1 ";

/// A session that is still sealed.
pub(crate) struct Sealed<'a> {
    /// Where the key lies.
    pub(crate) kind: Kind,
    /// Which key it is.
    pub(crate) id: &'a str,
    line: &'a [u8],
    nonce: [u8; NONCE_LEN],
    rest: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// `None` if that is no session of ours.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let (line, body) = bytes.split_at(end + 1);
        let fields = std::str::from_utf8(line).ok()?.strip_prefix(MAGIC)?.trim_end();
        let (kind, id) = fields.split_once(' ')?;
        let (nonce, rest) = body.split_first_chunk()?;
        Some(Self { kind: Kind::parse(kind)?, id, line, nonce: *nonce, rest })
    }

    /// `None` if anything about it is not as it was sealed.
    pub(crate) fn open(&self, key: &Key, session: Fingerprint) -> Option<SecretString> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).ok()?;
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let mut room = Zeroizing::new(self.rest.to_vec());
        let bytes = cipher.open_in_place(nonce, about(self.line, session), &mut room).ok()?;
        Some(std::str::from_utf8(bytes).ok()?.into())
    }
}

/// Seals a session. `None` if the cipher fails, which it does not.
pub(crate) fn seal(
    sealer: &Sealer,
    session: Fingerprint,
    secret: &SecretString,
) -> Option<Vec<u8>> {
    let line = format!("{MAGIC}{} {}\n", sealer.kind.name(), sealer.key.id()).into_bytes();
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, sealer.key.bytes()).ok()?;
    // room for the tag too: growing would leave a copy behind
    let text = secret.expose_secret().as_bytes();
    let mut body = Vec::with_capacity(text.len() + AES_256_GCM.tag_len());
    body.write_all(text).ok()?;
    let nonce = cipher.seal_in_place_append_tag(about(&line, session), &mut body).ok()?;
    Some([line, nonce.as_ref().to_vec(), body].concat())
}

/// What is authenticated beside the secret.
fn about(line: &[u8], session: Fingerprint) -> Aad<Vec<u8>> {
    Aad::from([line, session.to_string().as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::sealer;

    fn session() -> Fingerprint {
        Fingerprint::of(b"s")
    }

    fn open(bytes: &[u8], with: &Sealer, session: Fingerprint) -> Option<String> {
        let sealed = Sealed::parse(bytes)?;
        if (sealed.kind, sealed.id) != (with.kind, &with.key.id()) {
            return None;
        }
        sealed.open(&with.key, session).map(|secret| secret.expose_secret().to_owned())
    }

    fn sealed() -> (Sealer, Vec<u8>) {
        let sealer = sealer();
        let bytes = seal(&sealer, session(), &"refresh token".into()).unwrap();
        (sealer, bytes)
    }

    #[test]
    fn what_was_sealed_opens_and_shows_nothing() {
        let (sealer, bytes) = sealed();
        assert_eq!(open(&bytes, &sealer, session()).as_deref(), Some("refresh token"));
        assert!(!String::from_utf8_lossy(&bytes).contains("refresh"));
        let again = seal(&sealer, session(), &"refresh token".into()).unwrap();
        assert_ne!(again, bytes, "a nonce was used twice");
    }

    #[test]
    fn every_truncation_and_every_addition_is_a_miss() {
        let (sealer, mut bytes) = sealed();
        for end in 0..bytes.len() {
            assert_eq!(open(&bytes[..end], &sealer, session()), None, "{end} bytes were believed");
        }
        bytes.push(0);
        assert_eq!(open(&bytes, &sealer, session()), None);
    }

    #[test]
    fn every_flipped_bit_is_a_miss() {
        let (sealer, bytes) = sealed();
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert_eq!(open(&bad, &sealer, session()), None, "bit {at} did not matter");
            // nor is it enough that the line names a key that is there
            if let Some(damaged) = Sealed::parse(&bad) {
                assert!(damaged.open(&sealer.key, session()).is_none(), "bit {at} did not matter");
            }
        }
    }

    #[test]
    fn another_sessions_file_and_another_key_are_misses() {
        let (sealer, bytes) = sealed();
        assert_eq!(open(&bytes, &sealer, Fingerprint::of(b"other")), None);
        let other = crate::vault::tests::another_sealer();
        assert!(Sealed::parse(&bytes).unwrap().open(&other.key, session()).is_none());
    }
}
