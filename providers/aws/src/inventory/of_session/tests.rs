//! From a session to its clusters: what is found, what is asked for it, and what goes wrong.

use fleetkey_provider::Kind;

use crate::{
    inventory::testing::{
        Cloud, EC2_DENIED, EKS_DENIED, args, discovered, host, lends, regions, run,
    },
    testing::World,
};

const ACCOUNTS: &str = r#"{"accountList":[{"accountId":"111111111111","accountName":"prod",
    "emailAddress":"a@x.example"},{"accountId":"222222222222"}]}"#;
const ONE_ACCOUNT: &str = r#"{"accountList":[{"accountId":"111111111111","accountName":"prod"}]}"#;
const ADMIN: &str = r#"{"roleList":[{"roleName":"Admin","accountId":"1"}]}"#;
const TWO_ROLES: &str = r#"{"roleList":[{"roleName":"Billing"},{"roleName":"Admin"}]}"#;
const TWO_REGIONS: [&str; 2] = ["eu-west-1", "eu-central-1"];
const NONE: &str = r#"{"clusters":[],"nextToken":null}"#;
const CLOSED: &str = "{\"__type\":\"AccessDeniedException\",\"message\":\"User: x is not authorized to \
    perform: eks:ListClusters with an explicit deny in a service control policy\"}";

fn one_account() -> Cloud {
    Cloud::default()
        .on("/assignment/accounts", 200, ONE_ACCOUNT)
        .on("/federation/credentials role_name=Admin", 200, &lends("ASIAADMIN"))
        .on("/federation/credentials role_name=Billing", 200, &lends("ASIABILLING"))
}

fn world() -> World {
    World::new().signed_in()
}

