//! Access keys: what every source of AWS credentials ends in, and what signs.
//!
//! They are checked once, where they enter: what is empty or not plain text could only fail later,
//! as a signature that nobody can explain. No error here shows a value, not even the id, since the
//! two are easily pasted into each other's place.

use std::{borrow::Cow, fmt, time::Duration};

use aws_credential_types::Credentials;
use fleetkey_provider::{Error, ExposeSecret, Host, Result, SecretString};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Offset;

/// Longer than any that AWS gives out, and far below what the signer cannot take. It may be longer
/// than a cluster's token can hold: a hub's only has to assume the next role.
const LONGEST_SESSION_TOKEN: usize = 16 * 1024;

/// A pair of access keys, and what is known of it.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The id, which is no secret: it stands in every signed URL.
    pub(crate) access_key_id: String,
    /// The secret that signs.
    pub(crate) secret_access_key: SecretString,
    /// What AWS wants to see with keys that were lent.
    pub(crate) session_token: Option<SecretString>,
    /// The account they belong to, if the source said so.
    pub(crate) account: Option<String>,
    /// When they end, if they do and it is known.
    pub(crate) expires: Option<Timestamp>,
    /// The stamp of the SSO token file they were lent for: signing out changes it.
    pub(crate) session_stamp: Option<i128>,
    /// How far the clock of whoever lent them is from this machine's. Their end is by that clock.
    pub(crate) offset: Offset,
    /// The region to sign for, where only the machine knows it.
    pub(crate) region: Option<String>,
    /// A second factor to be shown with them, once.
    pub(crate) second_factor: Option<SecondFactor>,
}

/// The code of a device, fresh from a person.
#[derive(Clone)]
pub(crate) struct SecondFactor {
    /// The device.
    pub(crate) serial: String,
    /// What it shows.
    pub(crate) code: SecretString,
}

impl Keys {
    /// A checked pair. `from` names the variables or the file it came from.
    pub(crate) fn new(
        from: &str,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Result<Self> {
        Self::checked(access_key_id.into(), secret_access_key.into(), session_token).map_err(
            |Flaw { what, why }| {
                Error::config(format!("the {what} from {from} cannot be one")).because(why)
            },
        )
    }

    /// The pair that a cloud lends, checked; what is wrong with it is nothing a person can mend.
    pub(crate) fn checked(
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
    ) -> Result<Self, Flaw> {
        check_id(&access_key_id)?;
        check_text("secret access key", &secret_access_key)?;
        if let Some(token) = &session_token {
            check_text("session token", token)?;
            if token.len() > LONGEST_SESSION_TOKEN {
                return Err(Flaw { what: "session token", why: TOO_LONG });
            }
        }
        Ok(Self {
            access_key_id,
            secret_access_key: secret_access_key.into(),
            session_token: session_token.map(SecretString::from),
            account: None,
            expires: None,
            session_stamp: None,
            offset: Offset::default(),
            region: None,
            second_factor: None,
        })
    }

    /// The opaque text of a kept credential.
    pub(crate) fn to_secret(&self) -> SecretString {
        let Self {
            access_key_id,
            secret_access_key,
            session_token,
            account,
            expires,
            session_stamp,
            offset,
            region,
            second_factor,
        } = self;
        let kept = Kept {
            access_key_id: Cow::Borrowed(access_key_id),
            secret_access_key: Cow::Borrowed(secret_access_key.expose_secret()),
            session_token: session_token.as_ref().map(|token| token.expose_secret().into()),
            account: account.as_deref().map(Cow::Borrowed),
            expires: expires.map(|end| end.to_string().into()),
            session_stamp: session_stamp.map(|stamp| stamp.to_string().into()),
            offset: Some(offset.seconds()).filter(|seconds| *seconds != 0),
            region: region.as_deref().map(Cow::Borrowed),
            second_factor: second_factor.as_ref().map(|SecondFactor { serial, code }| {
                [serial.as_str().into(), code.expose_secret().into()]
            }),
        };
        // writing texts to a text cannot fail; if it did, the empty text is no credential
        serde_json::to_string(&kept).unwrap_or_default().into()
    }

    /// The pair that [`Keys::to_secret`] wrote.
    pub(crate) fn from_secret(text: &str) -> Result<Self> {
        // serde's error could quote the text, and the text is a secret
        let broken = || Error::failed("a kept AWS credential is not as it was written");
        let kept: Kept<'_> = serde_json::from_str(text).map_err(|_| broken())?;
        let expires = kept.expires.map(|end| end.parse()).transpose().map_err(|_| broken())?;
        let session_stamp =
            kept.session_stamp.map(|stamp| stamp.parse()).transpose().map_err(|_| broken())?;
        let keys = Self::new(
            "a kept AWS credential",
            kept.access_key_id,
            kept.secret_access_key,
            kept.session_token.map(Cow::into_owned),
        )?;
        Ok(Self {
            account: kept.account.map(Cow::into_owned),
            expires,
            session_stamp,
            offset: Offset::of_seconds(kept.offset.unwrap_or_default()),
            region: kept.region.map(Cow::into_owned),
            second_factor: kept.second_factor.map(|[serial, code]| SecondFactor {
                serial: serial.into_owned(),
                code: code.into_owned().into(),
            }),
            ..keys
        })
    }

    /// The pair as AWS's signer takes it.
    pub(crate) fn to_aws(&self) -> Credentials {
        Credentials::new(
            self.access_key_id.as_str(),
            self.secret_access_key.expose_secret(),
            self.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
            self.expires.map(Into::into),
            "fleetkey",
        )
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.access_key_id)
    }
}

