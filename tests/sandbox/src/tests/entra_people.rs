//! People: passwords, device codes, refresh tokens, and what a person must be asked first.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::entra::{AKS, ALICE, APP, Answer, PUBLIC, SCOPE, Stage, changed, claims, recording};
use crate::entra::{App, Device, Person, Rotation};
use crate::{Fault, Route};

const ROPC: [(&str, &str); 5] = [
    ("grant_type", "password"),
    ("client_id", PUBLIC),
    ("scope", SCOPE),
    ("username", ALICE),
    ("password", "pass word&+%"),
];

#[test]
fn a_password() {
    let stage = Stage::new();
    let ask = |tenant: &str, form: &[(&str, &str)]| stage.token(tenant, &changed(&ROPC, form));
    let answer = ask(&stage.contoso, &[("client_info", "1"), ("username", "Alice@Contoso.com")]);
    let token = answer.claims();
    assert_eq!((&token["upn"], &token["appid"]), (&json!(ALICE), &json!(PUBLIC)));
    assert_eq!((&token["aud"], &token["appidacr"]), (&json!(AKS), &json!("0")));
    let oid = stage.entra().object_id(ALICE, &stage.contoso);
    assert_eq!((&token["oid"], &token["tid"]), (&json!(oid), &json!(stage.contoso)));
    assert_eq!(answer.text("scope"), format!("{AKS}/user.read {AKS}/.default"));
    let info: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(answer.text("client_info")).unwrap())
            .unwrap();
    assert_eq!(info, json!({ "uid": oid, "utid": stage.contoso }));
    let id = claims(&answer.text("id_token"));
    assert_eq!((&id["aud"], &id["preferred_username"]), (&json!(PUBLIC), &json!(ALICE)));
    assert!(answer.text("refresh_token").len() > 500);

    let plain = ask("organizations", &[("scope", &format!("{AKS}/.default"))]);
    assert_eq!(plain.claims()["tid"], stage.contoso);
    for name in ["refresh_token", "id_token", "client_info"] {
        assert!(plain.body[name].is_null(), "{name} was not asked for");
    }
    stage
        .entra()
        .person(Person::new("bob@contoso.com", &[&stage.contoso]).password("b").federated());
    let refusal = |form: &[(&str, &str)]| ask(&stage.contoso, form).refusal();
    let grant = |code| (400, "invalid_grant".to_owned(), code);
    assert_eq!(refusal(&[("password", "pass word&+")]), grant(50126));
    assert_eq!(refusal(&[("username", "nobody@contoso.com")]), grant(50034));
    assert_eq!(refusal(&[("username", "bob@contoso.com"), ("password", "b")]), grant(50126));
    assert_eq!(refusal(&[("password", "")]).2, 900_144);
    assert_eq!(refusal(&[("client_id", APP)]).2, 7_000_218, "an app with a secret has to show it");
    assert_eq!(
        ask(&stage.contoso, &[("client_id", APP), ("client_secret", "s3cret~")]).status,
        200
    );
}

/// Asks for a device code, as MSAL for Go does.
fn device(stage: &Stage, tenant: &str) -> Answer {
    let form = [("client_id", PUBLIC), ("scope", SCOPE)];
    Answer::of(&stage.post(&format!("/{tenant}/oauth2/v2.0/devicecode"), &form))
}

fn poll(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", PUBLIC),
        ("device_code", code),
        ("scope", SCOPE),
    ]
}

