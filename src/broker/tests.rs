//! The broker against a lender that counts, with real files and a clock that stands.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Host, SessionKey, SignIn, Token, testing::ManualClock,
};
use jiff::SignedDuration;

use super::*;

/// Lends for an hour, as often as it is asked, until it is told to fail.
#[derive(Debug, Default)]
struct Lender {
    name: &'static str,
    source: Option<Box<Self>>,
    asked: AtomicUsize,
    fails: Mutex<Option<Error>>,
    signed_out: Mutex<bool>,
}

impl Lender {
    fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
    fn fail(&self, error: Error) {
        *self.fails.lock().unwrap() = Some(error);
    }
}

impl Request for Lender {
    fn provider(&self) -> &'static str {
        "lender"
    }
    fn describe(&self) -> String {
        self.name.into()
    }
    fn session(&self) -> Option<SessionKey> {
        None
    }
    fn key(&self, key: &mut CredentialKey) {
        key.field("name", self.name);
    }
    fn source(&self) -> Option<&dyn Request> {
        self.source.as_deref().map(|source| source as &dyn Request)
    }
    fn at_hand(&self, _host: &Host) -> Result<Option<Credential>> {
        Ok(None)
    }
    fn still_ours(&self, _credential: &Credential, _host: &Host) -> bool {
        !*self.signed_out.lock().unwrap()
    }
    fn obtain<'a>(
        &'a self,
        source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>> {
        let count = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            if let Some(error) = self.fails.lock().unwrap().clone() {
                return Err(error);
            }
            let now = host.clock.now();
            let under = source.map(|source| source.expose().to_owned()).unwrap_or_default();
            let secret = format!("{under}/{}{count}", self.name);
            Ok(Credential::until(secret.into(), now, now + SignedDuration::from_hours(1)))
        })
    }
    fn sign_in<'a>(&'a self, _how: SignIn, _host: &'a Host) -> BoxFuture<'a, Result<bool>> {
        *self.fails.lock().unwrap() = None;
        Box::pin(async { Ok(true) })
    }
    fn token(&self, _credential: &Credential, _host: &Host) -> Result<Token> {
        Err(Error::failed("no token is asked for here"))
    }
}

struct Fixture {
    home: tempfile::TempDir,
    world: World,
    clock: ManualClock,
    options: Options,
}

impl Fixture {
    fn new() -> Self {
        let clock = ManualClock::at("2026-01-02T03:04:05Z");
        let mut world = World::real().heard_by(std::io::sink(), std::io::sink());
        world.host = Host { clock: Box::new(clock.clone()), ..Host::refusing() };
        world.stderr_is_terminal = || true;
        let options = Options {
            api_version: None,
            cache_dir: None,
            cache: CacheUse::Normal,
            timeout: Duration::from_secs(30),
            ask: None,
            verbose: false,
        };
        Self { home: tempfile::tempdir().unwrap(), world, clock, options }
    }
    fn bring(&self, request: &Lender) -> Result<String> {
        let broker = Broker::new(&self.world, &self.options, Some(self.home.path()));
        broker.credential(request).map(|credential| credential.expose().to_owned())
    }
    fn later(&self, minutes: i64) {
        self.clock.set(self.world.host.clock.now() + SignedDuration::from_mins(minutes));
    }
}

#[test]
fn a_credential_is_asked_for_once_while_it_is_fresh() {
    let (fixture, lender) = (Fixture::new(), Lender::named("a"));
    assert_eq!(fixture.bring(&lender).unwrap(), "/a1");
    fixture.later(50);
    assert_eq!(fixture.bring(&lender).unwrap(), "/a1");
    fixture.later(6);
    assert_eq!(fixture.bring(&lender).unwrap(), "/a2");
}

#[test]
fn one_that_still_works_serves_while_its_successor_cannot_be_had() {
    let (fixture, lender) = (Fixture::new(), Lender::named("a"));
    fixture.bring(&lender).unwrap();
    lender.fail(Error::unavailable("down"));
    fixture.later(56);
    assert_eq!(fixture.bring(&lender).unwrap(), "/a1");
    fixture.later(5);
    assert_eq!(fixture.bring(&lender).unwrap_err().message(), "down");
}

#[test]
fn a_role_and_its_source_are_kept_each_in_its_own_right() {
    let fixture = Fixture::new();
    let over = |name| Lender { source: Some(Box::new(Lender::named("s"))), ..Lender::named(name) };
    assert_eq!(fixture.bring(&over("a")).unwrap(), "/s1/a1");
    let second = over("b");
    assert_eq!(fixture.bring(&second).unwrap(), "/s1/b1");
    assert_eq!(second.source.as_ref().unwrap().asked(), 0);
}

#[test]
fn fresh_asks_once_for_the_whole_chain_and_keeps_it() {
    let mut fixture = Fixture::new();
    let lender = Lender { source: Some(Box::new(Lender::named("s"))), ..Lender::named("a") };
    fixture.bring(&lender).unwrap();
    fixture.later(1);
    fixture.options.cache = CacheUse::Fresh;
    assert_eq!(fixture.bring(&lender).unwrap(), "/s2/a2");
    fixture.options.cache = CacheUse::Normal;
    assert_eq!(fixture.bring(&lender).unwrap(), "/s2/a2");
}

#[test]
fn without_a_cache_nothing_is_read_or_kept() {
    let mut fixture = Fixture::new();
    let lender = Lender::named("a");
    fixture.options.cache = CacheUse::None;
    fixture.bring(&lender).unwrap();
    fixture.bring(&lender).unwrap();
    assert_eq!(lender.asked(), 2);
    assert_eq!(std::fs::read_dir(fixture.home.path()).unwrap().count(), 0);
}

#[test]
fn who_signed_out_is_asked_for_again() {
    let (fixture, lender) = (Fixture::new(), Lender::named("a"));
    fixture.bring(&lender).unwrap();
    *lender.signed_out.lock().unwrap() = true;
    assert_eq!(fixture.bring(&lender).unwrap(), "/a2");
}

#[test]
fn a_person_is_asked_only_where_one_may_be() {
    let (mut fixture, lender) = (Fixture::new(), Lender::named("a"));
    lender.fail(Error::sign_in_needed("sign in"));
    assert_eq!(fixture.bring(&lender).unwrap_err().kind(), Kind::SignInNeeded);
    fixture.world.host.person = Box::new(crate::host::Desk::new(
        Some(crate::options::Ask::Browser),
        None,
        &fixture.world.host,
    ));
    assert_eq!(fixture.bring(&lender).unwrap(), "/a3");
}

#[test]
fn what_was_over_before_it_arrived_blames_the_clock() {
    let (fixture, lender) = (Fixture::new(), Lender::named("a"));
    let broker = Broker::new(&fixture.world, &fixture.options, None);
    let now = fixture.world.host.clock.now();
    let dead = Credential::until("s".into(), now, now - SignedDuration::from_secs(1));
    assert_eq!(broker.alive(&lender, dead).unwrap_err().next_line(), Some("date -u"));
}

#[test]
fn twenty_threads_ask_once() {
    // the clock of this test runs away while somebody waits, so the bound has to be out of reach
    let mut fixture = Fixture::new();
    fixture.options.timeout = Duration::from_hours(24 * 365);
    let fixture = Arc::new(fixture);
    let lender = Arc::new(Lender::named("a"));
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let (fixture, lender) = (Arc::clone(&fixture), Arc::clone(&lender));
            std::thread::spawn(move || fixture.bring(&lender).unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "/a1");
    }
    assert_eq!(lender.asked(), 1);
}
