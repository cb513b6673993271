use fleetkey_provider::{
    Files, Kind,
    testing::{ScriptedPrograms, StaticFiles},
};
use std::path::Path;

use super::*;
use crate::testing::{ROLE, World};

const LINE: &str = "/opt/lend --for 'a b' $HOME";
const ANSWER: &str = r#"{"Version":1,"AccessKeyId":"ASIAPROC","SecretAccessKey":"hunter2",
    "SessionToken":"t","Expiration":"2026-01-02T04:04:05Z","AccountId":"1"}"#;

const SETTING: &str = "aws configure get credential_process --profile p";

fn world(line: &str) -> World {
    World::new().file(
        "/home/.aws/credentials",
        &format!(
            "[p]\ncredential_process = {line}\n\
             [over]\nrole_arn = {ROLE}\nsource_profile = p\n"
        ),
    )
}

fn ends(code: i32, stdout: &str, stderr: &str) -> ScriptedPrograms {
    ScriptedPrograms::default().with("/opt/lend", code, stdout, stderr)
}

#[test]
fn a_program_lends_keys_until_they_end_and_roles_stand_on_them() {
    let programs = ends(0, ANSWER, "chatter");
    let world = world(LINE).programs(&programs);
    let request = world.ask("--profile p").unwrap();
    assert_eq!(request.describe(), "`credential_process` of profile `p`");
    assert_eq!(request.patience(), Some(Duration::from_secs(30)));
    let credential = world.lend(request.as_ref()).unwrap();
    // it lends for an hour, and may lend for somebody else before that
    assert_eq!(credential.expires(), "2026-01-02T03:09:05Z".parse().ok());
    let [started] = &programs.started()[..] else { panic!("one program") };
    assert_eq!(started.name, "/opt/lend");
    assert_eq!(started.args, ["--for", "a b", "$HOME"]);
    assert_eq!(started.limit, LIMIT);
    assert!(!world.notes.lines().join("").contains("chatter"));

    world.sts_lends("AssumeRole");
    let over = world.ask("--profile over").unwrap();
    assert_eq!(over.patience(), None, "only the step that runs it is waited for");
    world.lend(over.as_ref()).unwrap();
    assert!(world.forms()[0].contains(ROLE));
}

#[test]
fn keys_without_an_end_are_not_kept() {
    let answer = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s"}"#;
    let world = world(LINE).programs(&ends(0, answer, ""));
    let credential = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap();
    assert_eq!(credential.expires(), None);
}

#[test]
fn another_line_or_another_profile_is_another_credential() {
    let print = |world: &World| world.ask("--profile p").unwrap().fingerprint().to_string();
    assert_ne!(print(&world(LINE)), print(&world("/opt/lend --for x")));
    let moved = |path| {
        let text = format!("[p]\ncredential_process = {LINE}\n");
        World::new().env(&[("AWS_SHARED_CREDENTIALS_FILE", path)]).file(path, &text)
    };
    assert_ne!(print(&moved("/a")), print(&moved("/b")));
}

#[test]
fn what_it_says_is_passed_on_when_it_fails_and_moves_no_cursor() {
    for (finished, words) in [
        (ends(3, "", "one\ntwo\n\nthree\u{1b}[2J\nfour\n"), "it ended with 3: two / three"),
        (ends(1, "hunter2", ""), "it ended with 1, without a word"),
    ] {
        let world = world(LINE).programs(&finished);
        let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
        assert_eq!(error.message(), "`credential_process` of profile `p` failed");
        assert!(error.cause().unwrap().starts_with(words), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        assert_eq!(error.next_line(), Some("aws sts get-caller-identity --profile p"));
    }
}

#[test]
fn what_it_was_called_with_is_not_repeated() {
    let line = "/opt/lend get --for me hunter2 --key=hunter2-long 'two words' -v";
    let said = "usage: get --for me, not [hunter2] `two words` --key hunter2-long -v";
    let world = world(line).programs(&ends(1, "", said));
    let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
    assert_eq!(error.cause(), Some("it ended with 1: usage: get --for me, not […] `…` --key … -v"));
}

#[test]
fn an_answer_of_another_form_says_what_is_wrong_with_it() {
    for (answer, words) in [
        ("hunter2", "no JSON"),
        (r#"{"Version":1,"AccessKeyId":"A"}"#, "`SecretAccessKey` is missing"),
        (&ANSWER.replace(":1,", ":2,"), "`Version` has to be the number 1"),
        (&ANSWER.replace(":1,", ":\"1\","), "`Version` has to be the number 1"),
        (&ANSWER.replace("T04", "T03"), "is over already"),
    ] {
        let world = world(LINE).programs(&ends(0, answer, ""));
        let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
        assert_eq!(error.kind(), Kind::Failed, "{error}");
        assert!(error.to_string().contains(words), "{answer}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        let next = if words.contains("over") { "date -u" } else { SETTING };
        assert_eq!(error.next_line(), Some(next), "{error}");
    }
}

#[test]
fn what_cannot_be_run_is_told_before_anything_runs() {
    for (line, words) in
        [("/opt/lend 'x", "a quote in it is not closed"), ("'' x", "it names no program")]
    {
        let error = world(line).ask("--profile p").unwrap_err();
        assert!(error.to_string().contains(words), "{line}: {error}");
        assert_eq!(error.next_line(), Some(SETTING));
    }
    let world = world("lend --x").programs(&ends(0, ANSWER, ""));
    let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
    assert_eq!(error.message(), "there is no program `lend`");
    assert_eq!(error.next_line(), Some("command -v lend"));
}

/// Files of which one is somebody else's.
struct Foreign(StaticFiles, &'static str);

impl Files for Foreign {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        self.0.read(path)
    }
    fn stamp(&self, path: &Path) -> Option<i128> {
        self.0.stamp(path)
    }
    fn is_own(&self, path: &Path) -> Result<bool> {
        Ok(path != Path::new(self.1))
    }
}

#[test]
fn nobody_elses_file_runs_anything() {
    let config = "/home/.aws/config";
    let credentials = "/home/.aws/credentials";
    let text = format!("[p]\ncredential_process = {LINE}\n");
    let files = StaticFiles::new([(config, ""), (credentials, text.as_str())]);
    for foreign in [config, credentials] {
        let files = Box::new(Foreign(files.clone(), foreign));
        let host = Host { files, ..world(LINE).host() };
        let error = World::ask_on("--profile p", &host).unwrap_err();
        assert_eq!(error.message(), "`credential_process` of profile `p` is not run");
        assert!(error.cause().unwrap().contains(foreign), "{error}");
        assert_eq!(error.next_line(), Some(format!("chmod go-w {foreign}").as_str()));
    }
}
