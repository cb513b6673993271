//! Encryption with a password, as PFX files have it: the old way (RFC 7292, appendices B and C) and the
//! new one (PBES2, RFC 8018).
//!
//! RC2 and 3DES are here to read what Windows and OpenSSL wrote for twenty years, and nothing is ever
//! written with them.

use std::{cell::Cell, num::NonZeroU32};

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, Algorithm as Aes, DecryptionContext, PaddedBlockDecryptingKey,
        UnboundCipherKey,
    },
    digest::{self, Algorithm as Digest, SHA1_FOR_LEGACY_USE_ONLY},
    iv::FixedLength,
    pbkdf2,
};
use des::{
    TdesEde3,
    cipher::{Block, BlockCipherDecrypt, BlockSizeUser, KeyInit},
};
use rc2::Rc2;

use super::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};

/// Why something cannot be opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// It is not what it should be.
    Broken,
    /// The password is another.
    Password,
    /// It is protected in a way that is not known here.
    Unknown,
}

/// A password, in both spellings that are in use.
pub(super) struct Password {
    /// For PBES2.
    utf8: Vec<u8>,
    /// For the old way: UTF-16, big-endian, with a zero behind it.
    utf16: Vec<u8>,
    /// How often it may still be stirred.
    budget: Cell<u32>,
}

/// What is spent on one file, all its parts together: a second or two. Writers ask for 2000 to 600 000,
/// at most three times.
const BUDGET: u32 = 4_000_000;

/// What a key is derived for (RFC 7292, B.3).
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Who opens what a key of so many bytes closed.
#[derive(Clone, Copy)]
enum Cipher {
    Aes(&'static Aes, usize),
    TripleDes,
    Rc2(usize),
}

impl Password {
    /// The ways to spell it: no password is sometimes a zero, and sometimes nothing at all.
    pub(super) fn spellings(text: &str) -> Vec<Self> {
        let spelled =
            |utf16| Self { utf8: text.as_bytes().to_vec(), utf16, budget: Cell::new(BUDGET) };
        let utf16 = text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
        let mut spellings = vec![spelled(utf16)];
        if text.is_empty() {
            spellings.push(spelled(Vec::new()));
        }
        spellings
    }

    /// How often it is to be stirred, as a file says. A file that asks for too much keeps a processor
    /// busy for nobody's good.
    pub(super) fn iterations(&self, reader: &mut Reader<'_>) -> Result<NonZeroU32, Wrong> {
        let number = reader.number().and_then(NonZeroU32::new).ok_or(Wrong::Broken)?;
        let left = self.budget.get().checked_sub(number.get()).ok_or(Wrong::Unknown)?;
        self.budget.set(left);
        Ok(number)
    }

    /// So many bytes of it, by the old way (RFC 7292, B.2).
    pub(super) fn derive(
        &self,
        hash: &'static Digest,
        purpose: Purpose,
        salt: &[u8],
        iterations: NonZeroU32,
        length: usize,
    ) -> Vec<u8> {
        let size = hash.block_len();
        let fill = |bytes: &[u8]| -> Vec<u8> {
            let length = bytes.len().div_ceil(size) * size;
            bytes.iter().copied().cycle().take(length).collect()
        };
        let mut input = [fill(salt), fill(&self.utf16)].concat();
        let mut out = Vec::with_capacity(length);
        loop {
            let first = [&vec![purpose as u8; size], input.as_slice()].concat();
            let mut block = digest::digest(hash, &first);
            for _ in 1..iterations.get() {
                block = digest::digest(hash, block.as_ref());
            }
            out.extend_from_slice(block.as_ref());
            if out.len() >= length {
                out.truncate(length);
                return out;
            }
            let added: Vec<u8> = block.as_ref().iter().copied().cycle().take(size).collect();
            for part in input.chunks_exact_mut(size) {
                add(part, &added);
            }
        }
    }
}

/// Opens what an `AlgorithmIdentifier` says how to open; the reader is in it.
pub(super) fn decrypt(
    mut algorithm: Reader<'_>,
    closed: &[u8],
    password: &Password,
) -> Result<Vec<u8>, Wrong> {
    let oid = algorithm.bytes(OID).ok_or(Wrong::Broken)?;
    let mut parameters = algorithm.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    let (cipher, key, iv) = if oid == PBES2 {
        pbes2(&mut parameters, password)?
    } else {
        let cipher = match oid {
            PBE_TRIPLE_DES => Cipher::TripleDes,
            PBE_RC2_128 => Cipher::Rc2(16),
            PBE_RC2_40 => Cipher::Rc2(5),
            _ => return Err(Wrong::Unknown),
        };
        let salt = parameters.octets(OCTET_STRING).ok_or(Wrong::Broken)?;
        let iterations = password.iterations(&mut parameters)?;
        let derive = |purpose, length| {
            password.derive(&SHA1_FOR_LEGACY_USE_ONLY, purpose, &salt, iterations, length)
        };
        (cipher, derive(Purpose::Key, cipher.key_len()), derive(Purpose::Iv, 8))
    };
    cipher.open(&key, &iv, closed).ok_or(Wrong::Password)
}

/// Cipher, key and initialisation vector of RFC 8018.
fn pbes2(
    parameters: &mut Reader<'_>,
    password: &Password,
) -> Result<(Cipher, Vec<u8>, Vec<u8>), Wrong> {
    let mut derivation = parameters.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    if derivation.bytes(OID) != Some(PBKDF2) {
        return Err(Wrong::Unknown);
    }
    let mut encryption = parameters.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    let cipher = match encryption.bytes(OID).ok_or(Wrong::Broken)? {
        AES_128_CBC => Cipher::Aes(&AES_128, 16),
        AES_192_CBC => Cipher::Aes(&AES_192, 24),
        AES_256_CBC => Cipher::Aes(&AES_256, 32),
        TRIPLE_DES_CBC => Cipher::TripleDes,
        _ => return Err(Wrong::Unknown),
    };
    let iv = encryption.octets(OCTET_STRING).ok_or(Wrong::Broken)?;

    let mut derivation = derivation.expect(SEQUENCE).ok_or(Wrong::Broken)?;
    let salt = derivation.octets(OCTET_STRING).ok_or(Wrong::Unknown)?;
    let iterations = password.iterations(&mut derivation)?;
    let _key_length = derivation.optional(INTEGER);
    let function = match derivation.optional(SEQUENCE).map(|mut function| function.bytes(OID)) {
        None | Some(Some(HMAC_SHA1)) => pbkdf2::PBKDF2_HMAC_SHA1,
        Some(Some(HMAC_SHA256)) => pbkdf2::PBKDF2_HMAC_SHA256,
        Some(Some(HMAC_SHA384)) => pbkdf2::PBKDF2_HMAC_SHA384,
        Some(Some(HMAC_SHA512)) => pbkdf2::PBKDF2_HMAC_SHA512,
        Some(_) => return Err(Wrong::Unknown),
    };
    let mut key = vec![0; cipher.key_len()];
    pbkdf2::derive(function, iterations, &salt, &password.utf8, &mut key);
    Ok((cipher, key, iv.into_owned()))
}

impl Cipher {
    fn key_len(self) -> usize {
        match self {
            Self::Aes(_, length) | Self::Rc2(length) => length,
            Self::TripleDes => 24,
        }
    }

