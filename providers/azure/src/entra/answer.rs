//! What the token endpoint answers when all is well.

use fleetkey_provider::SecretString;
use serde::Deserialize;

/// The tokens of one answer. How long they live is read from the access token itself.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names, reason = "the names of RFC 6749 and OpenID Connect")]
pub(crate) struct Tokens {
    pub(crate) access_token: SecretString,
    pub(crate) refresh_token: Option<SecretString>,
    /// Who signed in, if the answer says so.
    pub(crate) id_token: Option<SecretString>,
}

/// As it stands in JSON; numbers may be strings (v1), and are not needed.
#[derive(Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names of RFC 6749 and OpenID Connect")]
struct Body {
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

impl Tokens {
    /// From a body; `None` if it is no answer of a token endpoint.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let Body { access_token, refresh_token, id_token } = serde_json::from_slice(body).ok()?;
        Some(Self {
            access_token: access_token.filter(|text| !text.is_empty())?.into(),
            refresh_token: refresh_token.filter(|text| !text.is_empty()).map(Into::into),
            id_token: id_token.filter(|text| !text.is_empty()).map(Into::into),
        })
    }
}
