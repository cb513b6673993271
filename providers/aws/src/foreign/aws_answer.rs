//! How `aws eks get-token` prints its answer: forms and queries.
//!
//! Every form ends in one line break more than it needs, as the original's do. Of `JMESPath` there are
//! the few paths that scripts ask of this answer.

use fleetkey_provider::{Error, Result, shown};
use serde::Serialize;
use serde_json::{Serializer, ser::PrettyFormatter};

/// `--output`
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Form {
    /// Indented by four.
    #[default]
    Json,
    /// Words between tabs.
    Text,
    /// Only version 2 of the AWS CLI has it.
    Yaml,
}

impl Form {
    /// From the flag or the variable; `from` names it.
    pub(super) fn parse(text: &str, from: &str) -> Result<Self> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "yaml" => Ok(Self::Yaml),
            _ => Err(Error::config(format!("{from} names no form of answer: `{}`", shown(text)))
                .because("fleetkey has `json`, `text` and `yaml`")
                .next("fleetkey eks get-token --output json --cluster-name NAME")),
        }
    }
}

/// `--query`
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Query {
    /// All of it.
    #[default]
    Whole,
    /// `apiVersion`
    Version,
    /// `kind`
    Kind,
    /// `status`, with both its keys.
    Status,
    /// `status.expirationTimestamp`
    Expires,
    /// `status.token`
    Token,
}

impl Query {
    /// From the flag.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let found = QUERIES.iter().find(|(path, _)| *path == text.trim());
        found.map(|(_, query)| *query).ok_or_else(|| {
            let paths: Vec<_> = QUERIES.iter().map(|(path, _)| format!("`{path}`")).collect();
            Error::config(format!("`--query` is a path not known here: `{}`", shown(text)))
                .because(format!("fleetkey knows {}", paths.join(", ")))
                .next(
                    "fleetkey eks get-token --query status.token --output text --cluster-name NAME",
                )
        })
    }
}

/// What is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    kind: &'a str,
    api_version: &'a str,
    spec: Spec,
    status: Status<'a>,
}

#[derive(Serialize)]
struct Spec {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    expiration_timestamp: &'a str,
    token: &'a str,
}

impl<'a> Answer<'a> {
    /// A token, in that version.
    pub(super) fn new(token: &'a str, expires: &'a str, version: &'a str) -> Self {
        let status = Status { expiration_timestamp: expires, token };
        Self { kind: "ExecCredential", api_version: version, spec: Spec {}, status }
    }

    /// All that is printed.
    pub(super) fn print(&self, form: Form, query: Query) -> Result<String> {
        let Self { kind, api_version, spec: _, status } = self;
        let Status { expiration_timestamp: expires, token } = status;
        let scalar = match query {
            Query::Version => api_version,
            Query::Kind => kind,
            Query::Expires => expires,
            Query::Token => token,
            Query::Whole => {
                return match form {
                    Form::Json => json(self),
                    Form::Text => {
                        Ok(format!("{api_version}\t{kind}\nSTATUS\t{expires}\t{token}\n\n"))
                    }
                    Form::Yaml => Ok(format!(
                        "apiVersion: {api_version}\nkind: {kind}\nspec: {{}}\nstatus:\n  \
                         expirationTimestamp: '{expires}'\n  token: {token}\n\n"
                    )),
                };
            }
            Query::Status => {
                return match form {
                    Form::Json => json(status),
                    Form::Text => Ok(format!("{expires}\t{token}\n\n")),
                    Form::Yaml => {
                        Ok(format!("expirationTimestamp: '{expires}'\ntoken: {token}\n\n"))
                    }
                };
            }
        };
        match form {
            // a string of JSON is one of YAML
            Form::Json | Form::Yaml => json(scalar),
            Form::Text => Ok(format!("{scalar}\n\n")),
        }
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    let failed = || Error::failed("the answer could not be written as JSON");
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        .map_err(|_| failed())?;
    bytes.extend(b"\n\n");
    String::from_utf8(bytes).map_err(|_| failed())
}

const QUERIES: &[(&str, Query)] = &[
    ("status.token", Query::Token),
    ("status.expirationTimestamp", Query::Expires),
    ("status", Query::Status),
    ("apiVersion", Query::Version),
    ("kind", Query::Kind),
    ("@", Query::Whole),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(form: Form, query: &str) -> String {
        let query = Query::parse(query).unwrap();
        Answer::new("k8s-aws-v1.T", "2026-01-02T03:18:05Z", "client.authentication.k8s.io/v1beta1")
            .print(form, query)
            .unwrap()
    }

    // As awscli 1.45.11 printed it.
    #[test]
    fn json_is_that_of_the_aws_cli() {
        assert_eq!(
            printed(Form::Json, "@"),
            "{\n    \"kind\": \"ExecCredential\",\n    \"apiVersion\": \
             \"client.authentication.k8s.io/v1beta1\",\n    \"spec\": {},\n    \"status\": {\n        \
             \"expirationTimestamp\": \"2026-01-02T03:18:05Z\",\n        \"token\": \
             \"k8s-aws-v1.T\"\n    }\n}\n\n"
        );
        assert_eq!(
            printed(Form::Json, "status"),
            "{\n    \"expirationTimestamp\": \"2026-01-02T03:18:05Z\",\n    \"token\": \
             \"k8s-aws-v1.T\"\n}\n\n"
        );
        assert_eq!(printed(Form::Json, "status.token"), "\"k8s-aws-v1.T\"\n\n");
    }

    // As awscli 1.45.11 printed it.
    #[test]
    fn text_is_that_of_the_aws_cli() {
        for (query, text) in [
            (
                "@",
                "client.authentication.k8s.io/v1beta1\tExecCredential\n\
                 STATUS\t2026-01-02T03:18:05Z\tk8s-aws-v1.T\n\n",
            ),
            ("status", "2026-01-02T03:18:05Z\tk8s-aws-v1.T\n\n"),
            ("status.token", "k8s-aws-v1.T\n\n"),
            ("status.expirationTimestamp", "2026-01-02T03:18:05Z\n\n"),
            ("kind", "ExecCredential\n\n"),
            ("apiVersion", "client.authentication.k8s.io/v1beta1\n\n"),
        ] {
            assert_eq!(printed(Form::Text, query), text, "{query}");
        }
    }

    #[test]
    fn yaml_has_its_keys_sorted() {
        assert_eq!(
            printed(Form::Yaml, "@"),
            "apiVersion: client.authentication.k8s.io/v1beta1\nkind: ExecCredential\nspec: {}\n\
             status:\n  expirationTimestamp: '2026-01-02T03:18:05Z'\n  token: k8s-aws-v1.T\n\n"
        );
        assert_eq!(printed(Form::Yaml, "status.token"), "\"k8s-aws-v1.T\"\n\n");
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is() {
        let error = Form::parse("table", "`--output`").unwrap_err();
        assert!(error.to_string().contains("`json`, `text` and `yaml`"), "{error}");
        assert!(error.next_line().is_some());
        let error = Query::parse("status.[token]\u{1b}").unwrap_err().to_string();
        assert!(error.contains("`status.token`") && !error.contains('\u{1b}'), "{error}");
    }
}
