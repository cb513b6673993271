//! What a start costs: instructions (repeatable) and wall time (paired, beside `/bin/true`).
//!
//! `cargo bench --bench start` measures the release build, and the musl build in
//! `target/x86_64-unknown-linux-musl/release` if it is there. The paths: a kept role credential and a
//! kept access token (the hit paths), the same token bound to a key (one signature more), access keys
//! in the environment, and `--version` as the floor of the binary itself. A run that is no hit fails, and so does the benchmark.
//!
//! Instruction counts come from callgrind; wall time from rounds in which every command runs once, so
//! that whatever else the machine does falls on all of them alike. `aws` is measured in the same
//! rounds, less often, where it is installed; `FLEETKEY_BENCH_AWS` names the program itself where the
//! one on the PATH is a version manager's shim.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark owns its machine, and prints"
)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetkey::World;
use fleetkey_provider::testing::{ScriptedHttp, StaticEnv};

const ROUNDS: usize = 400;
const ROUNDS_OF_AWS: usize = 10;
const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "33333333-3333-3333-3333-333333333333";
const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const ROLE: &str = "arn:aws:iam::123456789012:role/bench";
const MUSL: &str = "target/x86_64-unknown-linux-musl/release/fleetkey";

/// One command, as often as it takes.
struct Case {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    times: Vec<Duration>,
}

fn main() {
    let home = tempfile::tempdir().unwrap();
    let env = [
        ("HOME".to_owned(), home.path().to_str().unwrap().to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "AKIDEXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
        ("AZURE_CLIENT_SECRET".to_owned(), "an~application.secret_value".to_owned()),
    ];
    let token = ["get-token", "aws", "--region", "us-east-1", "--cluster-name", "bench"];
    let role = [&token[..], &["--role-arn", ROLE]].concat();
    keep(&role, &env, &role_answer());
    let app = ["get-token", "azure", "--login", "spn", "--server-id", SERVER];
    let app = [&app[..], &["--tenant-id", TENANT, "--client-id", CLIENT]].concat();
    keep(&app, &env, &entra_answer());
    let bound = [&app[..], &["--pop-enabled", "--pop-claims", "u=bench"]].concat();
    keep(&bound, &env, &entra_answer());

    let mut cases = vec![Case::new("/bin/true", Path::new("/bin/true"), &[], &env)];
    for (build, binary) in binaries() {
        cases.push(Case::new(&format!("{build}, kept role (the hit path)"), &binary, &role, &env));
        cases.push(Case::new(&format!("{build}, kept access token"), &binary, &app, &env));
        cases.push(Case::new(&format!("{build}, kept, bound to a key"), &binary, &bound, &env));
        cases.push(Case::new(&format!("{build}, keys in the environment"), &binary, &token, &env));
        cases.push(Case::new(&format!("{build}, --version"), &binary, &["--version"], &env));
        println!("{build}: {} bytes", std::fs::metadata(&binary).unwrap().len());
    }
    let aws_args = [
        "eks",
        "get-token",
        "--region",
        "us-east-1",
        "--cluster-name",
        "bench",
        "--output",
        "json",
    ];
    let mut aws = std::env::var_os("FLEETKEY_BENCH_AWS")
        .map(PathBuf::from)
        .or_else(|| on_path("aws"))
        .map(|aws| Case::new("aws eks get-token, keys in the environment", &aws, &aws_args, &env));
    for round in 0..ROUNDS {
        cases.iter_mut().for_each(Case::run);
        if round % (ROUNDS / ROUNDS_OF_AWS) == 0 {
            aws.iter_mut().for_each(Case::run);
        }
    }

    let floor = median(&cases[0].times);
    let counted = on_path("valgrind").is_some();
    println!("\n{ROUNDS} rounds; instructions by callgrind\n");
    println!("| command | median | beside `/bin/true` | instructions |\n|---|---|---|---|");
    for case in cases.iter().chain(&aws) {
        let time = median(&case.times);
        let count = (counted && !case.name.starts_with("aws")).then(|| case.instructions());
        let count = count.flatten().map_or("-".into(), |count| count.to_string());
        let (ms, ratio) = (time.as_secs_f64() * 1e3, time.as_secs_f64() / floor.as_secs_f64());
        println!("| {} | {ms:.2} ms | {ratio:.2} | {count} |", case.name);
    }
}

/// Keeps a credential as a first call would, from a cloud that is a line of text: the runs that are
/// measured have the cloud's own endpoint, as a person's runs do, and could not reach it.
fn keep(args: &[&str], env: &[(String, String)], answer: &str) {
    let http = ScriptedHttp::default();
    http.answer(200, &[], answer);
    let mut world = World::real().heard_by(std::io::sink(), std::io::stderr());
    world.host.http = Box::new(http);
    world.host.env = Box::new(StaticEnv::new(env.iter().cloned()));
    let args =
        std::iter::once("fleetkey").chain(args.iter().copied()).map(std::ffi::OsString::from);
    assert_eq!(fleetkey::run(args, world), std::process::ExitCode::SUCCESS);
}

fn role_answer() -> String {
    let end = jiff::Timestamp::from_second(4_102_444_800).unwrap();
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        "t".repeat(400)
    )
}

/// An access token of the usual size, good for an hour.
fn entra_answer() -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = format!(
        r#"{{"aud":"{SERVER}","iss":"https://sts.windows.net/{TENANT}/","iat":{now},"nbf":{now},"exp":{},"tid":"{TENANT}","appid":"{CLIENT}","ver":"1.0"}}"#,
        now + 3600
    );
    let header = r#"{"typ":"JWT","alg":"RS256"}"#;
    let [header, claims] = [header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let token = format!("{header}.{claims}.{}", "s".repeat(900));
    format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{token}"}}"#)
}

impl Case {
    fn new(name: &str, program: &Path, args: &[&str], env: &[(String, String)]) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            env: env.to_vec(),
            times: Vec::new(),
        }
    }

    fn run(&mut self) {
        let mut command = self.command(&self.program);
        command.stdout(Stdio::null());
        let start = Instant::now();
        assert!(command.status().unwrap().success(), "{}", self.name);
        self.times.push(start.elapsed());
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(&self.args).env_clear().envs(self.env.iter().cloned());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        command
    }

    /// callgrind's total for one run.
    fn instructions(&self) -> Option<u64> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(&self.program).args(&self.args);
        valgrind.env_clear().envs(self.env.iter().cloned());
        valgrind.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let done = valgrind.stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        let line = text.lines().find(|line| line.contains("Collected"))?;
        line.split(':').nth(1)?.trim().parse().ok()
    }
}

/// The builds to measure: this one, and the musl one if it was built.
fn binaries() -> Vec<(&'static str, PathBuf)> {
    let musl = Path::new(env!("CARGO_MANIFEST_DIR")).join(MUSL);
    let native = ("native build", PathBuf::from(env!("CARGO_BIN_EXE_fleetkey")));
    [Some(native), musl.exists().then_some(("musl static-pie build", musl))]
        .into_iter()
        .flatten()
        .collect()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
