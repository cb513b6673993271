//! Role credentials in the AWS CLI's own cache: `~/.aws/cli/cache`.
//!
//! Only those that SSO lent are shared, since only their file's name says whose they are: session (or
//! start URL), account and role are hashed into it. The name of an assumed role's file says nothing of
//! who assumed it. Of the person it says nothing either, so what was lent before the last one signed
//! in is passed over (`aws` would use it). What lies there is used while more than 15 minutes of it
//! are left, as by the CLI; what is written there is of the same shape, so that `aws` uses it and
//! `aws sso logout` removes it.

use std::path::{Path, PathBuf};

use fleetkey_provider::{ExposeSecret, Host, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    keys::{Keys, end_of_lent, time},
    plan,
    python_json::{dumps, minified},
};

/// What the CLI wants to be left of a credential's life (botocore's
/// `CachedCredentialFetcher.DEFAULT_EXPIRY_WINDOW_SECONDS`).
const LEFT: SignedDuration = SignedDuration::from_mins(15);

/// The file in which the CLI keeps what one role of one session was lent.
#[derive(Clone, Debug)]
pub(crate) struct RoleCache {
    file: PathBuf,
    account: String,
}

impl RoleCache {
    /// That of these settings. `home` is where `~/.aws` is.
    pub(crate) fn new(settings: &plan::Sso, home: &Path) -> Self {
        let plan::Sso { profile: _, session, start_url, region: _, scopes: _, account, role } =
            settings;
        let start_url = session.is_none().then_some(start_url.as_str());
        let name = Name { account, role, session: session.as_deref(), start_url };
        let name = sha1_smol::Sha1::from(minified(&name)).digest();
        let file = home.join(".aws").join("cli").join("cache").join(format!("{name}.json"));
        Self { file, account: account.clone() }
    }

    /// The keys that lie there, if they are to be used: fresh, and lent since somebody signed in, or
    /// renewed the session, to which `session` is the file.
    pub(crate) fn read(&self, session: &Path, host: &Host) -> Option<Keys> {
        if !host.files.is_newer(&self.file, session) {
            return None;
        }
        let bytes = match host.files.read(&self.file) {
            Ok(bytes) => bytes?,
            Err(error) => {
                host.notes.note(&format!("what `aws` keeps is not used: {error}"));
                return None;
            }
        };
        // half a file, or another tool's: as good as none
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        let Credentials { access_key_id, secret_access_key, session_token, expiration, account_id } =
            entry.credentials;
        let expires = time(&expiration)?;
        let is_ours = entry.provider_type == SSO && account_id.is_none_or(|id| id == self.account);
        if !is_ours || expires.duration_since(host.clock.now()) < LEFT {
            return None;
        }
        let keys = Keys::checked(access_key_id, secret_access_key, Some(session_token)).ok()?;
        Some(Keys {
            account: Some(self.account.clone()),
            expires: Some(end_of_lent(expires, "the AWS CLI's cache", keys.offset, host)),
            ..keys
        })
    }

    /// Keeps keys there, for `aws` too. That it cannot be done changes nothing for us.
    pub(crate) fn write(&self, keys: &Keys, expires: Timestamp, host: &Host) {
        let Keys {
            access_key_id,
            secret_access_key,
            session_token,
            account: _,
            expires: _,
            session_stamp: _,
            offset: _,
            region: _,
            second_factor: _,
        } = keys;
        let Some(session_token) = session_token else { return };
        // whole seconds, as the CLI cuts them
        let Ok(expires) = Timestamp::from_second(expires.as_second()) else { return };
        let entry = Entry {
            provider_type: SSO.into(),
            credentials: Credentials {
                access_key_id: access_key_id.clone(),
                secret_access_key: secret_access_key.expose_secret().into(),
                session_token: session_token.expose_secret().into(),
                expiration: expires.to_string(),
                account_id: Some(self.account.clone()),
            },
        };
        if let Err(error) = host.files.replace(&self.file, &dumps(&entry)) {
            host.notes.note(&format!("the role is not kept for `aws`: {error}"));
        }
    }
}

