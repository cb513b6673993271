//! The exec credential protocol, as clients of all kinds speak it: what they ask, and what they get.

use std::{
    io::{Read as _, pipe},
    process::Stdio,
};

use fleetkey_sandbox::Role;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{ADMIN, Program, Run, Running, Stage, say, which};

const INFO: &str = "KUBERNETES_EXEC_INFO";
const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

fn info(version: &str, spec: &Value) -> String {
    // as clients write it, with the line break that they add
    format!("{}\n", json!({ "kind": "ExecCredential", "apiVersion": version, "spec": spec }))
}

fn version(run: &Run) -> String {
    run.answer()["apiVersion"].as_str().unwrap().to_owned()
}

#[test]
fn the_answer_is_in_the_version_that_was_asked_for() {
    let stage = Stage::new();
    for asked in [V1, V1BETA1] {
        let run = stage.as_alice().env(INFO, info(asked, &json!({ "interactive": false }))).run();
        assert_eq!(version(&run), asked);
        assert_eq!(stage.who(&run).arn, stage.alice.arn);
        // what the client asks for wins over what its kubeconfig says
        let other = if asked == V1 { "v1beta1" } else { "v1" };
        let program = stage.as_alice().args(["--exec-api-version", other]);
        assert_eq!(version(&program.env(INFO, info(asked, &json!({}))).run()), asked);
    }
}

