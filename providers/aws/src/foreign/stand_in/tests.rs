use fleetkey_provider::{Kind, Manner, testing::StaticEnv};

use super::*;
use crate::testing::ROLE;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn ask(program: &str, line: &str, env: &[(&str, &str)]) -> Option<Result<StandIn>> {
    stands_in(program, &words(line), &StaticEnv::new(env.iter().copied()))
}

fn asked(program: &str, line: &str, env: &[(&str, &str)]) -> (String, Box<dyn Manner>) {
    match ask(program, line, env) {
        Some(Ok(StandIn::Token { args, manner })) => (args.join(" "), manner),
        _ => panic!("{program} {line}: asks for no token"),
    }
}

fn args(program: &str, line: &str, env: &[(&str, &str)]) -> String {
    asked(program, line, env).0
}

/// The exit code and the words of a line that is wrong.
fn usage(program: &str, line: &str, env: &[(&str, &str)]) -> (u8, String) {
    let (args, manner) = asked(program, line, env);
    assert_eq!(args, "", "{line}");
    assert!(manner.version(None).is_err(), "{line}");
    let (text, code) = manner.failure(&Error::failed("whatever"));
    (code, text)
}

#[test]
fn a_line_of_aws_is_understood_under_either_name() {
    let line =
        format!("--region eu-west-1 eks get-token --cluster-name c --output json --role {ROLE}");
    for program in ["aws", "fleetkey", "anything"] {
        assert_eq!(
            args(program, &line, &[]),
            format!("--cluster-name c --region eu-west-1 --role-arn {ROLE}")
        );
    }
    let line = "eks get-token --cluster-id i --profile p --endpoint-url u --no-cli-pager";
    assert_eq!(args("aws", line, &[]), "--cluster-id i --profile p");
}

#[test]
fn regions_are_asked_of_the_environment_in_the_order_of_version_2() {
    let both = [("AWS_REGION", "a-1"), ("AWS_DEFAULT_REGION", "b-1")];
    for (program, line) in
        [("aws", "eks get-token --cluster-name c"), ("aws-iam-authenticator", "token -i c")]
    {
        assert_eq!(args(program, line, &both), "--cluster-name c --region a-1");
        assert_eq!(args(program, line, &both[1..]), "--cluster-name c --region b-1");
        assert_eq!(args(program, line, &[("AWS_REGION", "")]), "--cluster-name c");
        let line = format!("{line} --region f-1");
        assert_eq!(args(program, &line, &both), "--cluster-name c --region f-1");
    }
}

#[test]
fn the_authenticators_variables_fill_in() {
    let env = [("KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID", "c"), ("DEFAULT_ROLE", "a")];
    let line = "token -e x --forward-session-name --cache";
    assert_eq!(
        args("aws-iam-authenticator", line, &env),
        "--cluster-name c --role-arn a --external-id x --forward-session-name"
    );
    assert_eq!(args("heptio-authenticator-aws", "token -i d", &[]), "--cluster-name d");
    assert_eq!(args("aws-iam-authenticator", "token -i d -e x -s y", &[]), "--cluster-name d");
    assert_eq!(
        args("aws-iam-authenticator", "token -i d -r b", &env),
        "--cluster-name d --role-arn b"
    );
}

#[test]
fn answers_have_the_form_that_was_asked_for() {
    let token = fleetkey_provider::Token {
        secret: "t".into(),
        expires: "2026-01-02T03:18:05Z".parse().unwrap(),
    };
    let line = "eks get-token --cluster-name c";
    let printed = |program: &str, line: &str, env: &[(&str, &str)]| {
        asked(program, line, env).1.answer(&token, "v").unwrap()
    };
    let text = [("AWS_DEFAULT_OUTPUT", "text")];
    let query = format!("{line} --query status.token");
    assert_eq!(printed("aws", &query, &text), "t\n\n");
    assert_eq!(printed("aws", &format!("{query} --output json"), &text), "\"t\"\n\n");
    assert!(printed("aws", line, &[("AWS_DEFAULT_OUTPUT", "")]).starts_with("{\n    \"kind\""));
    assert_eq!(printed("aws-iam-authenticator", "token -i c --token-only", &text), "t\n");
    assert!(printed("aws-iam-authenticator", "token -i c", &[]).starts_with("{\"kind\""));
}

