//! What is remembered about asking, so that nobody is asked the same thing again and again: clients
//! run a failing plugin up to five times for one command, and forty clusters ask at once.
//!
//! That a person was asked is written *before* they are, and removed when they signed in: declined,
//! timed out and killed all leave it behind. A refusal that would do harm if it were repeated (a
//! wrong password, up to a locked account) is remembered under the credential's key, and for the
//! proof that was shown: a new password is a new question.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use fleetkey_provider::{Error, Fingerprint, Kind, Request, SessionKey};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::host::Store;

/// How long nobody is asked again.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// The memory, in one folder.
pub(super) struct Memory<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) now: Timestamp,
}

/// That a person was asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Asked {
    /// When.
    pub(super) when: Timestamp,
    /// By which process, for a person who looks.
    pid: u32,
    /// For which credentials: the one it began with, and those that were found to need it too.
    credentials: Vec<String>,
    /// The stamp of the session, as it was then.
    session: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Refused {
    when: Timestamp,
    /// What was shown, where the key does not say, stretched: a password is guessed from a plain hash.
    proof: Option<String>,
    code: u8,
    message: String,
    cause: Option<String>,
    next: Option<String>,
}

impl Asked {
    /// Whether it was for that credential.
    pub(super) fn was_for(&self, key: Fingerprint) -> bool {
        self.credentials.contains(&key.to_string())
    }

    /// Whether the session was written since: whoever asked was killed after somebody had signed in.
    pub(super) fn is_outlived_by(&self, stamp: Option<i128>) -> bool {
        stamp.is_some_and(|stamp| self.session != Some(stamp.to_string()))
    }

    /// The error, and how long nobody is asked again because of it.
    pub(super) fn until_then(&self, error: Error) -> Error {
        let pause = format!("nobody is asked again before {}", short(self.until()));
        let cause = error.cause().map_or_else(|| pause.clone(), |why| format!("{why}; {pause}"));
        error.because(cause)
    }

    /// When somebody may be asked again.
    pub(super) fn until(&self) -> Timestamp {
        after(self.when)
    }
}

impl Memory<'_> {
    /// The lock that is held while a person is asked.
    pub(super) fn lock(session: SessionKey) -> String {
        format!("{}.ask", session.fingerprint())
    }

    /// That a person was asked of late, and did not sign in.
    pub(super) fn asked(&self, session: SessionKey) -> Option<Asked> {
        let asked: Asked = self.read(&asked_file(session))?;
        self.is_recent(asked.when).then_some(asked)
    }

    /// A person is about to be asked; `stamp` is the session's. Errors if that cannot be remembered.
    pub(super) fn asking(
        &self,
        session: SessionKey,
        key: Fingerprint,
        stamp: Option<i128>,
    ) -> Result<(), String> {
        let asked = Asked {
            when: self.now,
            pid: std::process::id(),
            credentials: vec![key.to_string()],
            session: stamp.map(|stamp| stamp.to_string()),
        };
        self.write(&asked_file(session), &asked)
    }

    /// Another credential needs what a person was asked for and did not do.
    pub(super) fn asked_for_too(&self, session: SessionKey, mut asked: Asked, key: Fingerprint) {
        if !asked.was_for(key) {
            asked.credentials.push(key.to_string());
            // what is not remembered is asked of the cloud once more
            drop(self.write(&asked_file(session), &asked));
        }
    }

    /// Somebody signed in, or wants to be asked again.
    pub(super) fn forget_asking(&self, session: SessionKey) {
        // one that stays is over in ten minutes
        drop(self.store.remove(&asked_file(session)));
    }

    /// The refusal of late that is not to be repeated, and until when.
    pub(super) fn refusal(&self, request: &dyn Request) -> Option<(Error, Timestamp)> {
        let refused: Refused = self.read(&refused_file(request))?;
        let Refused { when, proof, code, message, cause, next } = refused;
        if !self.is_recent(when) || proof != shown(request) {
            return None;
        }
        let until = after(when);
        let remembered = format!("not asked again before {}", short(until));
        let cause = cause.map_or_else(|| remembered.clone(), |why| format!("{why}; {remembered}"));
        let error = Error::new(kind(code), message).because(cause);
        let error = match next {
            Some(line) => error.next(line),
            None => error,
        };
        Some((error, until))
    }

    /// Remembers a refusal.
    pub(super) fn refused(&self, request: &dyn Request, error: &Error) {
        let refused = Refused {
            when: self.now,
            proof: shown(request),
            code: crate::report::code(error.kind()),
            message: error.message().to_owned(),
            cause: error.cause().map(str::to_owned),
            next: error.next_line().map(str::to_owned),
        };
        // where nothing can be written, nothing is remembered
        drop(self.write(&refused_file(request), &refused));
    }

    /// Forgets a refusal.
    pub(super) fn forget_refusal(&self, request: &dyn Request) {
        // one that stays is over in ten minutes
        drop(self.store.remove(&refused_file(request)));
    }

    fn is_recent(&self, when: Timestamp) -> bool {
        // one from the future was written by another clock, and is not believed
        when <= self.now + SignedDuration::from_mins(1) && self.now < after(when)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        let bytes = self.store.read(name).ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn write<T: Serialize>(&self, name: &str, what: &T) -> Result<(), String> {
        let text = serde_json::to_vec(what).map_err(|error| error.to_string())?;
        self.store.replace(name, &text)
    }
}

