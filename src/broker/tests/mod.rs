//! The broker against a lender that counts, with real files and a clock that stands.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Host, Means, SessionKey, SignIn, SignedIn, Token,
    testing::ManualClock,
};
use jiff::SignedDuration;

use super::*;

mod ahead;
mod asking;
mod codes;

/// Lends for an hour, as often as it is asked, until it is told to fail.
#[derive(Debug, Default)]
struct Lender {
    name: &'static str,
    source: Option<Box<Self>>,
    asked: AtomicUsize,
    fails: Mutex<Option<Error>>,
    /// Whether it needs somebody to be signed in.
    person: bool,
    signed_in: AtomicUsize,
    declines: Mutex<bool>,
    signed_out: Mutex<bool>,
    password: Mutex<Option<&'static str>>,
    patience: Option<Duration>,
    /// Whether it needs a code from a person, and whether what that makes has an end.
    code: Option<bool>,
    /// Whether its person cannot be asked from here.
    elsewhere: bool,
    at_hand: Option<&'static str>,
    /// Since when; since now if that is not said.
    at_hand_since: Option<Timestamp>,
    shared: AtomicUsize,
}

impl Lender {
    fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }
    fn person(name: &'static str) -> Self {
        Self { name, person: true, ..Self::default() }
    }
    fn signed_in(&self) -> usize {
        self.signed_in.load(Ordering::SeqCst)
    }
    fn decline(&self, declines: bool) {
        *self.declines.lock().unwrap() = declines;
    }
    fn recover(&self) {
        *self.fails.lock().unwrap() = None;
    }
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
    fn fail(&self, error: Error) {
        *self.fails.lock().unwrap() = Some(error);
    }
    fn with_code(
        &self,
        source: Option<&Credential>,
        has_end: bool,
        now: Timestamp,
    ) -> Result<SignedIn> {
        if *self.declines.lock().unwrap() {
            return Err(Error::refused("wrong code").because("used").once());
        }
        let secret = format!("{}/{}", source.unwrap().expose(), self.name).into();
        Ok(SignedIn::Credential(if has_end {
            Credential::until(secret, now, now + SignedDuration::from_hours(12))
        } else {
            Credential::lasting(secret, now)
        }))
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
        if self.code.is_some() {
            return Some(SessionKey::new("lender", &[("device", self.name)]));
        }
        self.person.then(|| SessionKey::new("lender", &[("person", "alice")]))
    }
    fn key(&self, key: &mut CredentialKey) {
        key.field("name", self.name);
    }
    fn patience(&self) -> Option<Duration> {
        self.patience
    }
    fn proof(&self) -> Option<Fingerprint> {
        self.password.lock().unwrap().map(|password| Fingerprint::of(password.as_bytes()))
    }
    fn source(&self) -> Option<&dyn Request> {
        self.source.as_deref().map(|source| source as &dyn Request)
    }
    fn at_hand(&self, host: &Host) -> Result<Option<Credential>> {
        let now = self.at_hand_since.unwrap_or_else(|| host.clock.now());
        let end = now + SignedDuration::from_hours(1);
        Ok(self.at_hand.map(|secret| Credential::until(secret.into(), now, end)))
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
            if self.code.is_some() {
                return Err(Error::sign_in_needed("no code"));
            }
            if let Some(session) = self.session()
                && host.sessions.stamp(session).is_none()
            {
                return Err(Error::sign_in_needed("nobody is signed in"));
            }
            let now = host.clock.now();
            let under = source.map(|source| source.expose().to_owned()).unwrap_or_default();
            let secret = format!("{under}/{}{count}", self.name);
            Ok(Credential::until(secret.into(), now, now + SignedDuration::from_hours(1)))
        })
    }
    fn share(&self, _credential: &Credential, _host: &Host) {
        self.shared.fetch_add(1, Ordering::SeqCst);
    }
    fn how(&self, means: Means) -> Option<SignIn> {
        (means.browser && !self.elsewhere).then_some(SignIn::Browser)
    }
    fn sign_in_line(&self) -> Option<String> {
        Some(format!("sign in {}", self.name))
    }
    fn sign_in<'a>(
        &'a self,
        _how: SignIn,
        source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<SignedIn>> {
        self.signed_in.fetch_add(1, Ordering::SeqCst);
        host.person.tell("sign in");
        Box::pin(async move {
            if let Some(has_end) = self.code {
                return self.with_code(source, has_end, host.clock.now());
            }
            if *self.declines.lock().unwrap() {
                return Err(Error::sign_in_needed("declined"));
            }
            let session = self.session().unwrap();
            host.sessions.open(session)?.keep(&"kept".into())?;
            let now = host.clock.now();
            let end = now + SignedDuration::from_hours(1);
            Ok(SignedIn::Credential(Credential::until("signed in".into(), now, end)))
        })
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
            renew_ahead: true,
            session_store: None,
            verbose: false,
        };
        Self { home: tempfile::tempdir().unwrap(), world, clock, options }
    }
    fn bring(&self, request: &Lender) -> Result<String> {
        self.broker().credential(request).map(|credential| credential.expose().to_owned())
    }
    fn broker(&self) -> Broker<'_> {
        let below = |name| Some(self.home.path().join(name));
        let folders = Folders { cache: below("cache"), state: below("state") };
        Broker::new(&self.world, &self.options, folders)
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
fn what_was_over_before_it_arrived_blames_the_clock() {
    let (fixture, lender) = (Fixture::new(), Lender::named("a"));
    let broker = Broker::new(&fixture.world, &fixture.options, Folders::default());
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

/// A runtime that notes how long it was given.
#[derive(Default)]
struct Noting(crate::host::Tokio, Arc<Mutex<Vec<Duration>>>);

impl crate::Runtime for Noting {
    fn run<'a>(&'a self, work: BoxFuture<'a, ()>, limit: Duration) -> Result<()> {
        self.1.lock().unwrap().push(limit);
        self.0.run(work, limit)
    }
}

