//! A subscription: whose it is, and who may look into it.

use serde_json::{Value, json};

/// A subscription that everybody of its tenant may read, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub(crate) id: String,
    name: String,
    pub(crate) tenant: String,
    pub(super) state: String,
    readers: Vec<String>,
    groups: Vec<String>,
}

impl Subscription {
    /// An enabled one: its GUID, the name that people see, its tenant.
    pub fn new(id: &str, name: &str, tenant: &str) -> Self {
        Self {
            id: id.to_ascii_lowercase(),
            name: name.to_owned(),
            tenant: tenant.to_owned(),
            state: "Enabled".to_owned(),
            readers: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Only for whoever is called so, or others named like this: a user name, an object id, a client id.
    #[must_use]
    pub fn read_by(mut self, whom: &str) -> Self {
        self.readers.push(whom.to_owned());
        self
    }

    /// `Disabled`, `Warned`, `PastDue`.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        state.clone_into(&mut self.state);
        self
    }

    /// With a resource group that has no cluster. Those of clusters are there without this.
    #[must_use]
    pub fn group(mut self, name: &str) -> Self {
        self.groups.push(name.to_owned());
        self
    }

    /// Whether somebody may read it, by what they are called.
    pub(super) fn admits(&self, is: impl Fn(&str) -> bool) -> bool {
        self.readers.is_empty() || self.readers.iter().any(|reader| is(reader))
    }

    pub(super) fn has_group(&self, name: &str) -> bool {
        self.groups.iter().any(|group| group.eq_ignore_ascii_case(name))
    }

    pub(super) fn document(&self) -> Value {
        let Self { id, name, tenant, state, readers: _, groups: _ } = self;
        json!({
            "id": format!("/subscriptions/{id}"), "authorizationSource": "RoleBased",
            "managedByTenants": [], "subscriptionId": id, "tenantId": tenant, "displayName": name,
            "state": state,
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        })
    }
}
