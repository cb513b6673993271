//! What Entra knows: tenants, applications, servers and people, and what was promised to them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::Value;

use super::app::App;
use super::authorize::Asked;
use super::codes::Codes;
use super::device::Devices;
use super::keys::Keys;
use super::person::Person;
use super::refresh::RefreshTokens;
use crate::random;

/// All of Entra's memory.
#[derive(Default)]
pub(crate) struct Directory {
    pub(crate) keys: Keys,
    /// The authority host, once it listens.
    pub(crate) url: OnceLock<String>,
    issuers: Mutex<HashMap<String, Verify>>,
    state: Mutex<State>,
    /// Rung when a device code was handed out.
    pub(crate) device_made: Condvar,
}

/// Whether an issuer signed this token.
pub(crate) type Verify = Arc<dyn Fn(&str) -> bool + Send + Sync>;

#[derive(Default)]
pub(crate) struct State {
    /// GUIDs, and the names they were made for.
    tenants: HashMap<String, String>,
    apps: HashMap<(String, String), App>,
    servers: HashSet<(String, String)>,
    people: HashMap<String, Person>,
    object_ids: HashMap<(String, String), String>,
    /// What a person must be asked before they get another token.
    pub(super) claims: HashMap<String, Value>,
    /// `jti` of every client assertion that was believed.
    pub(super) assertions: HashSet<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) refresh: RefreshTokens,
    pub(super) codes: Codes,
    pub(super) devices: Devices,
    /// Sign-in pages that are being looked at.
    pub(super) pages: HashMap<String, Asked>,
}

impl Directory {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    pub(crate) fn trust_issuer(&self, issuer: &str, verify: Verify) {
        self.issuers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(issuer.to_owned(), verify);
    }

    /// Whether this issuer is known and says the token is its own.
    pub(crate) fn issuer_signed(&self, issuer: &str, token: &str) -> bool {
        let verify =
            self.issuers.lock().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned();
        verify.is_some_and(|verify| verify(token))
    }
}

impl State {
    /// The tenant of that name; a GUID is its own name.
    pub(crate) fn add_tenant(&mut self, name: &str) -> String {
        let guid = if is_guid(name) {
            name.to_ascii_lowercase()
        } else {
            guid_of(&format!("tenant/{name}"))
        };
        self.tenants.entry(guid.clone()).or_insert_with(|| name.to_ascii_lowercase());
        guid
    }

    /// The tenant of this GUID or of this name.
    pub(crate) fn tenant(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if self.tenants.contains_key(&name) {
            return Some(name);
        }
        self.tenants.iter().find(|(_, known)| **known == name).map(|(guid, _)| guid.clone())
    }

    /// The name that a tenant was made for.
    pub(crate) fn tenant_name(&self, guid: &str) -> String {
        self.tenants.get(guid).cloned().unwrap_or_default()
    }

    pub(crate) fn add_app(&mut self, mut app: App) {
        app.tenant = self.add_tenant(&app.tenant);
        if let Some(oid) = app.object_id.take() {
            self.object_ids.insert((app.client_id.clone(), app.tenant.clone()), oid);
        }
        self.apps.insert((app.tenant.clone(), app.client_id.clone()), app);
    }

    /// An app as a tenant knows it. Microsoft's own are known in every tenant.
    pub(crate) fn app(&self, tenant: &str, client_id: &str) -> Option<App> {
        let client_id = client_id.to_ascii_lowercase();
        let known = self.apps.get(&(tenant.to_owned(), client_id.clone())).cloned();
        known.or_else(|| {
            FIRST_PARTY.contains(&client_id.as_str()).then(|| App::new(tenant, &client_id).public())
        })
    }

    /// An app as any tenant knows it, for where nobody has said which.
    pub(crate) fn app_anywhere(&self, client_id: &str) -> Option<App> {
        let mut tenants: Vec<&String> = self.tenants.keys().collect();
        tenants.sort();
        tenants.into_iter().find_map(|tenant| self.app(tenant, client_id))
    }

    pub(crate) fn add_server(&mut self, tenant: &str, id: &str) {
        let tenant = self.add_tenant(tenant);
        self.servers.insert((tenant, server_name(id)));
    }

    /// Whether a tenant has this resource. What AKS and Azure itself are called is known everywhere.
    pub(crate) fn has_server(&self, tenant: &str, resource: &str) -> bool {
        let name = server_name(resource);
        EVERYWHERE.contains(&name.as_str()) || self.servers.contains(&(tenant.to_owned(), name))
    }

