//! The path from a request to its credential: at hand, or kept and fresh, or asked for.
//!
//! What is kept and fresh is answered after one open and one read: no lock, no runtime, no network.
//! Otherwise the credential's lock is taken, so that of all processes that want it one asks the
//! cloud; the rest find what it kept. A request that stands on another (a role on its source) has
//! that one brought the same way first: the locks are taken from the end of a chain towards its
//! base, and a chain cannot meet itself, so nobody waits in a circle. Where a person has to sign in,
//! at whichever step of a chain, all of these are let go first ([`asking`]).

mod ahead;
mod asking;
mod deadline;
mod foresight;
mod memory;
mod signed_out;

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fleetkey_provider::{Credential, Error, Fingerprint, Host, Kind, Request, Result};
use jiff::Timestamp;

pub(crate) use self::{
    ahead::serves_on,
    foresight::{Foresight, Obstacle},
};
use self::{
    ahead::{AtHand, longest},
    deadline::Deadline,
    memory::Memory,
    signed_out::Before,
};
use crate::{
    World,
    cache::Cache,
    folders,
    host::Store,
    lock::{self, Waited},
    options::{CacheUse, Options},
    renewal,
};

/// How long a credential that still works may hold a client up for its successor.
const RENEWAL_LIMIT: Duration = Duration::from_secs(5);
/// Where it is remembered what was asked of people, below the state folder.
const ASKED: &str = "asked";

/// Brings credentials.
pub(crate) struct Broker<'a> {
    world: &'a World,
    options: &'a Options,
    folders: Folders,
    started: Timestamp,
    /// Whether another process may be started for what will soon be over.
    ahead: bool,
    /// The stamp of the session that was last asked of the cloud, as it was before.
    session_seen: Mutex<Option<i128>>,
    /// Whether somebody is there who wants to sign in.
    by_hand: Mutex<bool>,
    /// The step of a chain that needs a person, of those last brought.
    needs_person: Mutex<Option<Fingerprint>>,
    /// What people were lent for signing in during this run: it may be kept nowhere.
    lent: Mutex<Vec<(Fingerprint, Credential)>>,
}

/// Where things are kept; `None` where nothing can be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders {
    /// Credentials.
    pub(crate) cache: Option<PathBuf>,
    /// Sessions, and what is remembered about asking.
    pub(crate) state: Option<PathBuf>,
}

impl Folders {
    /// Those that the command line and the environment name.
    pub(crate) fn of(options: &Options, host: &Host) -> Result<Self> {
        let cache = folders::cache(options.cache_dir.as_ref(), host)?;
        Ok(Self { cache, state: folders::state(host) })
    }
}

impl<'a> Broker<'a> {
    pub(crate) fn new(world: &'a World, options: &'a Options, folders: Folders) -> Self {
        let started = world.host.clock.now();
        Self {
            world,
            options,
            folders,
            started,
            ahead: false,
            session_seen: Mutex::default(),
            by_hand: Mutex::default(),
            needs_person: Mutex::default(),
            lent: Mutex::default(),
        }
    }

    /// The credential of a request. Where a person has to sign in and may be asked, they are asked
    /// once for each step that needs it, while no credential is locked.
    pub(crate) fn credential(&self, request: &dyn Request) -> Result<Credential> {
        let deadline = Deadline::new(self.started, self.options.timeout);
        let mut done = self.attempt(request, deadline);
        let mut asked = Vec::new();
        while let Err(refused) = &done
            && !self.world.is_renewal
            && refused.kind() == Kind::SignInNeeded
        {
            let signer = self.signer(request);
            let step = signer.fingerprint();
            if asked.contains(&step) {
                break;
            }
            asked.push(step);
            done = self.ask_person(signer, request, refused.clone());
        }
        done
    }

