use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use url::{Url, form_urlencoded};

use crate::{Route, Sandbox};

const START_URL: &str = "https://sandbox.awsapps.com/start";
const VERIFIER: &str = "0123456789-._~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Status and body of a POST of JSON.
fn post(sandbox: &Sandbox, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("content-type", "application/json")];
    let url = format!("{}{path}", sandbox.sso_oidc_url());
    let body = body.to_string();
    let reply = sandbox.client().unwrap().send("POST", &url, &headers, body.as_bytes()).unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

fn stage() -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.grant_sso("carol", "444455556666", "Developer");
    sandbox
}

fn registration() -> Value {
    json!({
        "clientName": "program", "clientType": "public", "scopes": ["sso:account:access"],
        "grantTypes": ["authorization_code", "refresh_token"],
        "redirectUris": ["http://127.0.0.1/oauth/callback"], "issuerUrl": START_URL,
    })
}

fn registered(sandbox: &Sandbox) -> Value {
    let (status, client) = post(sandbox, "/client/register", &registration());
    assert_eq!(status, 200, "{client}");
    client
}

/// The page's address; `change` has the last word.
fn page(sandbox: &Sandbox, client: &Value, port: u16, change: &[(&str, &str)]) -> String {
    let made = digest::digest(&digest::SHA256, VERIFIER.as_bytes());
    let mut pairs = vec![
        ("response_type", "code".to_owned()),
        ("client_id", client["clientId"].as_str().unwrap().to_owned()),
        ("redirect_uri", format!("http://127.0.0.1:{port}/oauth/callback")),
        ("state", "a state".to_owned()),
        ("code_challenge_method", "S256".to_owned()),
        ("scopes", "sso:account:access".to_owned()),
        ("code_challenge", URL_SAFE_NO_PAD.encode(made)),
    ];
    for (name, value) in change {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, (*value).to_owned()));
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{}/authorize?{query}", sandbox.sso_oidc_url())
}

