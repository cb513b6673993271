//! The hit path and the path of keys at hand, in a world that panics on everything they must not
//! do: no request, no HTTP client, no runtime, no lock, nothing written; and a count of the files
//! they open.

use std::{
    cell::Cell,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use fleetkey_provider::{
    BoxFuture, Files, Host, Http, HttpRequest, HttpResponse, Result,
    testing::{ManualClock, ScriptedHttp, StaticEnv},
};

use crate::{
    Runtime, World,
    host::{Attempt, PrivateDir, Store},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const ANSWER: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
    <SessionToken>t</SessionToken><Expiration>2026-01-02T04:04:05Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

struct Forbidden;

impl Http for Forbidden {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        panic!("a request was sent: {request:?}")
    }
}

impl Runtime for Forbidden {
    fn run<'a>(&'a self, _work: BoxFuture<'a, ()>, _limit: Duration) -> Result<()> {
        panic!("the runtime was started")
    }
}

/// A folder that may only be read, and counts it.
struct ReadOnly(PrivateDir);

thread_local! {
    /// Of this test: others run at the same time.
    static OPENED: Cell<usize> = const { Cell::new(0) };
}

fn opens() {
    OPENED.set(OPENED.get() + 1);
}

impl Store for ReadOnly {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        opens();
        self.0.read(name)
    }
    fn replace(&self, name: &str, _bytes: &[u8]) -> Result<(), String> {
        panic!("`{name}` was written")
    }
    fn create(&self, name: &str, _bytes: &[u8]) -> Result<bool, String> {
        panic!("`{name}` was made")
    }
    fn remove(&self, name: &str) -> Result<bool, String> {
        panic!("`{name}` was removed")
    }
    fn try_lock(&self, name: &str) -> Result<Attempt, String> {
        panic!("`{name}` was locked")
    }
}

/// The same, in which a marker may be made.
struct Marking(ReadOnly);

impl Store for Marking {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.read(name)
    }
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.0.replace(name, bytes)
    }
    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, String> {
        self.0.create(name, bytes)
    }
    fn mark(&self, name: &str, bytes: &[u8]) -> Result<bool, String> {
        opens();
        assert!(name.ends_with(".renewing"), "`{name}` was made");
        self.0.0.mark(name, bytes)
    }
    fn remove(&self, name: &str) -> Result<bool, String> {
        self.0.remove(name)
    }
    fn try_lock(&self, name: &str) -> Result<Attempt, String> {
        self.0.try_lock(name)
    }
}

