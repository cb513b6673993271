use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetkey_provider::{
    Fingerprint, Kind, Landing, Person, Request, SecretString, SignedIn, Visit,
    testing::ScriptedPerson,
};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::testing::{World, now};

const ME: &str = "arn:aws:iam::123456789012:user/me";
const FILE: &str =
    "/home/.aws/login/cache/286187707741fc2ccb93cf9e56dbd0ee0a16208feed5fbc8ae1baa86d44c283f.json";
const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile me";
/// What the page shows, in Base64, for the state that this machine's chance makes.
const TYPED: &str = "c3RhdGU9MzAzMTMyMzMtMzQzNS00NjM3LWI4MzktM2EzYjNjM2QzZTNmJmNvZGU9YyUyRjE=";
const TYPED_ELSEWHERE: &str = "c3RhdGU9b3RoZXImY29kZT1jJTJGMQ==";

#[allow(clippy::unnecessary_wraps, reason = "an `Answer` may be an error")]
fn comes_back(visit: &Visit) -> Result<Vec<(String, String)>> {
    Ok(vec![("code".into(), "c/1".into()), ("state".into(), visit.state.clone())])
}

fn world() -> World {
    let config = format!("[profile me]\nlogin_session = {ME}\nregion = eu-north-1\n");
    let world = World::new().env(&[("AWS_PROFILE", "me")]);
    world.file("/home/.aws/config", &config).who(comes_back)
}

fn who_types(line: &'static str) -> World {
    let mut world = world();
    world.person = ScriptedPerson::who_types(line);
    world
}

fn issues(world: &World, who: &str) -> String {
    let claims = json!({ "iss": "https://eu-north-1.signin.aws.amazon.com/signin", "sub": who });
    let id = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let keys =
        json!({ "accessKeyId": "ASIANEW", "secretAccessKey": "hunter2", "sessionToken": "t" });
    let body = json!({
        "accessToken": keys, "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "once",
        "idToken": id,
    });
    world.http.answer(200, &[], &body.to_string());
    id
}

fn request(world: &World) -> Box<dyn Request> {
    world.ask("").unwrap()
}

fn signs_in(world: &World, how: SignIn) -> Result<SignedIn> {
    now(request(world).sign_in(how, None, &world.host()))
}

