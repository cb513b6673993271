//! The keyring of the Linux kernel (keyrings(7)): in memory, this user's alone, and gone when the
//! machine starts anew; then people sign in again.
//!
//! The key hangs in the user's keyring, which may end with the last log-out, and in the persistent
//! one (persistent-keyring(7)), which ends three days after its last use, where there is one.

use fleetkey_provider::{ExposeSecret, SecretString};
use linux_keyutils::{
    Key as Kept, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission,
};

use super::{
    SERVICE,
    chest::{Chest, Closed, Kind},
    key::Key,
};

/// The key of one state folder.
pub(super) struct KernelKeyring(pub(super) String);

impl KernelKeyring {
    fn description(&self) -> String {
        format!("{SERVICE}:{}", self.0)
    }

    /// The key in either keyring.
    fn find(&self) -> Result<Option<Kept>, Closed> {
        let rings = [
            KeyRing::get_persistent(KeyRingIdentifier::Process),
            KeyRing::from_special_id(KeyRingIdentifier::User, false),
        ];
        let [persistent, users] = rings.map(|ring| ring?.search(&self.description()));
        match persistent.or(users) {
            Ok(key) => Ok(Some(key)),
            Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => {
                Ok(None)
            }
            Err(error) => Err(closed(error)),
        }
    }
}

impl Chest for KernelKeyring {
    fn kind(&self) -> Kind {
        Kind::KernelKeyring
    }

    fn read(&self) -> Result<Option<Key>, Closed> {
        let Some(kept) = self.find()? else { return Ok(None) };
        let mut text = [0; 64];
        let length = kept.read(&mut text).map_err(closed)?;
        let text = String::from_utf8(text.into()).map(SecretString::from);
        let key = text.ok().filter(|_| length == 64);
        Ok(key.and_then(|text| Key::parse(text.expose_secret().as_bytes())))
    }

    fn write(&self, key: &Key) -> Result<(), Closed> {
        let ring = KeyRing::from_special_id(KeyRingIdentifier::User, false).map_err(closed)?;
        let text = key.text();
        let kept =
            ring.add_key(&self.description(), text.expose_secret().as_bytes()).map_err(closed)?;
        // processes of this user that do not possess it (of another log-in, of a timer) read it too
        let all = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(Permission::VIEW | Permission::READ | Permission::SEARCH | Permission::LINK)
            .build();
        kept.set_perms(all).map_err(closed)?;
        if let Ok(persistent) = KeyRing::get_persistent(KeyRingIdentifier::Process) {
            // without it the key ends sooner
            let _linked = persistent.link_key(kept);
        }
        Ok(())
    }
}

/// A container's system call filter says "not permitted", a kernel without keys "no such call".
fn closed(error: KeyError) -> Closed {
    match error {
        KeyError::AccessDenied => Closed::Locked("this process may not read it".into()),
        error => Closed::Absent(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Host, testing::CountingEntropy};

    use super::*;

    #[test]
    fn a_key_comes_back_and_is_replaced() {
        let host = Host { entropy: Box::new(CountingEntropy::default()), ..Host::refusing() };
        let chest = KernelKeyring(format!("/a/test/{}", std::process::id()));
        match chest.read() {
            Ok(none) => assert!(none.is_none()),
            Err(closed) => return println!("skipped: no keyring here: {closed:?}"),
        }
        for _ in 0..2 {
            let key = Key::make(&host).unwrap();
            chest.write(&key).unwrap();
            assert_eq!(chest.read().unwrap().unwrap().id(), key.id());
        }
        let ring = KeyRing::from_special_id(KeyRingIdentifier::User, false).unwrap();
        let kept = chest.find().unwrap().unwrap();
        ring.unlink_key(kept).unwrap();
        let _gone = kept.invalidate();
        assert!(chest.read().unwrap().is_none());
    }
}