    /// What was closed, without its padding; `None` if there is none, as with a wrong key.
    fn open(self, key: &[u8], iv: &[u8], closed: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Aes(algorithm, _) => {
                let iv: [u8; 16] = iv.try_into().ok()?;
                let key = UnboundCipherKey::new(algorithm, key).ok()?;
                let mut buffer = closed.to_vec();
                let open = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
                let context = DecryptionContext::Iv128(FixedLength::from(iv));
                open.decrypt(&mut buffer, context).ok().map(|open| open.to_vec())
            }
            Self::TripleDes => chained(&TdesEde3::new_from_slice(key).ok()?, iv, closed),
            Self::Rc2(_) => chained(&Rc2::new_from_slice(key).ok()?, iv, closed),
        }
    }
}

/// CBC, and the padding of RFC 8018 (6.1.1).
fn chained<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], closed: &[u8]) -> Option<Vec<u8>> {
    let size = <C as BlockSizeUser>::block_size();
    if closed.is_empty() || !closed.len().is_multiple_of(size) || iv.len() != size {
        return None;
    }
    let mut open = Vec::with_capacity(closed.len());
    let mut before = iv;
    for chunk in closed.chunks_exact(size) {
        let mut block = Block::<C>::try_from(chunk).ok()?;
        cipher.decrypt_block(&mut block);
        open.extend(block.iter().zip(before).map(|(byte, before)| byte ^ before));
        before = chunk;
    }
    let padding = *open.last()?;
    let length = open.len().checked_sub(usize::from(padding))?;
    let is_padding = (1..=size).contains(&usize::from(padding));
    let (_, tail) = open.split_at_checked(length)?;
    if !is_padding || tail.iter().any(|byte| *byte != padding) {
        return None;
    }
    open.truncate(length);
    Some(open)
}

/// Adds the second number and one to the first, both big-endian and of one length.
fn add(number: &mut [u8], added: &[u8]) {
    let mut carry = 1;
    for (digit, added) in number.iter_mut().zip(added).rev() {
        let sum = u16::from(*digit) + u16::from(*added) + carry;
        let [high, low] = sum.to_be_bytes();
        (*digit, carry) = (low, u16::from(high));
    }
}

/// 1.2.840.113549.1.12.1.3, .5 and .6
const PBE_TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 3];
const PBE_RC2_128: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 5];
const PBE_RC2_40: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 6];
/// 1.2.840.113549.1.5.13 and .12
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
/// 1.2.840.113549.2.7, .9, .10 and .11
const HMAC_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7];
const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9];
const HMAC_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 10];
const HMAC_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 11];
/// 1.2.840.113549.3.7
const TRIPLE_DES_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
/// 2.16.840.1.101.3.4.1.2, .22 and .42
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2];
const AES_192_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cannot_keep_a_processor_busy() {
        let password = Password::spellings("").remove(0);
        let million = [2, 3, 0x0f, 0x42, 0x40];
        let ask = |number: &[u8]| password.iterations(&mut Reader::new(number));
        for _ in 0..4 {
            assert_eq!(ask(&million).unwrap().get(), 1_000_000);
        }
        assert_eq!(ask(&million), Err(Wrong::Unknown));
        assert_eq!(ask(&[2, 1, 0]), Err(Wrong::Broken));
        assert_eq!(ask(&[2, 4, 0xff, 0xff, 0xff, 0xff]), Err(Wrong::Unknown));
    }

    #[test]
    fn padding_is_whole_or_none() {
        let key = TdesEde3::new_from_slice(&[7; 24]).unwrap();
        for closed in [&[][..], &[1; 7], &[1; 8], &[1; 16]] {
            assert_eq!(chained(&key, &[0; 8], closed), None);
        }
        assert_eq!(chained(&key, &[0; 7], &[1; 8]), None);
    }
}