#[test]
fn usage_errors_end_as_the_originals_do() {
    for (line, env, text) in [
        ("eks get-token", &[][..], "no cluster is named"),
        ("eks get-token --cluster c", &[], "ambiguous"),
        ("eks get-token --cluster-name c --output table", &[], "`--output` names no form"),
        ("eks get-token --cluster-name c --query a[0]", &[], "`--query` is a path not known"),
        (
            "eks get-token --cluster-name c",
            &[("AWS_DEFAULT_OUTPUT", "off")],
            "`AWS_DEFAULT_OUTPUT` names no form",
        ),
        ("eks get-token --cluster-name c\u{1b}[2J", &[], "`--cluster-name` is not text"),
    ] {
        let (code, words) = usage("aws", line, env);
        assert_eq!(code, 252, "{line}");
        assert!(words.contains(text) && words.contains("next, type:"), "{words}");
        assert!(!words.contains('\u{1b}'));
    }
    for (line, text) in [
        ("token", "no cluster is named"),
        ("token -i c --config f", "`--config`"),
        ("token -i c --nonsense", "knows no `--nonsense`"),
    ] {
        let (code, words) = usage("aws-iam-authenticator", line, &[]);
        assert!(words.starts_with("Error: "), "{words}");
        assert_eq!(code, 1, "{line}");
        assert!(words.contains(text), "{words}");
    }
}

#[test]
fn what_is_not_here_is_said() {
    for (program, line, words, next) in [
        (
            "fleetkey",
            "eks update-kubeconfig --name c --region r",
            "`aws eks update-kubeconfig`",
            Some("fleetkey kubeconfig add aws --cluster-name c --region r"),
        ),
        ("aws", "sts get-caller-identity", "`aws sts get-caller-identity` is not here", None),
        ("aws", "", "`aws` is not here", None),
    ] {
        let Some(Err(error)) = ask(program, line, &[]) else { panic!("{line}") };
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains(words), "{error}");
        assert!(next.is_none() || error.next_line() == next, "{error:?}");
    }
}

#[test]
fn texts_are_printed() {
    for (program, line, words) in [
        ("aws", "--version", "fleetkey/"),
        ("aws-iam-authenticator", "version", "{\"Version\":\"0."),
        ("aws-iam-authenticator", "version --short", "0."),
        ("aws-iam-authenticator", "", "Usage:"),
        ("aws-iam-authenticator", "token --help", "Usage:"),
    ] {
        let Some(Ok(StandIn::Text(text))) = ask(program, line, &[]) else { panic!("{line}") };
        assert!(text.contains(words) && text.ends_with('\n'), "{text}");
    }
}

#[test]
fn fleetkeys_own_lines_are_its_own() {
    for line in [
        "get-token aws --cluster-name eks",
        "get-token aws --cluster-name c",
        "--cache-dir eks get-token aws",
        "login aws --profile eks",
        "trust add eks",
        "eks",
        "",
    ] {
        assert!(ask("fleetkey", line, &[]).is_none(), "{line}");
    }
    assert!(ask("kubelogin", "get-token --server-id x", &[]).is_none());
}

#[test]
fn whatever_is_typed_get_token_understands_what_comes_of_it() {
    use fleetkey_provider::Provider;
    const WORDS: &[&str] = &[
        "",
        "-",
        "--",
        "-1",
        "--=",
        "-=",
        "eks",
        "get-token",
        "token",
        "-i",
        "-ix",
        "-é",
        "--role",
        "--cluster-name",
        "--cluster-name=--no-cache",
        "--cluster",
        "--region",
        "--profile=-x",
        "--region=",
        "--cluster-id=\u{1b}",
        "--query=@",
        "--token-only=",
        "-r=-s",
        "--help",
        "--forward-session-name",
    ];
    let env = StaticEnv::default();
    let command = crate::Aws.arguments(clap::Command::new("aws").no_binary_name(true));
    for (program, start) in
        [("aws", &["eks", "get-token"][..]), ("aws-iam-authenticator", &["token"]), ("x", &["eks"])]
    {
        for first in WORDS {
            for second in WORDS {
                for third in WORDS {
                    let line = start.iter().chain([first, second, third]);
                    let line: Vec<String> = line.map(|word| (*word).to_owned()).collect();
                    if let Some(Ok(StandIn::Token { args, .. })) = stands_in(program, &line, &env) {
                        let parsed = command.clone().try_get_matches_from(&args);
                        assert!(parsed.is_ok(), "{line:?}: {args:?}");
                    }
                }
            }
        }
    }
}
