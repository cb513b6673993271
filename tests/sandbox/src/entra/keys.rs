//! The key that signs all tokens of this Entra, and the page it is shown on.

use std::io;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::der;
use super::jwt::{self, Jwt};

/// Made when the first token is: a key takes longer than all the rest of a sandbox.
#[derive(Default)]
pub(crate) struct Keys(OnceLock<Option<Key>>);

struct Key {
    pair: KeyPair,
    kid: String,
}

impl Keys {
    /// A signed token; `None` only where the system has no random numbers.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let Key { pair, kid } = self.key()?;
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid });
        let unsigned = jwt::unsigned(&header, claims);
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), unsigned.as_bytes(), &mut signature)
            .ok()?;
        Some(format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whether a token names this key.
    pub(crate) fn named_by(&self, token: &Jwt<'_>) -> bool {
        self.key().is_some_and(|key| token.header("kid") == Some(&key.kid))
    }

    /// Whether this key signed a token.
    pub(crate) fn signed(&self, token: &Jwt<'_>) -> bool {
        token.header("alg") == Some("RS256")
            && self.key().is_some_and(|key| token.signed_by(key.pair.public_key().as_ref()))
    }

    /// The key as anybody may see it.
    pub(crate) fn public(&self, issuer: &str) -> Value {
        let keys: Vec<Value> = self
            .key()
            .into_iter()
            .filter_map(|Key { pair, kid }| {
                let (n, e) = der::rsa_numbers(pair.public_key().as_ref())?;
                Some(json!({
                    "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "issuer": issuer,
                    "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e),
                }))
            })
            .collect();
        json!({ "keys": keys })
    }

    fn key(&self) -> Option<&Key> {
        self.0.get_or_init(|| Key::new().ok()).as_ref()
    }
}

impl Key {
    fn new() -> io::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let der = pair.public_key().as_der().map_err(io::Error::other)?;
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der.as_ref());
        Ok(Self { kid: URL_SAFE_NO_PAD.encode(digest), pair })
    }
}
