//! Who asks, and as whom the clusters are reached then.

use fleetkey_provider::{Foreign, Request};

use super::*;
use crate::{
    server_id::{AKS, AKS_CLIENT},
    testing::access_token,
};

/// The token, as the broker goes about it.
fn token(request: &dyn Request, world: &World) -> Result<Credential> {
    let host = world.host();
    match request.at_hand(&host)? {
        Some(credential) => Ok(credential),
        None => now(request.obtain(None, &host)),
    }
}

fn arm_token(tenant: &str) -> String {
    access_token(&json!({ "aud": "https://management.azure.com", "tid": tenant }))
}

fn described(line: &str, world: &World) -> String {
    add(&format!("{CLUSTER} {line}"), world).unwrap().request().unwrap().describe()
}

fn overrides(line: &str, world: &World) -> Vec<(String, String)> {
    answers(world, &kubeconfigs("clusterUser", ENCODED));
    let errand = add(&format!("{CLUSTER} -s {PROD} {line}"), world).unwrap();
    kubeconfig(&*errand, world).unwrap().1.0
}

#[test]
fn azs_session_is_redeemed_for_azure_itself_in_the_tenant_that_is_meant() {
    for (line, tenant) in [("", TENANT), ("-s Dev", OTHER_TENANT)] {
        let world = with_az();
        let errand = add(&format!("{CLUSTER} {line}"), &world).unwrap();
        world.entra_grants(&arm_token(tenant), None);
        let credential = token(errand.request().unwrap(), &world).unwrap();
        assert_eq!(credential.expose(), arm_token(tenant));
        let form = &world.forms()[0];
        let scope = "scope=https://management.azure.com/.default offline_access openid profile";
        assert!(form.contains(scope) && form.contains("refresh_token=az-rt"), "{form}");
        assert!(asked(&world)[0].contains(&format!("/{tenant}/oauth2/")), "{:?}", asked(&world));
    }
}

#[test]
fn a_token_of_another_server_is_not_taken() {
    let world = with_az();
    let errand = add(CLUSTER, &world).unwrap();
    world.entra_grants(&access_token(&json!({})), None);
    let error = token(errand.request().unwrap(), &world).unwrap_err();
    assert!(error.message().contains("of another server"), "{error}");
}

#[test]
fn without_a_session_of_az_a_person_is_asked() {
    let az = "`me@contoso.com` of tenant";
    for (line, world, who) in [
        ("", with_az(), az),
        (&*format!("--tenant-id {OTHER_TENANT}"), with_az(), az),
        ("--tenant-id contoso.org", with_az(), "a person of tenant contoso.org"),
        ("", World::default(), "a person of tenant organizations"),
        // az is in another cloud than the one that is named, or at another authority
        ("-e AzureChinaCloud", with_az(), "a person of tenant organizations"),
        ("--authority-host http://127.0.0.1:1", with_az(), "a person of tenant organizations"),
        ("--login interactive", with_az(), "a person of tenant 1111"),
        ("--login devicecode -t organizations", with_az(), "a person of tenant organizations"),
        ("--login azurecli -s Dev", with_az(), "`me@contoso.com` of tenant 9999"),
    ] {
        let described = described(line, &world);
        assert!(described.starts_with(who), "{line}: {described}");
    }
    // broken files of az are a note, and its own way says more
    let broken =
        World::default().env(&[("AZURE_CONFIG_DIR", "/az")]).file("/az/azureProfile.json", "{");
    assert!(described("", &broken).starts_with("a person"));
    assert!(add(&format!("{CLUSTER} --login azurecli"), &broken).is_err());
}

#[test]
fn a_person_signs_in_by_the_application_of_az_and_the_sessions_are_apart() {
    let world = World::default();
    let errand = add(CLUSTER, &world).unwrap();
    let request = errand.request().unwrap();
    assert!(format!("{request:?}").contains(crate::az::CLIENT));
    let command = crate::arguments::augment(Command::new("azure").no_binary_name(true));
    let line = ["--server-id", AKS];
    let mut matches = command.try_get_matches_from(line).unwrap();
    let exec = fleetkey_provider::ExecInfo::default();
    let aks = crate::request::request(&mut matches, &exec, &world.host()).unwrap();
    assert_ne!(request.session(), aks.session());
    assert_ne!(request.fingerprint(), aks.fingerprint());
}

#[test]
fn each_cloud_is_asked_at_its_own_host() {
    for (line, config, url) in [
        ("-e AzureUSGovernment", "", "https://management.usgovcloudapi.net/"),
        ("-e AzureChinaCloud", "", "https://management.chinacloudapi.cn/"),
        ("", "[cloud]\nname = AzureChinaCloud\n", "https://management.chinacloudapi.cn/"),
    ] {
        let mut world = with_az().file("/az/config", config);
        if !config.is_empty() {
            for (path, contents) in &mut world.files {
                if path.ends_with("azureProfile.json") {
                    let text = String::from_utf8_lossy(contents);
                    *contents = text.replace("AzureCloud", "AzureChinaCloud").into_bytes();
                }
                if path.ends_with("msal_token_cache.json") {
                    let text = String::from_utf8_lossy(contents);
                    let there = "login.chinacloudapi.cn";
                    *contents = text.replace("login.microsoftonline.com", there).into_bytes();
                }
            }
        }
        answers(&world, &kubeconfigs("clusterUser", ENCODED));
        run(&*add(&format!("{CLUSTER} -s {PROD} {line}"), &world).unwrap(), &world).unwrap();
        assert!(asked(&world)[0].starts_with(&format!("POST {url}")), "{:?}", asked(&world));
    }
    let mut world = with_az().file("/az/config", "[cloud]\nname = Mars\n");
    let text = String::from_utf8_lossy(&world.files[0].1).replace("AzureCloud", "Mars");
    world.files[0].1 = text.into_bytes();
    let error = add(CLUSTER, &world).err().unwrap();
    assert_eq!(error.next_line(), Some("az cloud set --name AzureCloud"));
}

