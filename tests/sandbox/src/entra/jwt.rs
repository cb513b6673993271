//! JSON Web Tokens, taken apart without kindness and put together by hand: a judge reads what was written, not what a
//! library would have understood.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Three parts, decoded; nothing is proven yet.
#[derive(Debug)]
pub(crate) struct Jwt<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Exactly three parts of unpadded base64url, the first two JSON objects.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
        };
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// A text of the header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header[name].as_str()
    }

    /// A text of the claims.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.claims[name].as_str()
    }

    /// A moment of the claims, in whole seconds.
    pub(crate) fn moment(&self, name: &str) -> Option<i64> {
        self.claims[name].as_i64()
    }

    /// Whether the key (DER, with or without its algorithm) made the signature, in the header's own algorithm.
    pub(crate) fn signed_by(&self, public_key: &[u8]) -> bool {
        let algorithm: &RsaParameters = match self.header("alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public_key)
            .verify(self.signed.as_bytes(), &self.signature)
            .is_ok()
    }
}

/// The first two parts, which are what is signed.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_whole_parts_are_a_token() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let good = format!("{}.{}.{}", part("{}"), part("{}"), part("signature"));
        assert!(Jwt::parse(&good).is_some());
        for bad in [
            String::new(),
            "a".to_owned(),
            "..".to_owned(),
            format!("{good}."),
            format!("{good}="),
            format!("{good}.{}", part("more")),
            format!("{}.{}.{}", part("[]"), part("{}"), part("signature")),
            format!("{}.{}.{}", part("{}"), part("x"), part("signature")),
            format!(" {good}"),
        ] {
            assert!(Jwt::parse(&bad).is_none(), "{bad}");
        }
    }
}
