//! This binary as the plugin itself: the one place that knows the `fleetkey` crate.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the plugin with these arguments, program name not among them.
pub(crate) fn plugin(args: Vec<OsString>) -> ExitCode {
    let name = OsString::from("fleetkey");
    fleetkey::run(std::iter::once(name).chain(args), fleetkey::World::real())
}
