//! How `aws eks get-token` answers and fails, as version 2 of the AWS CLI does.
//!
//! Its exit codes are 252 for a command line that is wrong, 253 for an environment or a file that is,
//! missing keys among it, 254 where a service refused, and 255 for all else: no network, nobody
//! signed in.

use fleetkey_provider::{Error, ExposeSecret, Kind, Manner, Result, Token};
use serde_json::{Map, Value};

use super::{
    aws_answer::{Answer, Form, Query},
    expires, failure,
};

/// The exit code for a command line that is wrong.
pub(super) const USAGE: u8 = 252;

/// The word before an error.
pub(super) const WORD: &str = "error";

/// How it answers this command line.
#[derive(Debug, Default)]
pub(super) struct AwsManner {
    /// `--output`
    pub(super) form: Form,
    /// `--query`
    pub(super) query: Query,
}

impl Manner for AwsManner {
    fn version(&self, exec_info: Option<&str>) -> Result<(String, Option<String>)> {
        let default = |warning: Option<&str>| (V1BETA1.to_owned(), warning.map(str::to_owned));
        let Some(text) = exec_info.filter(|text| !text.is_empty()) else {
            return Ok(default(None));
        };
        let Ok(info) = serde_json::from_str::<Map<String, Value>>(text) else {
            return Ok(default(Some(
                "`KUBERNETES_EXEC_INFO` is not a JSON object; the answer is in \
                 client.authentication.k8s.io/v1beta1",
            )));
        };
        Ok(match info.get("apiVersion").and_then(Value::as_str) {
            Some(version @ (V1 | V1BETA1)) => (version.to_owned(), None),
            Some(V1ALPHA1) => (
                V1ALPHA1.to_owned(),
                Some(
                    "the kubeconfig asks for client.authentication.k8s.io/v1alpha1, which clients \
                     no longer accept; set the user's `exec.apiVersion` to `v1beta1`"
                        .into(),
                ),
            ),
            _ => default(Some(
                "`KUBERNETES_EXEC_INFO` asks for no version known here; the answer is in \
                 client.authentication.k8s.io/v1beta1",
            )),
        })
    }

    fn answer(&self, token: &Token, version: &str) -> Result<String> {
        let expires = expires(token);
        Answer::new(token.secret.expose_secret(), &expires, version).print(self.form, self.query)
    }

    fn failure(&self, error: &Error) -> (String, u8) {
        let code = match error.kind() {
            Kind::Config => 253,
            Kind::Refused => 254,
            Kind::Failed | Kind::SignInNeeded | Kind::Unavailable => 255,
        };
        (failure::lines(WORD, error), code)
    }
}

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";
const V1ALPHA1: &str = "client.authentication.k8s.io/v1alpha1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_clients_if_it_is_known() {
        let v1alpha1 = r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#;
        for (info, version, warns) in [
            (None, V1BETA1, false),
            (Some(""), V1BETA1, false),
            (Some(r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#), V1, false),
            (Some("{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}\n"), V1BETA1, false),
            (Some(v1alpha1), V1ALPHA1, true),
            (Some(r#"{"apiVersion":"client.authentication.k8s.io/v2"}"#), V1BETA1, true),
            (Some(r#"{"apiVersion":null}"#), V1BETA1, true),
            (Some("{}"), V1BETA1, true),
            (Some("{"), V1BETA1, true),
            (Some(" "), V1BETA1, true),
            (Some("[]"), V1BETA1, true),
            (Some("null"), V1BETA1, true),
            (Some(&"[".repeat(100_000)), V1BETA1, true),
        ] {
            let (found, warning) = AwsManner::default().version(info).unwrap();
            assert_eq!((found.as_str(), warning.is_some()), (version, warns));
        }
    }

    #[test]
    fn the_answer_is_that_of_the_form_and_the_query() {
        let token =
            Token { secret: "t".into(), expires: "2026-01-02T03:18:05.9Z".parse().unwrap() };
        let bare = AwsManner { form: Form::Text, query: Query::Token };
        assert_eq!(bare.answer(&token, V1).unwrap(), "t\n\n");
        let whole = AwsManner::default().answer(&token, V1).unwrap();
        assert!(whole.contains("\"expirationTimestamp\": \"2026-01-02T03:18:05Z\""), "{whole}");
    }

    #[test]
    fn exit_codes_are_those_of_version_2() {
        for (kind, code) in [
            (Kind::Config, 253),
            (Kind::Refused, 254),
            (Kind::Failed, 255),
            (Kind::SignInNeeded, 255),
            (Kind::Unavailable, 255),
        ] {
            let (text, found) = AwsManner::default().failure(&Error::new(kind, "a").next("b"));
            assert_eq!((text.as_str(), found), ("error: a\n  next, type:\nb\n", code));
        }
    }
}
