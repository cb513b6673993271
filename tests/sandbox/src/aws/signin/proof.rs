//! The proof that whoever asks holds a key (`DPoP`, RFC 9449, section 4.3), checked to the letter.

use std::io;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::http::Request;

/// A proof whose signature is right.
pub(super) struct Proof {
    /// The key that signed it (RFC 7638).
    pub(super) thumbprint: String,
    /// What no second one may have.
    pub(super) id: String,
}

/// The proof of a request, or what is wrong with it.
pub(super) fn read(request: &Request, now: Timestamp) -> Result<Proof, &'static str> {
    let mut proofs = request.headers.iter().filter(|(name, _)| name == "dpop");
    let (Some((_, text)), None) = (proofs.next(), proofs.next()) else {
        return Err("there is not exactly one DPoP header");
    };
    let (signed, signature) = text.rsplit_once('.').ok_or("it is no JWT")?;
    let (header, claims) = signed.split_once('.').ok_or("it is no JWT")?;
    let part = |part: &str| -> Result<Value, &'static str> {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| "it is no JWT")?;
        serde_json::from_slice(&bytes).map_err(|_| "it is no JWT")
    };
    let (header, claims) = (part(header)?, part(claims)?);
    if header["typ"] != "dpop+jwt" || header["alg"] != "ES256" {
        return Err("typ or alg is another");
    }
    let (point, thumbprint) = key_of(&header["jwk"]).ok_or("jwk is no public key of P-256")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "it is no JWT")?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "jwk did not sign it")?;
    if claims["htm"] != *request.method {
        return Err("htm is another method");
    }
    let address = format!("https://{}{}", request.header("host").unwrap_or("?"), request.path());
    if claims["htu"] != *address {
        return Err("htu is another address");
    }
    let made = claims["iat"].as_i64().and_then(|iat| Timestamp::from_second(iat).ok());
    let made = made.ok_or("there is no iat")?;
    if made.duration_since(now).abs() > WINDOW {
        return Err("iat is not within 5 minutes of now");
    }
    let id = claims["jti"].as_str().filter(|id| !id.is_empty()).ok_or("there is no jti")?;
    Ok(Proof { id: format!("{thumbprint} {id}"), thumbprint })
}

/// A new key, in PEM as the AWS CLI writes it, and its thumbprint.
pub(super) fn key() -> io::Result<(String, String)> {
    let failed = |_| io::Error::other("no key could be made");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
    let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().map_err(failed)?;
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    let pem = format!(
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n",
        lines.join("\n")
    );
    let [x, y] = [1, 33].map(|at| URL_SAFE_NO_PAD.encode(&pair.public_key().as_ref()[at..at + 32]));
    Ok((pem, thumbprint(&x, &y)))
}

/// The point of a public key of P-256, and its thumbprint.
fn key_of(jwk: &Value) -> Option<(Vec<u8>, String)> {
    let is_public = jwk["kty"] == "EC" && jwk["crv"] == "P-256" && jwk.get("d").is_none();
    let (x, y) = (jwk["x"].as_str()?, jwk["y"].as_str()?);
    let [a, b] = [URL_SAFE_NO_PAD.decode(x).ok()?, URL_SAFE_NO_PAD.decode(y).ok()?];
    let is_whole = is_public && a.len() == 32 && b.len() == 32;
    is_whole.then(|| ([vec![4], a, b].concat(), thumbprint(x, y)))
}

fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

const WINDOW: SignedDuration = SignedDuration::from_mins(5);
