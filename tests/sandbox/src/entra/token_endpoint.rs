//! The two token endpoints and the two device code endpoints: what every request must have, and how every answer looks.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::app::App;
use super::client_auth;
use super::directory::{Directory, permission};
use super::errors::{Result, correlation, dressed};
use super::form::Form;
use super::grants::{self, Granted};
use super::pop;
use super::scope::{Endpoint, Wanted};
use super::tenancy::Tenancy;
use super::tokens::{Access, Caller};
use crate::http::{Request, Response};
use crate::random;

/// A request that names a tenant that exists and an application that it knows.
pub(crate) struct Ask<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) form: Form,
    pub(crate) tenancy: Tenancy,
    pub(crate) endpoint: Endpoint,
    pub(crate) app: App,
    /// What is asked for, as far as this request says.
    pub(crate) wanted: Wanted,
    pub(crate) now: Timestamp,
}

impl<'a> Ask<'a> {
    fn read(
        directory: &'a Directory,
        path: &str,
        v2: bool,
        request: &Request,
        now: Timestamp,
    ) -> Result<Self> {
        let form = Form::posted(request)?;
        let tenancy = Tenancy::parse(path, &directory.state())?;
        let app = client_auth::identify(directory, &form, &tenancy)?;
        let (endpoint, wanted) = if v2 {
            (Endpoint::V2, Wanted::scope(form.find("scope"))?)
        } else {
            let version = Form::query(request)?;
            let version = version.find("api-version");
            (Endpoint::V1, Wanted::resource(form.find("resource"), version)?)
        };
        form.claims()?;
        Ok(Self { directory, form, tenancy, endpoint, app, wanted, now })
    }
}

/// `POST /TENANT/oauth2/v2.0/token`, and the same without `v2.0`.
pub(crate) fn token(
    directory: &Directory,
    path: &str,
    v2: bool,
    request: &Request,
    now: Timestamp,
) -> Response {
    let answer = || {
        let grant = Form::posted(request)?;
        let grant = grants::Kind::parse(grant.need("grant_type")?)?;
        let ask = Ask::read(directory, path, v2, request, now)?;
        let confirmation = pop::confirmation(&ask.form)?;
        let Ask { app, form, tenancy, endpoint, .. } = &ask;
        let proof = client_auth::prove(app, form, path, tenancy, *endpoint, directory, now)?;
        let granted = grants::grant(grant, &ask, proof)?;
        let caller = granted.caller.name().to_owned();
        Ok((reply(&ask, granted, proof, confirmation), caller))
    };
    respond(answer(), request, now)
}

/// `POST /TENANT/oauth2/v2.0/devicecode`, and the same without `v2.0`.
pub(crate) fn device_code(
    directory: &Directory,
    path: &str,
    v2: bool,
    request: &Request,
    now: Timestamp,
) -> Response {
    let answer = || {
        let ask = Ask::read(directory, path, v2, request, now)?;
        let resource = ask.wanted.required()?;
        grants::known(directory, &ask.tenancy, resource)?;
        grants::consented(&ask.app.client_id, resource)?;
        let claims = ask.form.claims()?;
        let Ask { app, tenancy, wanted, .. } = ask;
        let mut state = directory.state();
        let body = state.devices.issue(&app.client_id, &tenancy, wanted, claims, now);
        drop(state);
        directory.device_made.notify_all();
        Ok((body, app.client_id))
    };
    respond(answer(), request, now)
}

fn respond(answer: Result<(Value, String)>, request: &Request, now: Timestamp) -> Response {
    match answer {
        Ok((body, caller)) => {
            let response = Response { caller: Some(caller), ..Response::json(200, &body) };
            dressed(response, &correlation(request), &random::uuid())
        }
        Err(refusal) => refusal.response(request, now),
    }
}

/// What a client gets. Entra calls every token a bearer, bound or not.
fn reply(ask: &Ask<'_>, granted: Granted, proof: &str, confirmation: Option<Value>) -> Value {
    let Ask { directory, endpoint, form, now, .. } = ask;
    let Granted { caller, tenant, audience, openid, refresh_token } = granted;
    let access = Access { tenant: &tenant, audience: &audience, proof, confirmation };
    let mut body = json!({
        "token_type": "Bearer",
        "access_token": directory.access_token(&access, &caller, *now),
    });
    // One second less than the token has: answers take a while.
    let seconds = directory.lifetime().as_secs().saturating_sub(1);
    let resource = audience.trim_start_matches("spn:");
    match endpoint {
        Endpoint::V2 => {
            body["expires_in"] = seconds.into();
            body["ext_expires_in"] = seconds.into();
        }
        Endpoint::V1 => {
            let on = now.as_second().saturating_add_unsigned(seconds);
            body["expires_in"] = seconds.to_string().into();
            body["ext_expires_in"] = seconds.to_string().into();
            body["expires_on"] = on.to_string().into();
            body["not_before"] = (now.as_second() - 300).to_string().into();
            body["resource"] = resource.into();
        }
    }
    if let Caller::Person { username, client_id } = &caller {
        body["scope"] = match endpoint {
            Endpoint::V1 => "user_impersonation".into(),
            Endpoint::V2 => {
                let permission = permission(resource);
                format!("{resource}/{permission} {resource}/.default").into()
            }
        };
        if openid {
            body["id_token"] = directory.id_token(&tenant, username, client_id, *now).into();
        }
        if form.find("client_info") == Some("1") {
            body["client_info"] = client_info(directory, username).into();
        }
    }
    if let Some(token) = refresh_token {
        body["refresh_token"] = token.into();
    }
    body
}

/// Who a person is at home.
pub(crate) fn client_info(directory: &Directory, username: &str) -> String {
    let mut state = directory.state();
    let home = state.person(username).map(|person| person.home().to_owned()).unwrap_or_default();
    let info = json!({ "uid": state.object_id(username, &home), "utid": home });
    URL_SAFE_NO_PAD.encode(info.to_string())
}
