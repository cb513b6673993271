//! Who the client is, and whether it proved it.

use jiff::Timestamp;

use super::app::App;
use super::assertion;
use super::directory::Directory;
use super::errors::{Refusal, Result};
use super::form::Form;
use super::scope::Endpoint;
use super::tenancy::Tenancy;

/// The application that a form names, in a tenant or, where none is named, in any.
pub(crate) fn identify(directory: &Directory, form: &Form, tenancy: &Tenancy) -> Result<App> {
    let client_id = form.need("client_id")?;
    let state = directory.state();
    let app = match tenancy {
        Tenancy::Tenant(tenant) => state.app(tenant, client_id),
        Tenancy::Anybody(_) => state.app_anywhere(client_id),
    };
    app.ok_or_else(|| not_found(client_id, tenancy.name()))
}

pub(crate) fn not_found(client_id: &str, tenant: &str) -> Refusal {
    Refusal::new(
        700_016,
        format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant."
        ),
    )
}

/// How an application proved itself, as `appidacr` says it: `0` by nothing, `1` by a secret, `2` by an assertion.
/// `path` is the tenant as the caller wrote it.
pub(crate) fn prove(
    app: &App,
    form: &Form,
    path: &str,
    tenancy: &Tenancy,
    endpoint: Endpoint,
    directory: &Directory,
    now: Timestamp,
) -> Result<&'static str> {
    let (secret, assertion) = (form.find("client_secret"), form.find("client_assertion"));
    if app.public && (secret.is_some() || assertion.is_some()) {
        return Err(Refusal::new(
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        ));
    }
    match (secret, assertion) {
        (None, None) if app.public => Ok("0"),
        (None, None) => Err(unproven()),
        (Some(_), Some(_)) => Err(Refusal::malformed("both client_secret and client_assertion")),
        (Some(secret), None) => check_secret(app, secret, now).map(|()| "1"),
        (None, Some(text)) => {
            if form.need("client_assertion_type")? != ASSERTION_TYPE {
                return Err(Refusal::malformed("client_assertion_type"));
            }
            let url = directory.url();
            let endpoints = [path, tenancy.name()].into_iter().flat_map(|tenant| {
                // go-autorest takes the address with its query for the audience
                ["oauth2/v2.0/token", "oauth2/token", "oauth2/token?api-version=1.0"]
                    .map(|rest| format!("{url}/{tenant}/{rest}"))
            });
            let endpoints: Vec<String> = endpoints.collect();
            assertion::check(text, app, &endpoints, endpoint, directory, now).map(|()| "2")
        }
    }
}

/// `AADSTS7000218`: there was nothing to check.
pub(crate) fn unproven() -> Refusal {
    Refusal::new(
        7_000_218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    )
}

fn check_secret(app: &App, secret: &str, now: Timestamp) -> Result<()> {
    let mut known = app.secrets.iter().filter(|known| known.value == secret).peekable();
    if known.peek().is_none() {
        return Err(Refusal::new(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
                 the client secret ID, for a secret added to app '{}'.",
                app.client_id
            ),
        ));
    }
    if known.any(|known| known.expires.is_none_or(|end| now < end)) {
        return Ok(());
    }
    Err(Refusal::new(
        7_000_222,
        format!("The provided client secret keys for app '{}' are expired.", app.client_id),
    ))
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
