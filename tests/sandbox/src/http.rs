//! As much HTTP/1.1 as the sandbox's clients speak: a request read whole, an answer written whole.

use std::fmt::Write as _;
use std::io::{self, Read};

use jiff::Timestamp;
use url::form_urlencoded;

use crate::clock::http_date;

/// A request, read to its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they came.
    pub(crate) target: String,
    /// Lower-case names, in their order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; none at its end. `seen` gets every byte as it arrives; `rest` keeps what
    /// came after this request.
    pub(crate) fn read(
        from: &mut impl Read,
        rest: &mut Vec<u8>,
        mut seen: impl FnMut(&[u8]),
    ) -> io::Result<Option<Self>> {
        let (mut request, head) = loop {
            if let Some(parsed) = Self::parse_head(rest)? {
                break parsed;
            }
            if rest.len() > HEAD_LIMIT {
                return Err(invalid("head too large"));
            }
            if !more(from, rest, &mut seen)? {
                return if rest.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        };
        rest.drain(..head);
        if request
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            request.body = read_chunks(from, rest, &mut seen)?;
        } else if let Some(length) = request.header("content-length") {
            let length = length.trim().parse::<usize>().ok().filter(|&length| length <= BODY_LIMIT);
            let length = length.ok_or_else(|| invalid("content-length"))?;
            need(length, from, rest, &mut seen)?;
            request.body = rest.drain(..length).collect();
        }
        Ok(Some(request))
    }

    /// The first value of a header (lower-case name).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query as it came, without its question mark.
    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Query parameters, then those of a form body, decoded.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let form = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body: &[u8] = if form { &self.body } else { b"" };
        let query = form_urlencoded::parse(self.query().as_bytes()).into_owned();
        query.chain(form_urlencoded::parse(body).into_owned()).collect()
    }

    /// The first parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Access key id and region of a SigV4 credential, wherever it stands, believed or not.
    pub(crate) fn claimed_key(&self) -> Option<(String, String)> {
        let credential =
            match self.header("authorization").and_then(|value| value.split_once("Credential=")) {
                Some((_, rest)) => rest.split([',', ' ']).next()?.to_owned(),
                None => self.parameter("X-Amz-Credential")?,
            };
        let mut parts = credential.split('/');
        Some((parts.next()?.to_owned(), parts.nth(1).unwrap_or_default().to_owned()))
    }

    fn parse_head(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(invalid(&error.to_string())),
        };
        let headers = parsed.headers.iter().map(|header| {
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            (header.name.to_ascii_lowercase(), value)
        });
        let request = Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: Vec::new(),
        };
        Ok(Some((request, length)))
    }
}

/// An answer, and what the log should know about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Who asked, if that was proven.
    pub(crate) caller: Option<String>,
    /// Why it was refused, in a word.
    pub(crate) error: Option<String>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
            ..Self::default()
        }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// Status line and headers, up to the empty line; `length` is what Content-Length says, none for chunks.
    pub(crate) fn head(&self, length: Option<usize>, keep_alive: bool, now: Timestamp) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nDate: {}\r\n",
            self.status,
            reason(self.status),
            http_date(now)
        );
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n"); // a String takes everything
        }
        let _ = match length {
            Some(length) => write!(head, "Content-Length: {length}\r\n"),
            None => write!(head, "Transfer-Encoding: chunked\r\n"),
        };
        head.push_str(if keep_alive { "\r\n" } else { "Connection: close\r\n\r\n" });
        head.into_bytes()
    }
}

fn read_chunks(
    from: &mut impl Read,
    rest: &mut Vec<u8>,
    seen: &mut impl FnMut(&[u8]),
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (head, size) = loop {
            match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Complete(found)) => break found,
                Ok(httparse::Status::Partial) if more(from, rest, seen)? => {}
                _ => return Err(invalid("chunk")),
            }
        };
        let size = usize::try_from(size).ok().filter(|size| size + body.len() <= BODY_LIMIT);
        let size = size.ok_or_else(|| invalid("chunk size"))?;
        need(head + size + 2, from, rest, seen)?;
        body.extend_from_slice(&rest[head..head + size]);
        rest.drain(..head + size + 2);
        if size == 0 {
            return Ok(body); // trailers are not spoken here
        }
    }
}

fn need(
    length: usize,
    from: &mut impl Read,
    rest: &mut Vec<u8>,
    seen: &mut impl FnMut(&[u8]),
) -> io::Result<()> {
    while rest.len() < length {
        if !more(from, rest, seen)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn more(
    from: &mut impl Read,
    rest: &mut Vec<u8>,
    seen: &mut impl FnMut(&[u8]),
) -> io::Result<bool> {
    let mut buffer = [0; 8192];
    let count = from.read(&mut buffer)?;
    seen(&buffer[..count]);
    rest.extend_from_slice(&buffer[..count]);
    Ok(count > 0)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const HEAD_LIMIT: usize = 128 * 1024;
const BODY_LIMIT: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_requests_on_one_connection() {
        let mut wire: &[u8] = b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n\
            Content-Length: 7\r\n\r\ny=2&z=+POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let mut rest = Vec::new();
        let mut seen = Vec::new();
        let length = wire.len();
        let first = Request::read(&mut wire, &mut rest, |bytes| seen.extend_from_slice(bytes))
            .unwrap()
            .unwrap();
        assert_eq!((first.path(), first.query(), first.header("host")), ("/a", "x=1", Some("h")));
        let pairs = [("x", "1"), ("y", "2"), ("z", " ")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(first.parameters(), pairs);
        let second = Request::read(&mut wire, &mut rest, |_| {}).unwrap().unwrap();
        assert_eq!((second.path(), second.body.as_slice()), ("/b", &b"abc"[..]));
        assert!(Request::read(&mut wire, &mut rest, |_| {}).unwrap().is_none());
        assert_eq!(seen.len(), length);
    }

    #[test]
    fn half_a_request_is_an_error() {
        for wire in
            ["GET / HT", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", "\0\0\0\r\n\r\n"]
        {
            assert!(
                Request::read(&mut wire.as_bytes(), &mut Vec::new(), |_| {}).is_err(),
                "{wire:?}"
            );
        }
    }
}
