//! The page where a person picks who to be, and lets a program in that runs here or elsewhere.
//!
//! It is a real page: somebody with a browser can press its buttons.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use url::{Url, form_urlencoded};

use super::directory::Asked;
use super::{CONFIRMATION, CROSS_DEVICE, SAME_DEVICE};
use crate::http::{Request, Response};
use crate::world::World;

/// `GET /v1/authorize`.
pub(super) fn page(request: &Request, world: &World) -> Response {
    let find = |name: &str| {
        let mut values = request.parameters().into_iter().filter(|(key, _)| key == name);
        // one of two is anybody's guess
        values.next().filter(|_| values.next().is_none()).map(|(_, value)| value)
    };
    let text = |name| find(name).unwrap_or_default();
    let (client, redirect_uri) = (text("client_id"), text("redirect_uri"));
    if !may_redirect(&client, &redirect_uri, request) {
        return error_page("client_id and redirect_uri do not go together");
    }
    let digest = URL_SAFE_NO_PAD.decode(text("code_challenge"));
    let wrong = if text("response_type") != "code" {
        "response_type"
    } else if text("scope") != "openid" {
        "scope"
    } else if text("code_challenge_method") != "SHA-256" {
        // the service's own name for it; that of RFC 7636 it does not know
        "code_challenge_method"
    } else if !digest.is_ok_and(|digest| digest.len() == 32) {
        "code_challenge"
    } else if text("state").is_empty() {
        "state"
    } else {
        let (challenge, state) = (text("code_challenge"), text("state"));
        let id = world.signin.page(Asked { client, redirect_uri, challenge, state });
        return Response::new(200, HTML, choice(&id, world));
    };
    error_page(wrong)
}

/// `POST /v1/login`: somebody pressed a button on the page.
pub(super) fn sign_in(request: &Request, world: &World) -> Response {
    let page = request.parameter("page").unwrap_or_default();
    let Some(asked) = world.signin.answered(&page) else { return error_page("no such page") };
    let user = request.parameter("user").and_then(|arn| world.accounts.user_of(&arn));
    let Some(user) = user else {
        return back(&asked, ("error", "access_denied"));
    };
    let arn = user.arn.clone();
    let code = world.signin.code(asked.clone(), user, world.clock.now());
    Response { caller: Some(arn), ..back(&asked, ("code", &code)) }
}

/// `GET /v1/sessions/confirmation`: shows what is to be typed elsewhere.
pub(super) fn confirmation(request: &Request) -> Response {
    let code = STANDARD.encode(request.query());
    Response::new(200, HTML, format!("{HEAD}<h1>Type this there</h1>\n<code>{code}</code>\n"))
}

/// The form that a browser posts for the button of this person, or for the other one.
pub(super) fn pressed(page: &str, arn: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("page", page).extend_pairs(arn.map(|arn| ("user", arn)));
    form.finish()
}

/// A program on this machine is sent back to where it listens, on any port; one elsewhere to a page of the service.
fn may_redirect(client: &str, uri: &str, request: &Request) -> bool {
    let Ok(mut url) = Url::parse(uri) else { return false };
    match client {
        SAME_DEVICE => {
            let has_port = url.port().is_some();
            has_port && url.set_port(None).is_ok() && url.as_str() == LANDING
        }
        CROSS_DEVICE => {
            let host = request.header("host").unwrap_or_default();
            uri == format!("https://{host}{CONFIRMATION}")
        }
        _ => false,
    }
}

/// The program hears of it.
fn back(asked: &Asked, field: (&str, &str)) -> Response {
    let Ok(mut url) = Url::parse(&asked.redirect_uri) else { return error_page("redirect_uri") };
    url.query_pairs_mut().extend_pairs([("state", &*asked.state), field]);
    let headers = vec![("Location".to_owned(), url.to_string())];
    let error = (field.0 == "error").then(|| field.1.to_owned());
    Response { status: 302, headers, error, ..Response::default() }
}

/// The person sees why not, and the program hears nothing.
fn error_page(error: &str) -> Response {
    let page = format!("{HEAD}<h1>This did not work.</h1>\n<p>{error}</p>\n");
    Response { error: Some(error.to_owned()), ..Response::new(400, HTML, page) }
}

fn choice(id: &str, world: &World) -> String {
    let mut page = format!(
        "{HEAD}<h1>Let a program in as whom?</h1>\n<form method=\"POST\" action=\"login\">\n\
         <input type=\"hidden\" name=\"page\" value=\"{id}\"/>\n"
    );
    for user in world.accounts.users() {
        let arn = user.arn.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let _ = writeln!(page, "<button name=\"user\" value=\"{arn}\">{arn}</button>");
    }
    page.push_str("<button>Deny</button>\n</form>\n");
    page
}

const LANDING: &str = "http://127.0.0.1/oauth/callback";
const HTML: &str = "text/html; charset=utf-8";
const HEAD: &str = "<!DOCTYPE html>\n<meta charset=\"utf-8\"/>\n<title>Sign in</title>\n";
