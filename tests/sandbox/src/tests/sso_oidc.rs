use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{Fault, Route, Sandbox, SsoSession};

/// Status and body of a POST of JSON.
fn post(sandbox: &Sandbox, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("content-type", "application/json")];
    let url = format!("{}{path}", sandbox.sso_oidc_url());
    let body = body.to_string();
    let reply = sandbox.client().unwrap().send("POST", &url, &headers, body.as_bytes()).unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

fn question(session: &SsoSession, refresh_token: &str) -> Value {
    json!({
        "clientId": session.client_id, "clientSecret": session.client_secret,
        "grantType": "refresh_token", "refreshToken": refresh_token,
    })
}

fn refresh(sandbox: &Sandbox, session: &SsoSession, refresh_token: &str) -> (u16, Value) {
    post(sandbox, "/token", &question(session, refresh_token))
}

fn refused(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"].as_str().unwrap_or_else(|| panic!("no error in {}", answer.1)))
}

/// What the portal says to an access token.
fn portal(sandbox: &Sandbox, token: &str) -> u16 {
    let url = format!(
        "{}/federation/credentials?role_name=Developer&account_id=444455556666",
        sandbox.sso_url()
    );
    sandbox.client().unwrap().get(&url, &[("x-amz-sso_bearer_token", token)]).unwrap().status
}

fn stage() -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.grant_sso("carol", "444455556666", "Developer");
    sandbox
}

#[test]
fn a_refresh_token_is_good_for_once() {
    let sandbox = stage();
    let session = sandbox.sso_sign_in("carol").access_token_expired().done();
    assert!(session.expires < sandbox.now());
    assert_eq!(portal(&sandbox, &session.access_token), 401);
    let first = session.refresh_token.clone().unwrap();
    let (status, answer) = refresh(&sandbox, &session, &first);
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["expiresIn"], &answer["tokenType"]), (&json!(3600), &json!("Bearer")));
    assert_eq!(answer.as_object().unwrap().len(), 4);
    assert_eq!(portal(&sandbox, answer["accessToken"].as_str().unwrap()), 200);

    assert_eq!(refused(&refresh(&sandbox, &session, &first)), (400, "invalid_grant"));
    assert_eq!(sandbox.sso_reuses(), 1);
    let second = answer["refreshToken"].as_str().unwrap();
    assert_eq!(refresh(&sandbox, &session, second).0, 200);
    assert_eq!((sandbox.sso_refreshes(), sandbox.sso_reuses()), (2, 1));
    assert_eq!(sandbox.count(Route::SsoToken), 3);
    let log = format!("{:?}", sandbox.requests());
    assert!(!log.contains(&first) && !log.contains(&session.client_secret));
}

#[test]
fn of_many_who_bring_one_token_one_is_served() {
    let sandbox = stage();
    let session = sandbox.sso_session("carol");
    let token = session.refresh_token.clone().unwrap();
    let served = std::thread::scope(|scope| {
        let asking: Vec<_> =
            (0..8).map(|_| scope.spawn(|| refresh(&sandbox, &session, &token).0 == 200)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).filter(|ok| *ok).count()
    });
    assert_eq!((served, sandbox.sso_refreshes(), sandbox.sso_reuses()), (1, 1, 7));
}

#[test]
fn a_token_that_is_brought_again_can_end_its_session() {
    let sandbox = stage();
    let (session, other) = (sandbox.sso_session("carol"), sandbox.sso_session("carol"));
    sandbox.sso_end_at_reuse(true);
    let first = session.refresh_token.clone().unwrap();
    let (_, answer) = refresh(&sandbox, &session, &first);
    let access = answer["accessToken"].as_str().unwrap();
    assert_eq!(portal(&sandbox, access), 200);
    assert_eq!(refused(&refresh(&sandbox, &session, &first)), (400, "invalid_grant"));
    assert_eq!(portal(&sandbox, access), 401);
    let second = answer["refreshToken"].as_str().unwrap();
    assert_eq!(refused(&refresh(&sandbox, &session, second)), (400, "invalid_grant"));
    assert_eq!((sandbox.sso_refreshes(), sandbox.sso_reuses()), (1, 1));
    assert_eq!(portal(&sandbox, &other.access_token), 200, "it is not theirs");
}

