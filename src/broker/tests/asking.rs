//! Who is asked to sign in, who waits, and who is left alone.

use fleetkey_provider::{Sessions as _, testing::StaticSessions};

use super::*;
use crate::{
    host::{Attempt, PrivateDir},
    options::Ask,
};

/// Somebody at a desk, with sessions.
pub(super) fn at_a_desk(person: &Lender) -> (Fixture, StaticSessions) {
    let mut fixture = Fixture::new();
    let sessions = StaticSessions::default();
    fixture.world.host.sessions = Box::new(sessions.clone());
    fixture.ask(Some(Ask::Browser));
    assert!(person.person);
    (fixture, sessions)
}

impl Fixture {
    pub(super) fn ask(&mut self, ask: Option<Ask>) {
        self.world.host.person = Box::new(crate::host::Desk::new(ask, None, &self.world.host));
    }
}

#[test]
fn who_signs_in_is_asked_once_and_signed_in_for_everything() {
    let (a, b) = (Lender::person("a"), Lender::person("b"));
    let (fixture, _) = at_a_desk(&a);
    assert_eq!(fixture.bring(&a).unwrap(), "signed in");
    assert_eq!(fixture.bring(&a).unwrap(), "signed in");
    assert_eq!((a.asked(), a.signed_in()), (1, 1));
    // another credential of the same session is lent without asking anybody
    assert_eq!(fixture.bring(&b).unwrap(), "/b1");
    assert_eq!(b.signed_in(), 0);
}

#[test]
fn what_was_lent_before_somebody_signed_in_is_not_theirs() {
    let (a, b, machine) = (Lender::person("a"), Lender::person("b"), Lender::named("machine"));
    let (fixture, sessions) = at_a_desk(&a);
    fixture.bring(&a).unwrap();
    assert_eq!(fixture.bring(&b).unwrap(), "/b1");
    fixture.bring(&machine).unwrap();
    // that session ends, and nobody says so here
    sessions.open(a.session().unwrap()).unwrap().forget();
    assert_eq!(fixture.bring(&b).unwrap(), "/b1");
    let c = Lender::person("c");
    assert_eq!((fixture.bring(&c).unwrap().as_str(), c.signed_in()), ("signed in", 1));
    assert_eq!(fixture.bring(&b).unwrap(), "/b2", "it was lent to who was signed in before");
    assert_eq!(fixture.bring(&c).unwrap(), "signed in");
    assert_eq!(fixture.bring(&machine).unwrap(), "/machine1");
}

#[test]
fn a_sign_in_that_was_declined_is_not_begun_again_for_ten_minutes() {
    let person = Lender::person("a");
    let (fixture, _) = at_a_desk(&person);
    person.decline(true);
    let error = fixture.bring(&person).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::SignInNeeded, "declined"));
    for _ in 0..100 {
        let error = fixture.bring(&person).unwrap_err();
        assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some("sign in a")));
        assert!(error.to_string().contains("before 03:14:05"), "{error}");
    }
    assert_eq!((person.asked(), person.signed_in()), (1, 1), "something was asked again");
    // nor for another credential of the same session
    let other = Lender::person("b");
    assert!(fixture.bring(&other).unwrap_err().to_string().contains("nobody is asked again"));
    assert_eq!(other.signed_in(), 0);

    fixture.later(10);
    person.decline(false);
    assert_eq!(fixture.bring(&person).unwrap(), "signed in");
}

#[test]
fn who_signs_in_by_hand_is_asked_again() {
    let person = Lender::person("a");
    let (fixture, _) = at_a_desk(&person);
    person.decline(true);
    fixture.bring(&person).unwrap_err();
    person.decline(false);
    fixture.bring(&person).unwrap_err();
    fixture.broker().by_hand(&person);
    assert_eq!(fixture.bring(&person).unwrap(), "signed in");
    assert_eq!(person.signed_in(), 2);
}

#[test]
fn a_killed_sign_in_counts_as_one_that_was_declined() {
    let person = Lender::person("a");
    let (fixture, _) = at_a_desk(&person);
    let store = PrivateDir::new(fixture.home.path().join("state/asked"));
    let memory = Memory { store: &store, now: fixture.world.host.clock.now() };
    memory.asking(person.session().unwrap(), person.fingerprint(), None).unwrap();
    let error = fixture.bring(&person).unwrap_err();
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert_eq!((person.asked(), person.signed_in()), (0, 0));
}

#[test]
fn who_could_not_ask_is_told_at_once_even_while_somebody_else_is_asked() {
    let person = Lender::person("a");
    let (mut fixture, _) = at_a_desk(&person);
    fixture.ask(Some(Ask::Never));
    let store = PrivateDir::new(fixture.home.path().join("state/asked"));
    let Ok(Attempt::Taken(_held)) = store.try_lock(&Memory::lock(person.session().unwrap())) else {
        panic!("not locked")
    };
    let start = fixture.world.host.clock.now();
    assert_eq!(fixture.bring(&person).unwrap_err().message(), "nobody is signed in");
    assert_eq!(fixture.world.host.clock.now(), start, "it waited");
}