#[test]
fn a_device_code() {
    let stage = Stage::new();
    let entra = stage.entra();
    let asked = device(&stage, "organizations");
    assert_eq!((&asked.body["interval"], &asked.body["expires_in"]), (&json!(1), &json!(900)));
    assert_eq!(asked.text("verification_uri"), "https://microsoft.com/devicelogin");
    let (user_code, code) = (asked.text("user_code"), asked.text("device_code"));
    assert!(asked.text("message").contains(&user_code));
    let expected = Device {
        user_code: user_code.clone(),
        client_id: PUBLIC.to_owned(),
        tenant: "organizations".to_owned(),
    };
    assert_eq!(entra.wait_for_device(Duration::ZERO).as_ref(), Some(&expected));
    assert_eq!(entra.devices(), [expected]);

    let ask = |form: &[(&str, &str)]| stage.token("organizations", &changed(&poll(&code), form));
    let pending = (400, "authorization_pending".to_owned(), 70016);
    assert_eq!(ask(&[]).refusal(), pending);
    assert_eq!(ask(&[]).refusal().1, "slow_down", "one second is one second");
    stage.sandbox.advance(SignedDuration::from_secs(5));
    assert_eq!(ask(&[]).refusal().1, "slow_down", "and six then");
    stage.sandbox.advance(SignedDuration::from_secs(12));
    assert_eq!(ask(&[]).refusal(), pending);
    assert_eq!(ask(&[("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")]).refusal().2, 700_007);
    assert_eq!(
        ask(&[("device_code", "x")]).refusal(),
        (400, "bad_verification_code".into(), 70018)
    );

    assert!(!entra.approve("WRONG", ALICE) && !entra.approve(&user_code, "nobody"));
    assert!(entra.approve(&user_code, ALICE));
    assert!(entra.devices().is_empty());
    // MSAL for Python says neither scope nor the long name of the grant
    let done = ask(&[("scope", ""), ("grant_type", "device_code")]);
    assert_eq!((&done.claims()["upn"], done.claims()["aud"].as_str()), (&json!(ALICE), Some(AKS)));
    assert!(done.body["refresh_token"].is_string() && done.body["id_token"].is_string());
    assert_eq!(ask(&[]).refusal().2, 70018, "a code is good once");
    assert_eq!(stage.sandbox.count(Route::EntraDeviceCode), 1);
}

#[test]
fn how_a_device_code_ends() {
    let stage = Stage::new();
    let entra = stage.entra();
    entra.device_interval(0);
    let new = || {
        let asked = device(&stage, &stage.contoso);
        assert_eq!(asked.body["interval"], 0);
        (asked.text("user_code"), asked.text("device_code"))
    };
    let refusal = |code: &str| {
        let (status, error, code) = stage.token(&stage.contoso, &poll(code)).refusal();
        assert_eq!(status, 400);
        (error, code)
    };
    let (user, code) = new();
    entra.slow_down(&user);
    assert_eq!(refusal(&code).0, "slow_down");
    entra.decline(&user);
    assert!(!entra.approve(&user, ALICE));
    assert_eq!(refusal(&code).0, "authorization_declined");
    let (user, code) = new();
    entra.expire(&user);
    assert_eq!(refusal(&code), ("expired_token".to_owned(), 70020));
    let (user, code) = new();
    stage.sandbox.advance(SignedDuration::from_mins(15));
    assert!(!entra.approve(&user, ALICE) && entra.devices().is_empty());
    assert_eq!(refusal(&code), ("expired_token".to_owned(), 70020));

    let (user, code) = new();
    entra.person(Person::new("bob@fabrikam.com", &[&stage.fabrikam]));
    assert!(!entra.approve(&user, "bob@fabrikam.com"), "he is nobody there");
    assert!(entra.approve(&user, ALICE));
    let other = changed(&poll(&code), &[("scope", "https://management.azure.com//.default")]);
    let (other, elsewhere) = (stage.token(&stage.contoso, &other), || {
        let (user, code) = new();
        assert!(entra.approve(&user, ALICE));
        stage.token(&stage.fabrikam, &poll(&code)).refusal().2
    });
    assert_eq!((other.refusal().2, elsewhere()), (28002, 700_005));

    let path = format!("/{}/oauth2/v2.0/devicecode", stage.contoso);
    let ask = |form: &[(&str, &str)]| Answer::of(&stage.post(&path, form)).refusal().2;
    assert_eq!(ask(&[("client_id", PUBLIC)]), 70011);
    assert_eq!(ask(&[("scope", SCOPE)]), 900_144);
    assert_eq!(ask(&[("scope", SCOPE), ("client_id", ALICE)]), 700_016);
    // A confidential app gets a code and learns at the end that it cannot use it, as at the real one.
    let form = [("client_id", APP), ("scope", SCOPE)];
    let code = Answer::of(&stage.post(&path, &form)).text("device_code");
    let form = changed(&poll(&code), &[("client_id", APP)]);
    assert_eq!(stage.token(&stage.contoso, &form).refusal().2, 7_000_218);
}

