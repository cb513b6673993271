//! The OpenID issuer of a cluster: signs service accounts' tokens, and knows them again.

use std::io;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::KeyPair;
use serde::{Deserialize, Serialize};

pub(crate) struct Issuer {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: Vec<String>,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}

impl Issuer {
    pub(crate) fn new() -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        Ok(Self {
            encoding: EncodingKey::from_ec_pem(key.serialize_pem().as_bytes())
                .map_err(io::Error::other)?,
            decoding: DecodingKey::from_ec_pem(key.public_key_pem().as_bytes())
                .map_err(io::Error::other)?,
        })
    }

    pub(crate) fn token(
        &self,
        subject: &str,
        audience: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> io::Result<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            aud: vec![audience.to_owned()],
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: now.as_second() + lifetime.as_secs(),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("sandbox".to_owned());
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(io::Error::other)
    }

    /// The claims of a token that this issuer signed; the times are for the caller to judge, by the sandbox's clock.
    pub(crate) fn read(&self, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[ISSUER]);
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .ok()
            .map(|token| token.claims)
    }
}

/// Shaped like an EKS issuer, and nobody's.
const ISSUER: &str = "https://oidc.eks.us-east-1.amazonaws.com/id/00000000000000000000000000000000";
