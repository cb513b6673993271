//! `fleetkey kubeconfig …`: the verbs that read and write kubeconfigs, one file each.

mod add;
mod again;
mod convert;
mod discover;
mod meant;
mod revert;
mod snippet;

use clap::{Arg, ArgMatches, Command};
use fleetkey_provider::{Error, Result};

use crate::{World, cli::with_flags, options::Options};

/// How a verb grows its flags.
type Grow = fn(Command) -> Command;

/// The verbs below `kubeconfig`, of which those that were typed are grown.
pub(crate) fn grow(verb: Command, typed: &dyn Fn(&str) -> bool) -> Command {
    let verbs: [(&str, &str, Grow); 4] = [
        ("convert", "Have users of other plugins run fleetkey instead", convert::grow),
        (
            "discover",
            "Find the clusters of every cloud, and add those that are meant",
            discover::grow,
        ),
        ("revert", "Put back what `convert` changed", revert::grow),
        ("snippet", "Print a context as Terraform's providers want it", snippet::grow),
    ];
    let command = Command::new("add").about("Add a cluster that is named");
    let command = if typed("add") { with_flags(add::grow(command, typed)) } else { command };
    let verb = verb.subcommand(command);
    verbs.into_iter().fold(verb, |verb, (name, about, grow)| {
        let command = Command::new(name).about(about);
        verb.subcommand(if typed(name) { with_flags(grow(command)) } else { command })
    })
}

/// Runs the verb that was typed.
pub(crate) fn run(
    verb: &str,
    rest: &[&str],
    matches: &mut ArgMatches,
    options: &Options,
    world: &mut World,
) -> Result<()> {
    match verb {
        "add" => add::run(rest.first().copied().unwrap_or_default(), matches, options, world),
        "discover" => discover::run(matches, options, world),
        "convert" => convert::run(matches, options, world),
        "revert" => revert::run(matches, options, world),
        "snippet" => snippet::run(matches, world),
        // clap knows no other
        _ => Err(Error::config("no command was given")),
    }
}

/// `--kubeconfig`
pub(super) fn kubeconfig() -> Arg {
    Arg::new("kubeconfig")
        .long("kubeconfig")
        .value_name("FILE")
        .value_parser(clap::value_parser!(std::path::PathBuf))
        .help("The kubeconfig, in place of those that `KUBECONFIG` names, or `~/.kube/config`")
}

/// `--yes`
fn yes() -> Arg {
    Arg::new("yes")
        .long("yes")
        .short('y')
        .action(clap::ArgAction::SetTrue)
        .help("Do it without asking")
}

/// `--dry-run`
fn dry_run() -> Arg {
    Arg::new("dry-run")
        .long("dry-run")
        .action(clap::ArgAction::SetTrue)
        .help("Print what would change, as a diff, and change nothing")
}

/// `--bare-command`
fn bare_command() -> Arg {
    Arg::new("bare-command")
        .long("bare-command")
        .action(clap::ArgAction::SetTrue)
        .help("Write `fleetkey` for the command, in place of this program's path")
}
