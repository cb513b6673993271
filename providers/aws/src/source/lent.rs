//! Access keys as a program or a machine's service writes them, in JSON of nearly one shape.

use fleetkey_provider::{Error, Host, Result};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    clock::Offset,
    keys::{Keys, end_of_lent, time},
};

/// An answer that lends keys.
pub(super) struct Lent {
    fields: Map<String, Value>,
    from: Lender,
}

/// Who answered.
#[derive(Clone, Debug)]
pub(super) enum Lender {
    /// A `credential_process`; with the words for it.
    Program(String),
    /// The container's credential service.
    Container,
    /// EC2's metadata service.
    Metadata,
}

impl Lender {
    fn words(&self) -> &str {
        match self {
            Self::Program(words) => words,
            Self::Container => "the container's credential service",
            Self::Metadata => "EC2's metadata service",
        }
    }

    /// What is wrong with an answer of a program, its owner can mend; a service's passes or not.
    fn error(&self, message: String) -> Error {
        match self {
            Self::Program(_) => Error::failed(message),
            Self::Container | Self::Metadata => Error::unavailable(message),
        }
    }

    /// The name of the session token. `Token` is what services call it.
    fn token(&self) -> &'static str {
        match self {
            Self::Program(_) => "SessionToken",
            Self::Container | Self::Metadata => "Token",
        }
    }
}

impl Lent {
    /// Reads an answer. Nothing of it is ever shown: it may be a secret.
    pub(super) fn read(text: &[u8], from: Lender) -> Result<Self> {
        match serde_json::from_slice(text) {
            Ok(fields) => Ok(Self { fields, from }),
            Err(_) => Err(not_understood(&from, "it is no JSON object")),
        }
    }

    /// The `Code` that says that nothing is lent.
    pub(super) fn refusal(&self) -> Option<String> {
        self.text("Code").filter(|code| *code != "Success").map(str::to_owned)
    }

    /// A field that is text, and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// The version it says it has; `None` if that is no number.
    pub(super) fn version(&self) -> Option<u64> {
        self.fields.get("Version")?.as_u64()
    }

    /// The keys. Who lends them is on this machine or beside it, and its clock is believed to be the
    /// one here: over plain http nothing else could be believed either.
    pub(super) fn keys(&self, host: &Host) -> Result<Keys> {
        let wrong = |why: &str| not_understood(&self.from, why);
        let token = self.from.token();
        let missing: Vec<_> = ["AccessKeyId", "SecretAccessKey"]
            .into_iter()
            .filter(|name| self.text(name).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            return Err(wrong(&format!("{} is missing in it", missing.join(" and "))));
        }
        let text = |name| self.text(name).unwrap_or_default().to_owned();
        let session_token = self.text(token).map(str::to_owned);
        let keys = Keys::checked(text("AccessKeyId"), text("SecretAccessKey"), session_token)
            .map_err(|flaw| wrong(&flaw.to_string()))?;
        let expires = match self.fields.get("Expiration") {
            None | Some(Value::Null) => None,
            Some(end) => Some(
                end.as_str()
                    .and_then(time)
                    .ok_or_else(|| wrong("its `Expiration` is no time in ISO 8601"))?,
            ),
        };
        if let Some(end) = expires {
            self.not_over(end, host)?;
        }
        let account = self.text("AccountId").map(str::to_owned);
        let expires =
            expires.map(|end| end_of_lent(end, self.from.words(), Offset::default(), host));
        Ok(Keys { account, expires, ..keys })
    }

    /// EC2 goes on lending what is over while it cannot renew it. AWS's own tools then use it for a
    /// while longer; a cluster would only say that it does not know us.
    fn not_over(&self, end: Timestamp, host: &Host) -> Result<()> {
        if end > host.clock.now() {
            return Ok(());
        }
        let from = self.from.words();
        Err(self
            .from
            .error(format!("{from} lends what is over already"))
            .because(format!("its keys ended at {end}, and it has no newer ones"))
            .next("date -u"))
    }
}

fn not_understood(from: &Lender, why: &str) -> Error {
    from.error(format!("the answer of {} was not understood", from.words())).because(why)
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, testing::ManualClock};

    use super::*;

    fn keys(text: &str, from: Lender) -> Result<Keys> {
        let clock = Box::new(ManualClock::at("2026-01-02T03:04:05Z"));
        let host = Host { clock, ..Host::refusing() };
        Lent::read(text.as_bytes(), from)?.keys(&host)
    }

    fn wrong(text: &str) -> String {
        let error = keys(text, Lender::Container).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        error.to_string()
    }

    #[test]
    fn each_calls_the_session_token_its_own_way() {
        let text = r#"{"AccessKeyId":"A","SecretAccessKey":"s","Token":"t","SessionToken":"u",
            "AccountId":"1","Expiration":"2026-01-02T04:04:05+00:00"}"#;
        for (from, token) in
            [(Lender::Container, "t"), (Lender::Metadata, "t"), (Lender::Program("x".into()), "u")]
        {
            let keys = keys(text, from).unwrap();
            assert_eq!(keys.session_token.unwrap().expose_secret(), token);
            assert_eq!(keys.expires, "2026-01-02T04:04:05Z".parse().ok());
            assert_eq!(keys.account.as_deref(), Some("1"));
        }
    }

    #[test]
    fn what_is_missing_is_named_and_what_may_be_missing_is_not() {
        let bare = r#"{"AccessKeyId":"A","SecretAccessKey":"s","Expiration":null}"#;
        let keys = keys(bare, Lender::Metadata).unwrap();
        assert!(keys.session_token.is_none() && keys.expires.is_none());
        assert!(wrong(r#"{"AccessKeyId":"A"}"#).contains("`SecretAccessKey` is missing"));
        let both = wrong(r#"{"AccessKeyId":"","SecretAccessKey":7}"#);
        assert!(both.contains("`AccessKeyId` and `SecretAccessKey` is missing"), "{both}");
    }

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        let with = |end: &str| {
            format!(r#"{{"AccessKeyId":"A","SecretAccessKey":"hunter2","Expiration":{end}}}"#)
        };
        for (text, words) in [
            ("hunter2".to_owned(), "no JSON"),
            ("[\"hunter2\"]".to_owned(), "no JSON"),
            (with("\"hunter2\""), "no time"),
            (with("1767323045"), "no time"),
            (with("\"2026-01-02T03:04:05Z\""), "ended at 2026-01-02T03:04:05Z"),
            (r#"{"AccessKeyId":"A\n","SecretAccessKey":"hunter2"}"#.to_owned(), "access key id"),
        ] {
            let error = wrong(&text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
