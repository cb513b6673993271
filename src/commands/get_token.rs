//! `fleetkey get-token [PROVIDER]`: argv to a token on stdout.
//!
//! Without a provider the cluster says which one is meant, and all that a provider would be told by
//! flags ([`recognise`]).

use clap::ArgMatches;
use fleetkey_provider::{Error, ExecInfo, Provider, Result, Token};

use crate::{
    World,
    broker::{Broker, Folders},
    exec,
    options::{Command, Options},
    recognise, registry,
};

pub(crate) fn run(cloud: Option<&str>, line: Command, world: &mut World) -> Result<()> {
    let Command { mut above, mut matches, options, .. } = line;
    let forms = std::iter::once(&mut matches).chain(above.iter_mut().rev());
    let form = forms.filter_map(|level| level.try_remove_one::<String>("output").ok().flatten());
    let bare = form.map(|form| form == "token").next().unwrap_or_default();
    let exec = exec::question(world)?;
    let (provider, mut matches) = if let Some(cloud) = cloud {
        let found = registry::find(cloud);
        (found.ok_or_else(|| Error::config("no cloud was named"))?, matches)
    } else {
        let provider = recognise::provider(&exec)?;
        (provider, recognise::no_flags(provider)?)
    };
    let token = token(provider, &mut matches, &exec, &options, world)?;
    if bare {
        return world.answer(&format!("{}\n", exec::bare(&token)?));
    }
    let version = exec.api_version.or(options.api_version).unwrap_or_default();
    world.answer(&exec::answer(&token, version)?)
}

/// The way of every token, whoever asks for it and in whatever manner it is printed.
pub(crate) fn token(
    provider: &dyn Provider,
    matches: &mut ArgMatches,
    exec: &ExecInfo,
    options: &Options,
    world: &mut World,
) -> Result<Token> {
    world.attend(options, exec.interactive);
    let request = provider.request(matches, exec, &world.host)?;
    let folders = Folders::of(options, &world.host)?;
    let credential = Broker::new(world, options, folders).ahead().credential(&*request)?;
    request.token(&credential, &world.host)
}
