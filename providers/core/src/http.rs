//! Requests and answers, as a provider sees them.
//!
//! Every request goes to an [`Endpoint`], and an endpoint exists only if it may be given something
//! secret. Redirects are never followed and no more than 1 MiB of a body is read. Debug shows the
//! method and the URL's host and path, nothing else: headers, queries and bodies carry secrets.

use std::{fmt, path::PathBuf};

use crate::Endpoint;

/// The methods the clouds need.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
}

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug)]
pub enum Retry {
    /// Never: what it carries can be used once.
    Never,
    /// Never, and the run's end does not cut it short: what it redeems is lost with its answer. Sent
    /// only while a session is open ([`OpenSession::redeeming`](crate::OpenSession::redeeming)).
    Redemption,
    /// After 429, 5xx, a lost connection, or where this says that the answer asks for it.
    Safe(fn(&HttpResponse) -> bool),
    /// As with [`Retry::Safe`], but all attempts together have one second: for what is there at once
    /// or not at all, such as a metadata service.
    Soon(fn(&HttpResponse) -> bool),
}

/// One request.
#[derive(Clone)]
pub struct HttpRequest {
    /// GET, POST or PUT.
    pub method: Method,
    /// Where to.
    pub endpoint: Endpoint,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// A PEM file of the only authorities to believe, where the system's are not meant.
    pub ca_bundle: Option<PathBuf>,
    /// Whether it may be sent again.
    pub retry: Retry,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.method, self.endpoint)
    }
}

/// One answer.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, {} bytes", self.status, self.body.len())
    }
}
