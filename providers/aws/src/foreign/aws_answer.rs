//! How `aws eks get-token` prints its answer: forms and queries.
//!
//! Every form ends in one line break more than it needs, as the original's do. Of `JMESPath` there are
//! the paths that scripts ask of this answer: names with dots between them.

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
    /// `spec`, which is empty.
    Spec,
    /// `status`, with both its keys.
    Status,
    /// `status.expirationTimestamp`
    Expires,
    /// `status.token`
    Token,
    /// Any other path.
    Nothing,
}

impl Query {
    /// From the flag.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let names = path(text).ok_or_else(|| {
            Error::config(format!("`--query` is a path not known here: `{}`", shown(text)))
                .because("fleetkey knows names with dots between them, such as `status.token`")
                .next(
                    "fleetkey eks get-token --query status.token --output text --cluster-name NAME",
                )
        })?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(match names[..] {
            [] => Self::Whole,
            ["apiVersion"] => Self::Version,
            ["kind"] => Self::Kind,
            ["spec"] => Self::Spec,
            ["status"] => Self::Status,
            ["status", "expirationTimestamp"] => Self::Expires,
            ["status", "token"] => Self::Token,
            _ => Self::Nothing,
        })
    }
}

/// The names of a path; `@` at its beginning is all there is, and none.
fn path(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    if let Some(behind) = rest.strip_prefix('@') {
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(names);
        }
        rest = rest.strip_prefix('.')?.trim_start();
    }
    loop {
        let (name, behind) = identifier(rest)?;
        names.push(name);
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(names);
        }
        rest = rest.strip_prefix('.')?.trim_start();
    }
}

/// A name, bare or as a string of JSON, and what stands behind it.
fn identifier(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let name = strings.next()?.ok()?;
        return Some((name, &text[strings.byte_offset()..]));
    }
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_bare(c)).unwrap_or(text.len());
    let is_one = text.starts_with(|c: char| is_bare(c) && !c.is_ascii_digit());
    is_one.then(|| (text[..end].to_owned(), &text[end..]))
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
            // the original prints nothing of what is empty
            Query::Spec => return Ok("\n".into()),
            Query::Nothing => {
                return match form {
                    Form::Json | Form::Yaml => json(&()),
                    Form::Text => Ok("None\n\n".into()),
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
    fn a_path_of_names_is_followed_however_it_is_written() {
        for path in [
            "status.token",
            " status . token ",
            "\"status\".\"token\"",
            "status.\"tok\\u0065n\"",
            "@.status.token",
        ] {
            assert_eq!(printed(Form::Json, path), "\"k8s-aws-v1.T\"\n\n", "{path}");
            assert_eq!(printed(Form::Text, path), "k8s-aws-v1.T\n\n", "{path}");
        }
        for path in ["nope", "_a", "Status", "status.nope", "kind.x", "spec.x", "status.token.x"] {
            assert_eq!(printed(Form::Json, path), "null\n\n", "{path}");
            assert_eq!(printed(Form::Text, path), "None\n\n", "{path}");
        }
        for form in [Form::Json, Form::Text] {
            assert_eq!(printed(form, "spec"), "\n");
        }
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
        for path in [
            "status.[token]\u{1b}",
            "",
            ".",
            "status.",
            "status.@",
            "@@",
            "a-b",
            "1a",
            "a b",
            "a|b",
            "\"a",
            "\"a\"b",
            "'lit'",
            "`1`",
            "status.*",
            "a[0]",
        ] {
            let error = Query::parse(path).unwrap_err().to_string();
            assert!(error.contains("`status.token`") && !error.contains('\u{1b}'), "{error}");
        }
    }
}
