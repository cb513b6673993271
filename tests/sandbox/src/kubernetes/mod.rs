//! As much of a Kubernetes API server as a login needs: who are you, and a few things to look at.

mod discovery;
mod namespaces;
mod review;

use serde_json::json;

use crate::aws::rejection::Rejection;
use crate::aws::verifier::Verified;
use crate::cluster::Cluster;
use crate::http::{Request, Response};
use crate::route::Route;
use crate::server::Handler;

pub(crate) struct ApiServer(pub(crate) Cluster);

impl Handler for ApiServer {
    fn service(&self) -> String {
        format!("api:{}", self.0.name)
    }

    fn route(&self, _request: &Request) -> Route {
        Route::Api
    }

    fn answer(&self, request: &Request) -> Response {
        match self.authenticate(request) {
            Ok(guest) => {
                let caller = Some(guest.identity.arn.clone());
                let answer = answer(request, &guest);
                self.0.guests.admit(guest);
                Response { caller, ..answer }
            }
            Err(rejection) => {
                let error = Some(rejection.to_string());
                self.0.guests.turn_away(rejection);
                Response { error, ..status(401, "Unauthorized", "Unauthorized") }
            }
        }
    }
}

impl ApiServer {
    fn authenticate(&self, request: &Request) -> Result<Verified, Rejection> {
        let header = request.header("authorization").unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Err(Rejection::Anonymous);
        }
        self.0.verify(token.trim())
    }
}

fn answer(request: &Request, guest: &Verified) -> Response {
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
