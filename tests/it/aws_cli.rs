//! The real `aws`, where it is installed: the same instant, the same keys, the same bytes.

use fleetkey_sandbox::{Credentials, inspect};
use serde_json::Value;

use crate::support::{ADMIN, Program, Stage, say, which};

#[test]
fn aws_and_fleetkey_make_the_same_token_of_keys() {
    let stage = Stage::new();
    same(&stage, "keys", &stage.alice.environment());
}

#[test]
fn aws_and_fleetkey_make_the_same_token_of_keys_with_a_session() {
    let stage = Stage::new();
    let lent: Credentials = stage.sandbox.session(ADMIN, "me", std::time::Duration::from_hours(1));
    same(&stage, "keys with a session", &lent.environment());
}

/// Both at once, until both signed in the same second.
fn same(stage: &Stage, name: &str, keys: &[(String, String)]) {
    let Some(aws) = installed(stage) else {
        return say(&format!("aws eks get-token: {name} is skipped, there is no `aws`"));
    };
    let args = ["--cluster-name", "prod", "--region", "us-east-1"];
    let with_keys = |program: Program| program.envs(stage.home.environment()).envs(keys.to_vec());
    // releases before 1.42 sign for the global host in the older regions, unless they are told
    let aws = with_keys(aws).env("AWS_STS_REGIONAL_ENDPOINTS", "regional");
    let aws = aws.args(["eks", "get-token"]).args(args);
    let fleetkey = with_keys(Program::plugin()).args(["get-token", "aws"]).args(args);
    for attempt in 1..=TRIES {
        let mut theirs = aws.spawn();
        // theirs takes a second to start, and ours none
        let mut ours = Vec::new();
        while theirs.is_running() {
            ours.push(fleetkey.run().token());
        }
        let theirs = theirs.finish();
        assert_eq!(theirs.code, Some(0), "{}", theirs.stderr);
        let theirs: Value = serde_json::from_str(&theirs.stdout).unwrap();
        let theirs = theirs["status"]["token"].as_str().unwrap();
        let signed =
            |token: &str| inspect(token, "us-east-1", jiff::Timestamp::now()).unwrap().signed_at;
        let Some(ours) = ours.iter().find(|ours| signed(ours) == signed(theirs)) else { continue };
        assert_eq!(ours, theirs);
        say(&format!("aws eks get-token: {name}: the same {} bytes, try {attempt}", ours.len()));
        return;
    }
    panic!("in {TRIES} tries no two tokens were of one second");
}

/// `aws`, if it runs in an environment that is not that of whoever runs this.
pub(crate) fn installed(stage: &Stage) -> Option<Program> {
    let program = Program::new(which("aws")?).env("PATH", std::env::var_os("PATH")?);
    // a shim finds the program it stands for through these
    let shim = ["PYENV_ROOT", "PYENV_VERSION"].into_iter();
    let shim = shim.filter_map(|name| Some((name, std::env::var_os(name)?)));
    let program = shim.fold(program, |program, (name, value)| program.env(name, value));
    let run = program.clone().envs(stage.home.environment()).args(["--version"]).run();
    run.stdout.contains("aws-cli/").then_some(program)
}

const TRIES: usize = 10;
