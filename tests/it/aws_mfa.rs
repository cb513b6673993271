//! Roles that ask for a second factor: a code, typed once on the terminal.

use std::{fmt::Write as _, fs, path::Path};

use fleetkey_sandbox::{Fault, Role, Route};

use crate::support::{Program, Stage, Terminal};

const PROD: &str = "arn:aws:iam::444455556666:role/eks-prod";
const TEST: &str = "arn:aws:iam::444455556666:role/eks-test";
const PROMPT: &str = "MFA code for ";

/// A stage with two roles that ask for alice's device.
fn stage() -> Stage {
    let stage = Stage::new();
    let mut config = fs::read_to_string(stage.home.join(".aws/config")).unwrap();
    for (profile, role) in [("prod", PROD), ("test", TEST)] {
        stage.sandbox.role(Role::new(role).requires_mfa().trusts(&stage.alice.arn));
        write!(
            config,
            "[profile {profile}]\nrole_arn = {role}\nsource_profile = alice\nmfa_serial = {}\n",
            stage.alice.mfa_serial()
        )
        .unwrap();
    }
    stage.home.aws_config(&config).unwrap();
    stage
}

/// Where there is no terminal, whoever runs these tests.
fn detached(program: Program) -> Program {
    program.under(["setsid", "--wait"])
}

fn asked(stage: &Stage) -> [usize; 2] {
    [Route::GetSessionToken, Route::AssumeRole].map(|route| stage.sandbox.count(route))
}

#[test]
fn one_code_serves_every_role_until_its_session_ends() {
    let stage = stage();
    let code = stage.sandbox.mfa_code(&stage.alice);
    let terminal = Terminal::start(&stage.with_profile("prod")).types(PROMPT, &code);
    let (run, shown) = terminal.finish();
    assert_eq!(stage.who(&run).canonical_arn, PROD);
    assert!(shown.starts_with(&format!("{PROMPT}{}: ", stage.alice.mfa_serial())), "{shown:?}");

    let run = detached(stage.with_profile("test")).run();
    assert_eq!(stage.who(&run).canonical_arn, TEST);
    assert_eq!(asked(&stage), [1, 2]);
}

#[test]
fn twenty_processes_on_one_terminal_ask_for_one_code() {
    let stage = stage();
    let code = stage.sandbox.mfa_code(&stage.alice);
    let terminal = Terminal::start_many(&stage.with_profile("prod"), 20).types(PROMPT, &code);
    let (run, shown) = terminal.finish();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout.lines().count(), 20);
    assert_eq!(shown.matches(PROMPT).count(), 1, "{shown:?}");
    assert_eq!(asked(&stage), [1, 1]);
}

#[test]
fn with_nobody_to_ask_the_line_to_type_is_said_and_works() {
    let stage = stage();
    let line = "fleetkey login aws --cluster-name prod --region us-east-1 --profile prod";
    let [what, why, next] = detached(stage.with_profile("prod")).run().failed(3);
    assert_eq!(what, "profile `alice` needs an MFA code");
    assert!(why.contains(&stage.alice.mfa_serial()), "{why}");
    assert_eq!(next, line);
    // nor does a client want it that has the keyboard for itself, or somebody who says so
    let info = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
        "spec":{"interactive":false}}"#;
    for program in [
        stage.with_profile("prod").env("KUBERNETES_EXEC_INFO", info),
        stage.with_profile("prod").args(["--ask", "never"]),
    ] {
        let (run, shown) = Terminal::start(&program).finish();
        assert_eq!((run.failed(3)[2].as_str(), shown.as_str()), (line, ""));
    }
    assert_eq!(asked(&stage), [0, 0]);

    let code = stage.sandbox.mfa_code(&stage.alice);
    let words = line.split(' ').skip(1);
    let (run, _) = Terminal::start(&stage.bare().args(words)).types(PROMPT, &code).finish();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    let run = detached(stage.with_profile("prod")).run();
    assert_eq!(stage.who(&run).canonical_arn, PROD);
    assert_eq!(asked(&stage), [1, 1]);
}

#[test]
fn a_wrong_code_is_not_asked_for_again_but_by_hand() {
    let stage = stage();
    let terminal = Terminal::start(&stage.with_profile("prod")).types(PROMPT, "000000");
    let (run, _) = terminal.finish();
    run.keeps_secret(&stage.secrets());
    let [what, why, next] = run.failed(4);
    assert_eq!(what, "STS did not take the MFA code of profile `alice`");
    assert!(why.contains("MultiFactorAuthentication failed"), "{why}");
    assert!(why.contains("; nobody is asked again before "), "{why}");
    for profile in ["prod", "test"] {
        let (run, shown) = Terminal::start(&stage.with_profile(profile)).finish();
        let [_, why, again] = run.failed(3);
        assert!(why.contains("nobody is asked again before"), "{why}");
        assert_eq!(shown, "");
        assert_eq!(again.replace("profile test", "profile prod"), next);
    }
    assert_eq!(asked(&stage), [1, 0]);

    let code = stage.sandbox.mfa_code(&stage.alice);
    let words = next.split(' ').skip(1);
    let (run, _) = Terminal::start(&stage.bare().args(words)).types(PROMPT, &code).finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn where_a_session_is_refused_the_code_goes_to_the_role() {
    let stage = stage();
    stage.sandbox.script(Route::GetSessionToken, [Fault::access_denied()]);
    let code = stage.sandbox.mfa_code(&stage.alice);
    let (run, shown) = Terminal::start(&stage.with_profile("prod")).types(PROMPT, &code).finish();
    assert_eq!(stage.who(&run).canonical_arn, PROD);
    assert_eq!((asked(&stage), shown.matches(PROMPT).count()), ([1, 1], 1));
    // the role is kept, so nobody is asked for it again
    let run = detached(stage.with_profile("prod")).run();
    assert_eq!(stage.who(&run).canonical_arn, PROD);
    assert_eq!(asked(&stage), [1, 1]);
}

#[test]
fn a_code_is_in_no_file() {
    let stage = stage();
    let code = stage.sandbox.mfa_code(&stage.alice);
    let program = stage.with_profile("prod").args(["-v"]);
    let (run, _) = Terminal::start(&program).types(PROMPT, &code).finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(!run.stderr.contains(&code), "{}", run.stderr);
    assert!(look(&stage.home.join(".cache"), &code) > 1, "nothing is kept");
    assert!(look(&stage.home.join(".local/state"), &code) > 0, "nothing is remembered");
}

/// How many files there are; none holds the code.
fn look(folder: &Path, code: &str) -> usize {
    let mut count = 0;
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            count += look(&path, code);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(code.len()).any(|window| window == code.as_bytes());
        assert!(!found, "{}", path.display());
        count += 1;
    }
    count
}
