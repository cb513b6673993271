//! What a way to sign in cannot do without, and what to say where it is missing.

use fleetkey_provider::{Error, Result};

use crate::{environment::Environment, login::Login, server_id::AKS, variables::Names};

/// One thing that is needed.
pub(super) struct Need {
    /// What it is.
    pub(super) what: &'static str,
    /// The flags that say it.
    pub(super) flags: &'static str,
    /// The variables that say it.
    pub(super) names: Option<&'static Names>,
    /// What to type, to find it or to say it.
    pub(super) next: &'static str,
}

impl Need {
    /// The value, or the error that there is none.
    pub(super) fn of<T>(
        &self,
        value: Option<T>,
        login: Login,
        environment: Environment<'_>,
    ) -> Result<T> {
        value.ok_or_else(|| {
            Error::config(format!("`--login {}` needs {}", login.name(), self.what))
                .because(environment.places(self.flags, self.names))
                .next(self.next)
        })
    }
}

/// The error of a question that names no server.
pub(super) fn server_id() -> Error {
    Error::config("no server application is named")
        .because("`--server-id` says whom the token is for; for AKS it is the same everywhere")
        .next(format!("fleetkey get-token azure --server-id {AKS}"))
}
