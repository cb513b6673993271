//! Where one kubectl is used: a plugin on the PATH that counts how often it is started.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fleetkey_sandbox::Exec;
use serde_json::Value;

use super::{Kubectl, Program, Run, Running, kubectls, say};

/// A folder with a `command: fleetkey` that counts, and a cache of its own.
pub(crate) struct Desk<'a> {
    kubectl: &'a Kubectl,
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
    args: Vec<String>,
    runs: PathBuf,
}

/// Does the same with every kubectl, and says with how many.
pub(crate) fn for_every_kubectl(name: &str, mut test: impl FnMut(&Kubectl)) {
    let kubectls = kubectls();
    if kubectls.is_empty() {
        let wanted = std::env::var_os("FLEETKEY_REQUIRE_KUBECTL").is_some_and(|value| value == "1");
        assert!(!wanted, "there is no kubectl, and FLEETKEY_REQUIRE_KUBECTL=1 asks for one");
        say(&format!("kubectl tests ran: 0 ({name}: there is no kubectl on this machine)"));
        return;
    }
    kubectls.iter().for_each(&mut test);
    let versions: Vec<_> = kubectls.iter().map(|kubectl| kubectl.version.as_str()).collect();
    let versions = versions.join(", ");
    say(&format!("kubectl tests ran: {} ({name}; versions {versions})", kubectls.len()));
}

impl<'a> Desk<'a> {
    /// `args` are the plugin's, `env` is the shell's.
    pub(crate) fn new(
        kubectl: &'a Kubectl,
        args: impl Iterator<Item = String>,
        env: Vec<(String, String)>,
    ) -> Self {
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
        let args = args.chain(["--cache-dir".to_owned(), cache.display().to_string()]).collect();
        Self { kubectl, folder, env, args, runs }
    }

    /// The stanza as all clients understand it.
    pub(crate) fn older(&self) -> Exec {
        Exec::new("fleetkey", self.args.clone())
    }

    /// The stanza that asks for `v1` and tells of the cluster, where this kubectl knows it.
    pub(crate) fn newer(&self) -> Exec {
        let newer = self.older().v1().with_cluster_info();
        if self.kubectl.minor >= FIRST_WITH_V1 { newer } else { self.older() }
    }

    /// Three commands, each with one run of the plugin. Who the cluster says it is, where this
    /// kubectl can ask.
    pub(crate) fn three_commands(&self, config: &Path) -> Option<String> {
        let run = self.run(config, &["get", "namespaces"]);
        assert!(run.stdout.contains("kube-system"), "{run:?}");
        let run = self.run(config, &["get", "--raw", "/version"]);
        let version: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(version["gitVersion"], "v1.33.0-fleetkey-sandbox");
        if self.kubectl.minor < FIRST_WITH_WHOAMI {
            let Kubectl { version, .. } = self.kubectl;
            say(&format!("kubectl {version}: `auth whoami` is skipped, it came with 1.27"));
            return None;
        }
        let run = self.run(config, &["auth", "whoami", "-o", "json"]);
        let who: Value = serde_json::from_str(&run.stdout).unwrap();
        Some(who["status"]["userInfo"]["username"].as_str().unwrap().to_owned())
    }

    /// One command, silent besides, with one run of the plugin.
    pub(crate) fn run(&self, config: &Path, args: &[&str]) -> Run {
        let before = self.runs();
        let run = self.start(config, args).finish();
        let Kubectl { version, is_dispatcher, .. } = self.kubectl;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{version} {args:?}: {run:?}");
        let runs = self.runs() - before;
        let allowed = if *is_dispatcher { 1..=2 } else { 1..=1 };
        assert!(allowed.contains(&runs), "{version} {args:?}: the plugin ran {runs} times");
        run
    }

    /// Where its plugin keeps credentials.
    #[cfg(target_os = "linux")]
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// One command, started.
    pub(crate) fn start(&self, config: &Path, args: &[&str]) -> Running {
        let folder = self.folder.path();
        let path = self.env.iter().find(|(name, _)| name == "PATH");
        let path = path.map_or("/usr/bin:/bin", |(_, path)| path);
        Program::new(&self.kubectl.path)
            .envs(self.env.clone())
            .env("PATH", format!("{}:{path}", folder.display()))
            .args(["--kubeconfig".as_ref(), config.as_os_str(), "--cache-dir".as_ref()])
            .args([folder.join("discovery")])
            .args(args)
            .spawn()
    }

    fn runs(&self) -> u64 {
        self.runs.metadata().map_or(0, |runs| runs.len())
    }
}

const FIRST_WITH_V1: u32 = 22;
const FIRST_WITH_WHOAMI: u32 = 27;
