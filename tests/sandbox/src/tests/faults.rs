use std::time::Duration;

use super::Signer;
use crate::client::Reply;
use crate::{Certificate, Fault, Gate, Route, Sandbox, Service};

const ROUTE: Route = Route::GetCallerIdentity;

fn ask(sandbox: &Sandbox) -> std::io::Result<Reply> {
    let alice = Signer::from(&sandbox.user("alice"));
    let (body, headers) = alice.signed(sandbox, &[("Action", "GetCallerIdentity")], sandbox.now());
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sandbox.client()?.send("POST", &sandbox.sts_url(), &headers, body.as_bytes())
}

#[test]
fn answers_that_are_not_the_true_one() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(
        ROUTE,
        [
            Fault::throttling(),
            Fault::internal_error(),
            Fault::unavailable(7),
            Fault::redirect("https://127.0.0.1:1/"),
            Fault::Garbage,
            Fault::HugeBody(100_000),
            Fault::Pass,
        ],
    );
    let replies: Vec<Reply> = (0..8).map(|_| ask(&sandbox).unwrap()).collect();
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [400, 500, 503, 307, 200, 200, 200, 200]);
    assert!(
        replies[0].text().contains("<Code>Throttling</Code>")
            && replies[0].text().contains("Rate exceeded")
    );
    assert_eq!(replies[2].header("retry-after"), Some("7"));
    assert_eq!(replies[3].header("location"), Some("https://127.0.0.1:1/"));
    assert!(replies[4].text().starts_with("<!DOCTYPE html>"));
    assert!(replies[5].body.len() > 100_000 && replies[5].header("content-length").is_none());
    assert_eq!(sandbox.count(ROUTE), 8);
}

#[test]
fn connections_that_end_badly() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(ROUTE, [Fault::Truncate(10), Fault::Truncate(10_000), Fault::Reset]);
    assert_eq!(ask(&sandbox).unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(ask(&sandbox).unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    let reset = ask(&sandbox).unwrap_err().kind();
    if cfg!(unix) {
        assert_eq!(reset, std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(ask(&sandbox).unwrap().status, 200);
}

#[test]
fn a_standing_fault_stands_until_it_is_cleared() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(ROUTE, Fault::status(502, "no"));
    assert_eq!([ask(&sandbox).unwrap().status, ask(&sandbox).unwrap().status], [502, 502]);
    sandbox.clear(ROUTE);
    sandbox.script(ROUTE, [Fault::OneByteAtATime(Duration::ZERO), Fault::Delay(Duration::ZERO)]);
    assert_eq!([ask(&sandbox).unwrap().status, ask(&sandbox).unwrap().status], [200, 200]);
}

#[test]
fn a_gate_holds_everybody_until_it_opens() {
    let sandbox = Sandbox::start().unwrap();
    let gate = Gate::new();
    sandbox.always(ROUTE, Fault::Hold(gate.clone()));
    std::thread::scope(|scope| {
        let asking: Vec<_> =
            (0..200).map(|_| scope.spawn(|| ask(&sandbox).unwrap().status)).collect();
        assert!(gate.wait_for(200, Duration::from_mins(1)));
        assert_eq!(sandbox.count(ROUTE), 200);
        assert!(sandbox.requests().iter().all(|request| request.status.is_none()));
        gate.release();
        assert!(asking.into_iter().all(|asked| asked.join().unwrap() == 200));
    });
}

#[test]
fn certificates_a_careful_client_refuses() {
    let sandbox = Sandbox::start().unwrap();
    for (certificate, word) in
        [(Certificate::WrongName, "NotValidForName"), (Certificate::UnknownIssuer, "UnknownIssuer")]
    {
        sandbox.certificate(Service::Sts, certificate);
        let error = format!("{:?}", ask(&sandbox).unwrap_err());
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(sandbox.total(), 0);
    sandbox.certificate(Service::Sts, Certificate::Right);
    assert_eq!(ask(&sandbox).unwrap().status, 200);
}

#[test]
fn a_canary_remembers_what_it_heard() {
    let sandbox = Sandbox::start().unwrap();
    let canary = sandbox.canary().unwrap();
    assert_eq!((canary.connections(), canary.heard().len()), (0, 0));
    let client = sandbox.client().unwrap();
    client.send("POST", &canary.http, &[("x-key", "abc")], b"a%2Fsecret").unwrap();
    client.get(&format!("{}/path", canary.https), &[]).unwrap();
    assert_eq!((canary.connections(), sandbox.count(Route::Canary)), (2, 2));
    assert!(canary.heard_of("abc") && canary.heard_of("a/secret") && canary.heard_of("/path"));
    assert!(!canary.heard_of("another"));
}