#[test]
fn another_program_has_its_own_time_and_not_that_of_the_network() {
    let mut fixture = Fixture::new();
    let limits = Arc::default();
    fixture.world.runtime = Box::new(Noting(crate::host::Tokio::default(), Arc::clone(&limits)));
    fixture.options.timeout = Duration::from_secs(1);
    fixture.bring(&Lender::named("network")).unwrap();
    let patience = Some(Duration::from_secs(90));
    let program = Lender { patience, ..Lender::named("program") };
    fixture.bring(&program).unwrap();
    // what still works is no reason to wait that long for its successor
    fixture.later(56);
    fixture.bring(&program).unwrap();
    let seconds = limits.lock().unwrap().iter().map(Duration::as_secs).collect::<Vec<_>>();
    assert_eq!(seconds, [5, 92, 1]);
}

#[test]
fn fresh_passes_over_another_tools_cache_and_not_over_keys_that_are_just_there() {
    let mut fixture = Fixture::new();
    let keys = Lender { at_hand: Some("keys"), ..Lender::named("a") };
    let tool = Lender { at_hand: Some("cached"), ..Lender::person("b") };
    let sessions = fleetkey_provider::testing::StaticSessions::default();
    fixture.world.host.sessions = Box::new(sessions.with(tool.session().unwrap(), "kept"));
    assert_eq!(fixture.bring(&keys).unwrap(), "keys");
    assert_eq!(fixture.bring(&tool).unwrap(), "cached");
    fixture.options.cache = CacheUse::Fresh;
    assert_eq!(fixture.bring(&keys).unwrap(), "keys");
    assert_eq!((keys.asked(), tool.asked()), (0, 0));
    assert_eq!(fixture.bring(&tool).unwrap(), "/b1");
    assert_eq!(tool.shared.load(Ordering::SeqCst), 1);
}

#[test]
fn without_a_cache_another_tools_is_neither_read_nor_written() {
    let mut fixture = Fixture::new();
    let keys = Lender { at_hand: Some("keys"), ..Lender::named("a") };
    let tool = Lender { at_hand: Some("cached"), ..Lender::person("b") };
    let sessions = fleetkey_provider::testing::StaticSessions::default();
    fixture.world.host.sessions = Box::new(sessions.with(tool.session().unwrap(), "kept"));
    fixture.options.cache = CacheUse::None;
    assert_eq!(fixture.bring(&keys).unwrap(), "keys");
    assert_eq!(fixture.bring(&tool).unwrap(), "/b1");
    assert_eq!(tool.shared.load(Ordering::SeqCst), 0);
}
