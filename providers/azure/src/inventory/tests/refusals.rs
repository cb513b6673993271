//! What Azure Resource Manager says no to, and what is shown of it.

use super::*;

#[test]
fn each_no_has_its_kind_and_a_line() {
    let az_list = "az account list --refresh --output table";
    let scope = format!(
        "/subscriptions/{PROD}/resourcegroups/rg/providers/microsoft.containerservice/\
         managedclusters/aks"
    );
    for (status, code, kind, message, next) in [
        (
            401,
            "InvalidAuthenticationTokenTenant",
            Kind::Refused,
            "of another tenant than cluster `aks`",
            "az account list --query '[].[name,tenantId]' --output table",
        ),
        (401, "ExpiredAuthenticationToken", Kind::Refused, "does not take the token", az_list),
        (
            403,
            "AuthorizationFailed",
            Kind::Refused,
            "may not see cluster `aks` of resource group `rg`",
            &*format!("az role assignment list --scope {scope} --include-inherited --output table"),
        ),
        (404, "SubscriptionNotFound", Kind::Config, "there is no subscription `aaaaaaaa-", az_list),
        (
            404,
            "ResourceGroupNotFound",
            Kind::Config,
            "there is no resource group `rg`",
            &*format!("az group list --subscription {PROD} --output table"),
        ),
        (
            404,
            "ResourceNotFound",
            Kind::Config,
            "there is no cluster `aks`",
            &*format!("az aks list --subscription {PROD} --output table"),
        ),
        (
            429,
            "TooManyRequests",
            Kind::Unavailable,
            "is asked too often",
            r"curl -sS -o /dev/null -w '%{http_code}\n' https://management.azure.com/",
        ),
        (
            503,
            "ServerTimeout",
            Kind::Unavailable,
            "is not well",
            r"curl -sS -o /dev/null -w '%{http_code}\n' https://management.azure.com/",
        ),
        (
            409,
            "OperationNotAllowed",
            Kind::Failed,
            "did not say what is asked",
            &*format!("az aks list --subscription {PROD} --output table"),
        ),
    ] {
        let world = with_az();
        refuses(&world, status, code);
        let (found, error) = fails(CLUSTER, &world);
        assert_eq!((found, error.next_line()), (kind, Some(next)), "{status} {code}: {error}");
        assert!(error.message().contains(message), "{status} {code}: {error}");
        assert!(error.cause().unwrap().contains(code), "{status} {code}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_person_whose_token_is_not_taken_signs_in_anew() {
    let world = World::default();
    refuses(&world, 401, "ExpiredAuthenticationToken");
    let (kind, error) = fails(CLUSTER, &world);
    assert_eq!(kind, Kind::SignInNeeded);
    let line = error.next_line().unwrap();
    let start = "fleetkey login azure --server-id https://management.azure.com --tenant-id \
                 organizations --client-id 04b07795-8ddb-461a-bbee-02f9e1bf7b46";
    assert!(line.starts_with(start), "{line}");
}

#[test]
fn the_role_that_is_missing_is_named() {
    for (line, role) in [("", "Cluster User Role"), ("--admin", "Cluster Admin Role")] {
        let world = with_az();
        refuses(&world, 403, "AuthorizationFailed");
        let (_, error) = fails(&format!("{CLUSTER} {line}"), &world);
        assert!(error.cause().unwrap().contains(role), "{error}");
    }
}

#[test]
fn the_tenant_that_is_meant_is_named() {
    let body = json!({ "error": { "code": "InvalidAuthenticationTokenTenant" } }).to_string();
    let header = |tenant: &str| {
        format!("Bearer authorization_uri=\"https://login.windows.net/{tenant}\", error=\"x\"")
    };
    let said = |tenant: &str| {
        let world = with_az();
        world.http.answer(401, &[("www-authenticate", &header(tenant))], &body);
        let (_, error) = fails(&format!("{CLUSTER} --public-fqdn"), &world);
        error.next_line().unwrap().to_owned()
    };
    let line = format!(
        "fleetkey kubeconfig add azure {CLUSTER} --subscription {PROD} --public-fqdn --tenant-id \
         {OTHER_TENANT}"
    );
    assert_eq!(said(OTHER_TENANT), line);
    assert!(said("x; rm -rf").starts_with("az account list "));
}

#[test]
fn how_long_to_wait_is_passed_on() {
    let world = with_az();
    world.http.answer(429, &[("retry-after", "17")], "<html>");
    let (_, error) = fails(CLUSTER, &world);
    assert!(error.cause().unwrap().contains("17 s"), "{error}");
}

#[test]
fn nothing_of_a_body_but_a_code_is_shown() {
    let deep = "[".repeat(10_000);
    for body in [
        "",
        "<html>hunter2</html>",
        r#"{"error":"hunter2"}"#,
        r#"{"error":{"code":"hunter2 \u001b[2J"}}"#,
        r#"{"error":{"code":7,"message":"hunter2"}}"#,
        r#"{"error":{"message":"hunter2"}}"#,
        &deep,
    ] {
        for status in [201, 302, 400, 401, 403, 404, 418, 429, 500] {
            let world = with_az();
            world.http.answer(status, &[("location", "https://hunter2.example")], body);
            let (_, error) = fails(CLUSTER, &world);
            let said = format!("{error} {:?}", error.next_line());
            assert!(!said.contains("hunter2") && !said.contains('\u{1b}'), "{said}");
            assert!(said.contains(&format!("status {status}")), "{said}");
        }
    }
    for body in ["", "{", "{}", "[]", "null", "<html>hunter2", r#"{"value":{}}"#, &deep] {
        let world = World::default();
        world.http.answer(200, &[], body);
        let (kind, error) = fails(CLUSTER, &world);
        assert_eq!(kind, Kind::Unavailable, "{body:.40}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_token_that_was_not_brought_is_an_error() {
    let world = with_az();
    let errand = add(CLUSTER, &world).unwrap();
    let error = now(errand.run(None, &world.host())).err().unwrap();
    assert_eq!((error.kind(), asked(&world).len()), (Kind::Failed, 0));
}