/// [`Keys`] as JSON. Numbers that outgrow JSON's are text.
#[derive(Deserialize, Serialize)]
struct Kept<'a> {
    #[serde(borrow, rename = "id")]
    access_key_id: Cow<'a, str>,
    #[serde(borrow, rename = "secret")]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow, rename = "token", skip_serializing_if = "Option::is_none")]
    session_token: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    account: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    expires: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "stamp", skip_serializing_if = "Option::is_none")]
    session_stamp: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    region: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "mfa", skip_serializing_if = "Option::is_none")]
    second_factor: Option<[Cow<'a, str>; 2]>,
}

/// When keys that a service lends end for us: when it says, or after as long as AWS lends roles at
/// most. Without a bound one answer could stay in use for years.
pub(crate) fn end_of_lent(
    said: Timestamp,
    service: &str,
    offset: Offset,
    host: &Host,
) -> Timestamp {
    let now = offset.there(host.clock.now());
    let longest = now.checked_add(LONGEST_LIFE).unwrap_or(Timestamp::MAX);
    if said <= longest {
        return said;
    }
    host.notes.note(&format!(
        "{service} lends the keys until {said}, longer than AWS lends roles; used until {longest}"
    ));
    longest
}

/// Times as AWS's tools write them: with `Z`, an offset, or `UTC`.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    match text.strip_suffix("UTC") {
        Some(text) => format!("{}Z", text.trim_end()).parse().ok(),
        None => text.parse().ok(),
    }
}

/// What cannot be one of a pair, and why.
#[derive(Debug)]
pub(crate) struct Flaw {
    what: &'static str,
    why: &'static str,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} ({})", self.what, self.why)
    }
}

/// The id stands in every signed URL, in errors and in a kept credential's key.
fn check_id(id: &str) -> Result<(), Flaw> {
    let why = if id.is_empty() {
        "it is empty"
    } else if id.len() > 128 {
        "it is longer than 128 characters"
    } else if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        "something other than letters, digits and `_` stands in it, perhaps a line break"
    } else {
        return Ok(());
    };
    Err(Flaw { what: "access key id", why })
}

fn check_text(what: &'static str, value: &str) -> Result<(), Flaw> {
    let why = if value.is_empty() {
        "it is empty"
    } else if value.chars().any(|c| c.is_ascii_control()) {
        "a control character stands in it, perhaps a line break"
    } else if !value.is_ascii() {
        "a character outside ASCII stands in it"
    } else {
        return Ok(());
    };
    Err(Flaw { what, why })
}

const TOO_LONG: &str = "it is longer than any that AWS gives out";