fn written(world: &World) -> Value {
    let bytes = world.host().files.read(Path::new(FILE)).unwrap().unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// What was sent to redeem a code, for the client of that name.
fn redeemed(world: &World, client: &str, redirect: &str, url: &str) {
    let sent = &world.http.requests()[0];
    assert_eq!(sent.endpoint.as_str(), "https://eu-north-1.signin.aws.amazon.com/v1/token");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let verifier = body["codeVerifier"].as_str().unwrap();
    assert_eq!((verifier.len(), body["code"].as_str()), (64, Some("c/1")));
    assert_eq!(body["grantType"], "authorization_code");
    assert_eq!(body["clientId"], format!("arn:aws:signin:::devtools/{client}"));
    assert_eq!(body["redirectUri"], redirect);
    let url = Url::parse(url).unwrap();
    assert_eq!(url.host_str(), Some("eu-north-1.signin.aws.amazon.com"));
    assert_eq!(url.path(), "/v1/authorize");
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let digest = Fingerprint::of(verifier.as_bytes());
    let query: Vec<_> = url.query_pairs().into_owned().collect();
    let expected = [
        ("response_type", "code"),
        ("client_id", body["clientId"].as_str().unwrap()),
        ("state", &state),
        ("code_challenge_method", "SHA-256"),
        ("scope", "openid"),
        ("redirect_uri", redirect),
        ("code_challenge", &URL_SAFE_NO_PAD.encode(digest.as_bytes())),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn who_can_be_asked_how() {
    let world = world();
    let how =
        |browser, terminal, keyboard| request(&world).how(Means { browser, terminal, keyboard });
    assert_eq!(how(true, true, true), Some(SignIn::Browser));
    assert_eq!(how(true, false, false), Some(SignIn::Browser));
    assert_eq!(how(false, true, true), Some(SignIn::Terminal));
    assert_eq!(how(false, true, false), None, "nobody can type the code");
    assert_eq!(how(false, false, true), None, "nobody sees the page");
    assert_eq!(request(&world).sign_in_line().as_deref(), Some(LINE));
}

#[test]
fn a_browser_makes_a_session_as_aws_writes_it() {
    let world = world();
    let id = issues(&world, ME);
    assert!(matches!(signs_in(&world, SignIn::Browser), Ok(SignedIn::Session)));
    let visit = &world.person.visits()[0];
    assert_eq!(visit.purpose, format!("sign in to AWS as {ME} (profile `me`)"));
    let redirect = "http://127.0.0.1:49152/oauth/callback";
    redeemed(&world, "same-device", redirect, &visit.url);
    let file = written(&world);
    let key = file["dpopKey"].as_str().unwrap().to_owned();
    assert!(Key::from_pem(&key).is_some());
    let key = serde_json::to_string(&key).unwrap();
    let text = format!(
        r#"{{"accessToken": {{"accessKeyId": "ASIANEW", "secretAccessKey": "hunter2", "sessionToken": "t", "accountId": "123456789012", "expiresAt": "2026-01-02T03:19:05Z"}}, "tokenType": "aws_sigv4", "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "once", "idToken": "{id}", "dpopKey": {key}}}"#
    );
    assert_eq!(world.written(), [(FILE.to_owned(), text)]);
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
    let credential = world.lend(request(&world).as_ref()).unwrap();
    assert!(credential.expose().contains("ASIANEW"));
    for line in world.notes.lines() {
        for secret in ["hunter2", "c/1", "once"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn the_proof_of_a_sign_in_is_signed_by_the_key_that_is_kept() {
    let world = world();
    issues(&world, ME);
    signs_in(&world, SignIn::Browser).unwrap();
    let jwk = |proof: &str| jsonwebtoken::decode_header(proof).unwrap().jwk.unwrap();
    let sent = &world.http.requests()[0];
    let (_, shown) = sent.headers.iter().find(|(name, _)| name == "dpop").unwrap();
    let kept = Key::from_pem(written(&world)["dpopKey"].as_str().unwrap()).unwrap();
    let again = kept.proof(&sent.endpoint, &world.host()).unwrap();
    assert_eq!(jwk(shown), jwk(&again));
}

#[test]
fn on_a_terminal_the_code_of_the_page_is_typed() {
    let world = who_types(TYPED);
    issues(&world, ME);
    signs_in(&world, SignIn::Terminal).unwrap();
    let told = world.person.told().join("\n");
    let url = told.lines().find(|line| line.starts_with("https://")).unwrap();
    let redirect = "https://eu-north-1.signin.aws.amazon.com/v1/sessions/confirmation";
    redeemed(&world, "cross-device", redirect, url);
    assert_eq!(world.person.prompts(), ["Code of the page: "]);
    assert_eq!(written(&world)["clientId"], "arn:aws:signin:::devtools/cross-device");
    assert!(told.contains("give it to nobody else"), "{told}");
}

/// Somebody who could have a browser opened, and asked for a code instead.
struct Elsewhere(ScriptedPerson);

impl Person for Elsewhere {
    fn means(&self) -> Means {
        self.0.means()
    }
    fn tell(&self, text: &str) {
        self.0.tell(text);
    }
    fn wants_code(&self) -> bool {
        true
    }
    fn was_asked(&self) -> bool {
        self.0.was_asked()
    }
    fn ask(&self, prompt: &str) -> Result<SecretString> {
        self.0.ask(prompt)
    }
    fn land(&self, port: Option<u16>) -> Result<Box<dyn Landing>> {
        self.0.land(port)
    }
}

#[test]
fn who_wants_a_code_gets_no_page_opened() {
    let world = who_types(TYPED);
    issues(&world, ME);
    let host = Host { person: Box::new(Elsewhere(world.person.clone())), ..world.host() };
    now(request(&world).sign_in(SignIn::Browser, None, &host)).unwrap();
    assert!(world.person.visits().is_empty());
    assert_eq!(written(&world)["clientId"], "arn:aws:signin:::devtools/cross-device");
}

#[test]
fn what_is_typed_has_to_fit_the_page() {
    for (line, words) in [
        (TYPED_ELSEWHERE, "what came back is of another sign-in"),
        ("123456", "what was typed is not the code of the page"),
        ("%", "what was typed is not the code of the page"),
    ] {
        let world = who_types(line);
        let error = signs_in(&world, SignIn::Terminal).unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::SignInNeeded, words));
        assert_eq!(error.next_line(), Some(LINE));
        assert!(world.http.requests().is_empty() && world.written().is_empty());
    }
}

#[test]
fn somebody_else_than_the_profile_names_is_not_kept() {
    let world = world();
    issues(&world, "arn:aws:iam::999999999999:root");
    let error = signs_in(&world, SignIn::Browser).unwrap_err();
    assert_eq!(
        error.message(),
        format!("arn:aws:iam::999999999999:root signed in, and profile `me` is that of {ME}")
    );
    assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(LINE)));
    assert!(world.written().is_empty());
}

#[test]
fn what_the_page_or_the_service_refuses_is_told() {
    let world = world().who(|visit| {
        let pairs = [("error", "access_denied"), ("state", &*visit.state)];
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    });
    let error = signs_in(&world, SignIn::Browser).unwrap_err();
    assert_eq!(error.message(), "the sign-in of profile `me` was declined");
    assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(LINE)));
    for (status, word, kind, words) in [
        (401, "AUTHCODE_EXPIRED", Kind::SignInNeeded, "the sign-in of profile `me` has ended"),
        (400, "INVALID_REQUEST", Kind::SignInNeeded, "AWS did not take what the sign-in"),
        (403, "INSUFFICIENT_PERMISSIONS", Kind::Refused, "AWS Sign-In did not let profile `me`"),
        (500, "server_error", Kind::Unavailable, "AWS Sign-In is not well"),
    ] {
        let world = self::world();
        world.http.answer(status, &[], &json!({ "error": word, "message": "c/1" }).to_string());
        let error = signs_in(&world, SignIn::Browser).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.message().starts_with(words) && !error.to_string().contains("c/1"),
            "{error}"
        );
        assert!(world.written().is_empty());
    }
    for body in [
        "{}",
        r#"{"accessToken":{"accessKeyId":"ASIA","secretAccessKey":"s","sessionToken":"t"},"expiresIn":900}"#,
    ] {
        let world = self::world();
        world.http.answer(200, &[], body);
        assert_eq!(signs_in(&world, SignIn::Browser).unwrap_err().kind(), Kind::Unavailable);
        assert!(world.written().is_empty());
    }
}

#[test]
fn whoever_signed_in_meanwhile_is_enough_and_a_full_disk_asks_nobody() {
    let world = world();
    let request = request(&world);
    assert_eq!(world.lend(request.as_ref()).unwrap_err().kind(), Kind::SignInNeeded);
    let other = self::world();
    issues(&other, ME);
    signs_in(&other, SignIn::Browser).unwrap();
    world.theirs(FILE, &other.written()[0].1);
    assert!(matches!(
        now(request.sign_in(SignIn::Browser, None, &world.host())),
        Ok(SignedIn::Session)
    ));
    let full = self::world();
    full.fill();
    let error = signs_in(&full, SignIn::Browser).unwrap_err();
    assert_eq!(error.message(), "a sign-in to AWS could not be kept");
    for world in [world, full] {
        assert!(world.person.visits().is_empty() && world.http.requests().is_empty());
    }
}
