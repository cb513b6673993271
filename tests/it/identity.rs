//! Whose credential is whose: what is kept for one identity is never used for another, and what is
//! the same is kept once.

use std::fs;

use fleetkey_sandbox::{Role, Route};

use crate::support::{ADMIN, EXTERNAL_ID, Program, Stage};

const SHARED: &str = "arn:aws:iam::444455556666:role/shared";

/// A stage with a role that anybody may assume.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.sandbox.role(Role::new(SHARED).max_session(std::time::Duration::from_hours(4)));
    stage
}

/// How often a role was asked for while these ran, each twice.
fn asked(stage: &Stage, programs: &[Program]) -> usize {
    let before = stage.sandbox.count(Route::AssumeRole);
    for _ in 0..2 {
        for program in programs {
            stage.who(&program.run());
        }
    }
    stage.sandbox.count(Route::AssumeRole) - before
}

#[test]
fn two_people_who_assume_one_role_share_nothing() {
    let stage = stage();
    let bob = stage.sandbox.user("bob");
    let role = ["--role-arn", SHARED];
    let as_bob = stage.plugin().envs(bob.environment()).args(role);
    assert_eq!(asked(&stage, &[stage.as_alice().args(role), as_bob.clone()]), 2);
    let requests = stage.sandbox.requests();
    let callers: Vec<_> = requests.iter().filter_map(|r| r.caller.as_deref()).collect();
    assert_eq!(callers, [&*stage.alice.arn, &*bob.arn]);
    assert_eq!(stage.kept().len(), 2);

    // and a role whose trust bob does not have is not his because alice was there first
    let admin = ["--role-arn", ADMIN, "--external-id", EXTERNAL_ID];
    stage.who(&stage.as_alice().args(admin).run());
    stage.plugin().envs(bob.environment()).args(admin).run().failed(4);
}

#[test]
fn keys_that_were_lent_anew_are_another_source() {
    let stage = stage();
    let base = "arn:aws:iam::444455556666:role/base";
    let lent = |name: &str| {
        let keys = stage.sandbox.session(base, name, std::time::Duration::from_hours(1));
        stage.plugin().envs(keys.environment()).args(["--role-arn", SHARED])
    };
    assert_eq!(asked(&stage, &[lent("one"), lent("two")]), 2);
}

#[test]
fn what_a_session_is_asked_for_with_keeps_it_apart() {
    let stage = stage();
    stage
        .home
        .aws_config(&format!(
            "[profile short]\nsource_profile = alice\nrole_arn = {SHARED}\nduration_seconds = 900\n\
         [profile long]\nsource_profile = alice\nrole_arn = {SHARED}\nduration_seconds = 7200\n\
         [profile named]\nsource_profile = alice\nrole_arn = {SHARED}\nrole_session_name = other\n\
         duration_seconds = 900\n"
        ))
        .unwrap();
    let role = |args: &[&str]| {
        stage.with_profile("alice").args(["--role-arn", SHARED]).args(args.iter().copied())
    };
    let programs = [
        role(&[]),
        role(&["--external-id", "one"]),
        role(&["--external-id", "two"]),
        role(&["--session-name", "one"]),
        role(&["--session-name", "two"]),
        role(&["--via-role", SHARED]),
        stage.with_profile("short"),
        stage.with_profile("long"),
        stage.with_profile("named"),
    ];
    // the one that goes by way of the role finds the way kept by the first
    assert_eq!(asked(&stage, &programs), programs.len());
    assert_eq!(stage.kept().len(), programs.len());

    let requests = stage.sandbox.requests();
    let all = |name: &str| -> Vec<_> {
        let mut found: Vec<_> = requests.iter().filter_map(|r| r.parameter(name)).collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    assert_eq!(all("ExternalId"), ["one", "two"]);
    assert!(["one", "other", "two"].iter().all(|name| all("RoleSessionName").contains(name)));
    assert!(["7200", "900"].iter().all(|seconds| all("DurationSeconds").contains(seconds)));
}

#[test]
fn one_role_is_kept_once_for_all_clusters() {
    let stage = Stage::new();
    let names: Vec<String> = (0..5).map(|n| format!("cluster-{n}")).collect();
    for region in ["us-east-1", "eu-west-1"] {
        for name in &names {
            let cluster = stage.sandbox.cluster_in(&format!("{name}-{region}"), region).unwrap();
            let args = ["--cluster-name", &cluster.name, "--region", region];
            let token = stage.admin().args(args).run().token();
            let verified = cluster.verify(&token).unwrap();
            assert_eq!(verified.identity.canonical_arn, ADMIN);
            assert_eq!(verified.host, format!("sts.{region}.amazonaws.com"));
        }
    }
    assert_eq!((stage.sandbox.count(Route::AssumeRole), stage.kept().len()), (1, 1));
}

#[test]
fn a_profile_that_was_named_beats_keys_of_the_environment() {
    let stage = Stage::new();
    let bob = stage.sandbox.user("bob");
    let with_keys = stage.plugin().envs(bob.environment());
    let who = |program: &Program| stage.who(&program.run()).arn;
    assert_eq!(who(&with_keys.clone().args(["--profile", "alice"])), stage.alice.arn);
    assert_eq!(who(&with_keys.env("AWS_PROFILE", "alice")), bob.arn);
    assert_eq!(who(&stage.plugin().env("AWS_PROFILE", "alice")), stage.alice.arn);
}

#[test]
fn fresh_asks_again_and_keeps_what_it_gets() {
    let stage = Stage::new();
    let key =
        |program: Program| stage.cluster.verify(&program.run().token()).unwrap().access_key_id;
    let old = key(stage.admin());
    let new = key(stage.admin().args(["--fresh"]));
    assert_ne!(old, new);
    assert_eq!(key(stage.admin()), new);
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 2);
}

