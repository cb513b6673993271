use std::io::{Read, Write};
use std::net::TcpListener;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{Signer, element};
use crate::random;
use crate::{Route, Sandbox};

const SAME: &str = "arn:aws:signin:::devtools/same-device";
const CROSS: &str = "arn:aws:signin:::devtools/cross-device";
const VERIFIER: &str = "0123456789-._~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A program with a key.
struct Program<'a> {
    sandbox: &'a Sandbox,
    key: EcdsaKeyPair,
}

impl<'a> Program<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn url(&self) -> String {
        format!("{}/v1/token", self.sandbox.signin_url())
    }

    /// Header and claims of a proof, as they should be.
    fn parts(&self) -> (Value, Value) {
        let point = self.key.public_key().as_ref();
        let [x, y] = [1, 33].map(|at| URL_SAFE_NO_PAD.encode(&point[at..at + 32]));
        let header = json!({
            "typ": "dpop+jwt", "alg": "ES256", "jwk": { "kty": "EC", "crv": "P-256", "x": x, "y": y },
        });
        let now = self.sandbox.now().as_second();
        let claims = json!({ "htm": "POST", "htu": self.url(), "iat": now, "jti": random::uuid() });
        (header, claims)
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn proof(&self) -> String {
        let (header, claims) = self.parts();
        self.signed(&header, &claims)
    }

    fn post(&self, body: &Value, proof: &str) -> (u16, Value) {
        let headers = [("content-type", "application/json"), ("DPoP", proof)];
        let client = self.sandbox.client().unwrap();
        let body = body.to_string();
        let reply = client.send("POST", &self.url(), &headers, body.as_bytes()).unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    /// The page's address; `change` has the last word.
    fn page(&self, client: &str, redirect: &str, change: &[(&str, &str)]) -> String {
        let made = digest::digest(&digest::SHA256, VERIFIER.as_bytes());
        let challenge = URL_SAFE_NO_PAD.encode(made);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", client),
            ("state", "a state"),
            ("code_challenge_method", "SHA-256"),
            ("scope", "openid"),
            ("redirect_uri", redirect),
            ("code_challenge", &challenge),
        ];
        for (name, value) in change {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name, value));
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{}/v1/authorize?{query}", self.sandbox.signin_url())
    }

    fn confirmation(&self) -> String {
        format!("{}/v1/sessions/confirmation", self.sandbox.signin_url())
    }

    /// A code of the page for another device.
    fn code(&self) -> String {
        let url = self.page(CROSS, &self.confirmation(), &[]);
        let shown = self.sandbox.console_code(&url, &self.sandbox.user("alice")).unwrap();
        let query = STANDARD.decode(shown).unwrap();
        let fields: Vec<_> = form_urlencoded::parse(&query).into_owned().collect();
        assert_eq!(fields[0], ("state".to_owned(), "a state".to_owned()));
        fields[1].1.clone()
    }

    fn redeem(&self, code: &str) -> Value {
        json!({
            "clientId": CROSS, "grantType": "authorization_code", "code": code,
            "codeVerifier": VERIFIER, "redirectUri": self.confirmation(),
        })
    }
}

fn renew(token: &Value) -> Value {
    json!({ "clientId": CROSS, "grantType": "refresh_token", "refreshToken": token })
}

fn error(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"].as_str().unwrap_or("none"))
}

#[test]
fn a_code_makes_a_session_whose_refresh_tokens_are_each_good_once() {
    let sandbox = Sandbox::start().unwrap();
    let alice = sandbox.user("alice");
    let program = Program::new(&sandbox);
    let redeem = program.redeem(&program.code());
    let (status, first) = program.post(&redeem, &program.proof());
    assert_eq!((status, &first["expiresIn"]), (200, &json!(900)), "{first}");
    let again = program.post(&redeem, &program.proof());
    assert_eq!(error(&again), (400, "INVALID_REQUEST"));

    let text = |name: &str| first["accessToken"][name].as_str().unwrap().to_owned();
    let (id, secret, token) = (text("accessKeyId"), text("secretAccessKey"), text("sessionToken"));
    let signer = Signer { id, secret, token: Some(token) };
    let who = signer.post(&sandbox, &[("Action", "GetCallerIdentity")], sandbox.now());
    assert_eq!(element(&who, "Arn"), alice.arn);
    let payload = first["idToken"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["sub"], alice.arn);

    let (status, second) = program.post(&renew(&first["refreshToken"]), &program.proof());
    assert_eq!((status, &second["idToken"]), (200, &Value::Null), "{second}");
    // without its key a token is worth nothing, and stays good
    let thief = Program::new(&sandbox);
    let stolen = thief.post(&renew(&second["refreshToken"]), &thief.proof());
    assert_eq!(error(&stolen), (400, "INVALID_REQUEST"));
    let (status, third) = program.post(&renew(&second["refreshToken"]), &program.proof());
    assert_eq!((status, sandbox.login_refreshes()), (200, 2));
    // one that is sent twice ends the session
    for token in [&first["refreshToken"], &third["refreshToken"]] {
        let refused = program.post(&renew(token), &program.proof());
        assert_eq!(error(&refused), (400, "INVALID_REQUEST"));
    }
    assert_eq!((sandbox.login_refreshes(), sandbox.login_reuses()), (2, 1));
    assert_eq!(sandbox.count(Route::SignInToken), 7);
}

