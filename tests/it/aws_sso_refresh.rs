//! An SSO session that is renewed: once, however many want it, and in a way that `aws` understands.

use std::fs;

use fleetkey_sandbox::{Route, SsoName, SsoSession};

use crate::support::{PATIENCE, Program, Running, Stage, say, until, which};

const WHO: &str = "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_";
const SSO_LINE: &str = "fleetkey login aws --cluster-name prod --region us-east-1 --profile sso";
/// What a process does that changes a disk.
const WRITES: &str = "write,writev,pwrite64,open,openat,mkdir,mkdirat,rename,renameat,renameat2,\
                      unlink,unlinkat,fsync,fdatasync,flock,ftruncate,linkat";

/// A stage whose SSO token is over, and can be renewed.
fn over() -> (Stage, SsoSession) {
    let stage = Stage::new();
    let session = stage.sandbox.sso_sign_in("alice@example.com").access_token_expired().done();
    stage.home.sso_token("corp", &session).unwrap();
    (stage, session)
}

fn sso(stage: &Stage) -> Program {
    stage.with_profile("sso")
}

fn token_file(stage: &Stage) -> std::path::PathBuf {
    stage.home.join(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json")
}

/// Whether a process left word that it was about to redeem the session.
fn is_marked(stage: &Stage) -> bool {
    let folder = fs::read_dir(stage.home.join(".local/state/fleetkey/sessions"));
    let mut names = folder.into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.any(|name| name.to_string_lossy().ends_with(".redeeming"))
}

#[test]
fn fifty_processes_renew_once_and_ask_for_one_role() {
    let (stage, _) = over();
    let crowd: Vec<Running> = (0..50).map(|_| sso(&stage).spawn()).collect();
    for running in crowd {
        assert!(stage.who(&running.finish()).canonical_arn.starts_with(WHO));
    }
    let routes = [Route::SsoToken, Route::SsoCredentials];
    assert_eq!(routes.map(|route| stage.sandbox.count(route)), [1, 1]);
    assert_eq!((stage.sandbox.sso_refreshes(), stage.sandbox.sso_reuses()), (1, 0));
    // and the next one asks nobody
    assert_eq!(sso(&stage).run().code, Some(0));
    assert_eq!(routes.map(|route| stage.sandbox.count(route)), [1, 1]);
}

#[test]
fn the_real_aws_uses_what_was_renewed_here() {
    let Some(aws) = which("aws") else {
        return say("sso: the real aws is skipped, there is none");
    };
    let (stage, _) = over();
    assert_eq!(sso(&stage).run().code, Some(0));
    let aws = Program::new(aws)
        .envs(stage.home.environment())
        .envs(stage.sandbox.environment())
        .without("AWS_ENDPOINT_URL_STS") // it would stand in the token
        .env("PATH", std::env::var_os("PATH").unwrap())
        .args(["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"])
        .args(["--profile", "sso", "--output", "json"]);
    let run = aws.run();
    if run.code != Some(0) && run.stderr.contains("pyenv") {
        return say("sso: the real aws is skipped, it is a shim without a version");
    }
    let answer: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
    let token = answer["status"]["token"].as_str().unwrap();
    let who = stage.cluster.verify(token).unwrap().identity;
    assert!(who.canonical_arn.starts_with(WHO));
    assert_eq!((stage.sandbox.sso_refreshes(), stage.sandbox.sso_reuses()), (1, 0));
    say("the real aws used the session that was renewed here");
}

#[test]
fn a_renewal_that_is_killed_at_any_write_leaves_a_session_or_asks_to_sign_in() {
    let Some(strace) = which("strace") else {
        return say("sso: the kills are skipped, there is no strace");
    };
    let (mut kills, mut lost, mut done) = (0, 0, false);
    for nth in 1..=400 {
        let (stage, _) = over();
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        let before = fs::read(token_file(&stage)).unwrap();
        if sso(&stage).under(traced).run().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        let after = fs::read(token_file(&stage)).unwrap();
        let file: serde_json::Value = serde_json::from_slice(&after).expect("half a file");
        assert!(file["refreshToken"].is_string());
        // sent, or about to be: nobody knows any more, and what was redeemed twice is worth nothing
        let was_lost =
            after == before && (stage.sandbox.count(Route::SsoToken) > 0 || is_marked(&stage));
        let run = sso(&stage).run();
        let expected = if was_lost { 3 } else { 0 };
        assert_eq!(run.code, Some(expected), "after the kill at write {nth}: {}", run.stderr);
        lost += usize::from(was_lost);
    }
    assert!(done && kills > 10 && lost < kills / 2, "{kills} kills, {lost} lost");
    say(&format!("a renewal was killed {kills} times, once at every write: {lost} sessions lost"));
}

#[test]
fn twenty_real_aws_race_us_for_a_session() {
    let Some(aws) = which("aws") else {
        return say("sso: the race with the real aws is skipped, there is none");
    };
    let (stage, _) = over();
    let aws = || {
        Program::new(&aws)
            .envs(stage.home.environment())
            .envs(stage.sandbox.environment())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .args(["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"])
            .args(["--profile", "sso", "--output", "json"])
            .spawn()
    };
    let theirs: Vec<Running> = (0..20).map(|_| aws()).collect();
    let mut ours = Vec::new();
    until("somebody renews", PATIENCE, || {
        ours.push(sso(&stage).spawn());
        stage.sandbox.count(Route::SsoToken) > 0 || ours.len() >= 50
    });
    let ok = |crowd: Vec<Running>| {
        crowd.into_iter().map(Running::finish).filter(|run| run.code == Some(0)).count()
    };
    let (all, count) = (ours.len(), theirs.len());
    let (ours, theirs) = (ok(ours), ok(theirs));
    let sandbox = &stage.sandbox;
    say(&format!(
        "a race for one expired session: {ours} of {all} of ours and {theirs} of {count} real aws \
         got a token; {} refreshes, {} reuses",
        sandbox.sso_refreshes(),
        sandbox.sso_reuses()
    ));
    assert_eq!(ours, all, "one of ours lost the session");
    assert_eq!(sso(&stage).args(["--fresh"]).run().code, Some(0), "the session is lost");
    // whatever they did to each other, no file is half written
    serde_json::from_slice::<serde_json::Value>(&fs::read(token_file(&stage)).unwrap()).unwrap();
}

#[test]
fn what_the_newer_aws_kept_for_a_role_is_used_until_somebody_signs_out() {
    let stage = Stage::new();
    let lifetime = jiff::SignedDuration::from_hours(1);
    let sandbox = &stage.sandbox;
    let keys =
        sandbox.sso_role_credentials("alice@example.com", "444455556666", "Developer", lifetime);
    let name = SsoName::Session("corp");
    stage.home.aws_cli_cache(name, "444455556666", "Developer", &keys).unwrap();
    let before = stage.asked();
    assert!(stage.who(&sso(&stage).run()).canonical_arn.starts_with(WHO));
    assert_eq!(stage.asked(), before, "it was asked for again");
    // `aws sso logout` removes both files
    fs::remove_file(token_file(&stage)).unwrap();
    let file = stage.home.aws_cli_cache_file(SsoName::Session("corp"), "444455556666", "Developer");
    fs::remove_file(file).unwrap();
    let [_, _, next] = sso(&stage).run().failed(3);
    assert_eq!(next, SSO_LINE);
    assert_eq!(stage.asked(), before);
}

#[test]
fn what_is_lent_here_is_left_where_the_newer_aws_looks_and_ends_with_its_sign_out() {
    let stage = Stage::new();
    assert_eq!(sso(&stage).run().code, Some(0));
    let file = stage.home.aws_cli_cache_file(SsoName::Session("corp"), "444455556666", "Developer");
    let entry: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(entry["ProviderType"], "sso");
    let asked = stage.asked();
    assert_eq!(sso(&stage).run().code, Some(0));
    assert_eq!(stage.asked(), asked);
    fs::remove_file(token_file(&stage)).unwrap();
    fs::remove_file(file).unwrap();
    sso(&stage).run().failed(3);
}

#[test]
fn a_kept_role_that_is_killed_at_any_write_costs_a_request_and_no_more() {
    let Some(strace) = which("strace") else {
        return say("kept roles: the kills are skipped, there is no strace");
    };
    let (mut kills, mut done) = (0, false);
    let stage = Stage::new();
    for nth in 1..=400 {
        let cache = stage.home.join(format!("cache-{nth}")).display().to_string();
        let admin = || stage.admin().args(["--cache-dir", &cache]);
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        if admin().under(traced).run().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        for _ in 0..2 {
            assert_eq!(admin().run().code, Some(0), "after the kill at write {nth}");
        }
    }
    assert!(done && kills > 5, "{kills} kills");
    say(&format!("a role was kept under {kills} kills, one at every write"));
}
