//! The two keys, which are never mixed up: who signs in, and what was lent.
//!
//! A key is a list of named fields, hashed so that no two lists can meet: each name and each value
//! goes in behind its length. Hashes name files, so nothing of an account shows in a folder listing.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// What was lent: every field that could change the credential.
pub struct CredentialKey(Fields);

impl CredentialKey {
    /// An empty key of that provider.
    pub fn new(provider: &str) -> Self {
        Self(Fields::new("fleetkey credential 1", provider))
    }

    /// One field.
    pub fn field(&mut self, name: &'static str, value: &str) {
        self.0.field(name, value);
    }

    /// One field that may be unset; unset and empty differ.
    pub fn maybe(&mut self, name: &'static str, value: Option<&str>) {
        self.0.maybe(name, value);
    }

    /// The finished key.
    pub fn finish(self) -> Fingerprint {
        self.0.finish()
    }
}

/// Who signs in.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SessionKey(Fingerprint);

impl SessionKey {
    /// The key of the session with these fields.
    pub fn new(provider: &str, fields: &[(&'static str, &str)]) -> Self {
        let mut all = Fields::new("fleetkey session 1", provider);
        for (name, value) in fields {
            all.field(name, value);
        }
        Self(all.finish())
    }

    /// The key as a name for files and as a field of a credential's key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0
    }
}

impl FromStr for SessionKey {
    type Err = NotAKey;

    /// Reads what its fingerprint looks like.
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NotAKey),
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| NotAKey)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(Fingerprint(bytes)))
    }
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAKey;

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({})", self.0)
    }
}

/// 32 bytes that stand for a key, or for a secret in a key.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The bytes, for spreading things by a hash instead of by chance.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    /// In hex, by hand: this names files on the hit path, and a `{:02x}` for each byte is not free.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
        let hex: String = self.0.iter().flat_map(|&b| [digit(b >> 4), digit(b)]).collect();
        f.write_str(&hex)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Fields(Sha256);

impl Fields {
    fn new(domain: &str, provider: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.bytes(domain);
        fields.bytes(provider);
        fields
    }

    fn field(&mut self, name: &'static str, value: &str) {
        self.bytes(name);
        self.0.update([1]);
        self.bytes(value);
    }

    fn maybe(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            return self.field(name, value);
        }
        self.bytes(name);
        self.0.update([0]);
    }

    fn bytes(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(build: impl FnOnce(&mut CredentialKey)) -> String {
        let mut key = CredentialKey::new("p");
        build(&mut key);
        key.finish().to_string()
    }

    #[test]
    fn values_cannot_slide_into_each_other() {
        let one = key(|k| {
            k.field("a", "xb");
            k.field("c", "y");
        });
        let two = key(|k| {
            k.field("a", "x");
            k.field("bc", "y");
        });
        assert_ne!(one, two);
    }

    #[test]
    fn a_session_key_comes_back_from_its_fingerprint_and_nothing_else_is_one() {
        let key = SessionKey::new("p", &[("a", "b")]);
        let text = key.fingerprint().to_string();
        assert_eq!(text.parse(), Ok(key));
        for other in ["", &text[1..], &text.to_uppercase(), &format!("{text}0"), &"é".repeat(32)] {
            assert_eq!(other.parse::<SessionKey>(), Err(NotAKey), "{other}");
        }
    }

    #[test]
    fn unset_and_empty_differ() {
        assert_ne!(key(|k| k.maybe("a", None)), key(|k| k.maybe("a", Some(""))));
        assert_eq!(key(|k| k.maybe("a", Some("x"))), key(|k| k.field("a", "x")));
    }

    #[test]
    fn a_session_is_no_credential() {
        let session = SessionKey::new("p", &[("a", "x")]).fingerprint().to_string();
        assert_ne!(session, key(|k| k.field("a", "x")));
    }

    #[test]
    fn fingerprints_are_sha_256() {
        assert_eq!(
            Fingerprint::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
