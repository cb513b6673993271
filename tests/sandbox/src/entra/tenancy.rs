//! Which tenant the first part of a path means.

use super::directory::{State, is_guid};
use super::errors::{Refusal, Result};
use super::person::Person;

/// A tenant, or wherever the person is at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tenancy {
    /// This one, by its GUID.
    Tenant(String),
    /// `organizations` or `common`.
    Anybody(String),
}

impl Tenancy {
    /// What a path says; a tenant must exist.
    pub(crate) fn parse(text: &str, state: &State) -> Result<Self> {
        let name = text.to_ascii_lowercase();
        if matches!(name.as_str(), "organizations" | "common") {
            return Ok(Self::Anybody(name));
        }
        if !is_guid(&name) && !name.contains('.') {
            return Err(Refusal::new(
                900_023,
                format!(
                    "Specified tenant identifier '{text}' is neither a valid DNS name, nor a valid external domain."
                ),
            ));
        }
        state.tenant(&name).map(Self::Tenant).ok_or_else(|| {
            Refusal::new(
                90002,
                format!(
                    "Tenant '{text}' not found. Check to make sure you have the correct tenant ID and are signing into the \
                     correct cloud."
                ),
            )
        })
    }

    /// As it stands in a path.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Tenant(name) | Self::Anybody(name) => name,
        }
    }

    /// The tenant that a person gets a token of.
    pub(crate) fn of(&self, person: &Person, client_id: &str) -> Result<String> {
        match self {
            Self::Anybody(_) => Ok(person.home().to_owned()),
            Self::Tenant(tenant) if person.tenants.contains(tenant) => Ok(tenant.clone()),
            Self::Tenant(tenant) => Err(Refusal::new(
                50020,
                format!(
                    "User account '{}' from identity provider 'https://sts.windows.net/{}/' does not exist in tenant \
                     '{tenant}' and cannot access the application '{client_id}' in that tenant. The account needs to be \
                     added as an external user in the tenant first.",
                    person.username,
                    person.home()
                ),
            )),
        }
    }

    /// A code of one place is good there, and at the person's own tenant if it was made for anybody.
    pub(crate) fn allows(&self, other: &Self) -> Result<()> {
        match (self, other) {
            (Self::Tenant(one), Self::Tenant(other)) if one != other => Err(Refusal::new(
                700_005,
                "Provided Authorization Code is intended to use against other tenant, thus rejected.",
            )),
            _ => Ok(()),
        }
    }
}
