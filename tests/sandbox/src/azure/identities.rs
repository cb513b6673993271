//! The managed identities of the machine that the plugin runs on: one of its own at most, and any number assigned.

use std::sync::{Mutex, PoisonError};

use crate::random;

/// A managed identity.
#[derive(Clone, Debug)]
pub struct ManagedIdentity {
    /// Where it lives.
    pub tenant: String,
    /// Its application id.
    pub client_id: String,
    /// The id of its service principal.
    pub object_id: String,
    /// The ARM id of a user-assigned one; none is the machine's own.
    pub resource_id: Option<String>,
}

impl ManagedIdentity {
    /// The machine's own.
    pub fn system(tenant: &str) -> Self {
        let (client_id, object_id) = (random::uuid(), random::uuid());
        Self { tenant: tenant.to_owned(), client_id, object_id, resource_id: None }
    }

    /// One assigned to it.
    pub fn user(tenant: &str, client_id: &str, object_id: &str, resource_id: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            object_id: object_id.to_owned(),
            resource_id: Some(resource_id.to_owned()),
        }
    }
}

/// Which identity somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Any,
    Client(String),
    Object(String),
    Resource(String),
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Unknown,
    Several,
}

#[derive(Default)]
pub(crate) struct Identities(Mutex<Vec<ManagedIdentity>>);

impl Identities {
    pub(crate) fn add(&self, identity: ManagedIdentity) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(identity);
    }

    /// The machine's own.
    pub(crate) fn system(&self) -> Result<ManagedIdentity, Missing> {
        self.only(|identity| identity.resource_id.is_none())
    }

    /// The one asked for. Whoever asks for none in particular gets the machine's own, else the only one there is.
    pub(crate) fn find(&self, asked: &Asked) -> Result<ManagedIdentity, Missing> {
        match asked {
            Asked::Any => self.system().or_else(|_| self.only(|_| true)),
            Asked::Client(id) => self.only(|identity| identity.client_id.eq_ignore_ascii_case(id)),
            Asked::Object(id) => self.only(|identity| identity.object_id.eq_ignore_ascii_case(id)),
            Asked::Resource(id) => self.only(|identity| {
                identity.resource_id.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(id))
            }),
        }
    }

    fn only(&self, wanted: impl Fn(&ManagedIdentity) -> bool) -> Result<ManagedIdentity, Missing> {
        let identities = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = identities.iter().filter(|identity| wanted(identity));
        match (found.next(), found.next()) {
            (Some(identity), None) => Ok(identity.clone()),
            (None, _) => Err(Missing::Unknown),
            (Some(_), Some(_)) => Err(Missing::Several),
        }
    }
}
