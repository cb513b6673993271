//! What is kept of a person's session, and when it ends.

use super::*;

#[test]
fn what_comes_back_is_kept_and_the_newest_is_redeemed_first() {
    let world = signed_in();
    world.entra_grants("one", Some("RT-ours"));
    token(&settings(), &world).unwrap();
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "keep", "close"]);
    let kept = world.sessions.kept(kept::key("/az".as_ref())).unwrap();
    assert!(kept.contains("RT-ours") && kept.contains(HOME), "{kept}");

    // az's is of November 2026, and ours of January
    world.entra_grants("two", None);
    token(&settings(), &world).unwrap();
    assert!(world.forms()[1].contains("refresh_token=RT-5"), "{}", world.forms()[1]);

    let older = edited(&without_token(data::CACHE), |cache| {
        entry(cache, "RefreshToken", "refresh")["last_modification_time"] = "1".into();
    });
    let world = World { sessions: world.sessions.clone(), ..listed() }
        .file("/az/msal_token_cache.json", older);
    world.entra_grants("three", Some("RT-next"));
    token(&settings(), &world).unwrap();
    assert!(world.forms()[0].contains("refresh_token=RT-ours"), "{}", world.forms()[0]);
    let kept = world.sessions.kept(kept::key("/az".as_ref())).unwrap();
    assert!(kept.contains("RT-next") && !kept.contains("RT-ours"), "{kept}");
}

#[test]
fn a_dead_token_leads_to_the_other_one() {
    let older = edited(&without_token(data::CACHE), |cache| {
        entry(cache, "RefreshToken", "refresh")["last_modification_time"] = "1".into();
    });
    let first = listed().file("/az/msal_token_cache.json", older.clone());
    first.entra_grants("one", Some("RT-ours"));
    token(&settings(), &first).unwrap();

    let world = World { sessions: first.sessions.clone(), ..listed() }
        .file("/az/msal_token_cache.json", older);
    refuses(&world, 50173, "invalid_grant");
    world.entra_grants("two", None);
    assert_eq!(token(&settings(), &world).unwrap(), "two");
    assert!(world.forms()[0].contains("RT-ours") && world.forms()[1].contains("RT-5"));
    assert_eq!(world.sessions.kept(kept::key("/az".as_ref())), None, "the dead one is forgotten");
}

#[test]
fn whoever_has_to_sign_in_again_is_told_how() {
    let world = signed_in();
    refuses(&world, 700_082, "invalid_grant");
    let error = fails(&settings(), &world);
    assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(LOGIN)));
    assert_eq!(world.http.requests().len(), 1);

    refuses(&world, 50076, "interaction_required");
    let error = fails(&settings(), &world);
    assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(LOGIN)));
    assert!(
        open(&world)
            .unwrap()
            .how(fleetkey_provider::Means { browser: true, terminal: true, keyboard: true })
            .is_none()
    );
}

#[test]
fn a_lost_answer_is_no_reason_to_forget() {
    let world = signed_in();
    world.entra_grants("one", Some("RT-ours"));
    token(&settings(), &world).unwrap();
    world.http.answer(503, &[], "");
    assert_eq!(fails(&settings(), &world).kind(), Kind::Unavailable);
    assert!(world.sessions.kept(kept::key("/az".as_ref())).unwrap().contains("RT-ours"));
}

#[test]
fn where_nothing_can_be_kept_it_goes_on() {
    let world = World { sessions: StaticSessions::default().full(), ..signed_in() };
    world.entra_grants("one", Some("RT-ours"));
    assert_eq!(token(&settings(), &world).unwrap(), "one");

    let mut host = signed_in().host();
    let http = fleetkey_provider::testing::ScriptedHttp::default();
    http.answer(200, &[], r#"{"access_token":"two","refresh_token":"r"}"#);
    host.http = Box::new(http);
    host.sessions = Box::new(fleetkey_provider::Refusing);
    let az = AzureCli::open(&settings(), &host).unwrap();
    assert_eq!(now(az.obtain(&wanted(), &host)).unwrap().access_token.expose_secret(), "two");
}

#[test]
fn what_is_kept_and_cannot_be_marked_is_not_redeemed_and_azs_own_is() {
    let older = edited(&without_token(data::CACHE), |cache| {
        entry(cache, "RefreshToken", "refresh")["last_modification_time"] = "1".into();
    });
    let first = listed().file("/az/msal_token_cache.json", older.clone());
    first.entra_grants("one", Some("RT-ours"));
    token(&settings(), &first).unwrap();

    let asked = |world: &World| {
        let mut host = world.host();
        host.sessions = Box::new(Unmarkable(first.sessions.clone()));
        let az = AzureCli::open(&settings(), &host).unwrap();
        now(az.obtain(&wanted(), &host))
    };
    let world = listed().file("/az/msal_token_cache.json", older);
    world.entra_grants("two", None);
    assert_eq!(asked(&world).unwrap().access_token.expose_secret(), "two");
    let [sent] = &world.forms()[..] else { panic!("one request") };
    assert!(sent.contains("refresh_token=RT-5"), "{sent}");

    // and if that one is dead, the disk is to blame
    refuses(&world, 50173, "invalid_grant");
    let error = asked(&world).unwrap_err();
    assert_eq!(error.cause(), Some("the disk is full"));
    assert_eq!(error.next_line(), Some("df -h ~/.local/state"));
    assert_eq!(world.forms().len(), 2);
    assert!(first.sessions.kept(kept::key("/az".as_ref())).unwrap().contains("RT-ours"));
}

#[test]
fn signing_out_of_az_ends_it_here_too() {
    let before = signed_in();
    before.entra_grants("one", Some("RT-ours"));
    token(&settings(), &before).unwrap();
    let sessions = || before.sessions.clone();
    let nobody = r#"{"Account":{},"RefreshToken":{}}"#;
    let empty = r#"{"subscriptions":[]}"#;

    // the account is gone, and the subscriptions are still listed
    let world =
        World { sessions: sessions(), ..listed() }.file("/az/msal_token_cache.json", nobody);
    let error = fails(&settings(), &world);
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert_eq!(error.next_line(), Some(&*format!("az login --tenant {TENANT}")));
    assert_eq!(world.sessions.kept(kept::key("/az".as_ref())), None);

    // `az logout`: all is gone, and so is the file
    for file in [None, Some(nobody)] {
        token(&settings(), &{
            let again = World { sessions: sessions(), ..signed_in() };
            again.entra_grants("one", Some("RT-ours"));
            again
        })
        .unwrap();
        let mut world =
            World { sessions: sessions(), ..World::default() }.file("/az/azureProfile.json", empty);
        if let Some(file) = file {
            world = world.file("/az/msal_token_cache.json", file);
        }
        let error = fails(&AzSettings { tenant: Some("t.example".into()), ..settings() }, &world);
        assert_eq!(error.next_line(), Some("az login --tenant t.example"));
        assert_eq!(world.sessions.kept(kept::key("/az".as_ref())), None);
        assert!(world.http.requests().is_empty());
    }
}
