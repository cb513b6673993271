//! A search: tenants, subscriptions, pages, and what one of them refuses.

use super::*;

const HOST: &str = "https://management.azure.com";

#[test]
fn each_tenant_of_az_is_looked_in_and_each_subscription_of_it() {
    let world = with_az();
    let errands = discover("", &world).unwrap();
    let names: Vec<_> = errands.iter().map(|errand| errand.describe()).collect();
    let name = |tenant: &str| format!("the subscriptions of tenant {tenant}");
    assert_eq!(names, [name(TENANT), name(OTHER_TENANT)]);
    assert!(errands.iter().all(|errand| errand.request().is_some()));
    answers(
        &world,
        &json!({ "value": [
            subscription(PROD, "Prod", "Enabled"),
            subscription("cccccccc-0000-0000-0000-000000000001", "Old", "Disabled"),
            { "subscriptionId": "../x", "state": "Enabled" }, null,
        ], "count": { "value": 2 } }),
    );
    answers(&world, &json!({ "value": [subscription(DEV, "Dev", "Enabled")] }));
    answers(&world, &json!({ "value": [cluster(PROD, "Blue", "westeurope")] }));
    answers(&world, &json!({ "value": [cluster(DEV, "red", "North Europe")] }));
    let found = run_all(errands, &world);
    // a subscription that is not understood is no secret
    assert_eq!((found.clusters.len(), found.failures.len()), (2, 1));
    assert!(found.failures[0].1.to_string().contains("2 of 4"), "{:?}", found.failures);
    let blue = &found.clusters[0];
    assert_eq!((&*blue.cluster, &*blue.account, &*blue.region), ("Blue", "Prod", "westeurope"));
    assert_eq!(
        blue.id,
        format!(
            "/subscriptions/{PROD}/resourcegroups/team/providers/microsoft.containerservice/\
             managedclusters/blue"
        )
    );
    assert_eq!(
        blue.labels,
        [
            ("resource-group", "Team".to_owned()),
            ("subscription-id", PROD.into()),
            ("tenant", TENANT.into()),
        ]
    );
    assert_eq!(found.clusters[1].region, "northeurope");
    let clusters = |id: &str| {
        format!(
            "GET {HOST}/subscriptions/{id}/providers/Microsoft.ContainerService/managedClusters\
             ?api-version=2024-09-01"
        )
    };
    let list = format!("GET {HOST}/subscriptions?api-version=2022-12-01");
    assert_eq!(asked(&world), [list.clone(), list, clusters(PROD), clusters(DEV)]);
    // and its detail is the way to it
    answers(&world, &kubeconfigs("clusterUser", ENCODED));
    assert_eq!(blue.detail.describe(), "cluster `Blue` of resource group `Team`");
    let (text, overrides) = kubeconfig(&*blue.detail, &world).unwrap();
    assert_eq!((&*text, overrides.value("login")), ("apiVersion: v1\n", Some("azurecli")));
    assert_eq!(overrides.value("tenant-id"), Some(TENANT));
    assert!(asked(&world)[4].contains("/managedClusters/Blue/listClusterUserCredential?"));
}

#[test]
fn without_anything_to_look_at_nothing_is_asked() {
    assert!(discover("", &World::default()).unwrap().is_empty());
    // a stray variable is no wish
    for way in ["spn", "nonsense"] {
        let stray = World::default().env(&[("AAD_LOGIN_METHOD", way)]);
        assert!(discover("", &stray).unwrap().is_empty());
    }
    let error = discover("--subscription Prod", &World::default()).err().unwrap();
    assert_eq!(error.kind(), Kind::Config);
    assert_eq!(error.next_line(), Some("fleetkey kubeconfig discover --login interactive"));
    let error = discover("--login nonsense", &World::default()).err().unwrap();
    assert!(error.message().contains("names no way to sign in"), "{error}");
}