    pub(crate) fn add_person(&mut self, mut person: Person) {
        person.tenants = person.tenants.iter().map(|tenant| self.add_tenant(tenant)).collect();
        self.people.insert(person.username.to_lowercase(), person);
    }

    /// A person by name, whatever its case.
    pub(crate) fn person(&self, username: &str) -> Option<Person> {
        self.people.get(&username.to_lowercase()).cloned()
    }

    pub(crate) fn people(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.people.values().map(|person| person.username.clone()).collect();
        names.sort();
        names
    }

    /// The object id of a person or an app in a tenant: another one in every tenant.
    pub(crate) fn object_id(&mut self, name: &str, tenant: &str) -> String {
        let key = (name.to_lowercase(), tenant.to_owned());
        self.object_ids.entry(key).or_insert_with(random::uuid).clone()
    }

    /// Notes that a person was asked with these claims.
    pub(crate) fn signed_in(&mut self, username: &str, claims: Option<&Value>) {
        let name = username.to_lowercase();
        let answered = self
            .claims
            .get(&name)
            .is_some_and(|wanted| claims.is_some_and(|sent| within(wanted, sent)));
        if answered {
            self.claims.remove(&name);
        }
    }
}

/// Whether everything wanted was sent; clients add wishes of their own.
fn within(wanted: &Value, sent: &Value) -> bool {
    match (wanted, sent) {
        (Value::Object(wanted), Value::Object(sent)) => wanted
            .iter()
            .all(|(name, wanted)| sent.get(name).is_some_and(|sent| within(wanted, sent))),
        (wanted, sent) => wanted == sent,
    }
}

/// What a person lets a program do with a resource, as tokens and answers name it.
pub(crate) fn permission(resource: &str) -> &'static str {
    if is_arm(resource) { "user_impersonation" } else { "user.read" }
}

/// Whether a resource is Azure's management, under either of its names.
pub(crate) fn is_arm(resource: &str) -> bool {
    ARM.contains(&server_name(resource).as_str())
}

/// Whether Microsoft lets a program of its own ask for a resource. Between two things of Microsoft's, nobody can consent.
pub(crate) fn preauthorised(client_id: &str, resource: &str) -> bool {
    !(is_arm(resource) && CLUSTERS_ONLY.contains(&client_id))
}

/// Without what spellings differ in: the `spn:` of old, a last slash, the case of a GUID.
fn server_name(resource: &str) -> String {
    resource.trim_start_matches("spn:").trim_end_matches('/').to_ascii_lowercase()
}

/// 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The same GUID for the same name, in every sandbox.
fn guid_of(name: &str) -> String {
    let hex = random::hex(digest::digest(&digest::SHA256, name.as_bytes()).as_ref());
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// The server of AKS.
pub(crate) const AKS_SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// Resources of Microsoft's own.
const EVERYWHERE: [&str; 5] = [
    AKS_SERVER,
    "6256c85f-0aad-4d50-b960-e6e9b21efe35",
    ARM[0],
    ARM[1],
    "https://graph.microsoft.com",
];

/// Azure's management, by its newer and its older name.
const ARM: [&str; 2] = ["https://management.azure.com", "https://management.core.windows.net"];

/// Programs of Microsoft's own: the client of AKS, that of Arc, the Azure CLI.
const FIRST_PARTY: [&str; 3] =
    [CLUSTERS_ONLY[0], CLUSTERS_ONLY[1], "04b07795-8ddb-461a-bbee-02f9e1bf7b46"];

/// Those that sign people in to clusters, and to nothing else.
const CLUSTERS_ONLY: [&str; 2] =
    ["80faf920-1908-4b52-b5ef-a8e7bedfc67a", "3f4439ff-e698-4d6d-84fe-09c9d574f06b"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tenant_keeps_its_guid() {
        let (mut one, mut other) = (State::default(), State::default());
        let guid = one.add_tenant("contoso.com");
        assert!(is_guid(&guid), "{guid}");
        assert_eq!(other.add_tenant("contoso.com"), guid);
        assert_ne!(other.add_tenant("fabrikam.com"), guid);
        assert_eq!(one.tenant(&guid.to_uppercase()), Some(guid.clone()));
        assert_eq!(one.tenant("Contoso.com"), Some(guid));
        assert_eq!(one.tenant("fabrikam.com"), None);
    }

    #[test]
    fn wishes_are_granted_only_whole() {
        let wanted = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
        let mut sent = wanted.clone();
        sent["access_token"]["xms_cc"] = json!({ "values": ["CP1"] });
        assert!(within(&wanted, &sent));
        assert!(!within(&sent, &wanted));
        assert!(!within(&wanted, &json!({ "access_token": { "acrs": { "value": "c1" } } })));
    }
}
