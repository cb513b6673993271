//! The page where a person signs in, and the way back to the program that sent them.
//!
//! It is a real page: somebody with a browser can pick who to be.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::client_auth;
use super::directory::Directory;
use super::errors::{Refusal, Result};
use super::form::Form;
use super::grants;
use super::scope::Wanted;
use super::tenancy::Tenancy;
use super::token_endpoint::client_info;
use crate::http::{Request, Response};
use crate::random;

/// What a program wants of a person.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) tenancy: Tenancy,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) wanted: Wanted,
    claims: Option<Value>,
    client_info: bool,
    back: Back,
}

/// The way back, which exists before the rest is known to be right.
#[derive(Clone, Debug)]
struct Back {
    redirect_uri: String,
    state: Option<String>,
    form_post: bool,
}

/// `GET /TENANT/oauth2/v2.0/authorize`.
pub(crate) fn page(
    directory: &Directory,
    path: &str,
    request: &Request,
    now: Timestamp,
) -> Response {
    let started = || {
        if request.method != "GET" {
            return Err(Refusal::malformed("only GET is spoken here"));
        }
        let form = Form::query(request)?;
        let tenancy = Tenancy::parse(path, &directory.state())?;
        let app = client_auth::identify(directory, &form, &tenancy)?;
        let redirect_uri = form.find("redirect_uri").ok_or_else(|| {
            Refusal::new(500_113, "No reply address is registered for the application.")
        })?;
        if !app.may_redirect_to(redirect_uri) {
            return Err(Refusal::new(
                50011,
                format!(
                    "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured \
                     for the application '{}'.",
                    app.client_id
                ),
            ));
        }
        let form_post = match form.find("response_mode") {
            None | Some("query") => false,
            Some("form_post") => true,
            Some(_) => return Err(Refusal::malformed("response_mode")),
        };
        let redirect_uri = redirect_uri.to_owned();
        let back = Back { redirect_uri, state: form.find("state").map(str::to_owned), form_post };
        Ok((form, tenancy, app.client_id, back))
    };
    let (form, tenancy, client_id, back) = match started() {
        Ok(started) => started,
        Err(refusal) => return error_page(&refusal),
    };
    match asked(directory, &form, tenancy, client_id, &back) {
        Ok(asked) => {
            let hint = form.find("login_hint").unwrap_or_default();
            let id = random::uuid();
            let mut state = directory.state();
            let people = state.people();
            state.pages.insert(id.clone(), asked);
            drop(state);
            Response::new(200, HTML, choice(path, &id, &people, hint))
        }
        Err(refusal) => refused(&back, &refusal, now),
    }
}

/// The rest of the request, whose mistakes the program hears of.
fn asked(
    directory: &Directory,
    form: &Form,
    tenancy: Tenancy,
    client_id: String,
    back: &Back,
) -> Result<Asked> {
    if form.need("response_type")? != "code" {
        return Err(Refusal::malformed("response_type").with_error("unsupported_response_type"));
    }
    let wanted = Wanted::scope(Some(form.need("scope")?))?;
    let resource = wanted.required()?;
    grants::known(directory, &tenancy, resource)?;
    grants::consented(&client_id, resource)?;
    let challenge = form.find("code_challenge").ok_or_else(|| {
        Refusal::new(
            9_002_325,
            "Proof Key for Code Exchange is required for authorization code redemption.",
        )
    })?;
    if form.find("code_challenge_method") != Some("S256") {
        return Err(Refusal::malformed("code_challenge_method"));
    }
    if !URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|digest| digest.len() == 32) {
        return Err(Refusal::new(501_491, "Invalid size of Code_Challenge parameter."));
    }
    match form.find("prompt") {
        None | Some("login" | "select_account" | "consent") => {}
        Some("none") => {
            let message = "Session information is not sufficient for single-sign-on.";
            return Err(Refusal::new(50058, message).with_error("login_required"));
        }
        Some(_) => return Err(Refusal::malformed("prompt")),
    }
    Ok(Asked {
        tenancy,
        client_id,
        redirect_uri: back.redirect_uri.clone(),
        challenge: challenge.to_owned(),
        wanted,
        claims: form.claims()?,
        client_info: form.find("client_info") == Some("1"),
        back: back.clone(),
    })
}

