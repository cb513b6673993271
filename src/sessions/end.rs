//! The end of sessions: by hand, and whoever has them open.
//!
//! Who signs out is not kept waiting by a process that hangs or is stopped: after a moment the files are
//! removed without their lock. Whoever has the session open finds them gone, and keeps nothing.

use std::{collections::BTreeSet, time::Duration};

use fleetkey_provider::{Error, OpenSession, Result, SessionKey};

use super::{FileSessions, Home};

/// Ends every session that is kept. How many there were.
pub(super) fn all(sessions: &FileSessions, home: &Home) -> Result<usize> {
    let failed = |why: String| Error::failed("sessions could not be removed").because(why);
    let names = home.store.list().map_err(failed)?;
    let keys: BTreeSet<&str> = names.iter().filter_map(|name| key_of(name)).collect();
    let (mut ended, mut left) = (0, None);
    for text in keys {
        let Ok(key) = text.parse::<SessionKey>() else { continue };
        let has = |kind: &str| names.contains(&format!("{text}.{kind}"));
        let is_kept = has("session");
        if !is_kept && !has("alias") && (has("heir") || has("redeeming")) {
            // of a session in another tool's file: what was sent of that is not to be sent again
            continue;
        }
        sessions.to_end(key, key).forget();
        let gone = KINDS.iter().map(|kind| home.store.remove(&format!("{text}.{kind}")));
        match gone.collect::<Result<Vec<_>, _>>() {
            Ok(_) => ended += usize::from(is_kept),
            Err(why) => left = left.or(Some(failed(why))),
        }
    }
    left.map_or(Ok(ended), Err)
}

/// The key that a file is named after, if it is of a session, or what a killed writer left of one.
fn key_of(name: &str) -> Option<&str> {
    let left = name.strip_suffix(".tmp").and_then(|name| name.rsplit_once('.'));
    let (key, kind) = left.map_or(name, |(name, _)| name).split_once('.')?;
    KINDS.contains(&kind).then_some(key)
}

/// How long whoever has a session open is waited for.
pub(super) const LONGEST_FAREWELL: Duration = Duration::from_secs(1);
/// What there is of a session, but for its locks: a lock that goes locks nothing.
const KINDS: [&str; 4] = ["session", "alias", "heir", "redeeming"];

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use fleetkey_provider::{
        ExposeSecret, Host, Sessions,
        testing::{KeptNotes, ManualClock, StaticEnv},
    };

    use super::*;
    use crate::{
        folders,
        host::{Hold, PrivateDir, Store, SystemEntropy, other_files},
        sessions::FOLDER,
    };

    /// Sessions as one process sees them.
    fn sessions(home: &tempfile::TempDir, notes: &KeptNotes) -> FileSessions {
        let home = home.path().to_str().unwrap();
        let host = Host {
            env: Box::new(StaticEnv::new([("HOME", home), ("FLEETKEY_SESSION_STORE", "file")])),
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            files: other_files(),
            entropy: Box::new(SystemEntropy),
            notes: Box::new(notes.clone()),
            ..Host::refusing()
        };
        let hold = Box::leak(Box::new(Hold::new()));
        FileSessions::new(host, hold, |folder| Box::new(PrivateDir::new(folder)))
    }

    fn key(name: &str) -> SessionKey {
        SessionKey::new("p", &[("a", name)])
    }

    fn keep(sessions: &FileSessions, name: &str, secret: &str) {
        sessions.open(key(name)).unwrap().keep(&secret.into()).unwrap();
    }

    #[test]
    fn who_signs_out_does_not_wait_for_a_process_that_hangs_and_that_keeps_nothing_when_it_wakes() {
        for stops_before_it_marks in [true, false] {
            let (home, notes) = (tempfile::tempdir().unwrap(), KeptNotes::default());
            let (hung, ours) = (sessions(&home, &notes), sessions(&home, &notes));
            keep(&hung, "a", "alice");
            let mut open = hung.open(key("a")).unwrap();
            assert!(open.read().unwrap().is_some());
            if !stops_before_it_marks {
                open.redeeming().unwrap();
            }
            ours.open_to_end(key("a")).unwrap().forget();
            assert_eq!(ours.stamp(key("a")), None);
            assert!(notes.lines().iter().any(|line| line.contains("without its lock")));
            if stops_before_it_marks {
                open.redeeming().unwrap();
            }
            let error = open.keep(&"alice again".into()).unwrap_err();
            assert_eq!(error.cause(), Some("somebody signed out meanwhile"));
            drop(open);
            assert_eq!(ours.stamp(key("a")), None);
            assert!(ours.open(key("a")).unwrap().read().unwrap().is_none());
        }
    }

    #[test]
    fn what_was_about_to_be_written_while_somebody_signed_out_goes_again() {
        let (home, notes) = (tempfile::tempdir().unwrap(), KeptNotes::default());
        let hung = sessions(&home, &notes);
        keep(&hung, "a", "alice");
        let mut open = hung.open(key("a")).unwrap();
        open.read().unwrap();
        open.redeeming().unwrap();
        // the mark is gone, and the session not yet: between the two steps of who signs out
        let folder = folders::state(&hung.host).unwrap().join(FOLDER);
        let mark = format!("{}.redeeming", key("a").fingerprint());
        assert!(PrivateDir::new(folder).remove(&mark).unwrap());
        assert!(open.keep(&"alice again".into()).is_err());
        drop(open);
        assert_eq!(hung.stamp(key("a")), None);
    }

    #[test]
    fn a_sign_in_after_that_is_kept() {
        let (home, notes) = (tempfile::tempdir().unwrap(), KeptNotes::default());
        let ours = sessions(&home, &notes);
        keep(&ours, "a", "alice");
        ours.open_to_end(key("a")).unwrap().forget();
        keep(&ours, "a", "bob");
        let mut open = ours.open(key("a")).unwrap();
        assert_eq!(open.read().unwrap().unwrap().secret.expose_secret(), "bob");
        open.redeeming().unwrap();
        open.keep(&"bob again".into()).unwrap();
        open.keep(&"and again".into()).unwrap();
        assert!(ours.stamp(key("a")).is_some());
    }

    #[test]
    fn all_is_all_that_is_named_after_a_key() {
        let (home, notes) = (tempfile::tempdir().unwrap(), KeptNotes::default());
        let ours = sessions(&home, &notes);
        for name in ["a", "b"] {
            keep(&ours, name, name);
        }
        ours.open(key("b")).unwrap().name(key("c"), &"b".into()).unwrap();
        keep(&ours, "c", "c");
        let _held = ours.open(key("a")).unwrap();
        let store = PrivateDir::new(folders::state(&ours.host).unwrap().join(FOLDER));
        store.replace("notes.session", b"somebody else's").unwrap();
        assert_eq!(ours.end_all().unwrap(), 2);
        let mut left = store.list().unwrap();
        left.retain(|name| name.rsplit_once('.').is_none_or(|(_, kind)| kind != "lock"));
        assert_eq!(left, ["notes.session"]);
        // what was sent of a session in another tool's file is not to be sent again
        let mut theirs = ours.open(key("theirs")).unwrap();
        assert!(!theirs.adopt(b"t").unwrap());
        theirs.redeeming().unwrap();
        drop(theirs);
        assert_eq!(ours.end_all().unwrap(), 0);
        assert!(ours.open(key("theirs")).unwrap().adopt(b"t").unwrap());
        assert_eq!(ours.end_all().unwrap(), 0);
    }
}
