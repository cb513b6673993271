//! Errors as people and scripts see them: the exit code, and three lines whose last can be typed.

use std::fs;

use crate::support::{ADMIN, Program, Run, Stage};

/// All of stderr, the HOME in it read `~`, after a failure of that code.
fn said(stage: &Stage, run: &Run, code: i32) -> String {
    run.keeps_secret(&stage.secrets());
    run.failed(code);
    run.stderr.replace(&stage.home.path().display().to_string(), "~")
}

/// `get-token aws` as alice, with no flags at all.
fn flagless(stage: &Stage) -> Program {
    stage.bare().args(["get-token", "aws"]).envs(stage.alice.environment())
}

#[test]
fn no_credentials_at_all() {
    let stage = Stage::new();
    assert_eq!(
        said(&stage, &stage.plugin().run(), 2),
        "error: no credentials for AWS were found
  why: looked at the variables `AWS_ACCESS_KEY_ID` and `AWS_WEB_IDENTITY_TOKEN_FILE` (not set), \
profile `default` in `~/.aws/config` and `~/.aws/credentials` (no keys, and nothing that leads to \
any), the container's `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` and \
`AWS_CONTAINER_CREDENTIALS_FULL_URI` (not set), and EC2's metadata service (not asked: \
`AWS_EC2_METADATA_DISABLED` is `true`); next, type:
aws configure list --profile default
"
    );
}

#[test]
fn half_a_pair_of_keys() {
    let stage = Stage::new();
    let run = stage.plugin().env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").run();
    let said = said(&stage, &run, 2);
    assert!(said.contains("`AWS_SECRET_ACCESS_KEY` is not"), "{said}");
}

#[test]
fn a_profile_that_is_not_there() {
    let stage = Stage::new();
    let expected = |from: &str| {
        format!(
            "error: {from} names the profile `nobody`, which is not there
  why: looked in `~/.aws/config` and `~/.aws/credentials`; next, type:
grep -n '^\\[' ~/.aws/config ~/.aws/credentials
"
        )
    };
    assert_eq!(said(&stage, &stage.with_profile("nobody").run(), 2), expected("`--profile`"));
    let run = stage.plugin().env("AWS_PROFILE", "nobody").run();
    assert_eq!(said(&stage, &run, 2), expected("`AWS_PROFILE`"));
}

#[test]
fn no_region_anywhere() {
    let stage = Stage::new();
    assert_eq!(
        said(&stage, &flagless(&stage).args(["--cluster-name", "prod"]).run(), 2),
        "error: no AWS region is named
  why: looked at `--region`, the kubeconfig's cluster, `AWS_REGION`, `AWS_DEFAULT_REGION`, \
`region` of profile `default` in `~/.aws/config` and `~/.aws/credentials`, and EC2's metadata service \
(not asked: `AWS_EC2_METADATA_DISABLED` is `true`); next, type:
aws configure get region --profile default
"
    );
}

#[test]
fn nobody_is_signed_in_to_sso() {
    let stage = Stage::new();
    fs::remove_dir_all(stage.home.join(".aws/sso/cache")).unwrap();
    assert_eq!(
        said(&stage, &stage.with_profile("sso").run(), 3),
        "error: nobody is signed in to SSO `corp`
  why: there is no `~/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json`; next, type:
fleetkey login aws --cluster-name prod --region us-east-1 --profile sso
"
    );
    let [what, _, next] = stage.with_profile("legacy").run().failed(3);
    assert_eq!(what, "nobody is signed in to SSO `https://sandbox.awsapps.com/start`");
    assert_eq!(next, "fleetkey login aws --cluster-name prod --region us-east-1 --profile legacy");
    assert_eq!(stage.asked(), 0);
}

