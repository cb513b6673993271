//! Renewing a session: `CreateToken` of SSO OIDC, with a refresh token that works once.

use std::path::PathBuf;

use fleetkey_provider::{
    Error, ExposeSecret, Host, HttpRequest, HttpResponse, Kind, Method, Result, Retry,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::token_file::{Grant, is_word};
use crate::{
    endpoints::Target,
    errors::{Asker, Call, Said},
};

/// Where sessions are renewed, and on whose behalf.
pub(super) struct Oidc<'a> {
    pub(super) target: &'a Target,
    pub(super) ca_bundle: Option<PathBuf>,
    pub(super) asker: &'a Asker,
}

/// What was issued.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) expires: Timestamp,
    pub(super) refresh_token: Option<String>,
}

/// Why nothing was.
pub(super) enum Failure {
    /// The refresh token was not looked at, and is as good as before.
    Unused(Error),
    /// It is good no more.
    Dead(Error),
    /// It may have been used up: the answer is lost.
    Lost(Error),
}

impl Oidc<'_> {
    /// Redeems the refresh token. To be sent once, and while nobody else can.
    pub(super) async fn redeem(&self, grant: &Grant, host: &Host) -> Result<Issued, Failure> {
        let Grant { refresh_token, client_id, client_secret } = grant;
        let secrets = [refresh_token.expose_secret(), client_secret.expose_secret()];
        let call = Call {
            service: "SSO",
            endpoint: &self.target.endpoint,
            task: "renew the sign-in",
            asker: self.asker,
            secrets: &secrets,
        };
        let body = CreateToken {
            grant_type: "refresh_token",
            client_id,
            client_secret: client_secret.expose_secret(),
            refresh_token: refresh_token.expose_secret(),
        };
        let request = HttpRequest {
            method: Method::Post,
            endpoint: self.target.endpoint.at("/token", &[]),
            headers: vec![("content-type".into(), "application/json".into())],
            // four texts: nothing that could fail
            body: serde_json::to_vec(&body).unwrap_or_default(),
            ca_bundle: self.ca_bundle.clone(),
            retry: Retry::Redemption,
        };
        let answer = host.http.send(&request).await.map_err(|error| {
            // only a network loses answers; whatever else fails does so before anything is sent
            let may_be_used = error.kind() == Kind::Unavailable && !error.is_unsent();
            if may_be_used { Failure::Lost(error) } else { Failure::Unused(error) }
        })?;
        if answer.status == 200 {
            return issued(&answer, host)
                .ok_or_else(|| Failure::Lost(call.not_understood("an answer of another shape")));
        }
        let said = said(&answer);
        // a gateway that waited in vain does not know what came of it; the service itself does, and
        // 503 says that nothing was done (RFC 9110, section 15.6.4)
        let lost = answer.status >= 500 && answer.status != 503 && said.is_none();
        let error = call.error(&answer, said, host.clock.now());
        Err(match error.kind() {
            _ if lost || answer.is_success() => Failure::Lost(error),
            Kind::SignInNeeded => Failure::Dead(error),
            _ => Failure::Unused(error),
        })
    }
}

fn issued(answer: &HttpResponse, host: &Host) -> Option<Issued> {
    let Created { access_token, expires_in, refresh_token } =
        serde_json::from_slice(&answer.body).ok()?;
    let expires = host.clock.now().as_second().checked_add(expires_in)?;
    let refresh_token = refresh_token.filter(|token| !token.is_empty());
    let expires = Timestamp::from_second(expires).ok()?;
    is_word(&access_token).then_some(Issued { access_token, expires, refresh_token })
}

/// OAuth's error (RFC 6749, section 5.2).
fn said(answer: &HttpResponse) -> Option<Said> {
    let Refused { error, error_description } = serde_json::from_slice(&answer.body).ok()?;
    Some(Said { code: error, message: error_description.unwrap_or_default() })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateToken<'a> {
    grant_type: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    refresh_token: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    access_token: String,
    /// Seconds.
    expires_in: i64,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}