#[test]
fn a_proof_is_for_one_request_and_by_one_key() {
    let sandbox = Sandbox::start().unwrap();
    let program = Program::new(&sandbox);
    let body = program.redeem(&program.code());
    let (header, claims) = program.parts();
    let changed = |of: &Value, name: &str, value: Value| {
        let mut of = of.clone();
        of[name] = value;
        of
    };
    let now = sandbox.now().as_second();
    let other = Program::new(&sandbox);
    let mut proofs = vec!["x".to_owned(), other.signed(&header, &claims)];
    for (name, value) in [
        ("htm", json!("GET")),
        ("htu", json!("https://us-east-1.signin.aws.amazon.com/v1/token")),
        ("iat", json!(now - 301)),
        ("iat", Value::Null),
        ("jti", Value::Null),
    ] {
        proofs.push(program.signed(&header, &changed(&claims, name, value)));
    }
    for (name, value) in
        [("typ", json!("JWT")), ("alg", json!("none")), ("jwk", json!({ "kty": "EC" }))]
    {
        proofs.push(program.signed(&changed(&header, name, value), &claims));
    }
    for proof in proofs {
        let refused = program.post(&body, &proof);
        assert_eq!(error(&refused), (400, "INVALID_REQUEST"), "{proof}");
        assert!(refused.1["message"].as_str().unwrap().starts_with("DPoP: "), "{refused:?}");
    }
    // the code was not looked at
    let proof = program.signed(&header, &claims);
    assert_eq!(program.post(&body, &proof).0, 200);
    let again = program.post(&body, &proof);
    assert!(again.1["message"].as_str().unwrap().contains("shown before"), "{again:?}");
}

#[test]
fn a_code_is_for_who_began_and_not_for_long() {
    let sandbox = Sandbox::start().unwrap();
    let program = Program::new(&sandbox);
    for (name, value) in [
        ("codeVerifier", json!("another-verifier-of-43-characters-and-more-000")),
        ("codeVerifier", json!("short")),
        ("redirectUri", json!("http://127.0.0.1:1/oauth/callback")),
        ("clientId", json!(SAME)),
        ("clientId", json!("arn:aws:signin:::devtools/other")),
        ("redirectUri", Value::Null),
        ("refreshToken", json!("both")),
        ("code_verifier", json!("misspelt")),
    ] {
        let mut body = program.redeem(&program.code());
        body[name] = value;
        let refused = program.post(&body, &program.proof());
        assert_eq!(error(&refused), (400, "INVALID_REQUEST"), "{body}");
    }
    let late = program.redeem(&program.code());
    sandbox.advance(SignedDuration::from_mins(10));
    assert_eq!(error(&program.post(&late, &program.proof())), (401, "AUTHCODE_EXPIRED"));
}

#[test]
fn a_session_ends_with_its_time_the_password_or_the_permission() {
    let sandbox = Sandbox::start().unwrap();
    let alice = sandbox.user("alice");
    let program = Program::new(&sandbox);
    let token = || program.post(&program.redeem(&program.code()), &program.proof()).1;
    let [ended, old] = [token(), token()].map(|answer| renew(&answer["refreshToken"]));
    sandbox.advance(SignedDuration::from_hours(12));
    assert_eq!(error(&program.post(&ended, &program.proof())), (401, "TOKEN_EXPIRED"));
    sandbox.change_password(&alice);
    assert_eq!(error(&program.post(&old, &program.proof())), (403, "USER_CREDENTIALS_CHANGED"));
    let fresh = renew(&token()["refreshToken"]);
    sandbox.deny_login(&alice);
    let refused = program.post(&fresh, &program.proof());
    assert_eq!(error(&refused), (403, "INSUFFICIENT_PERMISSIONS"));
}

#[test]
fn a_page_sends_nobody_where_no_program_can_be_and_tells_of_a_no() {
    let sandbox = Sandbox::start().unwrap();
    let alice = sandbox.user("alice");
    let program = Program::new(&sandbox);
    let here = "http://127.0.0.1:1/oauth/callback";
    let confirmation = program.confirmation();
    for (client, redirect, change) in [
        (SAME, "http://127.0.0.1:1/other", ("state", "x")),
        (SAME, "http://localhost:1/oauth/callback", ("state", "x")),
        (SAME, "https://evil.example/oauth/callback", ("state", "x")),
        (SAME, &*confirmation, ("state", "x")),
        (CROSS, here, ("state", "x")),
        (CROSS, "https://evil.example/v1/sessions/confirmation", ("state", "x")),
        ("nobody", here, ("state", "x")),
        (SAME, here, ("response_type", "token")),
        (SAME, here, ("scope", "everything")),
        (SAME, here, ("code_challenge_method", "S256")),
        (SAME, here, ("code_challenge", "short")),
        (SAME, here, ("state", "")),
    ] {
        let url = program.page(client, redirect, &[change]);
        let landed = sandbox.console_browse(&url, &alice).unwrap();
        assert_eq!(landed.status, 400, "{client} {redirect} {change:?}: {landed:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = program.page(SAME, &format!("http://127.0.0.1:{port}/oauth/callback"), &[]);
    let target = std::thread::scope(|scope| {
        let browser = scope.spawn(|| sandbox.console_browse_declines(&url).unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        drop(stream);
        assert_eq!(browser.join().unwrap().body, "ok");
        String::from_utf8_lossy(&bytes[..length]).split(' ').nth(1).unwrap().to_owned()
    });
    let url = Url::parse("http://127.0.0.1").unwrap().join(&target).unwrap();
    assert_eq!(
        (url.path(), url.query()),
        ("/oauth/callback", Some("state=a+state&error=access_denied"))
    );
}
