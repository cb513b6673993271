//! Sessions that lead on: to their heir, and to the name they got.

use super::*;

#[test]
fn what_is_renewed_in_another_tools_file_has_an_heir_until_somebody_else_writes_it() {
    let desk = Desk::new();
    let renew = |from: &[u8], stamp: i128, into: &[u8]| {
        let sessions = desk.sessions();
        let mut open = sessions.open(key()).unwrap();
        assert!(!open.adopt(from).unwrap());
        open.succeeded_by(stamp, into);
        open.redeeming().unwrap();
        open.unchanged();
    };
    let is_heir = |bytes: &[u8], stamp| desk.sessions().is_heir(key(), bytes, stamp);
    assert!(!is_heir(b"two", -1), "nothing is written down");
    renew(b"one", -1, b"two");
    renew(b"two", 2, b"three");
    assert!(is_heir(b"three", -1) && is_heir(b"three", 2) && !is_heir(b"three", 3));
    assert!(!is_heir(b"two", -1) && !is_heir(b"theirs", 2));
    // somebody signed in anew, and that was renewed: before it was somebody else
    renew(b"theirs", 4, b"five");
    assert!(is_heir(b"five", 4) && !is_heir(b"five", -1) && !is_heir(b"five", 2));
    assert_eq!(desk.names(), [".heir", ".lock"]);
    let store = (desk.open_store)(desk.state().join(FOLDER));
    store.replace(&heir::file(key()), b"no heir \n").unwrap();
    assert!(!is_heir(b"five", 4));
    desk.sessions().open(key()).unwrap().forget();
    assert_eq!(desk.names(), [".lock"]);
}

#[test]
fn a_session_that_got_a_name_is_found_without_it_until_somebody_signs_in_so() {
    let desk = Desk::new();
    let named = SessionKey::new("mars", &[("who", "alice")]);
    let open = |sessions: &FileSessions, key, act: &dyn Fn(&mut dyn OpenSession)| {
        let mut open = sessions.open(key).unwrap();
        act(&mut *open);
        let kept = open.read().unwrap().map(|kept| kept.secret.expose_secret().to_owned());
        (kept, sessions.stamp(key).is_some(), sessions.peek(key).is_some())
    };
    let sessions = desk.sessions();
    let at = |key| open(&desk.sessions(), key, &|_| {});
    desk.keep("alice's");
    sessions.open(named).unwrap().keep(&"alice's".into()).unwrap();
    sessions.open(key()).unwrap().name(named, &"alice's".into()).unwrap();
    let alices = (Some("alice's".to_owned()), true, true);
    assert_eq!((at(key()), at(named)), (alices.clone(), alices.clone()));
    assert_eq!(sessions.other_keys(named), [key()]);
    assert!(sessions.other_keys(key()).is_empty());
    // it is one session: what replaces it replaces it for both, and it is one lock
    let renewed = |open: &mut dyn OpenSession| {
        open.redeeming().unwrap();
        open.keep(&"renewed".into()).unwrap();
    };
    let one = open(&sessions, key(), &renewed);
    assert_eq!((at(key()), at(named)), (one.clone(), one));
    // a second naming changes nothing
    sessions.open(key()).unwrap().name(named, &"renewed".into()).unwrap();
    assert_eq!(at(named).0.as_deref(), Some("renewed"));
    // bob signs in without a name: alice's stays hers
    desk.keep("bob's");
    assert_eq!((at(key()).0.as_deref(), at(named).0.as_deref()), (Some("bob's"), Some("renewed")));
    assert!(sessions.other_keys(named).is_empty());
    // and what was to be named is his no more: it was read before he signed in
    sessions.open(key()).unwrap().name(named, &"renewed".into()).unwrap();
    assert_eq!(at(key()).0.as_deref(), Some("bob's"));
    // an alias that was left behind his session leads nobody to hers when his ends
    let store = (desk.open_store)(desk.state().join(FOLDER));
    let name = format!("{}.alias", key().fingerprint());
    store.replace(&name, format!("{}\n", named.fingerprint()).as_bytes()).unwrap();
    sessions.open(key()).unwrap().forget();
    assert_eq!((at(key()), at(named).0.as_deref()), ((None, false, false), Some("renewed")));
    desk.keep("renewed");
    sessions.open(key()).unwrap().name(named, &"renewed".into()).unwrap();
    // who is signed out is so for both
    sessions.open(named).unwrap().forget();
    assert_eq!((at(key()), at(named)), ((None, false, false), (None, false, false)));
    sessions.open(named).unwrap().keep(&"alice's".into()).unwrap();
    sessions.open(key()).unwrap().forget();
    assert_eq!((at(key()), at(named)), ((None, false, false), (None, false, false)));
    // what leads in a circle, or is no key, leads nowhere
    for text in [key().fingerprint().to_string(), "x".into(), String::new()] {
        store.replace(&name, text.as_bytes()).unwrap();
        assert_eq!(at(key()), (None, false, false), "{text}");
    }
}
