use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use fleetkey_provider::{
    BoxFuture, Error, Host, Http, HttpRequest, HttpResponse, Kind, Method, Request, Result, Retry,
    SessionState,
    testing::{ScriptedHttp, StaticTrust},
};
use serde_json::Value;

use crate::testing::{ROLE, World, now};

const ME: &str = "arn:aws:iam::123456789012:user/me";
/// `printf %s arn:aws:iam::123456789012:user/me | sha256sum`
const FILE: &str =
    "/home/.aws/login/cache/286187707741fc2ccb93cf9e56dbd0ee0a16208feed5fbc8ae1baa86d44c283f.json";
const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile me";
const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEINqnp+uqj8xN0SAXQzSzW0y0F1i8rBwgjQQEhFgE7MhvoAoGCCqGSM49\\nAwEHoUQDQgAEfF7yyIe/u15Oh34bpn70CUgFNrZ2uzwRX883ItIuD2KQOXThdF3v\\njcs6iOU7E6WzZ38j/YctmcycAB+IGULhrQ==\\n-----END EC PRIVATE KEY-----\\n";
/// What AWS answers.
const ISSUED: &str = r#"{"accessToken":{"accessKeyId":"ASIANEW","secretAccessKey":"new+","sessionToken":"newtoken"},
    "tokenType":"aws_sigv4","expiresIn":900,"refreshToken":"next"}"#;

