//! Sessions in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use secrecy::{ExposeSecret, SecretString};

use super::guard;
use crate::{
    Error, Fingerprint, KeptSession, OpenSession, Result, SessionFacts, SessionKey, Sessions,
};

/// Sessions in memory, and what was done to them.
#[derive(Clone, Default)]
pub struct StaticSessions(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    kept: HashMap<String, (String, i128)>,
    /// Which of them was about to be redeemed.
    marks: HashMap<String, About>,
    /// What another tool's session was renewed into, and the stamps it had before.
    heirs: HashMap<String, (Fingerprint, Vec<i128>)>,
    steps: Vec<&'static str>,
    full: bool,
}

/// What a mark is about.
#[derive(Clone, Copy, Eq, PartialEq)]
enum About {
    Kept(i128),
    Theirs(Fingerprint),
}

impl StaticSessions {
    /// With one kept already.
    #[must_use]
    pub fn with(self, key: SessionKey, secret: &str) -> Self {
        guard(&self.0).kept.insert(key.fingerprint().to_string(), (secret.to_owned(), 1));
        self
    }

    /// From now on nothing can be kept.
    #[must_use]
    pub fn full(self) -> Self {
        guard(&self.0).full = true;
        self
    }

    /// What is kept under that key.
    pub fn kept(&self, key: SessionKey) -> Option<String> {
        guard(&self.0).kept.get(&key.fingerprint().to_string()).map(|(secret, _)| secret.clone())
    }

    /// `open`, `redeeming`, `keep`, `unchanged`, `forget`, `close`, in the order they came.
    pub fn steps(&self) -> Vec<&'static str> {
        guard(&self.0).steps.clone()
    }
}

impl Sessions for StaticSessions {
    fn stamp(&self, key: SessionKey) -> Option<i128> {
        guard(&self.0).kept.get(&key.fingerprint().to_string()).map(|(_, stamp)| *stamp)
    }

    fn peek(&self, key: SessionKey) -> Option<SessionFacts> {
        self.stamp(key).map(|_| SessionFacts::default())
    }

    fn is_heir(&self, key: SessionKey, theirs: &[u8], of: i128) -> bool {
        let state = guard(&self.0);
        let heir = state.heirs.get(&key.fingerprint().to_string());
        heir.is_some_and(|(now, before)| *now == Fingerprint::of(theirs) && before.contains(&of))
    }

    fn is_spent(&self, key: SessionKey, theirs: &[u8]) -> bool {
        let mark = guard(&self.0).marks.get(&key.fingerprint().to_string()).copied();
        mark == Some(About::Theirs(Fingerprint::of(theirs)))
    }

    fn open(&self, key: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        guard(&self.0).steps.push("open");
        let key = key.fingerprint().to_string();
        Ok(Box::new(Opened { state: Arc::clone(&self.0), key, theirs: None }))
    }
}

struct Opened {
    state: Arc<Mutex<State>>,
    key: String,
    theirs: Option<Fingerprint>,
}

impl OpenSession for Opened {
    fn read(&mut self) -> Result<Option<KeptSession>> {
        let state = guard(&self.state);
        Ok(state.kept.get(&self.key).map(|(secret, stamp)| KeptSession {
            secret: secret.clone().into(),
            interrupted: state.marks.get(&self.key) == Some(&About::Kept(*stamp)),
        }))
    }

    fn adopt(&mut self, theirs: &[u8]) -> Result<bool> {
        let about = Fingerprint::of(theirs);
        self.theirs = Some(about);
        Ok(guard(&self.state).marks.get(&self.key) == Some(&About::Theirs(about)))
    }

    fn succeeded_by(&mut self, stamp: i128, theirs: &[u8]) {
        let mut state = guard(&self.state);
        let heir = state.heirs.remove(&self.key);
        let before = heir.filter(|(now, _)| Some(*now) == self.theirs).map(|(_, before)| before);
        let stamps = before.into_iter().flatten().chain([stamp]).collect();
        state.heirs.insert(self.key.clone(), (Fingerprint::of(theirs), stamps));
    }

    fn redeeming(&mut self) -> Result<()> {
        let mut state = guard(&self.state);
        state.steps.push("redeeming");
        let stamp = state.kept.get(&self.key).map_or(0, |(_, stamp)| *stamp);
        let about = self.theirs.map_or(About::Kept(stamp), About::Theirs);
        state.marks.insert(self.key.clone(), about);
        Ok(())
    }

    fn keep(&mut self, secret: &SecretString) -> Result<()> {
        let mut state = guard(&self.state);
        state.steps.push("keep");
        if state.full {
            return Err(Error::failed("the disk is full"));
        }
        let stamp = state.kept.get(&self.key).map_or(0, |(_, stamp)| *stamp) + 1;
        state.kept.insert(self.key.clone(), (secret.expose_secret().to_owned(), stamp));
        state.marks.remove(&self.key);
        Ok(())
    }

    fn unchanged(&mut self) {
        let mut state = guard(&self.state);
        state.steps.push("unchanged");
        state.marks.remove(&self.key);
    }

    fn forget(&mut self) {
        let mut state = guard(&self.state);
        state.steps.push("forget");
        state.kept.remove(&self.key);
        state.marks.remove(&self.key);
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        guard(&self.state).steps.push("close");
    }
}
