//! Windows.

use std::{ffi::OsStr, os::windows::process::CommandExt, path::Path, process::Command};

/// No console of the client's, no window, and no Ctrl-C (Microsoft, "Process Creation Flags").
const DETACHED_PROCESS: u32 = 0x0000_0008;
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// Its file: one that runs cannot be deleted.
pub(super) fn running(program: &Path) -> &Path {
    program
}

/// The file's own: there is no other.
pub(super) fn name(_command: &mut Command, _name: &OsStr) {}

pub(super) fn detach(command: &mut Command) {
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

/// It was started without one.
pub(crate) fn leave_terminal() {}

/// Nothing here: what is inherited has to be marked so, and hardly anybody does.
pub(crate) fn let_go() {}
