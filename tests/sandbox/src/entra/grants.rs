//! The five grants: what each must show, and what it is worth.

use super::client_auth;
use super::directory::{Directory, preauthorised};
use super::errors::{Refusal, Result};
use super::person::Person;
use super::scope::{Endpoint, Wanted};
use super::tenancy::Tenancy;
use super::token_endpoint::Ask;
use super::tokens::Caller;

/// What a request is answered with.
pub(crate) struct Granted {
    pub(crate) caller: Caller,
    pub(crate) tenant: String,
    pub(crate) audience: String,
    pub(crate) openid: bool,
    pub(crate) refresh_token: Option<String>,
}

/// `grant_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ClientCredentials,
    Password,
    Code,
    Device,
    Refresh,
}

impl Kind {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "client_credentials" => Self::ClientCredentials,
            "password" => Self::Password,
            "authorization_code" => Self::Code,
            // MSAL for Go sends the short name, that for Python the one of RFC 8628.
            "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => Self::Device,
            "refresh_token" => Self::Refresh,
            other => {
                let message = format!("The app requested an unsupported grant type '{other}'.");
                return Err(Refusal::new(70003, message));
            }
        })
    }
}

/// Grants, or says why not.
pub(crate) fn grant(kind: Kind, ask: &Ask<'_>, proof: &str) -> Result<Granted> {
    match kind {
        Kind::ClientCredentials => client_credentials(ask, proof),
        Kind::Password => password(ask),
        Kind::Code => code(ask),
        Kind::Device => device(ask),
        Kind::Refresh => refresh(ask),
    }
}

fn client_credentials(ask: &Ask<'_>, proof: &str) -> Result<Granted> {
    if proof == "0" {
        return Err(client_auth::unproven());
    }
    let Tenancy::Tenant(tenant) = &ask.tenancy else {
        return Err(Refusal::new(
            50059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        ));
    };
    let audience = ask.wanted.required()?;
    known(ask.directory, &ask.tenancy, audience)?;
    let client_id = ask.app.client_id.clone();
    let oid = ask.directory.state().object_id(&client_id, tenant);
    Ok(Granted {
        caller: Caller::App { client_id, oid },
        tenant: tenant.clone(),
        audience: audience.to_owned(),
        openid: false,
        refresh_token: None,
    })
}

fn password(ask: &Ask<'_>) -> Result<Granted> {
    let (username, password) = (ask.form.need("username")?, ask.form.need("password")?);
    let person = person(ask.directory, username)?;
    if matches!(&ask.tenancy, Tenancy::Tenant(tenant) if tenant != person.home()) {
        return Err(no_such_person(username));
    }
    // The password of a federated person is known to another server only.
    if person.federated || person.password.as_deref() != Some(password) {
        return Err(Refusal::new(
            50126,
            "Error validating credentials due to invalid username or password.",
        ));
    }
    let resource = ask.wanted.required()?.to_owned();
    let wanted = ask.wanted.clone();
    let tenant = may(ask, &person, &resource)?;
    Ok(new_session(ask, &person, tenant, resource, &wanted))
}

fn code(ask: &Ask<'_>) -> Result<Granted> {
    let (code, redirect) = (ask.form.need("code")?, ask.form.need("redirect_uri")?);
    let verifier = ask.form.find("code_verifier");
    let redeemed =
        ask.directory.state().codes.redeem(code, &ask.app.client_id, redirect, verifier, ask.now);
    let (asked, username) = redeemed?;
    asked.tenancy.allows(&ask.tenancy)?;
    let resource = same_resource(ask, &asked.wanted)?;
    let person = person(ask.directory, &username)?;
    let tenant = may(ask, &person, &resource)?;
    Ok(new_session(ask, &person, tenant, resource, &asked.wanted))
}

fn device(ask: &Ask<'_>) -> Result<Granted> {
    let code = match ask.endpoint {
        Endpoint::V1 => ask.form.need("code")?,
        Endpoint::V2 => ask.form.need("device_code")?,
    };
    let polled = ask.directory.state().devices.poll(code, &ask.app.client_id, ask.now);
    let (waiting, username) = polled?;
    waiting.tenancy.allows(&ask.tenancy)?;
    let resource = same_resource(ask, &waiting.wanted)?;
    let person = person(ask.directory, &username)?;
    let tenant = may(ask, &person, &resource)?;
    Ok(new_session(ask, &person, tenant, resource, &waiting.wanted))
}