/// A time as a person reads it.
pub(super) fn short(time: Timestamp) -> String {
    time.strftime("%H:%M:%S UTC").to_string()
}

fn after(when: Timestamp) -> Timestamp {
    when.checked_add(PAUSE).unwrap_or(Timestamp::MAX)
}

/// Whose sign-in a request asks for itself: whoever had to sign in for its source has done so when its own
/// turn comes.
pub(super) fn own_session(request: &dyn Request) -> Option<SessionKey> {
    let of_source = request.source().and_then(Request::session);
    request.session().filter(|own| of_source != Some(*own))
}

/// Where it is remembered that a person was asked.
pub(super) fn asked_file(session: SessionKey) -> String {
    format!("{}.asked", session.fingerprint())
}

/// A proof is refused for the person, whatever it was shown for; anything else for the credential.
pub(super) fn refused_file(request: &dyn Request) -> String {
    let person = request.session().filter(|_| request.proof().is_some());
    let key = person.map_or_else(|| request.fingerprint(), |session| session.fingerprint());
    format!("{key}.refused")
}

/// PBKDF2, salted with the name of the file: some 30 ms, and only where a refusal is remembered.
fn shown(request: &dyn Request) -> Option<String> {
    const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).unwrap();
    let (proof, salt) = (request.proof()?, refused_file(request));
    let mut stretched = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ROUNDS,
        salt.as_bytes(),
        proof.as_bytes(),
        &mut stretched,
    );
    Some(Fingerprint::of(&stretched).to_string())
}

fn kind(code: u8) -> Kind {
    let kinds = [Kind::Config, Kind::SignInNeeded, Kind::Refused, Kind::Unavailable];
    kinds.into_iter().find(|kind| crate::report::code(*kind) == code).unwrap_or(Kind::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::PrivateDir;

    const NOW: Timestamp = Timestamp::constant(1_767_323_045, 0);

    fn session() -> SessionKey {
        SessionKey::new("p", &[("a", "b")])
    }

    #[test]
    fn asking_is_remembered_for_ten_minutes_or_until_somebody_signs_in() {
        let home = tempfile::tempdir().unwrap();
        let store = PrivateDir::new(home.path().join("m"));
        let at = |minutes| Memory { store: &store, now: NOW + SignedDuration::from_mins(minutes) };
        let key = Fingerprint::of(b"k");
        assert!(at(0).asked(session()).is_none());
        at(0).asking(session(), key, Some(7)).unwrap();
        let asked = at(0).asked(session()).unwrap();
        assert!(!asked.is_outlived_by(Some(7)) && !asked.is_outlived_by(None));
        assert!(asked.is_outlived_by(Some(8)));
        assert!(at(9).asked(session()).unwrap().was_for(key));
        let other = Fingerprint::of(b"other");
        assert!(!at(9).asked(session()).unwrap().was_for(other));
        at(9).asked_for_too(session(), at(9).asked(session()).unwrap(), other);
        assert!(at(9).asked(session()).unwrap().was_for(other));
        assert!(at(10).asked(session()).is_none());
        assert!(at(-5).asked(session()).is_none(), "a clock that was turned back locks nobody out");
        at(1).forget_asking(session());
        assert!(at(1).asked(session()).is_none());
    }

    #[test]
    fn a_damaged_memory_is_none() {
        let home = tempfile::tempdir().unwrap();
        let store = PrivateDir::new(home.path().join("m"));
        store.replace(&asked_file(session()), b"{\"when\":").unwrap();
        assert!(Memory { store: &store, now: NOW }.asked(session()).is_none());
    }
}