#[test]
fn access_tokens_end_and_the_session_goes_on() {
    let sandbox = stage();
    let session = sandbox.sso_session("carol");
    assert_eq!(portal(&sandbox, &session.access_token), 200);
    sandbox.sso_end_access_tokens();
    assert_eq!(portal(&sandbox, &session.access_token), 401);
    let (status, answer) = refresh(&sandbox, &session, &session.refresh_token.clone().unwrap());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(portal(&sandbox, answer["accessToken"].as_str().unwrap()), 200);
}

#[test]
fn an_answer_that_was_lost_is_lost() {
    let sandbox = stage();
    let session = sandbox.sso_session("carol");
    let token = session.refresh_token.clone().unwrap();
    sandbox
        .script(Route::SsoToken, [Fault::Reset, Fault::sso_oidc("slow_down"), Fault::Truncate(9)]);
    let headers = [("content-type", "application/json")];
    let send = || {
        let body = question(&session, &token).to_string();
        let url = format!("{}/token", sandbox.sso_oidc_url());
        sandbox.client().unwrap().send("POST", &url, &headers, body.as_bytes())
    };
    assert!(send().is_err());
    let slow = send().unwrap();
    assert_eq!((slow.status, slow.header("x-amzn-errortype")), (400, Some("SlowDownException")));
    assert_eq!(sandbox.sso_refreshes(), 0, "these two were not looked at");
    assert!(send().is_err());
    assert_eq!(sandbox.sso_refreshes(), 1);
    assert_eq!(send().unwrap().status, 400);
    assert_eq!(sandbox.sso_reuses(), 1);
}

#[test]
fn a_token_is_its_clients_and_ends_with_its_session() {
    let sandbox = stage();
    let (session, other) = (sandbox.sso_session("carol"), sandbox.sso_session("carol"));
    let token = session.refresh_token.clone().unwrap();
    assert_eq!(refused(&refresh(&sandbox, &other, &token)), (400, "invalid_grant"));
    assert_eq!(refused(&refresh(&sandbox, &session, "aorUnknown")), (400, "invalid_grant"));
    let stranger = SsoSession { client_secret: "guess".into(), ..session.clone() };
    assert_eq!(refused(&refresh(&sandbox, &stranger, &token)), (401, "invalid_client"));
    let expired = sandbox.sso_sign_in("carol").registration_expired().done();
    assert!(expired.registration_expires < sandbox.now());
    let unused = expired.refresh_token.clone().unwrap();
    assert_eq!(refused(&refresh(&sandbox, &expired, &unused)), (401, "invalid_client"));
    assert_eq!(sandbox.sso_reuses(), 0, "none of these used the token up");
    assert_eq!(refresh(&sandbox, &session, &token).0, 200);

    sandbox.sso_sign_out("carol");
    let token = other.refresh_token.clone().unwrap();
    assert_eq!(refused(&refresh(&sandbox, &other, &token)), (400, "invalid_grant"));
    let late = sandbox.sso_session("carol");
    sandbox.advance(SignedDuration::from_hours(7 * 24));
    let token = late.refresh_token.clone().unwrap();
    assert_eq!(refused(&refresh(&sandbox, &late, &token)), (400, "invalid_grant"));
}

#[test]
fn lifetimes_and_rotation_are_for_the_test_to_say() {
    let sandbox = stage();
    let session = sandbox.sso_session("carol");
    let token = session.refresh_token.clone().unwrap();
    sandbox.sso_rotation(false);
    sandbox.sso_token_lifetime(Some(Duration::from_mins(20)));
    for _ in 0..2 {
        let (status, answer) = refresh(&sandbox, &session, &token);
        assert_eq!((status, answer.get("refreshToken")), (200, None));
        assert_eq!(answer["expiresIn"], 1200);
        let access = answer["accessToken"].as_str().unwrap();
        sandbox.advance(SignedDuration::from_mins(19));
        assert_eq!(portal(&sandbox, access), 200);
        sandbox.advance(SignedDuration::from_mins(1));
        assert_eq!(portal(&sandbox, access), 401);
    }
    sandbox.sso_rotation(true);
    assert!(refresh(&sandbox, &session, &token).1["refreshToken"].is_string());
    assert_eq!(refresh(&sandbox, &session, &token).0, 400);
}

