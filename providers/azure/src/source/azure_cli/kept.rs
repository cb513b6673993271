//! What fleetkey keeps of az's sessions: the refresh tokens that came for those it redeemed.
//!
//! az's own dies 90 days after it was issued if nobody uses az, and its file is az's to write. One
//! record holds what is kept for one folder of az's, so that whoever signs out there can be forgotten
//! without anybody knowing any more who it was.

use std::path::Path;

use fleetkey_provider::{Error, ExposeSecret, Host, OpenSession, Result, SecretString, SessionKey};
use serde::{Deserialize, Serialize};

use crate::NAME;

/// The session of that folder.
pub(super) fn key(folder: &Path) -> SessionKey {
    SessionKey::new(NAME, &[("az", &folder.to_string_lossy())])
}

/// Whose a kept token is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Owner {
    /// `OBJECT.TENANT` where they come from.
    pub(super) home: String,
    /// Where it was redeemed.
    pub(super) authority: String,
    /// In which tenant.
    pub(super) tenant: String,
}

/// The record.
#[derive(Default, Deserialize, Serialize)]
pub(super) struct Kept {
    sessions: Vec<One>,
}

#[derive(Deserialize, Serialize)]
struct One {
    #[serde(flatten)]
    owner: Owner,
    refresh_token: String,
    since: i64,
}

impl Kept {
    /// What is kept; nothing where it cannot be read.
    pub(super) fn read(open: &mut dyn OpenSession, host: &Host) -> Self {
        match open.read() {
            Ok(None) => Self::default(),
            Ok(Some(kept)) => serde_json::from_str(kept.secret.expose_secret()).unwrap_or_default(),
            Err(error) => {
                host.notes.note(&format!("what is kept of az's sessions is not used: {error}"));
                Self::default()
            }
        }
    }

    /// Writes it down, or forgets it if there is nothing in it.
    pub(super) fn write(&self, open: &mut dyn OpenSession) -> Result<()> {
        if self.sessions.is_empty() {
            open.forget();
            return Ok(());
        }
        let text = serde_json::to_string(self).map_err(|e| Error::failed(e.to_string()))?;
        open.keep(&text.into())
    }

    /// The token of that owner, and since when it is kept.
    pub(super) fn of(&self, owner: &Owner) -> Option<(SecretString, i64)> {
        let one = self.sessions.iter().find(|one| one.owner == *owner)?;
        Some((one.refresh_token.clone().into(), one.since))
    }

    /// In place of what that owner had.
    pub(super) fn put(&mut self, owner: &Owner, refresh_token: &SecretString, since: i64) {
        self.drop(owner);
        let refresh_token = refresh_token.expose_secret().to_owned();
        self.sessions.push(One { owner: owner.clone(), refresh_token, since });
    }

    /// Without what that owner had.
    pub(super) fn drop(&mut self, owner: &Owner) {
        self.sessions.retain(|one| one.owner != *owner);
    }

    /// Without those who are not signed in to az any more. Whether there were any.
    pub(super) fn retain(&mut self, homes: &[String]) -> bool {
        let before = self.sessions.len();
        self.sessions.retain(|one| homes.contains(&one.owner.home));
        self.sessions.len() < before
    }
}

/// Forgets whoever is not one of those signed in to az.
pub(super) fn forget_others(folder: &Path, homes: &[String], host: &Host) {
    let key = key(folder);
    if host.sessions.stamp(key).is_none() {
        return;
    }
    let forgotten = host.sessions.open(key).and_then(|mut open| {
        let mut kept = Kept::read(&mut *open, host);
        let is_changed = kept.retain(homes);
        if is_changed {
            kept.write(&mut *open)?;
        }
        Ok(is_changed)
    });
    match forgotten {
        Ok(true) => host.notes.note("who signed out of az is forgotten here too"),
        Ok(false) => {}
        Err(error) => host.notes.note(&format!("az's sessions could not be forgotten: {error}")),
    }
}