/// Removes what every role of SSO was lent, whichever tool wrote it down, as `aws sso logout` does. How
/// many there were. `aws` is the folder `~/.aws`.
pub(crate) fn forget(aws: &Path, host: &Host) -> Result<usize> {
    let mut removed = 0;
    for file in host.files.list(&aws.join("cli").join("cache"))? {
        // what cannot be read, or is half a file, says nothing of the kind
        let Ok(Some(bytes)) = host.files.read(&file) else { continue };
        let kind: Option<Lender> = serde_json::from_slice(&bytes).ok();
        if kind.is_some_and(|kind| kind.provider_type.as_deref() == Some(SSO)) {
            removed += usize::from(host.files.remove(&file)?);
        }
    }
    Ok(removed)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lender {
    provider_type: Option<String>,
}

/// What tells these from what is kept of assumed roles; `aws sso logout` goes by it.
const SSO: &str = "sso";

/// What a file is named after; sorted, as the CLI sorts it.
#[derive(Serialize)]
struct Name<'a> {
    #[serde(rename = "accountId")]
    account: &'a str,
    #[serde(rename = "roleName")]
    role: &'a str,
    #[serde(rename = "sessionName", skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(rename = "startUrl", skip_serializing_if = "Option::is_none")]
    start_url: Option<&'a str>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    provider_type: String,
    credentials: Credentials,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        region::Region,
        testing::{CORP, World},
    };

    /// Where the CLI keeps what role `Admin` of session `corp` was lent.
    const ADMIN: &str = "/home/.aws/cli/cache/8457bc68cf9d4aa8d629a61563948e8bd3159d49.json";

    fn settings(session: Option<&str>) -> plan::Sso {
        plan::Sso {
            profile: Some("p".into()),
            session: session.map(str::to_owned),
            start_url: "https://my.awsapps.com/start".into(),
            region: Region::parse("eu-central-1", "a test").unwrap(),
            scopes: None,
            account: "123456789012".into(),
            role: "Admin".into(),
        }
    }

    #[test]
    fn files_are_named_as_the_cli_names_them() {
        // computed with botocore
        for (session, name) in [
            (Some("corp"), "8457bc68cf9d4aa8d629a61563948e8bd3159d49.json"),
            (None, "2022a26817a8409407d383b27f88f3656d96b72b.json"),
        ] {
            let cache = RoleCache::new(&settings(session), Path::new("/home"));
            assert_eq!(cache.file, Path::new("/home/.aws/cli/cache").join(name));
        }
    }

    fn world() -> World {
        World::new().env(&[("AWS_PROFILE", "dev")])
    }

    fn entry(end: &str, kind: &str, account: &str) -> String {
        format!(
            r#"{{"ProviderType": "{kind}", "Credentials": {{"AccessKeyId": "ASIACLI",
               "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "{end}"{account}}}}}"#
        )
    }

    /// The id of the keys that need no request.
    fn at_hand(world: &World) -> Option<String> {
        let request = world.ask("").unwrap();
        let credential = request.at_hand(&world.host()).unwrap()?;
        Some(Keys::from_secret(credential.expose()).unwrap().access_key_id)
    }

    #[test]
    fn what_aws_keeps_is_at_hand_however_its_end_is_written() {
        for end in ["2026-01-02T04:04:05Z", "2026-01-02T04:04:05+00:00", "2026-01-02T04:04:05UTC"] {
            let world = world().signed_in().file(ADMIN, &entry(end, "sso", ""));
            assert_eq!(at_hand(&world).as_deref(), Some("ASIACLI"), "{end}");
        }
    }

    #[test]
    fn what_is_not_surely_ours_or_nearly_over_is_not() {
        const END: &str = "2026-01-02T04:04:05Z";
        let world = world().signed_in();
        for text in [
            entry("2026-01-02T03:19:04Z", "sso", ""),
            entry("soon", "sso", ""),
            entry(END, "login", ""),
            entry(END, "sso", r#", "AccountId": "999999999999""#),
            entry(END, "sso", "").replace("ASIACLI", "ASIA/2020&X-Amz=1"),
            entry(END, "sso", "")[..80].to_owned(),
            entry(END, "sso", "").replace("\"ProviderType\": \"sso\",", ""),
        ] {
            assert_eq!(at_hand(&world.clone().file(ADMIN, &text)), None, "{text}");
        }
        let ours = entry(END, "sso", r#", "AccountId": "123456789012""#);
        assert!(at_hand(&world.file(ADMIN, &ours)).is_some());
    }

    #[test]
    fn what_was_lent_before_somebody_signed_in_may_be_another_persons() {
        let kept = entry("2026-01-02T04:04:05Z", "sso", "");
        let world = world().signed_in().file(ADMIN, &kept);
        assert!(at_hand(&world).is_some());
        assert_eq!(at_hand(&world.signed_in()), None);
    }

    #[test]
    fn whoever_signed_out_has_nothing_at_hand() {
        let kept = entry("2026-01-02T04:04:05Z", "sso", "");
        assert_eq!(at_hand(&world().file(ADMIN, &kept)), None);
    }

    #[test]
    fn a_sign_in_that_is_over_still_has_the_roles_it_was_lent() {
        let kept = entry("2026-01-02T04:04:05Z", "sso", "");
        let over = r#"{"accessToken":"t","expiresAt":"2026-01-01T00:00:00Z"}"#;
        assert!(at_hand(&world().file(CORP, over).file(ADMIN, &kept)).is_some());
    }

    #[test]
    fn what_is_lent_is_kept_byte_for_byte_as_by_the_cli() {
        let world = world().signed_in();
        world.sso_lends();
        let request = world.ask("").unwrap();
        world.lend(request.as_ref()).unwrap();
        // written by botocore 1.43's `SSOCredentialFetcher`
        let expected = r#"{"ProviderType": "sso", "Credentials": {"AccessKeyId": "ASIASSO", "SecretAccessKey": "s", "SessionToken": "sso-lent", "Expiration": "2026-01-02T04:04:05Z", "AccountId": "123456789012"}}"#;
        assert_eq!(world.written(), [(ADMIN.to_owned(), expected.to_owned())]);
        // and is at hand for the next, with no more requests
        let credential = request.at_hand(&world.host()).unwrap().unwrap();
        assert!(request.still_ours(&credential, &world.host()));
        assert_eq!(credential.expires(), "2026-01-02T04:04:05Z".parse().ok());
        assert_eq!(world.http.requests().len(), 1);
    }

    #[test]
    fn a_disk_that_is_full_is_no_reason_to_fail() {
        let world = world().signed_in();
        world.fill();
        world.sso_lends();
        world.lend(world.ask("").unwrap().as_ref()).unwrap();
        let notes = world.notes.lines().join("\n");
        assert!(notes.contains("not kept for `aws`"), "{notes}");
    }
}