#[test]
fn a_way_to_sign_in_that_is_named_looks_where_it_leads() {
    let [person] = &discover("--login interactive", &World::default()).unwrap()[..] else {
        panic!("one errand")
    };
    assert_eq!(person.describe(), "the subscriptions of a person of tenant organizations");
    // an application is of its own tenant, whatever az knows
    let env = [
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_SECRET", "hunter2"),
    ];
    let errands = discover("--login spn", &with_az().env(&env)).unwrap();
    assert_eq!(errands.len(), 1);
    assert!(errands[0].describe().contains("contoso.com"), "{}", errands[0].describe());
}

#[test]
fn tenants_subscriptions_and_regions_that_are_named_are_the_ones() {
    let world = with_az();
    let line = format!("--tenant-id {TENANT} --tenant-id contoso.org --subscription DEV");
    let errands = discover_in(&["West Europe", "eastus"], &line, &world).unwrap();
    assert_eq!(errands.len(), 2);
    let both = [subscription(PROD, "Prod", "Enabled"), subscription(DEV, "Dev", "Enabled")];
    answers(&world, &json!({ "value": both }));
    answers(&world, &json!({ "value": [] }));
    let clusters = ["westeurope", "northeurope", "EastUS"];
    let clusters = clusters.map(|location| cluster(DEV, location, location));
    answers(&world, &json!({ "value": clusters }));
    let found = run_all(errands, &world);
    let names: Vec<_> = found.clusters.iter().map(|cluster| cluster.cluster.as_str()).collect();
    assert_eq!((names, asked(&world).len()), (vec!["westeurope", "EastUS"], 3));
    assert!(found.failures.is_empty());
}

#[test]
fn a_subscription_that_no_tenant_has_is_said_once() {
    let world = with_az();
    let errands = discover("--subscription nope --subscription Dev", &world).unwrap();
    answers(&world, &json!({ "value": [subscription(PROD, "Prod", "Enabled")] }));
    answers(&world, &json!({ "value": [subscription(DEV, "Dev", "Enabled")] }));
    answers(&world, &json!({ "value": [] }));
    let found = run_all(errands, &world);
    let [(what, error)] = &found.failures[..] else { panic!("{:?}", found.failures) };
    assert_eq!((&**what, error.kind()), ("subscription `nope`", Kind::Config));
    // where a tenant did not answer, nobody knows
    let world = with_az();
    let errands = discover("--subscription nope", &world).unwrap();
    refuses(&world, 403, "AuthorizationFailed");
    answers(&world, &json!({ "value": [] }));
    assert_eq!(run_all(errands, &world).failures.len(), 1);
}

#[test]
fn pages_are_followed_to_the_same_host_only() {
    let world = with_az();
    let errands = discover(&format!("--tenant-id {TENANT}"), &world).unwrap();
    let next = format!("{HOST}/subscriptions?api-version=2022-12-01&%24skiptoken=a%2Bb%3D");
    answers(&world, &json!({ "value": [subscription(PROD, "Prod", "Enabled")], "nextLink": next }));
    answers(&world, &json!({ "value": [subscription(DEV, "Dev", "Enabled")], "nextLink": "" }));
    let elsewhere = "https://evil.example/subscriptions?api-version=2022-12-01";
    let blue = cluster(PROD, "blue", "westeurope");
    answers(&world, &json!({ "value": [blue], "nextLink": elsewhere }));
    answers(&world, &json!({ "value": [cluster(DEV, "red", "westeurope")], "nextLink": null }));
    let found = run_all(errands, &world);
    assert_eq!(asked(&world)[1], format!("GET {next}"));
    assert_eq!((found.clusters.len(), asked(&world).len()), (2, 4));
    let [(what, error)] = &found.failures[..] else { panic!("{:?}", found.failures) };
    assert_eq!(what, "the clusters of subscription `Prod`");
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.cause().unwrap().contains("`evil.example`"), "{error}");
}

