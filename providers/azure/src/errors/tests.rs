use std::io::{Write, stdout};

use fleetkey_provider::Kind;
use serde_json::{Value, json};

use super::*;
use crate::{
    server_id::AKS,
    testing::{CLIENT, NOW, TENANT, client, wanted},
};

/// Bodies of refusals, as Entra and a metadata service wrote them; ids are replaced.
const BODIES: &str = include_str!("../../testdata/entra_error_bodies.json");

pub(super) const ID: &str = "00010203-0405-4607-8809-0a0b0c0d0e0f";

/// The line that asks the sign-in log of the public cloud.
pub(super) fn log(id: &str) -> String {
    let types = "t%20eq%20%27interactiveUser%27%20or%20t%20eq%20%27nonInteractiveUser%27%20or\
                 %20t%20eq%20%27servicePrincipal%27";
    format!(
        "az rest --url 'https://graph.microsoft.com/beta/auditLogs/signIns?$filter=correlationId\
         %20eq%20%27{id}%27%20and%20signInEventTypes/any(t:{types})'"
    )
}

pub(super) fn person() -> Asker {
    Asker::Person { login: None, hint: None }
}

fn answer(status: u16, body: &str) -> HttpResponse {
    let date = ("date".to_owned(), "Fri, 02 Jan 2026 03:04:00 GMT".to_owned());
    HttpResponse { status, headers: vec![date], body: body.into() }
}

fn error_for(asker: &Asker, answer: &HttpResponse) -> Error {
    let (client, wanted) = (client(), wanted());
    let call = Call {
        client: &client,
        server: &wanted.server,
        asker,
        assertion: None,
        secrets: vec!["hunter2"],
        request_id: ID,
    };
    match Said::read(answer) {
        Some(said) => call.refused(&said, NOW.parse().unwrap()),
        None => call.not_understood(answer),
    }
}

pub(super) fn coded(asker: &Asker, error: &str, code: u32) -> Error {
    let body = json!({ "error": error, "error_codes": [code], "correlation_id": "c-1",
        "error_description": format!("AADSTS{code}: Words. More.\r\nTrace ID: t") });
    error_for(asker, &answer(400, &body.to_string()))
}

#[test]
fn recorded_bodies_lead_to_their_rows() {
    let aks_login =
        format!("fleetkey login azure --server-id {AKS} --tenant-id {TENANT} --client-id {CLIENT}");
    let login = Some(aks_login.as_str());
    let log = log("00000000-0000-0000-0000-000000000002");
    let password = format!(
        "fleetkey get-token azure --server-id {AKS} --tenant-id {TENANT} --client-id {CLIENT} \
         --login ropc --username me@x --password-file password.txt"
    );
    let reset = format!("az ad app credential reset --id {CLIENT}");
    let certificates = format!("az ad app credential list --id {CLIENT} --cert");
    let server = format!("az ad sp show --id {AKS}");
    let me = Asker::Password { username: "me@x".into() };
    let app = Asker::Application;
    let mut expected = [
        (70016, person(), Kind::SignInNeeded, "nobody has typed the code yet", login),
        (50076, person(), Kind::SignInNeeded, "wants multi-factor authentication", login),
        (7_000_215, app.clone(), Kind::Refused, "the secret of application", Some(&*reset)),
        (700_027, app.clone(), Kind::Refused, "thumbprint 8CA6895C58FD", Some(&*certificates)),
        (50126, me, Kind::Refused, "the password of `me@x` is wrong", Some(&*password)),
        (54005, person(), Kind::SignInNeeded, "code was used already", login),
        (50173, person(), Kind::SignInNeeded, "has ended", login),
        (70043, person(), Kind::SignInNeeded, "has ended", login),
        (700_082, person(), Kind::SignInNeeded, "has ended", login),
        (700_024, app, Kind::Refused, "is not valid now", Some("date -u")),
        (53003, person(), Kind::Refused, "Conditional Access of tenant", Some(&*log)),
        (700_007, person(), Kind::SignInNeeded, "another application", login),
        (70011, person(), Kind::Config, "knows a scope of", Some(&*server)),
    ]
    .into_iter();
    let bodies: Vec<Value> = serde_json::from_str(BODIES).unwrap();
    let mut ran = 0;
    for case in &bodies {
        let status = u16::try_from(case["http_status"].as_u64().unwrap()).unwrap();
        let answer = answer(status, &case["body"].to_string());
        let Some(code) = case["code"].as_u64() else {
            // of a metadata service: one refusal that is no code's, and one that is none
            match Said::read(&answer) {
                Some(said) => assert_eq!(Row::of(&said, true).who.kind(true), Kind::Config),
                None => assert_eq!(status, 200),
            }
            ran += 1;
            continue;
        };
        let (number, asker, kind, words, next) = expected.next().unwrap();
        let error = error_for(&asker, &answer);
        assert_eq!(code, number);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_eq!(error.next_line(), next, "{error}");
        let cause = error.cause().unwrap();
        assert!(cause.starts_with(&format!("AADSTS{code}: ")), "{cause}");
        assert!(!cause.contains("Trace ID") && !cause.contains("Timestamp"), "{cause}");
        let id = "(correlation id 00000000-0000-0000-0000-000000000002)";
        assert!(cause.contains(id), "{cause}");
        ran += 1;
    }
    assert!(expected.next().is_none());
    // past the capture of the test harness
    writeln!(stdout().lock(), "replayed entra-errors: {ran} ran, 0 skipped on purpose").unwrap();
    assert_eq!(ran, 15);
}

