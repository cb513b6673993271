//! A listener that should never hear anything secret, and remembers all that it hears.

use std::sync::{Arc, Mutex, PoisonError};

use crate::http::{Request, Response};
use crate::route::Route;
use crate::server::Handler;

/// A recorder on two ports, with TLS and without. It answers 200 `ok` to whatever is asked.
#[derive(Clone, Debug)]
pub struct Canary {
    /// `https://127.0.0.1:PORT`, with the sandbox's certificate.
    pub https: String,
    /// `http://127.0.0.1:PORT`.
    pub http: String,
    pub(crate) heard: Arc<Heard>,
}

impl Canary {
    /// Every byte that arrived, in the clear, all connections after one another.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).bytes.clone()
    }

    /// How many connections were made, TLS finished or not.
    pub fn connections(&self) -> usize {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).connections
    }

    /// Whether this text arrived, in any place, as it is or percent-encoded.
    pub fn heard_of(&self, secret: &str) -> bool {
        let heard = self.heard();
        let found =
            |text: &str| heard.windows(text.len().max(1)).any(|window| window == text.as_bytes());
        found(secret) || found(&crate::aws::sigv4::encode(secret))
    }
}

/// What the canary's connections write to.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    connections: usize,
}

pub(crate) struct Listening(pub(crate) Arc<Heard>);

impl Handler for Listening {
    fn service(&self) -> String {
        "canary".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::Canary
    }

    fn answer(&self, _request: &Request) -> Response {
        Response::new(200, "text/plain", "ok\n")
    }

    fn connected(&self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
    }

    fn saw(&self, bytes: &[u8]) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).bytes.extend_from_slice(bytes);
    }
}