#[test]
fn a_hundred_threads_ask_one_person() {
    let person = Arc::new(Lender::person("a"));
    let (fixture, _) = at_a_desk(&person);
    // in real time: the manual clock would run away
    let mut fixture = fixture;
    fixture.world.host.clock = Box::new(crate::host::SystemClock);
    fixture.world.host.entropy = Box::new(crate::host::SystemEntropy);
    let fixture = Arc::new(fixture);
    let threads: Vec<_> = (0..100)
        .map(|_| {
            let (fixture, person) = (Arc::clone(&fixture), Arc::clone(&person));
            std::thread::spawn(move || fixture.bring(&person).unwrap())
        })
        .collect();
    for thread in threads {
        // who looked before anybody was asked, and asked the cloud after, was lent another
        let lent = thread.join().unwrap();
        assert!(lent == "signed in" || lent.starts_with("/a"), "{lent}");
    }
    assert_eq!(person.signed_in(), 1);
}

#[test]
fn what_must_not_be_repeated_is_not_sent_again_until_it_changes() {
    let (mut fixture, lender) = (Fixture::new(), Lender::named("a"));
    lender.fail(Error::refused("wrong password").because("code 1").next("type this").once());
    for n in 0..5 {
        let error = fixture.bring(&lender).unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::Refused, "wrong password"));
        assert_eq!(error.next_line(), Some("type this"));
        let remembered = "code 1; not asked again before 03:14:05 UTC";
        assert_eq!(error.cause(), Some(if n == 0 { "code 1" } else { remembered }));
    }
    assert_eq!(lender.asked(), 1);
    // another key is another question, and so is another password
    assert_eq!(fixture.bring(&Lender::named("b")).unwrap(), "/b1");
    *lender.password.lock().unwrap() = Some("another");
    fixture.bring(&lender).unwrap_err();
    assert_eq!(lender.asked(), 2);
    // `--fresh` may stand in a kubeconfig, so it is no way round
    fixture.options.cache = CacheUse::Fresh;
    fixture.bring(&lender).unwrap_err();
    assert_eq!(lender.asked(), 2);
    fixture.options.cache = CacheUse::Normal;
    fixture.later(10);
    lender.recover();
    assert_eq!(fixture.bring(&lender).unwrap(), "/a3");
}

#[test]
fn where_asking_cannot_be_remembered_only_who_wants_to_be_is_asked() {
    for is_file in [false, true] {
        let person = Lender::person("a");
        let (fixture, _) = at_a_desk(&person);
        PrivateDir::new(fixture.home.path().into()).replace("file", b"").unwrap();
        let state = is_file.then(|| fixture.home.path().join("file"));
        let folders = Folders { cache: None, state };
        let broker = Broker::new(&fixture.world, &fixture.options, folders);
        let before = person.signed_in();
        for _ in 0..5 {
            let error = broker.credential(&person).unwrap_err();
            assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some("sign in a")));
        }
        assert_eq!(person.signed_in(), before);
        broker.by_hand(&person);
        assert_eq!(broker.credential(&person).unwrap().expose(), "signed in");
    }
}

#[test]
fn who_could_not_be_shown_anything_was_not_asked() {
    let person = Lender::person("a");
    let (mut fixture, _) = at_a_desk(&person);
    person.decline(true);
    fixture.bring(&person).unwrap_err();
    fixture.later(10);
    // this time the network is away before a page is shown
    fixture.world.host.person = Box::new(Unreached);
    for count in 2..5 {
        fixture.bring(&person).unwrap_err();
        assert_eq!(person.signed_in(), count, "a failure of the network was taken for a no");
    }
}

/// Somebody with a browser who was shown nothing.
struct Unreached;

impl fleetkey_provider::Person for Unreached {
    fn means(&self) -> Means {
        Means { browser: true, terminal: false, keyboard: false }
    }
    fn tell(&self, _text: &str) {}
    fn was_asked(&self) -> bool {
        false
    }
    fn ask(&self, _prompt: &str) -> Result<fleetkey_provider::SecretString> {
        Err(Error::failed("nobody types here"))
    }
    fn land(&self, _port: Option<u16>) -> Result<Box<dyn fleetkey_provider::Landing>> {
        Err(Error::failed("nothing lands here"))
    }
}

#[test]
fn who_was_killed_after_somebody_signed_in_has_not_asked_in_vain() {
    let person = Lender::person("a");
    let (fixture, sessions) = at_a_desk(&person);
    let store = PrivateDir::new(fixture.home.path().join("state/asked"));
    let memory = Memory { store: &store, now: fixture.world.host.clock.now() };
    let session = person.session().unwrap();
    memory.asking(session, person.fingerprint(), None).unwrap();
    let _signed_in = sessions.with(session, "kept");
    assert_eq!(fixture.bring(&person).unwrap(), "/a1");
    assert_eq!(person.signed_in(), 0);
}