#[test]
fn every_page_is_read_and_every_question_asked_once() {
    let cloud = Cloud::default()
        .on(
            "/assignment/accounts next_token=two",
            200,
            r#"{"accountList":[{"accountId":"222222222222"}]}"#,
        )
        .on("/assignment/accounts", 200, &ONE_ACCOUNT.replace("]}", r#"],"nextToken":"two"}"#))
        .on("/assignment/roles next_token=r2", 200, ADMIN)
        .on("/assignment/roles account_id=111111111111", 200, r#"{"roleList":[],"nextToken":"r2"}"#)
        .on("/assignment/roles account_id=222222222222", 200, ADMIN)
        .on("account_id=111111111111 role_name=Admin", 200, &lends("ASIAONE"))
        .on("account_id=222222222222 role_name=Admin", 200, &lends("ASIATWO"))
        .on("ec2.eu-central-1.amazonaws.com", 200, &regions(&TWO_REGIONS))
        .on("eks.eu-west-1 nextToken=a%2B%2F%3D ONE", 200, r#"{"clusters":["b"]}"#)
        .on("eks.eu-west-1 ONE", 200, r#"{"clusters":["a"],"nextToken":"a+/="}"#)
        .on("eks. as", 200, NONE);
    let found = discovered("--sso-session corp", &[], &world(), &cloud);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    assert_eq!(
        found.ids(),
        [
            "arn:aws:eks:eu-west-1:111111111111:cluster/a",
            "arn:aws:eks:eu-west-1:111111111111:cluster/b",
        ]
    );
    // 2 pages of accounts, 3 of roles, 2 credentials, 2 questions about regions, 5 pages of clusters
    assert_eq!(cloud.asked().len(), 14, "{:#?}", cloud.asked());
    assert_eq!(cloud.count("/assignment as sso-token"), 5);
    let listed = &found.clusters[0];
    assert_eq!((&*listed.account, &*listed.region, &*listed.cluster), ("prod", "eu-west-1", "a"));
    assert_eq!(
        listed.labels,
        [
            ("account-id", "111111111111".to_owned()),
            ("role", "Admin".to_owned()),
            ("sso-session", "corp".to_owned()),
        ]
    );
}

#[test]
fn regions_and_a_role_that_are_named_are_not_asked_for() {
    let cloud = one_account().on("eks.eu-west-1 /clusters", 200, r#"{"clusters":["a"]}"#);
    let line = "--sso-session corp --role-name Admin";
    let found = discovered(line, &["eu-west-1", "cn-north-1", "westeurope"], &world(), &cloud);
    assert_eq!(found.clusters.len(), 1);
    assert_eq!(cloud.asked().len(), 3, "{:#?}", cloud.asked());
    // an account in which nobody has it is no failure
    let cloud = Cloud::default().on("/assignment/accounts", 200, ONE_ACCOUNT).on(
        "/federation",
        403,
        r#"{"message":"No access"}"#,
    );
    let found = discovered(line, &[], &world(), &cloud);
    assert!(found.clusters.is_empty() && found.failures.is_empty());
}

#[test]
fn of_several_role_names_the_first_that_an_account_has_counts() {
    let cloud = one_account().on("/assignment/roles", 200, TWO_ROLES).on("eks. ADMIN", 200, NONE);
    let line = "--sso-session corp --role-name Gone --role-name Admin --role-name Billing";
    let found = discovered(line, &["eu-west-1"], &world(), &cloud);
    assert!(found.failures.is_empty());
    assert_eq!((cloud.count("/federation"), cloud.count("eks.")), (1, 1));
}

#[test]
fn an_entry_signs_in_by_the_profile_of_that_role_or_by_naming_it() {
    let describe = |account: &str| {
        format!(
            r#"{{"cluster":{{"arn":"arn:aws:eks:eu-west-1:{account}:cluster/a","status":"ACTIVE",
                "endpoint":"https://x.example","certificateAuthority":{{"data":"Q0E="}}}}}}"#
        )
    };
    // profile `dev` of the machine is role `Admin` of this account
    for (account, expected, profile) in [
        ("123456789012", "--profile dev", Some("dev")),
        (
            "111111111111",
            "--sso-session corp --sso-account-id 111111111111 --sso-role-name Admin",
            None,
        ),
    ] {
        let accounts = ONE_ACCOUNT.replace("111111111111", account);
        let cloud = Cloud::default()
            .on("/assignment/accounts", 200, &accounts)
            .on("/federation", 200, &lends("ASIAADMIN"))
            .on("eks.eu-west-1 /clusters/a as ASIAADMIN", 200, &describe(account))
            .on("eks.eu-west-1 /clusters", 200, r#"{"clusters":["a"]}"#);
        let line = "--sso-session corp --role-name Admin";
        let mut found = discovered(line, &["eu-west-1"], &world(), &cloud);
        let listed = found.clusters.remove(0);
        let label = listed.labels.iter().find(|(name, _)| *name == "profile");
        assert_eq!(label.map(|(_, profile)| profile.as_str()), profile);
        let found = run(vec![listed.detail], &host(&world(), &cloud));
        assert_eq!(
            args(&found.entries[0]),
            format!("--cluster-name a --region eu-west-1 {expected}")
        );
    }
}

#[test]
fn a_role_that_sees_nothing_costs_one_question_and_the_next_is_tried() {
    let cloud = one_account()
        .on("/assignment/roles", 200, TWO_ROLES)
        .on("ec2. BILLING", 403, EC2_DENIED)
        .on("ec2. ADMIN", 200, &regions(&TWO_REGIONS))
        .on("eks. BILLING", 403, EKS_DENIED)
        .on("eks. ADMIN", 200, r#"{"clusters":["a"]}"#);
    let found = discovered("--sso-session corp", &[], &world(), &cloud);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    assert_eq!(found.clusters.len(), 2);
    assert!(found.clusters.iter().all(|c| c.labels.contains(&("role", "Admin".into()))));
    assert_eq!((cloud.count("eks. BILLING"), cloud.count("eks. ADMIN")), (1, 2));
    assert!(
        cloud
            .asked()
            .iter()
            .any(|line| line.contains("eks.eu-central-1") && line.contains("BILLING"))
    );

    // what one role was told about regions serves the next
    let cloud = one_account()
        .on("/assignment/roles", 200, TWO_ROLES)
        .on("ec2.", 200, &regions(&TWO_REGIONS))
        .on("eks. BILLING", 403, EKS_DENIED)
        .on("eks. ADMIN", 200, NONE);
    discovered("--sso-session corp", &[], &world(), &cloud);
    assert_eq!(cloud.count("ec2."), 1);
}

#[test]
fn an_account_that_shows_nothing_is_a_failure_and_the_others_go_on() {
    let cloud = Cloud::default()
        .on("/assignment/accounts", 200, ACCOUNTS)
        .on("/assignment/roles", 200, ADMIN)
        .on("account_id=111111111111 role_name", 200, &lends("ASIAONE"))
        .on("account_id=222222222222 role_name", 200, &lends("ASIATWO"))
        .on("ec2.", 200, &regions(&TWO_REGIONS))
        .on("eks. ONE", 403, EKS_DENIED)
        .on("eks. TWO", 200, r#"{"clusters":["a"]}"#);
    let found = discovered("--sso-session corp", &[], &world(), &cloud);
    assert_eq!(found.clusters.len(), 2);
    assert_eq!(found.failed(), ["clusters of account prod (111111111111) in eu-central-1"]);
    let error = &found.failures[0].1;
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.message(),
        "EKS did not let role Admin in 111111111111 of SSO session `corp` list clusters in \
         eu-central-1"
    );
    assert_eq!(error.next_line(), None, "no profile stands for it");
    assert_eq!(cloud.count("eks. ONE"), 1);
}

#[test]
fn a_region_that_is_busy_is_a_failure_wherever_it_stands_and_the_others_go_on() {
    for busy in TWO_REGIONS {
        let about = if busy == "eu-west-1" { "eks.eu-west-1" } else { "eks.eu-central-1" };
        let cloud = one_account()
            .on("/assignment/roles", 200, ADMIN)
            .on("ec2.", 200, &regions(&TWO_REGIONS))
            .on(about, 429, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#)
            .on("eks.", 200, r#"{"clusters":["a"]}"#);
        let found = discovered("--sso-session corp", &[], &world(), &cloud);
        assert_eq!(found.clusters.len(), 1);
        assert_eq!(found.failed(), [format!("clusters of account prod (111111111111) in {busy}")]);
        assert_eq!(found.failures[0].1.kind(), Kind::Unavailable);
    }
}

#[test]
fn a_region_that_the_organisation_closed_is_passed_over() {
    for (closed, open) in [("eks.eu-west-1", "eu-central-1"), ("eks.eu-central-1", "eu-west-1")] {
        let cloud = one_account()
            .on("/assignment/roles", 200, TWO_ROLES)
            .on("ec2.", 200, &regions(&TWO_REGIONS))
            .on(closed, 403, CLOSED)
            .on("eks.", 200, r#"{"clusters":["a"]}"#);
        let found = discovered("--sso-session corp", &[], &world(), &cloud);
        assert!(found.failures.is_empty(), "{:?}", found.failures);
        assert_eq!(found.ids(), [format!("arn:aws:eks:{open}:111111111111:cluster/a")]);
        assert_eq!(cloud.count("/federation"), 1, "it is closed to the other role too");
    }
    let cloud = one_account()
        .on("/assignment/roles", 200, ADMIN)
        .on("ec2.", 200, &regions(&TWO_REGIONS))
        .on("eks.", 403, CLOSED);
    let found = discovered("--sso-session corp", &[], &world(), &cloud);
    assert_eq!(found.failures.len(), 1, "all of it is closed");
}

#[test]
fn keys_that_a_region_does_not_know_may_mean_that_it_is_not_switched_on() {
    let unknown = r#"{"__type":"UnrecognizedClientException","message":"token is invalid"}"#;
    let cloud = one_account().on("eks.af-south-1", 403, unknown).on("eks.", 200, NONE);
    let line = "--sso-session corp --role-name Admin";
    let found = discovered(line, &["af-south-1", "eu-west-1"], &world(), &cloud);
    assert_eq!(found.failed(), ["clusters of account prod (111111111111) in af-south-1"]);
    assert!(found.failures[0].1.to_string().contains("not switched on"));
    assert_eq!(cloud.count("eks."), 2);
}

#[test]
fn who_may_not_ask_for_regions_looks_in_those_that_everybody_has() {
    let cloud = one_account()
        .on("/assignment/roles", 200, ADMIN)
        .on("ec2.", 403, EC2_DENIED)
        .on("eks.", 200, NONE);
    assert!(discovered("--sso-session corp", &[], &world(), &cloud).failures.is_empty());
    assert_eq!(cloud.count("eks."), 17);
    assert!(cloud.asked().iter().find(|l| l.contains("eks.")).unwrap().contains("eu-central-1"));
}

#[test]
fn an_answer_that_would_lead_elsewhere_is_none() {
    let rule = |about: &'static str, body: &str| {
        let cloud = Cloud::default().on(about, 200, body);
        let rest = [
            ("/assignment/accounts", ONE_ACCOUNT.to_owned()),
            ("/assignment/roles", ADMIN.to_owned()),
            ("/federation", lends("ASIAADMIN")),
            ("ec2.", regions(&["eu-central-1"])),
            ("eks.", NONE.to_owned()),
        ];
        let cloud = rest.iter().fold(cloud, |cloud, (about, body)| cloud.on(about, 200, body));
        let found = discovered("--sso-session corp", &[], &world(), &cloud);
        assert!(found.clusters.is_empty(), "{body}");
        let [(_, error)] = &found.failures[..] else { panic!("{body}: {:?}", found.failures) };
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        let text = error.to_string();
        assert!(text.contains("was not understood"), "{text}");
        assert!(!text.chars().any(char::is_control) && text.len() < 600, "{text:?}");
        assert!(cloud.asked().len() < 10);
    };
    for account in ["1/2", "12345678901", "1234567890123", "\\u001b[2J9012345678"] {
        rule("/assignment/accounts", &ONE_ACCOUNT.replace("111111111111", account));
    }
    for role in ["a/b", "a b", "", "x&account_id=9"] {
        rule("/assignment/roles", &ADMIN.replace("Admin", role));
    }
    for region in ["s3", "eu-west-1.evil.example", "../x", "cn-north-1", "EU-WEST-1"] {
        rule("ec2.", &regions(&[region]));
    }
    for name in ["../x", "a/b", "-a", "a b", "", &"x".repeat(101), "a\\u001b"] {
        rule("eks.", &format!(r#"{{"clusters":["{name}"]}}"#));
    }
    for next in ["same", "a b", &"x".repeat(5000)] {
        rule("eks.", &NONE.replace("null", &format!("\"{next}\"")));
    }
    for body in ["", "[]", "<html/>", "{}", r#"{"clusters":"a"}"#] {
        rule("eks.", body);
    }
    for body in ["", "{}", "<html/>", "<DescribeRegionsResponse/>"] {
        rule("ec2.", body);
    }
}

#[test]
fn a_session_that_ended_is_one_failure_and_one_that_can_be_is_renewed_once() {
    let ended = r#"{"accessToken":"old","expiresAt":"2026-01-02T03:04:05Z"}"#;
    let world = World::new().file(crate::testing::CORP, ended);
    let found = discovered("--sso-session corp", &[], &world, &Cloud::default());
    assert_eq!(found.failed(), ["accounts of SSO session `corp`"]);
    let error = &found.failures[0].1;
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert_eq!(error.next_line(), Some("fleetkey kubeconfig discover --sso-session corp"));

    let renewable = r#"{"accessToken":"old","expiresAt":"2026-01-02T03:04:05Z","refreshToken":"r",
        "clientId":"c","clientSecret":"s","registrationExpiresAt":"2026-03-01T00:00:00Z"}"#;
    let world = World::new().file(crate::testing::CORP, renewable);
    let cloud = Cloud::default()
        .on("POST oidc. /token", 200, r#"{"accessToken":"new","expiresIn":3600}"#)
        .on("/assignment/accounts as new", 200, ACCOUNTS)
        .on("/assignment/roles as new", 200, r#"{"roleList":[]}"#);
    let found = discovered("--sso-session corp", &[], &world, &cloud);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    assert_eq!((cloud.count("/token"), cloud.asked().len()), (1, 4));
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
}
