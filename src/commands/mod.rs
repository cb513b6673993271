//! The verbs, one file each.

mod get_token;
mod trust;

use clap::ArgMatches;
use fleetkey_provider::{Error, Result};

use crate::World;

/// Runs the verb that was typed.
pub(crate) fn run(matches: &ArgMatches, world: &mut World) -> Result<()> {
    match matches.subcommand() {
        Some(("get-token", matches)) => get_token::run(matches, world),
        Some(("trust", matches)) => trust::run(matches, world),
        // clap requires a verb and knows no other
        _ => Err(Error::config("no command was given").next("fleetkey --help")),
    }
}
