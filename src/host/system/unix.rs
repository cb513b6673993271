//! What Linux and macOS have in common.

use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, setrlimit, test_kill_process},
    system::uname,
};

/// Secrets are in memory, so what a signal makes of it must not land in a file.
pub(crate) fn leave_no_core() {
    // refused, it is as it was
    let _kept = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Whether a process of that number runs on this machine.
pub(crate) fn is_alive(process: u32) -> bool {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| test_kill_process(process) != Err(Errno::SRCH))
}

/// The name of this machine, for files that several machines may see.
pub(crate) fn machine() -> String {
    uname().nodename().to_string_lossy().into_owned()
}
