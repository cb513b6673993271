//! Whether a terminal may be sent colours.

use fleetkey_provider::Env;

/// The variables that say so.
pub(super) const VARIABLES: [&str; 2] = [NO_COLOR, TERM];
const NO_COLOR: &str = "NO_COLOR";
const TERM: &str = "TERM";

/// Whether colours are understood and wanted (no-color.org).
pub(crate) fn may_colour(env: &dyn Env) -> bool {
    env.var(NO_COLOR).is_none_or(|value| value.is_empty())
        && env.var(TERM).is_none_or(|term| term != "dumb")
}
