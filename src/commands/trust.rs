//! `fleetkey trust add|remove|list`: the hosts, beside the clouds' own, that may be given secrets.

use clap::ArgMatches;
use fleetkey_provider::{Error, Result};

use crate::{World, trust::TrustFile};

pub(crate) fn run(matches: &ArgMatches, world: &World) -> Result<()> {
    let mut file = TrustFile::open(&world.host)?;
    let host =
        |matches: &ArgMatches| matches.get_one::<String>("host").cloned().unwrap_or_default();
    match matches.subcommand() {
        Some(("add", matches)) => {
            file.add(&host(matches))?;
            file.save()
        }
        Some(("remove", matches)) => {
            file.remove(&host(matches))?;
            file.save()
        }
        Some(("list", _)) => {
            world.print(&file.hosts().fold(String::new(), |text, host| text + host + "\n"))
        }
        _ => Err(Error::config("no command was given").next("fleetkey trust --help")),
    }
}
