//! A person signs in to SSO without `aws`: on a page or with a code, once, and for every tool.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use fleetkey_sandbox::{Role, Route};

use crate::{
    aws_cli::installed,
    support::{PATIENCE, Program, Run, Running, Stage, browser, say, until, which},
};

const ALICE: &str = "alice@example.com";
const WHO: &str = "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_";
const LINE: &str = "fleetkey login aws --cluster-name prod --region us-east-1 --profile sso";
const SESSION: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
/// What a process does that changes a disk.
const WRITES: &str = "write,writev,pwrite64,open,openat,mkdir,mkdirat,rename,renameat,renameat2,\
                      unlink,unlinkat,fsync,fdatasync,flock,ftruncate,linkat";

/// A stage where nobody is signed in, with a browser that writes down what it was asked to open.
fn signed_out() -> Stage {
    let stage = Stage::new();
    fs::remove_dir_all(stage.home.join(".aws/sso/cache")).unwrap();
    browser(&stage.home);
    stage.sandbox.sso_device_interval(1);
    stage
}

/// With that browser.
fn at_desk(stage: &Stage, program: Program) -> Program {
    program.env("BROWSER", stage.home.join("browser"))
}

fn login(stage: &Stage) -> Program {
    at_desk(stage, stage.bare().args(LINE.split(' ').skip(1)))
}

fn get_token(stage: &Stage) -> Program {
    at_desk(stage, stage.with_profile("sso"))
}

