//! Browsers, and things that are none, come to a landing.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream as Client},
    thread,
};

use fleetkey_provider::{Kind, testing::StaticEnv};

use super::*;
use crate::host::person::voice::tests::heard;

const STATE: &str = "a-state-nobody-guesses";
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn visit() -> Visit {
    Visit {
        url: "https://login.example/authorize?a=b".into(),
        path: "/done".into(),
        state: STATE.into(),
        purpose: "sign in to <contoso>\u{1b}[2J".into(),
        how: SignIn::Terminal,
        limit: Duration::from_secs(30),
    }
}

fn landing(
    port: Option<u16>,
    browsers: Browsers,
) -> Result<(Loopback, Arc<std::sync::Mutex<Vec<u8>>>)> {
    let (voice, heard) = heard();
    Ok((Loopback::bind(port, browsers, voice)?, heard))
}

fn no_browsers() -> Browsers {
    Browsers::new(&StaticEnv::default(), false)
}

/// A visit, while somebody does something at the port. Whatever listens is gone when the visitor's
/// answer is looked at.
fn while_waiting<T: Send + 'static>(
    visit: &Visit,
    visitor: impl FnOnce(u16) -> T + Send + 'static,
) -> (Result<Parameters>, T) {
    let (landing, _heard) = landing(None, no_browsers()).unwrap();
    let port = landing.port();
    let visitor = thread::spawn(move || visitor(port));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let returned = runtime.block_on(landing.visit(visit));
    drop((landing, runtime));
    (returned, visitor.join().unwrap())
}

fn connect(ip: IpAddr, port: u16) -> Client {
    Client::connect(SocketAddr::new(ip, port)).unwrap()
}

/// Sends bytes, and reads to the end of the connection.
fn send(ip: IpAddr, port: u16, request: &str) -> String {
    let mut client = connect(ip, port);
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

fn get(port: u16, query: &str) -> String {
    format!("GET /done?{query} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n")
}

fn right(port: u16) -> String {
    get(port, &format!("code=c&state={STATE}"))
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    head.contains(&format!("Content-Length: {}\r\n", body.len()))
}

fn code(returned: Result<Parameters>) -> String {
    let returned = returned.unwrap();
    returned.into_iter().find(|(name, _)| name == "code").unwrap().1
}

#[test]
fn a_browser_comes_back_and_gets_a_page_that_a_person_understands() {
    let (returned, answer) = while_waiting(&visit(), |port| send(V4, port, &right(port)));
    assert_eq!(code(returned), "c");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && is_whole(&answer), "{answer}");
    assert!(answer.contains("close this tab"), "{answer}");
    assert!(answer.contains("&lt;contoso&gt;") && !answer.contains(STATE), "{answer}");
}

#[test]
fn a_form_is_as_good_and_what_comes_behind_it_does_not_cost_the_page() {
    let (returned, answer) = while_waiting(&visit(), |port| {
        let form = format!("code=c&state={STATE}");
        let head = format!(
            "POST /done HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n",
            form.len()
        );
        send(V4, port, &format!("{head}{form}{}", "x".repeat(1 << 24)))
    });
    assert_eq!(code(returned), "c");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && is_whole(&answer), "{answer}");
}

#[test]
fn a_refusal_with_the_state_is_an_answer_and_its_page_says_so() {
    let (returned, answer) = while_waiting(&visit(), |port| {
        send(V4, port, &get(port, &format!("error=access_denied&state={STATE}")))
    });
    assert!(returned.unwrap().contains(&("error".into(), "access_denied".into())));
    assert!(answer.contains("did not work") && !answer.contains("signed in"), "{answer}");
}

