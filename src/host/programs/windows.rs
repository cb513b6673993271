//! Programs of Windows.

use std::{
    ffi::OsString,
    os::windows::process::CommandExt,
    path::Path,
    process::{Child, Command},
};

/// The group is not ours (Ctrl-C), and no console window opens (Microsoft, "Process Creation Flags").
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
const CREATE_NO_WINDOW: u32 = 0x0800_0000;
/// What starts as a program where the variable does not say.
const USUAL_ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";

/// The endings that make a file a program: none for a name that has one already, then those that
/// the variable lists.
pub(super) fn endings(pathext: Option<OsString>) -> Vec<OsString> {
    let listed = pathext.and_then(|list| list.into_string().ok()).unwrap_or_default();
    let listed = if listed.is_empty() { USUAL_ENDINGS } else { &listed };
    let listed = listed.split(';').filter(|ending| ending.starts_with('.')).map(OsString::from);
    std::iter::once(OsString::new()).chain(listed).collect()
}

/// Whether it is a file with an ending: what has none is no program here.
pub(super) fn is_program(path: &Path) -> bool {
    path.extension().is_some() && path.is_file()
}

pub(super) fn set_apart(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

/// Ends it. What it started is left: a job that would end that too is not to be had without unsafe
/// code.
pub(super) fn end(child: &mut Child) {
    // gone already, it is as it should be
    drop(child.kill());
}
