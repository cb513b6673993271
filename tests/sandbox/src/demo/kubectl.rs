//! The real client, if there is one.

use std::process::{Command, Stdio};

use fleetkey_sandbox::Home;
use serde_json::Value;

pub(super) struct Kubectl {
    pub(super) version: String,
}

impl Kubectl {
    /// The one on the path, if it works.
    pub(super) fn find(home: &Home) -> Option<Self> {
        let mut command = Command::new("kubectl");
        command
            .args(["version", "--client", "--output=json"])
            .envs(home.environment())
            .env_remove("KUBECONFIG");
        let output =
            command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
        let version: Value = serde_json::from_slice(&output.stdout).ok()?;
        Some(Self { version: version["clientVersion"]["gitVersion"].as_str()?.to_owned() })
    }

    /// `kubectl get namespaces`, in this environment and no other.
    #[expect(clippy::unused_self, reason = "having one is the proof that there is a kubectl")]
    pub(super) fn namespaces(
        &self,
        context: &str,
        env: &[(String, String)],
    ) -> Result<Vec<String>, String> {
        let mut command = Command::new("kubectl");
        command
            .args(["--context", context, "get", "namespaces", "--output=name"])
            .env_clear()
            .envs(env.iter().cloned());
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(words(&String::from_utf8_lossy(&output.stderr)));
        }
        let names = String::from_utf8_lossy(&output.stdout);
        Ok(names.lines().map(|name| name.trim_start_matches("namespace/").to_owned()).collect())
    }
}

/// What kubectl and the plugin said, without kubectl's log lines and without repetition: a failing plugin is run five
/// times, and says the same each time.
fn words(said: &str) -> String {
    let log = |line: &&str| {
        line.as_bytes().get(1..5).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
    };
    let mut lines: Vec<&str> = Vec::new();
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty() && !log(line)) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n             ")
}
