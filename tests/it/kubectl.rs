//! Real kubectl gets in: every version there is, by every source of credentials, with one run of the
//! plugin a command, and without a request once there is something kept.

use std::{fs, path::PathBuf};

use fleetkey_sandbox::{Exec, Role};
use serde_json::Value;

use crate::support::{ADMIN, EXTERNAL_ID, Kubectl, Program, Run, Stage, kubectls, say};

#[test]
fn kubectl_gets_in_with_keys_of_the_environment() {
    let stage = Stage::new();
    let arn = stage.alice.arn.clone();
    let env = stage.alice.environment();
    every_kubectl("keys", &Way { stage: &stage, args: &[], env, identity: &arn, asks: 0 });
}

#[test]
fn kubectl_gets_in_with_an_sso_session() {
    let stage = Stage::new();
    let way = Way { args: &["--profile", "sso"], ..Way::of_a_person(&stage) };
    every_kubectl("sso", &way);
}

#[test]
fn kubectl_gets_in_with_an_sso_profile_of_the_older_form() {
    let stage = Stage::new();
    let way = Way { args: &["--profile", "legacy"], ..Way::of_a_person(&stage) };
    every_kubectl("legacy sso", &way);
}

#[test]
fn kubectl_gets_in_with_a_role_that_wants_an_external_id() {
    let stage = Stage::new();
    let other = "arn:aws:iam::444455556666:role/named-by-a-flag";
    stage.sandbox.role(Role::new(other).external_id("flag-9").trusts(&stage.alice.arn));
    let args = &["--profile", "alice", "--role-arn", other, "--external-id", "flag-9"];
    let of_flags = Way { stage: &stage, args, env: vec![], identity: other, asks: 1 };
    every_kubectl("role of flags", &of_flags);
    let of_a_profile = Way { args: &["--profile", "admin"], identity: ADMIN, ..of_flags };
    every_kubectl("role of a profile", &of_a_profile);
    if kubectls().is_empty() {
        return; // every_kubectl has said so
    }
    let given: Vec<_> = stage.sandbox.requests();
    let given = given.iter().filter_map(|request| request.parameter("ExternalId"));
    assert!(given.clone().any(|id| id == EXTERNAL_ID) && given.clone().any(|id| id == "flag-9"));
}

#[test]
fn kubectl_gets_in_with_a_web_identity() {
    let stage = Stage::new();
    let identity = "arn:aws:iam::444455556666:role/ci";
    let env = stage.workload();
    every_kubectl("web identity", &Way { stage: &stage, args: &[], env, identity, asks: 1 });
}

/// One source of credentials.
struct Way<'a> {
    stage: &'a Stage,
    args: &'a [&'a str],
    env: Vec<(String, String)>,
    /// How the cluster's name for them begins.
    identity: &'a str,
    /// How many requests are made before something is kept.
    asks: usize,
}

impl<'a> Way<'a> {
    fn of_a_person(stage: &'a Stage) -> Self {
        let identity = "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_";
        Way { stage, args: &[], env: vec![], identity, asks: 1 }
    }
}

/// The whole matter for each kubectl, and a line that says how many there were.
fn every_kubectl(name: &str, way: &Way<'_>) {
    let kubectls = kubectls();
    if kubectls.is_empty() {
        let wanted = std::env::var_os("FLEETKEY_REQUIRE_KUBECTL").is_some_and(|value| value == "1");
        assert!(!wanted, "there is no kubectl, and FLEETKEY_REQUIRE_KUBECTL=1 asks for one");
        say(&format!("kubectl tests ran: 0 ({name}: there is no kubectl on this machine)"));
        return;
    }
    for kubectl in &kubectls {
        one_kubectl(kubectl, way);
    }
    let versions: Vec<_> = kubectls.iter().map(|kubectl| kubectl.version.as_str()).collect();
    let versions = versions.join(", ");
    say(&format!("kubectl tests ran: {} ({name}; versions {versions})", kubectls.len()));
}

