//! SSO OIDC on the wire: its questions and answers, and what its refusals mean.
//!
//! `CreateToken` renews a session, with a refresh token that works once, and makes one, of what a
//! person did on a page.

use std::path::PathBuf;

use fleetkey_provider::{
    Error, ExposeSecret, Host, HttpRequest, HttpResponse, Kind, Method, Result, Retry, shown,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

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
    /// The session, as people call it.
    pub(super) session: &'a str,
}

/// A no to somebody who signs in.
pub(super) struct No {
    /// Its code, if the service itself said it.
    pub(super) code: Option<String>,
    /// The same for a person.
    pub(super) error: Error,
}

impl From<No> for Error {
    fn from(no: No) -> Self {
        no.error
    }
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
        let call = self.call("renew the sign-in", &secrets);
        let body = CreateToken {
            grant_type: "refresh_token",
            client_id,
            client_secret: client_secret.expose_secret(),
            refresh_token: refresh_token.expose_secret(),
        };
        let request = self.request("/token", &body, Retry::Redemption);
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
    /// Asks something for somebody who signs in, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        secrets: &[&str],
        retry: Retry,
        host: &Host,
    ) -> Result<T, No> {
        let call = self.call("sign in", secrets);
        let lost = |error| No { code: None, error };
        let sent = host.http.send(&self.request(path, body, retry)).await;
        let answer = sent.map_err(lost)?;
        if answer.status == 200 {
            return serde_json::from_slice(&answer.body)
                .map_err(|_| lost(call.not_understood("an answer of another shape")));
        }
        Err(match said(&answer) {
            Some(said) if (400..500).contains(&answer.status) => {
                let error = self.refused(&call, &said);
                let error = error
                    .unwrap_or_else(|| call.error(&answer, Some(said.clone()), host.clock.now()));
                No { code: Some(said.code), error }
            }
            said => lost(call.error(&answer, said, host.clock.now())),
        })
    }

    /// Tokens for what a person did: a code that works once, so it is sent once.
    pub(super) async fn issue(
        &self,
        body: &impl Serialize,
        secrets: &[&str],
        host: &Host,
    ) -> Result<Issued, No> {
        let created: Created = self.ask("/token", body, secrets, Retry::Never, host).await?;
        created.issued(host).ok_or_else(|| {
            let error = self.call("sign in", secrets).not_understood("a token that is none");
            No { code: None, error }
        })
    }

    /// What the browser brought in place of a code, or what the service said, where it is about the
    /// sign-in itself.
    pub(super) fn refused(&self, call: &Call<'_>, said: &Said) -> Option<Error> {
        let session = shown(self.session);
        let message = match said.code.as_str() {
            "access_denied" => format!("the sign-in to SSO `{session}` was declined"),
            "expired_token" => format!("the sign-in to SSO `{session}` took too long"),
            "invalid_grant" => {
                format!("SSO did not take what the sign-in to `{session}` brought")
            }
            "invalid_client" | "unauthorized_client" => {
                format!("SSO does not know what fleetkey signs in to `{session}` with")
            }
            _ => return None,
        };
        Some(self.with_line(Error::sign_in_needed(message).because(call.quote(said))))
    }

    /// The error, with the line with which a person signs in by hand.
    pub(super) fn with_line(&self, error: Error) -> Error {
        match &self.asker.sign_in {
            Some(line) => error.or_next(|| line.clone()),
            None => error,
        }
    }

    /// A question, as an error would put it.
    pub(super) fn call<'b>(&'b self, task: &'b str, secrets: &'b [&'b str]) -> Call<'b> {
        let Self { target, asker, .. } = self;
        Call { service: "SSO", endpoint: &target.endpoint, task, asker, secrets }
    }

    fn request(&self, path: &str, body: &impl Serialize, retry: Retry) -> HttpRequest {
        HttpRequest {
            method: Method::Post,
            endpoint: self.target.endpoint.at(path, &[]),
            headers: vec![("content-type".into(), "application/json".into())],
            // a few texts: nothing that could fail
            body: serde_json::to_vec(body).unwrap_or_default(),
            ca_bundle: self.ca_bundle.clone(),
            retry,
        }
    }
}

fn issued(answer: &HttpResponse, host: &Host) -> Option<Issued> {
    serde_json::from_slice::<Created>(&answer.body).ok()?.issued(host)
}

impl Created {
    fn issued(self, host: &Host) -> Option<Issued> {
        let Self { access_token, expires_in, refresh_token } = self;
        let expires = host.clock.now().as_second().checked_add(expires_in)?;
        let refresh_token = refresh_token.filter(|token| !token.is_empty());
        let expires = Timestamp::from_second(expires).ok()?;
        is_word(&access_token).then_some(Issued { access_token, expires, refresh_token })
    }
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
