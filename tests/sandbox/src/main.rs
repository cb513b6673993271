//! `fleetkey-sandbox`: the sandbox for people. `demo` shows that the plugin gets in; `serve` lets one try.
#![allow(clippy::print_stdout, reason = "a program for people, whose output is what it is for")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the sandbox is the outside world: it owns its files, its environment and its processes"
)]

mod demo;
mod estate;
mod plugin;
mod serve;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// clouds and clusters on loopback that check like the real ones
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true)]
enum Command {
    /// show every way in, step by step; no network, no configuration
    Demo {
        /// try this program as the plugin, such as a release build
        #[arg(long, value_name = "PROGRAM")]
        plugin: Option<PathBuf>,
        /// do not use kubectl even if there is one
        #[arg(long)]
        no_kubectl: bool,
    },
    /// start everything and say what to type
    Serve {
        /// where to write kubeconfig, aws files and variables [default: a new temporary folder]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == estate::PLUGIN) {
        return plugin::plugin(args.collect::<Vec<OsString>>());
    }
    let done = match Command::parse() {
        Command::Demo { plugin, no_kubectl } => demo::run(plugin.as_deref(), no_kubectl),
        Command::Serve { dir } => serve::run(dir).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}
