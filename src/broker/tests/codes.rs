//! A step in the middle of a chain that needs a person: a code, between keys and the roles they assume.

use super::{asking::at_a_desk, *};
use crate::options::Ask;

/// A role over that device, over keys. `has_end`: whether a code makes a session, or is good for one
/// request.
fn role(name: &'static str, device: &'static str, has_end: bool) -> Lender {
    let keys = Some(Box::new(Lender::named("keys")));
    let device = Lender { source: keys, code: Some(has_end), ..Lender::named(device) };
    Lender { source: Some(Box::new(device)), ..Lender::named(name) }
}

fn device(role: &Lender) -> &Lender {
    role.source.as_deref().unwrap()
}

fn desk() -> Fixture {
    at_a_desk(&Lender::person("somebody")).0
}

#[test]
fn one_code_serves_every_role_over_it() {
    let (fixture, a, b) = (desk(), role("a", "d", true), role("b", "d", true));
    assert_eq!(fixture.bring(&a).unwrap(), "/keys1/d/a1");
    assert_eq!(fixture.bring(&b).unwrap(), "/keys1/d/b1");
    assert_eq!((device(&a).signed_in(), device(&b).signed_in()), (1, 0));
    fixture.later(120);
    assert_eq!(fixture.bring(&a).unwrap(), "/keys1/d/a2");
    assert_eq!(device(&a).signed_in(), 1);
}

#[test]
fn where_nothing_is_kept_one_run_asks_once() {
    let (mut fixture, a) = (desk(), role("a", "d", true));
    fixture.options.cache = CacheUse::None;
    assert_eq!(fixture.bring(&a).unwrap(), "/keys2/d/a1");
    assert_eq!(device(&a).signed_in(), 1);
}

#[test]
fn a_code_that_is_good_for_one_request_is_not_kept() {
    let (fixture, a, b) = (desk(), role("a", "d", false), role("b", "d", false));
    assert_eq!(fixture.bring(&a).unwrap(), "/keys1/d/a1");
    assert_eq!(fixture.bring(&b).unwrap(), "/keys1/d/b1");
    assert_eq!((device(&a).signed_in(), device(&b).signed_in()), (1, 1));
    assert_eq!(fixture.bring(&a).unwrap(), "/keys1/d/a1", "the role is kept");
}

#[test]
fn a_wrong_code_is_not_asked_for_again_for_ten_minutes() {
    let (fixture, a, b) = (desk(), role("a", "d", true), role("b", "d", true));
    device(&a).decline(true);
    let error = fixture.bring(&a).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Refused, "wrong code"));
    assert_eq!(error.cause(), Some("used; nobody is asked again before 03:14:05 UTC"));
    for role in [&a, &b, &a, &b] {
        let error = fixture.bring(role).unwrap_err();
        assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some("sign in d")));
        assert!(error.to_string().contains("before 03:14:05"), "{error}");
    }
    assert_eq!((device(&a).signed_in(), device(&b).signed_in()), (1, 0));
    device(&a).decline(false);
    fixture.broker().by_hand(&a);
    assert_eq!(fixture.bring(&a).unwrap(), "/keys1/d/a1");
}

#[test]
fn a_code_that_only_the_role_shows_to_be_wrong_is_remembered_too() {
    let (fixture, a) = (desk(), role("a", "d", false));
    a.fail(Error::refused("wrong code").once());
    assert_eq!(fixture.bring(&a).unwrap_err().message(), "wrong code");
    for _ in 0..4 {
        assert_eq!(fixture.bring(&a).unwrap_err().kind(), Kind::SignInNeeded);
    }
    assert_eq!((a.asked(), device(&a).signed_in()), (1, 1));
    a.recover();
    fixture.broker().by_hand(&a);
    assert_eq!(fixture.bring(&a).unwrap(), "/keys1/d/a2");
}

#[test]
fn with_nobody_to_ask_it_is_said_what_to_type() {
    let (mut fixture, a) = (desk(), role("a", "d", true));
    fixture.ask(Some(Ask::Never));
    let error = fixture.bring(&a).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::SignInNeeded, "no code"));
    assert_eq!(device(&a).signed_in(), 0);
}

#[test]
fn two_devices_in_one_chain_are_each_asked_for_once() {
    let fixture = desk();
    let below = Some(Box::new(role("a", "d", true)));
    let other = Lender { source: below, code: Some(true), ..Lender::named("e") };
    let both = Lender { source: Some(Box::new(other)), ..Lender::named("b") };
    assert_eq!(fixture.bring(&both).unwrap(), "/keys1/d/a1/e/b1");
    assert_eq!(device(&both).signed_in(), 1);
}

#[test]
fn nobody_types_a_code_while_its_source_is_signed_out() {
    let fixture = desk();
    let keys = Lender { elsewhere: true, ..Lender::person("sso") };
    let device = Lender { source: Some(Box::new(keys)), code: Some(true), ..Lender::named("d") };
    let a = Lender { source: Some(Box::new(device)), ..Lender::named("a") };
    assert_eq!(fixture.bring(&a).unwrap_err().message(), "nobody is signed in");
    assert_eq!(a.source.as_ref().unwrap().signed_in(), 0);
}

#[test]
fn a_hundred_threads_with_ten_roles_ask_for_one_code() {
    let mut fixture = desk();
    // in real time: the manual clock would run away
    fixture.world.host.clock = Box::new(crate::host::SystemClock);
    fixture.world.host.entropy = Box::new(crate::host::SystemEntropy);
    let fixture = Arc::new(fixture);
    let names = ["a", "b", "c", "e", "f", "g", "h", "i", "j", "k"];
    let threads: Vec<_> = (0..100)
        .map(|n| {
            let fixture = Arc::clone(&fixture);
            std::thread::spawn(move || {
                let role = role(names[n % names.len()], "d", true);
                assert!(fixture.bring(&role).unwrap().contains("/d/"));
                device(&role).signed_in()
            })
        })
        .collect();
    let asked: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(asked, 1);
}
