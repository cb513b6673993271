//! Arguments on their way into a kubeconfig, read as `get-token` will read them: what it would refuse is not
//! written down.

use std::{cell::RefCell, collections::HashMap};

use clap::{ArgMatches, Command};
use fleetkey_provider::{Overrides, Provider, Result};

use crate::{cli, options};

/// Reads arguments. Thousands of users have the same grammar, which is built once.
#[derive(Debug, Default)]
pub(crate) struct Reader(RefCell<HashMap<&'static str, Command>>);

impl Reader {
    /// Says what is wrong with what is to stand behind `get-token` and the provider's name.
    pub(crate) fn check(&self, provider: &dyn Provider, args: &[String]) -> Result<()> {
        let mut grammars = self.0.borrow_mut();
        let grammar = grammars.entry(provider.name()).or_insert_with(|| grammar(provider));
        provider.check(&mut matches(grammar, args)?, true)
    }
}

/// Says what is wrong with flags that were typed to count in place of what entries say.
pub(crate) fn check_typed(provider: &dyn Provider, Overrides(typed): &Overrides) -> Result<()> {
    let mut grammar = grammar(provider);
    let is_switch = |name: &str| {
        let mut args = grammar.get_arguments();
        args.any(|arg| arg.get_long() == Some(name) && !arg.get_action().takes_values())
    };
    let word = |(name, value): &(String, String)| match (is_switch(name), value.as_str()) {
        (true, "true") => Some(format!("--{name}")),
        (true, _) => None,
        (false, value) => Some(format!("--{name}={value}")),
    };
    let words: Vec<String> = typed.iter().filter_map(word).collect();
    provider.check(&mut matches(&mut grammar, &words)?, false)
}

fn matches(grammar: &mut Command, words: &[String]) -> Result<ArgMatches> {
    grammar.try_get_matches_from_mut(words).map_err(|error| cli::usage(&error))
}

/// That of `get-token` with that provider.
fn grammar(provider: &dyn Provider) -> Command {
    let command = Command::new(provider.name()).no_binary_name(true);
    options::with_seldom(cli::with_flags(provider.arguments(command)))
}
