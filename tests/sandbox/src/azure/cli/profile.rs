//! `azureProfile.json`: the subscriptions, and who sees them.

use std::io;

use serde_json::{Value, json};

use super::{AzLogin, MARK, PROFILE, Who, folder, read};
use crate::home::Home;
use crate::random;

/// Adds a subscription for the login, as the default of its cloud.
pub(super) fn add(home: &Home, login: &AzLogin, subscription_id: &str) -> io::Result<()> {
    let AzLogin { tenant, who, cloud, .. } = login;
    let user = match who {
        // Lower case here, as typed in the token cache: az compares without case.
        Who::Person(username) => json!({ "name": username.to_lowercase(), "type": "user" }),
        Who::ServicePrincipal(client_id, _) => {
            json!({ "name": client_id, "type": "servicePrincipal" })
        }
        Who::ManagedIdentity(assigned) => {
            let name =
                if assigned == "MSI" { "systemAssignedIdentity" } else { "userAssignedIdentity" };
            json!({ "name": name, "type": "servicePrincipal", "assignedIdentityInfo": assigned })
        }
    };
    let mut profile = load(home)?;
    for subscription in list(&mut profile)? {
        if subscription["environmentName"] == cloud.as_str() {
            subscription["isDefault"] = false.into();
        }
    }
    let name = format!("Sandbox {}", &subscription_id[..8]);
    list(&mut profile)?.push(json!({
        "id": subscription_id, "name": name, "state": "Enabled", "user": user, "isDefault": true,
        "tenantId": tenant, "environmentName": cloud, "homeTenantId": tenant,
        "managedByTenants": [],
    }));
    save(home, &profile)
}

/// Removes the subscriptions of somebody; the first that is left is the default then.
pub(super) fn remove(home: &Home, username: &str) -> io::Result<()> {
    let mut profile = load(home)?;
    let subscriptions = list(&mut profile)?;
    subscriptions.retain(|subscription| {
        let name = subscription["user"]["name"].as_str().unwrap_or_default();
        !name.eq_ignore_ascii_case(username)
    });
    if !subscriptions.iter().any(|subscription| subscription["isDefault"] == true)
        && let Some(first) = subscriptions.first_mut()
    {
        first["isDefault"] = true.into();
    }
    save(home, &profile)
}

fn load(home: &Home) -> io::Result<Value> {
    let empty = || json!({ "installationId": random::uuid(), "subscriptions": [] });
    Ok(read(home, PROFILE)?.unwrap_or_else(empty))
}

fn list(profile: &mut Value) -> io::Result<&mut Vec<Value>> {
    profile["subscriptions"].as_array_mut().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn save(home: &Home, profile: &Value) -> io::Result<()> {
    home.write(folder(PROFILE), [MARK, profile.to_string().as_bytes()].concat()).map(drop)
}
