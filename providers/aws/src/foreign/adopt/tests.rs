use std::collections::BTreeMap;

use fleetkey_provider::Kind;

use super::*;
use crate::testing::{KEYS, ROLE, World};

fn program(name: &str, line: &str, env: &[(&str, &str)]) -> Foreign {
    Foreign::Program {
        name: name.into(),
        args: line.split(' ').map(str::to_owned).collect(),
        env: env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    }
}

fn overrides(pairs: &[(&str, &str)]) -> Overrides {
    Overrides(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

fn adopted(name: &str, line: &str, env: &[(&str, &str)], over: &[(&str, &str)]) -> Adoption {
    adopt(&program(name, line, env), &overrides(over)).unwrap().unwrap()
}

fn args(name: &str, line: &str, env: &[(&str, &str)]) -> String {
    adopted(name, line, env, &[]).args.join(" ")
}

#[test]
fn what_update_kubeconfig_wrote_becomes_flags_of_ours() {
    let line =
        format!("--region eu-west-1 eks get-token --cluster-name c --output json --role {ROLE}");
    let ours = adopted("aws", &line, &[("AWS_PROFILE", "prod")], &[]);
    assert_eq!(
        ours.args.join(" "),
        format!("--cluster-name c --region eu-west-1 --profile prod --role-arn {ROLE}")
    );
    assert!(ours.env.is_empty() && ours.notes.is_empty(), "{ours:?}");
    // and get-token understands them
    let words = ours.args[2..].join(" ");
    let request = World::new().ask(&words).unwrap();
    assert_eq!(request.describe(), "role eks-prod in 123456789012 (via profile prod)");
}

#[test]
fn what_the_authenticator_was_told_becomes_flags_of_ours() {
    for name in ["aws-iam-authenticator", "heptio-authenticator-aws"] {
        assert_eq!(
            args(
                name,
                "token -i c -r a -e x -s me --region r --cache -v 9",
                &[("AWS_PROFILE", "p")]
            ),
            "--cluster-name c --region r --profile p --role-arn a --external-id x --session-name me"
        );
    }
    let env = [
        ("KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID", "c"),
        ("DEFAULT_ROLE", "a"),
        ("AWS_IAM_AUTHENTICATOR_CACHE_FILE", "/f"),
        ("OTHER", "stays"),
    ];
    let ours = adopted("aws-iam-authenticator", "token --forward-session-name", &env, &[]);
    assert_eq!(ours.args.join(" "), "--cluster-name c --role-arn a --forward-session-name");
    assert_eq!(ours.env, [("OTHER".into(), "stays".into())]);
    let ours = adopted("aws-iam-authenticator", "token -i mine -r b", &env, &[]);
    assert_eq!(ours.args.join(" "), "--cluster-name mine --role-arn b");
}

#[test]
fn the_variables_of_a_user_become_flags_and_the_rest_stays() {
    for (env, expected) in [
        (&[("AWS_PROFILE", "a"), ("AWS_DEFAULT_PROFILE", "b")][..], "--profile a"),
        (&[("AWS_DEFAULT_PROFILE", "b")], "--profile b"),
        (&[("AWS_PROFILE", "old"), ("AWS_PROFILE", "new")], "--profile new"),
        (&[("AWS_PROFILE", "-x")], "--profile=-x"),
        (&[("AWS_REGION", "a"), ("AWS_DEFAULT_REGION", "b")], "--region a"),
        (&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "b")], "--region b"),
        (&[("AWS_DEFAULT_OUTPUT", "text"), ("AWS_PAGER", "")], ""),
    ] {
        let ours = adopted("aws", "eks get-token --cluster-name c", env, &[]);
        let expected = format!("--cluster-name c {expected}");
        assert_eq!(ours.args.join(" "), expected.trim_end());
        assert!(ours.env.is_empty(), "{ours:?}");
    }
    let kept = [("AWS_CONFIG_FILE", "/c"), ("AWS_CA_BUNDLE", "/ca"), ("AWS_PROFILE", "")];
    let ours = adopted("aws", "eks get-token --cluster-name c", &kept, &[]);
    assert_eq!(ours.env.len(), 3, "an empty variable hides that of the shell");
}

#[test]
fn a_flag_wins_over_its_variable_which_is_gone_then() {
    let env = [("AWS_PROFILE", "var"), ("AWS_REGION", "var-1"), KEYS[0], KEYS[1]];
    let ours = adopted("aws", "--profile f --region f-1 eks get-token --cluster-name c", &env, &[]);
    assert_eq!(ours.args.join(" "), "--cluster-name c --region f-1 --profile f");
    assert_eq!(ours.env.len(), 2, "{ours:?}");
}

#[test]
fn keys_beside_a_profile_keep_what_they_win_over() {
    let env = [("AWS_PROFILE", "p"), KEYS[0], KEYS[1]];
    let ours = adopted("aws", "--region r eks get-token --cluster-name c", &env, &[]);
    assert_eq!(ours.args.join(" "), "--cluster-name c --region r");
    assert_eq!(ours.env.len(), 3);
    assert!(ours.notes[0].contains("`AWS_PROFILE` stays a variable"), "{:?}", ours.notes);
    assert!(!ours.notes.concat().contains("hunter2"));
}

