//! Client assertions: a token that an application signed with its own key, or one that somebody it trusts signed for it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};

use super::app::App;
use super::certificate::Registered;
use super::directory::Directory;
use super::errors::{Refusal, Result};
use super::jwt::Jwt;
use super::scope::Endpoint;
use crate::random;

/// Believes an assertion or says why not. `audiences` are the token endpoint's own addresses.
pub(crate) fn check(
    assertion: &str,
    app: &App,
    audiences: &[String],
    endpoint: Endpoint,
    directory: &Directory,
    now: Timestamp,
) -> Result<()> {
    let token = Jwt::parse(assertion).ok_or_else(|| malformed("not three parts of base64url"))?;
    let own = ["x5t", "x5t#S256", "x5c"].iter().any(|name| !token.header[name].is_null())
        || token.claim("iss").is_some_and(|issuer| issuer.eq_ignore_ascii_case(&app.client_id));
    if !own {
        return federated(assertion, &token, app, directory, now);
    }
    signed(&token, app, endpoint, now)?;
    if !token.claim("aud").is_some_and(|audience| audiences.iter().any(|own| own == audience)) {
        let said = &token.claims["aud"];
        let message =
            format!("Client assertion audience claim does not match Realm issuer. ({said})");
        return Err(Refusal::new(700_023, message));
    }
    for name in ["iss", "sub"] {
        if !token.claim(name).is_some_and(|value| value.eq_ignore_ascii_case(&app.client_id)) {
            return Err(Refusal::new(
                700_021,
                format!(
                    "Client assertion application identifier doesn't match 'client_id' parameter. ({name})"
                ),
            ));
        }
    }
    let (from, until) = times(&token, now)?;
    if until.duration_since(from) > LONGEST {
        return Err(out_of_time(from, until, now));
    }
    let id = token.claim("jti").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| malformed("no jti"))?;
    if !directory.state().assertions.insert(format!("{}/{id}", app.client_id)) {
        return Err(Refusal::new(50013, "Assertion is not valid: its jti was seen before."));
    }
    Ok(())
}

/// Whether a registered certificate made the signature.
fn signed(token: &Jwt<'_>, app: &App, endpoint: Endpoint, now: Timestamp) -> Result<()> {
    let print = |name: &str| match token.header(name) {
        Some(text) => decode(text).map(Some).ok_or_else(|| malformed(name)),
        None if token.header[name].is_null() => Ok(None),
        None => Err(malformed(name)),
    };
    let (sha1, sha256) = (print("x5t")?, print("x5t#S256")?);
    let Some(shown) = sha256.as_ref().or(sha1.as_ref()) else {
        return Err(invalid_signature("The key was not found.", "none"));
    };
    let shown = random::hex(shown).to_ascii_uppercase();
    match (token.header("alg"), endpoint) {
        (Some("RS256"), _) | (Some("PS256"), Endpoint::V2) => {}
        _ => return Err(invalid_signature("The algorithm is not supported.", &shown)),
    }
    if endpoint == Endpoint::V1 && sha1.is_none() {
        return Err(invalid_signature("The key was not found.", &shown));
    }
    let same =
        |print: &Option<Vec<u8>>, own: &[u8]| print.as_ref().is_none_or(|print| print == own);
    let registered = app.certificates.iter().filter_map(|pem| Registered::from_pem(pem));
    let found = registered.into_iter().find(|certificate| {
        same(&sha1, certificate.sha1().as_ref()) && same(&sha256, certificate.sha256().as_ref())
    });
    let certificate = found.ok_or_else(|| invalid_signature("The key was not found.", &shown))?;
    if !token.header["x5c"].is_null() {
        let chain = token.header["x5c"].as_array().ok_or_else(|| malformed("x5c"))?;
        let chain: Option<Vec<Vec<u8>>> =
            chain.iter().map(|one| STANDARD.decode(one.as_str()?).ok()).collect();
        let chain = chain.ok_or_else(|| malformed("x5c"))?;
        if chain.first().is_none_or(|leaf| leaf != certificate.der()) {
            return Err(invalid_signature("The certificate of x5c is another one.", &shown));
        }
    }
    if !certificate.in_time(now) {
        return Err(invalid_signature("The key used is expired.", &shown));
    }
    if !certificate.signed(token) {
        return Err(invalid_signature("The key used did not make it.", &shown));
    }
    Ok(())
}

/// Whether somebody whom the application trusts made the token, about the right subject, for Entra.
fn federated(
    assertion: &str,
    token: &Jwt<'_>,
    app: &App,
    directory: &Directory,
    now: Timestamp,
) -> Result<()> {
    let (Some(issuer), Some(subject)) = (token.claim("iss"), token.claim("sub")) else {
        return Err(malformed("no iss or sub"));
    };
    let for_audience = |wanted: &str| match &token.claims["aud"] {
        serde_json::Value::Array(all) => all.iter().any(|one| one == wanted),
        one => one == wanted,
    };
    if app.federated.is_empty() {
        let message = format!(
            "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion \
             Subject: '{subject}'. Assertion Audience: '{}'.",
            token.claims["aud"]
        );
        return Err(Refusal::new(70021, message));
    }
    let unmatched = |code: u32, what: &str, value: &str| {
        let message = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated \
             identity credential Subject, Audience and Issuer against the presented assertion."
        );
        Err(Refusal::new(code, message))
    };
    let mut left: Vec<_> = app.federated.iter().filter(|known| known.issuer == issuer).collect();
    if left.is_empty() {
        return unmatched(700_211, "issuer", issuer);
    }
    left.retain(|known| known.subject == subject);
    if left.is_empty() {
        return unmatched(700_213, "subject", subject);
    }
    left.retain(|known| for_audience(&known.audience));
    if left.is_empty() {
        return unmatched(700_212, "audience", &token.claims["aud"].to_string());
    }
    if !directory.issuer_signed(issuer, assertion) {
        return Err(Refusal::new(50013, "Assertion failed signature validation."));
    }
    times(token, now).map(|_| ())
}

/// Since and until when a token is good. Without a beginning it begins when it was issued; five minutes of a fast clock are
/// forgiven there, and none at the end.
fn times(token: &Jwt<'_>, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
    let moment = |name: &str| token.moment(name).and_then(|at| Timestamp::from_second(at).ok());
    let (Some(from), Some(until)) = (moment("nbf").or_else(|| moment("iat")), moment("exp")) else {
        return Err(malformed("nbf and exp"));
    };
    if until <= now || from.duration_since(now) > FAST {
        return Err(out_of_time(from, until, now));
    }
    Ok((from, until))
}

fn out_of_time(from: Timestamp, until: Timestamp, now: Timestamp) -> Refusal {
    Refusal::new(
        700_024,
        format!(
            "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry \
             time of assertion {until}."
        ),
    )
}

fn invalid_signature(reason: &str, thumbprint: &str) -> Refusal {
    Refusal::new(
        700_027,
        format!(
            "Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key used by client: \
             '{thumbprint}']"
        ),
    )
}

fn malformed(what: &str) -> Refusal {
    Refusal::new(50027, format!("JWT token is invalid or malformed. ({what})"))
}

/// Base64 of either alphabet, padded or not: MSAL for Go pads thumbprints and uses the older alphabet.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(text).ok()
}

const FAST: SignedDuration = SignedDuration::from_mins(5);
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
