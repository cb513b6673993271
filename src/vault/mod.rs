//! Where the key lies that seals sessions: in the best place that works here, and always in the same.
//!
//! The first session that is kept makes the key. The order: the platform's secret store, the Linux
//! kernel's keyring, a private file; `--session-store` or `FLEETKEY_SESSION_STORE` picks one. Which it was is remembered in
//! the file `vault`. A place that is locked or does not answer is not one that is absent: nothing
//! weaker is taken in its stead unless a person says so.

mod chest;
mod choice;
#[cfg(windows)]
mod credential_manager;
mod file;
#[cfg(target_os = "linux")]
mod kernel_keyring;
mod key;
#[cfg(target_os = "macos")]
mod keychain;
#[cfg(all(unix, not(target_os = "macos")))]
mod secret_service;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fleetkey_provider::{Error, Host, Result};

pub(crate) use self::{
    chest::Kind,
    choice::{Choice, WithFlag},
    key::Key,
};
use self::{
    chest::{Chest, Closed, ask},
    choice::chosen,
    file::KeyFile,
};
use crate::{
    exclusive::{self, Taken},
    host::Store,
};

/// What the key is filed under in other people's stores.
const SERVICE: &str = "fleetkey";
const RECORD: &str = "vault";
const KEY_FILE: &str = "vault.key";
const LOCK: &str = "vault.lock";
const MAGIC: &str = "fleetkey-vault 1 ";
/// How long another process may take to make the key: it asks every place there is.
const LONGEST_MAKING: Duration = Duration::from_secs(15);

/// The key, and where it lies.
pub(crate) struct Sealer {
    pub(crate) kind: Kind,
    pub(crate) key: Key,
}

/// The places of one state folder.
pub(crate) struct Vault {
    store: Box<dyn Store>,
    chests: Vec<Arc<dyn Chest>>,
    /// The last key used: a place that is locked between reading and keeping loses no session.
    last: Mutex<Option<Arc<Sealer>>>,
}

impl Vault {
    /// The vault of that folder. Nothing is opened yet.
    pub(crate) fn new(
        folder: &Path,
        open_store: fn(PathBuf) -> Box<dyn Store>,
        host: &Host,
    ) -> Self {
        let file = KeyFile(open_store(folder.to_owned()));
        let mut chests = of_this_system(folder, host);
        chests.push(Arc::new(file));
        Self { store: open_store(folder.to_owned()), chests, last: Mutex::default() }
    }

    /// The key for what is kept from now on.
    pub(crate) fn sealing(&self, host: &Host) -> Result<Arc<Sealer>> {
        let (choice, _) = chosen(host)?;
        let last = self.last().clone().filter(|last| choice.allows(last.kind));
        if let Some(known) = last.map_or_else(|| self.recorded(choice, host), |l| Ok(Some(l)))? {
            return Ok(known);
        }
        let waiting = || host.notes.note("waiting for another fleetkey, which makes a key");
        let _only = match exclusive::take(&*self.store, LOCK, LONGEST_MAKING, host, waiting) {
            Taken::Ours(only) => only,
            Taken::Theirs(why) | Taken::Nowhere(why) => {
                return Err(
                    Error::unavailable("no key to seal sessions with could be made").because(why)
                );
            }
        };
        if let Some(made) = self.recorded(choice, host)? {
            return Ok(made);
        }
        self.choose(choice, host)
    }

    /// The key something was sealed with. `None` if it is gone, or not wanted.
    pub(crate) fn opening(&self, kind: Kind, id: &str, host: &Host) -> Result<Option<Arc<Sealer>>> {
        let (choice, from) = chosen(host)?;
        if !choice.allows(kind) {
            let title = kind.title();
            host.notes.note(&format!("{title} is not used: `{from}` says so"));
            return Ok(None);
        }
        let known = self.last().clone().filter(|last| last.kind == kind && last.key.id() == id);
        if known.is_some() {
            return Ok(known);
        }
        let Some(chest) = self.chests.iter().find(|chest| chest.kind() == kind) else {
            host.notes.note(&format!("there is no {} on this system", kind.name()));
            return Ok(None);
        };
        host.notes.note(&format!("looking for the key of kept sessions in {}", kind.title()));
        let key = ask(chest, |chest| chest.read()).map_err(|closed| closed.error(kind, host))?;
        let key = key.filter(|key| key.id() == id);
        Ok(key.map(|key| self.remember(kind, key)))
    }