#[test]
fn a_client_that_asks_nothing_is_answered_in_the_version_of_the_flag_or_the_older_one() {
    let stage = Stage::new();
    for nothing in
        ["", " \n", "{", "[]", "null", "7", "\"v1\"", "{}", r#"{"spec":[]}"#, "\u{feff}{}"]
    {
        let run = stage.as_alice().env(INFO, nothing).run();
        assert_eq!(version(&run), V1BETA1, "{nothing:?}");
        assert_eq!(stage.who(&run).arn, stage.alice.arn, "{nothing:?}");
        let run = stage.as_alice().env(INFO, nothing).args(["--exec-api-version", "v1"]).run();
        assert_eq!(version(&run), V1, "{nothing:?}");
    }
    assert_eq!(version(&stage.as_alice().run()), V1BETA1);
    for flag in ["v1", V1] {
        assert_eq!(version(&stage.as_alice().args(["--exec-api-version", flag]).run()), V1);
    }
}

#[test]
fn a_version_that_nobody_speaks_is_a_mistake_in_the_kubeconfig() {
    let stage = Stage::new();
    for unknown in ["v1alpha1", "v2", "v1beta2", ""] {
        let unknown = format!("client.authentication.k8s.io/{unknown}");
        let run = stage.as_alice().env(INFO, info(&unknown, &json!({}))).run();
        let [what, _, next] = run.failed(2);
        assert_eq!(what, format!("the client asks for `{unknown}`, which is not spoken here"));
        assert!(next.starts_with("kubectl config view"), "{next}");
    }
    let [what, ..] = stage.as_alice().args(["--exec-api-version", "v1alpha1"]).run().failed(2);
    assert_eq!(what, "`--exec-api-version` is not a version: `v1alpha1`");
}

#[test]
fn the_answer_has_all_that_the_strictest_client_wants_and_no_more() {
    let stage = Stage::new();
    let answer = stage.as_alice().run().answer();
    let Value::Object(object) = &answer else { panic!("{answer}") };
    assert_eq!(object.keys().collect::<Vec<_>>(), ["apiVersion", "kind", "status"]);
    assert_eq!(answer["kind"], "ExecCredential");
    let status = answer["status"].as_object().unwrap();
    assert_eq!(status.keys().collect::<Vec<_>>(), ["expirationTimestamp", "token"]);
    let text = status["expirationTimestamp"].as_str().unwrap();
    assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
}

#[test]
fn a_token_ends_after_fourteen_minutes_or_with_its_credential() {
    let stage = Stage::new();
    let ends = |run: &Run| -> (Timestamp, Timestamp) {
        let end = run.answer()["status"]["expirationTimestamp"].as_str().unwrap().parse().unwrap();
        (stage.cluster.verify(&run.token()).unwrap().signed_at, end)
    };
    let (signed, end) = ends(&stage.as_alice().run());
    assert_eq!(end.duration_since(signed), SignedDuration::from_mins(14));

    stage.sandbox.credential_lifetime(Some(std::time::Duration::from_mins(13)));
    let asked = Timestamp::now();
    let (_, end) = ends(&stage.admin().run());
    let left = end.duration_since(asked);
    assert!(
        left > SignedDuration::from_mins(12) && left <= SignedDuration::from_secs(13 * 60 + 30),
        "{left}"
    );
}

#[test]
fn whether_somebody_watches_is_no_matter_for_keys() {
    let stage = Stage::new();
    for interactive in [json!(true), json!(false), json!("yes"), Value::Null] {
        let spec = json!({ "interactive": interactive });
        let run = stage.as_alice().env(INFO, info(V1, &spec)).run();
        assert_eq!(stage.who(&run).arn, stage.alice.arn);
    }
}

#[test]
fn stdin_is_never_read() {
    let stage = Stage::new();
    for interactive in [true, false] {
        let spec = json!({ "interactive": interactive });
        for program in [stage.as_alice(), stage.admin().args(["--no-cache"])] {
            let program = program.env(INFO, info(V1, &spec));
            // a pipe that nobody writes to and nobody closes, as some clients leave one
            let (mut rest, mut pen) = pipe().unwrap();
            std::io::Write::write_all(&mut pen, b"unread").unwrap();
            let mut command = program.command();
            command.stdin(rest.try_clone().unwrap());
            let run = Running::start(command).finish();
            stage.who(&run);
            drop(pen);
            let mut unread = String::new();
            rest.read_to_string(&mut unread).unwrap();
            assert_eq!(unread, "unread");
        }
    }
}

#[test]
fn the_region_comes_from_the_extension_then_from_the_servers_name() {
    let stage = Stage::new();
    let west = stage.sandbox.cluster_in("west", "eu-west-1").unwrap();
    let server = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com";
    let program = stage.bare().envs(stage.alice.environment()).env("AWS_REGION", "us-east-1");
    let host = |args: &[&str], cluster: &Value| {
        let spec = json!({ "interactive": false, "cluster": cluster });
        let args = ["get-token", "aws"].iter().chain(args);
        let run = program.clone().args(args).env(INFO, info(V1, &spec)).run();
        west.verify(&run.token()).unwrap().host
    };
    let named = ["--cluster-name", "west"];
    let config = json!({ "region": "eu-west-1", "cluster-name": "west" });
    assert_eq!(host(&named, &json!({ "server": server })), "sts.eu-west-1.amazonaws.com");
    assert_eq!(host(&[], &json!({ "config": config })), "sts.eu-west-1.amazonaws.com");
    let elsewhere = server.replace("eu-west-1", "us-east-2");
    let both = json!({ "server": elsewhere, "config": config });
    assert_eq!(host(&[], &both), "sts.eu-west-1.amazonaws.com");
    let flag = [&named[..], &["--region", "us-east-2"]].concat();
    assert_eq!(host(&flag, &both), "sts.us-east-2.amazonaws.com");
    assert_eq!(
        host(&named, &json!({ "server": "https://127.0.0.1:6443" })),
        "sts.us-east-1.amazonaws.com"
    );
}

#[test]
fn a_cluster_with_a_long_authority_is_understood() {
    let stage = Stage::new();
    let authority = "QUFB".repeat(30 * 1024);
    let cluster = json!({
        "server": stage.cluster.server, "certificate-authority-data": authority,
        "tls-server-name": "x", "insecure-skip-tls-verify": false, "proxy-url": "http://127.0.0.1:1",
        "disable-compression": true, "a-new-field": {}, "config": { "region": "us-east-1" },
    });
    let info = info(V1, &json!({ "interactive": false, "cluster": cluster }));
    assert!(info.len() > 120 * 1024);
    let run = stage.as_alice().env(INFO, info).run();
    assert_eq!(stage.who(&run).arn, stage.alice.arn);
}

#[test]
fn the_bare_token_is_the_same_token() {
    let stage = Stage::new();
    let run = stage.as_alice().args(["--output", "token"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let token = run.stdout.strip_suffix('\n').unwrap();
    assert_eq!(stage.cluster.verify(token).unwrap().identity.arn, stage.alice.arn);
}

#[test]
fn of_a_flag_given_twice_the_last_counts() {
    let stage = Stage::new();
    let [first, last] =
        ["first", "last"].map(|name| format!("arn:aws:iam::444455556666:role/{name}"));
    for role in [&first, &last] {
        stage.sandbox.role(Role::new(role).external_id("right-1"));
    }
    let twice = [
        ["--cluster-name", "other", "prod"],
        ["--region", "eu-west-1", "us-east-1"],
        ["--profile", "nobody", "alice"],
        ["--external-id", "wrong-1", "right-1"],
        ["--session-name", "other", "me"],
        ["--timeout", "1", "20"],
        ["--output", "token", "json"],
        ["--exec-api-version", "v1beta1", "v1"],
        ["--ask", "browser", "never"],
    ];
    let switches = ["--no-cache", "--no-cache", "--fresh", "--fresh", "-v", "-v"];
    for [one, two] in [["--role-arn", "--role"], ["--role", "--role-arn"], ["--role", "--role"]] {
        let flags = twice.iter().flat_map(|[flag, first, last]| [*flag, *first, *flag, *last]);
        let args = ["get-token", "aws", one, &first].into_iter().chain(flags).chain([two, &last]);
        let run = stage.bare().args(args).args(switches).run();
        let run = Run { stderr: String::new(), ..run };
        let identity = stage.who(&run);
        assert_eq!(identity.canonical_arn, last);
        assert_eq!(identity.session_name.as_deref(), Some("me"));
        assert_eq!(version(&run), V1);
    }
}

#[test]
fn of_two_cache_folders_the_last_counts() {
    let stage = Stage::new();
    let [first, last] = ["first", "last"].map(|name| stage.home.join(name));
    let program =
        stage.admin().args(["--cache-dir"]).args([&first]).args(["--cache-dir"]).args([&last]);
    stage.who(&program.run());
    assert!(!first.exists() && last.join("aws").exists() && stage.kept().is_empty());
}

#[test]
fn the_answer_is_one_write() {
    let Some(strace) = which("strace") else {
        return say("protocol: counting writes is skipped, there is no strace");
    };
    let stage = Stage::new();
    for (name, program) in
        [("keys", stage.as_alice()), ("asked", stage.admin()), ("kept", stage.admin())]
    {
        let log = stage.home.join(format!("{name}.strace"));
        let traced = [strace.clone(), "-fqo".into(), log.clone(), "-etrace=write,writev".into()];
        let run = program.under(traced).run();
        if run.stderr.contains("ptrace") {
            return say("protocol: counting writes is skipped, nothing may be traced here");
        }
        stage.who(&run);
        let log = std::fs::read_to_string(log).unwrap();
        let to = |fd: u8| {
            let call = |line: &&str| {
                line.contains(&format!("write({fd},")) || line.contains(&format!("writev({fd},"))
            };
            log.lines().filter(call).count()
        };
        assert_eq!((to(1), to(2)), (1, 0), "{name}:\n{log}");
    }
}

#[test]
#[cfg(unix)]
fn an_answer_that_nobody_takes_is_a_failure_and_no_panic() {
    let stage = Stage::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let mut outs = vec![Stdio::from(writer)];
    outs.extend(full.map(Stdio::from));
    for out in outs {
        let run = Running::start_into(stage.as_alice().command(), out).finish();
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(
            run.stderr.starts_with("error: the answer could not be written to stdout"),
            "{run:?}"
        );
        assert!(!run.stderr.contains("panic"), "{run:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_closed_stderr_changes_nothing() {
    let stage = Stage::new();
    let closed = |program: Program| program.under(["/bin/sh", "-c", "exec \"$@\" 2>&-", "sh"]);
    assert_eq!(stage.who(&closed(stage.as_alice()).run()).arn, stage.alice.arn);
    assert_eq!(stage.who(&closed(stage.admin()).run()).canonical_arn, ADMIN);
    let run = closed(stage.with_profile("nobody")).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
}
