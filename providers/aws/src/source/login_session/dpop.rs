//! The proof that whoever brings a token holds its key (`DPoP`, RFC 9449).
//!
//! AWS binds a session to a key of the curve P-256 that is made with it and lies beside it. Each request
//! for tokens is signed anew, for one address and one moment.

use aws_lc_rs::{
    encoding::{AsDer, EcPrivateKeyRfc5915Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fleetkey_provider::{Endpoint, Error, Host, Result, SecretString};
use pem::{EncodeConfig, LineEnding, Pem};
use serde::Serialize;

/// The key of a session.
#[derive(Debug)]
pub(super) struct Key(EcdsaKeyPair);

impl Key {
    /// A new one.
    pub(super) fn generate() -> Result<Self> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map(Self)
            .map_err(|_| Error::failed("no key for the sign-in could be made"))
    }

    /// The one in a PEM text: by itself, as the AWS CLI writes it (SEC1), or in PKCS#8.
    pub(super) fn from_pem(text: &str) -> Option<Self> {
        let pem = pem::parse(text).ok()?;
        if ![SEC1, "PRIVATE KEY"].contains(&pem.tag()) {
            return None;
        }
        EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, pem.contents())
            .ok()
            .map(Self)
    }

    /// The PEM text that the AWS CLI would write.
    pub(super) fn to_pem(&self) -> Result<SecretString> {
        let der: EcPrivateKeyRfc5915Der<'_> = self
            .0
            .private_key()
            .as_der()
            .map_err(|_| Error::failed("the key of the sign-in could not be written down"))?;
        let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
        Ok(pem::encode_config(&Pem::new(SEC1, der.as_ref()), lines).into())
    }

    /// The proof for a POST to this address, now.
    pub(super) fn proof(&self, endpoint: &Endpoint, host: &Host) -> Result<String> {
        let failed = || Error::failed("the key of the sign-in could not sign");
        // an uncompressed point (SEC 1, section 2.3.3)
        let [4, point @ ..] = self.0.public_key().as_ref() else { return Err(failed()) };
        let (x, y) = point.split_at_checked(32).ok_or_else(failed)?;
        let [x, y] = [x, y].map(|number| BASE64_URL_SAFE_NO_PAD.encode(number));
        let header = Header {
            typ: "dpop+jwt",
            alg: "ES256",
            jwk: Jwk { kty: "EC", x: &x, y: &y, crv: "P-256" },
        };
        let claims = Claims {
            htm: "POST",
            htu: endpoint.as_str(),
            iat: host.clock.now().as_second(),
            jti: &uuid(host)?,
        };
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature =
            self.0.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| failed())?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A number that nobody else draws (RFC 9562, section 5.4).
pub(super) fn uuid(host: &Host) -> Result<String> {
    let mut bytes = [0; 16];
    host.entropy.fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(parts.join("-"))
}

/// A part of a JWT.
fn part(value: &impl Serialize) -> String {
    // a few texts: nothing that could fail
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

const SEC1: &str = "EC PRIVATE KEY";

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    jwk: Jwk<'a>,
}

#[derive(Serialize)]
struct Jwk<'a> {
    kty: &'a str,
    x: &'a str,
    y: &'a str,
    crv: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    jti: &'a str,
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        ExposeSecret,
        testing::{CountingEntropy, ManualClock},
    };
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    use super::*;

    /// `openssl ecparam -genkey -noout -name prime256v1`, and the same by `openssl pkcs8 -topk8 -nocrypt`.
    const PAIR: [&str; 2] = [
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEINqnp+uqj8xN0SAXQzSzW0y0F1i8rBwgjQQEhFgE7MhvoAoGCCqGSM49\nAwEHoUQDQgAEfF7yyIe/u15Oh34bpn70CUgFNrZ2uzwRX883ItIuD2KQOXThdF3v\njcs6iOU7E6WzZ38j/YctmcycAB+IGULhrQ==\n-----END EC PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2qen66qPzE3RIBdD\nNLNbTLQXWLysHCCNBASEWATsyG+hRANCAAR8XvLIh7+7Xk6HfhumfvQJSAU2tna7\nPBFfzzci0i4PYpA5dOF0Xe+NyzqI5TsTpbNnfyP9hy2ZzJwAH4gZQuGt\n-----END PRIVATE KEY-----\n",
    ];

    fn host() -> Host {
        Host {
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            entropy: Box::new(CountingEntropy::default()),
            ..Host::refusing()
        }
    }

    #[test]
    fn a_proof_is_for_one_address_and_moment_and_signed_by_the_key_it_shows() {
        let host = host();
        let endpoint = Endpoint::configured("http://127.0.0.1:1", "a test", |_| false, &host);
        let endpoint = endpoint.unwrap().at("/v1/token", &[]);
        let mut shown = Vec::new();
        for pem in PAIR {
            let proof = Key::from_pem(pem).unwrap().proof(&endpoint, &host).unwrap();
            let header = decode_header(&proof).unwrap();
            assert_eq!((header.typ.as_deref(), header.alg), (Some("dpop+jwt"), Algorithm::ES256));
            let jwk = header.jwk.unwrap();
            let mut validation = Validation::new(Algorithm::ES256);
            validation.required_spec_claims.clear();
            let claims =
                decode::<Value>(&proof, &DecodingKey::from_jwk(&jwk).unwrap(), &validation);
            let claims = claims.unwrap().claims;
            assert_eq!(claims["htm"], "POST");
            assert_eq!(claims["htu"], "http://127.0.0.1:1/v1/token");
            assert_eq!(claims["iat"], 1_767_323_045);
            shown.push((jwk, claims["jti"].as_str().unwrap().to_owned()));
        }
        assert_eq!(shown[0].0, shown[1].0, "one key, in both of its forms");
        assert_eq!(shown[0].1, "00010203-0405-4607-8809-0a0b0c0d0e0f");
        assert_ne!(shown[0].1, shown[1].1);
    }

    #[test]
    fn a_new_key_is_written_as_the_cli_writes_one_and_read_again() {
        let pem = Key::generate().unwrap().to_pem().unwrap();
        let text = pem.expose_secret();
        assert!(text.starts_with("-----BEGIN EC PRIVATE KEY-----\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 64) && text.ends_with("-----\n"));
        assert_eq!(Key::from_pem(text).unwrap().to_pem().unwrap().expose_secret(), text);
        let old = Key::from_pem(PAIR[1]).unwrap();
        assert_eq!(old.to_pem().unwrap().expose_secret(), PAIR[0]);
    }

    #[test]
    fn what_is_no_key_of_that_curve_is_none() {
        let public = PAIR[1].replace("PRIVATE", "PUBLIC");
        for text in ["", "x", &*public, &PAIR[0].replace("MHc", "MHd")] {
            assert!(Key::from_pem(text).is_none(), "{text}");
        }
    }
}
