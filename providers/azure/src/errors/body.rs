//! What stands in the body of a refusal. Entra writes it, but so may anything between it and us:
//! every field may be missing, doubled or of another type, and none is believed to be short.

use fleetkey_provider::{HttpResponse, shown};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::{Map, Value};

use crate::authority::is_guid;

/// A refusal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The status it came with; 0 if a browser brought it.
    pub(super) status: u16,
    /// `error`: a word of RFC 6749, RFC 8628 or OpenID Connect.
    pub(crate) error: String,
    /// `suberror`, which says what would help.
    pub(super) suberror: Option<String>,
    /// The numbers behind `AADSTS`.
    pub(crate) codes: Vec<u32>,
    /// `error_description`, whole. Not to be shown as it is.
    pub(super) description: String,
    /// By which Entra's own support finds it.
    correlation: Option<String>,
    /// What a person has to be asked beside the usual, to be sent along when they are.
    pub(crate) claims: Option<String>,
    /// What the server's clock said.
    pub(super) date: Option<Timestamp>,
}

impl Said {
    /// From an answer; `None` if it is none of a token endpoint.
    pub(crate) fn read(answer: &HttpResponse) -> Option<Self> {
        // the last of two fields of one name counts; too deep is no answer
        let body: Map<String, Value> = serde_json::from_slice(&answer.body).ok()?;
        let text = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let description = text("error_description").unwrap_or_default();
        let listed = body.get("error_codes").and_then(Value::as_array);
        let mut codes: Vec<u32> =
            listed.into_iter().flatten().take(16).filter_map(number).collect();
        if codes.is_empty() {
            codes.extend(code_in(&description));
        }
        let date = answer.header("date");
        Some(Self {
            status: answer.status,
            error: text("error")?,
            suberror: text("suberror"),
            codes,
            correlation: text("correlation_id").or_else(|| behind(&description, "Correlation ID:")),
            description,
            claims: text("claims").filter(|claims| is_object(claims)),
            date: date.and_then(|d| rfc2822::DateTimeParser::new().parse_timestamp(d).ok()),
        })
    }

    /// From what a browser brought back; `None` if that is no refusal.
    pub(crate) fn brought(parameters: &[(String, String)]) -> Option<Self> {
        let text = |name: &str| {
            let found = parameters.iter().find(|(key, value)| key == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        let description = text("error_description").unwrap_or_default();
        Some(Self {
            status: 0,
            error: text("error")?,
            suberror: text("error_subcode").or_else(|| text("suberror")),
            codes: code_in(&description).into_iter().collect(),
            correlation: behind(&description, "Correlation ID:"),
            description,
            claims: text("claims").filter(|claims| is_object(claims)),
            date: None,
        })
    }

    /// `AADSTS50076: ` and Entra's own first sentence, less the secrets that stood in the request; the
    /// `error` where there is no description.
    pub(super) fn sentence(&self, secrets: &[&str]) -> String {
        let end =
            ["Trace ID:", "\r", "\n"].iter().filter_map(|end| self.description.find(end)).min();
        let text = &self.description[..end.unwrap_or(self.description.len())];
        let text = secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        // a word of that length is no word but something the request held
        let words = text.split_whitespace().map(|word| if word.len() > 200 { "…" } else { word });
        let mut line = String::new();
        for word in words.take(80) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            if word.len() > 2 && word.ends_with('.') {
                break;
            }
        }
        let line = shown(line.trim_end_matches('.'));
        if line.is_empty() { word(&self.error) } else { line }
    }

    /// By which Entra knows the request. What is no GUID is none: a server could have put anything in
    /// its place.
    pub(super) fn id(&self) -> Option<&str> {
        self.correlation.as_deref().filter(|id| is_guid(id))
    }

    /// What stands in quotes behind these words of the description, if it is a plain word.
    pub(super) fn quoted_behind(&self, words: &str) -> Option<&str> {
        let (_, rest) = self.description.split_once(words)?;
        let (value, _) = rest.trim_start().strip_prefix('\'')?.split_once('\'')?;
        (1..=128).contains(&value.len()).then_some(())?;
        value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:".contains(&b)).then_some(value)
    }
}

/// As it stands there, or as a string, which v1 likes.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn code_in(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest[..digits].parse().ok()
}

