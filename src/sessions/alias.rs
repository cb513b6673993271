//! The key by which a session was known before it turned out whose it is.
//!
//! A session that is kept without a name gets one when somebody has signed in. Programs that run, kubeconfigs
//! that are not changed and clusters that come later still ask without one, and mean the same person: they
//! are led on, until somebody signs in without a name again.

use fleetkey_provider::SessionKey;

use crate::host::Store;

/// Where it leads, if it leads anywhere.
pub(super) fn read(store: &dyn Store, from: SessionKey) -> Option<SessionKey> {
    let bytes = store.read(&file(from)).ok().flatten()?;
    let to = std::str::from_utf8(&bytes).ok()?.trim_ascii_end().parse().ok()?;
    // one step, and never in a circle
    (to != from).then_some(to)
}

/// Has it lead there.
pub(super) fn keep(store: &dyn Store, from: SessionKey, to: SessionKey) -> Result<(), String> {
    store.replace(&file(from), format!("{}\n", to.fingerprint()).as_bytes())
}

/// Has it lead nowhere.
pub(super) fn forget(store: &dyn Store, from: SessionKey) -> Result<bool, String> {
    store.remove(&file(from))
}

/// The key that a file of the folder leads from.
pub(super) fn key_of(name: &str) -> Option<SessionKey> {
    name.strip_suffix(END)?.strip_suffix('.')?.parse().ok()
}

/// The file of it.
fn file(key: SessionKey) -> String {
    format!("{}.{END}", key.fingerprint())
}

const END: &str = "alias";
