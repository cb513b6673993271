//! Sessions of `aws login`: used as they stand, renewed once, however many want them, and made in a browser
//! or with a code that is typed.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use fleetkey_sandbox::{Fault, Role, Route};
use jiff::SignedDuration;

use crate::{
    aws_cli::installed,
    support::{PATIENCE, Program, Running, Stage, Terminal, browser, say, until, which},
};

const LINE: &str = "fleetkey login aws --cluster-name prod --region us-east-1 --profile console";
const PROMPT: &str = "Code of the page: ";
/// What a process does that changes a disk.
const WRITES: &str = "write,writev,pwrite64,open,openat,mkdir,mkdirat,rename,renameat,renameat2,\
                      unlink,unlinkat,fsync,fdatasync,flock,ftruncate,linkat";

/// A stage whose profile `console` is alice's, where nobody is signed in, with a browser that writes down
/// what it was asked to open.
fn signed_out() -> Stage {
    let stage = Stage::new();
    let mut config = fs::read_to_string(stage.home.join(".aws/config")).unwrap();
    write!(config, "[profile console]\nlogin_session = {}\n", stage.alice.arn).unwrap();
    stage.home.aws_config(&config).unwrap();
    browser(&stage.home);
    stage
}

/// The same, with a session whose keys are over.
fn over() -> Stage {
    let stage = signed_out();
    let minute = SignedDuration::from_mins(-1);
    let session = stage.sandbox.login_session_for(&stage.alice, minute).unwrap();
    stage.home.login_token(&session).unwrap();
    stage
}

fn console(stage: &Stage) -> Program {
    stage.with_profile("console").env("BROWSER", stage.home.join("browser"))
}

/// By which nobody may be asked.
fn silent(stage: &Stage) -> Program {
    stage.with_profile("console").args(["--ask", "never"])
}

fn file(stage: &Stage) -> PathBuf {
    stage.home.login_token_file(&stage.alice.arn)
}

fn json(stage: &Stage) -> serde_json::Value {
    serde_json::from_slice(&fs::read(file(stage)).unwrap())
        .unwrap_or_else(|error| panic!("half a file: {error}"))
}

/// Lets the keys of the session end.
fn end_keys(stage: &Stage) {
    let text = fs::read_to_string(file(stage)).unwrap();
    let end = json(stage)["accessToken"]["expiresAt"].as_str().unwrap().to_owned();
    fs::write(file(stage), text.replace(&end, "2020-01-01T00:00:00Z")).unwrap();
}

fn counts(stage: &Stage) -> [usize; 2] {
    [stage.sandbox.login_refreshes(), stage.sandbox.login_reuses()]
}

fn opened(stage: &Stage) -> Vec<String> {
    let opened = fs::read_to_string(stage.home.join("opened")).unwrap_or_default();
    opened.lines().map(str::to_owned).collect()
}

/// The last page of so many that are or will be opened.
fn page(stage: &Stage, count: usize) -> String {
    until("the browser is opened", PATIENCE, || opened(stage).len() >= count);
    let opened = opened(stage);
    assert_eq!(opened.len(), count, "{opened:?}");
    opened.last().unwrap().clone()
}

/// Waits until so many pages were opened, and plays alice before the last of them.
fn signs_in(stage: &Stage, count: usize) {
    let landed = stage.sandbox.console_browse(&page(stage, count), &stage.alice).unwrap();
    assert_eq!(landed.status, 200, "{landed:?}");
    assert!(landed.body.contains("You are signed in"), "{landed:?}");
}

fn under(strace: &std::path::Path, nth: usize) -> Vec<String> {
    let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
    let traced = [format!("-etrace={WRITES}"), "-e".into(), inject];
    [strace.display().to_string(), "-fqqo/dev/null".into()].into_iter().chain(traced).collect()
}

#[test]
fn fresh_keys_are_used_as_they_stand_and_asked_for_by_nobody() {
    let stage = signed_out();
    stage.home.login_token(&stage.sandbox.login_session(&stage.alice).unwrap()).unwrap();
    let before = stage.sandbox.total();
    let who = stage.who(&silent(&stage).run());
    assert_eq!(who.canonical_arn, stage.alice.arn);
    assert_eq!(stage.sandbox.total(), before);
    assert!(stage.kept().is_empty(), "what is at hand is not kept");
}

#[test]
fn fifty_processes_renew_once() {
    let stage = over();
    let crowd: Vec<Running> = (0..50).map(|_| silent(&stage).spawn()).collect();
    for running in crowd {
        assert_eq!(stage.who(&running.finish()).canonical_arn, stage.alice.arn);
    }
    assert_eq!(counts(&stage), [1, 0]);
    assert_eq!(stage.sandbox.count(Route::SignInToken), 1);
    assert_eq!(fs::metadata(file(&stage)).unwrap().permissions().mode() & 0o777, 0o600);
    // and the next one asks nobody
    assert_eq!(silent(&stage).run().code, Some(0));
    assert_eq!(stage.sandbox.count(Route::SignInToken), 1);
}