/// No files, but a count of how many were looked for.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &Path) -> Result<Option<Vec<u8>>> {
        opens();
        Ok(None)
    }
    fn stamp(&self, path: &Path) -> Option<i128> {
        panic!("{} was looked at", path.display())
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A world with keys in its environment; what it prints is captured.
fn world(home: &Path) -> (World, Captured) {
    let env = [
        ("HOME", home.to_str().unwrap()),
        ("AWS_ACCESS_KEY_ID", "AKIDUSER"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let out = Captured::default();
    let mut world = World::real().heard_by(out.clone(), out.clone());
    world.host = Host {
        env: Box::new(StaticEnv::new(env)),
        clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
        files: Box::new(NoFiles),
        ..Host::refusing()
    };
    (world, out)
}

fn forbid(world: &mut World) {
    world.host.http = Box::new(Forbidden);
    world.runtime = Box::new(Forbidden);
    world.open_store = |folder: PathBuf| Box::new(ReadOnly(PrivateDir::new(folder)));
}

/// Runs and returns what was printed and how many files were opened or looked for.
fn run(world: World, out: &Captured, more: &[&str]) -> (String, usize) {
    let args = ["get-token", "aws", "--region", "us-east-1", "--cluster-name", "c"];
    run_line(world, out, &[&args, more].concat())
}

fn run_line(world: World, out: &Captured, line: &[&str]) -> (String, usize) {
    let args = ["fleetkey"].iter().chain(line).map(OsString::from);
    OPENED.set(0);
    let code = crate::run(args, world);
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    (text, OPENED.get())
}

#[test]
fn both_paths_touch_nothing_they_need_not() {
    let home = tempfile::tempdir().unwrap();

    // keys at hand: the two profile files are looked for, and nothing else
    let (mut at_hand, out) = world(home.path());
    forbid(&mut at_hand);
    let (text, opened) = run(at_hand, &out, &[]);
    assert!(text.contains("k8s-aws-v1."), "{text}");
    assert_eq!(opened, 2);

    // a kept role: those two, and the entry
    let (mut cold, out) = world(home.path());
    let http = ScriptedHttp::default();
    http.answer(200, &[], ANSWER);
    cold.host.http = Box::new(http.clone());
    let (first, _) = run(cold, &out, &["--role-arn", ROLE]);
    let (mut warm, out) = world(home.path());
    forbid(&mut warm);
    let (second, opened) = run(warm, &out, &["--role-arn", ROLE]);
    assert_eq!(first, second);
    assert_eq!((http.requests().len(), opened), (1, 3));
}

#[test]
fn a_kept_access_token_costs_the_opening_of_its_file_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let line = ["get-token", "azure", "--login", "spn", "--server-id", SERVER];
    let line = [&line[..], &["--tenant-id", TENANT, "--client-id", CLIENT]].concat();
    let world = |home: &Path| {
        let (mut world, out) = world(home);
        let env = [("HOME", home.to_str().unwrap()), ("AZURE_CLIENT_SECRET", "s")];
        world.host.env = Box::new(StaticEnv::new(env));
        world.host.entropy = Box::new(fleetkey_provider::testing::CountingEntropy::default());
        (world, out)
    };
    let (mut cold, out) = world(home.path());
    let http = ScriptedHttp::default();
    http.answer(200, &[], &format!(r#"{{"access_token":"{}"}}"#, access_token()));
    cold.host.http = Box::new(http.clone());
    let (first, _) = run_line(cold, &out, &line);
    let (mut warm, out) = world(home.path());
    forbid(&mut warm);
    let (second, opened) = run_line(warm, &out, &line);
    assert_eq!(first, second);
    assert_eq!((http.requests().len(), opened), (1, 1));
}

#[test]
fn of_a_person_nothing_more_is_opened_until_a_successor_is_due_and_then_the_marker_alone() {
    let home = tempfile::tempdir().unwrap();
    let line = ["get-token", "azure", "--login", "ropc", "--server-id", SERVER];
    let line = [&line[..], &["--tenant-id", TENANT, "--username", "a@example.com"]].concat();
    let (starts, http) = (Arc::new(Mutex::new(0)), ScriptedHttp::default());
    let world = |time: &str| {
        let (mut world, out) = world(home.path());
        let env = [("HOME", home.path().to_str().unwrap()), ("AZURE_PASSWORD", "hunter2")];
        world.host.env = Box::new(StaticEnv::new(env));
        world.host.clock = Box::new(ManualClock::at(time));
        world.host.entropy = Box::new(fleetkey_provider::testing::CountingEntropy::default());
        world.host.sessions = Box::new(fleetkey_provider::testing::StaticSessions::default());
        let starts = Arc::clone(&starts);
        world.start_renewal = Some(Box::new(move || {
            *starts.lock().unwrap() += 1;
            Ok(())
        }));
        (world, out)
    };
    let (mut cold, out) = world("2026-01-02T03:04:05Z");
    http.answer(200, &[], r#"{"account_type":"Managed"}"#);
    http.answer(200, &[], &format!(r#"{{"access_token":"{}"}}"#, access_token()));
    cold.host.http = Box::new(http.clone());
    let (first, _) = run_line(cold, &out, &line);

    let (mut early, out) = world("2026-01-02T03:47:00Z");
    forbid(&mut early);
    assert_eq!(run_line(early, &out, &line), (first.clone(), 1));
    assert_eq!(*starts.lock().unwrap(), 0);
    let (mut due, out) = world("2026-01-02T03:57:00Z");
    forbid(&mut due);
    due.open_store = |folder| Box::new(Marking(ReadOnly(PrivateDir::new(folder))));
    assert_eq!(run_line(due, &out, &line), (first, 2));
    assert_eq!((*starts.lock().unwrap(), http.requests().len()), (1, 2));
}

#[test]
fn a_kept_role_costs_the_same_whatever_asks_for_it() {
    let home = tempfile::tempdir().unwrap();
    let (mut cold, out) = world(home.path());
    let http = ScriptedHttp::default();
    http.answer(200, &[], ANSWER);
    cold.host.http = Box::new(http.clone());
    let (by_flags, _) = run(cold, &out, &["--role-arn", ROLE]);

    // one stanza: all that flags would say stands in the cluster's extension
    let config = serde_json::json!({
        "provider": "aws", "region": "us-east-1", "cluster-name": "c", "role-arn": ROLE
    });
    let cluster = serde_json::json!({ "server": "https://127.0.0.1", "config": config });
    let info = serde_json::json!({ "spec": { "cluster": cluster } }).to_string();
    let (mut warm, out) = world(home.path());
    forbid(&mut warm);
    let home_folder = home.path().to_str().unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDUSER"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let env = [("HOME", home_folder), ("KUBERNETES_EXEC_INFO", &info), keys[0], keys[1]];
    warm.host.env = Box::new(StaticEnv::new(env));
    let (by_the_cluster, opened) = run_line(warm, &out, &["get-token"]);
    assert_eq!((by_the_cluster == by_flags, opened), (true, 3));

    // another program's words
    let (mut warm, out) = world(home.path());
    forbid(&mut warm);
    let line = ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "c"];
    let line = [&line[..], &["--role-arn", ROLE, "--output", "json"]].concat();
    let (by_another, opened) = run_line(warm, &out, &line);
    let token =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["status"].clone();
    assert_eq!((token(&by_another), opened), (token(&by_flags), 3));
    assert_eq!(http.requests().len(), 1);
}

const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "33333333-3333-3333-3333-333333333333";

/// One that is good for an hour from the time of these tests.
fn access_token() -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = format!(
        r#"{{"aud":"{SERVER}","tid":"{TENANT}","iat":1767323045,"nbf":1767323045,"exp":1767326645}}"#
    );
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part(r#"{"typ":"JWT","alg":"RS256"}"#), part(&claims))
}
