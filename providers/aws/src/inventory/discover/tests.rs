//! Where is looked, with flags and without.

use clap::Command;
use fleetkey_provider::{Errand, Kind, Means};

use crate::{
    inventory::{
        INVENTORY,
        testing::{Cloud, EC2_DENIED, discover, discovered, regions},
    },
    testing::{KEYS, World, now},
};

fn names(errands: &[Box<dyn Errand>]) -> Vec<String> {
    errands.iter().map(|errand| errand.describe()).collect()
}

fn starts(line: &str, regions: &[&str], world: &World) -> Vec<String> {
    names(&discover(line, regions, &world.host()).unwrap())
}

#[test]
fn without_flags_every_session_and_every_identity_that_is_in_none_is_looked_at() {
    let config = crate::testing::CONFIG.to_owned()
        + "[profile same-keys]\naws_access_key_id = AKIDKEYS\naws_secret_access_key = hunter2\n\
           [profile only-a-region]\nregion = eu-west-1\n\
           [sso-session unused]\nsso_start_url = u\nsso_region = eu-west-1\n";
    let world = World::new().env(&KEYS).file("/home/.aws/config", &config);
    assert_eq!(
        starts("", &[], &world.clone().signed_in()),
        [
            "accounts of SSO session `corp`",
            "keys of profile `keys`",
            "keys of profile `over-sso`",
            "keys of profile `prod`",
        ]
    );
    // one who is not signed in is told once, and nobody is asked
    let found = discovered("", &["eu-west-1"], &world, &Cloud::default());
    assert_eq!(found.failed()[0], "accounts of SSO session `corp`");
    let told = found.failures.iter().filter(|(_, error)| error.kind() == Kind::SignInNeeded);
    assert_eq!(told.count(), 1);
}

#[test]
fn a_person_is_asked_to_sign_in_to_what_a_flag_names_alone() {
    let old = "[profile old]\nsso_start_url = https://my.awsapps.com/start\n\
        sso_region = eu-central-1\nsso_account_id = 123456789012\nsso_role_name = R\n";
    let world = World::new().file("/home/.aws/config", &format!("{}{old}", crate::testing::CONFIG));
    let means = Means { browser: true, terminal: true, keyboard: true };
    let asks = |line: &str| -> Vec<String> {
        let errands = discover(line, &[], &world.host()).unwrap();
        let asks = |errand: &dyn Errand| {
            let step = errand.request();
            std::iter::successors(step, |step| step.source()).any(|step| step.how(means).is_some())
        };
        let errands = errands.iter().filter(|errand| asks(&***errand));
        errands.map(|errand| errand.describe()).collect()
    };
    assert!(asks("").is_empty());
    let (session, profile) = ("accounts of SSO session `corp`", "keys of profile `old`");
    assert_eq!(asks("--sso-session corp --profile old"), [session, profile]);
    assert_eq!(asks("--profile over-sso"), ["keys of profile `over-sso`"]);

    let errands = discover("--sso-session corp", &[], &world.host()).unwrap();
    let request = errands[0].request().unwrap();
    let error = now(request.obtain(None, &world.host())).unwrap_err();
    let line = "fleetkey kubeconfig discover --sso-session corp";
    assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(line)));
    assert_eq!(request.sign_in_line().as_deref(), Some(line));
    world.theirs(
        crate::testing::CORP,
        r#"{"accessToken":"sso-token","expiresAt":"2026-01-02T08:00:00Z"}"#,
    );
    let credential = now(request.obtain(None, &world.host())).unwrap();
    assert_eq!((credential.expose(), credential.expires()), ("", None), "the token stays there");
    assert!(request.token(&credential, &world.host()).is_err());
}

#[test]
fn where_nothing_is_there_is_nothing_to_look_at() {
    let bare = World::default().env(&[("HOME", "/home")]);
    assert!(starts("", &[], &bare).is_empty());
    assert!(starts("", &[], &World::default().env(&KEYS)).is_empty());
    // nor if only other clouds have such regions
    assert!(starts("", &["westeurope"], &World::new().signed_in()).is_empty());
}

#[test]
fn what_needs_a_person_is_a_failure_unless_it_is_named() {
    let mfa = "[profile mfa]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = k\n\
        mfa_serial = arn:aws:iam::123456789012:mfa/me\n\
        [profile k]\naws_access_key_id = A\naws_secret_access_key = s\n\
        [profile broken]\nlogin_session = x\n";
    let world = World::new().file("/home/.aws/config", mfa);
    let cloud = Cloud::default().on("sts.", 403, "").on("ec2.", 403, "");
    let found = discovered("", &[], &world, &cloud);
    let failed = &found.failures;
    assert!(failed.iter().any(|(what, _)| what == "clusters of profile `broken`"));
    let (_, error) = failed.iter().find(|(what, _)| what == "clusters of profile `mfa`").unwrap();
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert_eq!(error.next_line(), Some("fleetkey kubeconfig discover --profile mfa"));
    assert_eq!(starts("--profile mfa", &[], &world), ["keys of profile `mfa`"]);
}

