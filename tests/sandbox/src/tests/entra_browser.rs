//! The page where people sign in, the way back to a program, and the code that is brought there.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use url::{Url, form_urlencoded};

use super::entra::{AKS, ALICE, APP, PUBLIC, SCOPE, Stage, changed, claims};
use crate::Route;
use crate::entra::{App, Callback};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const BACK: &str = "http://localhost:7777";

fn url(stage: &Stage, tenant: &str, changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let base = [
        ("client_id", PUBLIC),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", SCOPE),
        ("state", "a state & more"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("response_mode", "form_post"),
    ];
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(changed(&base, changes))
        .finish();
    format!("{}/{tenant}/oauth2/v2.0/authorize?{query}", stage.entra().url())
}

fn redeem(code: &str) -> [(&str, &str); 6] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", PUBLIC),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", BACK),
        ("scope", SCOPE),
    ]
}

fn sign_in(stage: &Stage, changes: &[(&str, &str)]) -> Callback {
    stage.entra().callback(&url(stage, &stage.contoso, changes), Some(ALICE)).unwrap()
}

/// A program that listens for one callback: the request it hears.
fn listen(address: &str) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while !whole(&heard) {
            let count = socket.read(&mut buffer).unwrap();
            heard.extend_from_slice(&buffer[..count]);
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nthanks\n";
        socket.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(heard).unwrap()
    });
    (port, heard)
}

fn whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    length.is_none_or(|length| body.len() == length.parse::<usize>().unwrap())
}

#[test]
fn a_browser_brings_the_code() {
    let stage = Stage::new();
    for (mode, address) in
        [("form_post", "127.0.0.1"), ("query", "127.0.0.1"), ("form_post", "::1")]
    {
        if TcpListener::bind((address, 0)).is_err() {
            println!("skipped: this machine has no {address}");
            continue;
        }
        let (port, heard) = listen(address);
        let back = format!("http://localhost:{port}");
        let changes = [("redirect_uri", &*back), ("response_mode", mode)];
        let landed = stage.entra().browse(&url(&stage, &stage.contoso, &changes), ALICE).unwrap();
        assert_eq!((landed.status, landed.body.as_str()), (200, "thanks\n"));
        let said = heard.join().unwrap();
        let (top, body) = said.split_once("\r\n\r\n").unwrap();
        let form = if mode == "form_post" {
            assert!(top.starts_with("POST / HTTP/1.1\r\n"), "{top}");
            assert!(top.contains("application/x-www-form-urlencoded"), "{top}");
            body
        } else {
            assert!(top.starts_with("GET /?code="), "{top}");
            top.split(['?', ' ']).nth(2).unwrap()
        };
        assert!(top.contains(&format!("\r\nHost: localhost:{port}\r\n")), "{top}");
        let fields: Vec<(String, String)> =
            form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).unwrap().1.clone();
        assert_eq!(field("state"), "a state & more");
        let code = field("code");
        let form = changed(&redeem(&code), &[("redirect_uri", &back)]);
        let answer = stage.token(&stage.contoso, &form);
        assert_eq!(answer.claims()["upn"], ALICE);
        assert_eq!(claims(&answer.text("id_token"))["tid"], stage.contoso);
    }
    assert!(stage.sandbox.count(Route::EntraAuthorize) >= 2);
}

#[test]
fn a_code_is_good_once_for_one() {
    let stage = Stage::new();
    let callback = sign_in(&stage, &[]);
    assert_eq!((callback.redirect_uri.as_str(), callback.form_post), (BACK, true));
    let code = callback.field("code").unwrap();
    let ask = |form: &[(&str, &str)]| stage.token(&stage.contoso, &changed(&redeem(code), form));
    let refusal = |form: &[(&str, &str)]| {
        let (status, error, code) = ask(form).refusal();
        assert_eq!((status, error.as_str()), (400, "invalid_grant"));
        code
    };
    let short = &VERIFIER[..42];
    let wrong = VERIFIER.replace('d', "e");
    for verifier in [wrong.as_str(), short, ""] {
        assert_eq!(refusal(&[("code_verifier", verifier)]), 501_481, "{verifier}");
    }
    for back in ["http://localhost:7778", "http://localhost:7777/", "http://127.0.0.1:7777"] {
        assert_eq!(refusal(&[("redirect_uri", back)]), 500_112, "{back}");
    }
    assert_eq!(refusal(&[("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")]), 700_007);
    assert_eq!(refusal(&[("code", "1.Anything")]), 70000);
    assert_eq!(ask(&[("redirect_uri", "")]).refusal().2, 900_144);
    assert_eq!(ask(&[]).status, 200, "mistakes do not use it up");
    assert_eq!(refusal(&[]), 54005);

    let callback = sign_in(&stage, &[]);
    let late = callback.field("code").unwrap();
    stage.sandbox.advance(SignedDuration::from_mins(10));
    assert_eq!(stage.token(&stage.contoso, &redeem(late)).refusal().2, 70008);
    let elsewhere = sign_in(&stage, &[]);
    let code = elsewhere.field("code").unwrap();
    assert_eq!(stage.token(&stage.fabrikam, &redeem(code)).refusal().2, 700_005);
    let anybody = url(&stage, "organizations", &[("client_info", "1")]);
    let anybody = stage.entra().callback(&anybody, Some(ALICE)).unwrap();
    assert!(anybody.field("client_info").is_some());
    let code = anybody.field("code").unwrap();
    assert_eq!(stage.token("organizations", &redeem(code)).claims()["tid"], stage.contoso);
}

