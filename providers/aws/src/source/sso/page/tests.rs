use fleetkey_provider::{Request, Retry, testing::Answer};

use super::*;
use crate::testing::{World, now};

const KEPT: &str = "/home/.aws/sso/cache/00f5372d48a2c6a221c5a68a33caf46b053d0ab4.json";
const REGISTRATION: &str = r#"{"clientId":"client+1","clientSecret":"hunter2","expiresAt":"2026-03-01T00:00:00Z","scopes":["sso:account:access"],"grantTypes":["authorization_code","refresh_token"]}"#;
const ISSUED: &str = r#"{"accessToken":"new","expiresIn":3600,"refreshToken":"next"}"#;
const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile dev";

fn world(answer: Answer) -> World {
    World::new().env(&[("AWS_PROFILE", "dev")]).file(KEPT, REGISTRATION).who(answer)
}

#[allow(clippy::unnecessary_wraps, reason = "an `Answer` may be an error")]
fn with(visit: &Visit, pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
    let state = [("state", visit.state.as_str())];
    Ok(state.iter().chain(pairs).map(|(n, v)| ((*n).into(), (*v).into())).collect())
}

fn comes_back(visit: &Visit) -> Result<Vec<(String, String)>> {
    with(visit, &[("code", "c/1")])
}

fn sign_in(world: &World) -> Result<()> {
    let request: Box<dyn Request> = world.ask("").unwrap();
    now(request.sign_in(SignIn::Browser, None, &world.host())).map(|_| ())
}

/// What the scripted chance makes of the bytes in that range.
fn chance(range: std::ops::Range<u8>) -> String {
    URL_SAFE_NO_PAD.encode(range.collect::<Vec<u8>>())
}

#[test]
fn the_page_and_what_is_made_of_its_code() {
    let world = world(comes_back);
    world.http.answer(200, &[], ISSUED);
    sign_in(&world).unwrap();
    assert_eq!(world.person.ports(), [None]);
    let visit = &world.person.visits()[0];
    // SHA-256 of the verifier, computed elsewhere
    let challenge = "kLfxiTSrox_ke7yPyjvQYBZ97Vxt2KfwU9deyoPONcI";
    assert_eq!(
        visit.url,
        format!(
            "https://oidc.eu-central-1.amazonaws.com/authorize?response_type=code\
             &client_id=client%2B1\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Foauth%2Fcallback\
             &state={}&code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess\
             &code_challenge={challenge}",
            chance(48..80)
        )
    );
    assert_eq!((visit.state.as_str(), visit.path.as_str()), (&*chance(48..80), "/oauth/callback"));
    assert_eq!(visit.purpose, "sign in to SSO session `corp` (https://corp.awsapps.com/start)");
    assert_eq!((visit.how, visit.limit.as_secs()), (SignIn::Browser, 300));
    let [sent] = &world.http.requests()[..] else { panic!("more than one question") };
    assert_eq!(sent.endpoint.as_str(), "https://oidc.eu-central-1.amazonaws.com/token");
    assert_eq!(
        std::str::from_utf8(&sent.body).unwrap(),
        format!(
            r#"{{"clientId":"client+1","clientSecret":"hunter2","grantType":"authorization_code","code":"c/1","redirectUri":"http://127.0.0.1:49152/oauth/callback","codeVerifier":"{}"}}"#,
            chance(0..48)
        )
    );
    assert_eq!(chance(0..48).len(), 64);
    assert!(matches!(sent.retry, Retry::Never));
}

#[test]
fn scopes_are_told_apart_by_blanks_that_every_server_reads() {
    let scopes = "sso_region = eu-central-1\nsso_registration_scopes = a,b";
    let config = crate::testing::CONFIG.replace("sso_region = eu-central-1", scopes);
    let world = world(comes_back).file("/home/.aws/config", &config);
    let registered =
        r#"{"clientId":"client","clientSecret":"hunter2","clientSecretExpiresAt":1775099045}"#;
    world.http.answer(200, &[], registered);
    world.http.answer(200, &[], ISSUED);
    sign_in(&world).unwrap();
    let url = &world.person.visits()[0].url;
    assert!(url.contains("&scopes=a%20b&"), "{url}");
}

