//! Linux and its like.

use super::{Desktop, Place};

pub(crate) const CACHE: Place = Place { variable: "XDG_CACHE_HOME", below_home: Some(".cache") };
pub(crate) const CONFIG: Place = Place { variable: "XDG_CONFIG_HOME", below_home: Some(".config") };
pub(crate) const STATE: Place =
    Place { variable: "XDG_STATE_HOME", below_home: Some(".local/state") };
pub(crate) const DESKTOP: Desktop = Desktop::Variables(&["DISPLAY", "WAYLAND_DISPLAY"]);
/// Where distributions keep the system's authorities in one file.
pub(crate) const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