#[test]
fn what_is_left_out_is_said() {
    let env = [("AWS_STS_REGIONAL_ENDPOINTS", "legacy")];
    let line = "--endpoint-url u --no-verify-ssl --debug --no-cli-pager eks get-token \
                --cluster-name c --output text --query status.token";
    let ours = adopted("aws", line, &env, &[]);
    assert_eq!(ours.args, ["--cluster-name", "c"]);
    let notes = ours.notes.join("\n");
    for word in
        ["--output text", "--query", "--endpoint-url", "--no-verify-ssl", "--debug", "legacy"]
    {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    assert!(!notes.contains("pager"), "{notes}");
    let quiet = adopted(
        "aws",
        "eks get-token --cluster-name c",
        &[("AWS_STS_REGIONAL_ENDPOINTS", "regional")],
        &[],
    );
    assert!(quiet.notes.is_empty() && quiet.env.is_empty());
    let line = "token -i c -e x --token-only";
    let notes = adopted("aws-iam-authenticator", line, &[], &[]).notes.join("\n");
    assert!(notes.contains("`--external-id` was left out"), "{notes}");
    assert!(notes.contains("`--token-only` was left out"), "{notes}");
    assert!(notes.contains("no region is named"), "{notes}");
    let env = [("AWS_DEFAULT_REGION", "eu-west-1")];
    assert!(adopted("aws-iam-authenticator", "token -i c", &env, &[]).notes.is_empty());
}

#[test]
fn overrides_win_over_everything() {
    let env = [("AWS_PROFILE", "theirs")];
    let over = [
        ("profile", "ours"),
        ("cluster-id", "i"),
        ("via-role", "v1"),
        ("via-role", "v2"),
        ("forward-session-name", "true"),
        ("tenant-id", "another cloud's"),
    ];
    let ours = adopted("aws-iam-authenticator", "token -i c -r a -s me", &env, &over);
    assert_eq!(
        ours.args.join(" "),
        "--cluster-id i --profile ours --role-arn a --via-role v1 --via-role v2 \
         --forward-session-name"
    );
    assert!(ours.env.is_empty());
    assert_eq!(ours.notes[..1], ["`--tenant-id` was left out: it is no flag of `get-token aws`"]);
    for (name, line) in [("aws", "eks get-token"), ("aws-iam-authenticator", "token")] {
        let ours = adopted(name, line, &[], &[("cluster-name", "o")]);
        assert_eq!(ours.args, ["--cluster-name", "o"]);
    }
    let over = [("sso-session", "s"), ("sso-account-id", "1"), ("sso-role-name", "r")];
    for line in ["eks get-token --cluster-name c", "--profile p eks get-token --cluster-name c"] {
        let ours = adopted("aws", line, &env, &over);
        assert_eq!(
            ours.args.join(" "),
            "--cluster-name c --sso-session s --sso-account-id 1 --sso-role-name r"
        );
        assert!(ours.env.is_empty(), "the profile is not meant");
    }
    let over = [("forward-session-name", "false")];
    let ours = adopted("aws-iam-authenticator", "token -i c -r a -s me --region r", &[], &over);
    assert_eq!(ours.args.join(" "), "--cluster-name c --region r --role-arn a --session-name me");
    let over = [("role-arn", "b"), ("forward-session-name", "false")];
    let ours =
        adopted("aws-iam-authenticator", "token -i c -e x --forward-session-name", &env, &over);
    assert_eq!(
        ours.args.join(" "),
        "--cluster-name c --profile theirs --role-arn b --external-id x"
    );
}

#[test]
fn what_is_known_and_broken_says_why() {
    for (name, line, words) in [
        ("aws", "eks get-token", "no cluster is named"),
        ("aws", "eks get-token --cluster c", "ambiguous"),
        ("aws", "eks get-token --cluster-name c --cluster-id i", "exclude each other"),
        ("aws", "eks get-token --cluster-name a\u{1b}[2J", "`--cluster-name` is not text"),
        ("aws-iam-authenticator", "token", "no cluster is named"),
        ("aws-iam-authenticator", "token -i c -c /etc/x", "`--config`"),
        ("aws-iam-authenticator", "token -i c -s a --forward-session-name", "both say"),
    ] {
        let error = adopt(&program(name, line, &[]), &Overrides::default()).unwrap().unwrap_err();
        assert_eq!(error.kind(), Kind::Config, "{line}");
        assert!(error.to_string().contains(words), "{line}: {error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn what_is_not_known_is_left_alone() {
    for (name, line) in [
        ("aws", "sts get-caller-identity"),
        ("aws", ""),
        ("aws", "--version"),
        ("aws-iam-authenticator", "version"),
        ("aws-vault", "exec p -- aws eks get-token --cluster-name c"),
        ("kubelogin", "get-token"),
    ] {
        assert!(adopt(&program(name, line, &[]), &Overrides::default()).is_none(), "{line}");
    }
    let provider = Foreign::AuthProvider { name: "azure".into(), config: BTreeMap::new() };
    assert!(adopt(&provider, &Overrides::default()).is_none());
}

#[test]
fn long_words_pass_and_are_not_repeated() {
    let long = "x".repeat(100_000);
    let line = format!("eks get-token --cluster-name {long}");
    assert_eq!(adopted("aws", &line, &[], &[]).args[1].len(), 100_000);
    let foreign = program("aws", &format!("{line} --{long}"), &[]);
    let error = adopt(&foreign, &Overrides::default()).unwrap().unwrap_err();
    assert!(error.to_string().len() < 1000);
}

#[test]
fn what_is_taken_over_leads_to_whom_the_original_led() {
    // the shell has keys of its own, and the user of the kubeconfig a profile
    let shell = World::new().env(&KEYS);
    let line = "--region eu-west-1 eks get-token --cluster-name c";
    let ours = adopted("aws", line, &[("AWS_PROFILE", "keys")], &[]);
    let request = shell.ask(&ours.args[2..].join(" ")).unwrap();
    assert_eq!(request.describe(), "access keys of profile `keys`");
}
