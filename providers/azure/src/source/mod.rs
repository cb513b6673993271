//! Where an access token comes from: one file for each way to sign in.

mod application;
mod azd;
pub(crate) mod azure_cli;
mod client_certificate;
mod client_secret;
mod device_code;
mod federated;
mod github;
mod interactive;
mod job;
pub(crate) mod managed_identity;
mod password;
mod person;
mod pipelines;
mod program;
pub(crate) mod session;
mod workload_identity;

use std::{fmt, time::Duration};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, Fingerprint, Host, Means, Result, SecretString, SessionKey,
    SessionState, SignIn, SignedOut,
};

pub(crate) use self::{
    azd::Azd,
    azure_cli::{AzSettings, AzureCli},
    managed_identity::{Identity, ManagedIdentity},
};
pub(crate) use self::{
    client_certificate::ClientCertificate, client_secret::ClientSecret, pipelines::Pipelines,
    workload_identity::WorkloadIdentity,
};
pub(crate) use self::{
    password::Password,
    person::{Asks, Person},
};
use crate::server_id::ServerId;

/// One way to sign in, with all it needs.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// Who it is, as a person would say it: `application 1234… of tenant contoso.com`.
    fn describe(&self) -> String;

    /// Who signs in, in words that are the same for everything that is lent to one session.
    fn signer(&self) -> String {
        self.describe()
    }

    /// Every field that could change the access token; destructure self. Secrets go in as
    /// fingerprints.
    fn key(&self, key: &mut CredentialKey);

    /// A fingerprint of what proves who it is, where the key does not have it.
    fn proof(&self) -> Option<Fingerprint> {
        None
    }

    /// Who signs in; `None` for machine identities.
    fn session(&self) -> Option<SessionKey> {
        None
    }

    /// The tenant the token has to be of, if it is known as a GUID.
    fn tenant(&self) -> Option<&str>;

    /// How long another program may take that is asked for the token.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// A token that is there already, in another tool's cache.
    fn at_hand(&self, _wanted: &Wanted, _host: &Host) -> Result<Option<Granted>> {
        Ok(None)
    }

    /// Whether the owner of what this stands on has not signed out. At most one `stat`.
    fn still_ours(&self, _host: &Host) -> bool {
        true
    }

    /// Asks for a token. Asks no person: fails with `Error::sign_in_needed` where one is needed.
    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>>;

    /// How it would ask a person, if those are the means.
    fn how(&self, _means: Means) -> Option<SignIn> {
        None
    }

    /// How the session stands, as far as files say.
    fn session_state(&self, _host: &Host) -> SessionState {
        SessionState::None
    }

    /// Ends what is ours of the session, and names what is not.
    fn sign_out(&self, _host: &Host) -> Result<SignedOut> {
        Ok(SignedOut::default())
    }

    /// The name that a person would be expected to sign in with from now on; `None` if one is expected
    /// already, or nobody is.
    fn hint(&self, _access_token: &str) -> Option<String> {
        None
    }

    /// The line a person types to sign in by hand.
    fn sign_in_line(&self, _wanted: &Wanted) -> Option<String> {
        None
    }

    /// Asks a person, keeps the session, and answers the token that came with it.
    fn sign_in<'a>(
        &'a self,
        _how: SignIn,
        _wanted: &'a Wanted,
        _host: &'a Host,
    ) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async { Err(Error::failed("this identity signs nobody in")) })
    }
}

/// What is wanted of a source.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The server application.
    pub(crate) server: ServerId,
    /// For proof of possession: `req_cnf`, which binds the token to a key
    /// ([`crate::pop::Key::req_cnf`]).
    pub(crate) req_cnf: Option<String>,
}

/// An access token, not looked into yet.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: SecretString,
}