/// What a program is told for a page on which this person, or one who says no, pressed a button.
fn told(
    sandbox: &Sandbox,
    client: &Value,
    user: Option<&str>,
    change: &[(&str, &str)],
) -> (u16, Vec<(String, String)>) {
    let program = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = program.local_addr().unwrap().port();
    let url = page(sandbox, client, port, change);
    std::thread::scope(|scope| {
        let browser = scope.spawn(|| match user {
            Some(user) => sandbox.sso_browse(&url, user).unwrap(),
            None => sandbox.sso_browse_declines(&url).unwrap(),
        });
        let (mut stream, _) = program.accept().unwrap();
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        drop(stream);
        let landed = browser.join().unwrap();
        assert_eq!((landed.status, landed.body.as_str()), (200, "ok"));
        let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let target = head.split(' ').nth(1).unwrap();
        let url = Url::parse("http://127.0.0.1").unwrap().join(target).unwrap();
        assert_eq!(url.path(), "/oauth/callback");
        (port, url.query_pairs().into_owned().collect())
    })
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn question(client: &Value, code: &str, port: u16) -> Value {
    json!({
        "clientId": client["clientId"], "clientSecret": client["clientSecret"],
        "grantType": "authorization_code", "code": code, "codeVerifier": VERIFIER,
        "redirectUri": format!("http://127.0.0.1:{port}/oauth/callback"),
    })
}

#[test]
fn a_code_is_good_once_and_for_who_began() {
    let sandbox = stage();
    let client = registered(&sandbox);
    let redeem = |change: &[(&str, Value)]| {
        let (port, fields) = told(&sandbox, &client, Some("carol"), &[]);
        assert_eq!(field(&fields, "state"), Some("a state"));
        let mut body = question(&client, field(&fields, "code").unwrap(), port);
        for (name, value) in change {
            body[name] = value.clone();
        }
        (post(&sandbox, "/token", &body), body)
    };
    let ((status, answer), body) = redeem(&[]);
    assert_eq!(status, 200, "{answer}");
    assert!(answer["refreshToken"].is_string() && answer["accessToken"].is_string());
    let again = post(&sandbox, "/token", &body);
    assert_eq!((again.0, &again.1["error"]), (400, &json!("invalid_grant")));

    let other = registered(&sandbox);
    for (change, error) in [
        (
            vec![("codeVerifier", json!("another-verifier-of-43-characters-and-more-000"))],
            "invalid_grant",
        ),
        (vec![("codeVerifier", json!("short"))], "invalid_grant"),
        (vec![("redirectUri", json!("http://127.0.0.1:1/oauth/callback"))], "invalid_grant"),
        (
            vec![
                ("clientId", other["clientId"].clone()),
                ("clientSecret", other["clientSecret"].clone()),
            ],
            "invalid_grant",
        ),
        (vec![("clientSecret", json!("guess"))], "invalid_client"),
        (vec![("codeVerifier", Value::Null)], "invalid_request"),
        (vec![("deviceCode", json!("both"))], "invalid_request"),
    ] {
        let ((_, answer), _) = redeem(&change);
        assert_eq!(answer["error"], error, "{change:?}");
    }
    let (port, fields) = told(&sandbox, &client, Some("carol"), &[]);
    sandbox.advance(SignedDuration::from_mins(10));
    let late = post(&sandbox, "/token", &question(&client, field(&fields, "code").unwrap(), port));
    assert_eq!(late.1["error"], "invalid_grant");
    assert_eq!(sandbox.count(Route::SsoAuthorize), 9);
}

#[test]
fn a_program_hears_of_its_mistakes_and_of_a_no() {
    let sandbox = stage();
    let client = registered(&sandbox);
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("scopes", "everything"), "invalid_scope"),
        (("scopes", "sso:account:access everything"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
    ] {
        let (_, fields) = told(&sandbox, &client, Some("carol"), &[change]);
        assert_eq!(field(&fields, "error"), Some(error), "{change:?}");
        assert_eq!((field(&fields, "state"), field(&fields, "code")), (Some("a state"), None));
    }
    let (_, fields) = told(&sandbox, &client, None, &[]);
    assert_eq!(field(&fields, "error"), Some("access_denied"));
}

#[test]
fn nobody_is_sent_where_no_program_was_registered() {
    let sandbox = stage();
    let client = registered(&sandbox);
    let body =
        json!({ "clientName": "p", "clientType": "public", "scopes": ["sso:account:access"] });
    let (_, codes_only) = post(&sandbox, "/client/register", &body);
    for (client, change) in [
        (&client, [("redirect_uri", "http://127.0.0.1:1/other")]),
        (&client, [("redirect_uri", "http://localhost:1/oauth/callback")]),
        (&client, [("redirect_uri", "https://127.0.0.1:1/oauth/callback")]),
        (&client, [("redirect_uri", "http://127.0.0.1:1/oauth/callback?x=1")]),
        (&client, [("client_id", "nobody")]),
        (&codes_only, [("state", "x")]),
    ] {
        let landed = sandbox.sso_browse(&page(&sandbox, client, 1, &change), "carol").unwrap();
        assert_eq!(landed.status, 400, "{change:?}: {landed:?}");
    }
    // and who was registered for the page has no codes to type
    let start = json!({
        "clientId": client["clientId"], "clientSecret": client["clientSecret"], "startUrl": START_URL,
    });
    let refused = post(&sandbox, "/device_authorization", &start);
    assert_eq!((refused.0, &refused.1["error"]), (400, &json!("unauthorized_client")));
    sandbox.sso_forget_clients();
    let landed = sandbox.sso_browse(&page(&sandbox, &client, 1, &[]), "carol").unwrap();
    assert!(landed.body.contains("invalid_client"), "{landed:?}");
}

#[test]
fn a_registration_says_what_it_is_for() {
    let sandbox = stage();
    for (name, value, error) in [
        ("redirectUris", json!(["https://evil.example/"]), "invalid_redirect_uri"),
        ("redirectUris", json!(["http://localhost/oauth/callback"]), "invalid_redirect_uri"),
        ("redirectUris", json!([]), "invalid_request"),
        ("issuerUrl", json!("https://else.awsapps.com/start"), "invalid_request"),
        ("issuerUrl", Value::Null, "invalid_request"),
        ("grantTypes", json!(["password"]), "unsupported_grant_type"),
        ("grantTypes", json!(["refresh_token"]), "invalid_request"),
        ("scopes", json!(["everything"]), "invalid_scope"),
        ("clientType", json!("confidential"), "invalid_client_metadata"),
    ] {
        let mut body = registration();
        body[name] = value;
        assert_eq!(post(&sandbox, "/client/register", &body).1["error"], error, "{body}");
    }
}

#[test]
fn who_declines_a_device_is_believed() {
    let sandbox = stage();
    let body = json!({ "clientName": "p", "clientType": "public" });
    let (_, client) = post(&sandbox, "/client/register", &body);
    let start = json!({
        "clientId": client["clientId"], "clientSecret": client["clientSecret"], "startUrl": START_URL,
    });
    assert_eq!(sandbox.sso_waiting(), None);
    let (_, device) = post(&sandbox, "/device_authorization", &start);
    assert_eq!(sandbox.sso_waiting().as_deref(), device["userCode"].as_str());
    assert!(sandbox.sso_decline(device["userCode"].as_str().unwrap()));
    assert_eq!(sandbox.sso_waiting(), None);
    let redeem = json!({
        "clientId": client["clientId"], "clientSecret": client["clientSecret"],
        "grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": device["deviceCode"],
    });
    let refused = post(&sandbox, "/token", &redeem);
    assert_eq!((refused.0, &refused.1["error"]), (400, &json!("access_denied")));
}
