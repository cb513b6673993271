//! The real world: the only code that reads the environment, the clock, files, the network or the
//! terminal. Everything in it is lazy: what a run does not need is neither opened nor built.
//!
//! Code for one operating system sits in files of its own (`unix.rs`, `windows.rs`).

mod clock;
mod colour;
mod env;
mod files;
mod hold;
mod http;
mod kubeconfig_lock;
mod notes;
mod person;
mod private_dir;
mod programs;
mod relaunch;
mod runtime;
mod system;
mod this_program;
mod width;

use std::io::IsTerminal;

use fleetkey_provider::{Host, Notes};

pub(crate) use clock::{SystemClock, SystemEntropy};
pub(crate) use colour::may_colour;
#[cfg(unix)]
pub(crate) use hold::outlive_full_files;
pub(crate) use hold::{Held, Hold};
pub(crate) use kubeconfig_lock::KubeconfigLock;
pub(crate) use notes::{Quiet, StderrNotes};
pub(crate) use person::Desk;
pub(crate) use private_dir::{Attempt, Guard, PrivateDir, Store};
pub(crate) use relaunch::{command_line, leave_terminal, let_go, relaunch};
pub(crate) use runtime::Tokio;
pub(crate) use system::{CACHE, CONFIG, Place, STATE, is_alive, leave_no_core, machine};
pub(crate) use this_program::this_program;
pub(crate) use width::{stderr_width, stdout_width};

use crate::{
    folders,
    sessions::FileSessions,
    trust::FileTrust,
    vault::{Choice, WithFlag},
};

/// What providers see of the real world.
pub(crate) fn real() -> Host {
    let mut host = Host {
        env: Box::new(env::ProcessEnv),
        clock: Box::new(SystemClock),
        files: Box::new(files::OtherPeoplesFiles),
        programs: Box::new(programs::OtherPrograms::new(Box::new(env::ProcessEnv))),
        entropy: Box::new(SystemEntropy),
        notes: Box::new(Quiet),
        ..Host::refusing()
    };
    let settings = folders::config(&host);
    host.http =
        Box::new(http::Client::new(Box::new(env::ProcessEnv), FileTrust::new(settings.clone())));
    host.trust = Box::new(FileTrust::new(settings));
    host.sessions = Box::new(sessions(Box::new(Quiet), None));
    host
}

/// The sessions of this person, with somebody to tell about them; the place of their key may be chosen.
pub(crate) fn sessions(notes: Box<dyn Notes>, store: Option<Choice>) -> FileSessions {
    let mut host = Host {
        env: Box::new(WithFlag(store, env::ProcessEnv)),
        clock: Box::new(SystemClock),
        files: Box::new(files::OtherPeoplesFiles),
        entropy: Box::new(SystemEntropy),
        notes,
        ..Host::refusing()
    };
    host.trust = Box::new(FileTrust::new(folders::config(&host)));
    FileSessions::new(host, Hold::of_this_process(), |folder| Box::new(PrivateDir::new(folder)))
}

/// The files of a test that needs real ones.
#[cfg(test)]
pub(crate) fn other_files() -> Box<dyn fleetkey_provider::Files> {
    Box::new(files::OtherPeoplesFiles)
}

/// Whether a person may see what is written to stdout.
pub(crate) fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person may see what is written to stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
