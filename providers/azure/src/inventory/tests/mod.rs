//! Azure Resource Manager as a script, and an az that is signed in, or is not.

mod add;
mod discover;
mod flags;
mod refusals;
mod who;

use clap::Command;
use fleetkey_provider::{
    Credential, Errand, Error, Find, HttpRequest, Kind, Listed, Method, Overrides, Result, Wanted,
};
use serde_json::{Value, json};

use super::INVENTORY;
use crate::testing::{NOW, TENANT, World, now};

/// The subscriptions of the tests; the first is az's default in the fixtures.
const PROD: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const DEV: &str = "aaaaaaaa-0000-0000-0000-000000000009";
const OTHER_TENANT: &str = "99999999-9999-9999-9999-999999999999";
const CLUSTER: &str = "--resource-group rg --name aks";

/// Somebody is signed in to az, with one subscription in each of two tenants.
fn with_az() -> World {
    let entry = |id: &str, name: &str, tenant: &str, is_default: bool| {
        json!({ "id": id, "name": name, "tenantId": tenant, "isDefault": is_default,
            "state": "Enabled", "environmentName": "AzureCloud",
            "user": { "name": "me@contoso.com", "type": "user" } })
    };
    let profile = json!({ "subscriptions": [
        entry(PROD, "Prod", TENANT, true),
        entry(DEV, "Dev", OTHER_TENANT, false),
    ] });
    let account = json!({ "home_account_id": format!("o.{TENANT}"), "realm": "organizations",
        "environment": "login.microsoftonline.com", "local_account_id": "o",
        "username": "me@contoso.com", "authority_type": "MSSTS" });
    let token = json!({ "credential_type": "RefreshToken", "secret": "az-rt",
        "home_account_id": format!("o.{TENANT}"), "environment": "login.microsoftonline.com",
        "client_id": crate::az::CLIENT, "target": "x", "last_modification_time": "1" });
    let cache = json!({ "Account": { "a": account }, "RefreshToken": { "r": token } });
    World::default()
        .env(&[("AZURE_CONFIG_DIR", "/az")])
        .file("/az/azureProfile.json", profile.to_string())
        .file("/az/msal_token_cache.json", cache.to_string())
}

fn add(line: &str, world: &World) -> Result<Box<dyn Errand>> {
    let command = INVENTORY.add_arguments(Command::new("azure").no_binary_name(true));
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    INVENTORY.add(&mut matches, &world.host())
}

fn discover_in(regions: &[&str], line: &str, world: &World) -> Result<Vec<Box<dyn Errand>>> {
    let command = Command::new("discover").no_binary_name(true).args_override_self(true);
    let command = INVENTORY.discover_arguments(command);
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    let wanted = Wanted { regions: regions.iter().map(|name| (*name).into()).collect() };
    INVENTORY.discover(&mut matches, &wanted, &world.host())
}

fn discover(line: &str, world: &World) -> Result<Vec<Box<dyn Errand>>> {
    discover_in(&[], line, world)
}

/// A token, as the host brings it.
fn credential() -> Credential {
    Credential::until("arm-token".into(), NOW.parse().unwrap(), NOW.parse().unwrap())
}

fn run(errand: &dyn Errand, world: &World) -> Result<Vec<Find>> {
    let credential = errand.request().is_some().then(credential);
    now(errand.run(credential.as_ref(), &world.host()))
}

/// What came of errands and of all that came of them.
#[derive(Default)]
struct Found {
    clusters: Vec<Listed>,
    failures: Vec<(String, Error)>,
}

fn run_all(errands: Vec<Box<dyn Errand>>, world: &World) -> Found {
    let (mut found, mut queue) = (Found::default(), errands);
    while !queue.is_empty() {
        let errand = queue.remove(0);
        match run(&*errand, world) {
            Err(error) => found.failures.push((errand.describe(), error)),
            Ok(finds) => {
                for find in finds {
                    match find {
                        Find::Errand(errand) => queue.push(errand),
                        Find::Cluster(listed) => found.clusters.push(listed),
                        Find::Failure(what, error) => found.failures.push((what, error)),
                        Find::Entry(_) | Find::Kubeconfig { .. } => panic!("not in a search"),
                    }
                }
            }
        }
    }
    found
}

fn kubeconfig(errand: &dyn Errand, world: &World) -> Result<(String, Overrides)> {
    use fleetkey_provider::ExposeSecret;
    match run(errand, world)?.pop() {
        Some(Find::Kubeconfig { text, overrides, .. }) => {
            Ok((text.expose_secret().to_owned(), overrides))
        }
        _ => panic!("no kubeconfig"),
    }
}

fn answers(world: &World, body: &Value) {
    world.http.answer(200, &[], &body.to_string());
}

fn refuses(world: &World, status: u16, code: &str) {
    let body = json!({ "error": { "code": code, "message": "hunter2", "more": [1] } });
    world.http.answer(status, &[], &body.to_string());
}

fn subscription(id: &str, name: &str, state: &str) -> Value {
    json!({ "id": format!("/subscriptions/{id}"), "subscriptionId": id, "displayName": name,
        "state": state, "tenantId": TENANT, "authorizationSource": "RoleBased" })
}

fn cluster(subscription: &str, name: &str, location: &str) -> Value {
    json!({ "id": format!("/subscriptions/{subscription}/resourcegroups/Team/providers/\
        Microsoft.ContainerService/managedClusters/{name}"), "name": name, "location": location,
        "properties": { "fqdn": "x", "kubernetesVersion": "1.33" } })
}

/// What Azure answers for a cluster's credential.
fn kubeconfigs(name: &str, value: &str) -> Value {
    json!({ "kubeconfigs": [{ "name": name, "value": value }] })
}

/// `apiVersion: v1`, encoded.
const ENCODED: &str = "YXBpVmVyc2lvbjogdjEK";

/// What was asked, as method and URL.
fn asked(world: &World) -> Vec<String> {
    let line = |request: &HttpRequest| {
        let method = if request.method == Method::Get { "GET" } else { "POST" };
        format!("{method} {}", request.endpoint.as_str())
    };
    world.http.requests().iter().map(line).collect()
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

fn error_of(errand: &dyn Errand, world: &World) -> Error {
    run(errand, world).err().unwrap()
}

fn fails(line: &str, world: &World) -> (Kind, Error) {
    let error = error_of(&*add(line, world).unwrap(), world);
    (error.kind(), error)
}
