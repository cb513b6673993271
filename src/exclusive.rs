//! A lock that is never gone on without: around what can be done once, such as redeeming a session.
//!
//! It is the system's file lock. Where files cannot be locked (some network folders) it is a file
//! that one process makes and that names it; one whose process is dead is taken over. A file of
//! another machine is never taken over: nobody can tell from here whether its maker lives.

use std::time::Duration;

use fleetkey_provider::Host;

use crate::{
    host::{Attempt, Guard, Store, is_alive, machine},
    lock,
};

/// A lock held. Free when it is dropped.
pub(crate) enum Exclusive<'a> {
    /// The system's.
    Lock(#[allow(dead_code, reason = "holding it is its use")] Guard),
    /// A file of ours.
    File(&'a dyn Store, String),
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        if let Self::File(store, name) = self {
            // whoever waits finds a dead process in it if we could not
            drop(store.remove(name));
        }
    }
}

/// How a wait ended.
pub(crate) enum Taken<'a> {
    /// It is ours.
    Ours(Exclusive<'a>),
    /// Somebody still has it.
    Theirs(String),
    /// No file can be made here.
    Nowhere(String),
}

/// Takes the lock of that name. `waiting` is called once, when the first try failed.
pub(crate) fn take<'a>(
    store: &'a dyn Store,
    name: &str,
    bound: Duration,
    host: &Host,
    waiting: impl FnOnce(),
) -> Taken<'a> {
    let mut waiting = Some(waiting);
    let mut waited = Duration::ZERO;
    loop {
        match attempt(store, name) {
            Taken::Theirs(who) if waited < bound => {
                drop(who);
                if let Some(say) = waiting.take() {
                    say();
                }
                let pause = lock::pause(host);
                host.clock.pause(pause);
                waited += pause;
            }
            done => return done,
        }
    }
}

fn attempt<'a>(store: &'a dyn Store, name: &str) -> Taken<'a> {
    match store.try_lock(name) {
        Ok(Attempt::Taken(guard)) => Taken::Ours(Exclusive::Lock(guard)),
        Ok(Attempt::Busy) => Taken::Theirs("another process holds it".into()),
        Err(why) => by_file(store, &format!("{name}-file"), why),
    }
}

/// `why` no file can be locked here.
fn by_file<'a>(store: &'a dyn Store, name: &str, why: String) -> Taken<'a> {
    let ours = format!("{} {}\n", std::process::id(), machine());
    let made = match store.create(name, ours.as_bytes()) {
        Ok(false) if is_left(store, name) => take_over(store, name, &ours),
        made => made,
    };
    match made {
        Ok(true) => Taken::Ours(Exclusive::File(store, name.to_owned())),
        Ok(false) => {
            Taken::Theirs(format!("`{name}` is another process's, and files cannot be locked"))
        }
        Err(_) => Taken::Nowhere(why),
    }
}

/// Of all that found the same dead maker one removes its file; the others would remove the next one's.
fn take_over(store: &dyn Store, name: &str, ours: &str) -> Result<bool, String> {
    let right = format!("{name}-taking");
    if is_left(store, &right) {
        store.remove(&right)?;
    }
    if !store.create(&right, ours.as_bytes())? {
        return Ok(false);
    }
    let done = if is_left(store, name) { store.remove(name).map(drop) } else { Ok(()) };
    let made = done.and_then(|()| store.create(name, ours.as_bytes()));
    store.remove(&right)?;
    made
}

/// Whether the maker of a file is dead.
fn is_left(store: &dyn Store, name: &str) -> bool {
    let Ok(Some(bytes)) = store.read(name) else { return false };
    let text = String::from_utf8_lossy(&bytes);
    let maker = text
        .trim_end()
        .split_once(' ')
        .and_then(|(process, machine)| Some((process.parse::<u32>().ok()?, machine)));
    maker.is_some_and(|(process, on)| on == machine() && !is_alive(process))
}

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use fleetkey_provider::testing::ManualClock;

    use super::*;
    use crate::host::PrivateDir;

    /// A folder where files cannot be locked.
    pub(crate) struct NoLocks(pub(crate) PrivateDir);

    impl Store for NoLocks {
        fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
            self.0.read(name)
        }
        fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
            self.0.replace(name, bytes)
        }
        fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, String> {
            self.0.create(name, bytes)
        }
        fn remove(&self, name: &str) -> Result<bool, String> {
            self.0.remove(name)
        }
        fn try_lock(&self, _name: &str) -> Result<Attempt, String> {
            Err("not supported".into())
        }
    }

    fn folder() -> (tempfile::TempDir, NoLocks) {
        let home = tempfile::tempdir().unwrap();
        let store = NoLocks(PrivateDir::new(home.path().into()));
        (home, store)
    }

    fn host() -> Host {
        Host { clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")), ..Host::refusing() }
    }

    fn dead() -> u32 {
        #[allow(clippy::disallowed_methods, reason = "a process that was, and is no more")]
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    }

    fn try_it(store: &dyn Store) -> Taken<'_> {
        take(store, "l", Duration::ZERO, &host(), || ())
    }

    #[test]
    fn without_locks_a_file_keeps_others_out_until_it_is_dropped() {
        let (home, store) = folder();
        let Taken::Ours(held) = try_it(&store) else { panic!("not taken") };
        assert!(matches!(try_it(&store), Taken::Theirs(_)));
        drop(held);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
        assert!(matches!(try_it(&store), Taken::Ours(_)));
    }

    #[test]
    fn the_file_of_a_dead_process_is_taken_over_and_that_of_another_machine_is_not() {
        let (_home, store) = folder();
        let theirs = |text: &str| store.replace("l-file", text.as_bytes()).unwrap();
        theirs(&format!("{} {}\n", dead(), machine()));
        let Taken::Ours(held) = try_it(&store) else { panic!("not taken over") };
        drop(held);
        for text in [&format!("{} elsewhere\n", dead()), "", "x y\n", "-1 z\n"] {
            theirs(text);
            assert!(matches!(try_it(&store), Taken::Theirs(_)), "{text:?}");
        }
    }

    #[test]
    fn of_many_that_find_a_dead_process_never_two_are_in() {
        let (_home, store) = folder();
        let dead = dead();
        let (inside, entered) = (AtomicUsize::new(0), AtomicUsize::new(0));
        for _ in 0..50 {
            store.replace("l-file", format!("{dead} {}\n", machine()).as_bytes()).unwrap();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        if let Taken::Ours(held) = try_it(&store) {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            entered.fetch_add(1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(held);
                        }
                    });
                }
            });
        }
        assert!(entered.into_inner() > 0);
    }

    #[test]
    fn a_wait_has_an_end() {
        let (_home, store) = folder();
        let _held = try_it(&store);
        let (host, mut said) = (host(), 0);
        let start = host.clock.now();
        let end = take(&store, "l", Duration::from_secs(15), &host, || said += 1);
        assert!(matches!(end, Taken::Theirs(_)) && said == 1);
        assert_eq!(host.clock.now().duration_since(start).as_secs(), 15);
    }

    #[test]
    fn where_no_file_can_be_made_there_is_no_lock() {
        let store = PrivateDir::new("/dev/null/x".into());
        assert!(matches!(try_it(&store), Taken::Nowhere(_)));
    }
}
