//! What kubelogin and Entra said to each other, with our requests in the place of kubelogin's.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Command;
use fleetkey_azure::PROVIDER;
use fleetkey_provider::{
    Clock, Credential, ExecInfo, Host, HttpRequest, Request, SignIn, SignedIn,
    testing::{
        CountingEntropy, ManualClock, ScriptedHttp, ScriptedPerson, StaticEnv, StaticFiles,
        StaticSessions,
    },
};
use serde_json::json;
use url::{Url, form_urlencoded};

use crate::{Set, cassette};

const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const TENANT: &str = "00000000-0000-0000-0000-000000000000";
const NOW: &str = "2025-02-19T03:40:30Z";

#[test]
fn device_code() {
    let file = "azure/kubelogin_device_code_credential.yaml";
    let Some((mut cases, text)) = Set::open("kubelogin-device-code", file) else { return };
    let credential = replay(&mut cases, &text, &["--login", "devicecode"], |request, host| {
        match now(request.sign_in(SignIn::Terminal, None, host)).unwrap() {
            SignedIn::Credential(credential) => credential,
            SignedIn::Session => panic!("no credential"),
        }
    });
    assert_eq!(credential.expose(), jwt());
    cases.finish();
}

#[test]
fn client_secret() {
    let file = "azure/kubelogin_client_secret_credential.yaml";
    let Some((mut cases, text)) = Set::open("kubelogin-client-secret", file) else { return };
    let arguments = ["--login", "spn", "--client-secret", "hunter2"];
    let credential = replay(&mut cases, &text, &arguments, |request, host| {
        now(request.obtain(None, host)).unwrap()
    });
    assert_eq!(credential.expose(), jwt());
    cases.finish();
}

/// Runs a request against the recorded answers, and compares what it sends with what was recorded.
fn replay(
    cases: &mut Set,
    text: &str,
    arguments: &[&str],
    run: fn(&dyn Request, &Host) -> Credential,
) -> Credential {
    let recorded = cassette::read(text);
    let (asked_first, recorded): (Vec<_>, Vec<_>) =
        recorded.into_iter().partition(|interaction| interaction.method == "GET");
    for interaction in asked_first {
        let path = Url::parse(&interaction.url).unwrap().path().to_owned();
        assert!(path.ends_with("/discovery/instance") || path.ends_with("/openid-configuration"));
        cases.change(&path, "not asked: the endpoints of a known authority are built");
    }
    let http = ScriptedHttp::default();
    for interaction in &recorded {
        let answer = interaction.answer.replace("TEST_ACCESS_TOKEN", &jwt());
        assert!(!answer.is_empty());
        http.answer(interaction.status, &[], &answer);
    }
    cases.change("access_token", "a token for AKS, since a word is neither kept nor printed");

    let host = host(&http);
    let command = PROVIDER.arguments(Command::new("azure").no_binary_name(true));
    let common = ["--server-id", AKS, "--client-id", "app", "--tenant-id", TENANT];
    let mut matches = command.try_get_matches_from(common.iter().chain(arguments)).unwrap();
    let request = PROVIDER.request(&mut matches, &ExecInfo::default(), &host).unwrap();
    let credential = run(request.as_ref(), &host);

    let sent = http.requests();
    assert_eq!(sent.len(), recorded.len());
    for (sent, recorded) in sent.iter().zip(&recorded) {
        assert_eq!(format!("{:?}", sent.method).to_uppercase(), recorded.method);
        assert_eq!(sent.endpoint.as_str(), recorded.url);
        compare(cases, form(&recorded.form), sent);
        cases.ran();
    }
    credential
}

/// Field by field. What was redacted has to be there, whatever it was.
fn compare(cases: &mut Set, recorded: BTreeMap<String, String>, sent: &HttpRequest) {
    let mut sent = form(std::str::from_utf8(&sent.body).unwrap());
    let grant = sent.get("grant_type").cloned().unwrap_or_default();
    for (name, value) in recorded {
        let ours = sent.remove(&name);
        match (name.as_str(), ours) {
            ("client_info", None) => cases.change(&name, "not asked for: nobody reads it"),
            ("grant_type", Some(ours)) if value == "device_code" => {
                assert_eq!(ours, "urn:ietf:params:oauth:grant-type:device_code");
                cases.change(&name, "the one of RFC 8628, which Entra documents");
            }
            ("scope", Some(ours)) if grant == "client_credentials" => {
                assert_eq!(words(&value), words(&format!("{ours} openid offline_access profile")));
                cases.change(&name, "the server alone: an application has no session");
            }
            ("scope", Some(ours)) => assert_eq!(words(&ours), words(&value)),
            (_, Some(_)) if value == "[REDACTED]" => {}
            (_, ours) => assert_eq!(ours.as_deref(), Some(value.as_str()), "{name}"),
        }
    }
    assert!(sent.is_empty(), "sent beside what was recorded: {sent:?}");
}

fn form(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// A scope is a set.
fn words(scope: &str) -> Vec<&str> {
    let mut words: Vec<_> = scope.split(' ').collect();
    words.sort_unstable();
    words
}

fn host(http: &ScriptedHttp) -> Host {
    Host {
        env: Box::new(StaticEnv::default()),
        files: Box::new(StaticFiles::default()),
        clock: Box::new(ManualClock::at(NOW)),
        entropy: Box::new(CountingEntropy::default()),
        http: Box::new(http.clone()),
        person: Box::new(ScriptedPerson::default()),
        sessions: Box::new(StaticSessions::default()),
        ..Host::refusing()
    }
}

/// In place of `TEST_ACCESS_TOKEN`.
fn jwt() -> String {
    let start = ManualClock::at(NOW).now().as_second();
    let claims = json!({ "aud": AKS, "tid": TENANT, "iat": start, "exp": start + 3599 });
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}
