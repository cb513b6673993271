//! The lists of the Resource Manager, and who sees what in them.

use serde_json::{Value, json};

use super::entra::{ALICE, APP, Stage};
use crate::azure::arm::subscription::Subscription;
use crate::client::Reply;
use crate::entra::Caller;
use crate::{ManagedCluster, Route, Sandbox};

pub(super) const AZ: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
pub(super) const ONE: &str = "aaaaaaaa-0000-4000-a000-000000000001";
pub(super) const TWO: &str = "aaaaaaaa-0000-4000-a000-000000000002";
pub(super) const GUESTS: &str = "bbbbbbbb-0000-4000-a000-000000000001";

/// Alice with two subscriptions at home, and one where she is a guest.
pub(super) fn stage() -> Stage {
    let stage = Stage::new();
    let sandbox = &stage.sandbox;
    sandbox.subscription(Subscription::new(ONE, "one", &stage.contoso).group("empty"));
    sandbox.subscription(Subscription::new(TWO, "two", &stage.contoso).read_by(ALICE));
    sandbox.subscription(Subscription::new(GUESTS, "guests", &stage.fabrikam));
    sandbox.managed_cluster(ONE, ManagedCluster::new("prod", "RG-a", "westeurope").azure_rbac());
    sandbox.managed_cluster(ONE, ManagedCluster::new("edge", "rg-b", "eastus").private(false));
    stage
}

/// A token for ARM.
pub(super) fn token(stage: &Stage, tenant: &str, caller: &Caller) -> String {
    stage.entra().access_token(tenant, "https://management.azure.com", caller)
}

/// Alice's at home, through az.
pub(super) fn alice(stage: &Stage) -> String {
    token(stage, &stage.contoso, &Caller::person(ALICE, AZ))
}

pub(super) fn ask(sandbox: &Sandbox, method: &str, token: &str, path: &str) -> Reply {
    let url = format!("{}{path}", sandbox.resource_manager_url());
    let bearer = format!("Bearer {token}");
    sandbox.client().unwrap().send(method, &url, &[("authorization", &bearer)], b"").unwrap()
}

/// Status and code of a refusal.
pub(super) fn refusal(reply: &Reply) -> (u16, String) {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let message = body["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {body}"));
    assert!(!message.is_empty());
    (reply.status, body["error"]["code"].as_str().unwrap().to_owned())
}

