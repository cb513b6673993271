//! macOS. `XDG_*` is honoured: who sets it there means it.

use super::{Desktop, Place};

pub(crate) const CACHE: Place =
    Place { variable: "XDG_CACHE_HOME", below_home: Some("Library/Caches") };
pub(crate) const CONFIG: Place =
    Place { variable: "XDG_CONFIG_HOME", below_home: Some("Library/Application Support") };
pub(crate) const STATE: Place =
    Place { variable: "XDG_STATE_HOME", below_home: Some("Library/Application Support") };
pub(crate) const DESKTOP: Desktop = Desktop::Always;
/// The keychain's affair.
pub(crate) const AUTHORITIES: &[&str] = &[];
