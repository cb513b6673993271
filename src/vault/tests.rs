use std::collections::HashSet;

use fleetkey_provider::{
    ExposeSecret, Kind as ErrorKind,
    testing::{CountingEntropy, KeptNotes, StaticEnv},
};

use super::{choice::FLEETKEY_SESSION_STORE, *};
use crate::host::{PrivateDir, SystemClock, SystemEntropy};

/// A key for the tests of what is sealed with it.
pub(crate) fn sealer() -> Sealer {
    let entropy = CountingEntropy::default();
    let host = Host { entropy: Box::new(entropy), ..Host::refusing() };
    Sealer { kind: Kind::File, key: Key::make(&host).unwrap() }
}

/// Another one.
pub(crate) fn another_sealer() -> Sealer {
    let host = Host { entropy: Box::new(SystemEntropy), ..Host::refusing() };
    Sealer { kind: Kind::File, key: Key::make(&host).unwrap() }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Open,
    Absent,
    Locked,
    Forgetful,
}

/// A place that does as it is told.
#[derive(Clone)]
struct Fake(Kind, Arc<Mutex<(State, Option<String>)>>);

impl Fake {
    fn new(kind: Kind, state: State) -> Self {
        Self(kind, Arc::new(Mutex::new((state, None))))
    }
    fn set(&self, state: State) {
        self.1.lock().unwrap().0 = state;
    }
    fn text(&self) -> Option<String> {
        self.1.lock().unwrap().1.clone()
    }
    fn lose(&self) {
        self.1.lock().unwrap().1 = None;
    }
}

impl Chest for Fake {
    fn kind(&self) -> Kind {
        self.0
    }
    fn read(&self) -> Result<Option<Key>, Closed> {
        let inside = self.1.lock().unwrap();
        match inside.0 {
            State::Open | State::Forgetful => {
                Ok(inside.1.as_deref().and_then(|text| Key::parse(text.as_bytes())))
            }
            State::Absent => Err(Closed::Absent("absent".into())),
            State::Locked => Err(Closed::Locked("locked".into())),
        }
    }
    fn write(&self, key: &Key) -> Result<(), Closed> {
        self.read()?;
        let mut inside = self.1.lock().unwrap();
        if inside.0 == State::Open {
            inside.1 = Some(key.text().expose_secret().to_owned());
        }
        Ok(())
    }
}

struct Fixture {
    home: tempfile::TempDir,
    host: Host,
    notes: KeptNotes,
    os: Fake,
    ring: Fake,
}

impl Fixture {
    fn new(os: State, ring: State) -> Self {
        let (home, notes) = (tempfile::tempdir().unwrap(), KeptNotes::default());
        let host = Host {
            clock: Box::new(SystemClock),
            entropy: Box::new(SystemEntropy),
            notes: Box::new(notes.clone()),
            ..Host::refusing()
        };
        let os = Fake::new(Kind::SecretService, os);
        Self { home, host, notes, os, ring: Fake::new(Kind::KernelKeyring, ring) }
    }

    fn choose(&mut self, store: &str) {
        self.host.env = Box::new(StaticEnv::new([(FLEETKEY_SESSION_STORE, store)]));
    }

    /// The vault of another process.
    fn vault(&self) -> Vault {
        let folder = self.home.path().to_owned();
        let file = KeyFile(Box::new(PrivateDir::new(folder.clone())));
        Vault {
            store: Box::new(PrivateDir::new(folder)),
            chests: vec![Arc::new(self.os.clone()), Arc::new(self.ring.clone()), Arc::new(file)],
            last: Mutex::default(),
        }
    }

    fn sealing(&self) -> Result<Arc<Sealer>> {
        self.vault().sealing(&self.host)
    }

    fn has_key_file(&self) -> bool {
        self.home.path().join(KEY_FILE).exists()
    }
}

#[test]
fn the_best_place_there_is_gets_the_key_and_keeps_it() {
    let places = [
        (State::Open, State::Open, Kind::SecretService),
        (State::Absent, State::Open, Kind::KernelKeyring),
        (State::Forgetful, State::Open, Kind::KernelKeyring),
        (State::Absent, State::Absent, Kind::File),
    ];
    for (os, ring, wanted) in places {
        let fixture = Fixture::new(os, ring);
        let made = fixture.sealing().unwrap();
        assert_eq!(made.kind, wanted);
        let (again, id) = (fixture.sealing().unwrap(), made.key.id());
        assert_eq!((again.kind, again.key.id()), (wanted, id.clone()));
        assert!(fixture.vault().opening(wanted, &id, &fixture.host).unwrap().is_some());
        assert!(fixture.vault().opening(wanted, "other", &fixture.host).unwrap().is_none());
        assert_eq!(fixture.has_key_file(), wanted == Kind::File);
        let warned =
            fixture.notes.lines().iter().any(|line| line.contains("file permissions only"));
        assert_eq!(warned, wanted == Kind::File);
    }
}

