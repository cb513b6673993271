//! The kubeconfigs that AKS hands out.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::arm::{ONE, TWO, alice, ask, refusal, stage};
use super::entra::{AKS, PUBLIC, Stage};
use crate::azure::arm::Arm;
use crate::azure::arm::subscription::Subscription;
use crate::client::Reply;
use crate::http::Request;
use crate::server::Handler;
use crate::{ManagedCluster, Route};

fn post(stage: &Stage, subscription: &str, name: &str, action: &str, more: &str) -> Reply {
    let path = format!(
        "/subscriptions/{subscription}/resourceGroups/rg-a/providers/Microsoft.ContainerService/managedClusters/{name}/\
         {action}?api-version=2024-09-01{more}"
    );
    ask(&stage.sandbox, "POST", &alice(stage), &path)
}

/// The name of the only kubeconfig, and its text.
fn kubeconfig(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let entries = body["kubeconfigs"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    let text = STANDARD.decode(entries[0]["value"].as_str().unwrap()).unwrap();
    (entries[0]["name"].as_str().unwrap().to_owned(), String::from_utf8(text).unwrap())
}

const USER: &str = "listClusterUserCredential";
const ADMIN: &str = "listClusterAdminCredential";

#[test]
fn for_kubelogin_as_aks_writes_it() {
    let stage = stage();
    let cluster = stage.sandbox.aks_cluster("real", &stage.contoso).unwrap();
    stage.sandbox.managed_cluster(ONE, ManagedCluster::of(&cluster, "RG-a", "westeurope"));
    let (name, text) = kubeconfig(&post(&stage, ONE, "real", USER, "&format=exec"));
    assert_eq!(name, "clusterUser");
    let ca = STANDARD.encode(stage.sandbox.ca_pem());
    let expected = format!(
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {ca}
    server: {}
  name: real
contexts:
- context:
    cluster: real
    user: clusterUser_RG-a_real
  name: real
current-context: real
kind: Config
preferences: {{}}
users:
- name: clusterUser_RG-a_real
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - get-token
      - --environment
      - AzurePublicCloud
      - --server-id
      - {AKS}
      - --client-id
      - {PUBLIC}
      - --tenant-id
      - {}
      - --login
      - devicecode
      command: kubelogin
      env: null
      installHint: |2

        kubelogin is not installed which is required to connect to AAD enabled cluster.

        To learn more, please go to https://aka.ms/aks/kubelogin
      provideClusterInfo: false
",
        cluster.server, stage.contoso
    );
    assert_eq!(text, expected);
    assert_eq!(kubeconfig(&post(&stage, ONE, "real", USER, "")).1, text);
    assert_eq!(stage.sandbox.count(Route::ArmCredential), 2);
}

#[test]
fn for_administrators_and_for_clients_of_old() {
    let stage = stage();
    for cluster in [
        ManagedCluster::new("old", "rg-a", "eastus").version("1.23.8"),
        ManagedCluster::new("locked", "rg-a", "eastus").without_local_accounts(),
        ManagedCluster::new("plain", "rg-a", "eastus").without_entra(),
        ManagedCluster::new("hidden", "rg-a", "eastus").private(false),
        ManagedCluster::new("private", "rg-a", "eastus").private(true),
    ] {
        stage.sandbox.managed_cluster(ONE, cluster);
    }
    let get =
        |name: &str, action: &str, more: &str| kubeconfig(&post(&stage, ONE, name, action, more)).1;
    let (name, admin) = kubeconfig(&post(&stage, ONE, "prod", ADMIN, ""));
    assert_eq!(name, "clusterAdmin");
    for line in [
        "- name: clusterAdmin_RG-a_prod\n  user:\n    client-certificate-data: ",
        "\n    client-key-data: ",
        "\n    server: https://prod-dns.hcp.westeurope.azmk8s.io:443\n",
        "\n    cluster: prod\n    user: clusterAdmin_RG-a_prod\n  name: prod\n",
        "\ncurrent-context: prod\n",
    ] {
        assert!(admin.contains(line), "no {line:?} in {admin}");
    }
    assert!(!admin.contains("exec:"));
    assert!(
        get("old", USER, "").contains("    auth-provider:\n      config:\n        apiserver-id: ")
    );
    assert!(get("old", USER, "&format=exec").contains("command: kubelogin"));
    assert!(get("locked", USER, "").contains("command: kubelogin"));
    assert!(
        get("plain", USER, "").contains("- name: clusterUser_rg-a_plain\n  user:\n    client-cert")
    );
    assert!(get("private", USER, "").contains("server: https://private-dns.privatelink.eastus."));
    let public = get("private", USER, "&server-fqdn=public");
    assert!(public.contains("server: https://private-dns.hcp.eastus.azmk8s.io:443\n"), "{public}");

    let bad = (400, "BadRequest".to_owned());
    let locked = post(&stage, ONE, "locked", ADMIN, "");
    assert_eq!(refusal(&locked), bad);
    assert!(
        locked.text().contains("Getting static credential is not allowed because this cluster")
    );
    assert_eq!(refusal(&post(&stage, ONE, "hidden", USER, "&server-fqdn=public")), bad);
    for more in ["&format=yaml", "&server-fqdn=private", "&formt=exec"] {
        let (_, code) = refusal(&post(&stage, ONE, "prod", USER, more));
        assert_eq!(code, "InvalidQueryParameter", "{more}");
    }
    assert_eq!(refusal(&post(&stage, ONE, "prod", ADMIN, "&format=exec")).0, 400);
}

#[test]
fn for_nobody() {
    let stage = stage();
    stage.sandbox.managed_cluster(TWO, ManagedCluster::new("prod", "rg-a", "eastus"));
    assert_eq!(post(&stage, TWO, "prod", USER, "").status, 200);
    let disabled = Subscription::new(TWO, "two", &stage.contoso).state("Disabled");
    stage.sandbox.subscription(disabled);
    let refused = refusal(&post(&stage, TWO, "prod", USER, ""));
    assert_eq!(refused, (409, "ReadOnlyDisabledSubscription".into()));
    assert_eq!(refusal(&post(&stage, ONE, "none", USER, "")), (404, "ResourceNotFound".into()));
    stage.sandbox.deny(Route::ArmCredential, "managedClusters/prod");
    assert_eq!(refusal(&post(&stage, ONE, "prod", USER, "")), (403, "AuthorizationFailed".into()));
    let path = format!(
        "/subscriptions/{ONE}/resourceGroups/rg-a/providers/Microsoft.ContainerService/managedClusters/prod/{USER}?\
         api-version=2024-09-01"
    );
    assert_eq!(ask(&stage.sandbox, "GET", &alice(&stage), &path).status, 404);
    // whoever sends nothing says so
    let request = Request { method: "POST".into(), target: path, ..Request::default() };
    assert_eq!(Arm(Arc::clone(&stage.sandbox.world)).answer(&request).status, 411);
}