/// By which nobody may be asked.
fn silent(stage: &Stage) -> Program {
    stage.with_profile("sso").args(["--ask", "never"])
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

/// Waits until so many pages were opened, and plays the person before the last of them.
fn signs_in(stage: &Stage, count: usize) {
    let landed = stage.sandbox.sso_browse(&page(stage, count), ALICE).unwrap();
    assert_eq!(landed.status, 200, "{landed:?}");
    assert!(landed.body.contains("You are signed in"), "{landed:?}");
}

/// Waits until a code is shown, and types it.
fn types_the_code(stage: &Stage) -> String {
    let mut code = None;
    until("a code is shown", PATIENCE, || {
        code = stage.sandbox.sso_waiting();
        code.is_some()
    });
    let code = code.unwrap();
    assert!(stage.sandbox.sso_approve(&code, ALICE));
    code
}

/// A run that asked a person says so on stderr; what it answered counts.
fn quiet(run: Run) -> Run {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    Run { stderr: String::new(), ..run }
}

fn worked(running: Running) {
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

fn counts<const N: usize>(stage: &Stage, routes: [Route; N]) -> [usize; N] {
    routes.map(|route| stage.sandbox.count(route))
}

fn json(file: &std::path::Path) -> serde_json::Value {
    let bytes = fs::read(file).unwrap();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The files in which clients lie.
fn registrations(stage: &Stage) -> Vec<PathBuf> {
    let files = fs::read_dir(stage.home.join(".aws/sso/cache")).into_iter().flatten();
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| !path.ends_with(SESSION.rsplit('/').next().unwrap())).collect()
}

#[test]
fn a_page_makes_a_session_and_then_nobody_is_asked() {
    let stage = signed_out();
    let [what, _, next] = silent(&stage).run().failed(3);
    assert_eq!((what.as_str(), next.as_str()), ("nobody is signed in to SSO `corp`", LINE));

    let running = login(&stage).spawn();
    signs_in(&stage, 1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stdout.starts_with("role Developer in 444455556666 (SSO of profile `sso`), good until")
    );
    let told = "fleetkey: sign in to SSO session `corp` (https://sandbox.awsapps.com/start)\n";
    assert!(run.stderr.starts_with(told), "{}", run.stderr);

    let file = stage.home.join(SESSION);
    let session = json(&file);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "startUrl",
        "region",
        "accessToken",
        "expiresAt",
        "clientId",
        "clientSecret",
        "registrationExpiresAt",
        "refreshToken",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
    for name in ["accessToken", "clientSecret", "refreshToken"] {
        let secret = session[name].as_str().unwrap();
        assert!(!run.stderr.contains(secret) && !run.stdout.contains(secret), "{name}");
    }

    let before = stage.sandbox.total();
    assert!(stage.who(&silent(&stage).run()).canonical_arn.starts_with(WHO));
    assert_eq!(stage.sandbox.total(), before, "what `login` was lent is kept");
    // a sign-in that still stands is left as it is
    assert_eq!(login(&stage).run().code, Some(0));
    assert_eq!(opened(&stage).len(), 1);
    // and it is renewed as one that `aws` made
    let over = session["expiresAt"].as_str().unwrap();
    let text = fs::read_to_string(&file).unwrap().replace(over, "2020-01-01T00:00:00Z");
    fs::write(&file, text).unwrap();
    assert_eq!(silent(&stage).run().code, Some(0));
    assert_eq!(stage.sandbox.sso_refreshes(), 1);
}

#[test]
fn whatever_names_the_session_signs_in_to_the_same_one() {
    let stage = signed_out();
    let flags = ["--sso-session", "corp", "--sso-account-id", "444455556666"];
    let flags = flags.into_iter().chain(["--sso-role-name", "Developer"]);
    let running = at_desk(&stage, stage.plugin().args(flags)).spawn();
    signs_in(&stage, 1);
    assert!(stage.who(&quiet(running.finish())).canonical_arn.starts_with(WHO));
    // also for a role that is assumed with it
    let shared = "arn:aws:iam::444455556666:role/shared";
    stage.sandbox.role(Role::new(shared));
    let run = silent(&stage).args(["--role-arn", shared]).run();
    assert_eq!(stage.who(&run).canonical_arn, shared);
    assert_eq!(counts(&stage, [Route::SsoAuthorize, Route::SsoRegister]), [1, 1]);
}

#[test]
fn where_only_a_terminal_is_seen_a_code_is_shown() {
    let stage = signed_out();
    for profile in ["sso", "legacy"] {
        let program = stage.with_profile(profile).args(["--ask", "terminal"]);
        let running = at_desk(&stage, program).spawn();
        let code = types_the_code(&stage);
        let run = running.finish();
        assert!(run.stderr.contains(&format!("type the code {code}\n")), "{}", run.stderr);
        assert!(run.stderr.contains("https://sandbox.awsapps.com/start"), "{}", run.stderr);
        assert!(stage.who(&quiet(run)).canonical_arn.starts_with(WHO));
    }
    assert!(opened(&stage).is_empty(), "a page was opened for somebody with a code");
    assert!(json(&stage.home.join(SESSION))["refreshToken"].is_string());
    assert_eq!(counts(&stage, [Route::SsoRegister, Route::SsoDevice]), [2, 2]);
}

#[test]
fn twenty_processes_open_one_page_for_all_roles_of_a_session() {
    let stage = signed_out();
    stage.sandbox.grant_sso(ALICE, "444455556666", "Reader");
    let spawn = |n: usize| {
        let role = if n.is_multiple_of(2) { "Developer" } else { "Reader" };
        let flags = ["--sso-session", "corp", "--sso-account-id", "444455556666"];
        let program = stage.plugin().args(flags).args(["--sso-role-name", role]);
        at_desk(&stage, program).spawn()
    };
    let crowd: Vec<Running> = (0..20).map(spawn).collect();
    signs_in(&stage, 1);
    for running in crowd {
        worked(running);
    }
    assert_eq!(opened(&stage).len(), 1);
    let routes = [Route::SsoRegister, Route::SsoAuthorize, Route::SsoToken, Route::SsoCredentials];
    assert_eq!(counts(&stage, routes), [1, 1, 1, 2]);
}

#[test]
fn twenty_processes_whose_session_was_ended_sign_in_once() {
    let stage = signed_out();
    stage.home.sso_token("corp", &stage.sso).unwrap();
    stage.sandbox.sso_sign_out(ALICE);
    let crowd: Vec<Running> = (0..20).map(|_| get_token(&stage).spawn()).collect();
    signs_in(&stage, 1);
    for running in crowd {
        worked(running);
    }
    assert_eq!(counts(&stage, [Route::SsoAuthorize, Route::SsoToken]), [1, 1]);
}

#[test]
fn after_a_no_nobody_is_asked_until_somebody_signs_in() {
    let stage = signed_out();
    let running = get_token(&stage).spawn();
    stage.sandbox.sso_browse_declines(&page(&stage, 1)).unwrap();
    let [what, why, next] = running.finish().gave_up(3);
    assert_eq!(what, "the sign-in to SSO `corp` was declined");
    assert!(why.starts_with("access_denied"), "{why}");
    assert_eq!(next, LINE);
    let sent = stage.sandbox.total();
    for _ in 0..20 {
        let [_, why, next] = get_token(&stage).run().failed(3);
        assert!(why.contains("nobody is asked again before"), "{why}");
        assert_eq!(next, LINE);
    }
    assert_eq!((opened(&stage).len(), stage.sandbox.total()), (1, sent));

    // with whatever tool
    stage.home.sso_token("corp", &stage.sandbox.sso_session(ALICE)).unwrap();
    assert!(stage.who(&get_token(&stage).run()).canonical_arn.starts_with(WHO));

    fs::remove_file(stage.home.join(SESSION)).unwrap();
    let running = login(&stage).spawn();
    signs_in(&stage, 2);
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn a_code_that_is_declined_says_so() {
    let stage = signed_out();
    let running = stage.with_profile("legacy").args(["--ask", "terminal"]).spawn();
    let mut code = None;
    until("a code is shown", PATIENCE, || {
        code = stage.sandbox.sso_waiting();
        code.is_some()
    });
    assert!(stage.sandbox.sso_decline(&code.unwrap()));
    let [what, _, next] = running.finish().gave_up(3);
    assert!(what.ends_with("was declined"), "{what}");
    assert_eq!(next, LINE.replace("sso", "legacy"));
}

#[test]
fn a_second_sign_in_uses_what_the_first_registered_until_aws_forgets_it() {
    let stage = signed_out();
    for count in 1..=2 {
        let running = get_token(&stage).spawn();
        signs_in(&stage, count);
        worked(running);
        fs::remove_file(stage.home.join(SESSION)).unwrap();
    }
    assert_eq!(counts(&stage, [Route::SsoRegister, Route::SsoToken]), [1, 2]);
    let [registration] = &registrations(&stage)[..] else { panic!("not one registration") };
    let file = json(registration);
    assert_eq!(file["scopes"], serde_json::json!(["sso:account:access"]));
    assert_eq!(file["grantTypes"][0], "authorization_code");

    // codes have a client of their own, and one that is gone is replaced before anybody is asked
    let code = || stage.with_profile("sso").args(["--ask", "terminal"]).spawn();
    for registered in [2, 3] {
        let running = code();
        types_the_code(&stage);
        worked(running);
        fs::remove_file(stage.home.join(SESSION)).unwrap();
        assert_eq!(counts(&stage, [Route::SsoRegister]), [registered]);
        stage.sandbox.sso_forget_clients();
    }
}

#[test]
fn the_real_aws_uses_the_session_that_was_made_here() {
    let stage = signed_out();
    let Some(aws) = installed(&stage) else {
        return say("sso: the real aws is skipped, there is none");
    };
    let running = login(&stage).spawn();
    signs_in(&stage, 1);
    assert_eq!(running.finish().code, Some(0));
    let before = counts(&stage, [Route::SsoToken, Route::SsoRegister, Route::SsoDevice]);
    let aws = aws
        .envs(stage.home.environment())
        .envs(stage.sandbox.environment())
        .without("AWS_ENDPOINT_URL_STS") // it would stand in the token
        .args(["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"])
        .args(["--profile", "sso", "--output", "json"]);
    let run = aws.run();
    let answer: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
    let token = answer["status"]["token"].as_str().unwrap();
    let who = stage.cluster.verify(token).unwrap().identity;
    assert!(who.canonical_arn.starts_with(WHO));
    assert_eq!(counts(&stage, [Route::SsoToken, Route::SsoRegister, Route::SsoDevice]), before);
    // and a sign-out there is one here
    let out = Program::new("/bin/rm").args([stage.home.join(SESSION)]).run();
    assert_eq!(out.code, Some(0));
    silent(&stage).run().failed(3);
    say("the real aws used the session that was signed in to here");
}

#[test]
fn a_sign_in_that_is_killed_at_any_write_leaves_a_session_or_none() {
    let Some(strace) = which("strace") else {
        return say("sso: the kills are skipped, there is no strace");
    };
    let (mut kills, mut kept, mut done) = (0, 0, false);
    for nth in 1..=400 {
        let stage = signed_out();
        // a page that nobody opens but us: a browser would be killed too
        let program = stage.with_profile("sso").args(["--ask", "browser"]);
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        let mut running = program.under(traced).env("PATH", "/nowhere").spawn();
        let page = |running: &Running| {
            let said = running.said();
            let page = said.split_whitespace().find(|word| word.contains("/authorize?"));
            page.filter(|_| said.ends_with('\n')).map(str::to_owned)
        };
        until("it shows a page or is gone", PATIENCE, || {
            page(&running).is_some() || !running.is_running()
        });
        if let Some(page) = page(&running) {
            // who was killed is not there any more when the browser comes back
            drop(stage.sandbox.sso_browse(&page, ALICE));
        }
        if running.finish().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        for file in registrations(&stage) {
            if file.extension().is_some_and(|end| end == "json") {
                json(&file);
            }
        }
        let file = stage.home.join(SESSION);
        let is_kept = file.exists();
        if is_kept {
            assert!(json(&file)["refreshToken"].is_string());
        }
        // what is kept serves, though the sign-in never ended; what is not is signed in for
        let run = silent(&stage).run();
        let expected = if is_kept { 0 } else { 3 };
        assert_eq!(run.code, Some(expected), "after the kill at write {nth}: {}", run.stderr);
        kept += usize::from(is_kept);
    }
    assert!(done && kills > 10 && kept > 0, "{kills} kills, {kept} sessions");
    say(&format!(
        "an SSO sign-in was killed {kills} times, once at every write: {kept} sessions kept"
    ));
}
