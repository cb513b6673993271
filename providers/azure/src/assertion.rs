//! What an application signs with its certificate to say that it is itself: a client assertion (RFC
//! 7523, and "Microsoft identity platform application authentication certificate credentials").

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use fleetkey_provider::{Endpoint, Error, Host, Result};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use crate::{
    certificate::Certificate,
    entra::{Client, Form, Version},
};

/// How long an assertion is good for.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// RFC 7523, section 2.2.
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form with which an application asks for itself, behind somebody's assertion.
pub(crate) fn form(assertion: &str) -> Form {
    Form::grant("client_credentials")
        .with("client_assertion_type", TYPE)
        .with("client_assertion", assertion)
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: &'a str,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// A new assertion, for that token endpoint. The v1 endpoint knows neither PSS nor SHA-256 thumbprints for certain: it is given
/// what its own libraries gave it.
pub(crate) fn sign(
    client: &Client,
    endpoint: &Endpoint,
    certificate: &Certificate,
    host: &Host,
) -> Result<String> {
    let mut header = match client.version {
        Version::V2 => Header {
            x5t_s256: Some(BASE64_URL_SAFE_NO_PAD.encode(certificate.sha256())),
            ..Header::new(Algorithm::PS256)
        },
        Version::V1 => Header {
            x5t: Some(BASE64_URL_SAFE_NO_PAD.encode(certificate.sha1())),
            ..Header::new(Algorithm::RS256)
        },
    };
    // the whole chain: an application may be told to trust an issuer and a name
    header.x5c = Some(certificate.chain().iter().map(|der| BASE64_STANDARD.encode(der)).collect());
    let now = host.clock.now();
    let audience = endpoint.as_str().split('?').next().unwrap_or_default();
    let claims = Claims {
        aud: audience,
        iss: &client.id,
        sub: &client.id,
        jti: &guid(host)?,
        nbf: now.as_second(),
        iat: now.as_second(),
        exp: now.checked_add(LIFE).unwrap_or(now).as_second(),
    };
    jsonwebtoken::encode(&header, &claims, certificate.key()).map_err(|error| {
        Error::failed("the certificate's key could not sign").because(error.to_string())
    })
}

/// A GUID of chance (RFC 9562, version 4).
fn guid(host: &Host) -> Result<String> {
    let mut bytes = [0; 16];
    host.entropy.fill(&mut bytes)?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{number:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{CLIENT, NOW, TENANT, World, client, now};

    /// The header, and the claims of an assertion for that audience.
    fn signed(version: Version, audience: &str) -> (Header, Value) {
        let file = include_bytes!("../tests/data/pkcs8.pem");
        let certificate = Certificate::read(file, None, Path::new("c")).unwrap();
        let client = Client { version, ..client() };
        let host = World::default().host();
        let endpoint = now(client.endpoints(&host)).unwrap().token;
        let token = sign(&client, &endpoint, &certificate, &host).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        let mut rules = Validation::new(header.alg);
        rules.validate_exp = false;
        rules.set_audience(&[audience]);
        // the public key of the certificate, as `openssl x509 -pubkey` wrote it
        let key = DecodingKey::from_rsa_pem(include_bytes!("../tests/data/leaf.pub.pem")).unwrap();
        (header, decode(&token, &key, &rules).unwrap().claims)
    }

    #[test]
    fn v2_gets_pss_and_sha_256_and_the_chain() {
        let aud = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
        let (header, claims) = signed(Version::V2, &aud);
        assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::PS256, Some("JWT")));
        let thumbprint = "gjSZPMMNMpKXZxeHnGxlNhu3_p6XRq1mJunSPjxDDQg";
        assert_eq!((header.x5t_s256.as_deref(), header.x5t), (Some(thumbprint), None));
        let chain = header.x5c.unwrap();
        assert_eq!(chain.len(), 3);
        assert_eq!(
            BASE64_STANDARD.decode(&chain[0]).unwrap(),
            include_bytes!("../tests/data/leaf.cer")
        );

        let now = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
        assert_eq!(
            claims,
            json!({ "aud": aud, "iss": CLIENT, "sub": CLIENT, "nbf": now, "iat": now,
                "exp": now + 600, "jti": "00010203-0405-4607-8809-0a0b0c0d0e0f" })
        );
    }

    #[test]
    fn v1_gets_what_its_own_libraries_gave_it() {
        let aud = format!("https://login.microsoftonline.com/{TENANT}/oauth2/token");
        let (header, claims) = signed(Version::V1, &aud);
        assert_eq!(header.alg, Algorithm::RS256);
        assert_eq!(header.x5t.as_deref(), Some("IPXIdKAZHI6LJBVEAwlgB8p3S8k"));
        assert_eq!((header.x5t_s256, header.x5c.unwrap().len()), (None, 3));
        assert_eq!(claims["sub"], CLIENT);
    }
}