#[test]
fn whatever_else_comes_is_not_found_and_a_sign_in_goes_on() {
    let (returned, answers) = while_waiting(&visit(), |port| {
        let junk = [
            get(port, "error=access_denied"),
            get(port, "code=evil&state=wrong"),
            format!("GET /favicon.ico HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
            right(port).replace("localhost", "evil.example"),
            right(port).replace("/done", "/"),
            format!(
                "POST /done HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 70000\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\n\r\nstate={STATE}"
            ),
            "x".repeat(20_000),
            "\u{0}\r\n\r\n".into(),
        ];
        let answers: Vec<_> = junk.iter().map(|junk| send(V4, port, junk)).collect();
        (answers, send(V4, port, &right(port)))
    });
    assert_eq!(code(returned), "c");
    let (junk, last) = answers;
    assert!(last.contains("200 OK"));
    for answer in junk {
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n") && is_whole(&answer), "{answer}");
    }
}

#[test]
fn a_thousand_requests_and_a_hundred_that_never_end_do_not_stop_a_sign_in() {
    let (returned, (bounded, answer)) = while_waiting(&visit(), |port| {
        let mut slow = Vec::new();
        for turn in 0..1000 {
            if turn % 10 == 0 {
                let mut half = connect(V4, port);
                half.write_all(b"GET /done?state=").unwrap();
                slow.push(half);
            }
            assert!(send(V4, port, &get(port, "state=wrong")).contains("404"));
        }
        // the first made room, the last is still heard out
        let oldest: &mut Client = &mut slow[0];
        oldest.set_read_timeout(Some(CONNECTION / 2)).unwrap();
        let made_room = match oldest.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        let youngest: &mut Client = &mut slow[99];
        youngest.set_nonblocking(true).unwrap();
        let waiting = youngest.read(&mut [0; 1]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
        (made_room && waiting, send(V4, port, &right(port)))
    });
    assert_eq!((code(returned), bounded), ("c".into(), true));
    assert!(is_whole(&answer), "{answer}");
}

#[test]
fn both_loopback_addresses_have_the_port() {
    let Ok(probe) = Listener::bind((V6, 0)) else {
        return eprintln!("skipped: there is no ::1 here");
    };
    drop(probe);
    let (returned, answer) = while_waiting(&visit(), |port| {
        assert!(send(V4, port, &get(port, "state=wrong")).contains("404"));
        send(V6, port, &right(port).replace("localhost", "[::1]"))
    });
    assert_eq!(code(returned), "c");
    assert!(is_whole(&answer), "{answer}");
}

#[test]
fn when_the_time_is_up_nobody_signed_in() {
    let visit = Visit { limit: Duration::from_millis(100), ..visit() };
    let (returned, ()) = while_waiting(&visit, |_| ());
    let error = returned.unwrap_err();
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert_eq!(nobody_came(Duration::from_mins(5)).message(), "nobody signed in within 5 min");
}

#[test]
fn a_port_that_was_asked_for_is_taken_or_an_error_that_names_it() {
    let (first, _) = landing(None, no_browsers()).unwrap();
    let Err(error) = landing(Some(first.port()), no_browsers()) else { panic!("it was taken") };
    assert_eq!(error.kind(), Kind::Config);
    assert_eq!(error.message(), format!("port {} on loopback is taken", first.port()));
    let port = first.port();
    drop(first);
    assert_eq!(landing(Some(port), no_browsers()).unwrap().0.port(), port);
}

#[test]
fn what_has_no_state_or_no_page_of_the_web_is_not_begun() {
    for visit in [
        Visit { state: String::new(), ..visit() },
        Visit { url: "file:///etc/passwd".into(), ..visit() },
    ] {
        let (returned, ()) = while_waiting(&visit, |_| ());
        assert_eq!(returned.unwrap_err().kind(), Kind::Failed);
    }
}

#[test]
#[cfg(unix)]
fn the_page_is_shown_and_opened_and_if_that_fails_it_is_said() {
    let env = StaticEnv::new([("BROWSER", "false"), ("PATH", "/bin:/usr/bin")]);
    for (how, failed) in [(SignIn::Browser, true), (SignIn::Terminal, false)] {
        let (landing, heard) =
            landing(None, Browsers::new(&env, false).without_the_systems()).unwrap();
        let visit = Visit { how, limit: Duration::from_millis(500), ..visit() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(landing.visit(&visit)).unwrap_err();
        let text = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
        let mut expected = "fleetkey: sign in to <contoso> [2J\nopen this page in a browser: \
                            https://login.example/authorize?a=b\n"
            .to_owned();
        if failed {
            expected.push_str("no browser could be opened; open the page yourself\n");
        }
        assert_eq!(text, expected);
    }
}
