//! A context, understood as its client would run it: who is asked, for what, and where what comes of it
//! is kept.

use std::ffi::OsString;

use fleetkey_provider::{Error, ExecInfo, Host, Request, Result};

use super::{Ours, Surroundings};
use crate::{
    broker::Folders,
    cli,
    kubeconfig::stanza::NAME,
    options::{CacheUse, Command, Options},
    recognise, registry,
};

/// What a context asks for.
#[derive(Debug)]
pub(crate) struct Question {
    /// Where it stands.
    pub(crate) ours: Ours,
    /// The flags of every command, as its user has them.
    pub(crate) options: Options,
    /// Where what comes of it is kept.
    pub(crate) folders: Folders,
    /// What it asks for.
    pub(crate) request: Box<dyn Request>,
}

impl Question {
    /// Understands a context, in its own surroundings. What it does not say of places is as it was `typed`.
    pub(crate) fn of(
        ours: Ours,
        typed: &Options,
        surroundings: &Surroundings,
        host: &Host,
    ) -> Result<Self> {
        surroundings.wear(&ours.env);
        let understood = understood(&ours, typed, host);
        surroundings.wear(&[]);
        let (options, folders, request) = understood?;
        Ok(Self { ours, options, folders, request })
    }

    /// The flags for asking: the network and the person are the matter of whoever types, the rest is the
    /// context's.
    pub(crate) fn options(&self, typed: &Options) -> Options {
        let Options { timeout, ask, verbose, cache, .. } = typed;
        let cache = if self.options.cache == CacheUse::None { CacheUse::None } else { *cache };
        let (timeout, ask, verbose) = (*timeout, *ask, *verbose);
        Options { cache, timeout, ask, verbose, ..self.options.clone() }
    }
}

type Understood = (Options, Folders, Box<dyn Request>);

fn understood(ours: &Ours, typed: &Options, host: &Host) -> Result<Understood> {
    let words = std::iter::once(NAME).chain(ours.args.iter().map(String::as_str));
    let cli::Parsed::Verb(matches) = cli::parse(words.map(OsString::from))? else {
        return Err(Error::config("the user of the context asks for no token"));
    };
    let Command { verbs, mut matches, mut options, .. } = Command::new(matches)?;
    options.cache_dir = options.cache_dir.or_else(|| typed.cache_dir.clone());
    options.session_store = options.session_store.or(typed.session_store);
    let exec = ExecInfo { cluster: ours.cluster.clone(), ..ExecInfo::default() };
    let provider = if let Some(name) = verbs.get(1) {
        registry::find(name).ok_or_else(|| Error::config("no cloud was named"))?
    } else {
        let provider = recognise::provider(&exec)?;
        matches = recognise::no_flags(provider)?;
        provider
    };
    let request = provider.request(&mut matches, &exec, host)?;
    let folders = Folders::of(&options, host)?;
    Ok((options, folders, request))
}
