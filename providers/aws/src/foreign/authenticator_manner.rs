//! How `aws-iam-authenticator token` answers and fails.
//!
//! The version is whatever the client asked for, without a look at it. One thing is otherwise: a
//! client that names no version is answered in `v1beta1`, and not in none. Every failure ends with 1.

use fleetkey_provider::{Error, ExposeSecret, Manner, Result, Token};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{expires, failure};

/// The exit code of every failure.
pub(super) const FAILED: u8 = 1;

/// The word before an error, as its library of flags writes it.
pub(super) const WORD: &str = "Error";

/// How it answers this command line.
#[derive(Debug, Default)]
pub(super) struct AuthenticatorManner {
    /// `--token-only`
    pub(super) token_only: bool,
}

impl Manner for AuthenticatorManner {
    fn version(&self, exec_info: Option<&str>) -> Result<(String, Option<String>)> {
        let info = exec_info.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        let asked = info.as_ref().and_then(|info| info.get("apiVersion")).and_then(Value::as_str);
        let version = asked.filter(|version| !version.is_empty()).unwrap_or(V1BETA1);
        Ok((version.to_owned(), None))
    }

    fn answer(&self, token: &Token, version: &str) -> Result<String> {
        let secret = token.secret.expose_secret();
        if self.token_only {
            return Ok(format!("{secret}\n"));
        }
        let expires = expires(token);
        let credential = ExecCredential {
            kind: "ExecCredential",
            api_version: version,
            spec: Spec { interactive: false },
            status: Status { expiration_timestamp: &expires, token: secret },
        };
        let text = serde_json::to_string(&credential)
            .map_err(|_| Error::failed("the answer could not be written as JSON"))?;
        Ok(text + "\n")
    }

    fn failure(&self, error: &Error) -> (String, u8) {
        (failure::lines(WORD, error), FAILED)
    }
}

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
    expiration_timestamp: &'a str,
    token: &'a str,
}

const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use super::*;

    #[test]
    fn the_version_is_echoed_unchecked() {
        for (info, version) in [
            (None, V1BETA1),
            (Some(""), V1BETA1),
            (Some("{"), V1BETA1),
            (Some("[]"), V1BETA1),
            (Some("{}"), V1BETA1),
            (Some(r#"{"apiVersion":7}"#), V1BETA1),
            (
                Some(r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#),
                "client.authentication.k8s.io/v1",
            ),
            (Some(r#"{"apiVersion":"whatever/v9"}"#), "whatever/v9"),
        ] {
            let (found, warning) = AuthenticatorManner::default().version(info).unwrap();
            assert_eq!((found.as_str(), warning), (version, None));
        }
    }

    #[test]
    fn the_answer_is_one_line_in_gos_order() {
        let token =
            Token { secret: "t".into(), expires: "2026-01-02T03:18:05.9Z".parse().unwrap() };
        assert_eq!(
            AuthenticatorManner::default().answer(&token, "a\"b\n").unwrap(),
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"a\\\"b\\n\",\
             \"spec\":{\"interactive\":false},\
             \"status\":{\"expirationTimestamp\":\"2026-01-02T03:18:05Z\",\"token\":\"t\"}}\n"
        );
        let bare = AuthenticatorManner { token_only: true };
        assert_eq!(bare.answer(&token, V1BETA1).unwrap(), "t\n");
    }

    #[test]
    fn every_failure_ends_with_one() {
        for kind in [Kind::Config, Kind::Refused, Kind::Unavailable] {
            let (text, code) = AuthenticatorManner::default().failure(&Error::new(kind, "a"));
            assert_eq!((text.as_str(), code), ("Error: a\n", 1));
        }
    }
}
