//! fleetkey: one exec credential plugin for every cluster of a mixed fleet.
//!
//! `kubectl` asks, fleetkey answers: session → credential → token. This crate is the host: argv,
//! cache, locks, the real world. What a cloud is stands below `providers/`, and no cloud is named
//! here outside [`registry`].

mod broker;
mod cache;
mod cli;
mod commands;
mod discovery;
mod exclusive;
mod exec;
mod fleet;
mod folders;
mod host;
#[cfg(test)]
mod hot_path;
mod kubeconfig;
mod lock;
mod options;
mod prose;
mod recognise;
pub mod registry;
mod renewal;
#[doc(hidden)]
pub mod replay;
pub mod report;
mod row;
mod sessions;
mod stand_in;
mod trust;
mod vault;
mod world;

use std::{ffi::OsString, process::ExitCode};

pub use cli::command_line;
pub use world::{Runtime, World};

/// Runs one command line in a world.
pub fn run(args: impl IntoIterator<Item = OsString>, mut world: World) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if renewal::is_asked_for(&mut args) {
        return renewal::run(args, world);
    }
    if let Some(line) = stand_in::line(&args, &*world.host.env) {
        return stand_in::run(line, world);
    }
    let done = cli::parse(args).and_then(|parsed| match parsed {
        cli::Parsed::Text(text) => world.print(&text),
        cli::Parsed::Verb(matches) => commands::run(matches, &mut world),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::failed(&error, &world),
    }
}
