//! Renewal ahead: who starts a process for it, when, and what that process does.

use fleetkey_provider::testing::{KeptNotes, StaticEnv, StaticSessions};

use super::*;

/// A fixture in which somebody is signed in, and a count of the processes that were started.
struct Desk {
    fixture: Fixture,
    lender: Lender,
    started: Arc<AtomicUsize>,
}

impl Desk {
    /// A credential is kept, for an hour.
    fn new() -> Self {
        Self::of(Lender::person("a"))
    }

    fn of(lender: Lender) -> Self {
        let mut fixture = Fixture::new();
        let sessions = StaticSessions::default();
        let key = Lender::person("").session().unwrap();
        fixture.world.host.sessions = Box::new(sessions.with(key, "kept"));
        let started = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&started);
        fixture.world.start_renewal = Some(Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }));
        let desk = Self { fixture, lender, started };
        desk.get();
        desk
    }

    /// As `get-token` does it.
    fn get(&self) -> String {
        let broker = self.fixture.broker().ahead();
        broker.credential(&self.lender).unwrap().expose().to_owned()
    }

    /// As the process does it that was started.
    fn renew(&mut self) -> Result<String> {
        self.fixture.world.is_renewal = true;
        let broker = self.fixture.broker().ahead();
        let done = broker.credential(&self.lender).map(|lent| lent.expose().to_owned());
        self.fixture.world.is_renewal = false;
        done
    }

    fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    fn store(&self) -> crate::host::PrivateDir {
        crate::host::PrivateDir::new(self.fixture.home.path().join("cache/lender"))
    }

    fn marker(&self) -> String {
        format!("{}.renewing", self.lender.fingerprint())
    }

    fn is_marked(&self) -> bool {
        self.store().read(&self.marker()).unwrap().is_some()
    }
}

#[test]
fn before_its_time_nothing_is_started_and_nothing_made() {
    let desk = Desk::new();
    for _ in 0..43 {
        desk.fixture.later(1);
        assert_eq!(desk.get(), "/a1");
    }
    assert_eq!((desk.started(), desk.is_marked()), (0, false));
}

#[test]
fn of_many_callers_one_starts_it_and_all_are_answered_with_what_is_there() {
    let mut desk = Desk::new();
    desk.fixture.later(53);
    for _ in 0..20 {
        assert_eq!(desk.get(), "/a1");
    }
    assert_eq!((desk.started(), desk.lender.asked()), (1, 1));
    assert_eq!(desk.renew().unwrap(), "/a2");
    assert!(!desk.is_marked());
    assert_eq!(desk.get(), "/a2");
    assert_eq!((desk.started(), desk.lender.asked()), (1, 2));
    // one that was started once too often finds nothing to do
    assert_eq!(desk.renew().unwrap(), "/a2");
    assert_eq!(desk.lender.asked(), 2);
}

#[test]
fn a_hundred_threads_start_one() {
    let desk = Desk::new();
    desk.fixture.later(53);
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(desk.get(), "/a1"));
        }
    });
    assert_eq!((desk.started(), desk.lender.asked()), (1, 1));
    // and of those that find one that died long ago
    desk.fixture.later(2);
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(desk.get(), "/a1"));
        }
    });
    assert_eq!((desk.started(), desk.lender.asked()), (2, 1));
}

#[test]
fn nobody_waits_for_a_machine() {
    let desk = Desk::of(Lender::named("a"));
    desk.fixture.later(54);
    assert_eq!(desk.get(), "/a1");
    desk.fixture.later(2);
    assert_eq!(desk.get(), "/a2");
    assert_eq!(desk.started(), 0);
}

#[test]
fn a_role_that_stands_on_a_person_is_renewed_with_what_it_stands_on() {
    let source = Some(Box::new(Lender::person("s")));
    let mut desk = Desk::of(Lender { source, ..Lender::named("a") });
    desk.fixture.later(53);
    assert_eq!(desk.get(), "/s1/a1");
    assert_eq!(desk.started(), 1);
    assert_eq!(desk.renew().unwrap(), "/s2/a2");
    assert_eq!(desk.get(), "/s2/a2");
}