#[test]
fn what_a_browser_may_bring_instead() {
    for (answer, kind, words) in [
        (
            (|visit| {
                with(visit, &[("error", "access_denied"), ("error_description", "they said\nno")])
            }) as Answer,
            Kind::SignInNeeded,
            "the sign-in to SSO `corp` was declined: access_denied: they said no",
        ),
        (
            |visit| with(visit, &[("error", "invalid_request"), ("code", "c")]),
            Kind::Config,
            "SSO finds the request to sign in wrong",
        ),
        (|visit| with(visit, &[("error", "invalid_scope")]), Kind::Config, "does not give what"),
        (|visit| with(visit, &[("error", "server_error")]), Kind::Unavailable, "is not well"),
        (|visit| with(visit, &[("error", "novelty")]), Kind::Refused, "signed nobody in: novelty"),
        (|visit| with(visit, &[("code", "")]), Kind::Failed, "without a code"),
        (|visit| with(visit, &[]), Kind::Failed, "without a code"),
        (|_| Ok(vec![("code".into(), "c".into())]), Kind::Failed, "another sign-in"),
        (
            |_| Ok(vec![("code".into(), "c".into()), ("state".into(), "other".into())]),
            Kind::Failed,
            "another sign-in",
        ),
        (
            |visit| with(visit, &[("code", "c"), ("iss", "https://evil.example/start")]),
            Kind::Failed,
            "it was answered by https://evil.example/start",
        ),
        (|visit| with(visit, &[("code", "c"), ("iss", "")]), Kind::Failed, "another sign-in"),
        (|_| Err(Error::sign_in_needed("nobody came back")), Kind::SignInNeeded, "nobody came"),
    ] {
        let world = world(answer);
        let error = sign_in(&world).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(world.http.requests().is_empty() && world.written().is_empty());
        if kind == Kind::SignInNeeded {
            assert_eq!(error.next_line(), Some(LINE));
        }
    }
}

#[test]
fn an_answer_that_names_who_gave_it_names_the_portal_or_its_service() {
    for answer in [
        (|visit| with(visit, &[("code", "c"), ("iss", "https://corp.awsapps.com/start")]))
            as Answer,
        |visit| with(visit, &[("code", "c"), ("iss", "https://oidc.eu-central-1.amazonaws.com")]),
        |visit| {
            with(visit, &[("code", "c"), ("iss", "https://identitycenter.amazonaws.com/ssoins-1")])
        },
    ] {
        let world = world(answer);
        world.http.answer(200, &[], ISSUED);
        sign_in(&world).unwrap();
    }
}

#[test]
fn a_code_is_sent_once_and_not_shown() {
    for (status, body, kind, words) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"c/1 of hunter2 is used"}"#,
            Kind::SignInNeeded,
            "SSO did not take what the sign-in to `corp` brought",
        ),
        (400, r#"{"error":"expired_token"}"#, Kind::SignInNeeded, "took too long"),
        (401, r#"{"error":"invalid_client"}"#, Kind::SignInNeeded, "does not know what fleetkey"),
        (400, r#"{"error":"invalid_request"}"#, Kind::Config, "finds the request to sign in wrong"),
        (500, r#"{"error":"server_error"}"#, Kind::Unavailable, "could not sign in"),
        (502, "<html>", Kind::Unavailable, "502"),
        (200, "{}", Kind::Unavailable, "another shape"),
        (
            200,
            r#"{"accessToken":"a b","expiresIn":3600}"#,
            Kind::Unavailable,
            "a token that is none",
        ),
        (
            200,
            r#"{"accessToken":"a","expiresIn":9223372036854775807}"#,
            Kind::Unavailable,
            "that is none",
        ),
        (302, "", Kind::Unavailable, "pointed elsewhere"),
    ] {
        let world = world(comes_back);
        world.http.answer(status, &[("location", "https://evil.example")], body);
        let error = sign_in(&world).unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert!(error.to_string().contains(words), "{error}");
        let said = format!("{error} {:?}", world.notes.lines());
        assert!(!said.contains("hunter2") && !said.contains("c/1"), "{said}");
        assert_eq!(world.http.requests().len(), 1);
        assert!(world.written().is_empty());
        assert_eq!(error.next_line().is_some(), kind != Kind::Config, "{error}");
        let is_kept = world.host().files.read(std::path::Path::new(KEPT)).unwrap().is_some();
        assert_eq!(is_kept, !body.contains("invalid_client"), "{body}");
    }
}

#[test]
fn a_client_is_kept_when_a_person_walks_away_and_forgotten_when_it_is_not_known() {
    let is_kept =
        |world: &World| world.host().files.read(std::path::Path::new(KEPT)).unwrap().is_some();
    let walked = world(|_| Err(Error::sign_in_needed("nobody came back").because("in 5 min")));
    let error = sign_in(&walked).unwrap_err();
    assert!(is_kept(&walked));
    let cause = error.cause().unwrap();
    assert!(cause.starts_with("in 5 min; if the page") && cause.contains(KEPT), "{cause}");
    let unknown = world(|visit| with(visit, &[("error", "invalid_client")]));
    sign_in(&unknown).unwrap_err();
    assert!(!is_kept(&unknown));
    let strangers = world(|_| Ok(vec![("error".into(), "invalid_client".into())]));
    sign_in(&strangers).unwrap_err();
    assert!(is_kept(&strangers));
}
