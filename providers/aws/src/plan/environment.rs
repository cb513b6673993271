//! What the environment says about credentials, read once and only if it is asked.

use std::path::PathBuf;

use fleetkey_provider::{Error, Host, Result, shown};

use crate::{
    arguments::{Chosen, PROFILE},
    keys::{Keys, time},
    variables,
};

/// The facts a plan is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Access keys, if there is a pair.
    pub(crate) keys: Option<Keys>,
    /// The profile to use.
    pub(crate) profile: Option<Chosen>,
    /// A federated token, to be exchanged for a role.
    pub(crate) web_identity: WebIdentityVariables,
}

/// Each may be set without the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebIdentityVariables {
    /// The file the token is in.
    pub(crate) token_file: Option<PathBuf>,
    /// The role it is exchanged for.
    pub(crate) role_arn: Option<String>,
    /// What the session is called.
    pub(crate) session_name: Option<String>,
}

impl Environment {
    /// Reads it. Not for those who named a profile: then it has no say, not even as a mistake.
    pub(crate) fn read(host: &Host) -> Result<Self> {
        Ok(Self { keys: keys(host)?, profile: profile(host)?, web_identity: web_identity(host)? })
    }
}

/// Its access keys. A blank variable is an unset one; an id without its secret is a mistake, a secret without an id
/// is nothing, as in AWS's own tools.
pub(super) fn keys(host: &Host) -> Result<Option<Keys>> {
    let var = |name| -> Result<Option<String>> {
        Ok(host.text_var(name)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let Some(id) = var(variables::AWS_ACCESS_KEY_ID)? else { return Ok(None) };
    let Some(secret) = var(variables::AWS_SECRET_ACCESS_KEY)? else {
        return Err(Error::config(
            "the variable `AWS_ACCESS_KEY_ID` is set, but `AWS_SECRET_ACCESS_KEY` is not",
        )
        .because("access keys come in pairs"));
    };
    let token = match var(variables::AWS_SECURITY_TOKEN)? {
        Some(token) => Some(token),
        None => var(variables::AWS_SESSION_TOKEN)?,
    };
    let keys = Keys::new("the environment", id, secret, token)?;
    let expires = match var(variables::AWS_CREDENTIAL_EXPIRATION)? {
        Some(text) => {
            let end = time(&text);
            if end.is_none() {
                host.notes.note(&format!(
                    "`AWS_CREDENTIAL_EXPIRATION` is no time and is ignored: {}",
                    shown(&text)
                ));
            }
            end
        }
        None => None,
    };
    Ok(Some(Keys { account: var(variables::AWS_ACCOUNT_ID)?, expires, ..keys }))
}

fn profile(host: &Host) -> Result<Option<Chosen>> {
    for name in [variables::AWS_PROFILE, variables::AWS_DEFAULT_PROFILE] {
        if let Some(value) = host.text_var(name)? {
            let from = format!("`{name}`");
            PROFILE.check(&from, &value)?;
            return Ok(Some(Chosen { value, from }));
        }
    }
    Ok(None)
}

fn web_identity(host: &Host) -> Result<WebIdentityVariables> {
    let mut token_file = host.path_var(variables::AWS_WEB_IDENTITY_TOKEN_FILE);
    if token_file.is_some() && host.trust.is_strict()? {
        host.notes.note("`AWS_WEB_IDENTITY_TOKEN_FILE` is ignored: the configuration is strict");
        token_file = None;
    }
    Ok(WebIdentityVariables {
        token_file,
        role_arn: host.text_var(variables::AWS_ROLE_ARN)?,
        session_name: host.text_var(variables::AWS_ROLE_SESSION_NAME)?,
    })
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        ExposeSecret,
        testing::{KeptNotes, StaticEnv, StaticTrust},
    };

    use super::*;

    fn host(pairs: &[(&str, &str)]) -> Host {
        Host { env: Box::new(StaticEnv::new(pairs.iter().copied())), ..Host::refusing() }
    }

    fn read(pairs: &[(&str, &str)]) -> Environment {
        Environment::read(&host(pairs)).unwrap()
    }

    const ID: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKID");
    const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "s");

    #[test]
    fn blank_is_unset_and_half_a_pair_is_a_mistake() {
        assert!(read(&[("AWS_ACCESS_KEY_ID", " "), SECRET]).keys.is_none());
        assert!(read(&[SECRET]).keys.is_none());
        let error = Environment::read(&host(&[ID])).unwrap_err().to_string();
        assert!(error.contains("`AWS_SECRET_ACCESS_KEY` is not"), "{error}");
    }

    #[test]
    fn keys_come_with_their_token_and_their_end() {
        let end = ("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T03:04:05+00:00");
        let keys = read(&[ID, SECRET, ("AWS_SESSION_TOKEN", "new"), end]).keys.unwrap();
        assert_eq!(keys.session_token.unwrap().expose_secret(), "new");
        assert_eq!(keys.expires, "2026-01-02T03:04:05Z".parse().ok());
        let old = ("AWS_SECURITY_TOKEN", "old");
        let keys = read(&[ID, SECRET, old]).keys.unwrap();
        assert_eq!(keys.session_token.unwrap().expose_secret(), "old");
    }

    #[test]
    fn the_older_name_of_the_session_token_comes_first_as_in_botocore() {
        let both = [("AWS_SESSION_TOKEN", "new"), ("AWS_SECURITY_TOKEN", "old")];
        let keys = read(&[ID, SECRET, both[0], both[1]]).keys.unwrap();
        assert_eq!(keys.session_token.unwrap().expose_secret(), "old");
        let keys = read(&[ID, SECRET, both[0], ("AWS_SECURITY_TOKEN", "")]).keys.unwrap();
        assert_eq!(keys.session_token.unwrap().expose_secret(), "new");
    }

    #[test]
    fn an_end_is_read_in_every_form_that_the_tools_write() {
        for text in ["2026-01-01T00:00:00Z", "2026-01-01 00:00:00UTC", "2026-01-01T01:00:00+01:00"]
        {
            let keys = read(&[ID, SECRET, ("AWS_CREDENTIAL_EXPIRATION", text)]).keys.unwrap();
            assert_eq!(keys.expires, "2026-01-01T00:00:00Z".parse().ok(), "{text}");
        }
    }

    #[test]
    fn an_end_that_is_no_time_is_noted() {
        let notes = KeptNotes::default();
        let host = Host {
            notes: Box::new(notes.clone()),
            ..host(&[ID, SECRET, ("AWS_CREDENTIAL_EXPIRATION", "soon")])
        };
        assert_eq!(Environment::read(&host).unwrap().keys.unwrap().expires, None);
        assert_eq!(notes.lines().len(), 1);
    }

    #[test]
    fn the_newer_name_of_the_profile_comes_first() {
        let both = [("AWS_PROFILE", "new"), ("AWS_DEFAULT_PROFILE", "old")];
        assert_eq!(read(&both).profile.unwrap().value, "new");
        assert_eq!(read(&both[1..]).profile.unwrap().from, "`AWS_DEFAULT_PROFILE`");
    }

    #[test]
    fn the_strict_take_no_file_from_a_variable() {
        let pairs = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "r")];
        assert!(read(&pairs).web_identity.token_file.is_some());
        let trust = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
        let host = Host { trust, ..host(&pairs) };
        assert!(Environment::read(&host).unwrap().web_identity.token_file.is_none());
    }
}
