//! An OpenID issuer, such as that of a cluster: signs service accounts' tokens, and knows them again.

use std::io;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::KeyPair;
use serde::{Deserialize, Serialize};

pub(crate) struct Issuer {
    pub(crate) url: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: Vec<String>,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}

impl Issuer {
    /// That of an EKS cluster.
    pub(crate) fn new() -> io::Result<Self> {
        Self::named(ISSUER)
    }

    pub(crate) fn named(url: &str) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        Ok(Self {
            url: url.to_owned(),
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
            iss: self.url.clone(),
            sub: subject.to_owned(),
            aud: vec![audience.to_owned()],
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: now.as_second() + lifetime.as_secs(),
        };
        self.sign(&claims)
    }

    /// Any claims, signed.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> io::Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("sandbox".to_owned());
        jsonwebtoken::encode(&header, claims, &self.encoding).map_err(io::Error::other)
    }

    /// Whether this issuer signed it; what it says is for the caller to judge.
    pub(crate) fn signed(&self, token: &str) -> bool {
        self.verify::<serde_json::Value>(token).is_some()
    }

    /// The claims of a token that this issuer signed; the times are for the caller to judge, by the sandbox's clock.
    pub(crate) fn read(&self, token: &str) -> Option<Claims> {
        self.verify(token)
    }

    fn verify<C: serde::de::DeserializeOwned + Clone>(&self, token: &str) -> Option<C> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[&self.url]);
        jsonwebtoken::decode::<C>(token, &self.decoding, &validation).ok().map(|token| token.claims)
    }
}

/// Shaped like an EKS issuer, and nobody's.
const ISSUER: &str = "https://oidc.eks.us-east-1.amazonaws.com/id/00000000000000000000000000000000";
