//! The credential manager of Windows: a generic credential that stays on this machine. Type-checked,
//! not yet run: no Windows machine builds this today.

use std::collections::HashMap;

use fleetkey_provider::{ExposeSecret, SecretString};
use keyring_core::{Entry, Error, api::CredentialStoreApi};
use windows_native_keyring_store::Store;

use super::{
    SERVICE,
    chest::{Chest, Closed, Kind},
    key::Key,
};

/// The credential of one state folder.
pub(super) struct CredentialManager(pub(super) String);

impl CredentialManager {
    fn entry(&self) -> Result<Entry, Closed> {
        let here = HashMap::from([("persistence", "Local")]);
        let store = Store::new().map_err(|error| closed(&error))?;
        store.build(SERVICE, &self.0, Some(&here)).map_err(|error| closed(&error))
    }
}

impl Chest for CredentialManager {
    fn kind(&self) -> Kind {
        Kind::CredentialManager
    }

    fn read(&self) -> Result<Option<Key>, Closed> {
        match self.entry()?.get_secret() {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map(SecretString::from);
                Ok(text.ok().and_then(|text| Key::parse(text.expose_secret().as_bytes())))
            }
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(closed(&error)),
        }
    }

    fn write(&self, key: &Key) -> Result<(), Closed> {
        let text = key.text();
        self.entry()?.set_secret(text.expose_secret().as_bytes()).map_err(|error| closed(&error))
    }
}

/// A service or a network account has no credential manager (`ERROR_NO_SUCH_LOGON_SESSION`), which is
/// all that is told as a lack of access.
fn closed(error: &Error) -> Closed {
    match error {
        Error::NoStorageAccess(_) => Closed::Absent(error.to_string()),
        _ => Closed::Locked(error.to_string()),
    }
}
