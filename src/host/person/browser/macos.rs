//! macOS.

use fleetkey_provider::Env;

use super::Usual;

/// What the way to a browser depends on, beside `BROWSER` and the PATH.
pub(in super::super) const VARIABLES: &[&str] = &[];

/// What opens pages here.
pub(super) fn usual(_env: &dyn Env) -> Vec<Usual> {
    vec![Usual { program: "/usr/bin/open", args: &["%s"], tells: true }]
}

/// There is no other system around this one.
pub(super) fn next_door(_env: &dyn Env) -> Vec<Usual> {
    Vec::new()
}
