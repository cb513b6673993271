//! What Linux and macOS have in common.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Secrets are in memory, so what a signal makes of it must not land in a file.
pub(crate) fn leave_no_core() {
    // refused, it is as it was
    let _kept = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