#[test]
fn who_asks_decides_who_has_to_act() {
    let me = Asker::Password { username: "me@x".into() };
    for (error, code, of_person, of_password, of_application) in [
        ("invalid_grant", 50076, Kind::SignInNeeded, Kind::Refused, Kind::Refused),
        ("invalid_grant", 99_999, Kind::SignInNeeded, Kind::Refused, Kind::Refused),
        ("interaction_required", 53003, Kind::Refused, Kind::Refused, Kind::Refused),
        ("invalid_grant", 50126, Kind::Refused, Kind::Refused, Kind::Refused),
        ("invalid_request", 90002, Kind::Config, Kind::Config, Kind::Config),
        ("unauthorized_client", 700_016, Kind::Config, Kind::Config, Kind::Config),
        ("invalid_resource", 500_011, Kind::Config, Kind::Config, Kind::Config),
        ("invalid_request", 50011, Kind::Config, Kind::Config, Kind::Config),
        ("invalid_request", 99_999, Kind::Config, Kind::Config, Kind::Config),
        ("interaction_required", 65001, Kind::SignInNeeded, Kind::Refused, Kind::Refused),
        ("login_required", 500_011, Kind::SignInNeeded, Kind::Refused, Kind::Refused),
        ("interaction_required", 53000, Kind::Refused, Kind::Refused, Kind::Refused),
        ("unauthorized_client", 50076, Kind::Config, Kind::Config, Kind::Config),
        ("invalid_client", 500_011, Kind::Refused, Kind::Refused, Kind::Refused),
        ("invalid_client", 7_000_218, Kind::Refused, Kind::Refused, Kind::Refused),
        ("invalid_resource", 50173, Kind::Config, Kind::Config, Kind::Config),
        ("expired_token", 7_000_215, Kind::SignInNeeded, Kind::Refused, Kind::Refused),
        ("temporarily_unavailable", 50126, Kind::Unavailable, Kind::Unavailable, Kind::Unavailable),
        ("access_denied", 65001, Kind::Refused, Kind::Refused, Kind::Refused),
        ("invalid_client", 7_000_222, Kind::Refused, Kind::Refused, Kind::Refused),
        ("invalid_client", 99_999, Kind::Refused, Kind::Refused, Kind::Refused),
        ("server_error", 90033, Kind::Unavailable, Kind::Unavailable, Kind::Unavailable),
        ("invalid_grant", 50196, Kind::Unavailable, Kind::Unavailable, Kind::Unavailable),
        ("novelty", 99_999, Kind::Refused, Kind::Refused, Kind::Refused),
    ] {
        assert_eq!(coded(&person(), error, code).kind(), of_person, "{error} {code}");
        assert_eq!(coded(&me, error, code).kind(), of_password, "{error} {code}");
        assert_eq!(coded(&Asker::Application, error, code).kind(), of_application, "{error}");
    }
}

