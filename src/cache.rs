//! Kept credentials: one private file each, named by its key.
//!
//! An entry is a line with a checksum and a line of JSON, so that a half-written, flipped or foreign
//! file is told from a good one before anything in it is believed. Whatever is wrong with an entry,
//! it is a miss and never an error: the cloud can be asked again.

use fleetkey_provider::{Credential, ExposeSecret, Fingerprint, Lost, Notes, SecretString};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::Store;

const MAGIC: &str = "fleetkey-credential 1 ";

/// The credentials kept in one folder.
pub(crate) struct Cache<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) notes: &'a dyn Notes,
}

#[derive(Deserialize, Serialize)]
struct Entry<'a> {
    key: &'a str,
    identity: &'a str,
    issued: Timestamp,
    expires: Timestamp,
    #[serde(borrow)]
    secret: std::borrow::Cow<'a, str>,
}

impl Cache<'_> {
    /// The kept credential of that key, whatever its age.
    pub(crate) fn read(&self, key: Fingerprint) -> Option<Credential> {
        let miss = |why: &str| {
            self.notes.note(&format!("the kept credential {key} is not used: {why}"));
            None
        };
        match self.store.read(&file(key)) {
            Ok(None) => None,
            Err(why) => miss(&why),
            Ok(Some(bytes)) => parse(&bytes, key).or_else(|| miss("it is damaged")),
        }
    }

    /// Keeps a credential. One without an end is not kept: nobody would ever know it was dead.
    pub(crate) fn keep(&self, key: Fingerprint, identity: &str, credential: &Credential) {
        let Some(expires) = credential.expires() else { return };
        let entry = Entry {
            key: &key.to_string(),
            identity,
            issued: credential.issued(),
            expires,
            secret: credential.expose().into(),
        };
        let kept = match serde_json::to_string(&entry) {
            Ok(body) => {
                let text = SecretString::from(format!(
                    "{MAGIC}{}\n{body}\n",
                    Fingerprint::of(body.as_bytes())
                ));
                self.store.replace(&file(key), text.expose_secret().as_bytes())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = kept {
            let line = format!("what was lent could not be kept: {why}");
            self.notes.lost(Lost::Credential, &line);
        }
    }

    /// Forgets the credential of that key. Whether there was one; an error is why it is still there.
    pub(crate) fn forget(&self, key: Fingerprint) -> Result<bool, String> {
        self.store.remove(&file(key))
    }
}

/// The file of that key.
fn file(key: Fingerprint) -> String {
    format!("{key}.credential")
}

fn parse(bytes: &[u8], key: Fingerprint) -> Option<Credential> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (sum, body) = text.strip_prefix(MAGIC)?.split_once('\n')?;
    let body = body.strip_suffix('\n')?;
    if sum != Fingerprint::of(body.as_bytes()).to_string() {
        return None;
    }
    let entry: Entry<'_> = serde_json::from_str(body).ok()?;
    let Entry { key: kept_key, identity: _, issued, expires, secret } = entry;
    (kept_key == key.to_string())
        .then(|| Credential::until(secret.into_owned().into(), issued, expires))
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::Refusing;
    use jiff::SignedDuration;

    use super::*;
    use crate::host::PrivateDir;

    fn key() -> Fingerprint {
        Fingerprint::of(b"k")
    }

    fn credential() -> Credential {
        let issued: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        Credential::until(
            "{\"a\":\"b\\\"c\"}".into(),
            issued,
            issued + SignedDuration::from_hours(1),
        )
    }

    fn kept() -> (tempfile::TempDir, PrivateDir, Vec<u8>) {
        let home = tempfile::tempdir().unwrap();
        let store = PrivateDir::new(home.path().join("c"));
        Cache { store: &store, notes: &Refusing }.keep(key(), "me", &credential());
        let bytes = store.read(&file(key())).unwrap().unwrap();
        (home, store, bytes)
    }

    #[test]
    fn what_is_kept_comes_back() {
        let (_home, store, _) = kept();
        let back = Cache { store: &store, notes: &Refusing }.read(key()).unwrap();
        assert_eq!(back.expose(), credential().expose());
        assert_eq!(
            (back.issued(), back.expires()),
            (credential().issued(), credential().expires())
        );
    }

    #[test]
    fn every_truncation_is_a_miss() {
        let (_home, _store, bytes) = kept();
        assert!(parse(&bytes, key()).is_some());
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end], key()).is_none(), "{end} bytes were believed");
        }
    }

    #[test]
    fn every_flipped_bit_is_a_miss() {
        let (_home, _store, bytes) = kept();
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(parse(&bad, key()).is_none(), "bit {at} did not matter");
        }
    }

    #[test]
    fn another_keys_entry_is_a_miss() {
        let (_home, store, bytes) = kept();
        let other = Fingerprint::of(b"other");
        store.replace(&file(other), &bytes).unwrap();
        assert!(Cache { store: &store, notes: &Refusing }.read(other).is_none());
    }

    #[test]
    fn a_credential_without_an_end_is_not_kept() {
        let home = tempfile::tempdir().unwrap();
        let store = PrivateDir::new(home.path().join("c"));
        let cache = Cache { store: &store, notes: &Refusing };
        cache.keep(key(), "me", &Credential::lasting("s".into(), credential().issued()));
        assert!(cache.read(key()).is_none());
    }
}
