//! A JWT that somebody else issued: what it says, without a word about whether it is true.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fleetkey_provider::{Fingerprint, SecretString};
use serde_json::{Map, Value};

/// A token and what it says itself. It is not verified: whoever is shown it will.
pub(crate) struct Jwt {
    /// The whole of it.
    pub(crate) token: SecretString,
    /// What it says.
    pub(crate) claims: Map<String, Value>,
}

impl Jwt {
    /// Three parts, the middle one an object that names an issuer and a subject.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, _, signature] = parts[..] else { return None };
        let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        if signature.is_empty() || decoded(header).is_none() || decoded(signature).is_none() {
            return None;
        }
        let claims: Map<String, Value> =
            jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
        let is_text = |name| claims.get(name).is_some_and(Value::is_string);
        (is_text("iss") && is_text("sub")).then(|| Self { token: token.into(), claims })
    }

    /// Everything it says but what is new in each token of the same bearer. All of it, since a trust
    /// policy may look at any of it.
    pub(crate) fn bearer(&self) -> Fingerprint {
        let mut claims = self.claims.clone();
        for name in ["exp", "iat", "nbf", "jti"] {
            claims.remove(name);
        }
        // EKS writes there when it will have renewed the token
        if let Some(Value::Object(kubernetes)) = claims.get_mut("kubernetes.io") {
            kubernetes.remove("warnafter");
        }
        let mut text = String::new();
        canonical(&Value::Object(claims), &mut text);
        Fingerprint::of(text.as_bytes())
    }
}

/// JSON with its names sorted, in whatever order they came and are held.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for value in values {
                canonical(value, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_apart_by_all_it_says_but_its_times() {
        let bearer = |claims: &str| {
            let claims = BASE64_URL_SAFE_NO_PAD.encode(claims);
            Jwt::of(&format!("e30.{claims}.c2ln")).unwrap().bearer()
        };
        let one = bearer(
            r#"{"iss":"i","sub":"s","aud":["a"],"exp":1,"iat":1,"nbf":1,"jti":"1",
                "kubernetes.io":{"pod":"p","namespace":"n","warnafter":1}}"#,
        );
        let rotated = bearer(
            r#"{"kubernetes.io":{"warnafter":2,"namespace":"n","pod":"p"},
                "exp":2,"aud":["a"],"sub":"s","iss":"i"}"#,
        );
        assert_eq!(one, rotated);
        for other in [
            r#"{"iss":"i","sub":"s","aud":["b"],"kubernetes.io":{"pod":"p","namespace":"n"}}"#,
            r#"{"iss":"i","sub":"t","aud":["a"],"kubernetes.io":{"pod":"p","namespace":"n"}}"#,
            r#"{"iss":"j","sub":"s","aud":["a"],"kubernetes.io":{"pod":"p","namespace":"n"}}"#,
            r#"{"iss":"i","sub":"s","aud":["a"],"kubernetes.io":{"pod":"q","namespace":"n"}}"#,
            r#"{"iss":"i","sub":"s","aud":["a"],"kubernetes.io":{"pod":"p","namespace":"n"},"x":1}"#,
        ] {
            assert_ne!(one, bearer(other), "{other}");
        }
    }
}
