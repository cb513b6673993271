//! The real world: the only code that reads the environment, the clock, files, the network or the
//! terminal. Everything in it is lazy: what a run does not need is neither opened nor built.
//!
//! Code for one operating system sits in files of its own (`unix.rs`, `windows.rs`).

mod clock;
mod env;
mod files;
mod http;
mod notes;
mod person;
mod private_dir;
mod runtime;
mod system;

use std::io::IsTerminal;

use fleetkey_provider::Host;

pub(crate) use notes::StderrNotes;
pub(crate) use person::Desk;
pub(crate) use private_dir::{Attempt, Guard, PrivateDir, Store};
pub(crate) use runtime::Tokio;
pub(crate) use system::{CACHE, CONFIG, Place, leave_no_core};

use crate::{folders, trust::FileTrust};

/// What providers see of the real world.
pub(crate) fn real() -> Host {
    let mut host = Host {
        env: Box::new(env::ProcessEnv),
        clock: Box::new(clock::SystemClock),
        files: Box::new(files::OtherPeoplesFiles),
        entropy: Box::new(clock::SystemEntropy),
        ..Host::refusing()
    };
    let settings = folders::config(&host);
    host.http =
        Box::new(http::Client::new(Box::new(env::ProcessEnv), FileTrust::new(settings.clone())));
    host.trust = Box::new(FileTrust::new(settings));
    host
}

/// Whether a person may see what is written to stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