#[test]
fn what_was_typed_goes_on_to_the_cluster_and_no_secret() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let person = overrides("", &World::default());
    assert_eq!(person, [pair("login", "")]);
    let az = overrides("", &with_az());
    assert_eq!(az, [pair("login", "azurecli"), pair("tenant-id", TENANT)]);
    let line = "-l spn --client-id app -t contoso.com --client-secret hunter2";
    let spn = [pair("login", "spn"), pair("tenant-id", "contoso.com"), pair("client-id", "app")];
    assert_eq!(overrides(line, &World::default()), spn);
    let world = World::default().file("/s", "hunter2");
    let line = "-l spn --client-id app -t contoso.com --client-secret-file /s -e AzureCloud \
                --use-azurerm-env-vars --disable-instance-discovery";
    let rest = [
        pair("environment", "AzureCloud"),
        pair("client-secret-file", "/s"),
        pair("use-azurerm-env-vars", "true"),
        pair("disable-instance-discovery", "true"),
    ];
    assert_eq!(overrides(line, &world), [&spn[..], &rest].concat());
    let line = "-l interactive --login-hint me@x --redirect-url http://localhost:8400";
    let expected = [
        pair("login", "interactive"),
        pair("redirect-url", "http://localhost:8400"),
        pair("login-hint", "me@x"),
    ];
    assert_eq!(overrides(line, &World::default()), expected);
    // a way that a variable names is one too
    let world = World::default().env(&[
        ("AAD_LOGIN_METHOD", "spn"),
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_SECRET", "hunter2"),
    ]);
    assert_eq!(overrides("", &world), [pair("login", "spn")]);
}

#[test]
fn what_fails_in_one_tenant_is_said_when_it_is_looked_in() {
    let world = with_az();
    let line = format!("--login spn --tenant-id {TENANT}");
    let errands = discover(&line, &world).unwrap();
    assert!(errands[0].request().is_none());
    let found = run_all(errands, &world);
    let [(what, error)] = &found.failures[..] else { panic!("{:?}", found.failures) };
    assert_eq!(what, &format!("the subscriptions of tenant {TENANT}"));
    assert!(error.message().contains("needs the application's id"), "{error}");
}

#[test]
fn of_azs_subscriptions_only_real_ones_are_meant() {
    let entry = |id: &str, name: &str, state: &str| {
        json!({ "id": id, "name": name, "tenantId": TENANT, "isDefault": id == TENANT,
            "state": state, "environmentName": "AzureCloud",
            "user": { "name": "systemAssignedIdentity", "type": "servicePrincipal",
                      "assignedIdentityInfo": "MSI" } })
    };
    let world = |list: Value| {
        let profile = json!({ "subscriptions": list }).to_string();
        let env = [("AZURE_CONFIG_DIR", "/az"), ("MSI_ENDPOINT", "http://localhost:1/t")];
        World::default().env(&env).file("/az/azureProfile.json", profile)
    };
    // an account without any has its tenant there
    let none = world(json!([entry(TENANT, "N/A(tenant level account)", "Enabled")]));
    let list = [subscription(PROD, "Prod", "Enabled")];
    answers(&none, &json!({ "value": list }));
    answers(&none, &kubeconfigs("clusterUser", ENCODED));
    run(&*add(CLUSTER, &none).unwrap(), &none).unwrap();
    assert_eq!(asked(&none).len(), 2);
    let same = json!([entry(PROD, "x", "Enabled"), entry(DEV, "X", "Enabled")]);
    let error = add(&format!("{CLUSTER} -s x"), &world(same)).err().unwrap();
    assert!(error.cause().unwrap().contains(DEV), "{error}");
    let disabled = world(json!([entry(PROD, "x", "Disabled")]));
    assert!(discover("", &disabled).unwrap().is_empty());
}

/// What Azure writes is taken over as what was chosen here.
#[test]
fn the_users_that_azure_writes_sign_in_as_whoever_asked() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let written = format!(
        "get-token --environment AzurePublicCloud --server-id {AKS} --client-id {AKS_CLIENT} \
         --tenant-id {TENANT} --login devicecode"
    );
    let foreign =
        Foreign::Program { name: "kubelogin".into(), args: words(&written), env: Vec::new() };
    for (line, world, has, hasnt) in [
        ("", with_az(), "--login azurecli", "--client-id"),
        ("", World::default(), "--tenant-id 1111", "--login"),
        ("-l interactive --client-id own", World::default(), "--client-id own", "devicecode"),
        (
            "-l spn --client-id app --client-secret-file /s -t a.b",
            World::default().file("/s", "x"),
            "--client-secret-file /s",
            AKS_CLIENT,
        ),
        (
            "-l msi --client-id app",
            World::default().env(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")]),
            "--login msi",
            AKS_CLIENT,
        ),
    ] {
        let typed = Overrides(overrides(line, &world));
        let adoption = crate::PROVIDER.adopt(&foreign, &typed).unwrap().unwrap();
        let args = adoption.args.join(" ");
        assert!(args.contains(has) && !args.contains(hasnt), "{line}: {args}");
        assert!(args.contains(&format!("--server-id {AKS}")), "{line}: {args}");
    }
}