#[test]
fn what_only_the_person_sees() {
    let stage = Stage::new();
    let shown = |tenant: &str, changes: &[(&str, &str)], who: &str| {
        let landed = stage.entra().browse(&url(&stage, tenant, changes), who).unwrap();
        assert_eq!(landed.status, 400);
        assert!(landed.at.starts_with(&stage.entra().url()), "{}", landed.at);
        let code = landed.body.split_once("AADSTS").unwrap().1.split(':').next().unwrap();
        code.parse::<u32>().unwrap()
    };
    let contoso = &stage.contoso;
    for back in [
        "http://127.0.0.1:7777",
        "http://localhost:7777/callback",
        "https://localhost:7777",
        "http://evil.example",
    ] {
        assert_eq!(shown(contoso, &[("redirect_uri", back)], ALICE), 50011, "{back}");
    }
    assert_eq!(shown(contoso, &[("redirect_uri", "")], ALICE), 500_113);
    assert_eq!(shown(contoso, &[("client_id", APP)], ALICE), 50011, "it registered none");
    assert_eq!(shown(contoso, &[("client_id", "x")], ALICE), 700_016);
    assert_eq!(shown(contoso, &[("client_id", "")], ALICE), 900_144);
    assert_eq!(shown(contoso, &[("response_mode", "fragment")], ALICE), 9_002_313);
    assert_eq!(shown("nowhere.example", &[], ALICE), 90002);
    assert_eq!(shown(contoso, &[], "nobody@contoso.com"), 50034);
    assert_eq!(shown(&stage.entra().tenant("elsewhere.com"), &[], ALICE), 50020);
    let doubled = format!("{}&state=b", url(&stage, contoso, &[]));
    assert!(stage.entra().browse(&doubled, ALICE).unwrap().body.contains("AADSTS9002313"));
    stage.entra().app(App::new(contoso, APP).secret("s").redirect("http://localhost/in"));
    let app = [("client_id", APP), ("redirect_uri", "http://localhost:7777/in")];
    assert!(sign_in(&stage, &app).field("code").is_some());
}

#[test]
fn what_the_program_hears() {
    let stage = Stage::new();
    let heard = |changes: &[(&str, &str)]| {
        let callback = sign_in(&stage, changes);
        assert_eq!(callback.field("state"), Some("a state & more"));
        assert!(callback.field("code").is_none());
        let text = callback.field("error_description").unwrap().to_owned();
        let code: u32 =
            text.trim_start_matches("AADSTS").split(':').next().unwrap().parse().unwrap();
        (callback.field("error").unwrap().to_owned(), code)
    };
    let request = |code| ("invalid_request".to_owned(), code);
    assert_eq!(heard(&[("code_challenge", "")]), request(9_002_325));
    assert_eq!(heard(&[("code_challenge_method", "plain")]), request(9_002_313));
    assert_eq!(heard(&[("code_challenge_method", "")]), request(9_002_313));
    assert_eq!(heard(&[("code_challenge", VERIFIER.get(1..).unwrap())]), request(501_491));
    assert_eq!(heard(&[("response_type", "token")]).0, "unsupported_response_type");
    assert_eq!(heard(&[("scope", "")]), request(900_144));
    assert_eq!(heard(&[("scope", AKS)]), ("invalid_scope".to_owned(), 70011));
    assert_eq!(heard(&[("scope", "x/.default")]), ("invalid_resource".to_owned(), 500_011));
    assert_eq!(heard(&[("prompt", "none")]), ("login_required".to_owned(), 50058));
    assert_eq!(heard(&[("prompt", "maybe")]), request(9_002_313));
    assert_eq!(heard(&[("claims", "{")]), request(9_002_313));
    assert_eq!(heard(&[("claims", "{"), ("response_mode", "query")]), request(9_002_313));

    let (port, heard) = listen("127.0.0.1");
    let back = format!("http://localhost:{port}");
    let url = url(&stage, &stage.contoso, &[("redirect_uri", &back)]);
    assert_eq!(stage.entra().browse_declines(&url).unwrap().body, "thanks\n");
    let heard = heard.join().unwrap();
    assert!(
        heard.contains("error=access_denied") && heard.contains("error_subcode=cancel"),
        "{heard}"
    );
}

#[test]
fn claims_are_asked_for_in_the_browser() {
    let stage = Stage::new();
    let wanted = r#"{"access_token":{"capolids":{"essential":true,"values":["1"]}}}"#;
    stage.entra().require_claims(ALICE, wanted);
    let token = |callback: &Callback| {
        stage.token(&stage.contoso, &redeem(callback.field("code").unwrap())).status
    };
    assert_eq!(token(&sign_in(&stage, &[])), 400);
    assert_eq!(token(&sign_in(&stage, &[("claims", wanted)])), 200);
    assert_eq!(token(&sign_in(&stage, &[])), 200);
}

#[test]
fn a_page_is_answered_once() {
    let stage = Stage::new();
    let client = stage.sandbox.client().unwrap();
    let page =
        client.get(&url(&stage, &stage.contoso, &[("login_hint", "<b>\"")]), &[]).unwrap().text();
    assert!(page.contains("&lt;b&gt;&quot;") && page.contains(ALICE), "{page}");
    let id = page.split_once("name=\"page\" value=\"").unwrap().1.split('"').next().unwrap();
    let press =
        || stage.post(&format!("/{}/login", stage.contoso), &[("page", id), ("username", ALICE)]);
    let first = press();
    assert_eq!(first.status, 200);
    assert!(Url::parse(BACK).is_ok() && first.text().contains(&format!("action=\"{BACK}\"")));
    assert!(press().text().contains("AADSTS9002313"));
}