#[test]
fn a_question_that_is_not_asked_properly() {
    let sandbox = stage();
    let session = sandbox.sso_session("carol");
    let good = question(&session, session.refresh_token.as_deref().unwrap());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        refused(&post(&sandbox, "/token", &body)).1.to_owned()
    };
    assert_eq!(with("refresh_token", json!("x")), "invalid_request");
    assert_eq!(with("refreshToken", Value::Null), "invalid_request");
    assert_eq!(with("clientId", json!(7)), "invalid_request");
    assert_eq!(with("grantType", json!("password")), "unsupported_grant_type");
    assert_eq!(with("deviceCode", json!("both")), "invalid_request");
    let (client, body) = (sandbox.client().unwrap(), good.to_string());
    let send = |method: &str, path: &str, kind: &str| {
        let url = format!("{}{path}", sandbox.sso_oidc_url());
        client.send(method, &url, &[("content-type", kind)], body.as_bytes()).unwrap().status
    };
    assert_eq!(send("POST", "/token", "application/x-www-form-urlencoded"), 400);
    assert_eq!(send("PUT", "/token", "application/json"), 400);
    assert_eq!(send("POST", "/token?x=1", "application/json"), 400);
    assert_eq!(send("POST", "/", "application/json"), 400);
    assert_eq!(sandbox.sso_refreshes(), 0);
    assert_eq!(send("POST", "/token", "application/json"), 200);
    assert_eq!((sandbox.count(Route::SsoToken), sandbox.count(Route::SsoOidc)), (9, 1));
}

#[test]
fn a_device_waits_for_its_person() {
    let sandbox = stage();
    let register = |scopes: &[&str]| {
        let body = json!({ "clientName": "botocore-client-corp", "clientType": "public", "scopes": scopes });
        post(&sandbox, "/client/register", &body)
    };
    assert_eq!(refused(&register(&["everything"])), (400, "invalid_scope"));
    let (status, client) = register(&["sso:account:access"]);
    assert_eq!(status, 200);
    assert!(client["clientSecretExpiresAt"].as_i64().unwrap() > sandbox.now().as_second());
    let start = |url: &str| {
        let body = json!({
            "clientId": client["clientId"], "clientSecret": client["clientSecret"], "startUrl": url,
        });
        post(&sandbox, "/device_authorization", &body)
    };
    assert_eq!(refused(&start("https://else.awsapps.com/start")), (400, "invalid_request"));
    let (status, device) = start("https://sandbox.awsapps.com/start");
    assert_eq!((status, &device["interval"]), (200, &json!(5)));
    let redeem = || {
        let body = json!({
            "clientId": client["clientId"], "clientSecret": client["clientSecret"],
            "grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": device["deviceCode"],
        });
        post(&sandbox, "/token", &body)
    };
    assert_eq!(refused(&redeem()), (400, "authorization_pending"));
    assert_eq!(refused(&redeem()), (400, "slow_down"));
    assert!(!sandbox.sso_approve("ABCD-EFGH", "carol"));
    assert!(sandbox.sso_approve(device["userCode"].as_str().unwrap(), "carol"));
    let (status, answer) = redeem();
    assert_eq!((status, answer["refreshToken"].is_string()), (200, true));
    assert_eq!(portal(&sandbox, answer["accessToken"].as_str().unwrap()), 200);
    assert_eq!(refused(&redeem()), (400, "invalid_grant"));
    assert_eq!((sandbox.count(Route::SsoRegister), sandbox.count(Route::SsoDevice)), (2, 2));
}
