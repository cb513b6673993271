//! Fresh names and secrets. Nothing here protects anything, but two runs must never share a key by accident.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `length` random bytes.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    // The generator fails only where the system has none at all; zeros would show at once as equal keys.
    let _ = rand::fill(&mut bytes);
    bytes
}

/// `length` characters of A-Z and 2-7, as in an access key id.
pub(crate) fn letters(length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    bytes(length).iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// `length` random bytes in standard base64, with its `+`, `/` and `=`: what has to survive encoding.
pub(crate) fn base64(length: usize) -> String {
    STANDARD.encode(bytes(length))
}

/// `digits` random decimal digits.
pub(crate) fn digits(digits: usize) -> String {
    bytes(digits).iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// A random UUID, as in a request id.
pub(crate) fn uuid() -> String {
    let hex = hex(&bytes(16));
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
