use fleetkey_provider::{Kind, testing::StaticSessions};
use serde_json::json;

use super::*;
use crate::{
    server_id::AKS,
    testing::{CLIENT, Unmarkable, World, access_token, client, now, wanted},
};

fn session() -> Session {
    Session::of(&client(), None, Asker::Person { login: None, hint: None })
}

fn kept() -> World {
    let sessions = StaticSessions::default().with(session().key(), "rt-1");
    World { sessions, ..World::default() }
}

fn redeem(world: &World, fallback: Option<&str>) -> Result<Granted> {
    let session = session();
    now(session.redeem(&client(), &wanted(), fallback.map(Into::into), &world.host()))
}

fn held(world: &World) -> Option<String> {
    world.sessions.kept(session().key())
}

const DEAD: &str = r#"{"error":"invalid_grant","error_codes":[700082]}"#;

#[test]
fn one_request_and_its_answer_is_kept_first() {
    let world = kept();
    world.entra_grants("at", Some("rt-2"));
    assert_eq!(redeem(&world, None).unwrap().access_token.expose_secret(), "at");
    assert_eq!(held(&world).as_deref(), Some("rt-2"));
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "keep", "close"]);
    assert_eq!(
        world.forms(),
        [format!(
            "grant_type=refresh_token refresh_token=rt-1 client_id={CLIENT} \
             scope={AKS}/.default openid offline_access profile"
        )]
    );
    assert!(matches!(world.http.requests()[0].retry, Retry::Redemption));
    assert!(world.notes.lines().iter().all(|line| !line.contains("rt-")));
}

#[test]
fn an_answer_without_a_session_leaves_the_old_one() {
    let world = kept();
    world.entra_grants("at", None);
    redeem(&world, None).unwrap();
    assert_eq!(held(&world).as_deref(), Some("rt-1"));
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
}

#[test]
fn without_a_session_nothing_is_locked_and_nothing_asked() {
    let world = World::default();
    let error = redeem(&world, None).unwrap_err();
    assert_eq!(
        error.cause(),
        Some("no session is kept for this application and tenant, or it has ended")
    );
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert!(error.next_line().unwrap().starts_with("fleetkey login azure --server-id "));
    assert!(world.sessions.steps().is_empty() && world.http.requests().is_empty());
}

#[test]
fn a_dead_session_is_forgotten() {
    let world = kept();
    world.http.answer(400, &[], DEAD);
    let error = redeem(&world, None).unwrap_err();
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert!(error.message().contains("has ended"), "{error}");
    assert_eq!(held(&world), None);
}

