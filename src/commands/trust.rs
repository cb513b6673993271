//! `fleetkey trust add|remove|list`: the hosts, beside the clouds' own, that may be given secrets.

use clap::ArgMatches;
use fleetkey_provider::Result;

use crate::{World, trust::TrustFile};

pub(crate) fn run(verb: &str, matches: &ArgMatches, world: &World) -> Result<()> {
    let host = matches.try_get_one::<String>("host").ok().flatten();
    match (verb, host) {
        ("add", Some(host)) => TrustFile::edit(&world.host, |file| file.add(host)),
        ("remove", Some(host)) => TrustFile::edit(&world.host, |file| file.remove(host)),
        _ => {
            let file = TrustFile::open(&world.host)?;
            world.print(&file.hosts().fold(String::new(), |text, host| text + host + "\n"))
        }
    }
}
