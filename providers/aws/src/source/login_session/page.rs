//! The page on which a person signs in to the console and lets this machine in, and the code that comes
//! of it (RFC 6749, section 4.1; RFC 7636; RFC 8252).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetkey_provider::{
    Error, ExposeSecret, Fingerprint, Host, Kind, Result, SecretString, SignIn, Visit,
};

use super::{
    dpop::uuid,
    oauth::{OAuth, Redeemed},
    session::Session,
};
use crate::errors::Said;

/// What a person brought from a page.
pub(super) struct Brought {
    pub(super) page: Page,
    pub(super) code: SecretString,
}

impl Brought {
    /// As it is redeemed.
    pub(super) fn redeemed(&self) -> Redeemed<'_> {
        let Self { page: Page { client, redirect, verifier, .. }, code } = self;
        Redeemed {
            client_id: client,
            grant_type: "authorization_code",
            code: code.expose_secret(),
            code_verifier: verifier.expose_secret(),
            redirect_uri: redirect,
        }
    }
}

/// Sends a person to the page and waits for their browser.
pub(super) async fn visit(session: &Session, oauth: &OAuth<'_>, host: &Host) -> Result<Brought> {
    let landing = host.person.land(None)?;
    let redirect = format!("http://127.0.0.1:{}{PATH}", landing.port());
    let page = Page::new("arn:aws:signin:::devtools/same-device", redirect, oauth, host)?;
    let visit = Visit {
        url: page.url.clone(),
        path: PATH.into(),
        state: page.state.clone(),
        purpose: format!("sign in to AWS as {}", session.told()),
        how: SignIn::Browser,
        limit: LIMIT,
    };
    let fields = landing.visit(&visit).await.map_err(|error| oauth.with_line(error))?;
    drop(landing); // nothing else is to come, and the port is free again
    page.code(&fields, oauth)
}

/// A page to sign in on, and what only whoever opened it knows.
pub(super) struct Page {
    pub(super) url: String,
    state: String,
    client: &'static str,
    redirect: String,
    verifier: SecretString,
}

impl Page {
    /// For a client that AWS knows by that name, whose page ends there.
    pub(super) fn new(
        client: &'static str,
        redirect: String,
        oauth: &OAuth<'_>,
        host: &Host,
    ) -> Result<Self> {
        let mut verifier = [0; 48];
        host.entropy.fill(&mut verifier)?;
        let verifier = URL_SAFE_NO_PAD.encode(verifier);
        let state = uuid(host)?;
        // SHA-256, as it takes
        let challenge = URL_SAFE_NO_PAD.encode(Fingerprint::of(verifier.as_bytes()).as_bytes());
        let query = [
            ("response_type", "code"),
            ("client_id", client),
            ("state", &state),
            // not by its name in RFC 7636, which AWS does not take
            ("code_challenge_method", "SHA-256"),
            ("scope", "openid"),
            ("redirect_uri", &redirect),
            ("code_challenge", &challenge),
        ];
        let url = oauth.target.endpoint.at("/v1/authorize", &query).as_str().to_owned();
        Ok(Self { url, state, client, redirect, verifier: verifier.into() })
    }

    /// The code in what came back from it.
    pub(super) fn code(self, fields: &[(String, String)], oauth: &OAuth<'_>) -> Result<Brought> {
        let field = |name: &str| {
            fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        if field("state") != Some(&self.state) {
            return Err(oauth.with_line(
                Error::sign_in_needed("what came back is of another sign-in")
                    .because("it does not fit the page that was opened"),
            ));
        }
        let filled = |name| field(name).filter(|text| !text.is_empty());
        if let Some(code) = filled("error") {
            let message = field("error_description").unwrap_or_default().to_owned();
            return Err(refused(&Said { code: code.to_owned(), message }, oauth));
        }
        match filled("code") {
            Some(code) => Ok(Brought { code: code.into(), page: self }),
            None => Err(oauth.with_line(Error::failed("the page came back without a code"))),
        }
    }
}

/// What the page said in place of a code.
fn refused(said: &Said, oauth: &OAuth<'_>) -> Error {
    let who = &oauth.asker.who;
    let (kind, message) = match said.code.as_str() {
        "access_denied" => (Kind::SignInNeeded, format!("the sign-in of {who} was declined")),
        "server_error" | "temporarily_unavailable" => {
            (Kind::Unavailable, "AWS Sign-In is not well and could not sign anybody in".into())
        }
        "invalid_request" | "invalid_scope" | "unsupported_response_type" => {
            (Kind::Config, "AWS Sign-In finds the request to sign in wrong".into())
        }
        _ => (Kind::Refused, "AWS Sign-In signed nobody in".into()),
    };
    let cause = oauth.call("sign in", &[]).quote(said);
    oauth.with_line(Error::new(kind, message).because(cause))
}

/// Where the browser comes back to.
const PATH: &str = "/oauth/callback";
/// How long a person has.
const LIMIT: Duration = Duration::from_mins(5);
