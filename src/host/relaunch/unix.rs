//! Linux and macOS.

use std::{
    ffi::OsStr,
    os::{fd::RawFd, unix::process::CommandExt},
    path::Path,
    process::Command,
};

/// The running program, whatever its file's name is now (proc(5)).
const RUNNING: &str = "/proc/self/exe";

/// A folder with a name for each descriptor of the process that looks, on either system.
const OPEN: &str = "/dev/fd";
/// Those that every program has.
const STANDARD: std::ops::RangeInclusive<RawFd> = 0..=2;

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

/// Closes what was inherited from whoever ran our starter, a pipe or the lock of a script: they would
/// wait for us. It comes before this process has opened anything: no descriptor is its own yet.
pub(crate) fn let_go() {
    let Ok(open) = std::fs::read_dir(OPEN) else { return };
    let numbers = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let inherited: Vec<RawFd> = numbers.filter(|number| !STANDARD.contains(number)).collect();
    for number in inherited {
        // the one by which the folder was read is closed already
        let _closed = nix::unistd::close(number);
    }
}

/// A session and a process group of our own: no Ctrl-C and no hangup of the client's terminal ends us,
/// and nothing that we start finds a terminal to ask on.
pub(crate) fn leave_terminal() {
    // the leader of a group has one already
    let _stays = rustix::process::setsid();
}
