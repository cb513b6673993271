//! Windows.

use fleetkey_provider::Env;

use super::Usual;

/// What the way to a browser depends on, beside `BROWSER` and the PATH.
pub(in super::super) const VARIABLES: &[&str] = &[];

/// What opens pages here. Never `cmd /c start`, which reads more into a URL than a URL.
pub(super) fn usual(_env: &dyn Env) -> Vec<Usual> {
    vec![
        Usual { program: "rundll32", args: &["url.dll,FileProtocolHandler", "%s"], tells: true },
        // ends with 1 however it went
        Usual { program: "explorer", args: &["%s"], tells: false },
    ]
}

/// There is no other system around this one.
pub(super) fn next_door(_env: &dyn Env) -> Vec<Usual> {
    Vec::new()
}
