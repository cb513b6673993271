//! Programs of Linux and macOS.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command},
};

use rustix::{
    fs::{Access, access},
    process::{Pid, Signal, kill_process_group},
};

/// Any name will do.
pub(super) fn endings(_pathext: Option<OsString>) -> Vec<OsString> {
    vec![OsString::new()]
}

/// Whether it is a file that we may execute.
pub(super) fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Its own process group: what ends ours does not end it, and it can be ended as one.
pub(super) fn set_apart(command: &mut Command) {
    command.process_group(0);
}

/// Ends it, and what it started. Only for one that was not waited for yet: until then its number is
/// nobody else's.
pub(super) fn end(child: &mut Child) {
    // gone already, it is as it should be
    let _gone = kill_process_group(Pid::from_child(child), Signal::KILL);
}
