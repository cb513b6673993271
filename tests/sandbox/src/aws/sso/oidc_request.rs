//! The body of a request to the OIDC service, read strictly.
//!
//! The real service ignores members that it does not know, and so hides misspelt ones; this one refuses them.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::oidc_error;
use crate::http::{Request, Response};

/// `RegisterClient`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Register {
    pub(super) client_name: String,
    pub(super) client_type: String,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) grant_types: Vec<String>,
    #[serde(default)]
    pub(super) redirect_uris: Vec<String>,
    pub(super) issuer_url: Option<String>,
}

/// `StartDeviceAuthorization`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Begin {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) start_url: String,
}

/// `CreateToken`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Create {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) grant_type: String,
    pub(super) refresh_token: Option<String>,
    pub(super) device_code: Option<String>,
    pub(super) code: Option<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) code_verifier: Option<String>,
}

/// A JSON object with exactly the members that its operation knows.
pub(super) fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Response> {
    let wrong = |words: &str| oidc_error("invalid_request", words);
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind != "application/json" {
        return Err(wrong("The body is not said to be JSON"));
    }
    serde_json::from_slice(&request.body).map_err(|error| wrong(&error.to_string()))
}