#[test]
fn a_role_is_assumed_with_it_and_outlives_its_keys() {
    let stage = over();
    let shared = "arn:aws:iam::444455556666:role/shared";
    stage.sandbox.role(Role::new(shared).trusts(&stage.alice.arn));
    let role = || silent(&stage).args(["--role-arn", shared]).run();
    assert_eq!(stage.who(&role()).canonical_arn, shared);
    end_keys(&stage);
    let asked = stage.sandbox.total();
    assert_eq!(stage.who(&role()).canonical_arn, shared);
    assert_eq!(stage.sandbox.total(), asked);
    // `aws logout` removes the file
    fs::remove_file(file(&stage)).unwrap();
    assert_eq!(role().failed(3)[2], LINE);
}

#[test]
fn a_renewal_that_is_killed_at_any_write_leaves_a_session_or_asks_to_sign_in() {
    let Some(strace) = which("strace") else {
        return say("login sessions: the kills are skipped, there is no strace");
    };
    let (mut kills, mut lost, mut done) = (0, 0, false);
    for nth in 1..=400 {
        let stage = over();
        let before = fs::read(file(&stage)).unwrap();
        if silent(&stage).under(under(&strace, nth)).run().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        assert!(json(&stage)["refreshToken"].is_string());
        let is_as_before = fs::read(file(&stage)).unwrap() == before;
        let run = silent(&stage).run();
        match run.code {
            Some(0) => {}
            // sent, or about to be: nobody knows any more
            Some(3) if is_as_before => lost += 1,
            _ => panic!("after the kill at write {nth}: {}", run.stderr),
        }
        assert_eq!(stage.sandbox.login_reuses(), 0, "after the kill at write {nth}");
    }
    assert!(done && kills > 10 && lost < kills / 2, "{kills} kills, {lost} lost");
    say(&format!("a login session was renewed under {kills} kills: {lost} sessions lost"));
}

#[test]
fn what_ends_a_session_is_told_apart() {
    for (end, code, words) in [
        ("time", 3, "the sign-in of profile `console` has ended"),
        ("password", 3, "profile `console` was signed in to before its password was changed"),
        ("permission", 4, "AWS Sign-In did not let profile `console` renew the sign-in"),
    ] {
        let stage = over();
        let secrets = [json(&stage)["refreshToken"].as_str().unwrap().to_owned()];
        match end {
            "time" => {
                let fault = Fault::Status {
                    code: 401,
                    headers: vec![("x-amzn-ErrorType".into(), "AccessDeniedException".into())],
                    body: br#"{"error":"TOKEN_EXPIRED","message":"over"}"#.to_vec(),
                };
                stage.sandbox.script(Route::SignInToken, [fault]);
            }
            "password" => stage.sandbox.change_password(&stage.alice),
            _ => stage.sandbox.deny_login(&stage.alice),
        }
        let run = silent(&stage).run();
        run.keeps_secret(&secrets);
        let [what, why, next] = run.failed(code);
        assert_eq!(what, words, "{why}");
        if code == 3 {
            assert_eq!(next, LINE);
        }
        assert_eq!(stage.sandbox.login_reuses(), 0);
    }
}