    /// The key that the record speaks of.
    fn recorded(&self, choice: Choice, host: &Host) -> Result<Option<Arc<Sealer>>> {
        let record = self.store.read(RECORD).unwrap_or_else(|why| {
            host.notes.note(&format!("`{RECORD}` is not used: {why}"));
            None
        });
        let text = record.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let fields = text.strip_prefix(MAGIC).and_then(|rest| rest.trim_end().split_once(' '));
        match fields.and_then(|(kind, id)| Some((Kind::parse(kind)?, id))) {
            Some((kind, id)) if choice.allows(kind) => self.opening(kind, id, host),
            _ => Ok(None),
        }
    }

    /// The first place that is there gets the key, or has one.
    fn choose(&self, choice: Choice, host: &Host) -> Result<Arc<Sealer>> {
        let (_, from) = chosen(host)?;
        let mut why = format!("`{from}` names what this system does not have");
        for chest in self.chests.iter().filter(|chest| choice.allows(chest.kind())) {
            let kind = chest.kind();
            match fill(chest, host)? {
                Ok(key) => {
                    self.record(kind, &key)?;
                    if kind == Kind::File && choice == Choice::Best {
                        host.notes.warn("kept sessions are protected by file permissions only");
                    }
                    return Ok(self.remember(kind, key));
                }
                Err(Closed::Absent(reason)) => {
                    why = format!("{}: {reason}", kind.title());
                    host.notes.note(&format!("no key is kept in {why}"));
                }
                Err(locked) => return Err(locked.error(kind, host)),
            }
        }
        Err(Error::unavailable("there is no place for a key to seal sessions with")
            .because(why)
            .next(choice::another_line(from)))
    }

    fn record(&self, kind: Kind, key: &Key) -> Result<()> {
        let line = format!("{MAGIC}{} {}\n", kind.name(), key.id());
        self.store.replace(RECORD, line.as_bytes()).map_err(|why| {
            Error::failed("where the key of sessions lies could not be written down").because(why)
        })
    }

    fn remember(&self, kind: Kind, key: Key) -> Arc<Sealer> {
        let sealer = Arc::new(Sealer { kind, key });
        *self.last() = Some(Arc::clone(&sealer));
        sealer
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Arc<Sealer>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key in a place, made if there is none.
fn fill(chest: &Arc<dyn Chest>, host: &Host) -> Result<Result<Key, Closed>> {
    match ask(chest, |chest| chest.read()) {
        Ok(Some(key)) => return Ok(Ok(key)),
        Ok(None) => {}
        Err(closed) => return Ok(Err(closed)),
    }
    let key = Key::make(host)?;
    let id = key.id();
    // read again: a place that forgets at once would cost a sign-in each time
    Ok(ask(chest, move |chest| {
        chest.write(&key)?;
        match chest.read()? {
            Some(kept) if kept.id() == id => Ok(kept),
            _ => Err(Closed::Absent("it does not keep what it is given".into())),
        }
    }))
}

/// What this system has, the best first. Each state folder has a key of its own there.
#[cfg_attr(
    not(all(unix, not(target_os = "macos"))),
    expect(unused_variables, reason = "the session bus is where a variable says")
)]
fn of_this_system(folder: &Path, host: &Host) -> Vec<Arc<dyn Chest>> {
    let account = folder.to_string_lossy().into_owned();
    vec![
        #[cfg(all(unix, not(target_os = "macos")))]
        Arc::new(secret_service::SecretService::new(host, account.clone())),
        #[cfg(target_os = "linux")]
        Arc::new(kernel_keyring::KernelKeyring(account)),
        #[cfg(target_os = "macos")]
        Arc::new(keychain::Keychain(account)),
        #[cfg(windows)]
        Arc::new(credential_manager::CredentialManager(account)),
    ]
}

#[cfg(test)]
pub(crate) mod tests;