/// The word behind a label, if it is like a GUID.
fn behind(description: &str, label: &str) -> Option<String> {
    let (_, rest) = description.split_once(label)?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// A word of a protocol, or that it is none: what stands in its place comes from a server, which
/// could have put a secret there.
pub(super) fn word(text: &str) -> String {
    let is_word = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if is_word { text.to_owned() } else { "an unknown error".into() }
}

/// Whether it is a JSON object of a size that fits into a URL.
fn is_object(text: &str) -> bool {
    text.len() <= 4096 && matches!(serde_json::from_str(text), Ok(Value::Object(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Said> {
        Said::read(&HttpResponse { status: 400, headers: Vec::new(), body: body.into() })
    }

    #[test]
    fn every_field_is_read() {
        let said = read(
            r#"{"error":"interaction_required","suberror":"basic_action","error_codes":[50076],
                "error_description":"AADSTS50076: Use more. Or not.\r\nTrace ID: t\r\nCorrelation ID: c d",
                "correlation_id":"cc","claims":"{\"access_token\":{}}"}"#,
        )
        .unwrap();
        assert_eq!(
            (said.error.as_str(), said.codes.as_slice()),
            ("interaction_required", &[50076][..])
        );
        assert_eq!(said.suberror.as_deref(), Some("basic_action"));
        assert_eq!(said.correlation.as_deref(), Some("cc"));
        assert_eq!(said.claims.as_deref(), Some(r#"{"access_token":{}}"#));
        assert_eq!(said.sentence(&[]), "AADSTS50076: Use more");
    }

    #[test]
    fn what_is_missing_is_looked_for_in_the_description() {
        let said = read(
            r#"{"error":"e","error_codes":"no","error_description":"AADSTS700082: X Trace ID: t Correlation ID: c-1 Timestamp: s"}"#,
        )
        .unwrap();
        assert_eq!((said.codes, said.correlation.as_deref()), (vec![700_082], Some("c-1")));
        assert_eq!(read(r#"{"error":"e","error_codes":["70016"]}"#).unwrap().codes, [70016]);
    }

    #[test]
    fn hostile_bodies_are_no_refusals_and_no_panics() {
        let deep = "[".repeat(10_000);
        for body in [
            "",
            "{",
            "[]",
            "null",
            "\"error\"",
            "{\"error\":1}",
            "{\"error\":null}",
            "{\"error\":\"\"}",
            "<html>sign in to the network</html>",
            "{\"error\":{\"code\":\"x\"}}",
            "{\"error\":\"e\"",
            &deep,
            &format!("{{\"error\":\"e\",\"x\":{deep}"),
            "\u{0}",
            "{\"error\":\"\\ud800\"}",
        ] {
            assert!(read(body).is_none(), "{body:.40}");
        }
        let said = read(
            r#"{"error":"a","error":"b","error_codes":[-1,1e99,{},"x",99999999999],"error_description":[],
                "correlation_id":7,"suberror":false,"claims":"[1]"}"#,
        )
        .unwrap();
        assert_eq!((said.error.as_str(), said.codes.len()), ("b", 0));
        assert_eq!((said.correlation, said.suberror, said.claims), (None, None, None));
        for description in
            ["AADSTS", "AADSTSx", "AADSTS99999999999999", "é AADSTS1é", "Correlation ID:"]
        {
            let body = serde_json::json!({ "error": "e", "error_description": description });
            read(&body.to_string()).unwrap().sentence(&["é"]);
        }
    }

    #[test]
    fn no_secret_and_no_control_character_is_repeated() {
        let long = "x".repeat(201);
        let description = format!("AADSTS9: hunter2 \u{1b}[2J {long} \u{202e}end\nmore");
        let body = serde_json::json!({ "error": "hunter2 e", "error_description": description });
        let said = read(&body.to_string()).unwrap();
        let line = said.sentence(&["", "hunter2"]);
        assert!(!line.contains("hunter2") && !line.contains("xxxx"), "{line}");
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        let bare = Said { description: String::new(), ..said };
        assert_eq!(bare.sentence(&["hunter2"]), "an unknown error");
    }

    #[test]
    fn a_browser_brings_the_same() {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect()
        };
        let said = Said::brought(&pairs(&[
            ("error", "access_denied"),
            (
                "error_description",
                "AADSTS65004: The resource owner denied.\r\nTrace ID: t\r\nCorrelation ID: c",
            ),
        ]))
        .unwrap();
        assert_eq!((said.codes.as_slice(), said.correlation.as_deref()), (&[65004][..], Some("c")));
        assert!(Said::brought(&pairs(&[("code", "c"), ("error", "")])).is_none());
    }
}