#[test]
fn a_page_is_nowhere_else_by_no_trick() {
    for link in [
        "https://management.azure.com.evil.example/subscriptions",
        "https://management.azure.com@evil.example/subscriptions",
        "https://me:pw@management.azure.com/subscriptions",
        "http://management.azure.com/subscriptions",
        "https://management.azure.com:8443/subscriptions",
        "//evil.example/subscriptions",
        "/subscriptions",
        "not a url",
        "\u{1b}[2J",
    ] {
        let world = with_az();
        let errands = discover(&format!("--tenant-id {TENANT}"), &world).unwrap();
        answers(&world, &json!({ "value": [], "nextLink": link }));
        let found = run_all(errands, &world);
        assert_eq!((found.failures.len(), asked(&world).len()), (1, 1), "{link}");
        let error = found.failures[0].1.to_string();
        assert!(!error.contains('\u{1b}') && !error.contains("pw"), "{error}");
    }
    // below a path, only below it
    let world = with_az();
    let line = format!("--tenant-id {TENANT} --resource-manager http://127.0.0.1:8/arm");
    let errands = discover(&line, &world).unwrap();
    let next = "http://127.0.0.1:8/arm/subscriptions?page=2";
    answers(&world, &json!({ "value": [], "nextLink": next }));
    answers(&world, &json!({ "value": [], "nextLink": "http://127.0.0.1:8/army" }));
    let found = run_all(errands, &world);
    assert_eq!((found.failures.len(), &*asked(&world)[1]), (1, &*format!("GET {next}")));
}

#[test]
fn a_list_without_an_end_is_left() {
    let world = with_az();
    let errands = discover(&format!("--tenant-id {TENANT}"), &world).unwrap();
    for number in 0..501 {
        let next = format!("{HOST}/subscriptions?page={number}");
        answers(&world, &json!({ "value": [], "nextLink": next }));
    }
    let found = run_all(errands, &world);
    assert_eq!((found.failures.len(), asked(&world).len()), (1, 500));
}

#[test]
fn a_page_that_was_there_before_is_not_fetched_again() {
    let world = with_az();
    let errands = discover(&format!("--tenant-id {TENANT}"), &world).unwrap();
    for number in [1, 2, 1] {
        let next = format!("{HOST}/subscriptions?page={number}");
        answers(&world, &json!({ "value": [], "nextLink": next }));
    }
    let found = run_all(errands, &world);
    assert_eq!((found.failures.len(), asked(&world).len()), (1, 3));
    assert!(found.failures[0].1.to_string().contains("there before"), "{:?}", found.failures);
}

#[test]
fn what_one_subscription_denies_does_not_hide_another() {
    let world = with_az();
    let errands = discover(&format!("--tenant-id {TENANT}"), &world).unwrap();
    let both = [subscription(PROD, "Prod", "Enabled"), subscription(DEV, "Dev", "Enabled")];
    answers(&world, &json!({ "value": both }));
    refuses(&world, 403, "AuthorizationFailed");
    answers(&world, &json!({ "value": [cluster(DEV, "red", "westeurope")] }));
    let found = run_all(errands, &world);
    assert_eq!(found.clusters.len(), 1);
    let [(what, error)] = &found.failures[..] else { panic!("{:?}", found.failures) };
    assert_eq!((&**what, error.kind()), ("the clusters of subscription `Prod`", Kind::Refused));
}

#[test]
fn a_cluster_that_is_not_as_azure_writes_it_is_left_out_and_said() {
    let world = with_az();
    let errands = discover(&format!("--tenant-id {TENANT}"), &world).unwrap();
    answers(&world, &json!({ "value": [subscription(PROD, "Prod", "Enabled")] }));
    let odd = [
        json!(null),
        json!({ "id": 1 }),
        cluster(PROD, "x/y", "westeurope"),
        cluster(PROD, "x", "west\u{1b}"),
        cluster(DEV, "of-another", "westeurope"),
        cluster(PROD, "good", "westeurope"),
    ];
    answers(&world, &json!({ "value": odd }));
    let found = run_all(errands, &world);
    assert_eq!(found.clusters.len(), 1);
    assert!(found.failures[0].1.cause().unwrap().starts_with("5 of 6 "), "{:?}", found.failures);
}
