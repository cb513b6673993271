//! The page on which a person signs in, and the code their browser brings back (RFC 6749, section
//! 4.1; RFC 7636; RFC 8252).

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetkey_provider::{Error, ExposeSecret, Host, Result, Retry, SecretString};

use super::{Client, Endpoints, Form, Purpose, Tokens, Version, client::people_scope, request_id};
use crate::{claims, errors::Said};

/// A page to sign in on, and what only whoever opened it knows.
#[derive(Debug)]
pub(crate) struct Authorization {
    /// The page.
    pub(crate) url: String,
    /// What the browser has to bring back.
    pub(crate) state: String,
    /// By which Entra's log has what happens on the page.
    request_id: String,
    redirect: String,
    verifier: SecretString,
    nonce: String,
    challenge: Option<String>,
}

/// What stands in the page's address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// Where the browser comes back to.
    pub(crate) port: u16,
    /// Who is expected to sign in.
    pub(crate) hint: Option<&'a str>,
    /// What they have to be asked beside the usual.
    pub(crate) claims: Option<&'a str>,
}

impl Client {
    /// The page for a person to sign in on.
    pub(crate) fn authorization(
        &self,
        endpoints: &Endpoints,
        Page { port, hint, claims }: Page<'_>,
        purpose: Purpose<'_>,
        host: &Host,
    ) -> Result<Authorization> {
        let Some(endpoint) = &endpoints.authorize else {
            return Err(Error::config("this authority has no page to sign in on")
                .because("it names no `authorization_endpoint`"));
        };
        let [verifier, state, nonce] = [random(host)?, random(host)?, random(host)?];
        let request_id = request_id(host)?;
        host.notes.note(&format!("a page to sign in on (request id {request_id})"));
        // Entra and RFC 8252 leave the port of `http://localhost` open, and nothing else of it
        let redirect = format!("http://localhost:{port}");
        let proof = digest::digest(&digest::SHA256, verifier.as_bytes());
        let form = Form::default()
            .with("client_id", &self.id)
            .with("response_type", "code")
            .with("redirect_uri", &redirect)
            .with("response_mode", "form_post") // a code in an address would stay in the history
            .with("state", &state)
            .with("nonce", &nonce)
            .with("code_challenge", URL_SAFE_NO_PAD.encode(proof))
            .with("code_challenge_method", "S256")
            .with("client-request-id", &request_id) // a page takes it from its address
            .maybe("claims", claims);
        let form = match self.version {
            Version::V1 => form.with("resource", purpose.wanted.server.resource()),
            Version::V2 => form.with("scope", people_scope(purpose.wanted)),
        };
        let form = match hint {
            Some(hint) => form.with("login_hint", hint),
            None => form.with("prompt", "select_account"),
        };
        let url = endpoint.with_query(&form.pairs().collect::<Vec<_>>()).as_str().to_owned();
        let challenge = claims.map(str::to_owned);
        let verifier = verifier.into();
        Ok(Authorization { url, state, request_id, redirect, verifier, nonce, challenge })
    }

    /// Redeems what the browser brought back.
    pub(crate) async fn redeem_authorization(
        &self,
        endpoints: &Endpoints,
        authorization: &Authorization,
        brought: &[(String, String)],
        purpose: Purpose<'_>,
        host: &Host,
    ) -> Result<Tokens> {
        let Authorization { url: _, state, request_id, redirect, verifier, nonce, challenge } =
            authorization;
        let field = |name: &str| {
            brought.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        if field("state") != Some(state) {
            return Err(Error::failed("the browser came back from another sign-in")
                .because("what it brought does not fit the page that was opened"));
        }
        if let Some(said) = Said::brought(brought) {
            let form = Form::default();
            return Err(self.call(purpose, &form, request_id).refused(&said, host.clock.now()));
        }
        let Some(code) = field("code").filter(|code| !code.is_empty()) else {
            return Err(Error::failed("the browser came back without a code"));
        };
        let form = Form::grant("authorization_code")
            .with("code", code)
            .with("code_verifier", verifier.expose_secret())
            .with("redirect_uri", redirect)
            .maybe("claims", challenge.as_deref());
        let tokens = self.redeem(endpoints, form, purpose, Retry::Never, host).await?;
        let id_token =
            tokens.id_token.as_ref().and_then(|token| claims::payload(token.expose_secret()));
        match id_token.as_ref().and_then(|payload| payload.get("nonce")) {
            Some(came) if came != nonce.as_str() => {
                Err(Error::failed("the answer is one to another sign-in")
                    .because("its `nonce` is not the one that was sent"))
            }
            _ => Ok(tokens),
        }
    }
}

/// 256 bits of chance, as a word.
fn random(host: &Host) -> Result<String> {
    let mut bytes = [0; 32];
    host.entropy.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
