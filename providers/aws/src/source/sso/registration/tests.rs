use fleetkey_provider::{
    Error, Kind, Method,
    SignIn::{self, Browser, Terminal},
};
use serde_json::{Value, json};

use crate::testing::{CONFIG, World, now};

/// What each is called, computed with Python.
const FOLDER: &str = "/home/.aws/sso/cache/";
const CORP: &str = "00f5372d48a2c6a221c5a68a33caf46b053d0ab4.json";
const SCOPED: &str = "fdcad60aaabbae07299d375d185dc582b97f32f1.json";
const TWO: &str = "8e994363d9756d0737dbe7d91efadf644ad328b7.json";
const OLD: &str = "e861322f8001049aa86eb5143808a6d64ac45d99.json";

const REGISTERED: &str =
    r#"{"clientId":"client","clientSecret":"hunter2","clientSecretExpiresAt":1775099045}"#;

/// With another `[sso-session corp]`, and a profile of the older form.
fn world(scopes: &str) -> World {
    let region = "sso_region = eu-central-1\n";
    let config = CONFIG.replace(region, &format!("{region}{scopes}\n"))
        + "[profile old]\nsso_start_url = https://my.awsapps.com/start\n\
           sso_region = eu-central-1\nsso_account_id = 1\nsso_role_name = R\n";
    let world = World::new().file("/home/.aws/config", &config);
    world.who(|_| Err(Error::failed("not now")))
}

/// Begins a sign-in, which gets no further than what it is signed in with.
fn begin(world: &World, profile: &str, how: SignIn) -> Vec<Value> {
    let request = world.ask(&format!("--profile {profile}")).unwrap();
    assert!(now(request.sign_in(how, None, &world.host())).is_err());
    let sent = world.http.requests();
    let registering = sent.iter().filter(|sent| sent.endpoint.url().path() == "/client/register");
    registering
        .map(|sent| {
            assert_eq!(sent.method, Method::Post);
            assert_eq!(sent.headers, [("content-type".into(), "application/json".into())]);
            assert_eq!(sent.endpoint.origin(), "https://oidc.eu-central-1.amazonaws.com");
            serde_json::from_slice(&sent.body).unwrap()
        })
        .collect()
}

#[test]
fn a_client_is_registered_and_kept_as_the_cli_does_it() {
    let scope = "sso_registration_scopes = sso:account:access";
    for (scopes, profile, how, name, asked, kept) in [
        (
            "",
            "dev",
            Browser,
            CORP,
            json!({
                "clientName": "fleetkey-corp", "clientType": "public",
                "scopes": ["sso:account:access"],
                "grantTypes": ["authorization_code", "refresh_token"],
                "redirectUris": ["http://127.0.0.1/oauth/callback"],
                "issuerUrl": "https://corp.awsapps.com/start",
            }),
            r#"{"clientId": "client", "clientSecret": "hunter2", "expiresAt": "2026-04-02T03:04:05Z", "scopes": ["sso:account:access"], "grantTypes": ["authorization_code", "refresh_token"]}"#,
        ),
        (
            scope,
            "dev",
            Terminal,
            SCOPED,
            json!({
                "clientName": "fleetkey-corp", "clientType": "public",
                "scopes": ["sso:account:access"],
            }),
            r#"{"clientId": "client", "clientSecret": "hunter2", "expiresAt": "2026-04-02T03:04:05Z", "scopes": ["sso:account:access"]}"#,
        ),
        (
            "sso_registration_scopes = a, b,",
            "dev",
            Terminal,
            TWO,
            json!({ "clientName": "fleetkey-corp", "clientType": "public", "scopes": ["a", "b"] }),
            r#"{"clientId": "client", "clientSecret": "hunter2", "expiresAt": "2026-04-02T03:04:05Z", "scopes": ["a", "b"]}"#,
        ),
        (
            scope,
            "old",
            Terminal,
            OLD,
            json!({ "clientName": "fleetkey-1767323045", "clientType": "public" }),
            r#"{"clientId": "client", "clientSecret": "hunter2", "expiresAt": "2026-04-02T03:04:05Z"}"#,
        ),
    ] {
        let world = world(scopes);
        world.http.answer(200, &[], REGISTERED);
        assert_eq!(begin(&world, profile, how), [asked]);
        assert_eq!(world.written(), [(format!("{FOLDER}{name}"), kept.to_owned())]);
        // and serves the next sign-in
        assert_eq!(begin(&world, profile, how).len(), 1);
    }
}

/// How many clients are registered where that is kept.
fn registers(kept: &str, how: SignIn) -> usize {
    let world = world("").file(&format!("{FOLDER}{CORP}"), kept);
    begin(&world, "dev", how).len()
}

#[test]
fn what_is_kept_serves_until_a_quarter_of_an_hour_before_its_end_and_its_own_kind_only() {
    let page = |end: &str| {
        format!(
            r#"{{"clientId":"c","clientSecret":"s","expiresAt":"{end}","scopes":["sso:account:access"],
                "grantTypes":["authorization_code","refresh_token"]}}"#
        )
    };
    let code = |end: &str| {
        format!(
            r#"{{"clientId":"c","clientSecret":"s","expiresAt":"{end}","scopes":["sso:account:access"]}}"#
        )
    };
    for (end, count) in [
        ("2026-01-02T03:19:05Z", 0),
        ("2026-01-02T03:19:05UTC", 0),
        ("2026-01-02T03:19:05+00:00", 0),
        ("2026-01-02T03:19:04Z", 1),
        ("soon", 1),
    ] {
        assert_eq!(registers(&page(end), Browser), count, "{end}");
        assert_eq!(registers(&code(end), Terminal), count, "{end}");
        assert_eq!(registers(&page(end), Terminal), 1);
        assert_eq!(registers(&code(end), Browser), 1);
    }
    let good = code("2026-03-01T00:00:00Z");
    for bad in [
        "",
        "[]",
        "{}",
        &good[..40],
        &good.replace("\"c\"", "\"\""),
        &good.replace("\"s\"", "\"\""),
        // nothing could be renewed with it
        &good.replace("sso:account:access", "other"),
        &good.replace("scopes", "other"),
    ] {
        assert_eq!(registers(bad, Terminal), 1, "{bad}");
    }
}

#[test]
fn a_refusal_says_why_and_asks_nobody() {
    for (status, body, kind, words) in [
        (
            400,
            r#"{"error":"invalid_request","error_description":"no such issuer"}"#,
            Kind::Config,
            "no such issuer",
        ),
        (400, r#"{"error":"slow_down"}"#, Kind::Unavailable, "too busy to sign in"),
        (400, r#"{"error":"invalid_scope"}"#, Kind::Config, "invalid_scope"),
        (503, "", Kind::Unavailable, "503"),
        (200, "{}", Kind::Unavailable, "another shape"),
        (403, "<html>a proxy's</html>", Kind::Unavailable, "403"),
    ] {
        for how in [Browser, Terminal] {
            let world = world("");
            world.http.answer(status, &[], body);
            let request = world.ask("--profile dev").unwrap();
            let error = now(request.sign_in(how, None, &world.host())).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(!world.host().person.was_asked() && world.written().is_empty());
        }
    }
}
