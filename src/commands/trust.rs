//! `fleetkey trust add|remove|list`: the hosts, beside the clouds' own, that may be given secrets.

use clap::ArgMatches;
use fleetkey_provider::Result;

use crate::{World, trust::TrustFile};

pub(crate) fn run(verb: &str, matches: &ArgMatches, world: &World) -> Result<()> {
    let mut file = TrustFile::open(&world.host)?;
    if verb == "list" {
        return world.print(&file.hosts().fold(String::new(), |text, host| text + host + "\n"));
    }
    let host = matches.get_one::<String>("host").map_or("", String::as_str);
    match verb {
        "add" => file.add(host)?,
        _ => file.remove(host)?,
    }
    file.save()
}
