//! `msal_token_cache.json`: the unified cache of MSAL, as MSAL Python 1.39 writes it for az. Keys are made of the
//! fields, in lower case; every number is a string.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{AZ, AksToken, AzAccount, AzLogin, TOKEN_CACHE, folder, read};
use crate::azure::metadata::Issued;
use crate::entra::AKS_SERVER;
use crate::home::Home;
use crate::random;
use crate::sandbox::Sandbox;

/// The entries of a person who signed in without naming a tenant, and then asked for AKS.
pub(super) fn add(
    home: &Home,
    sandbox: &Sandbox,
    login: &AzLogin,
    username: &str,
    account: &mut AzAccount,
) -> io::Result<()> {
    let AzLogin { tenant, who: _, cloud: _, at_sandbox: _, family, broker, aks_token } = login;
    let issued = Issued::to_person(&sandbox.world, tenant, username, AZ, AKS_SERVER)
        .map_err(io::Error::other)?;
    let home_tenant = sandbox.world.entra.state().person(username);
    let home_tenant = home_tenant.map_or_else(|| tenant.clone(), |person| person.home().to_owned());
    // Guests are known by who they are at home.
    let object_id = sandbox.entra().object_id(username, &home_tenant);
    let entries = Entries {
        home: format!("{object_id}.{home_tenant}"),
        environment: login.environment(),
        now: sandbox.now().as_second(),
    };
    let mut cache = read(home, TOKEN_CACHE)?.unwrap_or_else(|| {
        json!({ "AccessToken": {}, "Account": {}, "IdToken": {}, "RefreshToken": {}, "AppMetadata": {} })
    });
    let mut put = |kind: &str, (key, entry): (String, Value)| cache[kind][key] = entry;

    let arm = format!("{ARM}.default {ARM}user_impersonation");
    let hour = entries.now + 3600;
    put("AccessToken", entries.access_token("organizations", &arm, &random::base64(900), hour));
    let aks = format!("{AKS_SERVER}/.default {AKS_SERVER}/user.read");
    match aks_token {
        AksToken::Absent => {}
        AksToken::Fresh | AksToken::Expired => {
            let fresh = *aks_token == AksToken::Fresh;
            let end = if fresh { issued.ends } else { entries.now - 3600 };
            put("AccessToken", entries.access_token(tenant, &aks, &issued.access_token, end));
            account.access_token = Some(issued.access_token.clone());
        }
    }
    put("Account", entries.account(&object_id, username, *broker));
    for realm in ["organizations", tenant] {
        put("IdToken", entries.id_token(realm, tenant, &object_id, username));
    }
    if !broker {
        let token = sandbox.entra().refresh_token(tenant, AZ, username);
        put("RefreshToken", entries.refresh_token(&arm, &token, *family));
        account.refresh_token = Some(token);
    }
    put("AppMetadata", entries.app_metadata(*family));
    account.home_account_id = Some(entries.home);
    home.write(folder(TOKEN_CACHE), format!("{cache:#}")).map(drop)
}

/// Removes all that is of somebody's accounts, as MSAL's `remove_account` does. What is known of the app stays.
pub(super) fn remove(home: &Home, username: &str) -> io::Result<()> {
    let Some(mut cache) = read(home, TOKEN_CACHE)? else { return Ok(()) };
    let mut gone = Vec::new();
    for account in entries(&cache, "Account") {
        let name = account["username"].as_str().unwrap_or_default();
        if name.eq_ignore_ascii_case(username) {
            gone.push((account["home_account_id"].clone(), account["environment"].clone()));
        }
    }
    for kind in ["AccessToken", "Account", "IdToken", "RefreshToken"] {
        if let Some(entries) = cache[kind].as_object_mut() {
            entries.retain(|_, entry| {
                !gone.contains(&(entry["home_account_id"].clone(), entry["environment"].clone()))
            });
        }
    }
    home.write(folder(TOKEN_CACHE), format!("{cache:#}")).map(drop)
}

fn entries<'a>(cache: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    cache[kind].as_object().into_iter().flat_map(|entries| entries.values())
}

/// What all entries of an account have in common.
struct Entries {
    home: String,
    environment: &'static str,
    now: i64,
}

impl Entries {
    fn access_token(&self, realm: &str, target: &str, secret: &str, end: i64) -> (String, Value) {
        let Self { home, environment, now } = self;
        let key = format!("{home}-{environment}-accesstoken-{AZ}-{realm}-{target}").to_lowercase();
        let entry = json!({
            "credential_type": "AccessToken", "secret": secret, "home_account_id": home,
            "environment": environment, "client_id": AZ, "target": target, "realm": realm,
            "token_type": "Bearer", "cached_at": now.to_string(), "expires_on": end.to_string(),
            "extended_expires_on": end.to_string(),
        });
        (key, entry)
    }

    fn account(&self, object_id: &str, username: &str, broker: bool) -> (String, Value) {
        let Self { home, environment, now: _ } = self;
        let source = if broker { "broker" } else { "urn:ietf:params:oauth:grant-type:device_code" };
        let entry = json!({
            "home_account_id": home, "environment": environment, "realm": "organizations",
            "local_account_id": object_id, "username": username, "authority_type": "MSSTS",
            "account_source": source,
        });
        (format!("{home}-{environment}-organizations").to_lowercase(), entry)
    }

    /// Nobody checks its signature, and nobody made one.
    fn id_token(&self, realm: &str, tenant: &str, object_id: &str, user: &str) -> (String, Value) {
        let Self { home, environment, now } = self;
        let claims = json!({
            "aud": AZ, "iss": format!("https://{environment}/{tenant}/v2.0"), "iat": now, "nbf": now,
            "exp": now + 3600, "name": "Sandbox", "oid": object_id, "preferred_username": user,
            "sub": object_id, "tid": tenant, "ver": "2.0",
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "RS256", "typ": "JWT" });
        let secret = format!("{}.{}.c2ln", part(&header), part(&claims));
        let entry = json!({
            "credential_type": "IdToken", "secret": secret, "home_account_id": home,
            "environment": environment, "realm": realm, "client_id": AZ,
        });
        (format!("{home}-{environment}-idtoken-{AZ}-{realm}-").to_lowercase(), entry)
    }

    fn refresh_token(&self, target: &str, secret: &str, family: bool) -> (String, Value) {
        let Self { home, environment, now } = self;
        let key = format!("{home}-{environment}-refreshtoken-{AZ}--{target}").to_lowercase();
        let mut entry = json!({
            "credential_type": "RefreshToken", "secret": secret, "home_account_id": home,
            "environment": environment, "client_id": AZ, "target": target,
            "last_modification_time": now.to_string(),
        });
        if family {
            entry["family_id"] = "1".into();
        }
        (key, entry)
    }

    fn app_metadata(&self, family: bool) -> (String, Value) {
        let environment = self.environment;
        let mut entry = json!({ "client_id": AZ, "environment": environment });
        if family {
            entry["family_id"] = "1".into();
        }
        (format!("appmetadata-{environment}-{AZ}"), entry)
    }
}

/// Azure Resource Manager with the two slashes that az asks for it with.
const ARM: &str = "https://management.core.windows.net//";
