//! The binary: builds the real world and runs in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    fleetkey::report::catch_panics();
    fleetkey::run(std::env::args_os(), fleetkey::World::real())
}
