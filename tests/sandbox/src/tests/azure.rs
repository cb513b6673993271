//! What the tests of Azure's surroundings share.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::client::Reply;

pub(super) const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// The value of a variable that must be there.
pub(super) fn value<'a>(env: &'a [(String, String)], name: &str) -> &'a str {
    let found = env.iter().find(|(known, _)| known == name);
    found.map_or_else(|| panic!("no {name}"), |(_, value)| value.as_str())
}

/// Status and JSON.
pub(super) fn body(reply: &Reply) -> (u16, Value) {
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

/// What a JWT says.
pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("no JWT"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
