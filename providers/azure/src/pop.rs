//! Proof of possession: a token that is worth nothing without a key, and names the host it is for.
//!
//! Entra binds the access token to the key it is told of (`req_cnf`); what the API server is shown is
//! that token in an envelope which the key signs anew each time (a signed HTTP request, as
//! draft-ietf-oauth-signed-http-request has it and as kubelogin and Azure's guard understand it).

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use fleetkey_provider::{Error, ExposeSecret, Host, Result, SecretString};
use serde::Serialize;

/// What `--pop-claims` says: the host the token is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PopClaims {
    /// `u`: the API server's resource id.
    pub(crate) host: String,
}

/// A key that lives and dies with one credential.
#[derive(Debug)]
pub(crate) struct Key(RsaKeyPair);

/// What the envelope is, in the order in which kubelogin writes it.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

/// What is in it, in that order too.
#[derive(Serialize)]
struct Envelope<'a> {
    at: &'a str,
    ts: i64,
    u: &'a str,
    cnf: Confirmation<'a>,
    nonce: &'a str,
}

/// The key that the token is bound to (RFC 7800).
#[derive(Serialize)]
struct Confirmation<'a> {
    jwk: Jwk<'a>,
}

#[derive(Serialize)]
struct Jwk<'a> {
    e: &'a str,
    kty: &'a str,
    n: &'a str,
    alg: &'a str,
    kid: &'a str,
}

/// The public half, as JWKs spell it.
struct Public {
    e: String,
    n: String,
}

impl Key {
    /// A new one. Takes a tenth of a second or more.
    pub(crate) fn generate() -> Result<Self> {
        RsaKeyPair::generate(KeySize::Rsa2048)
            .map(Self)
            .map_err(|_| Error::failed("no key to bind the token to could be made"))
    }

    /// One that was kept.
    pub(crate) fn from_kept(kept: &SecretString) -> Result<Self> {
        let der = BASE64_STANDARD.decode(kept.expose_secret()).ok();
        let pair = der.and_then(|der| RsaKeyPair::from_pkcs8(&der).ok());
        pair.map(Self).ok_or_else(|| Error::failed("the kept token's key is damaged"))
    }

    /// As it is kept: PKCS#8.
    pub(crate) fn kept(&self) -> Result<SecretString> {
        let der: Pkcs8V1Der<'_> = self
            .0
            .as_der()
            .map_err(|_| Error::failed("the token's key could not be written down"))?;
        Ok(BASE64_STANDARD.encode(der.as_ref()).into())
    }

    /// What binds a token to it, for the token endpoint. `sw` says that it is kept by software.
    pub(crate) fn req_cnf(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Request<'a> {
            kid: &'a str,
            xms_ksl: &'a str,
        }
        part(&Request { kid: &self.public().thumbprint(), xms_ksl: "sw" })
    }

    /// Signs an envelope around an access token, now. Cheap enough for every call.
    pub(crate) fn sign(
        &self,
        access_token: &str,
        claims: &PopClaims,
        host: &Host,
    ) -> Result<SecretString> {
        let public = self.public();
        let kid = public.thumbprint();
        let Public { e, n } = &public;
        let mut nonce = [0; 16];
        host.entropy.fill(&mut nonce)?;
        let envelope = Envelope {
            at: access_token,
            ts: host.clock.now().as_second(),
            u: &claims.host,
            cnf: Confirmation { jwk: Jwk { e, kty: "RSA", n, alg: "RS256", kid: &kid } },
            nonce: &format!("{:032x}", u128::from_be_bytes(nonce)),
        };
        let header = Header { typ: "pop", alg: "RS256", kid: &kid };
        let signed = format!("{}.{}", part(&header)?, part(&envelope)?);
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Error::failed("the token's key could not sign"))?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)).into())
    }

    fn public(&self) -> Public {
        let key = self.0.public_key();
        let [e, n] = [key.exponent(), key.modulus()]
            .map(|number| BASE64_URL_SAFE_NO_PAD.encode(number.big_endian_without_leading_zero()));
        Public { e, n }
    }
}

impl Public {
    /// RFC 7638. Neither number has a character that JSON would escape.
    fn thumbprint(&self) -> String {
        let Self { e, n } = self;
        let text = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
    }
}

/// A part of a JWT.
fn part(value: &impl Serialize) -> Result<String> {
    serde_json::to_vec(value)
        .map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
        .map_err(|error| Error::failed("the token could not be made").because(error.to_string()))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use serde_json::Value;

    use super::*;
    use crate::testing::World;

    fn decoded(part: &str) -> String {
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc\
                 _BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FD\
                 W2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQF\
                 h6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let public = Public { e: "AQAB".into(), n: n.into() };
        assert_eq!(public.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_envelope_is_kubelogins_to_the_letter() {
        let key = Key::generate().unwrap();
        let claims = PopClaims { host: "/subscriptions/1/\"a\"".into() };
        let envelope = key.sign("a.b.c", &claims, &World::default().host()).unwrap();
        let envelope = envelope.expose_secret();
        let Public { e, n } = key.public();
        let kid = key.public().thumbprint();
        let parts: Vec<&str> = envelope.split('.').collect();
        let [header, payload, _] = parts[..] else { panic!("{envelope}") };
        assert_eq!(decoded(header), format!(r#"{{"typ":"pop","alg":"RS256","kid":"{kid}"}}"#));
        assert_eq!(
            decoded(payload),
            format!(
                r#"{{"at":"a.b.c","ts":1767323045,"u":"/subscriptions/1/\"a\"","cnf":{{"jwk":{{"e":"{e}","kty":"RSA","n":"{n}","alg":"RS256","kid":"{kid}"}}}},"nonce":"000102030405060708090a0b0c0d0e0f"}}"#
            )
        );
        // checked by what reads such tokens, with the key that stands in it
        let mut rules = Validation::new(Algorithm::RS256);
        rules.required_spec_claims.clear();
        let public = DecodingKey::from_rsa_components(&n, &e).unwrap();
        assert!(decode::<Value>(envelope, &public, &rules).is_ok());
        let other = Key::generate().unwrap().public();
        let other = DecodingKey::from_rsa_components(&other.n, &other.e).unwrap();
        assert!(decode::<Value>(envelope, &other, &rules).is_err());
    }

    #[test]
    fn entra_is_told_the_thumbprint() {
        let key = Key::generate().unwrap();
        let kid = key.public().thumbprint();
        let told = decoded(&key.req_cnf().unwrap());
        assert_eq!(told, format!(r#"{{"kid":"{kid}","xms_ksl":"sw"}}"#));
    }

    #[test]
    fn a_kept_key_is_the_same_and_a_damaged_one_an_error() {
        let key = Key::generate().unwrap();
        let kept = key.kept().unwrap();
        assert_eq!(Key::from_kept(&kept).unwrap().req_cnf().unwrap(), key.req_cnf().unwrap());
        let text = kept.expose_secret();
        for bad in ["", "hunter2", "AAAA", &text[..text.len() - 4], &text[4..]] {
            let error = Key::from_kept(&bad.into()).unwrap_err();
            assert_eq!(error.to_string(), "the kept token's key is damaged");
        }
        assert!(!format!("{key:?}").contains(text));
    }
}