#[test]
fn without_the_cache_nothing_is_read_or_kept() {
    let stage = Stage::new();
    let uncached = stage.admin().args(["--no-cache"]);
    assert_eq!(asked(&stage, std::slice::from_ref(&uncached)), 2);
    assert!(!stage.home.join(".cache").exists());
    stage.who(&stage.admin().run());
    let [file] = &stage.kept()[..] else { panic!("not kept") };
    let kept = fs::read(file).unwrap();
    assert_eq!(asked(&stage, &[uncached]), 2);
    assert_eq!(fs::read(file).unwrap(), kept);
}

#[test]
fn the_cache_is_where_somebody_said() {
    let stage = Stage::new();
    let [flag, variable, xdg] = ["flag", "variable", "xdg"].map(|name| stage.home.join(name));
    let program = stage.admin().env("XDG_CACHE_HOME", &xdg);
    stage.who(&program.run());
    let program = program.env("FLEETKEY_CACHE_DIR", &variable);
    stage.who(&program.run());
    stage.who(&program.args(["--cache-dir"]).args([&flag]).run());
    assert!(flag.join("aws").exists() && variable.join("aws").exists());
    assert!(xdg.join("fleetkey/aws").exists() && !stage.home.join(".cache").exists());
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 3);
}

#[test]
fn who_has_signed_out_has_no_kept_credential_either() {
    let stage = Stage::new();
    let corp = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let file = stage.home.join(".aws/sso/cache").join(corp);
    stage.sandbox.role(Role::new(SHARED));
    let as_person = stage.with_profile("sso");
    let in_role = stage.with_profile("sso").args(["--role-arn", SHARED]);
    for program in [&as_person, &in_role] {
        stage.who(&program.run());
        stage.who(&program.run());
    }
    let lent =
        || (stage.sandbox.count(Route::SsoCredentials), stage.sandbox.count(Route::AssumeRole));
    assert_eq!(lent(), (1, 1));

    let token = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    for program in [&as_person, &in_role] {
        let [.., next] = program.run().failed(3);
        assert_eq!(next, "fleetkey login aws --cluster-name prod --region us-east-1 --profile sso");
    }
    assert_eq!(lent(), (1, 1));

    // signed in again, perhaps as another
    stage.home.write(file, token).unwrap();
    for program in [&as_person, &in_role] {
        stage.who(&program.run());
        stage.who(&program.run());
    }
    assert_eq!(lent(), (2, 2));
}

#[test]
fn another_person_who_signs_in_gets_their_own_credential() {
    let stage = Stage::new();
    let name = |stage: &Stage| stage.who(&stage.with_profile("sso").run()).session_name;
    assert_eq!(name(&stage).as_deref(), Some("alice@example.com"));
    stage.sandbox.grant_sso("bob@example.com", "444455556666", "Developer");
    stage.home.sso_token("corp", &stage.sandbox.sso_session("bob@example.com")).unwrap();
    assert_eq!(name(&stage).as_deref(), Some("bob@example.com"));
    assert_eq!(stage.sandbox.count(Route::SsoCredentials), 2);
}

#[test]
fn another_workload_gets_its_own_credential() {
    let stage = Stage::new();
    let role = "arn:aws:iam::444455556666:role/any-workload";
    stage.sandbox.role(Role::new(role));
    let program = stage.plugin().envs(stage.workload()).env("AWS_ROLE_ARN", role);
    let hour = jiff::SignedDuration::from_hours(1);
    for (subject, times) in [("one", 1), ("one", 1), ("two", 2), ("one", 2)] {
        let subject = format!("system:serviceaccount:apps:{subject}");
        // every pod has a token of its own, and gets a new one now and then
        let token = stage.sandbox.web_identity_token(&subject, hour).unwrap();
        stage.home.web_identity_token(&token).unwrap();
        assert_eq!(stage.who(&program.run()).canonical_arn, role);
        assert_eq!(stage.sandbox.count(Route::AssumeRoleWithWebIdentity), times, "{subject}");
    }
}
