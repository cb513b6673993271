//! Asking a person: once per session on the whole machine, with nothing locked but the right to ask.
//!
//! Whoever could have asked too waits for whoever does, and uses what comes of it. Whoever cannot ask
//! is told at once what to type. A sign-in that was begun and not finished is not begun again for ten
//! minutes, by anybody.

use std::{sync::PoisonError, time::Duration};

use fleetkey_provider::{Credential, Error, Kind, Request, Result, SessionKey, SignIn, SignedIn};

use super::{
    Broker, Deadline,
    memory::{Asked, Memory, short},
    signer,
};
use crate::{
    host::{Attempt, Guard, Store},
    lock::{self, Waited},
};

/// How long a person may take to sign in; a device code lives no longer.
const SIGN_IN_LIMIT: Duration = Duration::from_mins(15);
/// How often a session that appears while one waits is tried before a person is asked after all.
const TRIES: usize = 3;

impl Broker<'_> {
    /// Has a person sign in, if one can be asked; `refused` is why one is needed.
    pub(super) fn ask_person(&self, request: &dyn Request, refused: Error) -> Result<Credential> {
        let signer = signer(request);
        let Some(session) = signer.session() else { return Err(refused) };
        let Some(how) = signer.how(self.world.host.person.means()) else {
            self.note("nobody can be asked to sign in here");
            return Err(refused);
        };
        let Some(store) = self.memory_store() else {
            return self.without_memory(request, how, refused, "there is no folder for it");
        };
        for _ in 0..TRIES {
            let _guard = match self.right_to_ask(request, session, &*store) {
                Waited::Found(credential) => return Ok(credential),
                Waited::Locked(guard) if !self.is_new(session) => Some(guard),
                Waited::Locked(_) => {
                    let again = Deadline::new(self.now(), self.options.timeout);
                    match self.bring(request, again) {
                        Err(error) if error.kind() == Kind::SignInNeeded => continue,
                        done => return done,
                    }
                }
                Waited::Late(why) => {
                    return Err(refused.because(format!("somebody is being asked already, {why}")));
                }
                Waited::Unlockable(why) => {
                    self.note(&format!("asking without a lock: {why}"));
                    None
                }
            };
            if let Some(credential) = self.kept_for(request) {
                return Ok(credential);
            }
            let memory = self.memory(&*store);
            if let Some(asked) = memory.asked(session) {
                let error = not_again(signer, &asked);
                memory.asked_for_too(session, asked, request.fingerprint());
                return Err(error);
            }
            let stamp = self.world.host.sessions.stamp(session);
            if let Err(why) = memory.asking(session, request.fingerprint(), stamp) {
                return self.without_memory(request, how, refused, &why);
            }
            let done = self.sign_in(request, how, Some((&memory, session)));
            if done.is_err() && !self.world.host.person.was_asked() {
                memory.forget_asking(session); // it failed before anybody saw anything
            }
            return done;
        }
        Err(refused)
    }

    /// Where it cannot be remembered that somebody was asked, only who wants to be is asked: a client
    /// that runs a plugin five times would open five browsers.
    fn without_memory(
        &self,
        request: &dyn Request,
        how: SignIn,
        refused: Error,
        why: &str,
    ) -> Result<Credential> {
        if *self.by_hand.lock().unwrap_or_else(PoisonError::into_inner) {
            return self.sign_in(request, how, None);
        }
        let why = format!("nobody is asked where that cannot be remembered: {why}");
        let refused = refused.because(why);
        Err(match signer(request).sign_in_line() {
            Some(line) => refused.or_next(|| line),
            None => refused,
        })
    }

    /// Waits until nobody else is being asked, or what they were asked for is there. A session alone
    /// is not waited for: who asked keeps the credential that came with it a moment later.
    fn right_to_ask(
        &self,
        request: &dyn Request,
        session: SessionKey,
        store: &dyn Store,
    ) -> Waited<Credential> {
        let waiting = || {
            let what = signer(request).describe();
            self.world.host.notes.warn(&format!("waiting for somebody to sign in as {what}"));
        };
        let find = || self.kept_for(request);
        lock::take(store, &Memory::lock(session), SIGN_IN_LIMIT, &self.world.host, waiting, find)
    }

    /// Asks, and keeps what comes of it.
    fn sign_in(
        &self,
        request: &dyn Request,
        how: SignIn,
        remembered: Option<(&Memory<'_>, SessionKey)>,
    ) -> Result<Credential> {
        let signer = signer(request);
        self.note(&format!("asking a person to sign in: {}", signer.describe()));
        let signed_in = self.world.wait(signer.sign_in(how, &self.world.host), SIGN_IN_LIMIT)?;
        let credential = match signed_in {
            SignedIn::Credential(credential) => Some(self.alive(signer, credential)?),
            SignedIn::Session => None,
        };
        if let (Some(credential), Some(store)) = (&credential, self.cache_store(signer)) {
            let cache = self.cache(&*store);
            cache.keep(signer.fingerprint(), &signer.describe(), credential);
        }
        if let Some((memory, session)) = remembered {
            memory.forget_asking(session);
        }
        match credential {
            Some(credential) if request.source().is_none() => Ok(credential),
            _ => self.bring(request, Deadline::new(self.now(), self.options.timeout)),
        }
    }

    /// Whether a session was made or renewed since it was last tried.
    fn is_new(&self, session: SessionKey) -> bool {
        let seen = self.session_seen.lock().ok().and_then(|seen| *seen);
        let now = self.world.host.sessions.stamp(session);
        now.is_some() && now != seen
    }

    /// A fresh credential that somebody kept meanwhile.
    fn kept_for(&self, request: &dyn Request) -> Option<Credential> {
        let store = self.cache_store(request)?;
        let kept = self.kept(&self.cache(&*store), request.fingerprint(), request)?;
        kept.is_fresh(self.now()).then_some(kept)
    }

    /// Whether somebody is being asked to sign in right now.
    pub(super) fn is_being_asked(&self, request: &dyn Request) -> bool {
        let lock = request.session().map(Memory::lock);
        let (Some(lock), Some(store)) = (lock, self.memory_store()) else { return false };
        let free: Result<Option<Guard>, String> =
            store.try_lock(&lock).map(|attempt| match attempt {
                Attempt::Taken(guard) => Some(guard),
                Attempt::Busy => None,
            });
        matches!(free, Ok(None))
    }
}

/// Somebody is being asked for this very credential: what the cloud would say is no news.
pub(super) fn being_asked(request: &dyn Request) -> Error {
    let error = Error::sign_in_needed(format!("nobody is signed in: {}", request.describe()))
        .because("somebody is being asked to sign in at this moment");
    match request.sign_in_line() {
        Some(line) => error.next(line),
        None => error,
    }
}

/// Nobody is asked again so soon.
pub(super) fn not_again(request: &dyn Request, asked: &Asked) -> Error {
    let error = Error::sign_in_needed(format!("nobody is signed in: {}", request.describe()))
        .because(format!(
            "a sign-in was begun at {} and not finished; nobody is asked again before {}",
            short(asked.when),
            short(asked.until())
        ));
    match request.sign_in_line() {
        Some(line) => error.next(line),
        None => error,
    }
}
