use std::path::Path;

use fleetkey_provider::{Kind, Request, SignedIn, Visit};

use super::*;
use crate::testing::{CONFIG, CORP, World, now};

const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile dev";
const OLD: &str = "[profile old]\nsso_start_url = https://my.awsapps.com/start\n\
                   sso_region = eu-central-1\nsso_account_id = 1\nsso_role_name = R\n";
const REGISTERED: &str = r#"{"clientId":"client","clientSecret":"hunter2","clientIdIssuedAt":1767323045,"clientSecretExpiresAt":1775099045}"#;
const ISSUED: &str = r#"{"accessToken":"new","tokenType":"Bearer","expiresIn":28800,"refreshToken":"next","idToken":null}"#;
/// As botocore 1.43 writes it, with times as the AWS CLI has it write them.
const WRITTEN: &str = r#"{"startUrl": "https://corp.awsapps.com/start", "region": "eu-central-1", "accessToken": "new", "expiresAt": "2026-01-02T11:04:05Z", "clientId": "client", "clientSecret": "hunter2", "registrationExpiresAt": "2026-04-02T03:04:05Z", "refreshToken": "next"}"#;

#[allow(clippy::unnecessary_wraps, reason = "an `Answer` may be an error")]
fn comes_back(visit: &Visit) -> Result<Vec<(String, String)>> {
    Ok(vec![("code".into(), "c/1".into()), ("state".into(), visit.state.clone())])
}

fn world() -> World {
    World::new().env(&[("AWS_PROFILE", "dev")]).who(comes_back)
}

fn signs_in(world: &World, request: &dyn Request) -> Result<SignedIn> {
    now(request.sign_in(SignIn::Browser, None, &world.host()))
}

fn request(world: &World) -> Box<dyn Request> {
    world.ask("").unwrap()
}

#[test]
fn who_can_be_asked_how() {
    let legacy = format!("{CONFIG}{OLD}");
    let world = World::new().file("/home/.aws/config", &legacy);
    let means = |browser, terminal| Means { browser, terminal, keyboard: true };
    let how = |line: &str, means| world.ask(line).unwrap().how(means);
    let sso = "--sso-session corp --sso-account-id 123456789012 --sso-role-name Admin";
    for line in ["--profile dev", sso] {
        assert_eq!(how(line, means(true, true)), Some(SignIn::Browser));
        assert_eq!(how(line, means(true, false)), Some(SignIn::Browser));
        assert_eq!(how(line, means(false, true)), Some(SignIn::Terminal));
        assert_eq!(how(line, means(false, false)), None);
    }
    assert_eq!(how("--profile old", means(true, true)), Some(SignIn::Terminal));
    assert_eq!(how("--profile old", means(true, false)), None, "nobody sees the code");
    let role = world.ask("--profile over-sso").unwrap();
    assert_eq!(role.how(means(true, true)), None, "the step below asks");
    assert_eq!(role.source().unwrap().how(means(true, true)), Some(SignIn::Browser));
    assert_eq!(role.source().unwrap().sign_in_line().as_deref(), Some(LINE));
    let old = world.ask("--profile old").unwrap().sign_in_line();
    assert_eq!(old, Some(LINE.replace("dev", "old")));
}

#[test]
fn a_sign_in_is_written_as_aws_writes_it_and_lends_roles() {
    let world = world();
    world.http.answer(200, &[], REGISTERED);
    world.http.answer(200, &[], ISSUED);
    let request = request(&world);
    assert!(matches!(signs_in(&world, request.as_ref()), Ok(SignedIn::Session)));
    let bytes = world.host().files.read(Path::new(CORP)).unwrap().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), WRITTEN);
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
    world.sso_lends();
    let credential = world.lend(request.as_ref()).unwrap();
    assert!(request.still_ours(&credential, &world.host()));
    let shown = world.http.requests().pop().unwrap().headers;
    assert_eq!(shown, [("x-amz-sso_bearer_token".into(), "new".into())]);
    for line in world.notes.lines() {
        for secret in ["hunter2", "c/1", "\"new\"", "next\""] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn whoever_signed_in_meanwhile_is_enough() {
    for before in [None, Some(r#"{"accessToken":"old","expiresAt":"2026-01-02T03:04:05Z"}"#)] {
        let world = match before {
            Some(text) => world().file(CORP, text),
            None => world(),
        };
        let request = request(&world);
        assert_eq!(world.lend(request.as_ref()).unwrap_err().kind(), Kind::SignInNeeded);
        world.theirs(CORP, WRITTEN);
        assert!(matches!(signs_in(&world, request.as_ref()), Ok(SignedIn::Session)));
        assert!(world.person.visits().is_empty() && world.http.requests().is_empty());
    }
}

#[test]
fn a_token_that_the_portal_refuses_is_signed_in_for_though_it_looks_good() {
    let world = world().signed_in();
    let request = request(&world);
    world.http.answer(401, &[], r#"{"message":"Session token not found"}"#);
    assert_eq!(world.lend(request.as_ref()).unwrap_err().kind(), Kind::SignInNeeded);
    world.http.answer(200, &[], REGISTERED);
    world.http.answer(200, &[], ISSUED);
    signs_in(&world, request.as_ref()).unwrap();
    assert_eq!(world.person.visits().len(), 1);
}

#[test]
fn what_was_declined_counts_until_somebody_signs_in_or_out() {
    let world = world();
    let before = request(&world).session();
    assert_eq!(request(&world).session(), before);
    let print = request(&world).fingerprint();
    world.theirs(CORP, WRITTEN);
    let after = request(&world).session();
    assert_ne!(after, before);
    assert_eq!(request(&world).fingerprint(), print, "what is lent is kept under one name");
    world.host().files.remove(Path::new(CORP)).unwrap();
    assert_eq!(request(&world).session(), before);
}

#[test]
fn nobody_is_asked_where_the_session_cannot_be_kept_or_nothing_may_be_asked() {
    let full = world();
    full.fill();
    let error = signs_in(&full, request(&full).as_ref()).unwrap_err();
    assert_eq!(error.message(), "a sign-in to SSO could not be kept");
    assert_eq!(error.next_line(), Some("df -h ~/.aws"));
    let untrusted = world().env(&[("AWS_ENDPOINT_URL_SSO_OIDC", "https://evil.example")]);
    let error = signs_in(&untrusted, request(&untrusted).as_ref()).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    for world in [full, untrusted] {
        assert!(!world.host().person.was_asked());
        assert!(world.http.requests().is_empty());
    }
}
