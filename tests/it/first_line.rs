//! `… | head -1`: who reads no further has read what they wanted, and no command fails for that; but a
//! token that nobody took is a failure.

use std::{io::pipe, process::Stdio};

use crate::support::{Aks, Fleet, Program, Run, Running};

/// As it ends where nobody reads.
fn unread(program: &Program) -> Run {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    Running::start_into(program.command(), Stdio::from(writer)).finish()
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    let fleet = Fleet::new();
    let stranger = r#"{"contexts":[{"name":"old","context":{"user":"old","cluster":"c"}}],"users":[
        {"name":"old","user":{"exec":{"command":"aws-iam-authenticator","args":["token","-i","c"]}}}]}"#;
    let stranger = fleet.home.write("stranger", stranger).unwrap().display().to_string();
    for line in [
        &["--help"][..],
        &["--version"],
        &["status", "--help"],
        &["status"],
        &["status", "--json"],
        &["status", "--identities"],
        &["trust", "list"],
        &["kubeconfig", "convert", "--dry-run", "--kubeconfig", &stranger],
        &["kubeconfig", "convert", "--yes", "--kubeconfig", &stranger],
        &["kubeconfig", "revert", "--dry-run", "--kubeconfig", &stranger],
        &["kubeconfig", "revert", "--kubeconfig", &stranger],
        &["logout", "--all"],
        &["logout", "--all", "--json"],
    ] {
        let run = unread(&fleet.plugin([]).args(line.iter().copied()));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{line:?}");
        let full = ["/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh"];
        if line == ["status"] {
            let run = fleet.plugin([]).args(line.iter().copied()).under(full).run();
            assert_eq!(run.code, Some(1), "a full disk is one: {}", run.stderr);
        }
    }
    // and what a command found is its exit code all the same
    let login = fleet.plugin(["login", "--all", "--ask", "never"]);
    assert_eq!((unread(&login).code, login.run().code), (Some(3), Some(3)));
}

#[test]
fn a_token_that_nobody_took_is_a_failure() {
    let aks = Aks::new();
    for program in [aks.application(), aks.application().args(["--output", "token"])] {
        let run = unread(&program);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("could not be written to stdout"), "{run:?}");
    }
}
