//! What a fleet's kubeconfig costs: `convert`, its dry run and `revert` at 500 and 5,000 contexts.
//!
//! `cargo bench --bench fleet` measures the release build: the median of seven runs, the most memory that was
//! resident in any of them, and callgrind's instructions. What a start costs by itself is in each.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark owns its machine, and prints"
)]

#[path = "../tests/it/support/fleet_kubeconfig.rs"]
mod fleet_kubeconfig;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fleet_kubeconfig::fleet;

const ROUNDS: usize = 7;
const VERBS: [&[&str]; 3] = [&["convert", "--dry-run"], &["convert", "--yes"], &["revert"]];

fn main() {
    let home = tempfile::tempdir().unwrap();
    println!(
        "| contexts | bytes | command | median | most memory | instructions |\n|---|---|---|---|---|---|"
    );
    for contexts in [500, 5_000] {
        let text = fleet(contexts, 2_300);
        for verb in VERBS {
            let mut times = Vec::new();
            let mut memory = 0;
            for _ in 0..ROUNDS {
                stage(home.path(), &text, verb);
                let started = Instant::now();
                let child = command(home.path(), verb, &[]).stdout(Stdio::null()).spawn().unwrap();
                memory = memory.max(most_memory(child));
                times.push(started.elapsed());
            }
            stage(home.path(), &text, verb);
            let (verb, bytes) = (verb.join(" "), text.len());
            let count =
                instructions(home.path(), &verb).map_or("-".into(), |count| count.to_string());
            let median = median(times);
            println!(
                "| {contexts} | {bytes} | `{verb}` | {median:.0?} | {} MB | {count} |",
                memory >> 10
            );
        }
    }
}

/// The file as it is before a verb.
fn stage(home: &Path, text: &str, verb: &[&str]) {
    fs::write(home.join("config"), text).unwrap();
    if verb == ["revert"] {
        let done = command(home, &["convert", "--yes"], &[]).stdout(Stdio::null()).status();
        assert!(done.unwrap().success());
    }
}

fn command(home: &Path, verb: &[&str], under: &[&str]) -> Command {
    let binary = env!("CARGO_BIN_EXE_fleetkey");
    let line: Vec<&str> =
        under.iter().copied().chain([binary, "kubeconfig"]).chain(verb.iter().copied()).collect();
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("FLEETKEY_SESSION_STORE", "file");
    command.env("KUBECONFIG", home.join("config"));
    command
}

/// The most memory that was resident, in KiB, as Linux keeps it while a process lives.
fn most_memory(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(now.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return most;
        }
    }
}

fn instructions(home: &Path, verb: &str) -> Option<u64> {
    let verb: Vec<&str> = verb.split(' ').collect();
    let under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let done = command(home, &verb, &under).output().ok()?;
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected"))?;
    line.split(':').nth(1)?.trim().parse().ok()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
