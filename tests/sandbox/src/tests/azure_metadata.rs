use std::path::Path;

use serde_json::Value;

use super::azure::{AKS, body, claims, value};
use crate::client::Reply;
use crate::{ArcKey, Fault, ManagedIdentity, Person, Route, Sandbox};

const CLIENT: &str = "33333333-3333-3333-3333-333333333333";
const OBJECT: &str = "44444444-4444-4444-4444-444444444444";
const RESOURCE: &str = "/subscriptions/1/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/a";

/// A machine with these identities, and its tenant.
fn machine(system: bool, assigned: &[(&str, &str, &str)]) -> (Sandbox, String) {
    let sandbox = Sandbox::start().unwrap();
    let tenant = sandbox.entra().tenant("contoso.com");
    if system {
        sandbox.managed_identity(ManagedIdentity::system(&tenant));
    }
    for (client_id, object_id, resource_id) in assigned {
        sandbox.managed_identity(ManagedIdentity::user(&tenant, client_id, object_id, resource_id));
    }
    (sandbox, tenant)
}

fn imds(sandbox: &Sandbox, query: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let env = sandbox.imds_environment().unwrap();
    let host = value(&env, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let url = format!("{host}/metadata/identity/oauth2/token?{query}");
    body(&sandbox.client().unwrap().get(&url, headers).unwrap())
}

fn ask_imds(sandbox: &Sandbox, more: &str) -> (u16, Value) {
    let query = format!("api-version=2018-02-01&resource={AKS}{more}");
    imds(sandbox, &query, &[("Metadata", "true")])
}

#[test]
fn a_virtual_machine_has_a_token_of_its_own() {
    let (sandbox, tenant) = machine(true, &[(CLIENT, OBJECT, RESOURCE)]);
    let (status, answer) = ask_imds(&sandbox, "");
    assert_eq!(status, 200, "{answer}");
    for number in ["expires_in", "expires_on", "ext_expires_in", "not_before"] {
        let text = answer[number].as_str().unwrap_or_else(|| panic!("{number} is not a string"));
        assert!(text.parse::<i64>().unwrap() > 0);
    }
    let own = claims(answer["access_token"].as_str().unwrap());
    assert_eq!((&own["aud"], &own["tid"]), (&AKS.into(), &tenant.as_str().into()));
    assert_eq!(own["exp"].to_string(), answer["expires_on"].as_str().unwrap());
    assert_eq!((&answer["resource"], &answer["token_type"]), (&AKS.into(), &"Bearer".into()));
    assert_ne!(answer["client_id"], CLIENT);
    for by in [
        format!("&client_id={CLIENT}"),
        format!("&object_id={OBJECT}"),
        format!("&msi_res_id={RESOURCE}"),
    ] {
        let (status, answer) = ask_imds(&sandbox, &by);
        assert_eq!((status, &answer["client_id"]), (200, &CLIENT.into()), "{by}");
        assert_eq!(claims(answer["access_token"].as_str().unwrap())["oid"], OBJECT);
    }
    assert_eq!(sandbox.count(Route::Imds), 4);
    assert_eq!(sandbox.requests()[1].caller.as_deref(), Some(CLIENT));
}

#[test]
fn a_virtual_machine_without_the_identity_says_so() {
    let description = |answer: (u16, Value)| {
        assert_eq!((answer.0, &answer.1["error"]), (400, &"invalid_request".into()));
        answer.1["error_description"].as_str().unwrap().to_owned()
    };
    let (none, _) = machine(false, &[]);
    assert_eq!(description(ask_imds(&none, "")), "Identity not found");
    let (one, _) = machine(false, &[(CLIENT, OBJECT, RESOURCE)]);
    assert_eq!(ask_imds(&one, "").0, 200);
    assert_eq!(description(ask_imds(&one, &format!("&client_id={OBJECT}"))), "Identity not found");
    let (two, _) = machine(false, &[(CLIENT, OBJECT, RESOURCE), (OBJECT, CLIENT, "/b")]);
    let several = description(ask_imds(&two, ""));
    assert!(several.starts_with("Multiple user assigned identities exist"), "{several}");
    assert_eq!(ask_imds(&two, "&msi_res_id=/b").1["client_id"], OBJECT);
}

#[test]
fn a_metadata_service_is_asked_properly_or_not_at_all() {
    let (sandbox, _) = machine(true, &[]);
    let good = format!("api-version=2018-02-01&resource={AKS}");
    assert_eq!(imds(&sandbox, &good, &[("Metadata", "True")]).0, 200);
    let asked = |query: &str, headers| imds(&sandbox, query, headers).0;
    assert_eq!(asked(&good, &[]), 400);
    assert_eq!(asked(&good, &[("Metadata", "false")]), 400);
    assert_eq!(asked(&good, &[("Metadata", "true"), ("X-Forwarded-For", "1.2.3.4")]), 400);
    for query in [
        "",
        "api-version=2018-02-01",
        &format!("resource={AKS}"),
        &format!("api-version=2019-08-01&resource={AKS}"),
        &format!("{good}/.default"),
        &format!("{good}&mi_res_id=/a"),
        &format!("{good}&client_id="),
        &format!("{good}&client_id={CLIENT}&object_id={OBJECT}"),
        &format!("{good}&resource={AKS}"),
        "api-version=2018-02-01&resource=https://nobody.example.com",
    ] {
        assert_eq!(asked(query, &[("Metadata", "true")]), 400, "{query}");
    }
    sandbox.script(Route::Imds, [404, 410, 429, 503].map(|code| Fault::status(code, "")));
    let env = sandbox.imds_environment().unwrap();
    let url = format!(
        "{}/metadata/identity/oauth2/token?{good}",
        value(&env, "AZURE_POD_IDENTITY_AUTHORITY_HOST")
    );
    let client = sandbox.client().unwrap();
    let statuses: Vec<u16> =
        (0..5).map(|_| client.get(&url, &[("Metadata", "true")]).unwrap().status).collect();
    assert_eq!(statuses, [404, 410, 429, 503, 200]);
}

#[test]
fn a_virtual_machine_can_be_looked_at() {
    let (sandbox, tenant) = machine(true, &[]);
    let env = sandbox.imds_environment().unwrap();
    let host = value(&env, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let client = sandbox.client().unwrap();
    let get = |path: &str, headers: &[(&str, &str)]| {
        body(&client.get(&format!("{host}/metadata/{path}"), headers).unwrap())
    };
    let meant = [("Metadata", "true")];
    let (status, machine) = get("instance?api-version=2021-02-01", &meant);
    assert_eq!((status, machine["compute"]["tenantId"].as_str()), (200, Some(&*tenant)));
    assert_eq!(get("instance?api-version=2021-02-01", &[]).0, 400);
    assert_eq!(get("instance", &meant).0, 400);
    assert_eq!(get("else?api-version=2021-02-01", &meant).0, 404);
    assert_eq!((sandbox.count(Route::ImdsInstance), sandbox.count(Route::Imds)), (4, 0));
}

#[test]
fn an_app_has_a_secret_and_a_token() {
    let (sandbox, _) = machine(true, &[(CLIENT, OBJECT, RESOURCE)]);
    let env = sandbox.app_service_environment().unwrap();
    let secret = value(&env, "IDENTITY_HEADER");
    let get = |query: &str, secret: &str| {
        let url = format!("{}?{query}", value(&env, "IDENTITY_ENDPOINT"));
        body(&sandbox.client().unwrap().get(&url, &[("X-IDENTITY-HEADER", secret)]).unwrap())
    };
    let good = format!("api-version=2019-08-01&resource={AKS}");
    let (status, answer) = get(&good, secret);
    assert_eq!((status, answer.get("expires_in")), (200, None), "{answer}");
    let end = claims(answer["access_token"].as_str().unwrap())["exp"].to_string();
    assert_eq!(answer["expires_on"], end);
    for by in [
        format!("&client_id={CLIENT}"),
        format!("&principal_id={OBJECT}"),
        format!("&mi_res_id={RESOURCE}"),
    ] {
        assert_eq!(get(&format!("{good}{by}"), secret).1["client_id"], CLIENT, "{by}");
    }
    assert_eq!(get(&good, "guess").0, 401);
    for (query, status) in [
        (format!("{good}&client_id={OBJECT}"), 400),
        (format!("{good}&msi_res_id={RESOURCE}"), 400),
        (format!("api-version=2018-02-01&resource={AKS}"), 400),
        ("api-version=2019-08-01&resource=https://nobody.example.com".to_owned(), 500),
    ] {
        assert_eq!(get(&query, secret).0, status, "{query}");
    }
    let (assigned, _) = machine(false, &[(CLIENT, OBJECT, RESOURCE)]);
    let env = assigned.app_service_environment().unwrap();
    let url = format!("{}?{good}", value(&env, "IDENTITY_ENDPOINT"));
    let headers = [("X-IDENTITY-HEADER", value(&env, "IDENTITY_HEADER"))];
    assert_eq!(assigned.client().unwrap().get(&url, &headers).unwrap().status, 400);
    assert!(!format!("{:?}", sandbox.requests()).contains(secret));
}

fn ask_arc(sandbox: &Sandbox, env: &[(String, String)], more: &str, key: Option<&str>) -> Reply {
    let url =
        format!("{}?api-version=2020-06-01&resource={AKS}{more}", value(env, "IDENTITY_ENDPOINT"));
    let basic = key.map(|key| format!("Basic {key}"));
    let mut headers = vec![("Metadata", "true")];
    headers.extend(basic.as_deref().map(|basic| ("Authorization", basic)));
    sandbox.client().unwrap().get(&url, &headers).unwrap()
}

/// The path of the challenge.
fn realm(reply: &Reply) -> String {
    assert_eq!(reply.status, 401);
    reply.header("www-authenticate").unwrap().strip_prefix("Basic realm=").unwrap().to_owned()
}

#[test]
fn an_arc_machine_wants_to_see_its_key() {
    let (sandbox, _) = machine(true, &[(CLIENT, OBJECT, RESOURCE)]);
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    let env = sandbox.arc_environment(&tokens, ArcKey::Right).unwrap();
    assert!(value(&env, "IDENTITY_ENDPOINT").starts_with(value(&env, "IMDS_ENDPOINT")));
    let path = realm(&ask_arc(&sandbox, &env, "", None));
    assert_eq!(Path::new(&path).parent(), Some(tokens.as_path()));
    assert_eq!(Path::new(&path).extension(), Some("key".as_ref()));
    let key = std::fs::read_to_string(&path).unwrap();
    assert_eq!(ask_arc(&sandbox, &env, "", Some("guess")).status, 401);
    let (status, answer) = body(&ask_arc(&sandbox, &env, "", Some(&key)));
    assert_eq!((status, answer.get("client_id")), (200, None), "{answer}");
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["aud"], AKS);
    assert_eq!(ask_arc(&sandbox, &env, "", Some(&key)).status, 401, "a key is good once");

    for (id, echo) in [(CLIENT, Some(CLIENT)), (OBJECT, None)] {
        let key = std::fs::read_to_string(realm(&ask_arc(&sandbox, &env, "", None))).unwrap();
        let reply = ask_arc(&sandbox, &env, &format!("&client_id={id}"), Some(&key));
        let (status, answer) = body(&reply);
        assert_eq!((status, answer["client_id"].as_str()), (200, echo));
    }
    assert_eq!(sandbox.count(Route::Arc), 8);
    assert!(!format!("{:?}", sandbox.requests()).contains(&key));
}

#[test]
fn a_hostile_agent_names_other_files() {
    let (sandbox, _) = machine(true, &[]);
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    let named = |key: ArcKey| {
        let env = sandbox.arc_environment(&tokens, key).unwrap();
        std::path::PathBuf::from(realm(&ask_arc(&sandbox, &env, "", None)))
    };
    let outside = named(ArcKey::Outside);
    assert!(outside.is_file() && !outside.starts_with(&tokens));
    let parent = named(ArcKey::Parent);
    assert!(
        parent.is_file() && parent.starts_with(&tokens) && parent.to_str().unwrap().contains("..")
    );
    let deeper = named(ArcKey::Deeper);
    assert!(deeper.is_file() && deeper.starts_with(&tokens) && deeper.parent() != Some(&tokens));
    let extension = named(ArcKey::Extension);
    assert!(extension.is_file() && extension.extension() != Some("key".as_ref()));
    let long = named(ArcKey::TooLong);
    assert_eq!((long.parent(), std::fs::metadata(&long).unwrap().len()), (Some(&*tokens), 4097));
    assert!(!named(ArcKey::Missing).exists());
    #[cfg(unix)]
    assert!(std::fs::symlink_metadata(named(ArcKey::Link)).unwrap().is_symlink());
    let env = sandbox.arc_environment(&tokens, ArcKey::Challenge("Negotiate".into())).unwrap();
    let reply = ask_arc(&sandbox, &env, "", None);
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
}

#[test]
fn a_cloud_shell_is_the_person_before_it() {
    let (sandbox, tenant) = machine(false, &[]);
    sandbox.entra().person(Person::new("alice@contoso.com", &[&tenant]));
    let env = sandbox.cloud_shell_environment(&tenant, "alice@contoso.com").unwrap();
    let post = |query: &str, form: &str, header: &str| {
        let url = format!("{}{query}", value(&env, "MSI_ENDPOINT"));
        let headers = [("Metadata", header), ("content-type", "application/x-www-form-urlencoded")];
        body(&sandbox.client().unwrap().send("POST", &url, &headers, form.as_bytes()).unwrap())
    };
    let good = format!("resource={AKS}");
    let (status, answer) = post("", &good, "true");
    assert_eq!(status, 200, "{answer}");
    assert!(answer["expires_on"].as_str().unwrap().parse::<i64>().is_ok());
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["tid"], *tenant);
    for (query, form, header) in [
        ("", good.clone(), "false"),
        ("", String::new(), "true"),
        ("", format!("{good}&client_id={CLIENT}"), "true"),
        ("", "resource=https://nobody.example.com".to_owned(), "true"),
        (&*format!("?{good}"), String::new(), "true"),
    ] {
        assert_eq!(post(query, &form, header).0, 400, "{query} {form}");
    }
    assert_eq!(sandbox.count(Route::CloudShell), 6);
}
