//! The binary: builds the real world and runs in it.

use std::process::ExitCode;

/// musl's own allocator asks the kernel for nearly every page by itself, and a start pays for each.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    fleetkey::report::catch_panics();
    fleetkey::run(std::env::args_os(), fleetkey::World::alone())
}
