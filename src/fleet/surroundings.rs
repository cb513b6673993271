//! The surroundings of one context after the other: the variables that its user sets, over those there
//! are; and files of other tools that are read once for all of them.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fleetkey_provider::{
    Env, Error, Files, Host, OpenSession, Parsed, Refusing, Result, SessionFacts, SessionKey,
    Sessions,
};
use jiff::Timestamp;

/// A hand on the surroundings that a host has.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    variables: Arc<Mutex<Vec<(String, String)>>>,
    /// Whether what was read once is believed to be so still.
    is_still: Arc<AtomicBool>,
}

impl Surroundings {
    /// Gives a host surroundings that can be changed. Nothing changes yet.
    pub(crate) fn around(host: &mut Host) -> Self {
        let ours = Self::default();
        let env = std::mem::replace(&mut host.env, Box::new(Refusing));
        host.env = Box::new(Over { variables: Arc::clone(&ours.variables), env });
        let files = std::mem::replace(&mut host.files, Box::new(Refusing));
        host.files =
            Box::new(Once { files, is_still: Arc::clone(&ours.is_still), seen: Mutex::default() });
        host.parsed = Parsed::kept();
        ours
    }

    /// From now on these variables are set, over those of the process.
    pub(crate) fn wear(&self, variables: &[(String, String)]) {
        *guard(&self.variables) = variables.to_vec();
    }

    /// Whether files of other tools are read once, and then believed to stay as they are.
    pub(crate) fn hold_still(&self, is_still: bool) {
        self.is_still.store(is_still, Ordering::Relaxed);
    }
}

/// From now on nothing is asked of the network, and no session is opened: it is only looked at.
pub(crate) fn only_look(host: &mut Host) {
    host.http = Box::new(Refusing);
    let sessions = std::mem::replace(&mut host.sessions, Box::new(Refusing));
    host.sessions = Box::new(Closed(sessions));
}

/// Variables over others.
struct Over {
    variables: Arc<Mutex<Vec<(String, String)>>>,
    env: Box<dyn Env>,
}

impl Env for Over {
    fn var(&self, name: &str) -> Option<OsString> {
        let variables = guard(&self.variables);
        // of two the last counts, as in a client's list
        let over = variables.iter().rev().find(|(known, _)| known == name);
        over.map(|(_, value)| value.into()).or_else(|| self.env.var(name))
    }
}

/// Files that are read once while they are held still.
struct Once {
    files: Box<dyn Files>,
    is_still: Arc<AtomicBool>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    texts: HashMap<PathBuf, Result<Option<Vec<u8>>>>,
    stamps: HashMap<PathBuf, Option<i128>>,
    real: HashMap<PathBuf, PathBuf>,
}

impl Once {
    fn is_still(&self) -> bool {
        self.is_still.load(Ordering::Relaxed)
    }
}

impl Files for Once {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        if !self.is_still() {
            return self.files.read(path);
        }
        let known = guard(&self.seen).texts.get(path).cloned();
        known.unwrap_or_else(|| {
            let text = self.files.read(path);
            guard(&self.seen).texts.insert(path.to_owned(), text.clone());
            text
        })
    }

    fn stamp(&self, path: &Path) -> Option<i128> {
        if !self.is_still() {
            return self.files.stamp(path);
        }
        *guard(&self.seen).stamps.entry(path.to_owned()).or_insert_with(|| self.files.stamp(path))
    }

    fn real(&self, path: &Path) -> PathBuf {
        if !self.is_still() {
            return self.files.real(path);
        }
        guard(&self.seen)
            .real
            .entry(path.to_owned())
            .or_insert_with(|| self.files.real(path))
            .clone()
    }

    fn read_large(&self, path: &Path, largest: u64) -> Result<Option<Vec<u8>>> {
        self.files.read_large(path, largest)
    }
    fn is_own(&self, path: &Path) -> Result<bool> {
        self.files.is_own(path)
    }
    fn has_other_names(&self, path: &Path) -> bool {
        self.files.has_other_names(path)
    }
    fn is_newer(&self, path: &Path, than: &Path) -> bool {
        self.files.is_newer(path, than)
    }
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.files.replace(path, bytes)
    }
    fn rehearse(&self, path: &Path, length: usize) -> Result<()> {
        self.files.rehearse(path, length)
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        self.files.list(folder)
    }
    fn written(&self, path: &Path) -> Option<Timestamp> {
        self.files.written(path)
    }
    fn remove(&self, path: &Path) -> Result<bool> {
        self.files.remove(path)
    }
}

/// Sessions that are looked at from outside.
struct Closed(Box<dyn Sessions>);

impl Sessions for Closed {
    fn stamp(&self, key: SessionKey) -> Option<i128> {
        self.0.stamp(key)
    }
    fn peek(&self, key: SessionKey) -> Option<SessionFacts> {
        self.0.peek(key)
    }
    fn is_heir(&self, key: SessionKey, theirs: &[u8], of: i128) -> bool {
        self.0.is_heir(key, theirs, of)
    }
    fn other_keys(&self, key: SessionKey) -> Vec<SessionKey> {
        self.0.other_keys(key)
    }
    fn all_keys(&self, key: SessionKey) -> Vec<SessionKey> {
        self.0.all_keys(key)
    }
    fn is_spent(&self, key: SessionKey, theirs: &[u8]) -> bool {
        self.0.is_spent(key, theirs)
    }
    fn open(&self, _key: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        Err(Error::failed("sessions are only looked at here"))
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{StaticEnv, StaticFiles};

    use super::*;

    #[test]
    fn variables_are_worn_over_those_there_are_and_taken_off_again() {
        let env = Box::new(StaticEnv::new([("A", "1"), ("B", "2")]));
        let mut host = Host { env, ..Host::refusing() };
        let surroundings = Surroundings::around(&mut host);
        let all = |host: &Host| ["A", "B", "C"].map(|name| host.text_var(name).unwrap());
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(all(&host), [text("1"), text("2"), None]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        surroundings.wear(&[pair("A", "x"), pair("C", "y"), pair("A", "z")]);
        assert_eq!(all(&host), [text("z"), text("2"), text("y")]);
        surroundings.wear(&[]);
        assert_eq!(all(&host), [text("1"), text("2"), None]);
    }

    #[test]
    fn files_are_read_once_only_while_they_are_held_still() {
        let files = StaticFiles::new([("/f", "old")]);
        let mut host = Host { files: Box::new(files.clone()), ..Host::refusing() };
        let surroundings = Surroundings::around(&mut host);
        let look = |host: &Host| {
            let path = Path::new("/f");
            (host.files.read(path).unwrap(), host.files.stamp(path))
        };
        surroundings.hold_still(true);
        let before = look(&host);
        files.replace(Path::new("/f"), b"new and longer").unwrap();
        assert_eq!(look(&host), before);
        surroundings.hold_still(false);
        assert_ne!(look(&host), before);
    }
}
