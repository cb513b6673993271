//! Waiting for another process, for so long and no longer.
//!
//! The system's file locks have no time-out, so a lock is tried, and tried again after 10 to 100 ms
//! by chance, so that a hundred waiters do not step in time. A killed holder's lock is free at once;
//! a stopped holder's never, which is what the bound is for. Losing a lock is never a failure: one
//! request too many harms nobody.

use std::time::Duration;

use fleetkey_provider::Host;

use crate::host::{Attempt, Guard, Store};

const SHORTEST_PAUSE_MS: u8 = 10;
const PAUSE_SPREAD_MS: u8 = 90;

/// How a wait ended.
pub(crate) enum Waited<T> {
    /// The lock is ours until the guard is dropped.
    Locked(Guard),
    /// What was waited for is there; nothing is locked.
    Found(T),
    /// The bound was reached: its holder still works, or is stopped.
    Late(String),
    /// Nothing can be locked here.
    Unlockable(String),
}

/// Takes the lock, or finds what its holder is making, whichever comes first. `waiting` is called
/// once, when the first try failed.
pub(crate) fn take<T>(
    store: &dyn Store,
    name: &str,
    bound: Duration,
    host: &Host,
    waiting: impl FnOnce(),
    mut find: impl FnMut() -> Option<T>,
) -> Waited<T> {
    let mut waiting = Some(waiting);
    let mut waited = Duration::ZERO;
    loop {
        match store.try_lock(name) {
            Ok(Attempt::Taken(guard)) => return Waited::Locked(guard),
            Ok(Attempt::Busy) => {}
            Err(why) => return Waited::Unlockable(why),
        }
        if let Some(found) = find() {
            return Waited::Found(found);
        }
        if waited >= bound {
            return Waited::Late(format!("it is still held after {} s", bound.as_secs()));
        }
        if let Some(say) = waiting.take() {
            say();
        }
        let pause = pause(host);
        host.clock.pause(pause);
        waited += pause;
    }
}

/// How long to wait before the next try.
pub(crate) fn pause(host: &Host) -> Duration {
    let mut chance = [0];
    // without entropy the waiters step in time, which is slower and not wrong
    drop(host.entropy.fill(&mut chance));
    Duration::from_millis(u64::from(SHORTEST_PAUSE_MS + chance[0] % (PAUSE_SPREAD_MS + 1)))
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::ManualClock;

    use super::*;
    use crate::host::PrivateDir;

    fn host() -> Host {
        Host { clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")), ..Host::refusing() }
    }

    #[test]
    fn a_stopped_holder_is_not_waited_for_beyond_the_bound() {
        let home = tempfile::tempdir().unwrap();
        let (ours, theirs) =
            (PrivateDir::new(home.path().into()), PrivateDir::new(home.path().into()));
        let Ok(Attempt::Taken(_held)) = theirs.try_lock("l") else { panic!("not locked") };
        let (host, mut said) = (host(), 0);
        let start = host.clock.now();
        let end = take(&ours, "l", Duration::from_secs(35), &host, || said += 1, || None::<()>);
        let Waited::Late(why) = end else { panic!("not given up") };
        assert_eq!((why.as_str(), said), ("it is still held after 35 s", 1));
        let waited = host.clock.now().duration_since(start);
        assert!(waited.as_secs() == 35, "{waited:?}");
    }

    #[test]
    fn what_the_holder_made_ends_the_wait() {
        let home = tempfile::tempdir().unwrap();
        let (ours, theirs) =
            (PrivateDir::new(home.path().into()), PrivateDir::new(home.path().into()));
        let Ok(Attempt::Taken(_held)) = theirs.try_lock("l") else { panic!("not locked") };
        let mut looks = 0;
        let find = || {
            looks += 1;
            (looks == 3).then_some("made")
        };
        let end = take(&ours, "l", Duration::from_secs(35), &host(), || (), find);
        assert!(matches!(end, Waited::Found("made")));
    }

    #[test]
    fn a_dropped_lock_is_free() {
        let home = tempfile::tempdir().unwrap();
        let store = PrivateDir::new(home.path().into());
        for _ in 0..2 {
            let end = take(&store, "l", Duration::ZERO, &host(), || (), || None::<()>);
            assert!(matches!(end, Waited::Locked(_)));
        }
    }
}
