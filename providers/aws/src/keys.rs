//! Access keys: what every source of AWS credentials ends in, and what signs.
//!
//! They are checked once, where they enter: what is empty or not plain text could only fail later,
//! as a signature that nobody can explain. No error here shows a value, not even the id, since the
//! two are easily pasted into each other's place.

use std::{borrow::Cow, fmt};

use aws_credential_types::Credentials;
use fleetkey_provider::{Error, ExposeSecret, Result, SecretString};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
}

impl Keys {
    /// A checked pair. `from` names the variables, the file or the service it came from.
    pub(crate) fn new(
        from: &str,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Result<Self> {
        let access_key_id = access_key_id.into();
        let secret_access_key = secret_access_key.into();
        check(from, "access key id", &access_key_id)?;
        check(from, "secret access key", &secret_access_key)?;
        if let Some(token) = &session_token {
            check(from, "session token", token)?;
        }
        Ok(Self {
            access_key_id,
            secret_access_key: secret_access_key.into(),
            session_token: session_token.map(SecretString::from),
            account: None,
            expires: None,
            session_stamp: None,
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
        } = self;
        let kept = Kept {
            access_key_id: Cow::Borrowed(access_key_id),
            secret_access_key: Cow::Borrowed(secret_access_key.expose_secret()),
            session_token: session_token.as_ref().map(|token| token.expose_secret().into()),
            account: account.as_deref().map(Cow::Borrowed),
            expires: expires.map(|end| end.to_string().into()),
            session_stamp: session_stamp.map(|stamp| stamp.to_string().into()),
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
        Ok(Self { account: kept.account.map(Cow::into_owned), expires, session_stamp, ..keys })
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
}

fn check(from: &str, what: &str, value: &str) -> Result<()> {
    let cause = if value.is_empty() {
        "it is empty"
    } else if value.chars().any(|c| c.is_ascii_control()) {
        "a control character stands in it, perhaps a line break"
    } else if !value.is_ascii() {
        "a character outside ASCII stands in it"
    } else {
        return Ok(());
    };
    Err(Error::config(format!("the {what} from {from} cannot be one")).because(cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys {
            account: Some("123456789012".into()),
            expires: Some("2026-01-02T03:04:05.5Z".parse().unwrap()),
            session_stamp: Some(1_767_323_045_123_456_789),
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
    fn debug_shows_the_id_only() {
        assert_eq!(format!("{:?}", keys()), "Keys(AKIDEXAMPLE)");
    }
}
