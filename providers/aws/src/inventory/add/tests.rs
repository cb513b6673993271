//! One cluster by its name: what is asked, what is written, what is refused.

use clap::Command;
use fleetkey_provider::{Error, Kind, Result};

use crate::{
    inventory::{
        INVENTORY,
        testing::{Cloud, EKS_DENIED, Found, args, host, run},
    },
    testing::{CORP, KEYS, ROLE, VENDOR, World},
};

const ARN: &str = "arn:aws:eks:eu-west-1:123456789012:cluster/prod";

fn cluster() -> String {
    format!(
        r#"{{"cluster":{{"name":"prod","arn":"{ARN}","status":"ACTIVE",
            "endpoint":"https://ID.gr7.eu-west-1.eks.amazonaws.com",
            "certificateAuthority":{{"data":"Q0E="}},"version":"1.35"}}}}"#
    )
}

fn found(line: &str, world: &World, cloud: &Cloud) -> Result<Found> {
    let command = INVENTORY.add_arguments(Command::new("aws").no_binary_name(true));
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    let host = host(world, cloud);
    let errand = INVENTORY.add(&mut matches, &host)?;
    assert!(errand.request().is_some());
    Ok(run(vec![errand], &host))
}

fn answered(body: &str) -> Cloud {
    Cloud::default()
        .on("GET eks. /clusters/prod", 200, body)
        .on("/federation", 200, &super::super::testing::lends("ASIASSO"))
        .on("AssumeRole", 200, &crate::testing::lent("AssumeRole"))
}

/// The arguments that are written for this line.
fn written(line: &str, world: &World) -> String {
    let found = found(line, world, &answered(&cluster())).unwrap();
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    args(&found.entries[0])
}

/// Why that answer becomes no entry.
fn fails(status: u16, body: &str) -> Error {
    let cloud = Cloud::default().on("eks.", status, body);
    let line = "--cluster-name prod --profile keys";
    let mut found = found(line, &World::new(), &cloud).unwrap();
    assert!(found.entries.is_empty(), "{body}");
    found.failures.remove(0).1
}

#[test]
fn an_entry_is_named_and_written_as_the_clouds_own_tool_does() {
    let cloud = answered(&cluster());
    let found = found("--name prod", &World::new().env(&KEYS), &cloud).unwrap();
    let entry = &found.entries[0];
    let names = &entry.names;
    assert_eq!((&*names.cluster, &*names.user, &*names.context), (ARN, ARN, ARN));
    assert_eq!(entry.server, "https://ID.gr7.eu-west-1.eks.amazonaws.com");
    assert_eq!(entry.certificate_authority_data.as_deref(), Some("Q0E="));
    assert!(entry.tls_server_name.is_none() && entry.proxy_url.is_none());
    assert_eq!(args(entry), "--cluster-name prod --region eu-west-1");
    assert_eq!(
        cloud.asked(),
        ["GET eks.eu-west-1.amazonaws.com/clusters/prod  as AKIDENV at 20260102T030405Z"]
    );
}

#[test]
fn as_whom_is_written_down_in_flags() {
    let world = World::new().signed_in();
    let named = world.clone().env(&[("AWS_DEFAULT_PROFILE", "keys")]);
    let base = "--cluster-name prod --region eu-west-1";
    let sso = "--sso-session corp --sso-account-id 123456789012 --sso-role-name Admin";
    for (flags, world, written_flags) in [
        ("--profile keys".to_owned(), &world, "--profile keys".to_owned()),
        (String::new(), &named, "--profile keys".to_owned()),
        (sso.to_owned(), &named, sso.to_owned()),
        (
            format!("--profile keys --role {ROLE} --external-id ext --session-name me"),
            &world,
            format!("--profile keys --role-arn {ROLE} --external-id ext --session-name me"),
        ),
        (
            format!("--role-arn {ROLE} --external-id=-x {sso}"),
            &world,
            format!("--role-arn {ROLE} --external-id=-x {sso}"),
        ),
    ] {
        let line = format!("--cluster-name prod {flags}");
        assert_eq!(written(&line, world), format!("{base} {written_flags}"));
    }
}

