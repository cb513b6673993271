//! As much of a Kubernetes API server as a login needs: who are you, and a few things to look at. Who may come in is the
//! [`Gatekeeper`]'s to say: the server is the same in every cloud.

mod discovery;
mod namespaces;
mod review;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::route::Route;
use crate::server::Handler;

/// A cluster's way with tokens.
pub(crate) trait Gatekeeper: Send + Sync + 'static {
    /// Who gets in.
    type Guest: Guest;
    /// Why somebody does not.
    type Rejection: Clone + fmt::Display + Send;
    /// What is said of a request without a token.
    const ANONYMOUS: Self::Rejection;

    fn name(&self) -> &str;
    fn judge(&self, token: &str) -> Result<Self::Guest, Self::Rejection>;
    fn guests(&self) -> &Guests<Self::Guest, Self::Rejection>;
}

/// Somebody who got in.
pub(crate) trait Guest: Clone + Send {
    /// The name that the log shows.
    fn caller(&self) -> String;
    /// `userInfo` of a `SelfSubjectReview`.
    fn user_info(&self) -> Value;
}

/// Who came to a cluster.
pub(crate) struct Guests<G, R>(Mutex<(Vec<G>, Vec<R>)>);

impl<G, R> Default for Guests<G, R> {
    fn default() -> Self {
        Self(Mutex::new((Vec::new(), Vec::new())))
    }
}

impl<G: Clone, R: Clone> Guests<G, R> {
    pub(crate) fn admitted(&self) -> Vec<G> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(crate) fn turned_away(&self) -> Vec<R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    fn admit(&self, guest: G) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.push(guest);
    }

    fn turn_away(&self, rejection: R) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(rejection);
    }
}

pub(crate) struct ApiServer<C>(pub(crate) C);

impl<C: Gatekeeper> Handler for ApiServer<C> {
    fn service(&self) -> String {
        format!("api:{}", self.0.name())
    }

    fn route(&self, _request: &Request) -> Route {
        Route::Api
    }

    fn answer(&self, request: &Request) -> Response {
        match self.authenticate(request) {
            Ok(guest) => {
                let caller = Some(guest.caller());
                let answer = answer(request, &guest);
                self.0.guests().admit(guest);
                Response { caller, ..answer }
            }
            Err(rejection) => {
                let error = Some(rejection.to_string());
                self.0.guests().turn_away(rejection);
                Response { error, ..status(401, "Unauthorized", "Unauthorized") }
            }
        }
    }
}

impl<C: Gatekeeper> ApiServer<C> {
    fn authenticate(&self, request: &Request) -> Result<C::Guest, C::Rejection> {
        let header = request.header("authorization").unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Err(C::ANONYMOUS);
        }
        self.0.judge(token.trim())
    }
}

fn answer(request: &Request, guest: &impl Guest) -> Response {
    let path: Vec<&str> = request.path().split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["healthz" | "livez" | "readyz"]) => Response::new(200, "text/plain", "ok"),
        ("GET", ["api", "v1", "namespaces"]) => namespaces::list(request),
        ("GET", ["api", "v1", "namespaces", name]) => namespaces::one(name, request),
        ("POST", ["apis", "authentication.k8s.io", version, "selfsubjectreviews"])
            if discovery::AUTHENTICATION.contains(version) =>
        {
            review::who_am_i(version, guest)
        }
        ("GET", path) => discovery::document(path)
            .map_or_else(not_found, |document| Response::json(200, &document)),
        _ => not_found(),
    }
}

fn not_found() -> Response {
    status(404, "NotFound", "the server could not find the requested resource")
}

fn status(code: u16, reason: &str, message: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    Response::json(code, &body)
}