#[test]
fn a_device_code_of_the_older_endpoint() {
    let stage = Stage::new();
    let path = format!("/{}/oauth2/devicecode?api-version=1.0", stage.contoso);
    let asked = Answer::of(&stage.post(&path, &[("client_id", PUBLIC), ("resource", AKS)]));
    assert_eq!((asked.text("interval"), asked.text("expires_in")), ("1".into(), "900".into()));
    assert_eq!(asked.text("verification_url"), "https://microsoft.com/devicelogin");
    let code = asked.text("device_code");
    let form =
        [("grant_type", "device_code"), ("client_id", PUBLIC), ("resource", AKS), ("code", &code)];
    assert_eq!(stage.token_v1(&stage.contoso, &form).refusal().1, "authorization_pending");
    assert!(stage.entra().approve(&asked.text("user_code"), ALICE));
    let done = stage.token_v1(&stage.contoso, &form);
    assert_eq!(done.claims()["aud"], format!("spn:{AKS}"));
    assert_eq!(done.text("resource"), AKS);
    let token = done.text("refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", PUBLIC),
        ("resource", AKS),
        ("refresh_token", &token),
    ];
    assert_eq!(stage.token_v1(&stage.contoso, &form).claims()["upn"], ALICE);
}

fn renewal(token: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", PUBLIC),
        ("refresh_token", token),
        ("scope", SCOPE),
    ]
}

