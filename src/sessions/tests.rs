use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use fleetkey_provider::{
    ExposeSecret, Kind,
    testing::{KeptNotes, ManualClock, StaticEnv},
};

use super::*;
use crate::{
    exclusive::tests::NoLocks,
    host::{PrivateDir, SystemClock, SystemEntropy, other_files},
};

mod led;

/// A person's home, and sessions in it as different processes see them.
struct Desk {
    home: tempfile::TempDir,
    hold: &'static Hold,
    notes: KeptNotes,
    open_store: fn(PathBuf) -> Box<dyn Store>,
}

impl Desk {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            hold: Box::leak(Box::new(Hold::new())),
            notes: KeptNotes::default(),
            open_store: |folder| Box::new(PrivateDir::new(folder)),
        }
    }

    fn sessions(&self) -> FileSessions {
        self.chosen(&[("FLEETKEY_SESSION_STORE", "file")])
    }

    fn chosen(&self, more: &[(&str, &str)]) -> FileSessions {
        let home = [("HOME", self.home.path().to_str().unwrap())];
        let host = Host {
            env: Box::new(StaticEnv::new(home.iter().chain(more).copied())),
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            files: other_files(),
            entropy: Box::new(SystemEntropy),
            notes: Box::new(self.notes.clone()),
            ..Host::refusing()
        };
        FileSessions::new(host, self.hold, self.open_store)
    }

    fn keep(&self, secret: &str) {
        self.sessions().open(key()).unwrap().keep(&secret.into()).unwrap();
    }

    /// What a new process reads, and whether it was interrupted.
    fn read(&self) -> Option<(String, bool)> {
        let sessions = self.sessions();
        let kept = sessions.open(key()).unwrap().read().unwrap()?;
        Some((kept.secret.expose_secret().to_owned(), kept.interrupted))
    }

    fn state(&self) -> PathBuf {
        folders::state(&self.sessions().host).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.state().join(FOLDER).join(open::file(key()))
    }

    /// The names in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.state().join(FOLDER)).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let ends = entries.map(|entry| name(entry.unwrap())[64..].to_owned());
        let mut ends: Vec<_> = ends.collect();
        ends.sort();
        ends
    }
}

fn key() -> SessionKey {
    SessionKey::new("p", &[("a", "b")])
}

#[allow(clippy::unnecessary_wraps, reason = "as it is read")]
fn kept(secret: &str) -> Option<(String, bool)> {
    Some((secret.to_owned(), false))
}

#[allow(clippy::unnecessary_wraps, reason = "as it is read")]
fn interrupted(secret: &str) -> Option<(String, bool)> {
    Some((secret.to_owned(), true))
}

#[test]
fn what_is_kept_comes_back_in_another_process() {
    let desk = Desk::new();
    assert_eq!(desk.read(), None);
    desk.keep("one");
    desk.keep("two");
    assert_eq!(desk.read(), kept("two"));
    assert_eq!(desk.names(), [".lock", ".session"]);
    assert_eq!(fs::metadata(desk.file()).unwrap().permissions().mode() & 0o777, 0o600);
    let other = SessionKey::new("p", &[("a", "c")]);
    assert!(desk.sessions().open(other).unwrap().read().unwrap().is_none());
}

#[test]
fn a_stamp_changes_with_the_session_and_opens_nothing() {
    let desk = Desk::new();
    let stamp = || desk.sessions().stamp(key());
    assert_eq!(stamp(), None);
    assert!(!desk.state().exists());
    desk.keep("one");
    let first = stamp();
    assert!(first.is_some() && stamp() == first);
    desk.keep("one");
    assert_ne!(stamp(), first);
    desk.sessions().open(key()).unwrap().forget();
    assert_eq!(stamp(), None);
}

#[test]
fn an_answer_that_was_lost_shows_until_something_is_kept() {
    let desk = Desk::new();
    desk.keep("one");
    for _ in 0..2 {
        let sessions = desk.sessions();
        let mut open = sessions.open(key()).unwrap();
        open.read().unwrap();
        open.redeeming().unwrap();
        drop(open); // or the process died: the mark is the same
        assert_eq!(desk.read(), interrupted("one"));
    }
    desk.keep("two");
    assert_eq!(desk.read(), kept("two"));
    assert_eq!(desk.names(), [".lock", ".session"]);
}

#[test]
fn an_answer_that_was_no_leaves_the_session_as_it_was() {
    let desk = Desk::new();
    desk.keep("one");
    let sessions = desk.sessions();
    let mut open = sessions.open(key()).unwrap();
    open.read().unwrap();
    open.redeeming().unwrap();
    open.unchanged();
    drop(open);
    assert_eq!(desk.read(), kept("one"));
    let mut open = sessions.open(key()).unwrap();
    open.read().unwrap();
    open.redeeming().unwrap();
    open.forget();
    drop(open);
    assert_eq!(desk.read(), None);
    assert_eq!(desk.names(), [".lock"]);
}

#[test]
fn a_mark_that_outlived_what_it_was_about_accuses_nobody() {
    let desk = Desk::new();
    desk.keep("one");
    let sessions = desk.sessions();
    let mut open = sessions.open(key()).unwrap();
    open.read().unwrap();
    open.redeeming().unwrap();
    let mark = desk.file().with_extension("redeeming");
    let store = PrivateDir::new(mark.parent().unwrap().into());
    let name = mark.file_name().unwrap().to_str().unwrap();
    let left = store.read(name).unwrap().unwrap();
    open.keep(&"two".into()).unwrap();
    drop(open);
    // killed between keeping and removing the mark
    store.replace(name, &left).unwrap();
    assert_eq!(desk.read(), kept("two"));
    // one that cannot be read may be about anything
    store.replace(name, b"?").unwrap();
    assert_eq!(desk.read(), interrupted("two"));
}

