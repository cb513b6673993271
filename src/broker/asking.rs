//! Asking a person: once per session on the whole machine, with nothing locked but the right to ask.
//!
//! Whoever could have asked too waits for whoever does, and uses what comes of it. Whoever cannot ask
//! is told at once what to type. A sign-in that was begun and not finished is not begun again for ten
//! minutes, by anybody.

use std::time::Duration;

use fleetkey_provider::{Credential, Error, Kind, Request, Result, SessionKey, SignIn, SignedIn};

use super::{
    Broker, Deadline, guard,
    memory::{Asked, Memory, short},
};
use crate::{
    host::{Attempt, Store},
    lock::{self, Waited},
};

/// How long a person may take to sign in; a device code lives no longer.
const SIGN_IN_LIMIT: Duration = Duration::from_mins(15);
/// Why only who signs in by hand is asked.
pub(super) const NO_MEMORY: &str = "nobody is asked where that cannot be remembered";
/// How often a session that appears while one waits is tried before a person is asked after all.
const TRIES: usize = 3;

/// Who has to sign in, for whose credential, and how they are asked.
struct Wish<'r> {
    signer: &'r dyn Request,
    request: &'r dyn Request,
    how: SignIn,
}

/// What somebody else was asked for.
enum Found {
    /// The very credential.
    Credential(Credential),
    /// The step's, on which ours can be asked for.
    SignedIn,
}

