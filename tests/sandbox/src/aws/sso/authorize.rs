//! The page of Identity Center where a person signs in, and the way back to the program that sent them.
//!
//! It is a real page: somebody with a browser can pick who to be.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use url::{Url, form_urlencoded};

use super::codes::Asked;
use super::directory::{Client, Portal};
use crate::http::{Request, Response};

/// `GET /authorize`.
pub(super) fn page(portal: &Portal, request: &Request, now: Timestamp) -> Response {
    let find = |name: &str| {
        let mut values = request.parameters().into_iter().filter(|(key, _)| key == name);
        // one of two is anybody's guess
        values.next().filter(|_| values.next().is_none()).map(|(_, value)| value)
    };
    let id = find("client_id").unwrap_or_default();
    let Some(client) = portal.known(&id, now).filter(Client::has_pages) else {
        return error_page("invalid_client");
    };
    let redirect_uri = find("redirect_uri").unwrap_or_default();
    if !client.may_redirect_to(&redirect_uri) {
        return error_page("invalid_redirect_uri");
    }
    let asked = Asked {
        client: id,
        redirect_uri,
        challenge: find("code_challenge").unwrap_or_default(),
        state: find("state"),
    };
    let scopes = find("scopes").unwrap_or_default();
    let digest = URL_SAFE_NO_PAD.decode(&asked.challenge);
    if find("response_type").as_deref() != Some("code") {
        return back(&asked, &[("error", "unsupported_response_type")]);
    }
    if !scopes.split(' ').all(|scope| client.scopes.iter().any(|known| known == scope)) {
        return back(&asked, &[("error", "invalid_scope")]);
    }
    if find("code_challenge_method").as_deref() != Some("S256")
        || !digest.is_ok_and(|digest| digest.len() == 32)
    {
        return back(&asked, &[("error", "invalid_request")]);
    }
    let page = choice(&portal.page(asked), &portal.people());
    Response::new(200, HTML, page)
}

/// `POST /login`: somebody pressed a button on the page.
pub(super) fn sign_in(portal: &Portal, request: &Request, now: Timestamp) -> Response {
    let page = request.parameter("page").unwrap_or_default();
    let Some(asked) = portal.answered(&page) else { return error_page("invalid_request") };
    let Some(user) = request.parameter("username") else {
        let words = "The person said no";
        return back(&asked, &[("error", "access_denied"), ("error_description", words)]);
    };
    let code = portal.code(asked.clone(), &user, now);
    Response { caller: Some(user), ..back(&asked, &[("code", &code)]) }
}

/// The program hears of it.
fn back(asked: &Asked, fields: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(&asked.redirect_uri) else {
        return error_page("invalid_redirect_uri");
    };
    let state = asked.state.iter().map(|state| ("state", state.as_str()));
    url.query_pairs_mut().extend_pairs(fields).extend_pairs(state);
    let headers = vec![("Location".to_owned(), url.to_string())];
    let error = fields.iter().find(|(name, _)| *name == "error");
    let error = error.map(|(_, error)| (*error).to_owned());
    Response { status: 302, headers, error, ..Response::default() }
}

/// The person sees why not, and the program hears nothing.
fn error_page(error: &str) -> Response {
    let page = format!("{HEAD}<h1>This did not work.</h1>\n<p>{error}</p>\n");
    Response { error: Some(error.to_owned()), ..Response::new(400, HTML, page) }
}

fn choice(id: &str, people: &[String]) -> String {
    let mut page = format!(
        "{HEAD}<h1>Allow access to your AWS accounts?</h1>\n<form method=\"POST\" action=\"login\">\n\
         <input type=\"hidden\" name=\"page\" value=\"{id}\"/>\n"
    );
    for person in people {
        let value = person.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let _ = writeln!(page, "<button name=\"username\" value=\"{value}\">{value}</button>");
    }
    page.push_str("<button>Deny</button>\n</form>\n");
    page
}

impl Client {
    /// Whether it was registered for the page.
    fn has_pages(&self) -> bool {
        !self.redirect_uris.is_empty()
    }

    /// A registered address on loopback stands for all its ports (RFC 8252, section 7.3).
    fn may_redirect_to(&self, address: &str) -> bool {
        let Ok(mut url) = Url::parse(address) else { return false };
        let has_port = url.port().is_some();
        // a host that was named cannot lack one, so this does not fail
        has_port
            && url.set_port(None).is_ok()
            && self.redirect_uris.iter().any(|known| *known == url.as_str())
    }
}

/// The form that a browser posts for the button of this person, or for the other one.
pub(super) fn pressed(page: &str, user: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("page", page).extend_pairs(user.map(|user| ("username", user)));
    form.finish()
}

const HTML: &str = "text/html; charset=utf-8";
const HEAD: &str = "<!DOCTYPE html>\n<meta charset=\"utf-8\"/>\n<title>Sign in</title>\n";
