//! How a service misbehaves on request: the faults, and who is next to meet one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::gate::Gate;
use crate::route::Route;

/// What happens to one request instead of, or before, its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing: the request is answered. For scripts such as "well, then throttled".
    Pass,
    /// Answered after this long.
    Delay(Duration),
    /// Answered when the gate opens.
    Hold(Gate),
    /// This answer, without looking at the request.
    Status {
        /// HTTP status.
        code: u16,
        /// Extra headers; Date and Content-Length are added.
        headers: Vec<(String, String)>,
        /// The body as it goes out.
        body: Vec<u8>,
    },
    /// The true answer, cut after so many bytes of its body; Content-Length had promised more.
    Truncate(usize),
    /// The connection is reset (RST) once the request was read.
    Reset,
    /// Sent elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        code: u16,
        /// The Location header.
        to: String,
    },
    /// 200 and so many bytes, of which no Content-Length warned.
    HugeBody(u64),
    /// The true answer, byte by byte, with this pause between two.
    OneByteAtATime(Duration),
    /// The request is read and never answered.
    Silence,
    /// 200 with the page of a captive portal.
    Garbage,
}

impl Fault {
    /// A bare status with a text body.
    pub fn status(code: u16, body: &str) -> Self {
        Self::Status {
            code,
            headers: vec![("Content-Type".into(), "text/plain".into())],
            body: body.into(),
        }
    }

    /// STS asks to slow down: 400 `Throttling`.
    pub fn throttling() -> Self {
        Self::sts_error(400, "Throttling", "Rate exceeded")
    }

    /// STS broke: 500 `InternalFailure`.
    pub fn internal_error() -> Self {
        Self::sts_error(
            500,
            "InternalFailure",
            "An internal error has occurred. Retry your request.",
        )
    }

    /// 503 with a Retry-After header in seconds.
    pub fn unavailable(retry_after: u32) -> Self {
        Self::Status {
            code: 503,
            headers: vec![("Retry-After".into(), retry_after.to_string())],
            body: b"Service Unavailable".to_vec(),
        }
    }

    /// Any error of STS, in its own XML.
    pub fn sts_error(code: u16, error: &str, message: &str) -> Self {
        let answer = crate::aws::sts::error::StsError::new(code, error, message).response();
        Self::Status { code, headers: answer.headers, body: answer.body }
    }

    /// 429 `TooManyRequestsException` of the SSO portal.
    pub fn too_many_requests() -> Self {
        let answer = crate::aws::sso::portal::portal_error(
            429,
            "TooManyRequestsException",
            "HTTP 429 Unknown Code",
        );
        Self::Status { code: 429, headers: answer.headers, body: answer.body }
    }

    /// The same with a Retry-After header in seconds.
    pub fn too_many_requests_after(retry_after: u32) -> Self {
        Self::too_many_requests().after(retry_after)
    }

    /// Any error of EKS: `Fault::eks_error(500, "ServerException", "…")`.
    pub fn eks_error(code: u16, error: &str, message: &str) -> Self {
        Self::answer(crate::aws::eks::error::error(code, error, message))
    }

    /// Any error of EC2, in its own XML: `Fault::ec2_error(503, "RequestLimitExceeded", "…")`.
    pub fn ec2_error(code: u16, error: &str, message: &str) -> Self {
        Self::answer(crate::aws::ec2::error(code, error, message))
    }

    /// Any error of Azure's Resource Manager: `Fault::arm_error(429, "TooManyRequests", "…").after(7)`.
    pub fn arm_error(code: u16, error: &str, message: &str) -> Self {
        Self::answer(crate::azure::arm::error::error(code, error, message))
    }

    /// With a Retry-After header in seconds, if it is an answer.
    #[must_use]
    pub fn after(mut self, retry_after: u32) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push(("Retry-After".into(), retry_after.to_string()));
        }
        self
    }

    fn answer(answer: crate::http::Response) -> Self {
        Self::Status { code: answer.status, headers: answer.headers, body: answer.body }
    }

    /// Any refusal of the SSO OIDC service, by its OAuth name: `Fault::sso_oidc("slow_down")`.
    pub fn sso_oidc(error: &str) -> Self {
        let answer = crate::aws::sso::oidc_error(error, "A scripted fault.");
        Self::Status { code: answer.status, headers: answer.headers, body: answer.body }
    }

    /// STS refuses, as if a policy said so: 403 `AccessDenied`.
    pub fn access_denied() -> Self {
        Self::sts_error(403, "AccessDenied", "An explicit deny in an identity-based policy")
    }

    /// Any refusal of Entra, by its number: `Fault::entra(90033, "temporarily_unavailable")`.
    pub fn entra(code: u32, error: &'static str) -> Self {
        let refusal = crate::entra::Refusal::new(code, "A scripted fault.").with_error(error);
        let answer = refusal.response(&crate::http::Request::default(), jiff::Timestamp::now());
        Self::Status { code: answer.status, headers: answer.headers, body: answer.body }
    }

    /// 307 to this URL.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self::Redirect { code: 307, to: to.into() }
    }
}

/// The faults in store, per route.
#[derive(Default)]
pub(crate) struct Faults(Mutex<HashMap<Route, Script>>);

#[derive(Default)]
struct Script {
    queue: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Faults {
    pub(crate) fn queue(&self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.scripts().entry(route).or_default().queue.extend(faults);
    }

    pub(crate) fn always(&self, route: Route, fault: Fault) {
        self.scripts().entry(route).or_default().always = Some(fault);
    }

    pub(crate) fn clear(&self, route: Route) {
        self.scripts().remove(&route);
    }

    /// The queue first, then what holds always.
    pub(crate) fn next(&self, route: Route) -> Fault {
        let mut scripts = self.scripts();
        let Some(script) = scripts.get_mut(&route) else { return Fault::Pass };
        script.queue.pop_front().or_else(|| script.always.clone()).unwrap_or(Fault::Pass)
    }

    fn scripts(&self) -> std::sync::MutexGuard<'_, HashMap<Route, Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_then_always_then_nothing() {
        let faults = Faults::default();
        faults.queue(Route::AssumeRole, [Fault::Reset, Fault::Pass]);
        faults.always(Route::AssumeRole, Fault::Garbage);
        assert!(matches!(faults.next(Route::AssumeRole), Fault::Reset));
        assert!(matches!(faults.next(Route::AssumeRole), Fault::Pass));
        assert!(matches!(faults.next(Route::AssumeRole), Fault::Garbage));
        assert!(matches!(faults.next(Route::Api), Fault::Pass));
        faults.clear(Route::AssumeRole);
        assert!(matches!(faults.next(Route::AssumeRole), Fault::Pass));
    }
}
