use fleetkey_provider::{BoxFuture, CredentialKey, Error, Host, Refusing, Token};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::host::PrivateDir;

/// A question, of whoever is signed in there.
#[derive(Debug)]
struct Asks {
    name: &'static str,
    session: Option<&'static str>,
    source: Option<Box<Self>>,
}

impl Asks {
    fn of(name: &'static str, session: Option<&'static str>) -> Self {
        Self { name, session, source: None }
    }
}

impl Request for Asks {
    fn provider(&self) -> &'static str {
        "p"
    }
    fn describe(&self) -> String {
        "me".into()
    }
    fn session(&self) -> Option<SessionKey> {
        self.session.map(session)
    }
    fn source(&self) -> Option<&dyn Request> {
        self.source.as_deref().map(|source| source as &dyn Request)
    }
    fn key(&self, key: &mut CredentialKey) {
        key.field("name", self.name);
    }
    fn at_hand(&self, _host: &Host) -> fleetkey_provider::Result<Option<Credential>> {
        Ok(None)
    }
    fn still_ours(&self, _credential: &Credential, _host: &Host) -> bool {
        true
    }
    fn obtain<'a>(
        &'a self,
        _source: Option<&'a Credential>,
        _host: &'a Host,
    ) -> BoxFuture<'a, fleetkey_provider::Result<Credential>> {
        Box::pin(async { Err(Error::failed("nothing is lent here")) })
    }
    fn token(&self, _credential: &Credential, _host: &Host) -> fleetkey_provider::Result<Token> {
        Err(Error::failed("no token is asked for here"))
    }
}

fn session(name: &'static str) -> SessionKey {
    SessionKey::new("p", &[("person", name)])
}

fn key() -> Fingerprint {
    Asks::of("k", None).fingerprint()
}

fn credential() -> Credential {
    let issued: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    Credential::until("{\"a\":\"b\\\"c\"}".into(), issued, issued + SignedDuration::from_hours(1))
}

fn kept() -> (tempfile::TempDir, PrivateDir, Vec<u8>) {
    let home = tempfile::tempdir().unwrap();
    let store = PrivateDir::new(home.path().join("c"));
    let asks = Asks::of("k", Some("alice"));
    Cache { store: &store, notes: &Refusing }.keep(&asks, &credential());
    let bytes = store.read(&file(key())).unwrap().unwrap();
    (home, store, bytes)
}

#[test]
fn what_is_kept_comes_back() {
    let (_home, store, _) = kept();
    let back = Cache { store: &store, notes: &Refusing }.read(key()).unwrap();
    assert_eq!(back.expose(), credential().expose());
    assert_eq!((back.issued(), back.expires()), (credential().issued(), credential().expires()));
}

#[test]
fn every_truncation_is_a_miss() {
    let (_home, _store, bytes) = kept();
    assert!(parse(&bytes, key()).is_some());
    for end in 0..bytes.len() {
        assert!(parse(&bytes[..end], key()).is_none(), "{end} bytes were believed");
    }
}

#[test]
fn every_flipped_bit_is_a_miss() {
    let (_home, _store, bytes) = kept();
    for at in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[at / 8] ^= 1 << (at % 8);
        assert!(parse(&bad, key()).is_none(), "bit {at} did not matter");
    }
}

#[test]
fn another_keys_entry_is_a_miss() {
    let (_home, store, bytes) = kept();
    let other = Fingerprint::of(b"other");
    store.replace(&file(other), &bytes).unwrap();
    assert!(Cache { store: &store, notes: &Refusing }.read(other).is_none());
}

#[test]
fn a_credential_without_an_end_is_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let store = PrivateDir::new(home.path().join("c"));
    let cache = Cache { store: &store, notes: &Refusing };
    let lasting = Credential::lasting("s".into(), credential().issued());
    cache.keep(&Asks::of("k", None), &lasting);
    assert!(cache.read(key()).is_none());
}

#[test]
fn an_entry_that_names_no_session_is_read_as_ever() {
    let home = tempfile::tempdir().unwrap();
    let store = PrivateDir::new(home.path().join("c"));
    let body = format!(
        r#"{{"key":"{}","identity":"me","issued":"2026-01-02T03:04:05Z","expires":"2026-01-02T04:04:05Z","secret":"s"}}"#,
        key()
    );
    let text = format!("{MAGIC}{}\n{body}\n", Fingerprint::of(body.as_bytes()));
    store.replace(&file(key()), text.as_bytes()).unwrap();
    let cache = Cache { store: &store, notes: &Refusing };
    assert_eq!(cache.read(key()).unwrap().expose(), "s");
    assert_eq!(cache.forget_lent(&[session("alice")]), Ok(0));
}

#[test]
fn what_was_lent_from_a_session_goes_with_it_whatever_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let store = PrivateDir::new(home.path().join("c"));
    let cache = Cache { store: &store, notes: &Refusing };
    assert_eq!(cache.forget_lent(&[session("alice")]), Ok(0));
    assert!(!home.path().join("c").exists());
    let both = Asks {
        source: Some(Box::new(Asks::of("source", Some("alice")))),
        ..Asks::of("both", Some("device"))
    };
    let alices = [Asks::of("k", Some("alice")), Asks::of("another", Some("alice")), both];
    let others = [Asks::of("bobs", Some("bob")), Asks::of("machine", None)];
    for asks in alices.iter().chain(&others) {
        cache.keep(asks, &credential());
    }
    let dead = i32::MAX;
    let bytes = store.read(&file(key())).unwrap().unwrap();
    store.replace(&format!("{}.{dead}.tmp", file(key())), &bytes).unwrap();
    store.replace("notes.credential", &bytes).unwrap();
    assert_eq!(cache.forget_lent(&[session("alice"), session("nobody")]), Ok(3));
    assert!(alices.iter().all(|asks| cache.read(asks.fingerprint()).is_none()));
    assert!(others.iter().all(|asks| cache.read(asks.fingerprint()).is_some()));
    assert_eq!(store.list().unwrap().len(), 3);
    assert_eq!(cache.forget_all(), Ok(2));
    assert_eq!(store.list().unwrap(), ["notes.credential"]);
}