impl Broker<'_> {
    /// Has a person sign in for that step of the request's chain, if one can be asked; `refused` is why
    /// one is needed.
    pub(super) fn ask_person(
        &self,
        signer: &dyn Request,
        request: &dyn Request,
        refused: Error,
    ) -> Result<Credential> {
        let Some(session) = signer.session() else { return Err(refused) };
        let Some(how) = signer.how(self.world.host.person.means()) else {
            self.note("nobody can be asked to sign in here");
            return Err(refused);
        };
        let wish = Wish { signer, request, how };
        let Some(store) = self.memory_store() else {
            return self.without_memory(&wish, refused, "there is no folder for it");
        };
        for _ in 0..TRIES {
            let right = match self.right_to_ask(&wish, session, &*store) {
                Waited::Found(Found::Credential(credential)) => return Ok(credential),
                Waited::Found(Found::SignedIn) => None,
                Waited::Locked(_) if self.is_new(session) || self.kept_for(signer).is_some() => {
                    None
                }
                Waited::Locked(guard) => Some(Some(guard)),
                Waited::Late(why) => {
                    return Err(refused.because(format!("somebody is being asked already, {why}")));
                }
                Waited::Unlockable(why) => {
                    self.note(&format!("asking without a lock: {why}"));
                    Some(None)
                }
            };
            let Some(_guard) = right else {
                let again = Deadline::new(self.now(), self.options.timeout);
                match self.attempt(request, again) {
                    Err(error) if self.is_needed_again(signer, &error) => continue,
                    done => return done,
                }
            };
            if let Some(credential) = self.kept_for(request) {
                return Ok(credential);
            }
            let memory = self.memory(&*store);
            if let Some(asked) = memory.asked(session) {
                let error = not_again(signer, &asked);
                memory.asked_for_too(session, asked, signer.fingerprint());
                return Err(error);
            }
            let stamp = self.world.host.sessions.stamp(session);
            if let Err(why) = memory.asking(session, signer.fingerprint(), stamp) {
                return self.without_memory(&wish, refused, &why);
            }
            let done = self.sign_in(&wish, Some((&memory, session)));
            let Err(error) = done else { return done };
            if !self.world.host.person.was_asked() {
                memory.forget_asking(session); // it failed before anybody saw anything
                return Err(error);
            }
            return Err(match memory.asked(session).filter(|_| error.is_once()) {
                Some(asked) => asked.until_then(error),
                None => error,
            });
        }
        Err(refused)
    }

    /// Where it cannot be remembered that somebody was asked, only who wants to be is asked: a client
    /// that runs a plugin five times would open five browsers.
    fn without_memory(&self, wish: &Wish<'_>, refused: Error, why: &str) -> Result<Credential> {
        if *guard(&self.by_hand) {
            return self.sign_in(wish, None);
        }
        let why = format!("{NO_MEMORY}: {why}");
        Err(with_line(refused.because(why), wish.signer))
    }

    /// Waits until nobody else is being asked, or what they were asked for is there: the credential, or
    /// that of the step they signed in for. A session alone is not waited for: who asked keeps the
    /// credential that came with it a moment later.
    fn right_to_ask(
        &self,
        wish: &Wish<'_>,
        session: SessionKey,
        store: &dyn Store,
    ) -> Waited<Found> {
        let Wish { signer, request, how: _ } = *wish;
        let waiting = || {
            let what = signer.describe();
            self.world.host.notes.warn(&format!("waiting for somebody to sign in as {what}"));
        };
        let find = || {
            let found = self.kept_for(request).map(Found::Credential);
            found.or_else(|| self.kept_for(signer).map(|_| Found::SignedIn))
        };
        lock::take(store, &Memory::lock(session), SIGN_IN_LIMIT, &self.world.host, waiting, find)
    }

    /// Asks, and keeps what comes of it.
    fn sign_in(
        &self,
        wish: &Wish<'_>,
        remembered: Option<(&Memory<'_>, SessionKey)>,
    ) -> Result<Credential> {
        let Wish { signer, request, how } = *wish;
        self.note(&format!("asking a person to sign in: {}", signer.describe()));
        let deadline = Deadline::new(self.now(), self.options.timeout);
        let source = signer.source().map(|source| self.attempt(source, deadline)).transpose()?;
        let asking = signer.sign_in(how, source.as_ref(), &self.world.host);
        let credential = match self.world.wait(asking, SIGN_IN_LIMIT)? {
            SignedIn::Credential(credential) => Some(self.alive(signer, credential)?),
            SignedIn::Session => None,
        };
        self.forget_predecessor(signer);
        let key = signer.fingerprint();
        if let (Some(credential), Some(store)) = (&credential, self.cache_store(signer)) {
            self.cache(&*store).keep(signer, credential);
        }
        let forget = || {
            if let Some((memory, session)) = remembered {
                memory.forget_asking(session);
            }
        };
        // one without an end has shown nothing yet
        let is_proven = credential.as_ref().is_none_or(|lent| lent.expires().is_some());
        if is_proven {
            forget();
        }
        if let Some(credential) = credential {
            if key == request.fingerprint() {
                return Ok(credential);
            }
            guard(&self.lent).push((key, credential));
        }
        let done = self.attempt(request, Deadline::new(self.now(), self.options.timeout));
        if done.is_ok() && !is_proven {
            forget();
        }
        done
    }

    /// Whether the same step needs a person still.
    fn is_needed_again(&self, signer: &dyn Request, error: &Error) -> bool {
        error.kind() == Kind::SignInNeeded
            && *guard(&self.needs_person) == Some(signer.fingerprint())
    }

    /// Whether a session was made or renewed since it was last tried.
    fn is_new(&self, session: SessionKey) -> bool {
        let seen = *guard(&self.session_seen);
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
        matches!(store.try_lock(&lock), Ok(Attempt::Busy))
    }
}

/// Somebody is being asked for this very credential: what the cloud would say is no news.
pub(super) fn being_asked(request: &dyn Request) -> Error {
    let error = Error::sign_in_needed(format!("nobody is signed in: {}", request.describe()))
        .because("somebody is being asked to sign in at this moment");
    with_line(error, request)
}

/// Nobody is asked again so soon.
pub(super) fn not_again(request: &dyn Request, asked: &Asked) -> Error {
    let error = Error::sign_in_needed(format!("nobody is signed in: {}", request.describe()))
        .because(format!(
            "a sign-in was begun at {} and not finished; nobody is asked again before {}",
            short(asked.when),
            short(asked.until())
        ));
    with_line(error, request)
}

/// With the line that signs in by hand, unless the error has one already.
pub(super) fn with_line(error: Error, request: &dyn Request) -> Error {
    match request.sign_in_line() {
        Some(line) => error.or_next(|| line),
        None => error,
    }
}