#[test]
fn flags_name_what_is_looked_at_and_nothing_else() {
    let world = World::new();
    assert_eq!(
        starts("--profile dev --sso-session corp --profile dev --profile keys", &[], &world),
        ["accounts of SSO session `corp`", "keys of profile `dev`", "keys of profile `keys`"]
    );
    for (line, regions, words) in [
        ("--profile nobody", &[][..], "`--profile` names the profile `nobody`"),
        ("--sso-session nobody", &[], "`--sso-session` names `[sso-session nobody]`"),
        ("--profile keys --role-name Admin", &[], "`--role-name` needs an SSO session"),
        ("--sso-session corp --role-name a/b", &[], "`--role-name` is not a role's name"),
        ("--profile keys", &["westeurope"], "`--region` is not a region"),
    ] {
        let error = discover(line, regions, &world.host()).err().unwrap();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_understood_ends_nobodys_search_but_its_own() {
    let world = World::new().file("/home/.aws/config", "[profile p]\nno value\n");
    assert_eq!(starts("", &[], &world), ["AWS's profiles"]);
    assert!(discover("--profile p", &[], &world.host()).is_err());
}

#[test]
fn the_account_of_keys_is_asked_only_if_nothing_says_it() {
    let caller = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>999999999999\
        </Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let cloud = || {
        Cloud::default()
            .on("sts. GetCallerIdentity", 200, caller)
            .on("sts. AssumeRole", 200, &crate::testing::lent("AssumeRole"))
            .on("ec2.eu-west-1", 200, &regions(&["us-east-1", "eu-west-1"]))
            .on("eks.us-east-1", 200, r#"{"clusters":["a"]}"#)
            .on("eks.", 200, r#"{"clusters":[]}"#)
    };
    for (profile, asked, labels) in [
        ("keys", 1, &[("account-id", "999999999999"), ("profile", "keys")][..]),
        ("prod", 0, &[("account-id", "999999999999"), ("role", "eks-prod"), ("profile", "prod")]),
    ] {
        let cloud = cloud();
        let found = discovered(&format!("--profile {profile}"), &[], &World::new(), &cloud);
        assert!(found.failures.is_empty(), "{:?}", found.failures);
        assert_eq!(found.ids(), ["arn:aws:eks:us-east-1:999999999999:cluster/a"]);
        assert_eq!(cloud.count("GetCallerIdentity"), asked);
        let theirs = &found.clusters[0].labels;
        assert!(theirs.iter().map(|(n, v)| (*n, &**v)).eq(labels.iter().copied()), "{theirs:?}");
        assert_eq!(found.clusters[0].account, "999999999999");
    }
}

#[test]
fn regions_are_asked_for_in_the_partition_of_the_role() {
    let config = "[profile cn]\nrole_arn = arn:aws-cn:iam::123456789012:role/r\nsource_profile = k\n\
        [profile k]\naws_access_key_id = A\naws_secret_access_key = s\n";
    let world = World::new().file("/home/.aws/config", config);
    let lent = crate::testing::lent("AssumeRole");
    let cloud = Cloud::default()
        .on("sts.cn-northwest-1.amazonaws.com.cn", 200, &lent)
        .on("ec2.cn-northwest-1.amazonaws.com.cn", 403, EC2_DENIED)
        .on("eks.cn-north-1.amazonaws.com.cn", 200, r#"{"clusters":["a"]}"#)
        .on("eks.cn-northwest-1.amazonaws.com.cn", 200, r#"{"clusters":[]}"#);
    let found = discovered("--profile cn", &[], &world, &cloud);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    assert_eq!(found.ids(), ["arn:aws-cn:eks:cn-north-1:999999999999:cluster/a"]);
}

#[test]
fn keys_that_are_over_are_told_from_a_clock_that_is_wrong() {
    let over = "<Response><Errors><Error><Code>RequestExpired</Code><Message>hunter2</Message>\
        </Error></Errors></Response>";
    let error = |date| {
        let cloud = Cloud::default()
            .on("sts. AssumeRole", 200, &crate::testing::lent("AssumeRole"))
            .on("ec2.", 400, over)
            .dated(date);
        let mut found = discovered("--profile prod", &[], &World::new(), &cloud);
        found.failures.remove(0).1
    };
    let keys = error("Fri, 02 Jan 2026 03:04:05 GMT");
    assert!(keys.message().contains("has expired"), "{keys}");
    let clock = error("Fri, 02 Jan 2026 03:44:05 GMT");
    assert_eq!(clock.message(), "the clock of this machine is wrong");
}

#[test]
fn no_flag_here_takes_an_id_that_another_cloud_may_have() {
    let command = INVENTORY.discover_arguments(Command::new("discover"));
    assert!(command.get_arguments().all(|flag| flag.get_id().as_str().starts_with("aws-")));
    assert_eq!(command.get_groups().count(), 0);
}
