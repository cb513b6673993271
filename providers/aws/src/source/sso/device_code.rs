//! A sign-in with a code that is typed on any device (RFC 8628).
//!
//! It is the one way to sign in that somebody else can start: who types a code that came by mail
//! signs its sender in. So what is told names the session and where people sign in to it, and that the
//! code is for whoever asked for it; and no page is opened that has it filled in.

use std::time::Duration;

use fleetkey_provider::{Error, ExposeSecret, Host, Kind, Result, Retry, SecretString, shown};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    oidc::{Issued, No, Oidc},
    registration::{Flow, Registration},
    session::Session,
};

/// Shows a code, and waits until it was typed.
pub(super) async fn sign_in(
    session: &Session,
    oidc: &Oidc<'_>,
    host: &Host,
) -> Result<(Registration, Issued)> {
    let mut with = session.registration(Flow::Code, oidc, host).await?;
    let mut started = start(session, &with, oidc, host).await;
    if matches!(&started, Err(no) if with.was_kept && no.code.as_deref() == Some("invalid_client"))
    {
        session.forget_registration(host);
        with = session.registration(Flow::Code, oidc, host).await?;
        started = start(session, &with, oidc, host).await;
    }
    let code = started?;
    host.person.tell(&instructions(session, &code));
    host.person.picture(code.filled.as_ref().unwrap_or(&code.page).as_str());

    let body = CreateToken {
        client_id: &with.client_id,
        client_secret: with.secret(),
        grant_type: "urn:ietf:params:oauth:grant-type:device_code",
        device_code: code.secret.expose_secret(),
    };
    let secrets = [with.secret(), code.secret.expose_secret()];
    let span = SignedDuration::try_from(code.life).unwrap_or_default();
    let end = host.clock.now().checked_add(span).unwrap_or_default();
    let mut interval = code.interval;
    let mut lost = 0;
    while host.clock.now().checked_add(interval).is_ok_and(|then| then <= end) {
        host.clock.pause(interval);
        let No { code, error } = match oidc.issue(&body, &secrets, host).await {
            Ok(issued) => return Ok((with, issued)),
            Err(no) => no,
        };
        match code.as_deref() {
            Some("authorization_pending") => lost = 0,
            Some("slow_down") => {
                lost = 0;
                interval += SLOWER;
            }
            Some("expired_token") => break,
            // a code outlives a gap in the network, but not an answer that is always another's
            _ if error.kind() == Kind::Unavailable && lost + 1 < LOST => {
                lost += 1;
                host.notes.note(&format!("asking again: {error}"));
                interval += SLOWER;
            }
            _ => return Err(error),
        }
    }
    let minutes = code.life.as_secs().div_ceil(60);
    let error = Error::sign_in_needed("the code was not typed in time")
        .because(format!("it was good for {minutes} min"));
    Err(oidc.with_line(error))
}

/// A code, and where it is typed.
#[derive(Debug)]
struct DeviceCode {
    secret: SecretString,
    /// What the person types.
    user_code: String,
    /// Where they type it.
    page: Url,
    /// The same with the code filled in.
    filled: Option<Url>,
    /// How long to wait between two questions.
    interval: Duration,
    /// How long the code is good.
    life: Duration,
}

async fn start(
    session: &Session,
    with: &Registration,
    oidc: &Oidc<'_>,
    host: &Host,
) -> Result<DeviceCode, No> {
    let body = Begin {
        client_id: &with.client_id,
        client_secret: with.secret(),
        start_url: &session.known.start_url,
    };
    let secrets = [with.secret()];
    let retry = Retry::Safe(|_| false);
    let started: Started = oidc.ask("/device_authorization", &body, &secrets, retry, host).await?;
    DeviceCode::checked(started, oidc.target.endpoint.is_loopback()).ok_or_else(|| {
        let error = oidc.call("sign in", &secrets).not_understood("a code that is none");
        No { code: None, error }
    })
}

impl DeviceCode {
    /// `None` if it would mislead a person; `here` if the service is this machine.
    fn checked(started: Started, here: bool) -> Option<Self> {
        let Started {
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete,
            expires_in,
            interval,
        } = started;
        let page = |text: &str| {
            let url = Url::parse(text).ok()?;
            let is_page = url.scheme() == "https"
                || (here
                    && url.scheme() == "http"
                    && matches!(url.host_str(), Some("localhost" | "127.0.0.1")));
            let is_plain = url.username().is_empty() && url.password().is_none();
            (is_page && is_plain).then_some(url)
        };
        let is_code = (1..=32).contains(&user_code.len())
            && user_code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_whole = is_code && !device_code.is_empty();
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        Some(Self {
            secret: device_code.into(),
            page: page(&verification_uri).filter(|_| is_whole)?,
            filled: verification_uri_complete.and_then(|uri| page(&uri)),
            user_code,
            interval: seconds(interval.filter(|some| *some > 0).map_or(5, |some| some.min(60))),
            life: seconds(expires_in.map_or(600, |some| some.clamp(1, 900))),
        })
    }
}

fn instructions(session: &Session, code: &DeviceCode) -> String {
    let filled = code.filled.as_ref().map_or_else(String::new, |filled| {
        format!("(or open {}, which has it filled in)\n", shown(filled.as_str()))
    });
    format!(
        "To sign in to {}, open {} and type the code {}\n{filled}\
         It lets fleetkey on this machine act for you in AWS.\n\
         Type it only if it was you who started this, just now.",
        session.told(),
        shown(code.page.as_str()),
        code.user_code,
    )
}

/// What is added to the interval when the service is in no hurry (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// How many answers in a row may go missing.
const LOST: u32 = 3;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Begin<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    start_url: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    /// Seconds, both of them.
    expires_in: Option<i64>,
    interval: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateToken<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'a str,
    device_code: &'a str,
}

#[cfg(test)]
mod tests;
