use std::sync::{Arc, Mutex};

use fleetkey_provider::{
    BoxFuture, Error, Host, Http, HttpRequest, HttpResponse, Kind, Method, Retry,
    testing::{ManualClock, ScriptedHttp},
};

use super::*;
use crate::testing::{CORP, World, now};

const AT: &str = "2026-01-02T03:04:05Z";

/// A session as `aws sso login` leaves it, whose token ends then. Written by botocore 1.43 (its
/// `SSOTokenProvider` and `JSONFileCache`).
fn signed_in_until(end: &str) -> String {
    format!(
        r#"{{"startUrl": "https://corp.awsapps.com/start", "region": "eu-central-1", "accessToken": "old", "expiresAt": "{end}", "clientId": "client", "clientSecret": "hunter2", "registrationExpiresAt": "2026-03-01T00:00:00Z", "refreshToken": "once"}}"#
    )
}

/// The same after it was renewed for an hour, as botocore writes it.
const RENEWED: &str = r#"{"startUrl": "https://corp.awsapps.com/start", "region": "eu-central-1", "accessToken": "new", "expiresAt": "2026-01-02T04:04:05Z", "clientId": "client", "clientSecret": "hunter2", "registrationExpiresAt": "2026-03-01T00:00:00Z", "refreshToken": "next"}"#;

const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile dev";

/// What SSO OIDC answers.
const ISSUED: &str =
    r#"{"accessToken":"new","tokenType":"Bearer","expiresIn":3600,"refreshToken":"next"}"#;

/// Somebody whose token is over.
fn world() -> World {
    with(&signed_in_until(AT))
}

fn with(file: &str) -> World {
    World::new().env(&[("AWS_PROFILE", "dev")]).file(CORP, file)
}

/// Asks for the role that the profile is lent.
fn lend(world: &World) -> Result<()> {
    world.lend(world.ask("")?.as_ref()).map(|_| ())
}

/// What the cloud was asked: paths, and the token that was shown.
fn asked(world: &World) -> Vec<String> {
    let line = |request: &HttpRequest| {
        let shown = request.headers.iter().find(|(name, _)| name.contains("bearer"));
        let shown = shown.map(|(_, token)| format!(" {token}")).unwrap_or_default();
        format!("{}{shown}", request.endpoint.url().path())
    };
    world.http.requests().iter().map(line).collect()
}

