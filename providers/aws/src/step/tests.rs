use fleetkey_provider::Kind;

use crate::testing::{CORP, KEYS, ROLE, World};

/// The fingerprints of these command lines, on these machines.
fn prints(asked: &[(&World, &str)]) -> Vec<String> {
    asked.iter().map(|(world, line)| world.ask(line).unwrap().fingerprint().to_string()).collect()
}

#[test]
fn whatever_changes_the_credential_changes_the_key() {
    let world = World::new().signed_in();
    let loopback = world.clone().env(&[("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")]);
    let authorities = world.clone().env(&[("AWS_CA_BUNDLE", "/ca.pem")]);
    let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", ROLE)];
    let web_one = World::new().env(&web).file("/t", "e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.bmV3");
    let web_two = World::new().env(&web).file("/t", "e30.eyJpc3MiOiJpIiwic3ViIjoidCJ9.bmV3");
    let role = |rest: &str| format!("--profile keys --role {ROLE} {rest}");
    let lines = [
        role(""),
        role("--external-id ext"),
        role("--session-name me"),
        role("--forward-session-name"),
        role(&format!("--via-role {ROLE}")),
        format!("--profile prod --role {ROLE}"),
    ];
    let mut asked: Vec<(&World, &str)> = lines.iter().map(|line| (&world, &**line)).collect();
    let over_sso = format!("--profile over-sso --role {ROLE}");
    asked.extend([
        (&world, "--profile keys"),
        (&world, "--profile prod"),
        (&world, "--profile over-sso"),
        (&world, over_sso.as_str()),
        (&loopback, "--profile prod"),
        (&authorities, "--profile prod"),
        (&web_one, ""),
        (&web_two, ""),
    ]);
    let mut prints = prints(&asked);
    prints.sort();
    let all = prints.len();
    prints.dedup();
    assert_eq!(prints.len(), all);
}

#[test]
fn neither_cluster_nor_region_nor_a_default_changes_the_key() {
    let world = World::new();
    let same = prints(&[
        (&world, "--profile prod"),
        (&world, "--profile prod --region us-east-1"),
        (&world, "--profile prod --cluster-name other"),
        (&world.clone().env(&KEYS), "--profile prod"),
    ]);
    assert!(same.iter().all(|print| *print == same[0]));
}

#[test]
fn signing_out_or_in_anew_ends_everything_lent_for_a_session() {
    let world = World::new().signed_in();
    world.sso_lends();
    world.sts_lends("AssumeRole");
    let request = world.ask("--profile over-sso").unwrap();
    assert_eq!(request.session(), request.source().unwrap().session());
    assert!(request.session().is_some());
    let credential = world.lend(request.as_ref()).unwrap();
    assert!(request.still_ours(&credential, &world.host()));
    assert!(!request.still_ours(&credential, &World::new().host()), "signed out");
    let anew = World::new().file(CORP, "another length");
    assert!(!request.still_ours(&credential, &anew.host()), "signed in anew");
    let keys = world.ask("--profile keys").unwrap();
    assert!(keys.still_ours(&credential, &World::new().host()), "no session, no end");
}

#[test]
fn keys_that_have_ended_are_not_offered() {
    let ended = ("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T03:04:05Z");
    let world = World::new().env(&KEYS).env(&[ended]);
    let error = world.ask("").unwrap().at_hand(&world.host()).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.to_string().contains("have expired"), "{error}");
}

#[test]
fn debug_shows_no_secret() {
    let world = World::new().env(&KEYS);
    let request = world.ask(&format!("--role {ROLE}")).unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
}
