//! `fleetkey login PROVIDER`: a person signs in by hand, as the identity that the flags name.
//!
//! The flags are those of `get-token`. Who types this wants to be asked, so what was remembered about
//! asking is forgotten first; a sign-in that still stands is left as it is.

use clap::ArgMatches;
use fleetkey_provider::{Error, ExecInfo, Result, one_line};

use crate::{
    World,
    broker::{Broker, Folders},
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
    world.attend(options, None);
    let request = provider.request(matches, &ExecInfo::default(), &world.host)?;
    let folders = Folders::of(options, &world.host)?;
    let broker = Broker::new(world, options, folders);
    broker.by_hand(&*request);
    let credential = broker.credential(&*request)?;
    let until = credential.expires().map_or_else(String::new, |end| {
        format!(", good until {}", end.strftime("%Y-%m-%d %H:%M:%S UTC"))
    });
    world.print(&format!("{}{until}\n", one_line(&request.describe())))
}