#[test]
fn it_can_be_switched_off() {
    let mut desk = Desk::new();
    desk.fixture.later(53);
    desk.fixture.options.renew_ahead = false;
    assert_eq!(desk.get(), "/a1");
    desk.fixture.options.renew_ahead = true;
    for (value, expected) in [("1", 0), ("true", 0), ("", 1)] {
        let env = [("FLEETKEY_NO_RENEW_AHEAD", value)];
        desk.fixture.world.host.env = Box::new(StaticEnv::new(env));
        assert_eq!(desk.get(), "/a1");
        assert_eq!(desk.started(), expected, "{value:?}");
    }
    // what is stale is then renewed by whoever needs it
    desk.fixture.options.renew_ahead = false;
    desk.fixture.later(3);
    assert_eq!(desk.get(), "/a2");
}

#[test]
fn who_signs_in_by_hand_starts_nothing() {
    let desk = Desk::new();
    desk.fixture.later(53);
    assert_eq!(desk.fixture.bring(&desk.lender).unwrap(), "/a1");
    assert_eq!((desk.started(), desk.is_marked()), (0, false));
}

#[test]
fn one_that_failed_is_tried_again_after_a_pause_that_grows() {
    let mut desk = Desk::new();
    desk.lender.fail(Error::unavailable("down"));
    desk.fixture.later(44);
    let mut starts = Vec::new();
    for second in 0..13 * 60 {
        assert_eq!(desk.get(), "/a1", "at {second}");
        if desk.started() > starts.len() {
            starts.push(second);
            assert_eq!(desk.renew().unwrap(), "/a1");
        }
        desk.fixture.clock.set(desk.fixture.world.host.clock.now() + SignedDuration::from_secs(1));
    }
    let pauses: Vec<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!([60, 120, 240].starts_with(&pauses) && pauses.len() >= 2, "{pauses:?}");
    // foreground calls asked nobody: all that was asked is the first, and one for each start
    assert_eq!(desk.lender.asked(), 1 + starts.len());
    // and it is forgotten with the credential that it was about
    desk.lender.recover();
    desk.fixture.later(10);
    let next = desk.get();
    assert_ne!(next, "/a1");
    let before = desk.started();
    desk.fixture.later(53);
    desk.get();
    assert_eq!(desk.started(), before + 1);
}

#[test]
fn a_marker_that_says_nothing_or_comes_from_the_future_is_taken_over() {
    let desk = Desk::new();
    desk.fixture.later(53);
    for (count, text) in
        ["", "{", "{\"when\":\"2030-01-01T00:00:00Z\",\"tries\":1}"].iter().enumerate()
    {
        desk.store().replace(&desk.marker(), text.as_bytes()).unwrap();
        for _ in 0..3 {
            assert_eq!(desk.get(), "/a1");
        }
        assert_eq!(desk.started(), count + 1, "{text}");
    }
}

#[test]
fn one_that_cannot_be_started_is_a_note() {
    let mut desk = Desk::new();
    let notes = KeptNotes::default();
    desk.fixture.world.host.notes = Box::new(notes.clone());
    desk.fixture.world.start_renewal = Some(Box::new(|| Err("no more processes".into())));
    desk.fixture.later(53);
    assert_eq!(desk.get(), "/a1");
    assert!(notes.lines().iter().any(|line| line.contains("no more processes")), "{notes:?}");
    // a folder that cannot be written to
    let key = desk.lender.fingerprint();
    let nowhere = crate::host::PrivateDir::new("/dev/null/x".into());
    let now = desk.fixture.world.host.clock.now();
    assert!(renewal::turn(&nowhere, key, now, now).is_err());
}

