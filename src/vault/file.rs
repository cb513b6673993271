//! The key in a file of ours, where nothing better works.

use fleetkey_provider::{ExposeSecret, SecretString};

use super::{
    KEY_FILE,
    chest::{Chest, Closed, Kind},
    key::Key,
};
use crate::host::Store;

/// The file `vault.key` in the state folder.
pub(super) struct KeyFile(pub(super) Box<dyn Store>);

impl Chest for KeyFile {
    fn kind(&self) -> Kind {
        Kind::File
    }

    fn read(&self) -> Result<Option<Key>, Closed> {
        let bytes = self.0.read(KEY_FILE).map_err(Closed::Locked)?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(SecretString::from);
        // what is damaged opens nothing any more, and may be replaced
        Ok(text.and_then(|text| Key::parse(text.expose_secret().trim_end().as_bytes())))
    }

    fn write(&self, key: &Key) -> Result<(), Closed> {
        let line = SecretString::from(format!("{}\n", key.text().expose_secret()));
        self.0.replace(KEY_FILE, line.expose_secret().as_bytes()).map_err(Closed::Locked)
    }
}