#[test]
fn what_would_lock_an_account_is_asked_once() {
    let me = Asker::Password { username: "me@x".into() };
    for code in [50126, 50034, 50053, 50055, 50057, 53004] {
        assert!(coded(&me, "invalid_grant", code).is_once(), "{code}");
    }
    for code in [7_000_215, 7_000_222, 700_027] {
        assert!(coded(&Asker::Application, "invalid_client", code).is_once(), "{code}");
    }
    assert!(coded(&Asker::Application, "invalid_client", 99_999).is_once());
    assert!(coded(&person(), "invalid_grant", 50196).is_once());
    for (code, asker) in [(50076, &me), (700_024, &Asker::Application), (50055, &person())] {
        assert!(!coded(asker, "invalid_grant", code).is_once(), "{code}");
    }
}

#[test]
fn a_suberror_counts_where_no_code_is_known() {
    for (suberror, words) in [
        ("basic_action", "multi-factor"),
        ("bad_token", "has ended"),
        ("consent_required", "nobody consented"),
        ("protection_policy_required", "a device that it manages"),
        ("client_mismatch", "another application"),
        ("user_password_expired", "has expired"),
        ("novelty", "a person has to sign in"),
    ] {
        let body = json!({ "error": "invalid_grant", "suberror": suberror, "error_codes": [1] });
        let error = error_for(&person(), &answer(400, &body.to_string()));
        assert!(error.message().contains(words), "{suberror}: {error}");
        let cause = error.cause().unwrap();
        assert!(cause.starts_with(&format!("invalid_grant (request id {ID})")), "{cause}");
    }
}

#[test]
fn the_code_that_says_more_counts() {
    let body =
        |codes: &[u32]| json!({ "error": "invalid_grant", "error_codes": codes }).to_string();
    for (codes, words) in [
        (&[70002, 70008][..], "has ended"),
        (&[70002, 50126], "is wrong"),
        (&[70002], "its value is needed"),
        (&[70002, 99_999], "its value is needed"),
        (&[99_999, 50076], "multi-factor"),
    ] {
        let error = error_for(&person(), &answer(400, &body(codes)));
        assert!(error.message().contains(words), "{codes:?}: {error}");
    }
}

#[test]
fn az_is_told_to_sign_in_with_az() {
    let error = coded(&Asker::AzureCli, "invalid_grant", 700_082);
    assert_eq!(error.kind(), Kind::SignInNeeded);
    let line = format!("az login --tenant {TENANT} --scope {AKS}/.default");
    assert_eq!(error.next_line(), Some(&*line));
}

#[test]
fn a_blocked_code_leads_to_a_browser() {
    let asker = Asker::Person { login: Some("devicecode"), hint: None };
    let error = coded(&asker, "access_denied", 53003);
    assert!(error.message().contains("where a code is typed"), "{error}");
    assert!(error.next_line().unwrap().ends_with(" --login interactive"), "{error:?}");
    let error = coded(&Asker::Password { username: "me@x".into() }, "invalid_grant", 50076);
    assert!(error.message().contains("`--login ropc` has nothing more"), "{error}");
    let end = " --login interactive --login-hint me@x";
    assert!(error.next_line().unwrap().ends_with(end), "{error:?}");
}

