//! What STS answers, and what it becomes.

use fleetkey_provider::Kind;

use super::*;
use crate::testing::{World, lent};

fn fails(status: u16, body: &str) -> Error {
    let world = World::new();
    world.http.answer(status, &[], body);
    world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap_err()
}

#[test]
fn an_answer_that_lacks_something_lends_nothing() {
    let whole = lent("AssumeRole");
    for name in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
        let error = fails(200, &whole.replace(name, "Strange"));
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.message().contains("was not understood"), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    for body in [
        "",
        "<html><body>sign in to the network</body></html>",
        &lent("AssumeRoleWithWebIdentity"),
        &whole.replace("2026-01-02T04", "tomorrow"),
    ] {
        assert_eq!(fails(200, body).kind(), Kind::Unavailable, "{body}");
    }
}

#[test]
fn keys_that_cannot_be_keys_are_an_answer_not_understood() {
    let whole = lent("AssumeRole");
    for (from, to) in [
        ("ASIALENT", "ASIA/2020&amp;X-Amz=1"),
        ("ASIALENT", "ASIA&#x1b;"),
        ("<SecretAccessKey>s<", "<SecretAccessKey>é<"),
        ("<SessionToken>lent<", &format!("<SessionToken>{}<", "x".repeat(500_000))),
    ] {
        assert!(whole.contains(from));
        let error = fails(200, &whole.replace(from, to));
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.message().contains("was not understood"), "{error}");
        assert!(error.to_string().len() < 500, "{error}");
    }
}

#[test]
fn only_status_200_lends_keys() {
    for status in [201, 204, 206] {
        assert_eq!(fails(status, &lent("AssumeRole")).kind(), Kind::Unavailable, "{status}");
    }
}

#[test]
fn keys_are_used_for_twelve_hours_at_most_whatever_sts_says() {
    let world = World::new();
    let body = lent("AssumeRole").replace("2026-01-02T04:04:05Z", "2126-01-02T04:04:05Z");
    world.http.answer(200, &[], &body);
    let credential = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap();
    assert_eq!(credential.expires(), "2026-01-02T15:04:05Z".parse().ok());
}

const SKEWED: &str = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>\
    Signature expired: 20260102T030405Z is now earlier than 20260102T030905Z\
    </Message></Error></ErrorResponse>";
const DATE: (&str, &str) = ("date", "Fri, 02 Jan 2026 03:24:05 GMT");

#[test]
fn a_signature_for_the_wrong_time_is_made_once_more_for_the_right_one() {
    let world = World::new();
    world.http.answer(403, &[DATE], SKEWED);
    let body = lent("AssumeRole").replace("T04:04:05Z", "T04:24:05Z");
    world.http.answer(200, &[DATE], &body);
    let request = world.ask("--profile prod").unwrap();
    let credential = world.lend(request.as_ref()).unwrap();
    let dates: Vec<_> = world
        .http
        .requests()
        .iter()
        .filter_map(|sent| sent.headers.iter().find(|(name, _)| name == "x-amz-date").cloned())
        .map(|(_, date)| date)
        .collect();
    assert_eq!(dates, ["20260102T030405Z", "20260102T032405Z"]);
    // not the hour that it is lent for: the clock may be corrected before that
    assert_eq!(credential.expires(), "2026-01-02T03:09:05Z".parse().ok());
    let token = request.token(&credential, &world.host()).unwrap();
    assert_eq!(token.expires.to_string(), "2026-01-02T03:18:05Z");
    assert!(world.notes.lines().iter().any(|line| line.contains("20 min behind STS's")));
}

#[test]
fn a_clock_that_is_a_little_wrong_is_no_reason_to_ask_anew() {
    for (date, end) in [("03:05:05", "04:03:05"), ("03:05:06", "03:09:05")] {
        let world = World::new();
        let date = format!("Fri, 02 Jan 2026 {date} GMT");
        world.http.answer(200, &[("date", date.as_str())], &lent("AssumeRole"));
        let credential = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap();
        assert_eq!(credential.expires().unwrap().to_string(), format!("2026-01-02T{end}Z"));
    }
}

#[test]
fn a_clock_that_is_days_wrong_lends_nothing() {
    let world = World::new();
    world.http.answer(200, &[("date", "Mon, 05 Jan 2026 03:04:05 GMT")], &lent("AssumeRole"));
    let error = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap_err();
    assert_eq!(error.message(), "this machine's clock and AWS's differ by 3 days");
    assert_eq!(error.next_line(), Some("date -u"));
}

#[test]
fn a_refused_signature_is_made_again_only_if_the_clock_is_wrong_and_only_once() {
    let sent = |answers: &[&[(&str, &str)]]| {
        let world = World::new();
        for headers in answers {
            world.http.answer(403, headers, SKEWED);
        }
        let error = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap_err();
        (world.http.requests().len(), error.message().to_owned())
    };
    let right = [("date", "Fri, 02 Jan 2026 03:04:05 GMT")];
    let secret = "the secret access key of profile `keys` does not fit its access key id";
    assert_eq!(sent(&[&right]), (1, secret.to_owned()));
    assert_eq!(sent(&[&[]]), (1, secret.to_owned()));
    assert_eq!(sent(&[&[DATE], &[DATE]]).0, 2);
}

#[test]
fn two_paths_of_one_host_are_two_keys() {
    let print = |url| {
        let world = World::new().env(&[("AWS_ENDPOINT_URL", url)]);
        let print = |profile| world.ask(profile).unwrap().fingerprint().to_string();
        [print("--profile prod"), print("--profile dev")]
    };
    let (one, two) = (print("http://127.0.0.1:1/a"), print("http://127.0.0.1:1/b"));
    assert!(one[0] != two[0] && one[1] != two[1]);
}

#[test]
fn being_busy_is_told_from_being_wrong() {
    let says = |code: &str| HttpResponse {
        status: 400,
        headers: Vec::new(),
        body: format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")
            .into_bytes(),
    };
    assert!(is_throttled(&says("Throttling")));
    assert!(is_throttled(&says("IDPCommunicationError")));
    assert!(!is_throttled(&says("ValidationError")));
    assert!(!is_throttled(&HttpResponse { status: 200, ..says("Throttling") }));
}

#[test]
fn a_page_of_some_proxy_is_no_refusal() {
    for status in [302, 400, 403, 407, 502] {
        assert_eq!(fails(status, "<html/>").kind(), Kind::Unavailable, "{status}");
    }
}
