//! What `status` says where little would show that a call fails, or that it does not: it says what happens.

use std::fs;

use fleetkey_sandbox::{Fault, Gate, Route};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::{
    renewal::age,
    support::{Fleet, PATIENCE, Program, SESSIONS, Terminal, alice, kept_in},
};

/// The first context of SSO.
const SSO: usize = 24;

/// What `status` says of the contexts, in their order.
fn contexts(program: Program) -> Vec<Value> {
    let run = program.args(["--json"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    all["contexts"].as_array().unwrap().clone()
}

fn count(contexts: &[Value], next: &str) -> usize {
    contexts.iter().filter(|context| context["next"] == next).count()
}

#[test]
fn a_session_whose_renewal_was_killed_is_signed_out() {
    let fleet = Fleet::new();
    let over = fleet.sandbox.sso_sign_in(alice()).access_token_expired();
    fleet.home.sso_token("corp", &over.done()).unwrap();
    let status = || contexts(fleet.plugin(["status", "eks-00"]))[0].clone();
    assert_eq!(status()["next"], "renew");
    let gate = Gate::new();
    fleet.sandbox.script(Route::SsoToken, [Fault::Hold(gate.clone())]);
    let line = fleet.args_now(SSO);
    let mut running = fleet.plugin([]).args(line).args(["--ask", "never"]).spawn();
    assert!(gate.wait_for(1, PATIENCE), "nobody renews");
    // it is on its way, and may come back
    assert_eq!(status()["next"], "renew");
    running.kill();
    drop(running.finish());
    gate.release();
    let context = status();
    assert_eq!(context["next"], "ask", "{context}");
    let why = context["session"]["why"].as_str().unwrap();
    assert!(why.contains("what came of its renewal is lost"), "{why}");
    let [_, why, _] = fleet.get_token(SSO).failed(3);
    assert!(why.contains("what came of that is lost"), "{why}");
    // what somebody signed in to since is another one
    let over = fleet.sandbox.sso_sign_in(alice()).access_token_expired();
    fleet.home.sso_token("corp", &over.done()).unwrap();
    assert_eq!(status()["next"], "renew");
}

#[test]
fn where_no_question_can_be_remembered_nobody_is_asked() {
    let fleet = Fleet::new();
    fleet.home.write("file", "").unwrap();
    // as where the disk is read-only, which root would not notice
    let state = fleet.home.join("file/state");
    let here = |program: Program| program.env("XDG_STATE_HOME", &state);
    let seen = contexts(here(fleet.plugin(["status"])));
    assert_eq!(count(&seen, "cannot"), seen.len());
    let why = seen[0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("nobody is asked where that cannot be remembered: "), "{why}");
    let line = fleet.args_now(0);
    let run = here(fleet.plugin([]).args(line).args(["--ask", "browser"])).run();
    let [_, told, next] = run.failed(3);
    assert!(why.ends_with(&told), "{why}: {told}");
    assert_eq!(seen[0]["command"], next);
    assert!(fleet.opened().is_empty());
    // where it can be, they are, and nothing is made to find out
    assert_eq!(count(&contexts(fleet.plugin(["status"])), "ask"), 40);
    assert!(!fleet.home.join(".local").exists());
}

#[test]
fn an_sso_file_that_cannot_be_read_is_why_it_cannot() {
    let fleet = Fleet::new();
    let file = fleet.home.join(SESSIONS[0]);
    let make: [&dyn Fn(); 3] = [
        &|| fs::create_dir_all(&file).unwrap(),
        &|| {
            fs::remove_dir(&file).unwrap();
            mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        },
        &|| {
            fs::remove_file(&file).unwrap();
            fs::write(&file, vec![b' '; (1 << 20) + 1]).unwrap();
        },
    ];
    for make in make {
        make();
        let context = &contexts(fleet.plugin(["status", "eks-00"]))[0];
        assert_eq!(context["next"], "cannot", "{context}");
        let run = fleet.plugin([]).args(fleet.args_now(SSO)).args(["--ask", "browser"]).run();
        let [what, why, next] = run.failed(2);
        assert!(what.ends_with("cannot be read"), "{what}");
        assert_eq!(context["why"], format!("{what}: {why}"));
        assert_eq!(context["command"], next);
    }
    assert!(fleet.opened().is_empty());
}

#[test]
fn what_is_answered_while_its_successor_is_fetched_is_kept() {
    let fleet = Fleet::new();
    assert_eq!(fleet.login().code, Some(0));
    fs::remove_dir_all(fleet.home.join(".aws/cli")).unwrap();
    let next = |minutes: i64, off: &str| {
        for cloud in ["aws", "azure"] {
            for file in kept_in(fleet.home.join(".cache/fleetkey").join(cloud)) {
                age(&file, minutes * 60);
            }
        }
        let off = fleet.plugin(["status"]).env("FLEETKEY_NO_RENEW_AHEAD", off);
        let seen = contexts(off);
        ["kept", "renew"].map(|next| count(&seen, next))
    };
    // with less than five minutes left it is stale, and with more than half of that it serves
    assert_eq!(next(54, ""), [40, 0]);
    assert_eq!(next(56, ""), [40, 0]);
    assert_eq!(next(56, "1"), [0, 40]);
    assert_eq!(next(58, ""), [0, 40]);
}

#[test]
fn a_narrow_terminal_has_fewer_columns_of_identities() {
    let fleet = Fleet::new();
    let program = fleet.plugin(["status", "--identities"]);
    for (columns, shown) in [
        (100, &["IDENTITY", "CLOUD", "CONTEXTS", "SESSION", "CREDENTIALS", "NEXT"][..]),
        (70, &["IDENTITY", "CLOUD", "CONTEXTS", "SESSION", "NEXT"]),
        (48, &["IDENTITY", "SESSION", "NEXT"]),
    ] {
        let (run, text) = Terminal::start_on(&program, columns).finish();
        assert_eq!(run.code, Some(0), "{text}");
        let heading = text.lines().find(|line| line.contains("IDENTITY")).unwrap_or_default();
        let heading = heading.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        let names: Vec<&str> = heading.split_whitespace().collect();
        assert_eq!(names, shown, "{columns}: {text}");
    }
}