#[test]
fn a_locked_place_is_an_error_and_nothing_weaker_is_taken() {
    let fixture = Fixture::new(State::Locked, State::Open);
    let error = fixture.sealing().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("the secret service"), "{error}");
    assert!(error.next_line().is_some());
    assert!(fixture.ring.text().is_none() && !fixture.has_key_file());
}

#[test]
fn a_place_that_had_the_key_and_is_away_is_an_error_and_nothing_weaker_is_taken() {
    let fixture = Fixture::new(State::Open, State::Open);
    let id = fixture.sealing().unwrap().key.id();
    for away in [State::Absent, State::Locked] {
        fixture.os.set(away);
        assert!(fixture.sealing().is_err());
        assert!(fixture.vault().opening(Kind::SecretService, &id, &fixture.host).is_err());
        assert!(fixture.ring.text().is_none() && !fixture.has_key_file());
    }
    fixture.os.set(State::Open);
    assert_eq!(fixture.sealing().unwrap().key.id(), id);
}

#[test]
fn a_key_that_was_used_once_outlasts_a_place_that_is_locked_meanwhile() {
    let fixture = Fixture::new(State::Open, State::Open);
    let id = fixture.sealing().unwrap().key.id();
    let vault = fixture.vault();
    vault.opening(Kind::SecretService, &id, &fixture.host).unwrap().unwrap();
    fixture.os.set(State::Locked);
    assert_eq!(vault.sealing(&fixture.host).unwrap().key.id(), id);
}

#[test]
fn a_keyring_that_starts_anew_gets_a_new_key() {
    let fixture = Fixture::new(State::Absent, State::Open);
    let id = fixture.sealing().unwrap().key.id();
    fixture.ring.lose();
    assert!(fixture.vault().opening(Kind::KernelKeyring, &id, &fixture.host).unwrap().is_none());
    assert_ne!(fixture.sealing().unwrap().key.id(), id);
}

#[test]
fn what_a_person_chose_is_taken_and_nothing_else() {
    let mut fixture = Fixture::new(State::Open, State::Open);
    let id = fixture.sealing().unwrap().key.id();
    let choices =
        [("keyring", Kind::KernelKeyring), ("file", Kind::File), ("os", Kind::SecretService)];
    for (choice, kind) in choices {
        fixture.choose(choice);
        assert_eq!(fixture.sealing().unwrap().kind, kind);
        let old = fixture.vault().opening(Kind::SecretService, &id, &fixture.host).unwrap();
        assert_eq!(old.is_some(), choice == "os");
    }
    fixture.os.set(State::Absent);
    assert!(fixture.sealing().is_err());
    fixture.choose("File");
    assert_eq!(fixture.sealing().err().unwrap().kind(), ErrorKind::Config);
}

#[test]
fn a_record_that_is_lost_or_damaged_costs_no_key() {
    let fixture = Fixture::new(State::Absent, State::Absent);
    let id = fixture.sealing().unwrap().key.id();
    let store = PrivateDir::new(fixture.home.path().into());
    for record in ["", "fleetkey-vault 1 ", "fleetkey-vault 1 attic 0\n", "\u{1}"] {
        store.replace(RECORD, record.as_bytes()).unwrap();
        assert_eq!(fixture.sealing().unwrap().key.id(), id, "{record:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_key_file_that_others_may_read_is_not_used_and_not_replaced() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let fixture = Fixture::new(State::Absent, State::Absent);
    let id = fixture.sealing().unwrap().key.id();
    let path = fixture.home.path().join(KEY_FILE);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(fixture.sealing().is_err());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fixture.sealing().unwrap().key.id(), id);
}

#[test]
fn twenty_at_once_make_one_key() {
    for ring in [State::Open, State::Absent] {
        let fixture = Fixture::new(State::Absent, ring);
        let vaults: Vec<Vault> = (0..20).map(|_| fixture.vault()).collect();
        let host = &fixture.host;
        let ids: HashSet<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = vaults
                .iter()
                .map(|vault| scope.spawn(move || vault.sealing(host).unwrap().key.id()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
    }
}

#[test]
fn who_is_strict_has_no_key_moved_by_a_variable() {
    let mut machine = Fixture::new(State::Open, State::Open);
    machine.choose("file");
    let trust = fleetkey_provider::testing::StaticTrust { hosts: vec![], strict: true };
    machine.host.trust = Box::new(trust);
    assert_eq!(machine.sealing().unwrap().kind, Kind::SecretService);
    assert!(!machine.has_key_file());
}
