use fleetkey_provider::{Clock, HttpRequest, SignIn, testing::ManualClock};
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::testing::{NOW, World, now};

const KEPT: &str = "/home/.aws/sso/cache/00f5372d48a2c6a221c5a68a33caf46b053d0ab4.json";
const REGISTRATION: &str = r#"{"clientId":"client","clientSecret":"hunter2","expiresAt":"2026-03-01T00:00:00Z","scopes":["sso:account:access"]}"#;
const REGISTERED: &str =
    r#"{"clientId":"another","clientSecret":"hunter3","clientSecretExpiresAt":1775099045}"#;
const PENDING: &str = r#"{"error":"authorization_pending"}"#;
const ISSUED: &str = r#"{"accessToken":"new","expiresIn":3600,"refreshToken":"next"}"#;
const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile dev";

fn code() -> serde_json::Value {
    json!({
        "deviceCode": "hunter4", "userCode": "ABCD-EFGH", "expiresIn": 600, "interval": 5,
        "verificationUri": "https://corp.awsapps.com/start/#/device",
        "verificationUriComplete": "https://corp.awsapps.com/start/#/device?user_code=ABCD-EFGH",
    })
}

/// Somebody who is shown that code.
fn shown_the(code: &serde_json::Value) -> World {
    let world = World::new().env(&[("AWS_PROFILE", "dev")]).file(KEPT, REGISTRATION);
    world.http.answer(200, &[], &code.to_string());
    world
}

/// What came of it, and how many seconds were waited.
fn sign_in(world: &World) -> (Result<()>, i64) {
    let clock = ManualClock::at(NOW);
    let host = Host { clock: Box::new(clock.clone()), ..world.host() };
    let request = world.ask("").unwrap();
    let done = now(request.sign_in(SignIn::Terminal, None, &host)).map(|_| ());
    (done, clock.now().duration_since(NOW.parse::<Timestamp>().unwrap()).as_secs())
}

fn bodies(world: &World) -> Vec<String> {
    let line = |sent: &HttpRequest| {
        let body = String::from_utf8(sent.body.clone()).unwrap();
        format!("{} {body}", sent.endpoint.url().path())
    };
    world.http.requests().iter().map(line).collect()
}

