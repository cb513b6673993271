//! The verbs, one file each.

pub(crate) mod get_token;
pub(crate) mod kubeconfig;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod status;
mod trust;

use clap::ArgMatches;
use fleetkey_provider::{Error, Result};

use crate::{World, options::Command};

/// Runs the verb that was typed.
pub(crate) fn run(matches: ArgMatches, world: &mut World) -> Result<()> {
    let mut line = Command::new(matches)?;
    let verbs = std::mem::take(&mut line.verbs);
    let verbs: Vec<&str> = verbs.iter().map(String::as_str).collect();
    let Command { matches, options, above, .. } = &mut line;
    let done = match verbs[..] {
        ["get-token", ref cloud @ ..] => get_token::run(cloud.first().copied(), line, world),
        ["kubeconfig", verb, ref rest @ ..] => kubeconfig::run(verb, rest, matches, options, world),
        ["login", ref cloud @ ..] => {
            login::run(cloud.first().copied(), matches, above, options, world)
        }
        ["logout"] => logout::run(matches, options, world),
        ["status"] => status::run(matches, options, world),
        ["trust", verb] => trust::run(verb, matches, world),
        // clap requires a verb and knows no other
        _ => Err(Error::config("no command was given")),
    };
    done.map_err(|error| error.or_next(|| format!("fleetkey {} --help", verbs.join(" "))))
}
