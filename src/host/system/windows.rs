//! Windows.

use super::{Desktop, Place};

pub(crate) const CACHE: Place = Place { variable: "LOCALAPPDATA", below_home: None };
pub(crate) const CONFIG: Place = Place { variable: "APPDATA", below_home: None };
pub(crate) const DESKTOP: Desktop = Desktop::Always;
/// The certificate store's affair.
pub(crate) const AUTHORITIES: &[&str] = &[];
