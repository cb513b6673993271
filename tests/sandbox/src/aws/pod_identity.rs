//! The EKS Pod Identity agent: a service account's token against the credentials of the role that was associated with
//! it. What 169.254.170.23 is to a pod; answers and refusals are those of the agent's published source.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::aws::accounts::Identity;
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Associates a service account (`system:serviceaccount:NAMESPACE:NAME`) with a role.
    pub fn pod_identity(&self, subject: &str, role_arn: &str) {
        self.world.pods.add(subject, role_arn);
    }

    /// The service account's token, as a cluster projects it for the agent: like
    /// [`Sandbox::web_identity_token`], for another audience.
    pub fn pod_identity_token(
        &self,
        subject: &str,
        lifetime: SignedDuration,
    ) -> io::Result<String> {
        self.world.issuer.token(subject, AUDIENCE, self.now(), lifetime)
    }

    /// Variables that make this a pod whose token is in this file.
    pub fn pod_identity_environment(&self, token_file: &Path) -> io::Result<Vec<(String, String)>> {
        let address = self.serve(None, Arc::new(Agent(Arc::clone(&self.world))))?;
        let file = token_file.to_string_lossy().into_owned();
        Ok(vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), format!("http://{address}{PATH}")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE".to_owned(), file),
        ])
    }
}

/// Which service account has which role.
#[derive(Default)]
pub(crate) struct Pods(Mutex<HashMap<String, String>>);

impl Pods {
    fn add(&self, subject: &str, role: &str) {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        roles.insert(subject.to_owned(), role.to_owned());
    }

    fn role(&self, subject: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(subject).cloned()
    }
}

struct Agent(Arc<World>);

impl Handler for Agent {
    fn service(&self) -> String {
        "pod-identity".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::PodIdentity
    }

    fn answer(&self, request: &Request) -> Response {
        if request.path() != PATH || request.method != "GET" {
            return error(404, "404 page not found");
        }
        let host = request.header("host").unwrap_or_default();
        if host.split(':').next() != Some("127.0.0.1") {
            return error(403, "Access Denied. Called agent through invalid address");
        }
        match request.header("authorization") {
            None | Some("") => error(400, "Service account token cannot be empty"),
            Some(token) => self.lend(token),
        }
    }
}

impl Agent {
    fn lend(&self, token: &str) -> Response {
        let World { accounts, clock, issuer, pods, .. } = &*self.0;
        let now = clock.now();
        if token.split('.').count() != 3 {
            return error(400, "Service account token cannot be parsed: token is malformed");
        }
        let Some(claims) = issuer.read(token) else {
            return service_error(400, "InvalidTokenException", "The token is not of this cluster");
        };
        if claims.exp <= now.as_second() {
            return error(
                400,
                "Service account token failed basic claim validations: token has invalid claims: token is expired",
            );
        }
        if !claims.aud.iter().any(|audience| audience == AUDIENCE) {
            return service_error(400, "InvalidTokenException", "The token is for somebody else");
        }
        let Some(role) = pods.role(&claims.sub) else {
            let message = format!("No association found for {}", claims.sub);
            return service_error(404, "ResourceNotFoundException", &message);
        };
        let session = format!("eks-sandbox-{}", random::uuid());
        let identity = Identity::assumed(&role, &session);
        let credentials = accounts.issue(identity, accounts.end(now, LIFETIME), false);
        let body = json!({
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "Token": credentials.session_token, "AccountId": credentials.identity.account,
            "Expiration": credentials.expires.to_string(),
        });
        Response { caller: Some(claims.sub), ..Response::json(200, &body) }
    }
}

/// The agent's own words.
fn error(status: u16, message: &str) -> Response {
    let body = format!("{message}\n");
    Response { error: Some(message.to_owned()), ..Response::new(status, "text/plain", body) }
}

/// What EKS said, as the agent passes it on.
fn service_error(status: u16, code: &str, message: &str) -> Response {
    let text = format!("[{}]: ({code}): {message}, fault: client", random::uuid());
    Response { error: Some(code.to_owned()), ..error(status, &text) }
}

const AUDIENCE: &str = "pods.eks.amazonaws.com";
const PATH: &str = "/v1/credentials";
const LIFETIME: Duration = Duration::from_hours(6);