#[test]
fn the_assertion_is_compared_with_what_has_to_be_configured() {
    let (client, wanted) = (client(), wanted());
    let claims = |claims: Value| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
    };
    let shown_for = |assertion: &str| {
        let call = Call {
            client: &client,
            server: &wanted.server,
            asker: &Asker::Application,
            assertion: Some(assertion),
            secrets: vec![assertion],
            request_id: ID,
        };
        let body = r#"{"error":"invalid_client","error_codes":[700213]}"#;
        let error = call.refused(&Said::read(&answer(401, body)).unwrap(), NOW.parse().unwrap());
        let next = format!("az ad app federated-credential list --id {CLIENT}");
        assert_eq!(error.next_line(), Some(&*next));
        error.message().to_owned()
    };
    let whole = claims(
        json!({ "iss": "https://i", "sub": "system:serviceaccount:a:b\u{1b}", "aud": ["x"] }),
    );
    assert_eq!(
        shown_for(&whole),
        format!(
            "application {CLIENT} has no federated credential for issuer `https://i`, \
             subject `system:serviceaccount:a:b\\u{{1b}}`, audience `x`"
        )
    );
    for bad in ["", "x", "a.b.c", &*claims(json!({ "iss": 1 })), &*claims(json!({ "iss": "i" }))] {
        assert!(shown_for(bad).ends_with("for this assertion"), "{bad}");
    }
}

#[test]
fn a_wrong_clock_is_told_from_a_stale_assertion() {
    let body = r#"{"error":"invalid_client","error_codes":[700024]}"#;
    let mut late = answer(401, body);
    late.headers = vec![("date".into(), "Fri, 02 Jan 2026 03:24:05 GMT".into())];
    let error = error_for(&Asker::Application, &late);
    let (kind, next) = (error.kind(), error.next_line());
    assert_eq!((kind, next), (Kind::Failed, Some("date -u")), "{error}");
    assert!(error.to_string().contains("it is 20 min behind Entra's; invalid_client"), "{error}");
    for date in ["nonsense", "Fri, 02 Jan 2026 03:04:00 GMT"] {
        late.headers = vec![("date".into(), date.into())];
        assert_eq!(error_for(&Asker::Application, &late).kind(), Kind::Refused);
    }
}

#[test]
fn what_is_not_entras_is_nobodys_refusal() {
    let curl = r"curl -sS -o /dev/null -w '%{http_code}\n' https://login.microsoftonline.com/";
    for (status, body, words) in [
        (200, "<html>sign in to the network</html>", "no JSON of Entra's"),
        (200, "", "nothing"),
        (400, "", "nothing"),
        (403, "<html>blocked: hunter2</html>", "a proxy"),
        (407, "{}", "a proxy"),
        (502, "Bad Gateway", "answered 502"),
        (429, "", "answered 429"),
        (302, "", "redirected to captive.example"),
    ] {
        let mut answer = answer(status, body);
        let to = "https://captive.example/login?x=hunter2";
        answer.headers.push(("location".into(), to.into()));
        let error = error_for(&person(), &answer);
        assert_eq!(error.kind(), Kind::Unavailable, "{status} {body}: {error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().ends_with(&format!("(request id {ID})")), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(error.next_line(), Some(curl));
    }
}

#[test]
fn neither_a_secret_nor_a_control_character_gets_through() {
    let body = json!({
        "error": "invalid_grant",
        "error_description": "AADSTS1: hunter2 \u{1b}[2J\u{202e} is bad",
        "correlation_id": "x\r\nSet-Cookie: hunter2",
    });
    let text = error_for(&person(), &answer(400, &body.to_string())).to_string();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    assert!(text.ends_with(&format!("(request id {ID})")), "{text}");
}

#[test]
fn what_is_no_guid_is_not_shown_for_a_correlation_id() {
    let guid = "89abcdef-0123-4567-89AB-cdef01234567";
    let long = format!("{guid}0");
    let theirs = format!("(correlation id {guid})");
    let ours = format!("(request id {ID})");
    for (said, shown) in [
        (guid, &theirs),
        ("c-1", &ours),
        ("", &ours),
        ("0AAAA-BbCcDdEeFf0123456789", &ours),
        ("89abcdef0123456789abcdef01234567", &ours),
        ("g9abcdef-0123-4567-89ab-cdef01234567", &ours),
        (&long, &ours),
    ] {
        let body = json!({ "error": "invalid_grant", "correlation_id": said });
        let text = error_for(&person(), &answer(400, &body.to_string())).to_string();
        assert!(text.ends_with(shown), "{said}: {text}");
    }
}
