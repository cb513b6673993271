//! `fleetkey login PROVIDER`: a person signs in by hand, as the identity that the flags name.
//!
//! The flags are those of `get-token`, but that no cluster has to be named. Who types this wants to be
//! asked, so what was remembered about asking is forgotten first; a sign-in that still stands is left as
//! it is.

use clap::ArgMatches;
use fleetkey_provider::{Error, Result, SessionState, one_line};

use super::losses::Losses;
use crate::{
    World,
    broker::{Broker, Folders},
    fleet::Insists,
    options::Options,
    registry,
};

pub(super) fn run(
    cloud: &str,
    matches: &mut ArgMatches,
    insists: Insists,
    options: &Options,
    world: &mut World,
) -> Result<()> {
    let provider = registry::find(cloud).ok_or_else(|| Error::config("no cloud was named"))?;
    world.attend(options, None);
    super::insist(insists, options, world);
    let losses = Losses::heard_from(world);
    let request = provider.sign_in_request(matches, &world.host)?;
    let folders = Folders::of(options, &world.host)?;
    let broker = Broker::new(world, options, folders);
    broker.by_hand(&*request);
    let credential = broker
        .credential(&*request)
        .map_err(|error| super::or_by_a_code(error, &*request, None, options, world))?;
    let end = credential.expires().or_else(|| match request.session_state(&world.host) {
        SessionState::SignedIn(standing) => standing.until,
        _ => None,
    });
    let until = end.map_or_else(String::new, |end| {
        format!(", good until {}", end.strftime("%Y-%m-%d %H:%M:%S UTC"))
    });
    let lines = losses.take().into_iter().map(|(_, line)| line + "\n").collect::<String>();
    world.print_told("", &format!("{}{until}\n{lines}", one_line(&request.describe())))
}
