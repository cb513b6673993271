//! What the flags and the kubeconfig say, and what they cannot say.

use fleetkey_provider::{ClusterInfo, Kind};
use serde_json::{Value, json};

use super::*;

const R1: &str = "arn:aws:iam::123456789012:role/r1";
const R2: &str = "arn:aws:iam::123456789012:role/r2";

fn read(line: &str, config: &Value) -> Result<Arguments> {
    let command = augment(Command::new("aws").no_binary_name(true));
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    let config = config.as_object().cloned().unwrap_or_default();
    let cluster = Some(ClusterInfo { config, ..ClusterInfo::default() });
    Arguments::read(&mut matches, &ExecInfo { cluster, ..ExecInfo::default() })
}

fn typed(line: &str) -> Arguments {
    read(line, &Value::Null).unwrap()
}

#[test]
fn the_last_of_two_counts_in_either_spelling() {
    let arguments = typed(&format!(
        "--cluster-name a --cluster-name b --role-arn {R1} --role {R2} --region x --region y"
    ));
    assert_eq!(arguments.cluster.as_str(), "b");
    assert_eq!(arguments.region.as_deref(), Some("y"));
    assert_eq!(arguments.roles.len(), 1);
    assert_eq!(arguments.roles[0].arn.as_str(), R2);
}

#[test]
fn roles_on_the_way_come_first_and_in_order() {
    let arguments = typed(&format!(
        "--cluster-name c --via-role {R2} --via-role {R1} --role-arn {R2} --external-id ext"
    ));
    let roles: Vec<_> = arguments.roles.iter().map(|role| role.arn.as_str()).collect();
    assert_eq!(roles, [R2, R1, R2]);
    assert_eq!(arguments.roles[1].external_id, None);
    assert_eq!(arguments.roles[2].external_id.as_deref(), Some("ext"));
    assert_eq!(arguments.roles[0].session_name, SessionName::Fixed("EKSGetTokenAuth".into()));
}

#[test]
fn session_names_are_given_or_forwarded() {
    let role = format!("--cluster-name c --role-arn {R1}");
    let given = typed(&format!("{role} --session-name me")).roles;
    assert_eq!(given[0].session_name, SessionName::Fixed("me".into()));
    let forwarded = typed(&format!("{role} --forward-session-name")).roles;
    assert_eq!(forwarded[0].session_name, SessionName::Forwarded);
}

#[test]
fn the_flag_that_forwards_wins_over_the_clusters_session_name() {
    let line = format!("--cluster-name c --role {R1} --forward-session-name");
    let arguments = read(&line, &json!({"session-name": "theirs"})).unwrap();
    assert_eq!(arguments.roles[0].session_name, SessionName::Forwarded);
    // and the other way round
    let line = format!("--cluster-name c --role {R1} --session-name me");
    let arguments = read(&line, &json!({"forward-session-name": true})).unwrap();
    assert_eq!(arguments.roles[0].session_name, SessionName::Fixed("me".into()));
}

#[test]
fn the_cluster_may_say_the_way_and_whose_name_the_session_has() {
    let config = json!({
        "cluster-name": "c", "role-arn": R1, "via-role": [R2, R1], "forward-session-name": true,
    });
    let roles = read("", &config).unwrap().roles;
    let arns: Vec<_> = roles.iter().map(|role| role.arn.as_str()).collect();
    assert_eq!(arns, [R2, R1, R1]);
    assert!(roles.iter().all(|role| role.session_name == SessionName::Forwarded));
    let roles = read(&format!("--via-role {R1}"), &config).unwrap().roles;
    assert_eq!(roles.len(), 2, "a flag takes the place of the list");
    for (config, words) in [
        (json!({"via-role": [R1]}), "`spec.cluster.config.via-role` needs a role"),
        (json!({"role-arn": R1, "via-role": ["x"]}), "config.via-role` is not a role's ARN"),
        (
            json!({"role-arn": R1, "session-name": "me", "forward-session-name": true}),
            "both say what the session is called",
        ),
    ] {
        let error = read("--cluster-name c", &config).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_cluster_fills_in_what_no_flag_says() {
    let config = json!({
        "cluster-name": "theirs", "profile": "p", "role-arn": R1, "external-id": "ext",
        "session-name": "me", "region": "eu-west-1", "tenant-id": "another cloud's",
    });
    let arguments = read("", &config).unwrap();
    assert_eq!(arguments.cluster.as_str(), "theirs");
    let profile = arguments.profile.unwrap();
    assert_eq!((&*profile.value, &*profile.from), ("p", "`spec.cluster.config.profile`"));
    assert_eq!(arguments.roles[0].external_id.as_deref(), Some("ext"));

    let arguments = read("--cluster-id ours --profile q", &config).unwrap();
    assert_eq!(arguments.cluster.as_str(), "ours");
    assert_eq!(arguments.profile.unwrap().from, "`--profile`");
}

#[test]
fn errors_name_the_flag_or_the_key() {
    let long = "x".repeat(256);
    for (line, config, words) in [
        ("", Value::Null, "no cluster is named"),
        ("--cluster-name a --cluster-id b", Value::Null, "exclude each other"),
        ("", json!({"cluster-name": "a", "cluster-id": "b"}), "exclude each other"),
        ("", json!({"cluster-name": 7}), "`spec.cluster.config.cluster-name` is not text"),
        ("--cluster-name a --external-id ext", Value::Null, "`--external-id` needs a role"),
        ("--cluster-name a --session-name me", Value::Null, "`--session-name` needs a role"),
        (
            "--cluster-name a --forward-session-name",
            Value::Null,
            "`--forward-session-name` needs a role",
        ),
        (&format!("--cluster-name a --via-role {R1}"), Value::Null, "`--via-role` needs"),
        (
            &format!("--cluster-name a --role {R1} --forward-session-name --session-name me"),
            Value::Null,
            "both say what the session is called",
        ),
        ("--cluster-name a --role-arn x", Value::Null, "`--role-arn` is not a role's ARN"),
        (
            "--cluster-name a",
            json!({"role-arn": "x"}),
            "`spec.cluster.config.role-arn` is not a role's ARN",
        ),
        (
            &format!("--cluster-name a --role {R1} --session-name a:b"),
            Value::Null,
            "`--session-name` is not a session name",
        ),
        (
            &format!("--cluster-name a --role {R1} --external-id x"),
            Value::Null,
            "`--external-id` is not an external id",
        ),
        (&format!("--cluster-name a --profile {long}"), Value::Null, "longer than 255"),
        ("--cluster-name a", json!({"profile": "a\u{1b}"}), "may not stand in it"),
    ] {
        let error = read(line, &config).unwrap_err();
        assert_eq!(error.kind(), Kind::Config, "{line}");
        assert!(error.to_string().contains(words), "{line}: {error}");
    }
}
