use std::collections::BTreeSet;

use serde_json::Value;

use super::azure::{AKS, claims};
use crate::{AksToken, AzAccount, AzLogin, AzSecret, Home, Person, Sandbox};

const APP: &str = "33333333-3333-3333-3333-333333333333";

struct Stage {
    sandbox: Sandbox,
    home: Home,
    tenant: String,
}

fn stage() -> Stage {
    let sandbox = Sandbox::start().unwrap();
    let tenant = sandbox.entra().tenant("contoso.com");
    for name in ["Alice@contoso.com", "bob@contoso.com"] {
        sandbox.entra().person(Person::new(name, &[&tenant]));
    }
    Stage { sandbox, home: Home::temporary().unwrap(), tenant }
}

impl Stage {
    fn person(&self, name: &str) -> AzLogin {
        AzLogin::person(&self.tenant, name)
    }

    fn login(&self, login: &AzLogin) -> AzAccount {
        self.home.az_login(&self.sandbox, login).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        let bytes = std::fs::read(self.home.join(".azure").join(name)).unwrap();
        serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).unwrap()
    }

    fn cache(&self, kind: &str) -> Vec<(String, Value)> {
        let cache = self.json("msal_token_cache.json");
        cache[kind].as_object().unwrap().clone().into_iter().collect()
    }
}

/// A key without what differs from login to login.
fn pattern(key: &str, entry: &Value, tenant: &str) -> String {
    let home = entry["home_account_id"].as_str().unwrap_or("-");
    key.replace(home, "HOME").replace(tenant, "TENANT")
}

/// All keys and the fields of their entries.
fn shape(cache: &Value, tenant: &str) -> BTreeSet<(String, String, Vec<String>)> {
    let mut shape = BTreeSet::new();
    for (kind, entries) in cache.as_object().unwrap() {
        for (key, entry) in entries.as_object().unwrap() {
            let mut fields: Vec<String> = entry
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| {
                    assert!(value.is_string(), "{key}: {name} is {value}");
                    name.clone()
                })
                .collect();
            fields.sort();
            shape.insert((kind.clone(), pattern(key, entry, tenant), fields));
        }
    }
    shape
}

#[test]
fn the_token_cache_is_shaped_as_msal_shapes_it() {
    let recorded = [
        (true, include_str!("../../tests-data/az_msal_token_cache_foci.json")),
        (false, include_str!("../../tests-data/az_msal_token_cache_nofoci.json")),
    ];
    for (family, recorded) in recorded {
        let stage = stage();
        let login = stage.person("Alice@contoso.com");
        stage.login(&if family { login.in_family() } else { login });
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        assert_eq!(
            shape(&stage.json("msal_token_cache.json"), &stage.tenant),
            shape(&recorded, "11111111-1111-1111-1111-111111111111")
        );
        let token = &stage.cache("RefreshToken")[0].1;
        assert_eq!(token.get("family_id").is_some(), family);
    }
}

#[test]
fn a_person_is_signed_in() {
    let stage = stage();
    let account = stage.login(&stage.person("Alice@contoso.com"));
    let home_id = account.home_account_id.unwrap();
    assert_eq!(stage.cache("Account")[0].1["home_account_id"], *home_id);
    assert_eq!(stage.cache("Account")[0].1["username"], "Alice@contoso.com");
    let aks = stage.cache("AccessToken").into_iter().find(|(key, _)| key.contains(AKS)).unwrap().1;
    let token = account.access_token.unwrap();
    assert_eq!(
        (&aks["secret"], &aks["realm"]),
        (&token.as_str().into(), &stage.tenant.as_str().into())
    );
    assert_eq!(claims(&token)["exp"].to_string(), aks["expires_on"].as_str().unwrap());
    assert_eq!(home_id, format!("{}.{}", claims(&token)["oid"].as_str().unwrap(), stage.tenant));
    assert_eq!(stage.cache("RefreshToken")[0].1["secret"], account.refresh_token.unwrap());

    let bytes = std::fs::read(stage.home.join(".azure/azureProfile.json")).unwrap();
    assert!(bytes.starts_with(b"\xef\xbb\xbf{"));
    let subscription = &stage.json("azureProfile.json")["subscriptions"][0];
    assert_eq!(subscription["id"], account.subscription_id);
    assert_eq!(subscription["user"]["name"], "alice@contoso.com");
    assert_eq!(
        (&subscription["environmentName"], &subscription["isDefault"]),
        (&"AzureCloud".into(), &true.into())
    );
    let clouds = std::fs::read_to_string(stage.home.join(".azure/clouds.config")).unwrap();
    assert!(!clouds.contains("endpoint"), "{clouds}");
}

#[test]
fn tokens_may_be_old_or_missing_or_with_a_broker() {
    let end = |login: AzLogin| {
        let stage = stage();
        stage.login(&login);
        let token = stage.cache("AccessToken").into_iter().find(|(key, _)| key.contains(AKS));
        let now = stage.sandbox.now().as_second();
        token.map(|(_, token)| token["expires_on"].as_str().unwrap().parse::<i64>().unwrap() > now)
    };
    let alice = stage().person("alice@contoso.com");
    assert_eq!(end(alice.clone()), Some(true));
    assert_eq!(end(alice.clone().aks_token(AksToken::Expired)), Some(false));
    assert_eq!(end(alice.clone().aks_token(AksToken::Absent)), None);
    let stage = stage();
    let account = stage.login(&alice.broker());
    assert_eq!((account.refresh_token, stage.cache("RefreshToken")), (None, Vec::new()));
    assert_eq!(stage.cache("Account")[0].1["account_source"], "broker");
}

