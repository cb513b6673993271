//! Sessions of `aws login`: which keys they bring, what is asked to renew them, what is written back.

use std::path::Path;

use fleetkey_provider::{
    Files, Host, Kind,
    testing::{CountingEntropy, ManualClock, ScriptedHttp, StaticEnv, StaticFiles, StaticSessions},
};
use serde_json::Value;

use crate::{
    Set,
    chain::{keys, request, walk},
};

/// The cases were made at this time.
const NOW: &str = "2025-11-19T00:00:00Z";
const CACHE: &str = "/home/.aws/login/cache";

#[test]
fn login_provider() {
    let Some((mut set, cases)) = Set::open("login-provider", "aws/login-provider-test-cases.json")
    else {
        return;
    };
    for case in cases.as_array().unwrap() {
        goes_as_recorded(case);
        set.ran();
    }
    set.finish();
}

fn goes_as_recorded(case: &Value) {
    let name = case["documentation"].as_str().unwrap();
    let http = ScriptedHttp::default();
    let calls = case["mockApiCalls"].as_array().map(Vec::as_slice).unwrap_or_default();
    for call in calls {
        let status = call["responseCode"].as_u64().unwrap_or(200);
        let body = call.pointer("/response/tokenOutput").map(Value::to_string);
        http.answer(u16::try_from(status).unwrap(), &[], &body.unwrap_or_default());
    }
    let config = case["configContents"].as_str().unwrap();
    let mut files = vec![("/home/.aws/config".to_owned(), config.to_owned())];
    for (file, contents) in case["cacheContents"].as_object().unwrap() {
        files.push((format!("{CACHE}/{file}"), contents.to_string()));
    }
    let files = StaticFiles::new(files);
    let host = Host {
        env: Box::new(StaticEnv::new([("HOME", "/home"), ("AWS_REGION", "us-east-1")])),
        files: Box::new(files.clone()),
        sessions: Box::new(StaticSessions::default()),
        clock: Box::new(ManualClock::at(NOW)),
        http: Box::new(http.clone()),
        entropy: Box::new(CountingEntropy::default()),
        ..Host::refusing()
    };
    let request = request(&["--cluster-name", "c", "--profile", "signin"], &host).unwrap();
    let done = walk(request.as_ref(), &host);
    for outcome in case["outcomes"].as_array().unwrap() {
        match outcome["result"].as_str().unwrap() {
            "credentials" => {
                let kept = keys(&done.as_ref().unwrap()[0]);
                for (ours, theirs) in [
                    ("access_key_id", "accessKeyId"),
                    ("secret_access_key", "secretAccessKey"),
                    ("session_token", "sessionToken"),
                    ("account_id", "accountId"),
                ] {
                    assert_eq!(kept[ours], outcome[theirs], "{name}");
                }
                let expires = outcome["expiresAt"].as_str().unwrap();
                let expires: jiff::Timestamp = expires.parse().unwrap();
                assert_eq!(kept["expiry"], expires.as_second(), "{name}");
            }
            "cacheContents" => {
                for (file, contents) in outcome.as_object().unwrap() {
                    if file == "result" {
                        continue;
                    }
                    let written = files.read(Path::new(&format!("{CACHE}/{file}"))).unwrap();
                    let written: Value = serde_json::from_slice(&written.unwrap()).unwrap();
                    assert_eq!(&written, contents, "{name}");
                }
            }
            _ => {
                let error = done.as_ref().unwrap_err();
                // a bare 400 may be a proxy's
                let kind = if calls.is_empty() { Kind::SignInNeeded } else { Kind::Unavailable };
                assert_eq!(error.kind(), kind, "{name}: {error}");
            }
        }
    }
    let sent = http.requests();
    assert_eq!(sent.len(), calls.len(), "{name}");
    for (sent, call) in sent.iter().zip(calls) {
        let url = "https://us-east-1.signin.aws.amazon.com/v1/token";
        assert_eq!(sent.endpoint.as_str(), url, "{name}");
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body, call["request"]["tokenInput"], "{name}");
    }
}
