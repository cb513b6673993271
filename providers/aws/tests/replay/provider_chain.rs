//! Whole machines, recorded: environment, files and traffic, and the credentials they lead to.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use fleetkey_provider::{
    BoxFuture, Host, Http, HttpRequest, HttpResponse, Kind, Method, Result, Retry,
    testing::{CountingEntropy, ManualClock, ScriptedHttp, StaticEnv, StaticFiles},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    JWT, Set,
    chain::{form, keys, request, walk},
    folder,
};

#[test]
fn provider_chain() {
    let Some(folder) = folder("provider-chain") else { return };
    let mut set = Set::new("provider-chain");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder.join("aws/provider-chain"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    for path in cases {
        let case = Case::read(path);
        let result = &case.json("test-case.json")["result"];
        match result.get("Ok") {
            Some(expected) => leads_to(&case, expected),
            None => fails(&case, result["ErrorContains"].as_str().unwrap()),
        }
        set.ran();
        for why in case.changes() {
            set.change(&case.name, why);
        }
    }
    set.finish();
}

/// Sends what may be sent again again, as the host does.
struct Again {
    http: ScriptedHttp,
    /// How many requests were recorded.
    recorded: usize,
}

impl Http for Again {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            let answer = self.http.send(request).await?;
            let again = matches!(request.retry, Retry::Safe(_) | Retry::Soon(_));
            match answer.status {
                500.. if again && self.http.requests().len() < self.recorded => {
                    self.send(request).await
                }
                _ => Ok(answer),
            }
        })
    }
}

struct Case {
    name: String,
    path: PathBuf,
    recorded: Vec<Recorded>,
    http: ScriptedHttp,
}

/// One request of the recording.
#[derive(Default)]
struct Recorded {
    method: String,
    url: String,
    body: String,
}

fn leads_to(case: &Case, expected: &Value) {
    let name = &case.name;
    let expiry = expected["expiry"].as_i64().unwrap_or(1_767_323_045);
    let host = case.host(Timestamp::from_second(expiry - 1800).unwrap());
    let request = request(case.arguments(), &host).unwrap();
    let steps = walk(request.as_ref(), &host).unwrap();
    let keys = keys(steps.last().unwrap());
    for (key, value) in keys.as_object().unwrap() {
        assert_eq!(value, &expected[key], "{name}: {key}");
    }
    sends_as_recorded(case);
}

/// Ours may use other words, but must mean the same.
const WORDS: &[(&str, Kind, &str)] = &[
    ("eks_pod_identity_no_token_file", Kind::Config, "there is no token file `/token.jwt`"),
    (
        "imds_default_chain_error",
        Kind::Config,
        "EC2's metadata service (no role is attached to this instance)",
    ),
    (
        "imds_disabled",
        Kind::Config,
        "EC2's metadata service (not asked: `AWS_EC2_METADATA_DISABLED` is `true`)",
    ),
    ("imds_no_iam_role", Kind::Config, "no role is attached to this instance"),
    ("imds_token_fail", Kind::Config, "it is switched off for this machine"),
    (
        // the federated token of the environment is no substitute
        "profile_overrides_web_identity",
        Kind::Config,
        "profile `A` has `credential_source = Environment`, and there is nothing",
    ),
    (
        "sso_no_token_file",
        Kind::SignInNeeded,
        "there is no `/home/.aws/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json`",
    ),
    ("sso_server_error", Kind::Unavailable, "portal.sso.us-east-2.amazonaws.com answered 503"),
    (
        "web_identity_source_profile_no_env",
        Kind::Config,
        "`web_identity_token_file` of profile `B` is set, but `role_arn` of profile `B` was missing",
    ),
    (
        "web_identity_token_invalid_jwt",
        Kind::Refused,
        "InvalidIdentityToken: No OpenIDConnect provider found in your account",
    ),
];

fn fails(case: &Case, recorded: &str) {
    let name = &case.name;
    let (_, kind, ours) = WORDS.iter().find(|(case, _, _)| case == name).expect(recorded);
    let host = case.host("2021-08-17T19:00:00Z".parse().unwrap());
    let error = request(case.arguments(), &host)
        .and_then(|request| walk(request.as_ref(), &host))
        .unwrap_err();
    assert_eq!(error.kind(), *kind, "{name}: {error}");
    assert!(error.to_string().contains(ours), "{name}: {error}");
    sends_as_recorded(case);
}

/// Where a recording does not fit its own environment and files, and how.
const MISFITS: &[(&str, &str, &str)] = &[
    ("web_identity_token_env", "RoleArn", "recorded with a role of another account"),
    ("web_identity_token_profile", "RoleArn", "recorded with another role"),
    ("web_identity_token_profile", "WebIdentityToken", "recorded with another token"),
    ("web_identity_token_source_profile", "RoleArn", "recorded with a role of another account"),
    ("web_identity_token_source_profile", "WebIdentityToken", "recorded with another token"),
    ("web_identity_token_invalid_jwt", "WebIdentityToken", "recorded with the file's line break"),
];

