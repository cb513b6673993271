//! The key that seals sessions: 32 bytes by chance, as 64 digits wherever it lies.

use fleetkey_provider::{ExposeSecret, Fingerprint, Host, Result, SecretString};
use secrecy::SecretBox;

/// A sealing key.
pub(crate) struct Key(SecretBox<[u8; 32]>);

impl Key {
    /// A new one.
    pub(super) fn make(host: &Host) -> Result<Self> {
        let mut bytes = SecretBox::new(Box::new([0; 32]));
        host.entropy.fill(secrecy::ExposeSecretMut::expose_secret_mut(&mut bytes))?;
        Ok(Self(bytes))
    }

    /// One that was kept. `None` if that is no key.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        if text.len() != 64 {
            return None;
        }
        let mut bytes = SecretBox::new(Box::new([0; 32]));
        let room: &mut [u8; 32] = secrecy::ExposeSecretMut::expose_secret_mut(&mut bytes);
        for (pair, byte) in text.as_chunks::<2>().0.iter().zip(room) {
            *byte = u8::try_from(digit(&pair[0])? * 16 + digit(&pair[1])?).ok()?;
        }
        Some(Self(bytes))
    }

    /// The key as text.
    pub(super) fn text(&self) -> SecretString {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
        let pairs = self.bytes().iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]);
        pairs.collect::<String>().into()
    }

    /// Tells keys apart, and says nothing about them.
    pub(crate) fn id(&self) -> String {
        let text = ["fleetkey sealing key ", self.text().expose_secret()].concat();
        let text = SecretString::from(text);
        let mut id = Fingerprint::of(text.expose_secret().as_bytes()).to_string();
        id.truncate(16);
        id
    }

    /// The bytes, for the cipher.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::CountingEntropy;

    use super::*;

    #[test]
    fn a_key_is_64_digits_and_comes_back() {
        let host = Host { entropy: Box::new(CountingEntropy::default()), ..Host::refusing() };
        let key = Key::make(&host).unwrap();
        let text = key.text();
        assert_eq!(
            text.expose_secret(),
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        );
        let back = Key::parse(text.expose_secret().as_bytes()).unwrap();
        assert_eq!((back.bytes(), back.id()), (key.bytes(), key.id()));
        assert_eq!(key.id().len(), 16);
        let other = Key::make(&host).unwrap();
        assert_ne!(other.id(), key.id());
    }

    #[test]
    fn what_is_no_key_is_none() {
        let digits = "0".repeat(63);
        for text in ["", &digits, &format!("{digits}g"), &format!("{digits}00")] {
            assert!(Key::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