/// What lies in the session's file.
fn kept(world: &World) -> String {
    let bytes = world.host().files.read(Path::new(CORP)).unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_session_that_is_over_is_renewed_and_written_back_byte_for_byte() {
    for end in [AT, "2026-01-01T00:00:00Z", "2026-01-02T03:20:04Z", "2026-01-02T03:20:04UTC"] {
        let world = with(&signed_in_until(end));
        world.http.answer(200, &[], ISSUED);
        world.sso_lends();
        lend(&world).unwrap();
        let sent = &world.http.requests()[0];
        assert_eq!(sent.method, Method::Post);
        assert_eq!(sent.endpoint.as_str(), "https://oidc.eu-central-1.amazonaws.com/token");
        assert_eq!(sent.headers, [("content-type".into(), "application/json".into())]);
        assert_eq!(
            std::str::from_utf8(&sent.body).unwrap(),
            r#"{"grantType":"refresh_token","clientId":"client","clientSecret":"hunter2","refreshToken":"once"}"#
        );
        assert!(matches!(sent.retry, Retry::Redemption));
        assert_eq!(asked(&world), ["/token", "/federation/credentials new"]);
        assert_eq!(kept(&world), RENEWED);
        assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
    }
}

#[test]
fn a_token_with_sixteen_minutes_left_is_used_as_it_is() {
    let world = with(&signed_in_until("2026-01-02T03:20:05Z"));
    world.sso_lends();
    lend(&world).unwrap();
    assert_eq!(asked(&world), ["/federation/credentials old"]);
    assert_eq!(kept(&world), signed_in_until("2026-01-02T03:20:05Z"));
}

#[test]
fn one_renewal_serves_every_role_of_a_session() {
    let more = "\n[profile ops]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = Ops\n";
    let world = world().file("/home/.aws/config", &format!("{}{more}", crate::testing::CONFIG));
    world.http.answer(200, &[], ISSUED);
    world.sso_lends();
    world.sso_lends();
    for profile in ["dev", "ops"] {
        let request = world.ask(&format!("--profile {profile}")).unwrap();
        world.lend(request.as_ref()).unwrap();
    }
    assert_eq!(
        asked(&world),
        ["/token", "/federation/credentials new", "/federation/credentials new"]
    );
    let session = |profile| world.ask(&format!("--profile {profile}")).unwrap().session();
    assert_eq!(session("dev"), session("ops"));
}

#[test]
fn what_is_lent_after_a_renewal_is_lent_for_the_session_as_it_then_is() {
    let world = world();
    world.http.answer(200, &[], ISSUED);
    world.sso_lends();
    let request = world.ask("").unwrap();
    let credential = world.lend(request.as_ref()).unwrap();
    assert!(request.still_ours(&credential, &world.host()));
    world.theirs(CORP, &signed_in_until(AT));
    assert!(!request.still_ours(&credential, &world.host()));
}

#[test]
fn what_was_lent_before_a_renewal_is_theirs_still_and_before_a_sign_in_it_is_not() {
    let world = with(&signed_in_until("2026-01-02T03:20:05Z"));
    world.sso_lends();
    let request = world.ask("").unwrap();
    let first = world.lend(request.as_ref()).unwrap();
    // so short that each is renewed as soon as the clock moves
    let short = ISSUED.replace("3600", "60");
    for token in ["second", "third"] {
        world.http.answer(200, &[], &short.replace("new", token));
        world.sso_lends();
        let clock = Box::new(ManualClock::at("2026-01-02T03:04:06Z"));
        let later = Host { clock, ..world.host() };
        drop(now(request.obtain(None, &later)).unwrap());
        assert!(kept(&world).contains(token));
        assert!(request.still_ours(&first, &world.host()), "{token}");
    }
    // another tool's
    world.theirs(CORP, &kept(&world).replace("third", "x"));
    assert!(!request.still_ours(&first, &world.host()));
    assert!(world.host().files.remove(Path::new(CORP)).unwrap());
    assert!(!request.still_ours(&first, &world.host()));
}

#[test]
fn a_renewal_of_what_changed_while_it_was_read_makes_nobody_its_heir() {
    let world = with(&signed_in_until(AT));
    world.http.answer(200, &[], ISSUED);
    world.sso_lends();
    let request = world.ask("").unwrap();
    let before = world.host().files.stamp(Path::new(CORP)).unwrap();
    // somebody signs in while it is renewed: that is kept, and is nobody's heir
    let theirs = |world: &World| world.theirs(CORP, &RENEWED.replace("\"new\"", "\"theirs\""));
    lend_while(&world, theirs).unwrap();
    let session = request.session().unwrap();
    let now = kept(&world);
    assert!(!world.host().sessions.is_heir(session, now.as_bytes(), before));
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

/// Lends, while somebody else does that.
fn lend_while(world: &World, act: fn(&World)) -> Result<()> {
    let (world, http) = (world.clone(), world.http.clone());
    let request = world.ask("")?;
    let http = Meanwhile { world: world.clone(), act, done: Arc::default(), http };
    let host = Host { http: Box::new(http), ..world.host() };
    now(request.obtain(None, &host)).map(|_| ())
}

const REFUSED: &str = r#"{"error":"invalid_grant","error_description":"hunter2 is not it"}"#;

#[test]
fn a_grant_that_aws_used_first_is_no_reason_to_sign_in() {
    let world = world();
    world.http.answer(400, &[], REFUSED);
    world.sso_lends();
    let theirs = |world: &World| world.theirs(CORP, &RENEWED.replace("\"new\"", "\"theirs\""));
    lend_while(&world, theirs).unwrap();
    assert_eq!(asked(&world), ["/token", "/federation/credentials theirs"]);
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
}

#[test]
fn whoever_signed_in_or_out_meanwhile_is_not_undone() {
    let world = world();
    world.http.answer(200, &[], ISSUED);
    world.sso_lends();
    let theirs = |world: &World| world.theirs(CORP, &RENEWED.replace("\"new\"", "\"theirs\""));
    lend_while(&world, theirs).unwrap();
    assert_eq!(asked(&world), ["/token", "/federation/credentials theirs"]);
    assert!(kept(&world).contains("theirs"));

    let world = self::world();
    world.http.answer(200, &[], ISSUED);
    let out = |world: &World| assert!(world.host().files.remove(Path::new(CORP)).unwrap());
    let error = lend_while(&world, out).unwrap_err();
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert!(error.to_string().contains("there is no"), "{error}");
    assert!(world.written().is_empty());
}

#[test]
fn a_dead_grant_is_sent_once_and_then_asks_to_sign_in() {
    for (status, body) in [
        (400, REFUSED),
        (400, r#"{"error":"expired_token"}"#),
        (401, r#"{"error":"invalid_client","error_description":"x"}"#),
    ] {
        let world = world();
        world.http.answer(status, &[], body);
        for _ in 0..3 {
            let error = lend(&world).unwrap_err();
            assert_eq!(error.kind(), Kind::SignInNeeded, "{error}");
            assert_eq!(error.next_line(), Some(LINE));
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(asked(&world), ["/token"], "{body}");
        // whoever signs in anew is not stopped by what was before
        world.theirs(CORP, RENEWED);
        world.sso_lends();
        lend(&world).unwrap();
    }
}

#[test]
fn a_renewal_whose_answer_was_lost_is_not_tried_again_until_the_file_changes() {
    for (status, body) in [(502, "<html>"), (504, ""), (200, "{}"), (200, r#"{"accessToken":"n"#)] {
        let world = world();
        world.http.answer(status, &[], body);
        assert_eq!(lend(&world).unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(world.sessions.steps(), ["open", "redeeming", "close"]);
        let error = lend(&world).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded, "{error}");
        assert!(error.to_string().contains("was to be renewed before"), "{error}");
        assert_eq!(error.next_line(), Some(LINE));
        assert_eq!(asked(&world), ["/token"]);
        world.theirs(CORP, &signed_in_until("2026-01-02T03:04:06Z"));
        world.http.answer(200, &[], ISSUED);
        world.sso_lends();
        lend(&world).unwrap();
    }
}

/// A network that is not there.
struct Nowhere(fn() -> Error);

impl Http for Nowhere {
    fn send<'a>(&'a self, _request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async { Err((self.0)()) })
    }
}

#[test]
fn what_was_not_sent_or_not_looked_at_is_sent_again() {
    let errors: [fn() -> Error; 2] =
        [|| Error::unavailable("`x` cannot be reached").unsent(), || Error::failed("no client")];
    let world = world();
    for error in errors {
        let host = Host { http: Box::new(Nowhere(error)), ..world.host() };
        let request = world.ask("").unwrap();
        assert!(now(request.obtain(None, &host)).is_err());
    }
    for (status, body) in [
        (429, ""),
        (503, ""),
        (403, "<html>a proxy's</html>"),
        (302, ""),
        (400, r#"{"error":"slow_down"}"#),
        (500, r#"{"error":"server_error"}"#),
        (400, r#"{"error":"invalid_request"}"#),
    ] {
        world.http.answer(status, &[], body);
        let error = lend(&world).unwrap_err();
        assert_ne!(error.kind(), Kind::SignInNeeded, "{body}: {error}");
    }
    world.http.answer(200, &[], ISSUED);
    world.sso_lends();
    lend(&world).unwrap();
    assert_eq!(kept(&world), RENEWED);

    let world = self::world();
    let host = Host { http: Box::new(Nowhere(|| Error::unavailable("broke off"))), ..world.host() };
    let request = world.ask("").unwrap();
    assert!(now(request.obtain(None, &host)).is_err());
    assert_eq!(lend(&world).unwrap_err().kind(), Kind::SignInNeeded);
}

#[test]
fn a_token_that_still_works_is_used_where_it_cannot_be_renewed() {
    let world = with(&signed_in_until("2026-01-02T03:06:00Z"));
    world.http.answer(503, &[], "");
    world.sso_lends();
    lend(&world).unwrap();
    assert_eq!(asked(&world), ["/token", "/federation/credentials old"]);
    let notes = world.notes.lines().join("\n");
    assert!(notes.contains("not renewed"), "{notes}");
}

#[test]
fn what_cannot_be_written_back_is_not_sent() {
    let world = world();
    world.fill();
    let error = lend(&world).unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(error.next_line(), Some("df -h ~/.aws ~/.local/state"));
    assert!(asked(&world).is_empty());
    assert_eq!(world.sessions.steps(), ["open", "close"]);
}

#[test]
fn a_disk_that_is_full_too_late_costs_the_session_and_not_the_answer() {
    let world = world();
    world.http.answer(200, &[], ISSUED);
    world.sso_lends();
    lend_while(&world, World::fill).unwrap();
    assert_eq!(asked(&world), ["/token", "/federation/credentials new"]);
    let notes = world.notes.lines().join("\n");
    assert!(notes.contains("you will have to sign in"), "{notes}");
    assert_eq!(lend(&world).unwrap_err().kind(), Kind::SignInNeeded);
    assert_eq!(world.http.requests().len(), 2);
}

#[test]
fn what_cannot_be_renewed_says_why_and_asks_nobody() {
    let session = signed_in_until(AT);
    for (file, words) in [
        (session.replace("2026-03-01", "2026-01-01"), "could be renewed until 2026-01-01"),
        (session.replace("refreshToken", "x"), "`sso_registration_scopes = sso:account:access`"),
    ] {
        let world = with(&file);
        let error = lend(&world).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.next_line(), Some(LINE));
        assert!(asked(&world).is_empty() && world.sessions.steps().is_empty());
    }
}

#[test]
fn settings_of_the_older_form_are_never_renewed_and_say_so() {
    const LEGACY: &str = "/home/.aws/sso/cache/40840c65697c043e2a71754cccb2ab4de3acc1c1.json";
    let config = "[profile old]\nsso_start_url = https://my.awsapps.com/start\n\
                  sso_region = eu-central-1\nsso_account_id = 1\nsso_role_name = R\n";
    let world = World::new()
        .env(&[("AWS_PROFILE", "old")])
        .file("/home/.aws/config", config)
        .file(LEGACY, &signed_in_until(AT));
    let error = lend(&world).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nobody is signed in to SSO `https://my.awsapps.com/start`: the last sign-in ended at \
         2026-01-02T03:04:05Z; it is not renewed, since profile `old` names no `sso_session`"
    );
    assert_eq!(error.next_line(), Some(&*LINE.replace("dev", "old")));
    assert!(world.http.requests().is_empty());
}

#[test]
fn an_endpoint_that_may_not_be_asked_matters_when_it_has_to_be() {
    let untrusted = [("AWS_ENDPOINT_URL_SSO_OIDC", "https://evil.example")];
    let world = with(RENEWED).env(&untrusted);
    world.sso_lends();
    lend(&world).unwrap();
    let world = self::world().env(&untrusted);
    let error = lend(&world).unwrap_err();
    assert!(error.to_string().contains("AWS_ENDPOINT_URL_SSO_OIDC"), "{error}");
    assert_eq!(world.sessions.steps().len(), 0);
}

#[test]
fn the_file_is_named_as_the_cli_names_it() {
    for (session, file) in [
        ("corp", "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"),
        ("https://my.awsapps.com/start", "40840c65697c043e2a71754cccb2ab4de3acc1c1.json"),
    ] {
        assert_eq!(file_name(session), file);
    }
}
