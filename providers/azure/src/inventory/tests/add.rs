//! One cluster that is named: which questions are asked, and what comes of them.

use super::*;

const CREDENTIAL: &str = "https://management.azure.com/subscriptions/aaaaaaaa-0000-0000-0000-000000000001/\
    resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks/";

#[test]
fn azs_default_subscription_is_asked_at_once() {
    let world = with_az();
    answers(&world, &kubeconfigs("clusterUser", ENCODED));
    let errand = add(CLUSTER, &world).unwrap();
    assert_eq!(errand.describe(), "cluster `aks` of resource group `rg`");
    let (text, overrides) = kubeconfig(&*errand, &world).unwrap();
    assert_eq!(text, "apiVersion: v1\n");
    assert_eq!(overrides.value("login"), Some("azurecli"));
    assert_eq!(overrides.value("tenant-id"), Some(TENANT));
    let url =
        format!("POST {CREDENTIAL}listClusterUserCredential?api-version=2024-09-01&format=exec");
    assert_eq!(asked(&world), [url]);
    let request = &world.http.requests()[0];
    assert_eq!(header(request, "authorization"), Some("Bearer arm-token"));
    assert_eq!(header(request, "content-length"), Some("0"));
    assert!(world.notes.lines().iter().all(|line| !line.contains("arm-token")));
}

#[test]
fn a_subscription_is_named_by_id_or_name_and_az_may_know_it() {
    for (line, id) in [
        (format!("-s {DEV}"), DEV),
        ("--subscription dev".into(), DEV),
        ("-s Prod".into(), PROD),
        // az does not know it, and an id needs no name
        ("-s bbbbbbbb-0000-0000-0000-000000000001".into(), "bbbbbbbb-0000-0000-0000-000000000001"),
    ] {
        let world = with_az();
        answers(&world, &kubeconfigs("clusterUser", ENCODED));
        run(&*add(&format!("{CLUSTER} {line}"), &world).unwrap(), &world).unwrap();
        let [asked] = &asked(&world)[..] else { panic!("{line}: more than one request") };
        assert!(asked.contains(&format!("/subscriptions/{id}/")), "{line}: {asked}");
    }
}

#[test]
fn what_az_does_not_know_is_looked_up() {
    for line in ["-s Stage", "--login devicecode -s stage"] {
        let world = with_az();
        let list = [subscription(PROD, "Prod", "Enabled"), subscription(DEV, "Stage", "Warned")];
        answers(&world, &json!({ "value": list }));
        answers(&world, &kubeconfigs("clusterUser", ENCODED));
        run(&*add(&format!("{CLUSTER} {line}"), &world).unwrap(), &world).unwrap();
        let asked = asked(&world);
        let list = "GET https://management.azure.com/subscriptions?api-version=2022-12-01";
        assert_eq!((asked.len(), &*asked[0]), (2, list));
        assert!(asked[1].contains(&format!("/subscriptions/{DEV}/")), "{asked:?}");
    }
}

#[test]
fn the_only_subscription_is_the_one_that_is_meant() {
    let world = World::default();
    let list = [subscription(PROD, "Old", "Disabled"), subscription(DEV, "Dev", "Enabled")];
    answers(&world, &json!({ "value": list }));
    answers(&world, &kubeconfigs("clusterUser", ENCODED));
    let (_, overrides) = kubeconfig(&*add(CLUSTER, &world).unwrap(), &world).unwrap();
    assert!(asked(&world)[1].contains(DEV));
    // a person, who is asked in the best way there is
    assert_eq!(overrides, Overrides(vec![("login".into(), String::new())]));
}

