//! The path from a request to its credential: at hand, or kept and fresh, or asked for.
//!
//! What is kept and fresh is answered after one open and one read: no lock, no runtime, no network.
//! Otherwise the credential's lock is taken, so that of all processes that want it one asks the
//! cloud; the rest find what it kept. A request that stands on another (a role on its source) has
//! that one brought the same way first: the locks are taken from the end of a chain towards its
//! base, and a chain cannot meet itself, so nobody waits in a circle.

use std::{cell::Cell, path::Path, time::Duration};

use fleetkey_provider::{Credential, Error, Fingerprint, Kind, Request, Result};
use jiff::Timestamp;

use crate::{
    World,
    cache::Cache,
    lock::{self, Waited},
    options::{CacheUse, Options},
};

/// How much longer than the network may take its holder is given to let a lock go.
const LOCK_GRACE: Duration = Duration::from_secs(5);
/// How long a person may take to sign in.
const SIGN_IN_LIMIT: Duration = Duration::from_mins(15);
/// How long a credential that still works may hold a client up for its successor.
const RENEWAL_LIMIT: Duration = Duration::from_secs(5);
/// Even a spent allowance leaves this much for the next request of a chain.
const LEAST_LIMIT: Duration = Duration::from_secs(1);

/// Brings credentials.
pub(crate) struct Broker<'a> {
    world: &'a World,
    options: &'a Options,
    folder: Option<&'a Path>,
    started: Timestamp,
    spent: Cell<Duration>,
}

impl<'a> Broker<'a> {
    /// `folder`: where credentials are kept; `None` where nothing can be.
    pub(crate) fn new(world: &'a World, options: &'a Options, folder: Option<&'a Path>) -> Self {
        let started = world.host.clock.now();
        Self { world, options, folder, started, spent: Cell::new(Duration::ZERO) }
    }

    /// The credential of a request.
    pub(crate) fn credential(&self, request: &dyn Request) -> Result<Credential> {
        self.bring(request, self.options.timeout)
    }

    fn bring(&self, request: &dyn Request, limit: Duration) -> Result<Credential> {
        if let Some(credential) = request.at_hand(&self.world.host)? {
            return Ok(credential);
        }
        // with `--no-cache` there is nothing to share, so nobody waits for anybody either
        let Some(folder) = self.folder.filter(|_| self.options.cache != CacheUse::None) else {
            self.note("no credential is kept: there is no folder for it, or none is wanted");
            return self.ask(request, limit);
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
        self.renew(request, &cache, key, kept, limit)
    }

    /// Asks for a new one under the credential's lock. `kept` still works, if it is there.
    fn renew(
        &self,
        request: &dyn Request,
        cache: &Cache<'_>,
        key: Fingerprint,
        kept: Option<Credential>,
        limit: Duration,
    ) -> Result<Credential> {
        let waiting = || {
            let what = request.describe();
            self.world.warn(&format!("waiting for another fleetkey, which asks for {what}"));
        };
        // whoever holds the lock is renewing already; what still works is no reason to wait
        let (bound, limit) = match &kept {
            Some(_) => (Duration::ZERO, RENEWAL_LIMIT.min(limit)),
            None => (limit + LOCK_GRACE, limit),
        };
        let find = || self.kept(cache, key, request).filter(|found| found.is_fresh(self.now()));
        let waited =
            lock::take(cache.store, &format!("{key}.lock"), bound, &self.world.host, waiting, find);
        let _guard = match waited {
            Waited::Found(credential) => return Ok(credential),
            Waited::Locked(guard) => {
                if let Some(found) =
                    self.kept(cache, key, request).filter(|c| c.is_fresh(self.now()))
                {
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
        match (self.ask(request, limit), kept) {
            (Ok(credential), _) => {
                cache.keep(key, &request.describe(), &credential);
                Ok(credential)
            }
            (Err(error), Some(old)) => {
                self.world.warn(&format!(
                    "{} could not be renewed ({error}); the kept one still works",
                    request.describe()
                ));
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Asks the cloud; once more if a person could be asked to sign in.
    fn ask(&self, request: &dyn Request, limit: Duration) -> Result<Credential> {
        let source = request.source().map(|source| self.bring(source, limit)).transpose()?;
        let obtain = || {
            let began = self.now();
            let left = limit.saturating_sub(self.spent.get()).max(LEAST_LIMIT);
            let done = self.world.wait(request.obtain(source.as_ref(), &self.world.host), left);
            let took = Duration::try_from(self.now().duration_since(began)).unwrap_or_default();
            self.spent.set(self.spent.get() + took);
            done
        };
        self.note(&format!("asking for {}", request.describe()));
        let done = match obtain() {
            Err(error) if error.kind() == Kind::SignInNeeded => {
                if self.sign_in(request)? {
                    obtain()
                } else {
                    Err(error)
                }
            }
            done => done,
        };
        done.and_then(|credential| self.alive(request, credential))
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
