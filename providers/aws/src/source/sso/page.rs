//! The page on which a person signs in, and the code that their browser brings back (RFC 6749, section
//! 4.1; RFC 7636; RFC 8252).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetkey_provider::{
    Error, ExposeSecret, Fingerprint, Host, Kind, Result, SecretString, SignIn, Visit, shown,
};
use serde::Serialize;
use url::Url;

use super::{
    oidc::{Issued, Oidc},
    registration::{Flow, Registration},
    session::Session,
};
use crate::errors::Said;

/// Sends a person to the page, waits for their browser, and redeems what it brings.
pub(super) async fn sign_in(
    session: &Session,
    oidc: &Oidc<'_>,
    host: &Host,
) -> Result<(Registration, Issued)> {
    let landing = host.person.land(None)?;
    let with = session.registration(Flow::Page, oidc, host).await?;
    let page = Page::new(session, &with, oidc, landing.port(), host)?;
    let visit = Visit {
        url: page.url.clone(),
        path: PATH.into(),
        state: page.state.clone(),
        purpose: format!("sign in to {}", session.told()),
        how: SignIn::Browser,
        limit: LIMIT,
    };
    let brought = landing.visit(&visit).await.map_err(|error| {
        let error = if with.was_kept && error.kind() == Kind::SignInNeeded {
            unknown_client(error, session)
        } else {
            error
        };
        oidc.with_line(error)
    })?;
    drop(landing); // nothing else is to come, and the port is free again
    let is = |name: &str, value: &str| brought.iter().any(|(n, v)| n == name && v == value);
    if is("state", &page.state) && is("error", "invalid_client") {
        session.forget_registration(host);
    }
    let code = page.code(&brought, session, oidc)?;
    let body = CreateToken {
        client_id: &with.client_id,
        client_secret: with.secret(),
        grant_type: "authorization_code",
        code: code.expose_secret(),
        redirect_uri: &page.redirect,
        code_verifier: page.verifier.expose_secret(),
    };
    let secrets = [with.secret(), code.expose_secret(), page.verifier.expose_secret()];
    match oidc.issue(&body, &secrets, host).await {
        Ok(issued) => Ok((with, issued)),
        Err(no) => {
            if no.code.as_deref() == Some("invalid_client") {
                session.forget_registration(host);
            }
            Err(no.error)
        }
    }
}

/// Nobody came back: they walked away, or the page did not know what fleetkey signs in with, which shows
/// there and nowhere else.
fn unknown_client(error: Error, session: &Session) -> Error {
    let file = session.registration_file();
    let hint = format!(
        "if the page said that the client is not known, remove `{}`, which is registered anew then",
        shown(&file.to_string_lossy())
    );
    let cause = match error.cause() {
        Some(cause) => format!("{cause}; {hint}"),
        None => hint,
    };
    error.because(cause)
}

/// A page to sign in on, and what only whoever opened it knows.
struct Page {
    url: String,
    state: String,
    redirect: String,
    verifier: SecretString,
}

impl Page {
    fn new(
        session: &Session,
        with: &Registration,
        oidc: &Oidc<'_>,
        port: u16,
        host: &Host,
    ) -> Result<Self> {
        // 64 and 43 letters
        let (verifier, state) = (random::<48>(host)?, random::<32>(host)?);
        let redirect = format!("http://127.0.0.1:{port}{PATH}");
        // SHA-256, as it takes
        let challenge = URL_SAFE_NO_PAD.encode(Fingerprint::of(verifier.as_bytes()).as_bytes());
        let scopes = session.known.scopes().join(" ");
        let query = [
            ("response_type", "code"),
            ("client_id", &with.client_id),
            ("redirect_uri", &redirect),
            ("state", &state),
            ("code_challenge_method", "S256"),
            ("scopes", &scopes),
            ("code_challenge", &challenge),
        ];
        let mut url = oidc.target.endpoint.at("/authorize", &query).url().clone();
        // a blank, however the other end reads a query
        let query = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(query.as_deref());
        Ok(Self { url: url.into(), state, redirect, verifier: verifier.into() })
    }

    /// The code that a browser brought back.
    fn code(
        &self,
        brought: &[(String, String)],
        session: &Session,
        oidc: &Oidc<'_>,
    ) -> Result<SecretString> {
        let field = |name: &str| {
            brought.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        let strange = |why: String| {
            Err(Error::failed("the browser came back from another sign-in").because(why))
        };
        if field("state") != Some(&self.state) {
            return strange("what it brought does not fit the page that was opened".into());
        }
        if let Some(issuer) = field("iss")
            && !is_issuer(issuer, session, oidc)
        {
            return strange(format!("it was answered by {}", shown(issuer)));
        }
        let filled = |name| field(name).filter(|text| !text.is_empty());
        if let Some(code) = filled("error") {
            let message = field("error_description").unwrap_or_default().to_owned();
            return Err(refused(&Said { code: code.to_owned(), message }, oidc));
        }
        match filled("code") {
            Some(code) => Ok(code.into()),
            None => Err(oidc.with_line(Error::failed("the browser came back without a code"))),
        }
    }
}

/// Whether that is who was asked (RFC 9207): the portal or its service, under one of their names.
fn is_issuer(issuer: &str, session: &Session, oidc: &Oidc<'_>) -> bool {
    let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let Some(issuer) = host(issuer) else { return false };
    let known = &session.known;
    let suffix = known.region.partition().dns_suffix;
    [host(&known.start_url), host(oidc.target.endpoint.as_str())].contains(&Some(issuer.clone()))
        || issuer == format!("identitycenter.{suffix}")
}

/// What the page said in place of a code.
fn refused(said: &Said, oidc: &Oidc<'_>) -> Error {
    let call = oidc.call("sign in", &[]);
    if let Some(error) = oidc.refused(&call, said) {
        return error;
    }
    let (kind, message) = match said.code.as_str() {
        "server_error" | "temporarily_unavailable" => {
            (Kind::Unavailable, "SSO is not well and could not sign anybody in")
        }
        "invalid_scope" => (Kind::Config, "SSO does not give what the sign-in asks for"),
        "invalid_request" | "unsupported_response_type" => {
            (Kind::Config, "SSO finds the request to sign in wrong")
        }
        _ => (Kind::Refused, "SSO signed nobody in"),
    };
    oidc.with_line(Error::new(kind, message).because(call.quote(said)))
}

/// So many bytes of chance, as a word.
fn random<const N: usize>(host: &Host) -> Result<String> {
    let mut bytes = [0; N];
    host.entropy.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Where the browser comes back to.
const PATH: &str = "/oauth/callback";
/// How long a person has.
const LIMIT: Duration = Duration::from_mins(5);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateToken<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'a str,
    code: &'a str,
    redirect_uri: &'a str,
    code_verifier: &'a str,
}

#[cfg(test)]
mod tests;
