//! How Entra says no: always with a number, and always in the same shape.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::directory::is_guid;
use crate::http::{Request, Response};
use crate::random;

/// A refusal.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u32,
    pub(crate) error: &'static str,
    message: String,
    suberror: Option<&'static str>,
    claims: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Refusal>;

impl Refusal {
    /// A refusal whose number decides the rest.
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        let error = ERRORS.iter().find(|(_, codes)| codes.contains(&code));
        let error = error.map_or("invalid_request", |(error, _)| error);
        Self { code, error, message: message.into(), suberror: None, claims: None }
    }

    /// `invalid_request`: something is not there.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    /// `invalid_request`: something is there and should not be, or not so.
    pub(crate) fn malformed(why: &str) -> Self {
        Self::new(9_002_313, format!("Invalid request. Request is malformed or invalid. ({why})"))
    }

    /// The person has to be asked, with these claims.
    pub(crate) fn interaction(claims: &Value, resource: &str) -> Self {
        let message = format!(
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
             use multi-factor authentication to access '{resource}'."
        );
        Self {
            error: "interaction_required",
            suberror: Some("basic_action"),
            claims: Some(claims.to_string()),
            ..Self::new(50076, message)
        }
    }

    pub(crate) fn with_error(self, error: &'static str) -> Self {
        Self { error, ..self }
    }

    /// 401 where the application did not prove itself, 400 elsewhere.
    fn status(&self) -> u16 {
        match (self.error, self.code) {
            ("invalid_client", _) => 401,
            ("temporarily_unavailable", _) => 503,
            _ => 400,
        }
    }

    /// `AADSTS50126: ...`, as the browser shows it.
    pub(crate) fn text(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.message)
    }

    pub(crate) fn body(&self, correlation: &str, trace: &str, now: Timestamp) -> Value {
        let Self { code, error, suberror, claims, .. } = self;
        let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut body = json!({
            "error": error,
            "error_description": format!(
                "{} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}", self.text()
            ),
            "error_codes": [code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        if let Some(suberror) = suberror {
            body["suberror"] = (*suberror).into();
        }
        if let Some(claims) = claims {
            body["claims"] = claims.as_str().into();
        }
        body
    }

    pub(crate) fn response(&self, request: &Request, now: Timestamp) -> Response {
        let (correlation, trace) = (correlation(request), random::uuid());
        let body = self.body(&correlation, &trace, now);
        let mut response = dressed(Response::json(self.status(), &body), &correlation, &trace);
        response.error = Some(format!("AADSTS{}", self.code));
        response
    }
}

/// An answer with the headers that every answer of a token endpoint has.
pub(crate) fn dressed(mut response: Response, correlation: &str, trace: &str) -> Response {
    let headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Cache-Control", "no-store, no-cache"),
        ("Pragma", "no-cache"),
        ("x-ms-request-id", trace),
        ("client-request-id", correlation),
    ];
    response.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    response
}

/// The caller's own id for a request, if it is one.
pub(crate) fn correlation(request: &Request) -> String {
    let sent = request.header("client-request-id").filter(|id| is_guid(id));
    sent.map_or_else(random::uuid, str::to_owned)
}

/// What OAuth calls each number; any other is an `invalid_request`.
const ERRORS: [(&str, &[u32]); 10] = [
    (
        "invalid_client",
        &[
            7_000_215, 7_000_222, 7_000_218, 700_025, 700_027, 700_024, 700_021, 700_023, 50_013,
            50_027, 700_211, 700_212, 700_213,
        ],
    ),
    (
        "invalid_grant",
        &[
            50_020, 50_034, 50_076, 50_126, 50_173, 54_005, 70_000, 70_008, 700_005, 700_007,
            700_082, 500_112, 501_481,
        ],
    ),
    ("unauthorized_client", &[700_016]),
    ("invalid_scope", &[70_011, 28_002]),
    ("invalid_resource", &[500_011]),
    ("unsupported_grant_type", &[70_003]),
    ("authorization_pending", &[70_016]),
    ("expired_token", &[70_020]),
    ("bad_verification_code", &[70_018]),
    ("invalid_instance", &[50_049]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What Entra said to others, its ids replaced.
    #[test]
    fn the_shape_of_recorded_refusals() {
        let recorded = include_str!("../../tests-data/entra_error_bodies.json");
        let recorded: Vec<Value> = serde_json::from_str(recorded).unwrap();
        let mut compared = 0;
        for recorded in recorded {
            let Some(code) = recorded["code"].as_u64() else { continue };
            let code = u32::try_from(code).unwrap();
            if [53003, 70043].contains(&code) {
                continue; // never said here but by a script
            }
            compared += 1;
            let refusal = Refusal::new(code, "");
            let now: Timestamp = "2025-02-19T03:49:12Z".parse().unwrap();
            let mut body = refusal.body("c", "t", now);
            let expected = &recorded["body"];
            if code == 50076 {
                assert_eq!(expected["suberror"], "basic_action");
                body = Refusal { suberror: Some("basic_action"), ..refusal.clone() }
                    .body("c", "t", now);
            }
            let names = |value: &Value| {
                value
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned()
                    .collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(names(&body), names(expected), "{code}");
            for same in ["error", "error_codes", "timestamp", "error_uri", "suberror"] {
                assert_eq!(body[same], expected[same], "{same} of {code}");
            }
            assert_eq!(recorded["http_status"], refusal.status(), "{code}");
            let text = body["error_description"].as_str().unwrap();
            let end = " Trace ID: t Correlation ID: c Timestamp: 2025-02-19 03:49:12Z";
            assert_eq!(text, format!("AADSTS{code}: {end}"));
        }
        assert_eq!(compared, 11);
    }
}
