//! The log of everything that was asked, right or wrong, with its secrets left out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::http::Request;
use crate::route::Route;

/// One request as the sandbox saw it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was asked.
    pub route: Route,
    /// Which listener: `sts`, `sso`, `entra`, `api:NAME`, `canary` and so on.
    pub service: String,
    /// GET, POST and so on.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Query and form parameters, decoded, in their order; secrets read `(secret)`.
    pub parameters: Vec<(String, String)>,
    /// Headers with lower-case names, in their order; secrets read `(secret)`.
    pub headers: Vec<(String, String)>,
    /// The access key id that the request claims, proven or not.
    pub access_key_id: Option<String>,
    /// The region it was signed for, as claimed.
    pub region: Option<String>,
    /// Who sent it, once that was proven.
    pub caller: Option<String>,
    /// The status that went out; none while (or if) there was no answer.
    pub status: Option<u16>,
    /// The error code of the answer, or the rule that a token broke.
    pub error: Option<String>,
}

impl Recorded {
    /// The first parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn new(route: Route, service: &str, request: &Request) -> Self {
        let headers = request.headers.iter().map(|(name, value)| {
            let secret = matches!(
                name.as_str(),
                "authorization"
                    | "x-amz-security-token"
                    | "x-amz-sso_bearer_token"
                    | "x-aws-ec2-metadata-token"
                    | "x-identity-header"
                    | "cookie"
                    | "proxy-authorization"
            );
            (name.clone(), if secret { SECRET.to_owned() } else { value.clone() })
        });
        let parameters = request.parameters().into_iter().map(|(name, value)| {
            let secret = matches!(
                name.as_str(),
                "WebIdentityToken"
                    | "TokenCode"
                    | "X-Amz-Security-Token"
                    | "X-Amz-Signature"
                    | "client_secret"
                    | "client_assertion"
                    | "code"
                    | "code_verifier"
                    | "device_code"
                    | "password"
                    | "refresh_token"
            );
            (name, if secret { SECRET.to_owned() } else { value })
        });
        let (access_key_id, region) = request.claimed_key().unzip();
        Self {
            route,
            service: service.to_owned(),
            method: request.method.clone(),
            path: request.path().to_owned(),
            parameters: parameters.collect(),
            headers: headers.collect(),
            access_key_id,
            region,
            caller: None,
            status: None,
            error: None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Recorded>>);

impl Log {
    /// Notes a request on arrival; the number completes the entry later.
    pub(crate) fn arrived(&self, recorded: Recorded) -> usize {
        let mut log = self.entries();
        log.push(recorded);
        log.len() - 1
    }

    pub(crate) fn answered(&self, entry: usize, complete: impl FnOnce(&mut Recorded)) {
        if let Some(recorded) = self.entries().get_mut(entry) {
            complete(recorded);
        }
    }

    pub(crate) fn count(&self, route: Route) -> usize {
        self.entries().iter().filter(|recorded| recorded.route == route).count()
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.entries().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SECRET: &str = "(secret)";
