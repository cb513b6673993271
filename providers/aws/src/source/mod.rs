//! The sources of AWS credentials: one file each, with its key and how it is asked.

mod assume_role;
mod container;
mod env_keys;
mod fields;
mod instance;
mod lent;
mod login_session;
mod mfa;
mod process;
mod role_cache;
mod sso;
mod static_keys;
mod web_identity;

use fleetkey_provider::{CredentialKey, Host};

pub(crate) use assume_role::AssumeRole;
pub(crate) use container::Container;
pub(crate) use env_keys::EnvKeys;
pub(crate) use instance::Instance;
pub(crate) use login_session::LoginSession;
pub(crate) use mfa::Mfa;
pub(crate) use process::Process;
pub(crate) use sso::{Account, Catalogue, Ends, Sso, Token};
pub(crate) use static_keys::StaticKeys;
pub(crate) use web_identity::WebIdentity;

/// One step of a plan.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Keys of the environment.
    EnvKeys(EnvKeys),
    /// Keys that stand in a profile.
    StaticKeys(StaticKeys),
    /// A federated token, exchanged for a role.
    WebIdentity(WebIdentity),
    /// A role lent for a person's SSO session.
    Sso(Box<Sso>),
    /// What a person is lent who signed in with a console's credentials.
    LoginSession(Box<LoginSession>),
    /// Keys that another program is asked for.
    Process(Process),
    /// What this container is lent.
    Container(Container),
    /// What this machine is lent.
    Instance(Instance),
    /// A person's second factor, added to the keys of the step before.
    Mfa(Mfa),
    /// A role assumed with the keys of the step before.
    AssumeRole(AssumeRole),
}

/// What the session of a role is called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SessionName {
    /// This.
    Fixed(String),
    /// As the session that assumes the role.
    Forwarded,
    /// Something that is not the same twice.
    Automatic,
}

impl SessionName {
    /// Only a name that somebody set tells two credentials apart.
    fn key(&self, key: &mut CredentialKey) {
        let (name, forwarded) = match self {
            Self::Fixed(name) => (Some(name.as_str()), "no"),
            Self::Forwarded => (None, "yes"),
            Self::Automatic => (None, "no"),
        };
        key.maybe("session name", name);
        key.field("session name forwarded", forwarded);
    }
}

/// A session name for those who set none.
fn automatic_name(host: &Host) -> String {
    format!("fleetkey-{}", host.clock.now().as_second())
}