#[test]
fn a_command_line_with_a_secret_starts_nobody_and_its_call_renews() {
    let mut desk = Desk::new();
    desk.fixture.world.shows_secret = || true;
    desk.fixture.later(53);
    assert_eq!(desk.get(), "/a1");
    assert!(desk.store().read(&desk.marker()).unwrap().is_none());
    desk.fixture.later(3);
    assert_eq!(desk.get(), "/a2");
    assert_eq!(desk.started(), 0);
}

#[test]
fn a_number_of_tries_that_nobody_reached_takes_no_time() {
    let desk = Desk::new();
    desk.fixture.later(53);
    let now = desk.fixture.world.host.clock.now();
    let text = format!(r#"{{"when":"{now}","tries":{}}}"#, u32::MAX);
    desk.store().replace(&desk.marker(), text.as_bytes()).unwrap();
    let began = std::time::Instant::now();
    assert_eq!(desk.get(), "/a1");
    assert!(began.elapsed() < Duration::from_secs(1), "it counted");
    assert_eq!(desk.started(), 0);
    desk.fixture.later(2);
    assert_eq!((desk.get().as_str(), desk.started()), ("/a1", 0));
}

#[test]
fn while_it_hangs_the_last_minutes_are_the_callers_own_and_before_them_nobody_waits() {
    let desk = Desk::new();
    desk.fixture.later(53);
    let store = desk.store();
    let lock = format!("{}.lock", desk.lender.fingerprint());
    let Ok(crate::host::Attempt::Taken(held)) = store.try_lock(&lock) else { panic!("busy") };
    let before = desk.fixture.world.host.clock.now();
    assert_eq!(desk.get(), "/a1");
    desk.fixture.later(4);
    for _ in 0..3 {
        assert_eq!(desk.get(), "/a1");
    }
    // the lock is tried and not waited for
    desk.fixture.later(2);
    assert_eq!(desk.get(), "/a1");
    let passed = desk.fixture.world.host.clock.now().duration_since(before);
    assert_eq!((passed.as_mins(), desk.lender.asked()), (6, 1));
    drop(held);
    assert_eq!(desk.get(), "/a2");
}

#[test]
fn the_process_gives_up_where_the_lock_is_held_and_asks_no_person() {
    let mut desk = Desk::new();
    desk.fixture.later(53);
    let store = desk.store();
    let lock = format!("{}.lock", desk.lender.fingerprint());
    let Ok(crate::host::Attempt::Taken(held)) = store.try_lock(&lock) else { panic!("busy") };
    assert_eq!(desk.renew().unwrap(), "/a1");
    // nor does it go on without a lock
    store.remove(&format!("{}.credential", desk.lender.fingerprint())).unwrap();
    assert_eq!(desk.renew().unwrap_err().kind(), Kind::Unavailable);
    drop(held);
    desk.fixture.world.host.sessions = Box::new(StaticSessions::default());
    assert_eq!(desk.renew().unwrap_err().kind(), Kind::SignInNeeded);
    assert_eq!(desk.lender.signed_in(), 0);
}

#[test]
fn what_another_tool_keeps_serves_until_a_successor_of_ours_is_there() {
    let since = "2026-01-02T03:04:05Z".parse().ok();
    let lender = Lender { at_hand: Some("theirs"), at_hand_since: since, ..Lender::person("a") };
    let mut desk = Desk::of(lender);
    assert_eq!((desk.get().as_str(), desk.lender.asked()), ("theirs", 0));
    desk.fixture.later(53);
    for _ in 0..3 {
        assert_eq!(desk.get(), "theirs");
    }
    assert_eq!((desk.started(), desk.lender.asked()), (1, 0));
    assert_eq!(desk.renew().unwrap(), "/a1");
    assert_eq!((desk.get().as_str(), desk.started()), ("/a1", 1));
    // where nothing is kept, it is all there is
    let broker = Broker::new(&desk.fixture.world, &desk.fixture.options, Folders::default());
    assert_eq!(broker.ahead().credential(&desk.lender).unwrap().expose(), "theirs");
}
