//! Real kubectl gets in: every version there is, by every source of credentials, with one run of the
//! plugin a command, and without a request once there is something kept.

use fleetkey_sandbox::{Exec, Role};

use crate::support::{ADMIN, Desk, EXTERNAL_ID, Kubectl, Stage, for_every_kubectl, kubectls};

#[test]
fn kubectl_gets_in_with_keys_of_the_environment() {
    let stage = Stage::new();
    let arn = stage.alice.arn.clone();
    let env = stage.alice.environment();
    every_kubectl("keys", &Way { stage: &stage, args: &[], env, identity: &arn, asks: 0 });
}

#[test]
fn kubectl_gets_in_with_an_sso_session() {
    let stage = Stage::new();
    let way = Way { args: &["--profile", "sso"], ..Way::of_a_person(&stage) };
    every_kubectl("sso", &way);
}

#[test]
fn kubectl_gets_in_with_an_sso_profile_of_the_older_form() {
    let stage = Stage::new();
    let way = Way { args: &["--profile", "legacy"], ..Way::of_a_person(&stage) };
    every_kubectl("legacy sso", &way);
}

#[test]
fn kubectl_gets_in_with_a_role_that_wants_an_external_id() {
    let stage = Stage::new();
    let other = "arn:aws:iam::444455556666:role/named-by-a-flag";
    stage.sandbox.role(Role::new(other).external_id("flag-9").trusts(&stage.alice.arn));
    let args = &["--profile", "alice", "--role-arn", other, "--external-id", "flag-9"];
    let of_flags = Way { stage: &stage, args, env: vec![], identity: other, asks: 1 };
    every_kubectl("role of flags", &of_flags);
    let of_a_profile = Way { args: &["--profile", "admin"], identity: ADMIN, ..of_flags };
    every_kubectl("role of a profile", &of_a_profile);
    if kubectls().is_empty() {
        return; // every_kubectl has said so
    }
    let given: Vec<_> = stage.sandbox.requests();
    let given = given.iter().filter_map(|request| request.parameter("ExternalId"));
    assert!(given.clone().any(|id| id == EXTERNAL_ID) && given.clone().any(|id| id == "flag-9"));
}

#[test]
fn kubectl_gets_in_with_a_web_identity() {
    let stage = Stage::new();
    let identity = "arn:aws:iam::444455556666:role/ci";
    let env = stage.workload();
    every_kubectl("web identity", &Way { stage: &stage, args: &[], env, identity, asks: 1 });
}

/// One source of credentials.
struct Way<'a> {
    stage: &'a Stage,
    args: &'a [&'a str],
    env: Vec<(String, String)>,
    /// How the cluster's name for them begins.
    identity: &'a str,
    /// How many requests are made before something is kept.
    asks: usize,
}

impl<'a> Way<'a> {
    fn of_a_person(stage: &'a Stage) -> Self {
        let identity = "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_";
        Way { stage, args: &[], env: vec![], identity, asks: 1 }
    }
}

/// The whole matter for each kubectl.
fn every_kubectl(name: &str, way: &Way<'_>) {
    for_every_kubectl(name, |kubectl| one_kubectl(kubectl, way));
}

fn one_kubectl(kubectl: &Kubectl, way: &Way<'_>) {
    let cluster = ["get-token", "aws", "--cluster-name", "prod", "--region", "us-east-1"];
    let args = cluster.iter().chain(way.args).map(|&arg| arg.to_owned());
    let mut env = way.stage.home.environment();
    env.extend(way.stage.sandbox.environment());
    env.extend(way.env.clone());
    let desk = Desk::new(kubectl, args, env);
    // each has a cache of its own, and the AWS CLI's would serve them all
    drop(std::fs::remove_dir_all(way.stage.home.join(".aws/cli")));
    let before = way.stage.asked();
    works(&desk, &desk.older(), way);
    assert_eq!(way.stage.asked() - before, way.asks, "{}: at first", kubectl.version);
    works(&desk, &desk.newer(), way);
    assert_eq!(way.stage.asked() - before, way.asks, "{}: again", kubectl.version);
}

/// Three commands, each with one run of the plugin, all as the right one.
fn works(desk: &Desk<'_>, exec: &Exec, way: &Way<'_>) {
    let cluster = &way.stage.cluster;
    let config = way.stage.home.kubeconfig(cluster, exec).unwrap();
    let before = cluster.identities().len();
    let name = desk.three_commands(&config);
    assert!(name.is_none_or(|name| name.starts_with(way.identity)));
    let guests = cluster.identities();
    assert!(guests.len() > before, "nobody came");
    for guest in &guests[before..] {
        let name = &guest.identity.canonical_arn;
        assert!(name.starts_with(way.identity), "{name} came");
    }
    assert_eq!(cluster.rejections(), []);
}
