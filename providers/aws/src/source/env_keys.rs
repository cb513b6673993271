//! Access keys of the environment: always at hand, never kept.

use fleetkey_provider::{CredentialKey, Error, Host, Result};

use crate::{errors::Asker, keys::Keys};

/// Keys of the environment.
#[derive(Clone, Debug)]
pub(crate) struct EnvKeys {
    /// The keys.
    pub(crate) keys: Keys,
}

impl EnvKeys {
    /// The id tells two pairs apart; a session's id is new with each session.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { keys } = self;
        key.field("environment", &keys.access_key_id);
    }

    /// The keys, unless the environment itself says that they have ended.
    pub(crate) fn at_hand(&self, host: &Host) -> Result<Keys> {
        match self.keys.expires {
            Some(end) if end <= host.clock.now() => {
                Err(Error::config("the access keys of the environment have expired")
                    .because(format!("`AWS_CREDENTIAL_EXPIRATION` says they ended at {end}")))
            }
            _ => Ok(self.keys.clone()),
        }
    }

    /// As a person would say it.
    pub(crate) fn describe() -> String {
        "access keys of the environment".into()
    }

    /// Who asks with them.
    pub(crate) fn asker() -> Asker {
        Asker { who: "the keys of the environment".into(), profile: None, sign_in: None }
    }
}
