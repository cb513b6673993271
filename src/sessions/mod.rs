//! Sessions on disk: one sealed file each, redeemed by one process at a time.
//!
//! Beside `S.session` lie `S.lock`, held while the session is open, and `S.redeeming`, written before
//! a session is redeemed and removed when its successor is kept: one that is found by who opens next
//! means that a process died in between. It names the file it was about, so one that outlived its
//! removal accuses nobody. `S.heir` is about a session in another tool's file that was renewed here: what
//! it was renewed into, and the stamps of the files it stood in before.

mod heir;
mod open;
pub(crate) mod sealed;

use std::{path::PathBuf, sync::OnceLock, time::Duration};

use fleetkey_provider::{
    Error, Fingerprint, Host, OpenSession, Result, SessionFacts, SessionKey, Sessions,
};

use self::{
    heir::Heir,
    open::{Opened, Place},
    sealed::Sealed,
};
use crate::{
    exclusive::{self, Taken},
    folders,
    host::{Hold, Store},
    vault::{Kind, Vault},
};

/// The folder below the state folder.
const FOLDER: &str = "sessions";
/// How long another process may have a session open: a request has 10 s, and keeping takes a moment.
const LONGEST_REDEMPTION: Duration = Duration::from_secs(15);

/// The sessions of one person on this machine.
pub(crate) struct FileSessions {
    /// What of the world is needed: variables, time, chance, files, notes.
    host: Host,
    hold: &'static Hold,
    open_store: fn(PathBuf) -> Box<dyn Store>,
    home: OnceLock<Option<Home>>,
}

/// The folders, and what lies in them.
struct Home {
    store: Box<dyn Store>,
    vault: Vault,
}

impl FileSessions {
    /// Nothing is opened or looked for yet.
    pub(crate) fn new(
        host: Host,
        hold: &'static Hold,
        open_store: fn(PathBuf) -> Box<dyn Store>,
    ) -> Self {
        Self { host, hold, open_store, home: OnceLock::new() }
    }

    fn home(&self) -> Option<&Home> {
        let home = self.home.get_or_init(|| {
            let state = folders::state(&self.host)?;
            let vault = Vault::new(&state, self.open_store, &self.host);
            Some(Home { store: (self.open_store)(state.join(FOLDER)), vault })
        });
        home.as_ref()
    }
}

impl Sessions for FileSessions {
    fn stamp(&self, key: SessionKey) -> Option<i128> {
        let folder = folders::state(&self.host)?.join(FOLDER);
        self.host.files.stamp(&folder.join(open::file(key)))
    }

    fn peek(&self, key: SessionKey) -> Option<SessionFacts> {
        let (home, name) = (self.home()?, open::file(key));
        let bytes = home.store.read(&name).ok().flatten()?;
        let kind = Sealed::parse(&bytes)?.kind;
        let path = folders::state(&self.host)?.join(FOLDER).join(name);
        Some(SessionFacts { since: self.host.files.written(&path), is_plain: kind == Kind::File })
    }

    fn is_heir(&self, key: SessionKey, theirs: &[u8], of: i128) -> bool {
        let found = self.home().and_then(|home| Heir::read(&*home.store, key));
        found.is_some_and(|heir| heir.is_of(theirs, of))
    }

    fn is_spent(&self, key: SessionKey, theirs: &[u8]) -> bool {
        let of_file = Fingerprint::of(theirs);
        self.home().is_some_and(|home| open::is_spent(&*home.store, key, of_file))
    }

    fn open(&self, key: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        let open = |place| Opened::new(key, &self.host, self.hold, place);
        let Some(home) = self.home() else {
            return Ok(Box::new(open(Place::Nowhere("there is no folder for it".into()))));
        };
        let name = format!("{}.lock", key.fingerprint());
        let waiting = || {
            self.host.notes.warn("waiting for another fleetkey, which renews this session");
        };
        let (store, host) = (&*home.store, &self.host);
        match exclusive::take(store, &name, LONGEST_REDEMPTION, host, waiting) {
            Taken::Ours(lock) => {
                let place = Place::Folder { store, vault: &home.vault, _lock: lock };
                Ok(Box::new(open(place)))
            }
            Taken::Nowhere(why) => {
                self.host.notes.note(&format!("no session is kept: {why}"));
                Ok(Box::new(open(Place::Nowhere(why))))
            }
            Taken::Theirs(why) => Err(Error::unavailable(format!(
                "another process has had this session open for {} s",
                LONGEST_REDEMPTION.as_secs()
            ))
            .because(why)),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