#[test]
fn a_refresh_token() {
    let stage = Stage::new();
    let entra = stage.entra();
    let first = entra.refresh_token(&stage.contoso, PUBLIC, ALICE);
    let ask = |tenant: &str, token: &str, form: &[(&str, &str)]| {
        stage.token(tenant, &changed(&renewal(token), form))
    };
    let at = |tenant: &str, token: &str| ask(tenant, token, &[]);
    let answer = at(&stage.contoso, &first);
    let second = answer.text("refresh_token");
    assert_ne!(first, second);
    assert_eq!(at(&stage.contoso, &first).status, 200, "the old one stays good");
    let guest = at(&stage.fabrikam, &second).claims();
    assert_eq!((&guest["tid"], &guest["upn"]), (&json!(stage.fabrikam), &Value::Null));
    assert_eq!(guest["idp"], format!("https://sts.windows.net/{}/", stage.contoso));
    assert_ne!(guest["oid"], answer.claims()["oid"]);
    assert_eq!(at("organizations", &second).claims()["tid"], stage.contoso);
    assert!(ask(&stage.contoso, &second, &[("scope", &format!("{AKS}/.default"))]).body["refresh_token"].is_null());
    let graph = ask(&stage.contoso, &second, &[("scope", "https://graph.microsoft.com/.default")]);
    assert_eq!(graph.claims()["aud"], "https://graph.microsoft.com");
    assert_eq!(ask(&stage.contoso, &second, &[("scope", "")]).claims()["aud"], AKS);

    let grant = |code| (400, "invalid_grant".to_owned(), code);
    let other = entra.tenant("elsewhere.com");
    assert_eq!(at(&other, &second).refusal(), grant(50020));
    let az = ("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    assert_eq!(ask(&stage.contoso, &second, &[az]).refusal(), grant(700_007));
    assert_eq!(at(&stage.contoso, "1.Anything").refusal(), grant(70000));
    assert_eq!(at(&stage.contoso, "garbage").refusal(), grant(9_002_313));
    entra.revoke_sessions(ALICE);
    assert_eq!(at(&stage.contoso, &second).refusal(), grant(50173));
    let third = entra.refresh_token(&stage.contoso, PUBLIC, ALICE);
    assert_eq!(at(&stage.contoso, &third).status, 200);
    stage.sandbox.advance(SignedDuration::from_hours(90 * 24));
    assert_eq!(at(&stage.contoso, &third).refusal(), grant(700_082));
    assert_eq!(entra.reuses(), 0);
}

#[test]
fn a_refresh_token_that_is_good_once() {
    let stage = Stage::new();
    let entra = stage.entra();
    entra.rotation(Rotation::RevokeOnReuse);
    let first = entra.refresh_token(&stage.contoso, PUBLIC, ALICE);
    let ask = |token: &str| stage.token(&stage.contoso, &renewal(token));
    let second = ask(&first).text("refresh_token");
    let third = ask(&second).text("refresh_token");
    assert_eq!(entra.reuses(), 0);
    assert_eq!(ask(&first).refusal().1, "invalid_grant");
    assert_eq!(entra.reuses(), 1);
    assert_eq!(ask(&third).refusal().1, "invalid_grant", "its family is gone");
}

#[test]
fn what_a_person_must_be_asked() {
    let stage = Stage::new();
    let entra = stage.entra();
    let token = entra.refresh_token(&stage.contoso, PUBLIC, ALICE);
    let wanted = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    entra.require_claims(ALICE, wanted);
    let renew = || stage.token(&stage.contoso, &renewal(&token));
    for answer in [renew(), stage.token(&stage.contoso, &ROPC)] {
        assert_eq!(answer.refusal(), (400, "interaction_required".to_owned(), 50076));
        assert_eq!(answer.text("suberror"), "basic_action");
        let claims: Value = serde_json::from_str(&answer.text("claims")).unwrap();
        assert_eq!(claims, serde_json::from_str::<Value>(wanted).unwrap());
    }
    let sign_in = |claims: &str| {
        let form = changed(&[("client_id", PUBLIC), ("scope", SCOPE)], &[("claims", claims)]);
        let path = format!("/{}/oauth2/v2.0/devicecode", stage.contoso);
        let asked = Answer::of(&stage.post(&path, &form));
        assert!(entra.approve(&asked.text("user_code"), ALICE));
        stage.token(&stage.contoso, &poll(&asked.text("device_code"))).status
    };
    assert_eq!(sign_in(""), 400);
    assert_eq!(sign_in(r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#), 400);
    assert_eq!(renew().status, 400);
    let more =
        r#"{"access_token":{"xms_cc":{"values":["CP1"]},"acrs":{"essential":true,"value":"c1"}}}"#;
    assert_eq!(sign_in(more), 200);
    assert_eq!(renew().status, 200);
}

#[test]
fn clocks_and_faults() {
    let stage = Stage::new();
    let entra = stage.entra();
    entra.lifetime(Duration::from_mins(10));
    let token = entra.refresh_token(&stage.contoso, PUBLIC, ALICE);
    let answer = stage.token(&stage.contoso, &renewal(&token));
    assert_eq!(answer.body["expires_in"], 599);
    let life = answer.claims()["exp"].as_i64().unwrap() - stage.sandbox.now().as_second();
    assert!((590..=600).contains(&life), "{life}");
    stage.sandbox.script(
        Route::EntraToken,
        [Fault::entra(90033, "temporarily_unavailable"), Fault::unavailable(3)],
    );
    let refused = stage.token(&stage.contoso, &renewal(&token));
    assert_eq!(refused.refusal(), (503, "temporarily_unavailable".to_owned(), 90033));
    let path = format!("/{}/oauth2/v2.0/token", stage.contoso);
    assert_eq!(stage.post(&path, &renewal(&token)).header("retry-after"), Some("3"));
    assert_eq!(stage.token(&stage.contoso, &renewal(&token)).status, 200);
    assert_eq!(stage.sandbox.count(Route::EntraToken), 4);
    let who = stage.sandbox.requests().pop().unwrap();
    assert_eq!((who.caller.as_deref(), who.service.as_str()), (Some(ALICE), "entra"));
}

#[test]
fn an_app_is_where_it_was_installed() {
    let stage = Stage::new();
    let mine = "44444444-4444-4444-4444-444444444444";
    stage.entra().app(App::new(&stage.fabrikam, mine).public());
    let ask =
        |tenant: &str| stage.token(tenant, &changed(&ROPC, &[("client_id", mine)])).refusal().2;
    assert_eq!(ask(&stage.contoso), 700_016);
    assert_eq!(ask("organizations"), 700_016, "alice is at home in contoso");
}

/// What Entra answered kubelogin in 2025, its secrets replaced.
#[test]
fn the_answers_have_the_fields_of_recorded_ones() {
    let Some(recorded) = recording("kubelogin_device_code_credential.yaml") else { return };
    let answers = recorded.lines().filter_map(|line| line.trim().strip_prefix("body: '{"));
    let answers: Vec<Value> = answers
        .map(|text| serde_json::from_str(&format!("{{{}", text.trim_end_matches('\''))).unwrap())
        .collect();
    let [_, device, pending, done] = answers.as_slice() else { panic!("another recording") };
    let stage = Stage::new();
    let names = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let asked = self::device(&stage, &stage.contoso);
    assert_eq!(names(&asked.body), names(device));
    let code = asked.text("device_code");
    let form = changed(&poll(&code), &[("client_info", "1")]);
    assert_eq!(names(&stage.token(&stage.contoso, &form).body), names(pending));
    assert!(stage.entra().approve(&asked.text("user_code"), ALICE));
    let token = stage.token(&stage.contoso, &form);
    assert_eq!(names(&token.body), names(done));
    assert_eq!(
        (&token.body["scope"], &token.body["token_type"]),
        (&done["scope"], &done["token_type"])
    );
}
