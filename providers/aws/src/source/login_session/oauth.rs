//! AWS Sign-In on the wire: `CreateOAuth2Token`, and what its refusals mean.
//!
//! It renews a session, with a refresh token that works once, and makes one, of the code that a person
//! brings from its page. Each request shows a proof ([`dpop`](super::dpop)). Its errors name an
//! exception and, in the body, OAuth's word for it, which says more.

use std::path::PathBuf;

use fleetkey_provider::{
    Endpoint, Error, ExposeSecret, Host, HttpRequest, HttpResponse, Kind, Method, Result, Retry,
    SecretString,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{dpop::Key, token_file::Grant};
use crate::{
    clock::Offset,
    endpoints::Target,
    errors::{Asker, Call, Said, rest_json},
    keys::{Keys, end_of_lent},
};

/// Where sessions are renewed and signed in to, and on whose behalf.
pub(super) struct OAuth<'a> {
    pub(super) target: &'a Target,
    pub(super) ca_bundle: Option<PathBuf>,
    pub(super) asker: &'a Asker,
}

/// What was issued.
pub(super) struct Issued {
    pub(super) keys: Keys,
    pub(super) expires: Timestamp,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) token_type: Option<String>,
    /// Who signed in: only of a sign-in.
    pub(super) id_token: Option<String>,
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

/// What a page brings, as it is redeemed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Redeemed<'a> {
    pub(super) client_id: &'a str,
    pub(super) grant_type: &'a str,
    pub(super) code: &'a str,
    pub(super) code_verifier: &'a str,
    pub(super) redirect_uri: &'a str,
}

impl OAuth<'_> {
    /// The question with which a session is renewed. What may fail does so here, before anything is
    /// said to be redeemed.
    pub(super) fn renewal(&self, grant: &Grant, host: &Host) -> Result<HttpRequest> {
        let Grant { refresh_token, client_id, key } = grant;
        let body = Renew {
            client_id,
            refresh_token: refresh_token.expose_secret(),
            grant_type: "refresh_token",
        };
        self.request(&body, key, Retry::Redemption, host)
    }

    /// Redeems the refresh token. To be sent once, and while nobody else can.
    pub(super) async fn redeem(
        &self,
        renewal: &HttpRequest,
        grant: &Grant,
        host: &Host,
    ) -> Result<Issued, Failure> {
        let secrets = [grant.refresh_token.expose_secret()];
        let call = self.call("renew the sign-in", &secrets);
        let answer = host.http.send(renewal).await.map_err(|error| {
            // only a network loses answers; whatever else fails does so before anything is sent
            let may_be_used = error.kind() == Kind::Unavailable && !error.is_unsent();
            if may_be_used { Failure::Lost(error) } else { Failure::Unused(error) }
        })?;
        if answer.status == 200 {
            return issued(&answer, host).map_err(|flaw| Failure::Lost(call.not_understood(&flaw)));
        }
        let said = said(&answer);
        // a gateway that waited in vain does not know what came of it; the service itself does, and
        // 503 says that nothing was done (RFC 9110, section 15.6.4)
        let lost = answer.status >= 500 && answer.status != 503 && said.is_none();
        let error = refused(&call, &answer, said, host);
        Err(match error.kind() {
            _ if lost || answer.is_success() => Failure::Lost(error),
            Kind::SignInNeeded => Failure::Dead(error),
            _ => Failure::Unused(error),
        })
    }

    /// Keys for what a person did on a page: a code that works once, so it is sent once.
    pub(super) async fn issue(
        &self,
        brought: &Redeemed<'_>,
        key: &Key,
        host: &Host,
    ) -> Result<Issued> {
        let secrets = [brought.code, brought.code_verifier];
        let call = self.call("sign in", &secrets);
        let answer = host.http.send(&self.request(brought, key, Retry::Never, host)?).await?;
        if answer.status == 200 {
            return issued(&answer, host).map_err(|flaw| call.not_understood(&flaw));
        }
        let said = said(&answer);
        let is_invalid = said.as_ref().is_some_and(|said| said.code == "INVALID_REQUEST");
        let error = refused(&call, &answer, said, host);
        if is_invalid && error.kind() == Kind::SignInNeeded {
            let what = format!("AWS did not take what the sign-in of {} brought", self.asker.who);
            let error = Error::sign_in_needed(what).because(error.cause().unwrap_or_default());
            return Err(self.with_line(error));
        }
        Err(error)
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
        Call { service: "AWS Sign-In", endpoint: &target.endpoint, task, asker, secrets }
    }

    fn request(
        &self,
        body: &impl Serialize,
        key: &Key,
        retry: Retry,
        host: &Host,
    ) -> Result<HttpRequest> {
        let endpoint: Endpoint = self.target.endpoint.at("/v1/token", &[]);
        let proof = key.proof(&endpoint, host)?;
        Ok(HttpRequest {
            method: Method::Post,
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("dpop".into(), proof),
            ],
            // a few texts: nothing that could fail
            body: serde_json::to_vec(body).unwrap_or_default(),
            ca_bundle: self.ca_bundle.clone(),
            retry,
            endpoint,
        })
    }
}

/// A proof is for one moment, so one of a wrong clock is refused as a grant that is none.
fn refused(call: &Call<'_>, answer: &HttpResponse, said: Option<Said>, host: &Host) -> Error {
    let now = host.clock.now();
    let is_invalid = said.as_ref().is_some_and(|said| said.code == "INVALID_REQUEST");
    let clock = is_invalid.then(|| call.clock(answer, now, false)).flatten();
    clock.unwrap_or_else(|| call.error(answer, said, now))
}

/// What an answer brings, or what is wrong with it.
fn issued(answer: &HttpResponse, host: &Host) -> Result<Issued, String> {
    let shape = || "an answer of another shape".to_owned();
    let created: Created = serde_json::from_slice(&answer.body).map_err(|_| shape())?;
    let Created { access_token, token_type, expires_in, refresh_token, id_token } = created;
    let Lent { access_key_id, secret_access_key, session_token } = access_token;
    let keys = Keys::checked(access_key_id, secret_access_key, Some(session_token))
        .map_err(|flaw| flaw.to_string())?;
    let now = host.clock.now().as_second();
    let expires = now.checked_add(expires_in).and_then(|end| Timestamp::from_second(end).ok());
    let expires = expires.ok_or_else(shape)?;
    let expires = end_of_lent(expires, "AWS Sign-In", Offset::default(), host);
    let refresh_token = refresh_token.filter(|token| !token.is_empty()).map(SecretString::from);
    Ok(Issued { keys, expires, refresh_token, token_type, id_token })
}

/// OAuth's word, which stands beside the message, or else the exception.
fn said(answer: &HttpResponse) -> Option<Said> {
    if answer.status == 429 {
        return None; // whatever it says, it is that
    }
    let (exception, message) = rest_json::code_and_message(answer)?;
    let word = serde_json::from_slice::<Refused>(&answer.body).ok().and_then(|said| said.error);
    Some(Said { code: word.filter(|word| !word.is_empty()).or(exception)?, message })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Renew<'a> {
    client_id: &'a str,
    refresh_token: &'a str,
    grant_type: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    access_token: Lent,
    token_type: Option<String>,
    /// Seconds.
    expires_in: i64,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lent {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
}

#[derive(Deserialize)]
struct Refused {
    error: Option<String>,
}