fn sends_as_recorded(case: &Case) {
    let name = &case.name;
    let sent = case.http.requests();
    assert_eq!(sent.len(), case.recorded.len(), "{name}");
    for (ours, recorded) in sent.iter().zip(&case.recorded) {
        assert_eq!(method(ours), recorded.method, "{name}");
        let url = url::Url::parse(&recorded.url).unwrap();
        assert_eq!(ours.endpoint.origin(), url.origin().ascii_serialization(), "{name}");
        assert_eq!(ours.endpoint.url().path(), url.path(), "{name}");
        let query = |url: &url::Url| url.query_pairs().into_owned().collect::<BTreeMap<_, _>>();
        assert_eq!(query(ours.endpoint.url()), query(&url), "{name}");
        let mut ours: BTreeMap<_, _> = form(&ours.body).into_iter().collect();
        let mut theirs: BTreeMap<_, _> = form(recorded.body.as_bytes()).into_iter().collect();
        if theirs.get("RoleSessionName").is_some_and(|name| name.contains("-profile-")) {
            let automatic = ours.insert("RoleSessionName".into(), String::new()).unwrap();
            assert!(automatic.starts_with("fleetkey-"), "{name}: {automatic}");
            theirs.insert("RoleSessionName".into(), String::new());
        }
        for (_, parameter, _) in MISFITS.iter().filter(|(case, _, _)| case == name) {
            if let Some(value) = theirs.get_mut(*parameter) {
                value.clone_from(&ours[*parameter]);
            }
        }
        assert_eq!(ours, theirs, "{name}");
    }
}

fn method(request: &HttpRequest) -> &'static str {
    match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    }
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut case = Self { name, path, recorded: Vec::new(), http: ScriptedHttp::default() };
        let mut connections: BTreeMap<u64, (Recorded, Option<u16>, String)> = BTreeMap::new();
        for event in case.json("http-traffic.json")["events"].as_array().unwrap() {
            let (recorded, status, body) =
                connections.entry(event["connection_id"].as_u64().unwrap()).or_default();
            let action = &event["action"];
            if let Some(request) = action.pointer("/Request/request") {
                recorded.method = request["method"].as_str().unwrap().into();
                recorded.url = request["uri"].as_str().unwrap().into();
            } else if let Some(answer) = action.pointer("/Response/response/Ok") {
                *status = answer["status"].as_u64().map(|status| u16::try_from(status).unwrap());
            } else if let Some(text) = action.pointer("/Data/data/Utf8").and_then(Value::as_str) {
                let is_ours = action["Data"]["direction"] == "Request";
                *(if is_ours { &mut recorded.body } else { body }) += text;
            }
        }
        for (recorded, status, mut body) in connections.into_values() {
            if case.name == LONG_OVER {
                body = body.replace("2009-02-13T23:31:30Z", "2021-09-21T18:41:26Z");
            }
            case.http.answer(status.unwrap_or(0), &[], &body);
            case.recorded.push(recorded);
        }
        case
    }

    /// What was changed to replay it.
    fn changes(&self) -> impl Iterator<Item = &'static str> {
        let token = fs::read(self.path.join("fs/token.jwt")).unwrap_or_default();
        let is_over = self.name == "web_identity_token_invalid_jwt";
        [
            (token.trim_ascii() == WORD && self.is_web_identity())
                .then_some("with a JWT for its token, since one word is not sent"),
            is_over.then_some("before its token's `exp`, since a token that is over is not sent"),
            (self.name == LONG_OVER)
                .then_some("with a container's keys that are not twelve years over"),
        ]
        .into_iter()
        .flatten()
    }

    fn is_web_identity(&self) -> bool {
        self.name.starts_with("web_identity")
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path.join(file)).unwrap()).unwrap()
    }

    /// The recordings are of credentials and need no region where no call is made; tokens do.
    fn arguments(&self) -> &'static [&'static str] {
        if self.name == "environment_variables" {
            &["--cluster-name", "c", "--region", "us-east-1"]
        } else {
            &["--cluster-name", "c"]
        }
    }

    fn host(&self, now: Timestamp) -> Host {
        let env = self.json("env.json");
        let pairs = env.as_object().unwrap().iter();
        let mut files = Vec::new();
        collect(&self.path.join("fs"), Path::new("/"), &mut files);
        for (_, contents) in &mut files {
            if contents.trim_ascii() == WORD && self.is_web_identity() {
                *contents = JWT.into();
            }
        }
        Host {
            env: Box::new(StaticEnv::new(
                pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())),
            )),
            files: Box::new(StaticFiles::new(files)),
            clock: Box::new(ManualClock::at(&now.to_string())),
            http: Box::new(Again { http: self.http.clone(), recorded: self.recorded.len() }),
            entropy: Box::new(CountingEntropy::default()),
            ..Host::refusing()
        }
    }
}

/// A recording whose first keys ended long before its last were lent.
const LONG_OVER: &str = "ecs_assume_role";

/// What most recordings have in the place of a token.
const WORD: &[u8] = b"sometoken";

/// Every file below a folder, under its name in the recorded world.
fn collect(folder: &Path, name: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        if path.is_dir() {
            collect(&path, &name, files);
        } else {
            files.push((name, fs::read(path).unwrap()));
        }
    }
}