#[test]
fn a_login_can_be_at_the_sandbox_or_in_another_cloud() {
    let stage = stage();
    stage.login(&stage.person("alice@contoso.com").at_sandbox());
    let clouds = std::fs::read_to_string(stage.home.join(".azure/clouds.config")).unwrap();
    let endpoint = format!("endpoint_active_directory = {}\n", stage.sandbox.entra().url());
    assert!(clouds.starts_with("[AzureCloud]\n") && clouds.contains(&endpoint), "{clouds}");
    assert_eq!(stage.cache("Account")[0].1["environment"], "127.0.0.1");
    assert!(!stage.home.join(".azure/config").exists());
    stage.login(&stage.person("bob@contoso.com").cloud("AzureChinaCloud"));
    let config = std::fs::read_to_string(stage.home.join(".azure/config")).unwrap();
    assert_eq!(config, "[cloud]\nname = AzureChinaCloud\n");
    let both = std::fs::read_to_string(stage.home.join(".azure/clouds.config")).unwrap();
    assert!(both.starts_with(&clouds) && both.contains("\n[AzureChinaCloud]\n"), "{both}");
    let defaults = stage.json("azureProfile.json")["subscriptions"].as_array().unwrap().clone();
    assert!(defaults.iter().all(|subscription| subscription["isDefault"] == true), "one per cloud");
    let environments: BTreeSet<String> = stage
        .cache("Account")
        .into_iter()
        .map(|(_, account)| account["environment"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(environments, ["127.0.0.1", "login.chinacloudapi.cn"].map(str::to_owned).into());
}

#[test]
fn machines_and_service_principals_are_signed_in_beside_people() {
    let stage = stage();
    stage.login(&stage.person("alice@contoso.com"));
    let principal = |client_id: &str, secret| {
        stage.login(&AzLogin::service_principal(&stage.tenant, client_id, secret));
    };
    principal(APP, AzSecret::Secret("old".into()));
    principal(APP, AzSecret::Secret("new".into()));
    principal("cert", AzSecret::Certificate("/some/cert.pem".into(), true));
    principal("wif", AzSecret::Assertion("header.payload.sig".into()));
    let expected = serde_json::json!([
        { "tenant": stage.tenant, "client_id": APP, "client_secret": "new" },
        { "tenant": stage.tenant, "client_id": "cert", "certificate": "/some/cert.pem", "use_cert_sn_issuer": true },
        { "tenant": stage.tenant, "client_id": "wif", "client_assertion": "header.payload.sig" },
    ]);
    assert_eq!(stage.json("service_principal_entries.json"), expected);
    let assigned = format!("MSIClient-{APP}");
    stage.login(&AzLogin::managed_identity(&stage.tenant, &assigned));
    stage.login(&AzLogin::managed_identity(&stage.tenant, "MSI"));
    let profile = stage.json("azureProfile.json");
    let users: Vec<(&str, &str, Option<&str>)> = profile["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|subscription| {
            let user = &subscription["user"];
            let text = |name: &str| user[name].as_str();
            (text("name").unwrap(), text("type").unwrap(), text("assignedIdentityInfo"))
        })
        .collect();
    assert_eq!(users[0], ("alice@contoso.com", "user", None));
    assert_eq!(users[1], (APP, "servicePrincipal", None));
    assert_eq!(users[5], ("userAssignedIdentity", "servicePrincipal", Some(&*assigned)));
    assert_eq!(users[6], ("systemAssignedIdentity", "servicePrincipal", Some("MSI")));
    let defaults = profile["subscriptions"].as_array().unwrap();
    let defaults = defaults.iter().filter(|subscription| subscription["isDefault"] == true);
    assert_eq!(defaults.count(), 1);
}

#[test]
fn whoever_signs_out_is_gone_and_nobody_else() {
    let stage = stage();
    let alice = stage.login(&stage.person("Alice@contoso.com"));
    let bob = stage.login(&stage.person("bob@contoso.com"));
    stage.login(&AzLogin::service_principal(&stage.tenant, APP, AzSecret::Secret("s".into())));
    stage.home.az_logout(APP).unwrap();
    stage.home.az_logout("alice@contoso.com").unwrap();
    let cache = stage.json("msal_token_cache.json").to_string();
    assert!(!cache.contains(&alice.home_account_id.unwrap()));
    assert!(
        cache.contains(&bob.refresh_token.unwrap()) && cache.contains(&bob.access_token.unwrap())
    );
    assert_eq!((stage.cache("Account").len(), stage.cache("AppMetadata").len()), (1, 1));
    assert_eq!(stage.json("service_principal_entries.json"), serde_json::json!([]));
    let profile = stage.json("azureProfile.json");
    assert_eq!(profile["subscriptions"].as_array().unwrap().len(), 1);
    let left = &profile["subscriptions"][0];
    assert_eq!((&left["id"], &left["isDefault"]), (&bob.subscription_id.into(), &true.into()));
}