    /// Somebody is there who wants to sign in: whatever was remembered about asking is forgotten.
    pub(crate) fn by_hand(&self, request: &dyn Request) {
        *guard(&self.by_hand) = true;
        let Some(store) = self.memory_store() else { return };
        let memory = self.memory(&*store);
        for step in chain(request) {
            if let Some(session) = step.session() {
                memory.forget_asking(session);
            }
            memory.forget_refusal(step);
        }
    }

    /// Brings a credential, and remembers which step of its chain needs a person, if one does.
    fn attempt(&self, request: &dyn Request, deadline: Deadline) -> Result<Credential> {
        *guard(&self.needs_person) = None;
        self.bring(request, deadline)
    }

    /// The step that needs a person: each has its own session, and may have another way to ask.
    fn signer<'r>(&self, request: &'r dyn Request) -> &'r dyn Request {
        let step = *guard(&self.needs_person);
        chain(request).find(|r| Some(r.fingerprint()) == step).unwrap_or(request)
    }

    fn bring(&self, request: &dyn Request, deadline: Deadline) -> Result<Credential> {
        let done = self.at_hand_or_asked(request, deadline);
        if matches!(&done, Err(error) if error.kind() == Kind::SignInNeeded) {
            // a step fails before those that stand on it
            guard(&self.needs_person).get_or_insert_with(|| request.fingerprint());
        }
        done
    }

    fn at_hand_or_asked(&self, request: &dyn Request, deadline: Deadline) -> Result<Credential> {
        let at_hand = match self.at_hand(request)? {
            AtHand::Enough(credential) => return Ok(credential),
            AtHand::Due(credential) => Some(credential),
            AtHand::Nothing => None,
        };
        if let Some(credential) = self.lent_by_hand(request) {
            return Ok(credential);
        }
        // with `--no-cache` there is nothing to share, so nobody waits for anybody either
        let Some(store) = self.cache_store(request) else {
            if let Some(credential) = at_hand {
                return Ok(credential);
            }
            self.note("no credential is kept: there is no folder for it, or none is wanted");
            return self.ask(request, deadline, patience(request), &self.before(request, None));
        };
        let cache = self.cache(&*store);
        let key = request.fingerprint();

        let kept = longest(self.kept(&cache, key, request), at_hand);
        if let Some(credential) = &kept
            && self.is_enough(request, cache.store, key, credential)
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
            _ if self.world.is_renewal => (Duration::ZERO, deadline),
            Some(_) => (Duration::ZERO, deadline.within(self.now(), RENEWAL_LIMIT)),
            None => (deadline.for_others(self.now()).max(patience(request)), deadline),
        };
        let waiting = || {
            let what = request.describe();
            self.world.warn(&format!("waiting for another fleetkey, which asks for {what}"));
        };
        let find = || self.kept(cache, key, request).filter(|found| self.is_new_enough(key, found));
        let lock = format!("{key}.lock");
        let _guard = match lock::take(cache.store, &lock, bound, &self.world.host, waiting, find) {
            Waited::Found(credential) => return Ok(credential),
            Waited::Locked(guard) => {
                if let Some(found) = find() {
                    return Ok(found);
                }
                Some(guard)
            }
            Waited::Late(why) | Waited::Unlockable(why) => {
                if let Some(credential) = kept {
                    return Ok(credential);
                }
                if self.world.is_renewal {
                    return Err(Error::unavailable("another process does it").because(why));
                }
                self.note(&format!("going on without the lock: {why}"));
                None
            }
        };
        // what still works is no reason to wait for another program
        let waits = kept.is_none() || self.world.is_renewal;
        let patience = if waits { patience(request) } else { Duration::ZERO };
        let before = self.before(request, Some(cache));
        match (self.ask(request, deadline, patience, &before), kept) {
            (Ok(credential), old) => {
                let is_kept = self.keep(request, cache, &before, &credential);
                // another program may have lent what it had lent before
                if is_kept && old.is_some() && !credential.is_due(self.now(), || key) {
                    renewal::over(cache.store, key);
                }
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

    /// Asks the cloud, unless what it would answer is remembered.
    fn ask(
        &self,
        request: &dyn Request,
        deadline: Deadline,
        patience: Duration,
        before: &Before,
    ) -> Result<Credential> {
        let source = request.source().map(|source| self.bring(source, deadline)).transpose()?;
        let store = self.memory_store();
        if let Some(store) = &store {
            self.remembered(request, &self.memory(&**store))?;
        }
        let left = deadline.for_network(self.now());
        if left.is_zero() {
            return Err(Error::unavailable(format!(
                "no time is left to ask for {}",
                request.describe()
            ))
            .because("`--timeout` counts for the whole run, and waiting used it up"));
        }
        self.note(&format!("asking for {}", request.describe()));
        if let Some(session) = request.session() {
            *guard(&self.session_seen) = self.world.host.sessions.stamp(session);
        }
        // `--timeout` is about the network; what another program needs is its own affair
        let left = left.max(patience);
        let obtained = self.world.wait(request.obtain(source.as_ref(), &self.world.host), left);
        match obtained {
            Err(error) if error.is_once() => {
                if let Some(store) = &store {
                    self.memory(&**store).refused(request, &error);
                }
                Err(error)
            }
            done => {
                let credential = done.and_then(|credential| self.alive(request, credential))?;
                if self.options.cache != CacheUse::None && !self.is_signed_out(request, before) {
                    request.share(&credential, &self.world.host);
                }
                Ok(credential)
            }
        }
    }

    /// Errors with what the cloud or a person answered to the same question of late.
    fn remembered(&self, request: &dyn Request, memory: &Memory<'_>) -> Result<()> {
        let key = request.fingerprint();
        if let Some((refusal, _)) = memory.refusal(request) {
            return Err(refusal);
        }
        let Some(session) = memory::own_session(request) else { return Ok(()) };
        match memory.asked(session).filter(|asked| asked.was_for(key)) {
            Some(asked) if asked.is_outlived_by(self.world.host.sessions.stamp(session)) => Ok(()),
            Some(_) if self.is_being_asked(request) => Err(asking::being_asked(request)),
            Some(asked) => Err(asking::not_again(request, &asked)),
            None => Ok(()),
        }
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

    /// What somebody was lent for signing in during this run.
    fn lent_by_hand(&self, request: &dyn Request) -> Option<Credential> {
        let lent = guard(&self.lent);
        if lent.is_empty() {
            return None; // on the hit path nothing is hashed for this
        }
        let key = request.fingerprint();
        let (_, credential) = lent.iter().rev().find(|(step, _)| *step == key)?;
        credential.is_alive(self.now()).then(|| credential.clone())
    }

    fn cache_store(&self, request: &dyn Request) -> Option<Box<dyn Store>> {
        let folder =
            self.folders.cache.as_ref().filter(|_| self.options.cache != CacheUse::None)?;
        Some(self.world.store(&folder.join(request.provider())))
    }

    fn cache<'s>(&'s self, store: &'s dyn Store) -> Cache<'s> {
        Cache { store, notes: &*self.world.host.notes }
    }

    fn memory_store(&self) -> Option<Box<dyn Store>> {
        Some(self.world.store(&self.folders.state.as_ref()?.join(ASKED)))
    }

    fn memory<'s>(&self, store: &'s dyn Store) -> Memory<'s> {
        Memory { store, now: self.now() }
    }

    fn now(&self) -> Timestamp {
        self.world.host.clock.now()
    }

    fn note(&self, line: &str) {
        self.world.host.notes.note(line);
    }
}

/// How long another program may take for the request, and a moment to end it.
fn patience(request: &dyn Request) -> Duration {
    request.patience().map_or(Duration::ZERO, |limit| limit + Duration::from_secs(2))
}

/// The steps of a chain, from its end to its base.
fn chain(request: &dyn Request) -> impl Iterator<Item = &dyn Request> {
    std::iter::successors(Some(request), |step| step.source())
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
