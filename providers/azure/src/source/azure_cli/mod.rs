//! Whoever is signed in to the Azure CLI: asked in az's own name where its files can be read, and
//! through `az` itself where they cannot.
//!
//! az takes half a second and more to start, and Python; its token cache answers in a millisecond.
//! The cache is az's: it is read and never written, and what is in it is redeemed as az would, as
//! az's own client and at az's own authority. Since Microsoft took az out of its family of clients,
//! no other client may redeem it.

mod application;
mod kept;
mod open;
mod person;
mod spawn;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Endpoint, Error, Host, Result, SessionKey, SessionState, SignedOut,
    Standing,
};

use self::{person::Person, spawn::Spawned};
use super::{Granted, Source, Wanted};
use crate::{
    az::{ActiveCloud, Folder},
    cloud::Cloud,
};

/// Which of az's accounts, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct AzSettings {
    /// The tenant the token is to be of.
    pub(crate) tenant: Option<String>,
    /// A subscription, by id or name, whose account is meant.
    pub(crate) subscription: Option<String>,
    /// Whether az's files may be read; if not, `az` is started.
    pub(crate) native: bool,
    /// Where az's files are, if not in `~/.azure`.
    pub(crate) config_dir: Option<PathBuf>,
    /// The authority, if it was named beside az's own.
    pub(crate) authority: Option<Endpoint>,
    /// The cloud that az has to be in, if it was named and no authority was.
    pub(crate) cloud: Option<Cloud>,
    /// How long `az` may take, if somebody says (`AZURE_CLI_TIMEOUT`).
    pub(crate) limit: Option<Duration>,
}

/// Whoever is signed in to the Azure CLI.
#[derive(Debug)]
pub(crate) struct AzureCli {
    who: Who,
}

/// Who that is.
#[derive(Debug)]
enum Who {
    /// A person whose tokens can be read.
    Person(Box<Person>),
    /// An application or a managed identity, with what it signed in with.
    Other(Box<dyn Source>),
    /// Somebody whom az alone can ask for.
    Spawned(Box<Spawned>),
}

impl AzureCli {
    /// Finds out who that is. Fails with
    /// [`Kind::SignInNeeded`](fleetkey_provider::Kind::SignInNeeded) if it is nobody.
    pub(crate) fn open(settings: &AzSettings, host: &Host) -> Result<Self> {
        open::who(settings, host).map(|who| Self { who })
    }

    fn source(&self) -> &dyn Source {
        match &self.who {
            Who::Person(person) => &**person,
            Who::Other(source) => &**source,
            Who::Spawned(spawned) => &**spawned,
        }
    }
}

/// Whether somebody is signed in.
pub(crate) fn is_offered(config_dir: Option<&Path>, host: &Host) -> bool {
    let offered = || -> Result<bool> {
        let Some(folder) = Folder::find(config_dir, host)? else { return Ok(false) };
        let cloud = ActiveCloud::find(&folder, &folder.config(host)?, host)?;
        Ok(folder.profile(host)?.has(&cloud.name))
    };
    offered().unwrap_or(false)
}

impl Source for AzureCli {
    fn describe(&self) -> String {
        match &self.who {
            Who::Other(source) => format!("{} (signed in to `az`)", source.describe()),
            Who::Person(_) | Who::Spawned(_) => self.source().describe(),
        }
    }

    /// What is kept of az's session is one record, whoever of its accounts is asked for.
    fn signer(&self) -> String {
        match &self.who {
            Who::Person(_) => "whoever is signed in to `az`".into(),
            Who::Other(_) | Who::Spawned(_) => self.describe(),
        }
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { who: _ } = self;
        self.source().key(key);
    }

    fn session(&self) -> Option<SessionKey> {
        self.source().session()
    }

    fn tenant(&self) -> Option<&str> {
        self.source().tenant()
    }

    fn at_hand(&self, wanted: &Wanted, host: &Host) -> Result<Option<Granted>> {
        self.source().at_hand(wanted, host)
    }

    fn patience(&self) -> Option<Duration> {
        self.source().patience()
    }

    /// `open` has just read that they are signed in.
    fn still_ours(&self, _host: &Host) -> bool {
        true
    }

    /// Whatever az has, it serves without a question, or az is asked.
    fn session_state(&self, host: &Host) -> SessionState {
        match &self.who {
            Who::Person(_) | Who::Spawned(_) => SessionState::SignedIn(Standing {
                renews: true,
                keeper: Some("az"),
                ..Standing::default()
            }),
            Who::Other(source) => source.session_state(host),
        }
    }

    fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        let mut out = match &self.who {
            Who::Person(person) => person.sign_out(host)?,
            Who::Other(_) | Who::Spawned(_) => SignedOut::default(),
        };
        out.left.push(format!("{}: az keeps its own session until `az logout`", self.describe()));
        Ok(out)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        if wanted.req_cnf.is_some() {
            return Box::pin(async {
                Err(Error::config("a token of az is bound to no key")
                    .because("`--pop-enabled` is for people and applications"))
            });
        }
        self.source().obtain(wanted, host)
    }
}

#[cfg(test)]
mod tests;