#[test]
fn a_code_is_shown_and_asked_after_until_it_was_typed() {
    let world = shown_the(&code());
    world.http.answer(400, &[], PENDING);
    world.http.answer(400, &[], r#"{"error":"slow_down"}"#);
    world.http.answer(503, &[], "");
    world.http.answer(400, &[], PENDING);
    world.http.answer(200, &[], ISSUED);
    let (done, waited) = sign_in(&world);
    done.unwrap();
    assert_eq!(waited, 5 + 5 + 10 + 15 + 15);
    let poll = r#"/token {"clientId":"client","clientSecret":"hunter2","grantType":"urn:ietf:params:oauth:grant-type:device_code","deviceCode":"hunter4"}"#;
    let mut expected = vec![
        r#"/device_authorization {"clientId":"client","clientSecret":"hunter2","startUrl":"https://corp.awsapps.com/start"}"#,
    ];
    expected.resize(6, poll);
    assert_eq!(bodies(&world), expected);
    assert!(matches!(world.http.requests()[1].retry, Retry::Never));
    let [told] = &world.person.told()[..] else { panic!("{:?}", world.person.told()) };
    assert_eq!(
        told,
        "To sign in to SSO session `corp` (https://corp.awsapps.com/start), open \
         https://corp.awsapps.com/start/#/device and type the code ABCD-EFGH\n\
         (or open https://corp.awsapps.com/start/#/device?user_code=ABCD-EFGH, which has it filled in)\n\
         It lets fleetkey on this machine act for you in AWS.\n\
         Type it only if it was you who started this, just now."
    );
    assert!(world.person.visits().is_empty(), "a page was opened");
    let (path, text) = &world.written()[0];
    assert_eq!(path, crate::testing::CORP);
    assert!(
        text.contains(r#""accessToken": "new", "expiresAt": "2026-01-02T04:04:55Z""#),
        "{text}"
    );
}

#[test]
fn settings_of_the_older_form_have_codes_alone_and_no_scopes() {
    let config = "[profile old]\nsso_start_url = https://my.awsapps.com/start\n\
                  sso_region = eu-central-1\nsso_account_id = 1\nsso_role_name = R\n";
    let world = World::new().env(&[("AWS_PROFILE", "old")]).file("/home/.aws/config", config);
    world.http.answer(200, &[], REGISTERED);
    world.http.answer(200, &[], &code().to_string());
    world.http.answer(200, &[], r#"{"accessToken":"new","expiresIn":28800}"#);
    let request = world.ask("").unwrap();
    // whatever there is to ask by
    now(request.sign_in(SignIn::Browser, None, &world.host())).unwrap();
    assert!(world.person.visits().is_empty());
    let told = &world.person.told()[0];
    assert!(told.contains("SSO of profile `old` (https://my.awsapps.com/start)"), "{told}");
    let (path, text) = &world.written()[1];
    assert_eq!(path, "/home/.aws/sso/cache/40840c65697c043e2a71754cccb2ab4de3acc1c1.json");
    assert_eq!(
        text,
        r#"{"startUrl": "https://my.awsapps.com/start", "region": "eu-central-1", "accessToken": "new", "expiresAt": "2026-01-02T11:04:10Z", "clientId": "another", "clientSecret": "hunter3", "registrationExpiresAt": "2026-04-02T03:04:05Z"}"#
    );
}

#[test]
fn whoever_does_not_type_it_is_told_how_to_start_again() {
    for (status, body, kind, words) in [
        (400, r#"{"error":"access_denied"}"#, Kind::SignInNeeded, "was declined"),
        (400, r#"{"error":"expired_token"}"#, Kind::SignInNeeded, "was not typed in time"),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"hunter4 is none of hunter2"}"#,
            Kind::SignInNeeded,
            "did not take what the sign-in",
        ),
        (401, r#"{"error":"invalid_client"}"#, Kind::SignInNeeded, "does not know what"),
        (400, r#"{"error":"invalid_request"}"#, Kind::Config, "finds the request"),
        (400, r#"{"error":"novelty"}"#, Kind::Refused, "refused to sign in"),
    ] {
        let world = shown_the(&code());
        world.http.answer(400, &[], PENDING);
        world.http.answer(status, &[], body);
        let error = sign_in(&world).0.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert!(error.message().contains(words), "{error}");
        let said = format!("{error} {:?}", world.notes.lines());
        assert!(!said.contains("hunter"), "{said}");
        assert_eq!((world.http.requests().len(), world.written().len()), (3, 0));
        if kind == Kind::SignInNeeded {
            assert_eq!(error.next_line(), Some(LINE));
        }
    }
}

#[test]
fn a_code_is_asked_after_no_longer_than_it_is_good() {
    let mut code = code();
    code["interval"] = json!(60);
    for (life, polls, time) in [(600, 10, 600), (90_000, 15, 900), (59, 0, 0), (-5, 0, 0)] {
        code["expiresIn"] = json!(life);
        let world = shown_the(&code);
        for _ in 0..polls {
            world.http.answer(400, &[], PENDING);
        }
        let (done, waited) = sign_in(&world);
        let error = done.unwrap_err();
        assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(LINE)));
        assert_eq!(error.message(), "the code was not typed in time");
        assert_eq!((world.http.requests().len(), waited), (1 + polls, time));
    }
}

#[test]
fn a_network_that_stays_away_ends_it() {
    let world = shown_the(&code());
    for _ in 0..3 {
        world.http.answer(200, &[], "<html>sign in to the network</html>");
    }
    let error = sign_in(&world).0.unwrap_err();
    assert_eq!((error.kind(), world.http.requests().len()), (Kind::Unavailable, 4));
}

#[test]
fn a_client_that_aws_forgot_is_registered_anew_before_anybody_is_asked() {
    let world = World::new().env(&[("AWS_PROFILE", "dev")]).file(KEPT, REGISTRATION);
    world.http.answer(401, &[], r#"{"error":"invalid_client"}"#);
    world.http.answer(200, &[], REGISTERED);
    world.http.answer(200, &[], &code().to_string());
    world.http.answer(200, &[], ISSUED);
    sign_in(&world).0.unwrap();
    assert_eq!(world.person.told().len(), 1);
    let paths: Vec<_> =
        bodies(&world).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let start = "/device_authorization";
    assert_eq!(paths, [start, "/client/register", start, "/token"]);
    // once: what was just registered is not the reason
    let world = World::new().env(&[("AWS_PROFILE", "dev")]);
    world.http.answer(200, &[], REGISTERED);
    world.http.answer(401, &[], r#"{"error":"invalid_client"}"#);
    assert_eq!(sign_in(&world).0.unwrap_err().kind(), Kind::SignInNeeded);
    assert_eq!(world.http.requests().len(), 2);
}

#[test]
fn what_would_mislead_a_person_is_not_shown() {
    for (name, value) in [
        ("userCode", "A\nenter it at evil.example"),
        ("userCode", ""),
        ("userCode", "A\u{1b}[2J"),
        ("userCode", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH"),
        ("deviceCode", ""),
        ("verificationUri", "http://corp.awsapps.com"),
        ("verificationUri", "javascript:alert(1)"),
        ("verificationUri", "https://corp.awsapps.com@evil.example/"),
        ("verificationUri", "http://localhost/"),
        ("verificationUri", "corp.awsapps.com"),
    ] {
        let mut code = code();
        code[name] = json!(value);
        let world = shown_the(&code);
        let error = sign_in(&world).0.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{value}: {error}");
        assert!(world.person.told().is_empty());
    }
    let mut bare = code();
    bare["verificationUriComplete"] = json!("http://evil.example");
    bare["interval"] = json!(null);
    let world = shown_the(&bare);
    world.http.answer(200, &[], ISSUED);
    let (done, waited) = sign_in(&world);
    done.unwrap();
    assert_eq!(waited, 5);
    assert!(!world.person.told()[0].contains("evil.example"));
}
