//! How kubelogin answers and fails: what scripts that call it by name rely on.

use fleetkey_provider::{Error, ExposeSecret, Manner, Result, StandIn, Token, one_line, shown};
use serde::Serialize;
use serde_json::Value;

/// kubelogin's.
pub(super) struct Kubelogin;

const V1: &str = "client.authentication.k8s.io/v1";
const V1_BETA1: &str = "client.authentication.k8s.io/v1beta1";

impl Manner for Kubelogin {
    fn version(&self, exec_info: Option<&str>) -> Result<(String, Option<String>)> {
        let Some(text) = exec_info.filter(|text| !text.is_empty()) else {
            return Ok((V1_BETA1.to_owned(), None));
        };
        let version = match serde_json::from_str(text) {
            Ok(Value::Object(mut info)) => info.remove("apiVersion").unwrap_or_default(),
            Ok(Value::Null) => Value::Null,
            _ => return Err(unread(text)),
        };
        match version {
            Value::Null => Ok((V1_BETA1.to_owned(), None)),
            Value::String(version) => match version.as_str() {
                "" => Ok((V1_BETA1.to_owned(), None)),
                V1 | V1_BETA1 => Ok((version, None)),
                _ => {
                    Err(Error::failed(format!("api version: {} is not supported", shown(&version))))
                }
            },
            _ => Err(unread(text)),
        }
    }

    fn answer(&self, token: &Token, version: &str) -> Result<String> {
        let secret = token.secret.expose_secret();
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::failed("the token has characters that no HTTP header may have"));
        }
        let credential = ExecCredential {
            kind: "ExecCredential",
            api_version: version,
            spec: Spec { interactive: false },
            status: Status {
                expiration_timestamp: token.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                token: secret,
            },
        };
        let text = serde_json::to_string(&credential).map_err(|error| {
            Error::failed("the answer could not be written as JSON").because(error.to_string())
        })?;
        Ok(text + "\n")
    }

    fn failure(&self, error: &Error) -> (String, u8) {
        let line = |before, text| format!("{before}{}\n", one_line(text));
        let lines = [
            Some(line("Error: ", error.message())),
            error.cause().map(|why| line("  why: ", why)),
            error.next_line().map(|next| line("  next, type:\n", next)),
        ];
        (lines.into_iter().flatten().collect(), 1)
    }
}

/// The stand-in for a command line that is wrong: whatever is asked of it fails, with that error.
pub(super) fn wrong(error: Error) -> StandIn {
    StandIn::Token { args: Vec::new(), manner: Box::new(Wrong(error)) }
}

struct Wrong(Error);

impl Manner for Wrong {
    fn version(&self, _exec_info: Option<&str>) -> Result<(String, Option<String>)> {
        Err(self.0.clone())
    }

    fn answer(&self, _token: &Token, _version: &str) -> Result<String> {
        Err(self.0.clone())
    }

    fn failure(&self, _error: &Error) -> (String, u8) {
        Kubelogin.failure(&self.0)
    }
}

/// kubelogin shows the whole of it, too.
fn unread(text: &str) -> Error {
    Error::failed("`KUBERNETES_EXEC_INFO` is not what a client asks")
        .because(format!("it is `{}`", shown(text)))
}

/// In the order of Kubernetes' own type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential<'a> {
    kind: &'a str,
    api_version: &'a str,
    spec: Spec,
    status: Status<'a>,
}

#[derive(Serialize)]
struct Spec {
    interactive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    expiration_timestamp: String,
    token: &'a str,
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::SecretString;

    use super::*;

    #[test]
    fn the_version_asked_for_is_echoed_and_v1beta1_where_none_is() {
        for (info, expected) in [
            (None, V1_BETA1),
            (Some(""), V1_BETA1),
            (Some("{}"), V1_BETA1),
            (Some("null"), V1_BETA1),
            (Some(r#"{"apiVersion":""}"#), V1_BETA1),
            (Some(r#"{"apiVersion":null}"#), V1_BETA1),
            (Some(r#"{"apiVersion":"client.authentication.k8s.io/v1beta1"}"#), V1_BETA1),
            (
                Some(
                    r#"{"apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true}}"#,
                ),
                V1,
            ),
        ] {
            assert_eq!(Kubelogin.version(info).unwrap(), (expected.to_owned(), None), "{info:?}");
        }
        for (info, message) in [
            (
                r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#,
                "api version: client.authentication.k8s.io/v1alpha1 is not supported",
            ),
            (r#"{"apiVersion":"v1"}"#, "api version: v1 is not supported"),
            ("{", "`KUBERNETES_EXEC_INFO` is not what a client asks"),
            (" ", "`KUBERNETES_EXEC_INFO` is not what a client asks"),
            ("[]", "`KUBERNETES_EXEC_INFO` is not what a client asks"),
            (r#"{"apiVersion":7}"#, "`KUBERNETES_EXEC_INFO` is not what a client asks"),
        ] {
            let error = Kubelogin.version(Some(info)).unwrap_err();
            assert_eq!(error.message(), message, "{info}");
        }
        let hostile = Kubelogin.version(Some(&format!("\u{1b}{}", "x".repeat(100_000))));
        let error = hostile.unwrap_err().to_string();
        assert!(error.len() < 400 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn the_answer_is_one_line_in_kubelogins_order() {
        let secret = SecretString::from("header.payload.signature");
        let token = Token { secret, expires: "2026-01-02T03:04:05.9Z".parse().unwrap() };
        assert_eq!(
            Kubelogin.answer(&token, V1).unwrap(),
            concat!(
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","#,
                r#""spec":{"interactive":false},"status":{"#,
                r#""expirationTimestamp":"2026-01-02T03:04:05Z","token":"header.payload.signature"}}"#,
                "\n"
            )
        );
        let bad = Token { secret: "hunter2\r\n".into(), ..token };
        assert!(!Kubelogin.answer(&bad, V1).unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn every_failure_is_exit_1() {
        let error =
            Error::sign_in_needed("a\u{1b}[2J").because("b\nc").next("fleetkey login azure");
        let text = "Error: a [2J\n  why: b c\n  next, type:\nfleetkey login azure\n";
        assert_eq!(Kubelogin.failure(&error), (text.to_owned(), 1));
        assert_eq!(Kubelogin.failure(&Error::config("a")), ("Error: a\n".to_owned(), 1));
    }
}