#[test]
fn what_is_damaged_or_foreign_is_a_miss_and_is_written_over() {
    let desk = Desk::new();
    desk.keep("one");
    let store = PrivateDir::new(desk.state().join(FOLDER));
    let good = store.read(&open::file(key())).unwrap().unwrap();
    let other = SessionKey::new("p", &[("a", "c")]);
    store.replace(&open::file(other), &good).unwrap();
    let sessions = desk.sessions();
    assert!(sessions.open(other).unwrap().read().unwrap().is_none());
    for at in [0, 20, 30, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        store.replace(&open::file(key()), &bad).unwrap();
        assert_eq!(desk.read(), None, "byte {at}");
    }
    fs::set_permissions(desk.file(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(desk.read(), None);
    assert!(desk.notes.lines().iter().any(|line| line.contains("damaged")));
    desk.keep("two");
    assert_eq!(desk.read(), kept("two"));
}

#[test]
fn a_key_that_cannot_be_reached_is_an_error_and_the_session_stays() {
    let desk = Desk::new();
    desk.keep("one");
    let path = desk.state().join("vault.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let sessions = desk.sessions();
    let mut open = sessions.open(key()).unwrap();
    let error = open.read().unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let next = error.next_line().unwrap();
    assert_eq!(next, format!("chmod 600 {}", path.display()));
    assert!(open.keep(&"two".into()).is_err());
    drop(open);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(desk.read(), kept("one"));
}

#[test]
fn two_never_have_a_session_open() {
    let mut desk = Desk::new();
    for open_store in [desk.open_store, |folder| Box::new(NoLocks(PrivateDir::new(folder)))] {
        desk.open_store = open_store;
        let (one, two) = (desk.sessions(), desk.sessions());
        let held = one.open(key()).unwrap();
        let start = two.host.clock.now();
        let error = two.open(key()).err().unwrap();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(two.host.clock.now().duration_since(start).as_secs(), 15);
        assert!(two.open(SessionKey::new("p", &[])).is_ok(), "another session is free");
        drop(held);
        assert!(two.open(key()).is_ok());
    }
}

#[test]
fn of_many_that_redeem_at_once_none_overtakes() {
    let desk = Desk::new();
    desk.keep("0");
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let mut sessions = desk.sessions();
                sessions.host.clock = Box::new(SystemClock);
                let mut open = sessions.open(key()).unwrap();
                let kept = open.read().unwrap().unwrap();
                assert!(!kept.interrupted);
                open.redeeming().unwrap();
                let next = kept.secret.expose_secret().parse::<u32>().unwrap() + 1;
                open.keep(&next.to_string().into()).unwrap();
            });
        }
    });
    assert_eq!(desk.read(), kept("20"));
    assert!(!desk.hold.is_on());
}

#[test]
fn where_there_is_no_folder_nothing_is_kept_and_nothing_stands_in_the_way() {
    let desk = Desk::new();
    for home in ["", "/dev/null"] {
        let sessions = desk.chosen(&[("HOME", home), ("FLEETKEY_SESSION_STORE", "file")]);
        assert_eq!(sessions.stamp(key()), None);
        let mut open = sessions.open(key()).unwrap();
        assert!(open.read().unwrap().is_none());
        open.redeeming().unwrap();
        assert!(open.keep(&"one".into()).is_err());
        open.unchanged();
        open.forget();
    }
    assert!(!Path::new("/dev/null/.local").exists());
}

#[test]
fn the_process_is_held_from_redeeming_until_it_is_over() {
    let desk = Desk::new();
    let sessions = desk.sessions();
    let ends: [fn(&mut dyn OpenSession); 4] = [
        |open| open.keep(&"one".into()).unwrap(),
        |open| open.unchanged(),
        |open| open.forget(),
        |_| (),
    ];
    for end in ends {
        let mut open = sessions.open(key()).unwrap();
        open.read().unwrap();
        assert!(!desk.hold.is_on());
        open.redeeming().unwrap();
        open.redeeming().unwrap();
        assert!(desk.hold.is_on());
        end(&mut *open);
        drop(open);
        assert!(!desk.hold.is_on());
    }
}

#[test]
fn a_session_in_another_tools_file_leaves_nothing_here_but_its_mark() {
    let desk = Desk::new();
    let sessions = desk.sessions();
    let open = |theirs: &[u8]| {
        let mut open = sessions.open(key()).unwrap();
        let interrupted = open.adopt(theirs).unwrap();
        (open, interrupted)
    };
    let (mut session, interrupted) = open(b"one");
    assert!(!interrupted);
    session.redeeming().unwrap();
    assert!(desk.hold.is_on());
    drop(session); // or the process died
    assert!(!desk.hold.is_on());
    assert_eq!(desk.names(), [".lock", ".redeeming"]);
    // somebody signed in anew: it is about that no more
    assert!(!open(b"two").1);
    let (mut session, interrupted) = open(b"one");
    assert!(interrupted);
    session.unchanged();
    drop(session);
    assert!(!open(b"one").1);
    assert_eq!(desk.names(), [".lock"]);
    let desk = desk.chosen(&[("HOME", "/dev/null")]);
    assert!(desk.open(key()).unwrap().adopt(b"one").is_err(), "nobody can be kept out");
}