#[test]
fn the_sign_in_to_sso_is_over() {
    let stage = Stage::new();
    // without a refresh token, as where no scopes were asked for
    let old = stage.sandbox.sso_sign_in("alice@example.com").access_token_expired().legacy().done();
    stage.home.sso_token("corp", &old).unwrap();
    assert_eq!(
        said(&stage, &stage.with_profile("sso").run(), 3),
        format!(
            "error: nobody is signed in to SSO `corp`
  why: the last sign-in ended at {}; it brought nothing to renew it with; \
`sso_registration_scopes = sso:account:access` in `[sso-session corp]` makes it so; next, type:
fleetkey login aws --cluster-name prod --region us-east-1 --profile sso
",
            old.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    );
    assert_eq!(stage.asked(), 0);
}

#[test]
fn the_portal_has_ended_the_sign_in() {
    let stage = Stage::new();
    let mut ended = stage.sso.clone();
    ended.access_token = "a-token-that-the-portal-does-not-know".to_owned();
    stage.home.sso_token("corp", &ended).unwrap();
    let run = stage.with_profile("sso").run();
    assert_eq!(
        said(&stage, &run, 3),
        "error: the sign-in of profile `sso` has ended
  why: UnauthorizedException: Session token not found or invalid; next, type:
fleetkey login aws --cluster-name prod --region us-east-1 --profile sso
"
    );
    run.keeps_secret(&[ended.access_token]);
}

#[test]
fn a_wrong_external_id_is_refused_by_the_cloud() {
    let stage = Stage::new();
    let role = ["--role-arn", ADMIN, "--external-id", "wrong"];
    assert_eq!(
        said(&stage, &stage.with_profile("alice").args(role).run(), 4),
        format!(
            "error: STS did not let profile `alice` assume role eks-admin in 444455556666
  why: AccessDenied: User: arn:aws:iam::111122223333:user/alice is not authorized to perform: \
sts:AssumeRole on resource: {ADMIN}; next, type:
aws sts get-caller-identity --profile alice
"
        )
    );
    let [.., next] = stage.as_alice().args(role).run().failed(4);
    assert_eq!(next, "aws sts get-caller-identity");
}

#[test]
fn a_wrong_secret_key_and_an_unknown_one_are_refused_by_the_cloud() {
    let stage = Stage::new();
    let as_alice = stage.as_alice().args(["--role-arn", ADMIN]);
    let wrong = "w".repeat(40);
    let run = as_alice.clone().env("AWS_SECRET_ACCESS_KEY", &wrong).run();
    let [what, why, _] = run.failed(4);
    run.keeps_secret(&[wrong]);
    assert!(what.starts_with("the secret access key of"), "{what}");
    assert_eq!(why, "SignatureDoesNotMatch");
    let [what, ..] = as_alice.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").run().failed(4);
    assert!(what.starts_with("STS does not know the access key"), "{what}");
}

#[test]
fn two_clusters_or_none() {
    let stage = Stage::new();
    let run = stage.as_alice().args(["--cluster-id", "other"]).run();
    let said_of_both = said(&stage, &run, 2);
    assert!(
        said_of_both.starts_with("error: `--cluster-name` and `--cluster-id` exclude each other\n"),
        "{said_of_both}"
    );
    assert_eq!(
        said(&stage, &flagless(&stage).args(["--region", "us-east-1"]).run(), 2),
        "error: no cluster is named
  why: neither `--cluster-name` nor `--cluster-id` is given, and there is no `cluster-name` in the \
extension `client.authentication.k8s.io/exec` of the kubeconfig's cluster, or its user has no \
`provideClusterInfo: true`; next, type:
aws eks list-clusters
"
    );
}

#[test]
fn a_configuration_file_that_cannot_be_read_is_named_with_its_line() {
    let stage = Stage::new();
    stage.home.aws_config("# mine\n[profile admin]\nregion\n").unwrap();
    assert_eq!(
        said(&stage, &stage.admin().run(), 2),
        "error: line 3 of `~/.aws/config` could not be understood
  why: expected an '=' sign defining a property; next, type:
sed -n 3p ~/.aws/config
"
    );
    fs::remove_file(stage.home.join(".aws/config")).unwrap();
    fs::create_dir(stage.home.join(".aws/config")).unwrap();
    assert_eq!(
        said(&stage, &stage.admin().run(), 2),
        "error: `--profile` names the profile `admin`, which is not there
  why: looked in `~/.aws/config` (which could not be read: it is a folder) and `~/.aws/credentials`; next, type:
ls -l ~/.aws/config
"
    );
}

#[test]
fn profiles_in_a_circle() {
    let stage = Stage::new();
    let section = |name: &str, source: &str| {
        format!("[profile {name}]\nsource_profile = {source}\nrole_arn = {ADMIN}\n")
    };
    stage.home.aws_config(&(section("a", "b") + &section("b", "a"))).unwrap();
    let said = said(&stage, &stage.with_profile("a").run(), 2);
    assert!(said.contains("loop") && said.contains("`a`") && said.contains("`b`"), "{said}");
}

#[test]
fn an_endpoint_of_a_profile_that_nobody_trusts() {
    let stage = Stage::new();
    let section = |url: &str| {
        format!("[profile p]\nsource_profile = alice\nrole_arn = {ADMIN}\nendpoint_url = {url}\n")
    };
    let run = |url: &str| {
        stage.home.aws_config(&section(url)).unwrap();
        stage.with_profile("p").without("AWS_ENDPOINT_URL_STS").run()
    };
    assert_eq!(
        said(&stage, &run("https://evil.example/x"), 2),
        "error: `endpoint_url` of profile `p` names `evil.example`, which is not trusted
  why: secrets go only to the cloud's own hosts, to loopback, and to hosts you named; next, type:
fleetkey trust add evil.example
"
    );
    let [what, why, _] = run("http://sts.us-east-1.amazonaws.com").failed(2);
    assert_eq!(why, "only https is allowed, and http on loopback");
    assert!(what.starts_with("`endpoint_url` of profile `p` is not an endpoint"), "{what}");
    let run = run("https://me:hunter22222@sts.us-east-1.amazonaws.com");
    let [what, ..] = run.failed(2);
    assert_eq!(
        what,
        "`endpoint_url` of profile `p` is not an endpoint: `…@sts.us-east-1.amazonaws.com`"
    );
    run.keeps_secret(&["hunter22222".to_owned()]);
}

#[test]
fn a_token_that_no_cluster_would_read_is_refused() {
    let stage = Stage::new();
    let long = "x".repeat(4000);
    let run = stage.as_alice().env("AWS_SESSION_TOKEN", &long).run();
    let said = said(&stage, &run, 2);
    assert!(said.contains("no more than 4096"), "{said}");
    run.keeps_secret(&[long]);
}

#[test]
fn a_wrong_value_is_refused_by_the_name_of_its_flag() {
    let stage = Stage::new();
    let long = "x".repeat(3000);
    let role = format!("--role-arn={ADMIN}");
    let cluster = "--cluster-name=prod";
    for (flag, beside, values) in [
        ("--cluster-name", None, vec!["", "a\nb", "a b", "-x", "a\u{202e}", "../x", &long]),
        ("--cluster-id", None, vec!["", "a/b", "a\u{7f}", &long]),
        ("--region", Some(cluster), vec!["", "US", "a b", "-a", "a\r", "a.evil.example", &long]),
        ("--profile", Some(cluster), vec!["", "a\u{1b}[2J", &long]),
        ("--role-arn", Some(cluster), vec!["", "x", "arn:aws:iam::444455556666:user/x", &long]),
        ("--role-arn", Some(cluster), vec!["arn:aws:iam::444455556666:role/x\n"]),
        ("--via-role", Some(&role), vec!["", "x", "arn:aws:sts::444455556666:assumed-role/x/y"]),
        ("--external-id", Some(&role), vec!["", "x", "a b", "a\n", &long]),
        ("--session-name", Some(&role), vec!["", "x", "a/b", "a\0b", "a\tb", &long]),
        ("--output", Some(cluster), vec!["", "yaml"]),
        ("--exec-api-version", Some(cluster), vec!["", "v3", "v1\n"]),
        ("--timeout", Some(cluster), vec!["", "0", "601", "-1", "x", "99999999999999999999"]),
        ("--ask", Some(cluster), vec!["", "maybe"]),
        ("--cache-dir", Some(cluster), vec![""]),
    ] {
        for value in values.into_iter().filter(|value| !value.contains('\0')) {
            let program = flagless(&stage).args(beside).args([format!("{flag}={value}")]);
            // where the flag is no cluster, there is one; where it is no region, there is one
            let program = match flag {
                "--region" => program,
                _ => program.env("AWS_REGION", "us-east-1"),
            };
            let run = program.run();
            let [what, why, _] = run.failed(2);
            assert!(what.contains(&format!("`{flag}")), "{flag}={value:?}: {what}");
            assert!(run.stderr.len() < 1000, "{flag}: {}", run.stderr.len());
            assert!(!run.stderr.contains('\u{202e}'), "{why}");
        }
    }
    assert_eq!(stage.asked(), 0);
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    let stage = Stage::new();
    for (args, what, next) in [
        (&["nonsense"][..], "unrecognized subcommand `nonsense`", "fleetkey --help"),
        (&["get-token", "gcp"], "unrecognized subcommand `gcp`", "fleetkey get-token --help"),
        (
            &["get-token", "aws", "--nonsense"],
            "unexpected argument `--nonsense` found",
            "fleetkey get-token aws --help",
        ),
        (
            &["get-token", "aws", "--region"],
            "a value is required for `--region <REGION>` but none was supplied",
            "fleetkey get-token aws --help",
        ),
    ] {
        let [is, _, then] = stage.bare().args(args).run().failed(2);
        assert_eq!((is.as_str(), then.as_str()), (what, next));
    }
}

#[test]
fn a_client_that_names_no_cloud_is_not_answered_with_a_help_text() {
    let stage = Stage::new();
    let [.., next] = stage.bare().args(["get-token"]).run().failed(2);
    assert_eq!(next, "fleetkey get-token --help");
}
