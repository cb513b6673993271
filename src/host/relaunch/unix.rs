//! Linux and macOS.

use std::{ffi::OsStr, os::unix::process::CommandExt, path::Path, process::Command};

/// The running program, whatever its file's name is now (proc(5)).
const RUNNING: &str = "/proc/self/exe";

/// Where the running program can be started from: its file, or, where that is gone, what still runs.
pub(super) fn running(program: &Path) -> &Path {
    let running = Path::new(RUNNING);
    if program.is_file() || !running.exists() { program } else { running }
}

/// The name that it is called by: it may stand in another program's place.
pub(super) fn name(command: &mut Command, name: &OsStr) {
    command.arg0(name);
}

/// Nothing here: [`leave_terminal`] does it from within, since the leader of a process group cannot.
pub(super) fn detach(_command: &mut Command) {}

/// A session and a process group of our own: no Ctrl-C and no hangup of the client's terminal ends us,
/// and nothing that we start finds a terminal to ask on.
pub(crate) fn leave_terminal() {
    // the leader of a group has one already
    let _stays = rustix::process::setsid();
}