/// All items of a list, page after page, and how many were on each.
fn all(stage: &Stage, token: &str, path: &str) -> (Vec<Value>, Vec<usize>) {
    let url = stage.sandbox.resource_manager_url();
    let (mut path, mut items, mut pages) = (path.to_owned(), Vec::new(), Vec::new());
    loop {
        let reply = ask(&stage.sandbox, "GET", token, &path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let page = body["value"].as_array().unwrap().clone();
        pages.push(page.len());
        items.extend(page);
        let Some(next) = body["nextLink"].as_str() else { return (items, pages) };
        next.strip_prefix(&url).unwrap().clone_into(&mut path);
    }
}

fn names(items: &[Value], name: &str) -> Vec<String> {
    items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

#[test]
fn everybody_sees_their_own_subscriptions() {
    let stage = stage();
    let subscriptions = |token: &str| {
        names(&all(&stage, token, "/subscriptions?api-version=2022-12-01").0, "displayName")
    };
    assert_eq!(subscriptions(&alice(&stage)), ["one", "two"]);
    let guest = token(&stage, &stage.fabrikam, &Caller::person(ALICE, AZ));
    assert_eq!(subscriptions(&guest), ["guests"]);
    let app = Caller::app(APP, &stage.entra().object_id(APP, &stage.contoso));
    assert_eq!(subscriptions(&token(&stage, &stage.contoso, &app)), ["one"]);
    let two = Subscription::new(TWO, "two", &stage.contoso).read_by(APP).state("Warned");
    stage.sandbox.subscription(two);
    assert_eq!(subscriptions(&token(&stage, &stage.contoso, &app)), ["one", "two"]);
    assert_eq!(subscriptions(&alice(&stage)), ["one"]);
    let (items, _) = all(&stage, &alice(&stage), "/subscriptions?api-version=2022-12-01");
    assert_eq!((&items[0]["subscriptionId"], &items[0]["state"]), (&json!(ONE), &json!("Enabled")));
    assert_eq!(items[0]["tenantId"], stage.contoso);
    let (tenants, _) = all(&stage, &alice(&stage), "/tenants?api-version=2022-12-01");
    assert_eq!(names(&tenants, "tenantId"), [stage.contoso.clone(), stage.fabrikam.clone()]);
    let one = ask(
        &stage.sandbox,
        "GET",
        &alice(&stage),
        &format!("/subscriptions/{ONE}?api-version=2022-12-01"),
    );
    let one: Value = serde_json::from_slice(&one.body).unwrap();
    assert_eq!(one["displayName"], "one");
    assert_eq!(stage.sandbox.count(Route::ArmSubscriptions), 7);
    let asked = &stage.sandbox.requests()[0];
    assert_eq!((asked.caller.as_deref(), asked.service.as_str()), (Some(ALICE), "arm"));
    assert_eq!(asked.header("authorization"), Some("(secret)"));
}

#[test]
fn clusters_of_a_subscription_and_of_a_group() {
    let stage = stage();
    let alice = alice(&stage);
    let clusters = format!(
        "/subscriptions/{ONE}/providers/Microsoft.ContainerService/managedClusters?api-version=2025-01-01"
    );
    let (items, _) = all(&stage, &alice, &clusters);
    assert_eq!(names(&items, "name"), ["prod", "edge"]);
    let id = format!(
        "/subscriptions/{ONE}/resourcegroups/RG-a/providers/Microsoft.ContainerService/managedClusters/prod"
    );
    assert_eq!(items[0]["id"], id);
    let [prod, edge] = [&items[0]["properties"], &items[1]["properties"]];
    assert_eq!(prod["aadProfile"]["tenantID"], stage.contoso);
    assert_eq!(prod["aadProfile"]["enableAzureRBAC"], true);
    assert_eq!(prod["powerState"]["code"], "Running");
    assert_eq!(prod["fqdn"], "prod-dns.hcp.westeurope.azmk8s.io");
    assert_eq!((prod.get("privateFQDN"), edge.get("fqdn")), (None, None));
    assert!(edge["privateFQDN"].as_str().unwrap().contains(".privatelink.eastus."));
    // a path's words are the same in any case
    let group = format!(
        "/SUBSCRIPTIONS/{}/resourceGroups/rg-A/providers/microsoft.containerservice/managedclusters?api-version=2025-01-01",
        ONE.to_uppercase()
    );
    assert_eq!(names(&all(&stage, &alice, &group).0, "name"), ["prod"]);
    let empty = group.replace("rg-A", "empty");
    assert_eq!(all(&stage, &alice, &empty).0.len(), 0);
    let one = ask(&stage.sandbox, "GET", &alice, &format!("{id}?api-version=2025-01-01"));
    let one: Value = serde_json::from_slice(&one.body).unwrap();
    assert_eq!(one, items[0]);
    let none = |path: &str| refusal(&ask(&stage.sandbox, "GET", &alice, path));
    let other = (404, "ResourceGroupNotFound".to_owned());
    assert_eq!(none(&group.replace("rg-A", "rg-c")), other);
    let missing = id.replace("/prod", "/none");
    assert_eq!(
        none(&format!("{missing}?api-version=2025-01-01")),
        (404, "ResourceNotFound".into())
    );
}

#[test]
fn two_hundred_clusters_in_pages() {
    let stage = stage();
    for number in 0..200 {
        let cluster = ManagedCluster::new(&format!("c{number:03}"), "fleet", "westeurope");
        stage.sandbox.managed_cluster(TWO, cluster);
    }
    let path = format!(
        "/subscriptions/{TWO}/providers/Microsoft.ContainerService/managedClusters?api-version=2024-09-01"
    );
    let alice = alice(&stage);
    assert_eq!(all(&stage, &alice, &path).1, [200]);
    stage.sandbox.page_size(Some(90));
    let (items, pages) = all(&stage, &alice, &path);
    assert_eq!((items.len(), pages), (200, vec![90, 90, 20]));
    assert_eq!(names(&items, "name").last().unwrap(), "c199");
    stage.sandbox.page_size(Some(1));
    assert_eq!(all(&stage, &alice, "/subscriptions?api-version=2022-12-01").1, [1, 1]);

    let canary = stage.sandbox.canary().unwrap();
    stage.sandbox.next_links_lead_to(Some(&canary.https));
    let body = ask(&stage.sandbox, "GET", &alice, &path);
    let body: Value = serde_json::from_slice(&body.body).unwrap();
    assert!(body["nextLink"].as_str().unwrap().starts_with(&format!("{}/sub", canary.https)));
}
