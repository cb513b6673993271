//! The path from a request to its credential: at hand, or kept and fresh, or asked for.
//!
//! What is kept and fresh is answered after one open and one read: no lock, no runtime, no network.
//! Otherwise the credential's lock is taken, so that of all processes that want it one asks the
//! cloud; the rest find what it kept. A request that stands on another (a role on its source) has
//! that one brought the same way first: the locks are taken from the end of a chain towards its
//! base, and a chain cannot meet itself, so nobody waits in a circle.

mod deadline;

use std::{path::Path, time::Duration};

use fleetkey_provider::{Credential, Error, Fingerprint, Kind, Request, Result};
use jiff::Timestamp;

use self::deadline::Deadline;
use crate::{
    World,
    cache::Cache,
    lock::{self, Waited},
    options::{CacheUse, Options},
};

/// How long a person may take to sign in.
const SIGN_IN_LIMIT: Duration = Duration::from_mins(15);
/// How long a credential that still works may hold a client up for its successor.
const RENEWAL_LIMIT: Duration = Duration::from_secs(5);

/// Brings credentials.
pub(crate) struct Broker<'a> {
    world: &'a World,
    options: &'a Options,
    folder: Option<&'a Path>,
    started: Timestamp,
}

impl<'a> Broker<'a> {
    /// `folder`: where credentials are kept; `None` where nothing can be.
    pub(crate) fn new(world: &'a World, options: &'a Options, folder: Option<&'a Path>) -> Self {
        Self { world, options, folder, started: world.host.clock.now() }
    }

    /// The credential of a request. Where a person has to sign in and may be asked, they are asked
    /// once, while nothing is locked.
    pub(crate) fn credential(&self, request: &dyn Request) -> Result<Credential> {
        let deadline = Deadline::new(self.started, self.options.timeout);
        match self.bring(request, deadline) {
            Err(error) if error.kind() == Kind::SignInNeeded => {
                if !self.sign_in(request)? {
                    return Err(error);
                }
                self.bring(request, Deadline::new(self.now(), self.options.timeout))
            }
            done => done,
        }
    }

    fn bring(&self, request: &dyn Request, deadline: Deadline) -> Result<Credential> {
        if let Some(credential) = request.at_hand(&self.world.host)? {
            return Ok(credential);
        }
        // with `--no-cache` there is nothing to share, so nobody waits for anybody either
        let Some(folder) = self.folder.filter(|_| self.options.cache != CacheUse::None) else {
            self.note("no credential is kept: there is no folder for it, or none is wanted");
            return self.ask(request, deadline);
        };
        let store = self.world.store(&folder.join(request.provider()));
        let cache = Cache { store: &*store, notes: &*self.world.host.notes };
        let key = request.fingerprint();

        let kept = self.kept(&cache, key, request);
        if let Some(credential) = &kept
            && credential.is_fresh(self.now())
        {
            self.note(&format!("kept: {} ({key})", request.describe()));
            return Ok(credential.clone());
        }
        self.renew(request, &cache, key, kept, deadline)
    }

    /// Asks for a new one under the credential's lock. `kept` still works, if it is there.
    fn renew(
        &self,
        request: &dyn Request,
        cache: &Cache<'_>,
        key: Fingerprint,
        kept: Option<Credential>,
        deadline: Deadline,
    ) -> Result<Credential> {
        // whoever holds the lock is renewing already; what still works is no reason to wait
        let (bound, deadline) = match &kept {
            Some(_) => (Duration::ZERO, deadline.within(self.now(), RENEWAL_LIMIT)),
            None => (deadline.for_others(self.now()), deadline),
        };
        let waiting = || {
            let what = request.describe();
            self.world.warn(&format!("waiting for another fleetkey, which asks for {what}"));
        };
        let find = || self.kept(cache, key, request).filter(|found| found.is_fresh(self.now()));
        let lock = format!("{key}.lock");
        let _guard = match lock::take(cache.store, &lock, bound, &self.world.host, waiting, find) {
            Waited::Found(credential) => return Ok(credential),
            Waited::Locked(guard) => {
                if let Some(found) = find() {
                    return Ok(found);
                }
                Some(guard)
            }
            Waited::Unlocked(why) => {
                if let Some(credential) = kept {
                    return Ok(credential);
                }
                self.note(&format!("going on without the lock: {why}"));
                None
            }
        };
        match (self.ask(request, deadline), kept) {
            (Ok(credential), _) => {
                cache.keep(key, &request.describe(), &credential);
                Ok(credential)
            }
            (Err(error), Some(old)) => {
                let what = request.describe();
                self.world.warn(&format!(
                    "{what} could not be renewed ({error}); the kept one still works"
                ));
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Asks the cloud.
    fn ask(&self, request: &dyn Request, deadline: Deadline) -> Result<Credential> {
        let source = request.source().map(|source| self.bring(source, deadline)).transpose()?;
        let left = deadline.for_network(self.now());
        if left.is_zero() {
            return Err(Error::unavailable(format!(
                "no time is left to ask for {}",
                request.describe()
            ))
            .because("`--timeout` counts for the whole run, and waiting used it up"));
        }
        self.note(&format!("asking for {}", request.describe()));
        let obtained = self.world.wait(request.obtain(source.as_ref(), &self.world.host), left);
        obtained.and_then(|credential| self.alive(request, credential))
    }

    fn sign_in(&self, request: &dyn Request) -> Result<bool> {
        let Some(how) = self.world.host.person.may_be_asked() else {
            self.note("nobody may be asked to sign in here");
            return Ok(false);
        };
        self.world.wait(request.sign_in(how, &self.world.host), SIGN_IN_LIMIT)
    }

    /// A cloud whose answer is over already has another clock than this machine.
    fn alive(&self, request: &dyn Request, credential: Credential) -> Result<Credential> {
        match credential.expires() {
            Some(expires) if expires <= self.now() => {
                Err(Error::failed(format!("{} was over before it arrived", request.describe()))
                    .because(format!(
                        "it ends at {expires}, and this machine's clock says {}",
                        self.now()
                    ))
                    .next("date -u"))
            }
            _ => Ok(credential),
        }
    }

    /// What is kept, if it may be used at all: alive, its owner still signed in, and with `--fresh`
    /// made since this run began.
    fn kept(
        &self,
        cache: &Cache<'_>,
        key: Fingerprint,
        request: &dyn Request,
    ) -> Option<Credential> {
        let credential = cache.read(key)?;
        let wanted = self.options.cache != CacheUse::Fresh || credential.issued() >= self.started;
        let usable = wanted
            && credential.is_alive(self.now())
            && request.still_ours(&credential, &self.world.host);
        if !usable {
            self.note(&format!(
                "the kept credential {key} is over, not ours any more, or not wanted"
            ));
        }
        usable.then_some(credential)
    }

    fn now(&self) -> Timestamp {
        self.world.host.clock.now()
    }

    fn note(&self, line: &str) {
        self.world.host.notes.note(line);
    }
}

#[cfg(test)]
mod tests;
