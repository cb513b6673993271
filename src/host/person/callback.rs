//! Which request on loopback is the one that is waited for. Everything on this machine, and every
//! page in its browser, may send others.
//!
//! The right one goes to the right path of a host that is this machine by name (any other name is a
//! page elsewhere that was rebound to this address), and brings the state that only the page that
//! was opened knows. A refusal (`error`) without that state is a forgery too (RFC 6749, section
//! 10.12).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::io::{AsyncRead, AsyncReadExt};
use url::form_urlencoded;

const LARGEST_HEAD: usize = 1 << 14;
const LARGEST_BODY: usize = 1 << 16;
const MOST_HEADERS: usize = 100;
const AT_ONCE: usize = 1 << 12;
const FORM: &str = "application/x-www-form-urlencoded";
const HTTP_PORT: u16 = 80;
const END: &[u8] = b"\r\n\r\n";

/// What a callback brings.
pub(super) type Parameters = Vec<(String, String)>;

/// The callback that is waited for.
pub(super) struct Expected {
    pub(super) port: u16,
    pub(super) path: String,
    pub(super) state: String,
}

impl Expected {
    /// Reads one request. `None` if it is not the one, or does not come to an end.
    pub(super) async fn read(&self, from: &mut (impl AsyncRead + Unpin)) -> Option<Parameters> {
        let mut bytes = Vec::new();
        let end = loop {
            let known = bytes.len();
            more(from, &mut bytes).await?;
            let unseen = known.saturating_sub(END.len() - 1);
            if let Some(at) = bytes[unseen..].windows(END.len()).position(|four| four == END) {
                break unseen + at + END.len();
            }
            if bytes.len() >= LARGEST_HEAD {
                return None;
            }
        };
        let text = match self.head(&bytes[..end])? {
            Place::Query(query) => query,
            Place::Body(length) => {
                while bytes.len() - end < length {
                    more(from, &mut bytes).await?;
                }
                bytes[end..end + length].to_vec()
            }
        };
        let parameters: Parameters = form_urlencoded::parse(&text).into_owned().collect();
        self.has_state(&parameters).then_some(parameters)
    }

    /// Where the parameters are, if everything before them is right.
    fn head(&self, head: &[u8]) -> Option<Place> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        if !request.parse(head).ok()?.is_complete() {
            return None;
        }
        let (path, query) = match request.path?.split_once('?') {
            Some((path, query)) => (path, query),
            None => (request.path?, ""),
        };
        if path != self.path || !self.is_this_machine(only(request.headers, "host")?) {
            return None;
        }
        match request.method? {
            "GET" => Some(Place::Query(query.into())),
            "POST" => {
                let kind = only(request.headers, "content-type")?;
                let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind).trim();
                let length: usize = only(request.headers, "content-length")?.parse().ok()?;
                let right = kind.eq_ignore_ascii_case(FORM) && length <= LARGEST_BODY;
                right.then_some(Place::Body(length))
            }
            _ => None,
        }
    }

    fn is_this_machine(&self, host: &str) -> bool {
        let name = match host.strip_suffix(&format!(":{}", self.port)) {
            Some(name) => name,
            // the one port that browsers leave out
            None if self.port == HTTP_PORT => host,
            None => return false,
        };
        name == "127.0.0.1" || name == "[::1]" || name.eq_ignore_ascii_case("localhost")
    }

    /// Compared in a time that tells nothing of the state to who guesses.
    fn has_state(&self, parameters: &Parameters) -> bool {
        let mut states = parameters.iter().filter(|(name, _)| name == "state");
        let (Some((_, state)), None) = (states.next(), states.next()) else { return false };
        verify_slices_are_equal(state.as_bytes(), self.state.as_bytes()).is_ok()
    }
}

/// Where a request's parameters are.
enum Place {
    Query(Vec<u8>),
    /// In so many bytes after the head.
    Body(usize),
}

/// The header of that name, if there is exactly one.
fn only<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    let (Some(header), None) = (found.next(), found.next()) else { return None };
    std::str::from_utf8(header.value).ok()
}

