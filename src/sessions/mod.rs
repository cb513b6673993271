//! Sessions on disk: one sealed file each, redeemed by one process at a time.
//!
//! Beside `S.session` lie `S.lock`, held while the session is open, and `S.redeeming`, written before
//! a session is redeemed and removed when its successor is kept: one that is found by who opens next
//! means that a process died in between. It names the file it was about, so one that outlived its
//! removal accuses nobody. `S.heir` is about a session in another tool's file that was renewed here: what
//! it was renewed into, and the stamps of the files it stood in before. `S.alias` is all there is of a
//! session that got a name: it says by which key it is kept now.

mod alias;
mod end;
mod heir;
mod open;
pub(crate) mod sealed;

use std::{path::PathBuf, sync::OnceLock, time::Duration};

use fleetkey_provider::{
    Error, Fingerprint, Host, OpenSession, Result, SessionFacts, SessionKey, Sessions,
};

use self::{
    end::LONGEST_FAREWELL,
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

    /// Opens a session by that key, which the one that was asked for may have led to. Errors if another
    /// process has it open for so long.
    fn within(
        &self,
        bound: Duration,
        asked: SessionKey,
        key: SessionKey,
        waiting: impl FnOnce(),
    ) -> Result<Opened<'_>, (Place<'_>, String)> {
        let open = |place| Opened::new(asked, key, &self.host, self.hold, place);
        let Some(home) = self.home() else {
            return Ok(open(Place::Nowhere("there is no folder for it".into())));
        };
        let (store, vault) = (&*home.store, &home.vault);
        let name = format!("{}.lock", key.fingerprint());
        match exclusive::take(store, &name, bound, &self.host, waiting) {
            Taken::Ours(lock) => Ok(open(Place::Folder { store, vault, lock: Some(lock) })),
            Taken::Nowhere(why) => {
                self.host.notes.note(&format!("no session is kept: {why}"));
                Ok(open(Place::Nowhere(why)))
            }
            Taken::Theirs(why) => Err((Place::Folder { store, vault, lock: None }, why)),
        }
    }

    /// Opens a session to forget it, whoever has it open.
    fn to_end(&self, asked: SessionKey, key: SessionKey) -> Opened<'_> {
        match self.within(LONGEST_FAREWELL, asked, key, || ()) {
            Ok(opened) => opened,
            Err((place, why)) => {
                let session = key.fingerprint();
                self.host
                    .notes
                    .note(&format!("the session {session} is removed without its lock: {why}"));
                Opened::new(asked, key, &self.host, self.hold, place)
            }
        }
    }

    /// The stamp of the file of that very key.
    fn own_stamp(&self, key: SessionKey) -> Option<i128> {
        let folder = folders::state(&self.host)?.join(FOLDER);
        self.host.files.stamp(&folder.join(open::file(key)))
    }

    /// The key by which the session is kept: that one, or where it leads. Who has a session of their own is
    /// led nowhere.
    fn led(&self, key: SessionKey) -> SessionKey {
        match self.own_stamp(key) {
            Some(_) => key,
            None => self.alias(key).unwrap_or(key),
        }
    }

    /// Where that very key leads.
    fn alias(&self, key: SessionKey) -> Option<SessionKey> {
        alias::read(&*self.home()?.store, key)
    }

    /// Opens it where it is kept, which may change while somebody is waited for: they sign in, or get a name.
    fn where_kept<'s>(
        &'s self,
        asked: SessionKey,
        open: impl Fn(SessionKey) -> Result<Opened<'s>>,
    ) -> Result<Box<dyn OpenSession + 's>> {
        let mut key = self.led(asked);
        loop {
            let opened = open(key)?;
            match self.led(asked) {
                led if led == key => return Ok(Box::new(opened)),
                led => key = led,
            }
        }
    }
}

impl Sessions for FileSessions {
    fn stamp(&self, key: SessionKey) -> Option<i128> {
        self.own_stamp(key).or_else(|| self.own_stamp(self.alias(key)?))
    }

    fn other_keys(&self, key: SessionKey) -> Vec<SessionKey> {
        let names = self.home().and_then(|home| home.store.list().ok()).unwrap_or_default();
        let others = names.iter().filter_map(|name| alias::key_of(name));
        others.filter(|other| self.alias(*other) == Some(key)).collect()
    }

    fn peek(&self, key: SessionKey) -> Option<SessionFacts> {
        let key = self.led(key);
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

    fn all_keys(&self, key: SessionKey) -> Vec<SessionKey> {
        let led = self.led(key);
        let mut all = self.other_keys(led);
        for one in [key, led] {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }

    fn open(&self, asked: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        let waiting = || {
            self.host.notes.warn("waiting for another fleetkey, which renews this session");
        };
        self.where_kept(asked, |key| {
            let opened = self.within(LONGEST_REDEMPTION, asked, key, waiting);
            opened.map_err(|(_, why)| {
                Error::unavailable(format!(
                    "another process has had this session open for {} s",
                    LONGEST_REDEMPTION.as_secs()
                ))
                .because(why)
            })
        })
    }

    fn open_to_end(&self, asked: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        self.where_kept(asked, |key| Ok(self.to_end(asked, key)))
    }

    fn end_all(&self) -> Result<usize> {
        self.home().map_or(Ok(0), |home| end::all(self, home))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