#[test]
fn a_browser_makes_a_session_and_then_nobody_is_asked() {
    let stage = signed_out();
    let [what, _, next] = silent(&stage).run().failed(3);
    assert_eq!(what, format!("nobody is signed in as {}", stage.alice.arn));
    assert_eq!(next, LINE);
    let login = stage.bare().args(LINE.split(' ').skip(1));
    let running = login.env("BROWSER", stage.home.join("browser")).spawn();
    signs_in(&stage, 1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = format!("fleetkey: sign in to AWS as {} (profile `console`)\n", stage.alice.arn);
    assert!(run.stderr.starts_with(&told), "{}", run.stderr);
    let session = json(&stage);
    assert_eq!(fs::metadata(file(&stage)).unwrap().permissions().mode() & 0o777, 0o600);
    for name in ["refreshToken", "dpopKey"] {
        let secret = session[name].as_str().unwrap();
        assert!(!run.stderr.contains(secret) && !run.stdout.contains(secret), "{name}");
    }
    let before = stage.sandbox.total();
    assert_eq!(stage.who(&silent(&stage).run()).canonical_arn, stage.alice.arn);
    assert_eq!(stage.sandbox.total(), before);
    // and it is renewed as one that `aws` made
    end_keys(&stage);
    assert_eq!(silent(&stage).run().code, Some(0));
    assert_eq!(counts(&stage), [1, 0]);
}

#[test]
fn twenty_processes_open_one_page() {
    let stage = signed_out();
    let crowd: Vec<Running> = (0..20).map(|_| console(&stage).spawn()).collect();
    signs_in(&stage, 1);
    for running in crowd {
        let run = running.finish();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    assert_eq!(opened(&stage).len(), 1);
    assert_eq!(stage.sandbox.count(Route::SignInToken), 1);
}

#[test]
fn where_only_a_terminal_is_seen_the_code_of_the_page_is_typed() {
    let stage = signed_out();
    let terminal = Terminal::start(&stage.with_profile("console").args(["--ask", "terminal"]));
    let mut url = None;
    until("a page is shown", PATIENCE, || {
        let said = terminal.said();
        url = said.lines().find(|line| line.contains("/v1/authorize?")).map(str::to_owned);
        url.is_some() && said.contains("give it to nobody else")
    });
    let code = stage.sandbox.console_code(&url.unwrap(), &stage.alice).unwrap();
    let (run, shown) = terminal.types(PROMPT, &code).finish();
    assert_eq!(run.code, Some(0), "{} {shown}", run.stderr);
    assert_eq!(json(&stage)["clientId"], "arn:aws:signin:::devtools/cross-device");
    assert_eq!(stage.who(&silent(&stage).run()).canonical_arn, stage.alice.arn);
}

#[test]
fn somebody_else_is_not_kept_and_a_no_is_remembered() {
    let stage = signed_out();
    let running = console(&stage).spawn();
    let mallory = stage.sandbox.user("mallory");
    stage.sandbox.console_browse(&page(&stage, 1), &mallory).unwrap();
    let [what, _, next] = running.finish().gave_up(3);
    let arn = &stage.alice.arn;
    assert_eq!(what, format!("{} signed in, and profile `console` is that of {arn}", mallory.arn));
    assert_eq!(next, LINE);
    assert!(!file(&stage).exists());
    let [_, why, _] = console(&stage).run().failed(3);
    assert!(why.contains("nobody is asked again before"), "{why}");
    let login = stage.bare().args(LINE.split(' ').skip(1));
    let running = login.env("BROWSER", stage.home.join("browser")).spawn();
    stage.sandbox.console_browse_declines(&page(&stage, 2)).unwrap();
    let [what, why, _] = running.finish().gave_up(3);
    assert_eq!(what, "the sign-in of profile `console` was declined");
    assert!(why.starts_with("access_denied"), "{why}");
    // with whatever tool
    stage.home.login_token(&stage.sandbox.login_session(&stage.alice).unwrap()).unwrap();
    assert_eq!(stage.who(&console(&stage).run()).canonical_arn, *arn);
}

#[test]
fn a_sign_in_that_is_killed_at_any_write_leaves_a_session_or_none() {
    let Some(strace) = which("strace") else {
        return say("login sessions: the kills of sign-ins are skipped, there is no strace");
    };
    let (mut kills, mut kept, mut done) = (0, 0, false);
    for nth in 1..=400 {
        let stage = signed_out();
        let program = stage.with_profile("console").args(["--ask", "browser"]);
        let mut running = program.under(under(&strace, nth)).env("PATH", "/nowhere").spawn();
        let page = |running: &Running| {
            let said = running.said();
            let page = said.split_whitespace().find(|word| word.contains("/v1/authorize?"));
            page.filter(|_| said.ends_with('\n')).map(str::to_owned)
        };
        until("it shows a page or is gone", PATIENCE, || {
            page(&running).is_some() || !running.is_running()
        });
        if let Some(page) = page(&running) {
            // who was killed is not there any more when the browser comes back
            drop(stage.sandbox.console_browse(&page, &stage.alice));
        }
        if running.finish().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        let is_kept = file(&stage).exists();
        if is_kept {
            assert!(json(&stage)["refreshToken"].is_string());
        }
        let run = silent(&stage).run();
        let expected = if is_kept { 0 } else { 3 };
        assert_eq!(run.code, Some(expected), "after the kill at write {nth}: {}", run.stderr);
        kept += usize::from(is_kept);
    }
    assert!(done && kills > 10 && kept > 0, "{kills} kills, {kept} sessions");
    say(&format!("a login sign-in was killed {kills} times: {kept} sessions kept"));
}

#[test]
fn the_real_aws_uses_and_renews_the_session_that_was_made_here() {
    let stage = signed_out();
    let Some(aws) = installed(&stage) else {
        return say("login sessions: the real aws is skipped, there is none");
    };
    let running = console(&stage).spawn();
    signs_in(&stage, 1);
    assert_eq!(running.finish().code, Some(0));
    let aws = aws
        .envs(stage.home.environment())
        .envs(stage.sandbox.environment())
        .without("AWS_ENDPOINT_URL_STS") // it would stand in the token
        .args(["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"])
        .args(["--profile", "console", "--output", "json"]);
    for renewed in [0, 1] {
        let run = aws.run();
        if run.stderr.contains("botocore[crt]") {
            return say("login sessions: the real aws is skipped, it lacks what it needs for them");
        }
        let answer: serde_json::Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
        let token = answer["status"]["token"].as_str().unwrap();
        let who = stage.cluster.verify(token).unwrap().identity;
        assert_eq!(who.canonical_arn, stage.alice.arn);
        // and what it renewed is used here
        assert_eq!(stage.who(&silent(&stage).run()).canonical_arn, stage.alice.arn);
        assert_eq!(counts(&stage), [renewed, 0]);
        end_keys(&stage);
    }
    say("the real aws used and renewed the login session that was made here");
}