/// `POST /TENANT/login`: somebody pressed a button on the page.
pub(crate) fn sign_in(directory: &Directory, request: &Request, now: Timestamp) -> Response {
    let answered = || {
        let form = Form::posted(request)?;
        let page = form.need("page")?;
        let asked = directory.state().pages.remove(page);
        let asked = asked.ok_or_else(|| Refusal::malformed("this page has been answered"))?;
        let Some(username) = form.find("username") else {
            let message = "User declined to consent to access the app.";
            return Ok(refused(
                &asked.back,
                &Refusal::new(65004, message).with_error("access_denied"),
                now,
            ));
        };
        let person = directory.state().person(username).ok_or_else(|| {
            Refusal::new(
                50034,
                format!("The user account {username} does not exist in this directory."),
            )
        })?;
        asked.tenancy.of(&person, &asked.client_id)?;
        let username = &person.username;
        let mut fields = Vec::new();
        if asked.client_info {
            fields.push(("client_info", client_info(directory, username)));
        }
        let back = asked.back.clone();
        let mut state = directory.state();
        state.signed_in(username, asked.claims.as_ref());
        fields.insert(0, ("code", state.codes.issue(asked, username, now)));
        drop(state);
        let response = back.with(fields);
        Ok(Response { caller: Some(username.clone()), ..response })
    };
    answered().unwrap_or_else(|refusal| error_page(&refusal))
}

impl Back {
    fn with(&self, mut fields: Vec<(&str, String)>) -> Response {
        fields.extend(self.state.clone().map(|state| ("state", state)));
        fields.push(("session_state", random::uuid()));
        if self.form_post {
            return Response::new(200, HTML, posting(&self.redirect_uri, &fields));
        }
        let location = Url::parse(&self.redirect_uri).map(|mut url| {
            url.query_pairs_mut().extend_pairs(&fields);
            url.to_string()
        });
        let location = location.unwrap_or_else(|_| {
            let query =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            format!("{}?{query}", self.redirect_uri)
        });
        let headers = vec![("Location".to_owned(), location)];
        Response { status: 302, headers, ..Response::default() }
    }
}

/// The program hears why not.
fn refused(back: &Back, refusal: &Refusal, now: Timestamp) -> Response {
    let body = refusal.body(&random::uuid(), &random::uuid(), now);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let mut fields = vec![("error", text("error"))];
    if refusal.error == "access_denied" {
        fields.push(("error_subcode", "cancel".to_owned()));
    }
    fields.push(("error_description", text("error_description")));
    fields.push(("error_uri", text("error_uri")));
    Response { error: Some(format!("AADSTS{}", refusal.code)), ..back.with(fields) }
}

/// The person sees why not, and the program hears nothing.
fn error_page(refusal: &Refusal) -> Response {
    let text = escape(&refusal.text());
    let page =
        format!("{HEAD}<h1>Sorry, but we're having trouble signing you in.</h1>\n<p>{text}</p>\n");
    Response { error: Some(format!("AADSTS{}", refusal.code)), ..Response::new(400, HTML, page) }
}

fn choice(path: &str, id: &str, people: &[String], hint: &str) -> String {
    let (path, hint) = (escape(path), escape(hint));
    let mut page = format!(
        "{HEAD}<h1>Sign in</h1>\n<p>{hint}</p>\n<form method=\"POST\" action=\"/{path}/login\">\n\
         <input type=\"hidden\" name=\"page\" value=\"{id}\"/>\n"
    );
    for person in people {
        let person = escape(person);
        let _ = writeln!(page, "<button name=\"username\" value=\"{person}\">{person}</button>");
    }
    page.push_str("<button>Cancel</button>\n</form>\n");
    page
}

/// A page that posts itself: `response_mode=form_post`.
fn posting(to: &str, fields: &[(&str, String)]) -> String {
    let mut page = format!(
        "{HEAD}<body onload=\"document.forms[0].submit()\">\n<form method=\"POST\" action=\"{}\">\n",
        escape(to)
    );
    for (name, value) in fields {
        let value = escape(value);
        let _ = writeln!(page, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\"/>");
    }
    page.push_str("<input type=\"submit\" value=\"Continue\"/>\n</form>\n");
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const HTML: &str = "text/html; charset=utf-8";
const HEAD: &str = "<!DOCTYPE html>\n<meta charset=\"utf-8\"/>\n<title>Sign in</title>\n";