/// Reads what there is; `None` at the end.
async fn more(from: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; AT_ONCE];
    let read = from.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
    into.extend_from_slice(&chunk[..read]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(port: u16, request: &[u8]) -> Option<Parameters> {
        let expected = Expected { port, path: "/done".into(), state: "s+1".into() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(expected.read(&mut &request[..]))
    }

    fn get(target: &str, host: &str) -> Option<Parameters> {
        read(4000, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
    }

    fn post(headers: &str, body: &str) -> Option<Parameters> {
        let head = format!("POST /done HTTP/1.1\r\nHost: localhost:4000\r\n{headers}\r\n");
        read(4000, format!("{head}{body}").as_bytes())
    }

    #[test]
    fn a_query_with_the_state_is_the_one() {
        let found = get("/done?code=a%20b&state=s%2B1", "localhost:4000").unwrap();
        assert_eq!(found, [("code".into(), "a b".into()), ("state".into(), "s+1".into())]);
    }

    #[test]
    fn so_is_a_form_and_its_query_does_not_count() {
        let form = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";
        let found = post(&format!("{form}Content-Length: 18\r\n"), "code=x&state=s%2B1").unwrap();
        assert_eq!(found[0], ("code".into(), "x".into()));
        // what follows is not part of it
        assert!(
            post(&format!("{form}Content-Length: 18\r\n"), "code=x&state=s%2B1&more").is_some()
        );
        assert!(post(&format!("{form}Content-Length: 19\r\n"), "code=x&state=s%2B1").is_none());
        assert!(post(form, "code=x&state=s%2B1").is_none());
        assert!(post("Content-Length: 18\r\n", "code=x&state=s%2B1").is_none());
        let json = "Content-Type: application/json\r\nContent-Length: 18\r\n";
        assert!(post(json, "code=x&state=s%2B1").is_none());
        let twice = format!("{form}Content-Length: 18\r\nContent-Length: 5\r\n");
        assert!(post(&twice, "code=x&state=s%2B1").is_none());
        let in_the_query = b"POST /done?state=s%2B1 HTTP/1.1\r\nHost: localhost:4000\r\n\
            Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n";
        assert!(read(4000, in_the_query).is_none());
    }

    #[test]
    fn without_the_right_state_it_is_nobodys() {
        for target in [
            "/done?code=x",
            "/done?code=x&state=",
            "/done?code=x&state=s%2B2",
            "/done?code=x&state=s%2B1&state=s%2B1",
            "/done?code=x&state=s%2B1&state=other",
            "/done?error=access_denied",
            "/done",
        ] {
            assert!(get(target, "localhost:4000").is_none(), "{target}");
        }
    }

    #[test]
    fn only_its_path_is_its_path() {
        for target in
            ["/?state=s%2B1", "/done/?state=s%2B1", "//done?state=s%2B1", "/DONE?state=s%2B1"]
        {
            assert!(get(target, "localhost:4000").is_none(), "{target}");
        }
    }

    #[test]
    fn a_host_is_this_machine_by_name_or_the_request_is_somebody_elses() {
        for good in ["localhost:4000", "LOCALHOST:4000", "127.0.0.1:4000", "[::1]:4000"] {
            assert!(get("/done?state=s%2B1", good).is_some(), "{good}");
        }
        for bad in [
            "evil.example:4000",
            "localhost.evil.example:4000",
            "localhost",
            "localhost:4001",
            "localhost:40000",
            "127.0.0.2:4000",
            "::1:4000",
            "",
        ] {
            assert!(get("/done?state=s%2B1", bad).is_none(), "{bad}");
        }
        assert!(read(4000, b"GET /done?state=s%2B1 HTTP/1.1\r\n\r\n").is_none());
        let twice = b"GET /done?state=s%2B1 HTTP/1.1\r\nHost: localhost:4000\r\nHost: localhost:4000\r\n\r\n";
        assert!(read(4000, twice).is_none());
        assert!(read(80, b"GET /done?state=s%2B1 HTTP/1.1\r\nHost: localhost\r\n\r\n").is_some());
    }

    #[test]
    fn what_is_no_request_or_never_ends_is_nothing() {
        let head = "GET /done?state=s%2B1 HTTP/1.1\r\nHost: localhost:4000\r\n";
        let long = |n: usize| format!("{head}X: {}\r\n\r\n", "x".repeat(n));
        assert!(read(4000, long(LARGEST_HEAD - 100).as_bytes()).is_some());
        assert!(read(4000, long(LARGEST_HEAD + AT_ONCE).as_bytes()).is_none());
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let large = |n: usize| format!("state=s%2B1&x={}", "x".repeat(n - 14));
        let headers = |n: usize| format!("{form}Content-Length: {n}\r\n");
        assert!(post(&headers(LARGEST_BODY), &large(LARGEST_BODY)).is_some());
        assert!(post(&headers(LARGEST_BODY + 1), &large(LARGEST_BODY + 1)).is_none());
        assert!(post(&headers(usize::MAX), "state=s%2B1").is_none());
        for junk in [&b""[..], b"\r\n\r\n", b"\x16\x03\x01\x02\x00", head.as_bytes(), &[0xff; 9000]]
        {
            assert!(read(4000, junk).is_none());
        }
        for method in ["HEAD", "PUT", "OPTIONS"] {
            let head = head.replace("GET", method);
            assert!(read(4000, format!("{head}\r\n").as_bytes()).is_none(), "{method}");
        }
    }
}
