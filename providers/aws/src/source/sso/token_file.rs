//! The file in which `aws sso login` keeps a session: `~/.aws/sso/cache/<SHA-1 of its name>.json`.
//!
//! It is read whatever the case of its keys, as by the SDKs, and written as the AWS CLI writes it:
//! every field stays where it was, those that nobody here knows too.

use fleetkey_provider::{ExposeSecret, SecretString};
use jiff::Timestamp;

use super::{oidc::Issued, registration::Registration, session::Known};
use crate::{keys::time, python_json, source::fields::Fields};

/// A session that somebody signed in to.
#[derive(Clone)]
pub(super) struct TokenFile {
    fields: Fields,
    /// What the portal is shown.
    pub(super) token: SecretString,
    /// When it ends.
    pub(super) expires: Timestamp,
}

/// What it takes to renew a session.
pub(super) struct Grant {
    pub(super) refresh_token: SecretString,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

/// Why a session cannot be renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unrenewable {
    /// There is nothing to renew it with.
    NoGrant,
    /// What it was signed in with is known to AWS no more.
    Registration(Timestamp),
}

impl TokenFile {
    /// `None` if it is not as `aws` writes it: half written just now, perhaps.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let fields: Fields = serde_json::from_slice(bytes).ok()?;
        let token = fields.text(TOKEN).filter(|token| is_word(token))?.into();
        let expires = fields.text(EXPIRES).and_then(time)?;
        Some(Self { fields, token, expires })
    }

    /// What it takes to renew it now.
    pub(super) fn grant(&self, now: Timestamp) -> Result<Grant, Unrenewable> {
        let text = |name| self.fields.text(name).ok_or(Unrenewable::NoGrant);
        let grant = Grant {
            refresh_token: text(REFRESH)?.into(),
            client_id: text("clientId")?.into(),
            client_secret: text("clientSecret")?.into(),
        };
        let registered = text("registrationExpiresAt")?;
        match time(registered).ok_or(Unrenewable::NoGrant)? {
            end if end <= now => Err(Unrenewable::Registration(end)),
            _ => Ok(grant),
        }
    }

    /// The file of somebody who just signed in. A session that was there is gone with all that stood
    /// in its file, as where the AWS CLI signs in.
    pub(super) fn signed_in(known: &Known, with: &Registration, issued: &Issued) -> Vec<u8> {
        let Known { profile: _, name: _, start_url, region, scopes: _, sign_in_line: _ } = known;
        let Issued { access_token, expires, refresh_token } = issued;
        let mut fields = Fields::default();
        fields.set("startUrl", start_url);
        fields.set("region", region.as_str());
        fields.set(TOKEN, access_token);
        fields.set(EXPIRES, &expires.to_string());
        fields.set("clientId", &with.client_id);
        fields.set("clientSecret", with.client_secret.expose_secret());
        fields.set("registrationExpiresAt", &with.expires.to_string());
        if let Some(token) = refresh_token {
            fields.set(REFRESH, token);
        }
        python_json::dumps(&fields)
    }

    /// The file after it was renewed. Without a new refresh token the old one stays good (RFC 6749,
    /// section 6); the AWS CLI forgets it.
    pub(super) fn renewed(&self, issued: &Issued) -> Vec<u8> {
        let Issued { access_token, expires, refresh_token } = issued;
        let mut fields = self.fields.clone();
        fields.set(TOKEN, access_token);
        // whole seconds and a `Z`, as the CLI writes them
        fields.set(EXPIRES, &expires.to_string());
        if let Some(token) = refresh_token {
            fields.set(REFRESH, token);
        }
        python_json::dumps(&fields)
    }
}

const TOKEN: &str = "accessToken";
const EXPIRES: &str = "expiresAt";
const REFRESH: &str = "refreshToken";

/// Whether it can stand in a header.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> TokenFile {
        TokenFile::parse(text.as_bytes()).unwrap()
    }

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    #[test]
    fn every_field_stays_where_it_was() {
        let before = file(
            r#"{ "x":{"b":1,"a":[true,null]},"ACCESSTOKEN":"old","expiresAt":"2026-01-01T00:00:00UTC",
                 "clientId":"é", "clientId":"c", "y": 1.5 }"#,
        );
        let issued = Issued {
            access_token: "new".into(),
            expires: now(),
            refresh_token: Some("next".into()),
        };
        assert_eq!(
            String::from_utf8(before.renewed(&issued)).unwrap(),
            r#"{"x": {"b": 1, "a": [true, null]}, "ACCESSTOKEN": "new", "expiresAt": "2026-01-02T03:04:05Z", "clientId": "c", "y": 1.5, "refreshToken": "next"}"#
        );
    }

    #[test]
    fn a_refresh_token_that_was_not_replaced_stays() {
        let before = file(
            r#"{"accessToken": "a", "expiresAt": "2026-01-01T00:00:00Z", "refreshToken": "r"}"#,
        );
        let issued = Issued { access_token: "b".into(), expires: now(), refresh_token: None };
        let after = before.renewed(&issued);
        assert_eq!(
            after,
            br#"{"accessToken": "b", "expiresAt": "2026-01-02T03:04:05Z", "refreshToken": "r"}"#
        );
    }

    #[test]
    fn what_it_takes_to_renew_has_to_be_there_and_known_to_aws() {
        let with = |end: &str, leave: &str| {
            let text = format!(
                r#"{{"accessToken":"a","expiresAt":"2026-01-01T00:00:00Z","refreshToken":"r",
                   "clientId":"c","clientSecret":"s","registrationExpiresAt":"{end}"}}"#
            );
            file(&text.replace(leave, "other")).grant(now()).map(|_| ())
        };
        assert_eq!(with("2026-01-02T03:04:06Z", "--"), Ok(()));
        assert_eq!(with("2026-01-02T03:04:05Z", "--"), Err(Unrenewable::Registration(now())));
        assert_eq!(with("soon", "--"), Err(Unrenewable::NoGrant));
        for name in ["refreshToken", "clientId", "clientSecret", "registrationExpiresAt"] {
            assert_eq!(with("2026-01-03T00:00:00Z", name), Err(Unrenewable::NoGrant), "{name}");
        }
    }
}
