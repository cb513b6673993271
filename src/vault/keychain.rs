//! The keychain of macOS: a generic password. Type-checked, not yet run: no Mac builds this today.

use fleetkey_provider::{ExposeSecret, SecretString};
use security_framework::{
    base::Error,
    passwords::{PasswordOptions, generic_password, set_generic_password},
};

use super::{
    SERVICE,
    chest::{Chest, Closed, Kind},
    key::Key,
};

// Security framework result codes (SecBase.h)
const NO_KEYCHAIN: [i32; 2] = [-25307, -25291];
const NOT_FOUND: i32 = -25300;

/// The item of one state folder.
pub(super) struct Keychain(pub(super) String);

impl Chest for Keychain {
    fn kind(&self) -> Kind {
        Kind::Keychain
    }

    fn read(&self) -> Result<Option<Key>, Closed> {
        match generic_password(PasswordOptions::new_generic_password(SERVICE, &self.0)) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map(SecretString::from);
                Ok(text.ok().and_then(|text| Key::parse(text.expose_secret().as_bytes())))
            }
            Err(error) if error.code() == NOT_FOUND => Ok(None),
            Err(error) => Err(closed(error)),
        }
    }

    fn write(&self, key: &Key) -> Result<(), Closed> {
        set_generic_password(SERVICE, &self.0, key.text().expose_secret().as_bytes())
            .map_err(closed)
    }
}

fn closed(error: Error) -> Closed {
    if NO_KEYCHAIN.contains(&error.code()) {
        return Closed::Absent(error.to_string());
    }
    Closed::Locked(error.to_string())
}