#[test]
fn of_several_subscriptions_none_is_guessed() {
    let world = World::default();
    let list = [subscription(PROD, "Pr\u{1b}od", "Enabled"), subscription(DEV, "Dev", "Enabled")];
    answers(&world, &json!({ "value": list }));
    let (kind, error) = fails(CLUSTER, &world);
    assert_eq!((kind, error.message()), (Kind::Config, "several subscriptions may be meant"));
    assert!(error.cause().unwrap().contains(&format!("`Dev` ({DEV})")), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    let next = format!("fleetkey kubeconfig add azure {CLUSTER} --subscription {PROD}");
    assert_eq!(error.next_line(), Some(&*next));

    let world = World::default();
    answers(&world, &json!({ "value": list }));
    let (kind, error) = fails(&format!("{CLUSTER} -s nope"), &world);
    assert_eq!((kind, asked(&world).len()), (Kind::Config, 1));
    assert!(error.message().contains("no subscription `nope`"), "{error}");
    let world = World::default();
    answers(&world, &json!({ "value": [] }));
    assert_eq!(fails(CLUSTER, &world).0, Kind::Config);
}

#[test]
fn a_private_cluster_is_reached_by_its_public_address_where_that_is_wanted() {
    let world = with_az();
    answers(&world, &kubeconfigs("clusterUser", ENCODED));
    run(&*add(&format!("{CLUSTER} --public-fqdn"), &world).unwrap(), &world).unwrap();
    assert!(asked(&world)[0].ends_with("&format=exec&server-fqdn=public"), "{:?}", asked(&world));
}

#[test]
fn an_administrators_certificate_is_handed_over_or_disabled() {
    let world = with_az();
    answers(&world, &kubeconfigs("clusterAdmin", ENCODED));
    let errand = add(&format!("{CLUSTER} --admin"), &world).unwrap();
    run(&*errand, &world).unwrap();
    let url = format!("POST {CREDENTIAL}listClusterAdminCredential?api-version=2024-09-01");
    assert_eq!(asked(&world), [url]);

    let world = with_az();
    // the service behind writes it so
    let body = json!({ "code": "BadRequest", "message": "Getting static credential is not …" });
    world.http.answer(400, &[], &body.to_string());
    let (kind, error) = fails(&format!("{CLUSTER} -a"), &world);
    assert_eq!(kind, Kind::Refused);
    assert!(error.cause().unwrap().contains("may be disabled"), "{error}");
    let next = format!("fleetkey kubeconfig add azure {CLUSTER} --subscription {PROD}");
    assert_eq!(error.next_line(), Some(&*next));
}

#[test]
fn what_is_no_kubeconfig_is_said_and_not_shown() {
    for (body, kind) in [
        (json!({ "kubeconfigs": [] }), Kind::Failed),
        (json!({}), Kind::Unavailable),
        (kubeconfigs("clusterUser", "hunter2!"), Kind::Failed),
        (kubeconfigs("clusterUser", "/w=="), Kind::Failed),
        (json!({ "kubeconfigs": [{ "name": "x" }] }), Kind::Unavailable),
        (json!([]), Kind::Unavailable),
    ] {
        let world = with_az();
        answers(&world, &body);
        let (found, error) = fails(CLUSTER, &world);
        assert_eq!(found, kind, "{body}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    // another name, if it is the only one
    let world = with_az();
    answers(&world, &kubeconfigs("other", ENCODED));
    run(&*add(CLUSTER, &world).unwrap(), &world).unwrap();
}

#[test]
fn another_resource_manager_has_to_be_trusted() {
    let world = with_az();
    let line = format!("{CLUSTER} --resource-manager https://evil.example");
    let error = add(&line, &world).err().unwrap();
    assert_eq!(error.next_line(), Some("fleetkey trust add evil.example"));
    answers(&world, &kubeconfigs("clusterUser", ENCODED));
    let line = format!("{CLUSTER} --resource-manager http://127.0.0.1:8/arm");
    run(&*add(&line, &world).unwrap(), &world).unwrap();
    assert!(asked(&world)[0].starts_with("POST http://127.0.0.1:8/arm/subscriptions/"));
}