/// A session as the AWS CLI writes it, whose keys end then, issued by that host.
fn session(end: &str, issuer: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = format!(r#"{{"iss":"https://{issuer}/signin","sub":"{ME}"}}"#);
    let id = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    format!(
        r#"{{"accessToken": {{"accessKeyId": "ASIAOLD", "secretAccessKey": "hunter2", "sessionToken": "oldtoken", "accountId": "123456789012", "expiresAt": "{end}"}}, "tokenType": "aws_sigv4", "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "once-hunter2", "idToken": "{id}", "dpopKey": "{KEY}"}}"#
    )
}

const OVER: &str = "2026-01-02T03:09:04Z";

fn over() -> String {
    session(OVER, "eu-west-3.signin.aws.amazon.com")
}

fn renewed() -> String {
    over()
        .replace("ASIAOLD", "ASIANEW")
        .replace(r#""hunter2""#, r#""new+""#)
        .replace("oldtoken", "newtoken")
        .replace("once-hunter2", "next")
        .replace(OVER, "2026-01-02T03:19:05Z")
}

fn with(file: &str) -> World {
    bare().file(FILE, file)
}

fn bare() -> World {
    let config = format!(
        "[profile me]\nlogin_session = {ME}\n\
         [profile over-me]\nrole_arn = {ROLE}\nsource_profile = me\n\
         [profile far]\nlogin_session = {ME}\nregion = eu-north-1\n"
    );
    World::new().env(&[("AWS_PROFILE", "me")]).file("/home/.aws/config", &config)
}

fn lend(world: &World) -> Result<String> {
    let credential = world.lend(world.ask("")?.as_ref())?;
    let kept: Value = serde_json::from_str(credential.expose()).unwrap();
    Ok(kept["id"].as_str().unwrap().to_owned())
}

fn kept(world: &World) -> String {
    let bytes = world.host().files.read(Path::new(FILE)).unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn keys_that_are_fresh_are_used_as_they_stand() {
    let world = with(&session("2026-01-02T03:09:05Z", "x"));
    let request = world.ask("").unwrap();
    assert_eq!(request.describe(), format!("{ME} (`aws login` of profile `me`)"));
    let credential = request.at_hand(&world.host()).unwrap().unwrap();
    assert_eq!(credential.expires(), "2026-01-02T03:09:05Z".parse().ok());
    assert!(request.token(&credential, &world.host()).is_ok());
    assert!(world.http.requests().is_empty() && world.sessions.steps().is_empty());
}

#[test]
fn keys_that_end_soon_are_renewed_where_they_were_issued_and_written_back_byte_for_byte() {
    let world = with(&over());
    world.http.answer(200, &[], ISSUED);
    assert_eq!(lend(&world).unwrap(), "ASIANEW");
    let sent = &world.http.requests()[0];
    assert_eq!(sent.method, Method::Post);
    assert_eq!(sent.endpoint.as_str(), "https://eu-west-3.signin.aws.amazon.com/v1/token");
    assert!(matches!(sent.retry, Retry::Redemption));
    assert_eq!(
        std::str::from_utf8(&sent.body).unwrap(),
        r#"{"clientId":"arn:aws:signin:::devtools/same-device","refreshToken":"once-hunter2","grantType":"refresh_token"}"#
    );
    let names: Vec<_> = sent.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "dpop"]);
    assert_eq!(kept(&world), renewed());
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
    // and the next one takes them from there
    assert_eq!(lend(&world).unwrap(), "ASIANEW");
    assert_eq!(world.http.requests().len(), 1);
    for line in world.notes.lines() {
        for secret in ["hunter2", "newtoken", "new+", "next"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn a_session_that_does_not_say_where_it_was_issued_is_renewed_in_the_region_of_the_profile() {
    let configured = [("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:1")];
    for (line, issuer, env, expected) in [
        ("", "signin.aws.amazon.com", &[][..], "https://eu-west-1.signin.aws.amazon.com"),
        ("", "eu-west-3.signin.evil.example", &[], "https://eu-west-1.signin.aws.amazon.com"),
        ("--profile far", "x", &[], "https://eu-north-1.signin.aws.amazon.com"),
        ("--profile far", "us-east-2.signin.aws.amazon.com", &configured, "http://127.0.0.1:1"),
    ] {
        let world = with(&session(OVER, issuer)).env(env);
        world.http.answer(200, &[], ISSUED);
        world.lend(world.ask(line).unwrap().as_ref()).unwrap();
        assert_eq!(world.http.requests()[0].endpoint.origin(), expected, "{issuer}");
    }
}

#[test]
fn whoever_is_not_signed_in_is_told_how_to() {
    let end = "2026-01-01T00:00:00Z";
    let dead = session(end, "x");
    for (file, words) in [
        (None, "there is no `/home/.aws/login/cache/"),
        (Some("{".to_owned()), "is not as `aws login` writes it"),
        (Some(dead.replace("accessToken", "x")), "is not as `aws login` writes it"),
        (Some(dead.replace("refreshToken", "x")), "came with nothing to renew them with"),
        (Some(dead.replace("clientId", "x")), "came with nothing to renew them with"),
        (Some(dead.replace("dpopKey", "x")), "came with nothing to renew them with"),
        (Some(dead.replace("MHcC", "MHcD")), "came with nothing to renew them with"),
    ] {
        let world = file.as_ref().map_or_else(bare, |file| with(file));
        let error = lend(&world).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded, "{error}");
        assert_eq!(error.message(), format!("nobody is signed in as {ME}"));
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.next_line(), Some(LINE));
        assert!(world.http.requests().is_empty());
    }
}

#[test]
fn what_ended_for_good_says_so_and_is_sent_once() {
    for (status, word, message) in [
        (401, "TOKEN_EXPIRED", "the sign-in of profile `me` has ended"),
        (
            403,
            "USER_CREDENTIALS_CHANGED",
            "profile `me` was signed in to before its password was changed",
        ),
        (400, "INVALID_REQUEST", "the sign-in of profile `me` has ended"),
    ] {
        let world = with(&session("2026-01-01T00:00:00Z", "x"));
        let body = format!(r#"{{"error":"{word}","message":"once-hunter2 is over"}}"#);
        world.http.answer(status, &[("x-amzn-errortype", "AccessDeniedException")], &body);
        for _ in 0..2 {
            let error = lend(&world).unwrap_err();
            assert_eq!(error.kind(), Kind::SignInNeeded, "{error}");
            assert_eq!(error.next_line(), Some(LINE));
            assert!(!error.to_string().contains("hunter2"), "{error}");
            if world.sessions.steps().len() == 3 {
                assert_eq!(error.message(), message);
            }
        }
        assert_eq!(world.http.requests().len(), 1, "{word}");
        // whoever signs in anew is not stopped by what was before
        world.theirs(FILE, &renewed());
        assert_eq!(lend(&world).unwrap(), "ASIANEW");
    }
}

#[test]
fn what_was_not_looked_at_is_sent_again_and_what_was_lost_is_not() {
    let denied = r#"{"error":"INSUFFICIENT_PERMISSIONS","message":"no"}"#;
    let clock = [("date", "Fri, 02 Jan 2026 03:24:05 GMT")];
    let world = with(&session("2026-01-01T00:00:00Z", "x"));
    for (status, headers, body, kind) in [
        (403, &[][..], denied, Kind::Refused),
        (429, &[], r#"{"error":"INVALID_REQUEST"}"#, Kind::Unavailable),
        (503, &[], "", Kind::Unavailable),
        (500, &[], r#"{"error":"server_error","message":"x"}"#, Kind::Unavailable),
        (400, &[], "<html>", Kind::Unavailable),
        (400, &clock, r#"{"error":"INVALID_REQUEST"}"#, Kind::Failed),
    ] {
        world.http.answer(status, headers, body);
        let error = lend(&world).unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
    }
    world.http.answer(200, &[], ISSUED);
    assert_eq!(lend(&world).unwrap(), "ASIANEW");

    for (status, body) in [(502, "<html>"), (504, ""), (200, "{}"), (200, r#"{"accessToken":"#)] {
        let world = with(&session("2026-01-01T00:00:00Z", "x"));
        world.http.answer(status, &[], body);
        assert_eq!(lend(&world).unwrap_err().kind(), Kind::Unavailable);
        let error = lend(&world).unwrap_err();
        assert!(error.to_string().contains("were to be renewed before"), "{error}");
        assert_eq!((error.kind(), world.http.requests().len()), (Kind::SignInNeeded, 1));
    }
}

#[test]
fn keys_that_still_work_are_used_where_they_cannot_be_renewed() {
    let world = with(&over());
    world.http.answer(503, &[], "");
    assert_eq!(lend(&world).unwrap(), "ASIAOLD");
    assert!(world.notes.lines().join("\n").contains("not renewed"));
    let full = with(&over());
    full.fill();
    assert_eq!(lend(&full).unwrap(), "ASIAOLD");
    assert!(full.http.requests().is_empty(), "what cannot be written back is not sent");
}

/// A network on which somebody else does something while the session is renewed.
struct Meanwhile {
    world: World,
    act: fn(&World),
    done: Arc<Mutex<bool>>,
    http: ScriptedHttp,
}

impl Http for Meanwhile {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        if !std::mem::replace(&mut *self.done.lock().unwrap(), true) {
            (self.act)(&self.world);
        }
        self.http.send(request)
    }
}

fn lend_while(world: &World, act: fn(&World)) -> Result<String> {
    let request = world.ask("")?;
    let http = world.http.clone();
    let http = Meanwhile { world: world.clone(), act, done: Arc::default(), http };
    let host = Host { http: Box::new(http), ..world.host() };
    let credential = now(request.obtain(None, &host))?;
    let kept: Value = serde_json::from_str(credential.expose()).unwrap();
    Ok(kept["id"].as_str().unwrap().to_owned())
}

#[test]
fn whoever_renewed_or_signed_in_or_out_meanwhile_is_not_undone() {
    let theirs = |world: &World| world.theirs(FILE, &renewed().replace("ASIANEW", "ASIATHEIRS"));
    for (status, body) in [(200, ISSUED), (400, r#"{"error":"INVALID_REQUEST"}"#)] {
        let world = with(&over());
        world.http.answer(status, &[], body);
        assert_eq!(lend_while(&world, theirs).unwrap(), "ASIATHEIRS");
        assert!(kept(&world).contains("ASIATHEIRS"));
        assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
    }
    let world = with(&over());
    world.http.answer(200, &[], ISSUED);
    let out = |world: &World| assert!(world.host().files.remove(Path::new(FILE)).unwrap());
    assert_eq!(lend_while(&world, out).unwrap_err().kind(), Kind::SignInNeeded);
    assert!(world.written().is_empty());
    // a disk that is full too late costs the session, and not the answer
    let world = with(&over());
    world.http.answer(200, &[], ISSUED);
    assert_eq!(lend_while(&world, World::fill).unwrap(), "ASIANEW");
    assert!(world.notes.lines().join("\n").contains("you will have to sign in"));
}

#[test]
fn roles_outlive_the_keys_they_were_lent_with_and_end_with_the_sign_out() {
    let world = with(&over());
    world.http.answer(200, &[], ISSUED);
    world.sts_lends("AssumeRole");
    let request = world.ask("--profile over-me").unwrap();
    assert_eq!(request.session(), request.source().unwrap().session());
    assert_eq!(request.signer(), format!("login session of {ME}"));
    let credential = world.lend(request.as_ref()).unwrap();
    world.theirs(FILE, &renewed().replace("next", "later"));
    assert!(request.still_ours(&credential, &world.host()));
    let login = world.ask("").unwrap();
    let out = now(login.sign_out(&world.host())).unwrap();
    assert!(out.done[0].contains(FILE), "{out:?}");
    assert!(out.left[0].contains("2026-01-02T03:19:05Z"), "{out:?}");
    assert!(!request.still_ours(&credential, &world.host()));
    let out = now(login.sign_out(&world.host())).unwrap();
    assert!(out.done.is_empty() && out.left[0].ends_with("nobody was signed in"), "{out:?}");
}

#[test]
fn the_file_says_how_a_session_stands() {
    let state = |world: &World| world.ask("").unwrap().session_state(&world.host());
    let SessionState::SignedIn(standing) = state(&with(&over())) else { panic!("signed out") };
    assert_eq!((standing.renews, standing.keeper), (true, Some("aws")));
    assert_eq!(standing.until, OVER.parse().ok());
    let dead = session("2026-01-01T00:00:00Z", "x").replace("refreshToken", "x");
    for world in [bare(), with("{"), with(&dead)] {
        assert!(matches!(state(&world), SessionState::SignedOut(_)));
    }
}

#[test]
fn a_variable_moves_the_folder_unless_one_is_strict() {
    let elsewhere = FILE.replace("/home/.aws/login/cache", "/home/else");
    let fresh = session("2026-01-02T04:00:00Z", "x");
    let env = [("AWS_LOGIN_CACHE_DIRECTORY", "~/else")];
    let world = bare().env(&env).file(&elsewhere, &fresh);
    assert_eq!(lend(&world).unwrap(), "ASIAOLD");
    let line = format!("AWS_LOGIN_CACHE_DIRECTORY='~/else' {LINE}");
    assert_eq!(world.ask("").unwrap().sign_in_line(), Some(line));
    let trust = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
    let host = Host { trust, ..world.host() };
    let request = World::ask_on("", &host).unwrap();
    assert!(request.at_hand(&host).unwrap().is_none());
    assert_ne!(request.fingerprint(), world.ask("").unwrap().fingerprint());
}

#[test]
fn an_endpoint_that_may_not_be_asked_matters_when_it_has_to_be() {
    let untrusted = [("AWS_ENDPOINT_URL_SIGNIN", "https://evil.example")];
    let world = with(&session("2026-01-02T04:00:00Z", "x")).env(&untrusted);
    assert_eq!(lend(&world).unwrap(), "ASIAOLD");
    let world = with(&session("2026-01-01T00:00:00Z", "x")).env(&untrusted);
    let error: Error = lend(&world).unwrap_err();
    assert!(error.to_string().contains("AWS_ENDPOINT_URL_SIGNIN"), "{error}");
    assert!(!world.sessions.steps().contains(&"redeeming"));
}

#[test]
fn debug_shows_no_secret() {
    let request: Box<dyn Request> = with(&over()).ask("").unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
}
