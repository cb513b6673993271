//! Windows.

use super::{Desktop, Place};

pub(crate) const CACHE: Place = Place { variable: "LOCALAPPDATA", below_home: None };
pub(crate) const CONFIG: Place = Place { variable: "APPDATA", below_home: None };
/// Beside the cache: what is sealed on this machine is of no use on another.
pub(crate) const STATE: Place = CACHE;
pub(crate) const DESKTOP: Desktop = Desktop::Always;
/// The certificate store's affair.
pub(crate) const AUTHORITIES: &[&str] = &[];

/// Whether a process may still run: nobody says, so it may.
pub(crate) fn is_alive(_process: u32) -> bool {
    true
}

/// The name of this machine: nothing depends on it here.
pub(crate) fn machine() -> String {
    "here".into()
}