fn one_kubectl(kubectl: &Kubectl, way: &Way<'_>) {
    let desk = Desk::new(kubectl, way);
    let older = Exec::new("fleetkey", desk.args.clone());
    let before = way.stage.asked();
    desk.works(&older);
    assert_eq!(way.stage.asked() - before, way.asks, "{}: at first", kubectl.version);

    let newer = older.clone().v1().with_cluster_info();
    desk.works(if kubectl.minor >= FIRST_WITH_V1 { &newer } else { &older });
    assert_eq!(way.stage.asked() - before, way.asks, "{}: again", kubectl.version);
}

/// Where one kubectl is used: a HOME and a kubeconfig whose `command: fleetkey` counts.
struct Desk<'a> {
    kubectl: &'a Kubectl,
    way: &'a Way<'a>,
    folder: tempfile::TempDir,
    args: Vec<String>,
    runs: PathBuf,
}

impl<'a> Desk<'a> {
    fn new(kubectl: &'a Kubectl, way: &'a Way<'a>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (runs, cache) = (at("runs"), at("cache"));
        let [counting, text, binary] =
            [at("fleetkey"), at("text"), Program::binary()].map(|path| path.display().to_string());
        let script = format!("#!/bin/sh\nprintf x >> {}\nexec {binary} \"$@\"\n", runs.display());
        fs::write(&text, script).unwrap();
        // made by another process: nothing here ever holds it open for writing, which would keep
        // it from being started
        let made = Program::new("/usr/bin/install").args(["-m", "755", &text, &counting]).run();
        assert_eq!(made.code, Some(0), "{}", made.stderr);

        let cluster = ["get-token", "aws", "--cluster-name", "prod", "--region", "us-east-1"];
        let kept = ["--cache-dir".to_owned(), cache.display().to_string()];
        let args = cluster.iter().chain(way.args).map(|&arg| arg.to_owned()).chain(kept);
        Self { args: args.collect(), runs, kubectl, way, folder }
    }

    /// Three commands, each with one run of the plugin, all as the right one.
    fn works(&self, exec: &Exec) {
        let stage = self.way.stage;
        let config = stage.home.kubeconfig(&stage.cluster, exec).unwrap().display().to_string();
        let before = stage.cluster.identities().len();

        let run = self.run(&config, &["get", "namespaces"]);
        assert!(run.stdout.contains("kube-system"), "{run:?}");
        let run = self.run(&config, &["get", "--raw", "/version"]);
        let version: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(version["gitVersion"], "v1.33.0-fleetkey-sandbox");
        if self.kubectl.minor >= FIRST_WITH_WHOAMI {
            let run = self.run(&config, &["auth", "whoami", "-o", "json"]);
            let who: Value = serde_json::from_str(&run.stdout).unwrap();
            let name = who["status"]["userInfo"]["username"].as_str().unwrap();
            assert!(name.starts_with(self.way.identity), "{name}");
        } else {
            let Kubectl { version, .. } = self.kubectl;
            say(&format!("kubectl {version}: `auth whoami` is skipped, it came with 1.27"));
        }

        let guests = stage.cluster.identities();
        assert!(guests.len() > before, "nobody came");
        for guest in &guests[before..] {
            let name = &guest.identity.canonical_arn;
            assert!(name.starts_with(self.way.identity), "{name} came");
        }
        assert_eq!(stage.cluster.rejections(), []);
    }

    fn run(&self, config: &str, args: &[&str]) -> Run {
        let before = self.runs();
        let run = Program::new(&self.kubectl.path)
            .envs(self.way.stage.home.environment())
            .envs(self.way.stage.sandbox.environment())
            .envs(self.way.env.clone())
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.path().display()))
            .args(["--kubeconfig", config, "--cache-dir"])
            .args([self.folder.path().join("discovery")])
            .args(args)
            .run();
        let Kubectl { version, is_dispatcher, .. } = self.kubectl;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{version} {args:?}: {run:?}");
        let runs = self.runs() - before;
        let allowed = if *is_dispatcher { 1..=2 } else { 1..=1 };
        assert!(allowed.contains(&runs), "{version} {args:?}: the plugin ran {runs} times");
        run
    }

    fn runs(&self) -> u64 {
        self.runs.metadata().map_or(0, |runs| runs.len())
    }
}

const FIRST_WITH_V1: u32 = 22;
const FIRST_WITH_WHOAMI: u32 = 27;
