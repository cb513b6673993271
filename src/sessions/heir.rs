//! A session in another tool's file that was renewed here: it is the same person's as before, and what was
//! lent for it before is theirs still.
//!
//! Of a file that changed nothing tells a renewal from somebody else's sign-in but who wrote it. So what is
//! about to be written is written down here first, and the stamps that the file had; a file that another
//! tool wrote is nobody's heir.

use fleetkey_provider::{Fingerprint, SessionKey};

use crate::host::Store;

/// How many stamps are remembered: a token lives for an hour, and what is lent for it for twelve at most.
const LONGEST: usize = 16;

/// What a session was renewed into.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Heir {
    /// The fingerprint of the file as it was written.
    file: String,
    /// The stamps that the file had before, the oldest first.
    before: Vec<i128>,
}

impl Heir {
    /// What is written down of that session.
    pub(super) fn read(store: &dyn Store, key: SessionKey) -> Option<Self> {
        let bytes = store.read(&file(key)).ok().flatten()?;
        let mut words = std::str::from_utf8(&bytes).ok()?.split_ascii_whitespace();
        let file = words.next()?.to_owned();
        let before = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { file, before })
    }

    /// The next one: a file of that stamp is replaced by these bytes.
    pub(super) fn after(before: Option<Self>, stamp: i128, theirs: &[u8]) -> Self {
        let mut stamps = before.map(|heir| heir.before).unwrap_or_default();
        stamps.push(stamp);
        let too_many = stamps.len().saturating_sub(LONGEST);
        Self { file: Fingerprint::of(theirs).to_string(), before: stamps.split_off(too_many) }
    }

    /// Writes it down. The disk is not waited for: what replaces the session is not in its file yet.
    pub(super) fn keep(&self, store: &dyn Store, key: SessionKey) -> Result<(), String> {
        let stamps = self.before.iter().map(i128::to_string);
        let words: Vec<String> = [self.file.clone()].into_iter().chain(stamps).collect();
        store.replace_soon(&file(key), format!("{}\n", words.join(" ")).as_bytes())
    }

    /// Whether that is the file as it was written.
    pub(super) fn is(&self, file: Fingerprint) -> bool {
        self.file == file.to_string()
    }

    /// Whether a file that holds these bytes is the heir of one that had that stamp.
    pub(super) fn is_of(&self, theirs: &[u8], stamp: i128) -> bool {
        self.before.contains(&stamp) && self.is(Fingerprint::of(theirs))
    }
}

/// The file of it.
pub(super) fn file(key: SessionKey) -> String {
    format!("{}.heir", key.fingerprint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stamp_of_a_long_day_is_remembered_and_no_more() {
        let mut heir = None;
        for stamp in 0..40 {
            heir = Some(Heir::after(heir, stamp, &[u8::try_from(stamp).unwrap()]));
        }
        let heir = heir.unwrap();
        assert!((24..40).all(|stamp| heir.is_of(&[39], stamp)));
        assert!(!heir.is_of(&[39], 23) && !heir.is_of(&[38], 30) && !heir.is_of(&[39], 40));
    }
}
