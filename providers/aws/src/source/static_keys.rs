//! Access keys that stand in a profile: always at hand, never kept.

use fleetkey_provider::{CredentialKey, shown};

use crate::{errors::Asker, keys::Keys};

/// Keys that stand in a profile.
#[derive(Clone, Debug)]
pub(crate) struct StaticKeys {
    /// The keys.
    pub(crate) keys: Keys,
    /// The profile's name.
    pub(crate) profile: String,
}

impl StaticKeys {
    /// The id tells two pairs apart, whatever the profile they stand in is called.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { keys, profile: _ } = self;
        key.field("static", &keys.access_key_id);
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        format!("access keys of profile `{}`", shown(&self.profile))
    }

    /// Who asks with them.
    pub(crate) fn asker(&self) -> Asker {
        Asker {
            who: format!("profile `{}`", shown(&self.profile)),
            profile: Some(self.profile.clone()),
            sign_in: None,
        }
    }
}
