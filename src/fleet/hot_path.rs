//! What a thousand contexts cost: no more files than they have sessions and credentials, the kubeconfig
//! and the clouds' own settings once, and nothing else.

use std::{
    cell::RefCell,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use fleetkey_provider::{
    BoxFuture, Env, Files, Host, Result, Sessions,
    testing::{CountingEntropy, ManualClock, StaticEnv},
};
use serde_json::{Value, json};

use super::Fleet;
use crate::{
    Runtime, World, cli,
    host::{Attempt, Hold, PrivateDir, Store, other_files},
    options::{Command, Options},
    sessions::FileSessions,
};

const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const CONTEXTS: usize = 1000;
const TENANTS: usize = 3;
const SESSIONS: usize = 2;
const ROLES: usize = 5;

thread_local! {
    /// What this test opened.
    static OPENED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn opens(path: &Path) {
    OPENED.with_borrow_mut(|opened| opened.push(path.display().to_string()));
}

/// A folder that may only be read, and says what was.
struct Counted(PathBuf, PrivateDir);

impl Store for Counted {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        opens(&self.0.join(name));
        self.1.read(name)
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

fn counted(folder: PathBuf) -> Box<dyn Store> {
    Box::new(Counted(folder.clone(), PrivateDir::new(folder)))
}

/// Real files, and a note of which.
struct CountedFiles(Box<dyn Files>);

impl Files for CountedFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        opens(path);
        self.0.read(path)
    }
    fn read_large(&self, path: &Path, largest: u64) -> Result<Option<Vec<u8>>> {
        opens(path);
        self.0.read_large(path, largest)
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        opens(folder);
        self.0.list(folder)
    }
    fn stamp(&self, path: &Path) -> Option<i128> {
        self.0.stamp(path)
    }
    fn is_newer(&self, path: &Path, than: &Path) -> bool {
        self.0.is_newer(path, than)
    }
    fn real(&self, path: &Path) -> PathBuf {
        self.0.real(path)
    }
}

struct Forbidden;

impl Runtime for Forbidden {
    fn run<'a>(&'a self, _work: BoxFuture<'a, ()>, _limit: Duration) -> Result<()> {
        panic!("the runtime was started")
    }
}

fn env(home: &Path) -> Box<dyn Env> {
    let home = home.to_str().unwrap();
    Box::new(StaticEnv::new([("HOME", home), ("FLEETKEY_SESSION_STORE", "file")]))
}

/// Sessions in that home.
fn sessions(home: &Path, open_store: fn(PathBuf) -> Box<dyn Store>) -> FileSessions {
    let host = Host {
        env: env(home),
        clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
        files: other_files(),
        entropy: Box::new(CountingEntropy::default()),
        ..Host::refusing()
    };
    FileSessions::new(host, Hold::of_this_process(), open_store)
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A world in that home that only looks, and what it prints.
fn world(home: &Path) -> (World, Captured) {
    let out = Captured::default();
    let mut world = World::real().heard_by(out.clone(), out.clone());
    world.host = Host {
        env: env(home),
        clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
        files: Box::new(CountedFiles(other_files())),
        sessions: Box::new(sessions(home, counted)),
        ..Host::refusing()
    };
    world.runtime = Box::new(Forbidden);
    world.open_store = counted;
    (world, out)
}

/// The home of somebody with a thousand clusters.
#[allow(clippy::disallowed_methods, reason = "a test's own files")]
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let args = |n: usize| -> Vec<String> {
        let tenant = format!("tenant-{}.example", n % TENANTS);
        let profile = format!("role-{}", n % ROLES);
        let args = if n.is_multiple_of(2) {
            vec!["get-token", "azure", "--server-id", SERVER, "--tenant-id", &tenant]
        } else {
            vec![
                "get-token",
                "aws",
                "--cluster-name",
                "c",
                "--region",
                "us-east-1",
                "--profile",
                &profile,
            ]
        };
        args.into_iter().map(str::to_owned).collect()
    };
    let name = |n: usize| format!("context-{n}");
    let user = |n: usize| json!({ "name": name(n), "user": { "exec": { "command": "fleetkey", "args": args(n) } } });
    let context =
        |n: usize| json!({ "name": name(n), "context": { "user": name(n), "cluster": "c" } });
    let config = json!({
        "users": (0..CONTEXTS).map(user).collect::<Vec<_>>(),
        "contexts": (0..CONTEXTS).map(context).collect::<Vec<_>>(),
    });
    write(".kube/config", &config.to_string());
    let session = |n: usize| {
        format!(
            "[sso-session s{n}]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
        )
    };
    let profile = |n: usize| {
        format!(
            "[profile role-{n}]\nsso_session = s{}\nsso_account_id = 123456789012\nsso_role_name = R{n}\n",
            n % SESSIONS
        )
    };
    let profiles: String = (0..SESSIONS).map(session).chain((0..ROLES).map(profile)).collect();
    write(".aws/config", &profiles);
    home
}

/// Those of somebody who typed none.
fn options() -> Options {
    let line = ["fleetkey", "status"].map(OsString::from);
    let Ok(cli::Parsed::Verb(matches)) = cli::parse(line) else { panic!("not understood") };
    Command::new(matches).unwrap().options
}

#[test]
fn a_thousand_contexts_open_no_more_than_they_share() {
    let home = home();
    // somebody is signed in to every tenant
    let (mut first, _) = world(home.path());
    let fleet = Fleet::read(None, &[], &options(), &mut first).unwrap();
    let kept = sessions(home.path(), |folder| Box::new(PrivateDir::new(folder)));
    for identity in fleet.identities.iter().filter(|identity| identity.provider == "azure") {
        kept.open(identity.session.unwrap()).unwrap().keep(&"refresh-token".into()).unwrap();
    }
    assert_eq!(fleet.identities.len(), TENANTS + SESSIONS);

    let (second, out) = world(home.path());
    OPENED.take();
    let code = crate::run(["fleetkey", "status", "--json"].map(OsString::from), second);
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    let json: Value = serde_json::from_str(&text).unwrap();
    let contexts = json["contexts"].as_array().unwrap();
    let renewed = contexts.iter().filter(|context| context["next"] == "renew").count();
    assert_eq!((contexts.len(), renewed), (CONTEXTS, CONTEXTS / 2));

    let mut opened = OPENED.take();
    opened.sort();
    let number = opened.len();
    opened.dedup();
    assert_eq!(opened.len(), number, "something was opened twice");
    let [kubeconfig, settings, memory] = [1, 2, 1];
    let [credentials, sessions] = [TENANTS + ROLES, TENANTS + SESSIONS];
    let expected = kubeconfig + settings + memory + credentials + sessions;
    assert_eq!(number, expected, "{opened:#?}");
}
