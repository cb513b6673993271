//! Tokens bound to a key: what a client says of its key when it asks, and the envelope it puts around the token later.
//!
//! The envelope is that of MSAL's signed HTTP requests, as clusters of Azure Arc check it.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::errors::{Refusal, Result};
use super::form::Form;
use super::jwt::Jwt;

/// `req_cnf` of a token request, if it asks for a bound token.
pub(crate) fn confirmation(form: &Form) -> Result<Option<Value>> {
    match form.find("token_type") {
        None | Some("Bearer" | "bearer") => return Ok(None),
        Some("pop") => {}
        Some(_) => return Err(Refusal::malformed("token_type")),
    }
    let encoded = form.need("req_cnf")?;
    let decoded = URL_SAFE_NO_PAD.decode(encoded).ok();
    let value: Option<Value> = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let kid = value.as_ref().and_then(|value| value["kid"].as_str());
    let kid = kid.filter(|kid| URL_SAFE_NO_PAD.decode(kid).is_ok_and(|digest| digest.len() == 32));
    let Some(kid) = kid else { return Err(Refusal::malformed("req_cnf")) };
    match value.as_ref().map(|value| &value["xms_ksl"]) {
        Some(Value::Null) => Ok(Some(json!({ "kid": kid }))),
        Some(Value::String(level)) if level == "sw" => {
            Ok(Some(json!({ "kid": kid, "xms_ksl": level })))
        }
        _ => Err(Refusal::malformed("req_cnf")),
    }
}

/// An envelope whose signature is right.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) access_token: String,
    pub(crate) host: String,
    pub(crate) nonce: String,
    /// The thumbprint of the key that signed it.
    pub(crate) thumbprint: String,
}

/// Opens an envelope, or says what is wrong with it.
pub(crate) fn open(
    token: &Jwt<'_>,
    text: &str,
    now: Timestamp,
) -> std::result::Result<Envelope, &'static str> {
    if token.header("alg") != Some("RS256") {
        return Err("alg is not RS256");
    }
    let key = &token.claims["cnf"]["jwk"];
    let part = |name: &str| key[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let (Some("RSA"), Some(n), Some(e)) = (key["kty"].as_str(), part("n"), part("e")) else {
        return Err("cnf.jwk is no RSA key");
    };
    let thumbprint = thumbprint(key);
    if token.header("kid") != Some(&thumbprint) {
        return Err("kid is not the thumbprint of cnf.jwk");
    }
    if !key["kid"].is_null() && key["kid"] != *thumbprint {
        return Err("cnf.jwk.kid is not its thumbprint");
    }
    if !key["alg"].is_null() && key["alg"] != "RS256" {
        return Err("cnf.jwk.alg is not RS256");
    }
    let (signed, signature) = text.rsplit_once('.').ok_or("not three parts")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "not three parts")?;
    RsaPublicKeyComponents { n, e }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| "cnf.jwk did not sign it")?;
    let made = token.moment("ts").and_then(|ts| Timestamp::from_second(ts).ok()).ok_or("no ts")?;
    if made.duration_since(now).abs() > WINDOW {
        return Err("ts is not within 15 minutes of now");
    }
    let text = |name: &str| token.claim(name).filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Envelope {
        access_token: text("at").ok_or("no at")?,
        host: text("u").ok_or("no u")?,
        nonce: text("nonce").ok_or("no nonce")?,
        thumbprint,
    })
}

/// RFC 7638: SHA-256 of the members that make the key, in their order and without blanks.
fn thumbprint(key: &Value) -> String {
    let member = |name: &str| key[name].as_str().unwrap_or_default();
    let canonical = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member("e"), member("n"));
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

const WINDOW: SignedDuration = SignedDuration::from_mins(15);

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638, section 3.1.
    #[test]
    fn the_thumbprint_of_the_standard() {
        let key = json!({ "kty": "RSA", "e": "AQAB", "n": concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3",
            "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA",
            "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-",
            "kEgU8awapJzKnqDKgw",
        )});
        assert_eq!(thumbprint(&key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
