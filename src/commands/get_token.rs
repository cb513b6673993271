//! `fleetkey get-token PROVIDER`: argv to a token on stdout.

use clap::ArgMatches;
use fleetkey_provider::{Error, Result};

use crate::{
    World,
    broker::{Broker, Folders},
    exec,
    options::Options,
    registry,
};

pub(crate) fn run(
    cloud: &str,
    matches: &mut ArgMatches,
    options: &Options,
    world: &mut World,
) -> Result<()> {
    let provider = registry::find(cloud).ok_or_else(|| Error::config("no cloud was named"))?;
    let bare = matches.remove_one::<String>("output").is_some_and(|form| form == "token");
    let exec = exec::question(world)?;
    world.attend(options, exec.interactive);

    let request = provider.request(matches, &exec, &world.host)?;
    let folders = Folders::of(options, &world.host)?;
    let credential = Broker::new(world, options, folders).credential(&*request)?;
    let token = request.token(&credential, &world.host)?;

    if bare {
        return world.print(&format!("{}\n", exec::bare(&token)?));
    }
    let version = exec.api_version.or(options.api_version).unwrap_or_default();
    world.print(&exec::answer(&token, version)?)
}