#[test]
fn the_region_is_that_of_the_arn_and_asked_for_where_the_flag_says() {
    let cloud = answered(&cluster());
    let line = "--cluster-name prod --profile keys --region us-east-1";
    let found = found(line, &World::new(), &cloud).unwrap();
    assert!(cloud.asked()[0].contains("eks.us-east-1.amazonaws.com"));
    assert!(args(&found.entries[0]).contains("--region eu-west-1"));
}

#[test]
fn each_role_is_for_one_thing() {
    let cloud = answered(&cluster());
    let looks = "arn:aws:iam::210987654321:role/looks";
    let line =
        format!("--cluster-name prod --profile keys --role-arn {ROLE} --assume-role-arn {looks}");
    let found = found(&line, &World::new(), &cloud).unwrap();
    let asked = cloud.asked();
    assert!(asked[0].contains("RoleSessionName=EKSDescribeClusterSession"), "{asked:?}");
    assert!(asked[0].contains("role%2Flooks") && asked[1].contains("as ASIALENT"), "{asked:?}");
    assert_eq!(asked.len(), 2);
    assert!(args(&found.entries[0]).ends_with(&format!("--profile keys --role-arn {ROLE}")));
}

#[test]
fn a_cluster_on_outposts_is_known_by_its_id() {
    let outposts = |id: &str| {
        cluster().replace(r#""version""#, &format!(r#"{id}"outpostConfig":{{"x":[]}},"version""#))
    };
    let cloud = answered(&outposts(r#""id":"0d3c5e9b-8a1d","#));
    let found = found("--cluster-name prod --profile keys", &World::new(), &cloud).unwrap();
    let written = args(&found.entries[0]);
    assert_eq!(written, "--cluster-id 0d3c5e9b-8a1d --region eu-west-1 --profile keys");
    for id in ["", r#""id":"a b","#, r#""id":"--x","#] {
        assert_eq!(fails(200, &outposts(id)).kind(), Kind::Unavailable);
    }
}

#[test]
fn a_cluster_that_is_not_ready_or_not_there_is_told() {
    for status in ["CREATING", "DELETING", "FAILED", "PENDING", "\\u001b[2J"] {
        let error = fails(200, &cluster().replace("ACTIVE", status));
        assert!(error.message().starts_with("cluster status is "), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
        assert!(error.next_line().unwrap().ends_with("--query cluster.status --profile keys"));
    }
    assert!(fails(200, "{}").message().contains("not understood"));
    let found = found(
        "--cluster-name prod --profile keys",
        &World::new(),
        &answered(&cluster().replace("ACTIVE", "UPDATING")),
    );
    assert_eq!(found.unwrap().entries.len(), 1);

    let error =
        fails(404, r#"{"__type":"ResourceNotFoundException","message":"No cluster found"}"#);
    assert_eq!(error.kind(), Kind::Config);
    assert_eq!(error.message(), "there is no cluster `prod` in eu-west-1");
    let next = "aws eks list-clusters --region eu-west-1 --profile keys";
    assert_eq!(error.next_line(), Some(next));
}

#[test]
fn a_refusal_says_who_acts() {
    let error = fails(403, EKS_DENIED);
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.message(),
        "EKS did not let profile `keys` describe cluster prod in eu-west-1"
    );
    assert_eq!(error.next_line(), Some("aws sts get-caller-identity --profile keys"));
    let busy = fails(400, r#"{"__type":"ThrottlingException"}"#);
    assert_eq!(busy.kind(), Kind::Unavailable);
    let over = r#"{"__type":"ExpiredTokenException","message":"hunter2 is over"}"#;
    let error = fails(403, over);
    assert_eq!(error.kind(), Kind::Refused);
    assert!(!error.to_string().contains("hunter2"), "{error}");
    // where a person can sign in, that is what helps
    let world = World::new().signed_in();
    let cloud = Cloud::default()
        .on("/federation", 200, &super::super::testing::lends("ASIASSO"))
        .on("eks.", 403, over);
    let found = found("--cluster-name prod --profile dev", &world, &cloud).unwrap();
    let error = &found.failures[0].1;
    assert_eq!(error.kind(), Kind::SignInNeeded);
    let line = "fleetkey login aws --cluster-name prod --region eu-west-1 --profile dev";
    assert_eq!(error.next_line(), Some(line));
}

#[test]
fn a_clock_that_is_wrong_is_made_up_for_as_with_every_call() {
    let cloud = Cloud::default()
        .on("eks. at 20260102T032405Z", 200, &cluster())
        .on("eks.", 403, r#"{"__type":"InvalidSignatureException","message":"expired"}"#)
        .dated("Fri, 02 Jan 2026 03:24:05 GMT");
    let found = found("--cluster-name prod --profile keys", &World::new(), &cloud).unwrap();
    assert_eq!((found.entries.len(), cloud.asked().len()), (1, 2));
}

#[test]
fn an_answer_about_something_else_becomes_no_entry() {
    let whole = cluster();
    for (from, to) in [
        (ARN, "arn:aws:eks:eu-west-1:123456789012:cluster/other"),
        (ARN, "arn:aws:eks:eu-west-1:123456789012:cluster/prod/x"),
        (ARN, "arn:aws:eks:s3:123456789012:cluster/prod"),
        (ARN, "arn:aws-cn:eks:eu-west-1:123456789012:cluster/prod"),
        (ARN, "arn:aws:eks:eu-west-1:1:cluster/prod"),
        (ARN, "arn:aws:iam::123456789012:cluster/prod"),
        ("https://ID", "http://ID"),
        ("https://ID", "https://user@ID"),
        ("https://ID.gr7", "https://ID\\n.gr7"),
        (".com\",", ".com#x\","),
        ("Q0E=", "not base64!"),
        ("Q0E=", ""),
        (r#""arn""#, r#""strange""#),
        (r#""endpoint""#, r#""strange""#),
        (r#""certificateAuthority""#, r#""strange""#),
    ] {
        assert!(whole.contains(from), "{from}");
        let error = fails(200, &whole.replace(from, to));
        assert_eq!(error.kind(), Kind::Unavailable, "{to}");
        assert!(error.message().contains("was not understood"), "{error}");
    }
}

#[test]
fn without_a_region_the_machines_counts_or_somebody_is_told() {
    let world = World::new().env(&[("AWS_REGION", "")]);
    let line = "--cluster-name prod --profile keys";
    let error = found(line, &world, &Cloud::default()).err().unwrap();
    assert!(error.message().contains("no AWS region is named"), "{error}");
    let cloud = Cloud::default()
        .on("169.254.169.254/latest/api/token", 200, "session")
        .on("169.254.169.254 region", 200, "ap-south-1")
        .on("eks.ap-south-1", 200, &cluster());
    let found = found(line, &world.file(VENDOR, "Amazon EC2\n"), &cloud);
    assert_eq!(found.unwrap().entries.len(), 1);
}

#[test]
fn a_role_of_a_session_needs_no_profile_and_its_session() {
    let sso = "--sso-session corp --sso-account-id 123456789012 --sso-role-name Admin";
    let line = format!("--cluster-name prod {sso}");
    let found_ = found(&line, &World::new(), &Cloud::default()).unwrap();
    let error = &found_.failures[0].1;
    assert_eq!(error.kind(), Kind::SignInNeeded);
    let next = format!("fleetkey login aws --cluster-name prod --region eu-west-1 {sso}");
    assert_eq!(error.next_line(), Some(&*next));
    let gone = World::new().file(CORP, "{}").file("/home/.aws/config", "[profile p]\n");
    let error = found(&line, &gone, &Cloud::default()).err().unwrap();
    assert!(error.message().contains("`[sso-session corp]`, which is not there"), "{error}");
}

#[test]
fn mistakes_in_flags_are_named() {
    for (flags, words) in [
        ("--external-id ext", "`--external-id` needs a role"),
        ("--session-name me", "`--session-name` needs a role"),
        ("--role-arn x", "`--role-arn` is not a role's ARN"),
        ("--assume-role-arn x", "`--assume-role-arn` is not a role's ARN"),
        ("--profile keys --sso-session corp", "exclude each other"),
        ("--sso-session corp", "needs `--sso-account-id` and `--sso-role-name` too"),
        ("--cluster-name a/b", "`--cluster-name` is not a cluster's name"),
        ("--profile keys --region s3", "`--region` is not a region"),
        (
            "--profile keys --assume-role-arn arn:aws-cn:iam::123456789012:role/r",
            "is in partition `aws-cn`",
        ),
    ] {
        let line = format!("--cluster-name prod {flags}");
        let error = found(&line, &World::new(), &Cloud::default()).err().unwrap();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
}