#[test]
fn what_is_no_word_about_the_session_leaves_it() {
    for (status, body, kind, step) in [
        (
            400,
            r#"{"error":"interaction_required","error_codes":[50076]}"#,
            Kind::SignInNeeded,
            "unchanged",
        ),
        (400, r#"{"error":"invalid_grant","error_codes":[65001]}"#, Kind::Refused, "unchanged"),
        (400, r#"{"error":"invalid_grant","error_codes":[1]}"#, Kind::SignInNeeded, "unchanged"),
        (
            400,
            r#"{"error":"unauthorized_client","error_codes":[700016]}"#,
            Kind::Config,
            "unchanged",
        ),
        (503, r#"{"error":"temporarily_unavailable"}"#, Kind::Unavailable, "unchanged"),
        // nobody knows what became of these
        (503, "", Kind::Unavailable, "redeeming"),
        (200, "<html>", Kind::Unavailable, "redeeming"),
        (200, r#"{"token_type":"Bearer"}"#, Kind::Unavailable, "redeeming"),
    ] {
        let world = kept();
        world.http.answer(status, &[], body);
        let error = redeem(&world, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert_eq!(held(&world).as_deref(), Some("rt-1"), "{body}");
        let steps = world.sessions.steps();
        assert_eq!(steps[steps.len() - 2..], [step, "close"], "{body}");
    }
    let world = kept();
    assert_eq!(redeem(&world, None).unwrap_err().kind(), Kind::Failed, "no answer at all");
    assert_eq!(world.sessions.steps(), ["open", "redeeming", "close"]);
    world.entra_grants("at", Some("rt-2"));
    redeem(&world, None).unwrap();
    assert!(world.notes.lines().iter().any(|line| line.contains("was cut short")));
}

#[test]
fn a_challenge_is_remembered_until_somebody_signs_in() {
    let world = kept();
    let body = r#"{"error":"interaction_required","error_codes":[50076],"claims":"{\"a\":1}"}"#;
    world.http.answer(400, &[], body);
    let (session, host) = (session(), world.host());
    now(session.redeem(&client(), &wanted(), None, &host)).unwrap_err();
    assert_eq!(session.challenge().as_deref(), Some(r#"{"a":1}"#));
    let tokens =
        Tokens { access_token: "at".into(), refresh_token: Some("rt-9".into()), id_token: None };
    session.keep(&tokens, &host);
    assert_eq!(session.challenge(), None);
    assert_eq!(held(&world).as_deref(), Some("rt-9"));
}

#[test]
fn another_tools_session_is_the_last_resort_and_its_successor_ours() {
    let world = World::default();
    world.entra_grants("at", Some("rt-2"));
    redeem(&world, Some("theirs")).unwrap();
    assert!(world.forms()[0].contains("refresh_token=theirs"));
    assert_eq!(held(&world).as_deref(), Some("rt-2"));

    let world = kept();
    world.entra_grants("at", None);
    redeem(&world, Some("theirs")).unwrap();
    assert!(world.forms()[0].contains("refresh_token=rt-1"));

    let world = kept();
    world.http.answer(400, &[], DEAD);
    world.entra_grants("at", Some("rt-2"));
    redeem(&world, Some("theirs")).unwrap();
    assert!(world.forms()[1].contains("refresh_token=theirs"));
    assert_eq!(held(&world).as_deref(), Some("rt-2"));

    let world = kept();
    world.http.answer(400, &[], DEAD);
    world.http.answer(400, &[], DEAD);
    assert_eq!(redeem(&world, Some("theirs")).unwrap_err().kind(), Kind::SignInNeeded);
    assert_eq!((held(&world), world.forms().len()), (None, 2));
}

#[test]
fn a_full_disk_costs_no_token() {
    let full = kept();
    let world = World { sessions: full.sessions.clone().full(), ..full };
    world.entra_grants("at", Some("rt-2"));
    redeem(&world, None).unwrap();
    assert_eq!(held(&world).as_deref(), Some("rt-1"));
    assert!(world.notes.lines().iter().any(|line| line.contains("is not kept: the disk is full")));
    let tokens =
        Tokens { access_token: "at".into(), refresh_token: Some("rt".into()), id_token: None };
    session().keep(&tokens, &world.host());
    assert!(world.notes.lines().last().unwrap().ends_with("you will be asked again"));
}

#[test]
fn a_kept_session_that_cannot_be_marked_is_not_redeemed() {
    let unmarkable = |world: &World, fallback: Option<&str>| {
        let mut host = world.host();
        host.sessions = Box::new(Unmarkable(world.sessions.clone()));
        let session = session();
        now(session.redeem(&client(), &wanted(), fallback.map(Into::into), &host))
    };
    let world = kept();
    world.entra_grants("at", Some("rt-2"));
    let error = unmarkable(&world, None).unwrap_err();
    assert_eq!(error.to_string(), "the session is not renewed: the disk is full");
    assert_eq!(error.next_line(), Some("df -h ~/.local/state"));
    assert!(world.http.requests().is_empty());
    assert_eq!(held(&world).as_deref(), Some("rt-1"));

    // another tool keeps its own
    assert_eq!(unmarkable(&world, Some("theirs")).unwrap().access_token.expose_secret(), "at");
    let [sent] = &world.forms()[..] else { panic!("one request") };
    assert!(sent.contains("refresh_token=theirs"), "{sent}");
}

#[test]
fn whoever_signed_in_by_one_name_is_not_refused_at_renewal_for_another() {
    let asker = Asker::Person { login: None, hint: Some("ann@x".into()) };
    let session = Session::of(&client(), Some("ann@x"), asker);
    let sessions = StaticSessions::default().with(session.key(), "rt-1");
    let world = World { sessions, ..World::default() };
    let answers = |upn: &str, name: &str| {
        let body = json!({
            "access_token": access_token(&json!({ "upn": upn })),
            "id_token": access_token(&json!({ "preferred_username": name })),
            "refresh_token": "rt-2",
        });
        world.http.answer(200, &[], &body.to_string());
    };
    answers("alias@y", "Ann@x");
    now(session.redeem(&client(), &wanted(), None, &world.host())).unwrap();
    assert_eq!(world.sessions.kept(session.key()).as_deref(), Some("rt-2"));

    answers("bob@y", "bob@x");
    let error = now(session.redeem(&client(), &wanted(), None, &world.host())).unwrap_err();
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert!(error.to_string().contains("asks for `ann@x`, and `bob@y` came"), "{error}");
    assert!(error.next_line().unwrap().ends_with(" --login-hint ann@x"), "{error:?}");
    assert_eq!(world.sessions.kept(session.key()), None);
}

#[test]
fn one_sign_in_serves_every_server_and_no_other_identity() {
    let key = |change: fn(&mut Client), name: Option<&str>| {
        let mut client = client();
        change(&mut client);
        Session::of(&client, name, Asker::Application).key()
    };
    let base = key(|_| {}, None);
    assert_eq!(base, session().key());
    assert_eq!(base, key(|client| client.authority.is_known = false, Some("")));
    assert_eq!(key(|_| {}, Some("Ann@X")), key(|_| {}, Some("ann@x")));
    assert_eq!(
        key(|client| client.authority.tenant = "T.example".into(), None),
        key(|client| client.authority.tenant = "t.EXAMPLE".into(), None)
    );
    let others = [
        key(|client| client.authority.tenant = "t.example".into(), None),
        key(|client| client.id = "other".into(), None),
        key(|client| client.version = Version::V1, None),
        key(|client| client.authority.endpoint = client.authority.endpoint.at("x", &[]), None),
        key(|_| {}, Some("ann@x")),
    ];
    for other in others {
        assert_ne!(other, base);
    }
}
