//! A request from the command line to its last credential, against a scripted world.

use clap::Command;
use fleetkey_aws::PROVIDER;
use fleetkey_provider::{Credential, ExecInfo, Host, HttpRequest, Request, Result};
use jiff::Timestamp;
use serde_json::Value;
use url::form_urlencoded;

/// Understands `get-token aws` with these arguments.
pub(crate) fn request(arguments: &[&str], host: &Host) -> Result<Box<dyn Request>> {
    let command = PROVIDER.arguments(Command::new("aws").no_binary_name(true));
    let mut matches = command.try_get_matches_from(arguments).unwrap();
    PROVIDER.request(&mut matches, &ExecInfo::default(), host)
}

/// The credential of every step, base first.
pub(crate) fn walk(request: &dyn Request, host: &Host) -> Result<Vec<Credential>> {
    let mut steps = match request.source() {
        Some(source) => walk(source, host)?,
        None => Vec::new(),
    };
    let credential = match request.at_hand(host)? {
        Some(credential) => credential,
        None => tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(request.obtain(steps.last(), host))?,
    };
    steps.push(credential);
    Ok(steps)
}

/// The keys in a credential, as the fixtures name them.
pub(crate) fn keys(credential: &Credential) -> Value {
    let kept: Value = serde_json::from_str(credential.expose()).unwrap();
    let expires = kept["expires"].as_str().map(|end| end.parse::<Timestamp>().unwrap().as_second());
    serde_json::json!({
        "access_key_id": kept["id"], "secret_access_key": kept["secret"],
        "session_token": kept["token"], "account_id": kept["account"], "expiry": expires,
    })
}

/// The parameters of a form.
pub(crate) fn form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// A parameter of a request's form.
pub(crate) fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    form(&request.body).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}
