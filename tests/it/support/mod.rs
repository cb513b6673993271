//! What all tests stand on.

mod aks;
#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod desk;
#[cfg(target_os = "linux")]
mod fleet;
#[cfg(target_os = "linux")]
pub(crate) mod fleet_kubeconfig;
#[cfg(unix)]
pub(crate) mod kubeconfig_maker;
mod kubectls;
mod patience;
mod program;
mod run;
mod stage;
#[cfg(target_os = "linux")]
mod terminal;

use std::io::Write as _;

pub(crate) use aks::{Aks, SERVER, Way, alice, ways_of_machines};
#[cfg(unix)]
pub(crate) use browser::browser;
#[cfg(unix)]
pub(crate) use desk::{Desk, for_every_kubectl};
#[cfg(target_os = "linux")]
pub(crate) use fleet::{Fleet, SESSIONS};
#[cfg(unix)]
pub(crate) use kubectls::{Kubectl, kubectls};
pub(crate) use patience::until;
pub(crate) use program::{PATIENCE, Program, Running};
pub(crate) use run::Run;
pub(crate) use stage::{ADMIN, EXTERNAL_ID, Stage, kept_in};
#[cfg(target_os = "linux")]
pub(crate) use terminal::Terminal;

/// Says something on the real stdout, which a test's own capture does not hide.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // nobody is left to tell if stdout is closed
    drop(writeln!(out, "{line}"));
}

/// Where a program of that name is, if it is anywhere.
pub(crate) fn which(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