/// AWS lends roles for no longer.
const LONGEST_LIFE: Duration = Duration::from_hours(12);

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{KeptNotes, ManualClock};

    use super::*;

    fn keys() -> Keys {
        Keys {
            account: Some("123456789012".into()),
            expires: Some("2026-01-02T03:04:05.5Z".parse().unwrap()),
            session_stamp: Some(1_767_323_045_123_456_789),
            offset: Offset::of_seconds(-1200),
            region: Some("eu-west-1".into()),
            ..Keys::new("a test", "AKIDEXAMPLE", "wJal\"rX/+", Some("tok\\en=".into())).unwrap()
        }
    }

    #[test]
    fn what_is_kept_comes_back() {
        let back = Keys::from_secret(keys().to_secret().expose_secret()).unwrap();
        assert_eq!(back.access_key_id, "AKIDEXAMPLE");
        assert_eq!(back.secret_access_key.expose_secret(), "wJal\"rX/+");
        assert_eq!(back.session_token.unwrap().expose_secret(), "tok\\en=");
        assert_eq!(back.account, keys().account);
        assert_eq!(back.expires, keys().expires);
        assert_eq!(back.session_stamp, keys().session_stamp);
        assert_eq!((back.offset, back.region), (keys().offset, keys().region));
    }

    #[test]
    fn bare_keys_are_kept_bare() {
        let bare = Keys::new("a test", "AKID", "s", None).unwrap().to_secret();
        assert_eq!(bare.expose_secret(), r#"{"id":"AKID","secret":"s"}"#);
    }

    #[test]
    fn what_was_tampered_with_is_refused_and_not_quoted() {
        for text in [
            "",
            "{}",
            "hunter2",
            r#"{"id":"A","secret":""}"#,
            r#"{"id":"A","secret":"hunter2","expires":"soon"}"#,
            r#"{"id":"A","secret":"hunter2","stamp":"x"}"#,
        ] {
            let error = Keys::from_secret(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_and_not_shown() {
        for (id, secret, token) in [
            ("", "s", None),
            ("AKID", "", None),
            ("AKID", "s", Some("")),
            ("AKID\n", "s", None),
            ("ASIA/2020&X-Amz=1", "s", None),
            ("AKID\u{202e}", "s", None),
            (&*"A".repeat(129), "s", None),
            ("AKID", "hunter2\r", None),
            ("AKID", "hunter2é", None),
            ("AKID", "s", Some("hunter2\0")),
        ] {
            let error = Keys::new("`X`", id, secret, token.map(str::to_owned)).unwrap_err();
            assert!(error.to_string().contains("`X`"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_session_token_without_end_is_refused() {
        let with = |n| Keys::new("the environment", "AKID", "s", Some("x".repeat(n)));
        assert!(with(LONGEST_SESSION_TOKEN).is_ok());
        for n in [LONGEST_SESSION_TOKEN + 1, 66_000, 500_000] {
            let error = with(n).unwrap_err().to_string();
            assert!(error.starts_with("the session token from the environment"), "{error}");
            assert!(error.contains("longer than any"), "{error}");
            assert!(!error.contains("xxxx"), "{error}");
        }
    }

    #[test]
    fn no_answer_makes_keys_that_last_for_years() {
        let notes = KeptNotes::default();
        let host = Host {
            clock: Box::new(ManualClock::at("2026-01-02T00:00:00Z")),
            notes: Box::new(notes.clone()),
            ..Host::refusing()
        };
        let none = Offset::default();
        let end = |said: &str| end_of_lent(said.parse().unwrap(), "STS", none, &host).to_string();
        assert_eq!(end("2026-01-02T12:00:00Z"), "2026-01-02T12:00:00Z");
        assert!(notes.lines().is_empty());
        assert_eq!(end("9999-01-02T12:00:00Z"), "2026-01-02T12:00:00Z");
        assert_eq!(notes.lines().len(), 1);
        // by the clock there, which need not be the one here
        let day = Offset::of_seconds(86_400);
        let end = end_of_lent("2026-01-03T12:00:00Z".parse().unwrap(), "STS", day, &host);
        assert_eq!(end.to_string(), "2026-01-03T12:00:00Z");
    }

    #[test]
    fn debug_shows_the_id_only() {
        assert_eq!(format!("{:?}", keys()), "Keys(AKIDEXAMPLE)");
    }
}