fn refresh(ask: &Ask<'_>) -> Result<Granted> {
    let token = ask.form.need("refresh_token")?;
    let found = ask.directory.state().refresh.look(token, &ask.app.client_id, ask.now)?;
    let resource = match (&ask.wanted.resource, &found.resource) {
        (Some(resource), _) | (None, Some(resource)) => resource.clone(),
        (None, None) => ask.wanted.required()?.to_owned(),
    };
    let person = person(ask.directory, &found.username)?;
    let tenant = may(ask, &person, &resource)?;
    let client_id = ask.app.client_id.clone();
    let mut state = ask.directory.state();
    let next = state.refresh.redeem(token, &resource, ask.wanted.offline_access, ask.now)?;
    drop(state);
    Ok(Granted {
        caller: Caller::Person { username: person.username.clone(), client_id },
        tenant,
        audience: resource,
        openid: ask.wanted.openid,
        refresh_token: next,
    })
}

fn new_session(
    ask: &Ask<'_>,
    person: &Person,
    tenant: String,
    resource: String,
    wanted: &Wanted,
) -> Granted {
    let client_id = ask.app.client_id.clone();
    let refresh_token = wanted.offline_access.then(|| {
        let mut state = ask.directory.state();
        state.refresh.issue(&person.username, &client_id, Some(&resource), ask.now)
    });
    Granted {
        caller: Caller::Person { username: person.username.clone(), client_id },
        tenant,
        audience: resource,
        openid: wanted.openid,
        refresh_token,
    }
}

/// The tenant in which a person may have a token for a resource now.
fn may(ask: &Ask<'_>, person: &Person, resource: &str) -> Result<String> {
    let client_id = &ask.app.client_id;
    let tenant = ask.tenancy.of(person, client_id)?;
    let state = ask.directory.state();
    if state.app(&tenant, client_id).is_none() {
        return Err(client_auth::not_found(client_id, &tenant));
    }
    let claims = state.claims.get(&person.username.to_lowercase()).cloned();
    drop(state);
    known(ask.directory, &Tenancy::Tenant(tenant.clone()), resource)?;
    consented(client_id, resource)?;
    match claims {
        Some(claims) => Err(Refusal::interaction(&claims, resource)),
        None => Ok(tenant),
    }
}

/// The resource of the sign-in, which a redemption may repeat and may not change.
fn same_resource(ask: &Ask<'_>, asked: &Wanted) -> Result<String> {
    let resource = asked.required()?;
    if ask.wanted.resource.as_deref().is_some_and(|again| again != resource) {
        return Err(Refusal::new(
            28002,
            "Provided value for the input parameter scope is not valid when requesting an access token.",
        ));
    }
    Ok(resource.to_owned())
}

/// Whether a tenant has a resource; who names no tenant learns it later.
pub(crate) fn known(directory: &Directory, tenancy: &Tenancy, resource: &str) -> Result<()> {
    match tenancy {
        Tenancy::Tenant(tenant) if !directory.state().has_server(tenant, resource) => {
            Err(Refusal::new(
                500_011,
                format!(
                    "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if \
                     the application has not been installed by the administrator of the tenant or consented to by any user \
                     in the tenant."
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Whether a program may ask people for a resource.
pub(crate) fn consented(client_id: &str, resource: &str) -> Result<()> {
    if preauthorised(client_id, resource) {
        return Ok(());
    }
    Err(Refusal::new(
        65002,
        format!(
            "Consent between first party application '{client_id}' and first party resource '{ARM_APPLICATION}' must be \
             configured via preauthorization - applications owned and operated by Microsoft must get approval from the \
             API owner before requesting tokens for that API."
        ),
    ))
}

fn person(directory: &Directory, username: &str) -> Result<Person> {
    directory.state().person(username).ok_or_else(|| no_such_person(username))
}

fn no_such_person(username: &str) -> Refusal {
    Refusal::new(
        50034,
        format!(
            "The user account {username} does not exist in this directory. To sign into this application, the account must \
             be added to the directory."
        ),
    )
}

/// What the directory calls Azure's management.
const ARM_APPLICATION: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
