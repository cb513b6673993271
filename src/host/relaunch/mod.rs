//! This program once more, for work that nobody waits for.
//!
//! Clients run plugins in strange places, so little is needed: no PATH, and not even a file, where the
//! running program was replaced or deleted. The other process holds none of the descriptors that a
//! client waits for, and outlives its starter. It stands in its starter's folder, since the paths that were
//! typed or set are meant from there; one that is gone or locked serves as well.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::{Command, Stdio},
};

pub(crate) use system::{leave_terminal, let_go};

/// Starts this program with that word before its own arguments, under the name it was started by. It is
/// not waited for. Errors are sentences.
pub(crate) fn relaunch(word: &str) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = detached(&program);
    let mut line = std::env::args_os();
    system::name(&mut command, line.next().as_deref().unwrap_or_else(|| OsStr::new("fleetkey")));
    command.arg(word).args(line);
    // whoever inherits it waits for it: this process ends in a moment
    command.spawn().map(drop).map_err(|error| error.to_string())
}

/// What this program was started with, as whoever looks at processes sees it.
pub(crate) fn command_line() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

#[allow(clippy::disallowed_methods, reason = "this is the host, the one place that may")]
fn detached(program: &Path) -> Command {
    let mut command = Command::new(system::running(program));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    system::detach(&mut command);
    command
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_still_runs() {
        let here = std::env::current_exe().unwrap();
        assert_eq!(system::running(&here), here);
        let gone = Path::new("/nowhere/fleetkey (deleted)");
        let by_the_system = Path::new("/proc/self/exe");
        assert_eq!(
            system::running(gone),
            if by_the_system.exists() { by_the_system } else { gone }
        );
    }
}
