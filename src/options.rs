//! The flags that are fleetkey's own in every grammar, understood.

use std::{path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, FromArgMatches, ValueEnum};
use fleetkey_provider::{ApiVersion, Error, Result};

use crate::vault::Choice;

/// How much network time one run may take, unless `--timeout` says otherwise.
const TIMEOUT_SECONDS: u64 = 30;
const HEADING: &str = "Options of every command";

// As typed. Not a doc comment: clap would make it the help of whatever it is grafted onto. The flags
// stand on every level of the tree instead of being clap's `global`, whose copying from level to
// level was a fifth of a start.
#[derive(Args, Debug, Default)]
#[group(skip)]
pub(crate) struct Flags {
    /// Where credentials are kept, in place of the platform's cache folder
    #[arg(long, alias = "token-cache-dir", value_name = "DIR", help_heading = HEADING)]
    cache_dir: Option<PathBuf>,

    /// How long the network may take, in seconds (1 to 600) [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600),
          help_heading = HEADING)]
    timeout: Option<u64>,

    /// Whether a person may be asked to sign in, and how; decided by what is there if not given
    #[arg(long, value_name = "HOW", help_heading = HEADING)]
    ask: Option<Ask>,

    /// Say on stderr what is decided, and why
    #[arg(short, long, help_heading = HEADING)]
    verbose: bool,
}

// Those that hardly a kubeconfig has: they are grafted only if one of them was typed.
#[derive(Args, Debug, Default)]
#[group(skip)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Seldom {
    /// The version to answer in where the client names none: v1 or v1beta1
    #[arg(long, value_name = "VERSION", help_heading = HEADING)]
    exec_api_version: Option<String>,

    /// Neither read nor keep credentials
    #[arg(long, help_heading = HEADING)]
    no_cache: bool,

    /// Ignore the kept credential once, and keep the new one
    #[arg(long, help_heading = HEADING)]
    fresh: bool,

    /// Ask for a new credential only when the kept one is over: no other process does it ahead
    #[arg(long, help_heading = HEADING)]
    no_renew_ahead: bool,

    /// Where the key lies that seals sessions; the best place that works if not given
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    session_store: Option<Choice>,
}

/// The names of [`Seldom`]'s flags.
const SELDOM: [&str; 5] =
    ["--exec-api-version", "--no-cache", "--fresh", "--no-renew-ahead", "--session-store"];

/// Whether one of those flags was typed that are not grafted otherwise.
pub(crate) fn is_seldom_typed(typed: &[&str]) -> bool {
    let is_one =
        |word: &&str| word.starts_with("--") && SELDOM.iter().any(|name| word.starts_with(name));
    typed.iter().any(is_one)
}

/// The tree with those flags, wherever the others are.
pub(crate) fn with_seldom(command: clap::Command) -> clap::Command {
    let has_flags = command.get_arguments().any(|arg| arg.get_id() == "verbose");
    let command = if has_flags { Seldom::augment_args(command) } else { command };
    command.mut_subcommands(with_seldom)
}

impl Flags {
    /// These, unless the level below says otherwise.
    fn then(self, below: Self) -> Self {
        let Self { cache_dir, timeout, ask, verbose } = below;
        Self {
            cache_dir: cache_dir.or(self.cache_dir),
            timeout: timeout.or(self.timeout),
            ask: ask.or(self.ask),
            verbose: verbose || self.verbose,
        }
    }
}

impl Seldom {
    /// Those of one level, if they were grafted.
    fn of(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        // one that was grafted has a value; of one that was not, only debug builds of clap say so
        if !matches.try_contains_id("fresh").unwrap_or_default() {
            return Ok(Self::default());
        }
        Self::from_arg_matches_mut(matches)
    }

    /// These, unless the level below says otherwise.
    fn then(self, below: Self) -> Self {
        let Self { exec_api_version, no_cache, fresh, no_renew_ahead, session_store } = below;
        Self {
            exec_api_version: exec_api_version.or(self.exec_api_version),
            no_cache: no_cache || self.no_cache,
            fresh: fresh || self.fresh,
            no_renew_ahead: no_renew_ahead || self.no_renew_ahead,
            session_store: session_store.or(self.session_store),
        }
    }
}

/// `--ask`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Ask {
    /// Nobody may be asked
    Never,
    /// On the terminal only
    Terminal,
    /// With a browser
    Browser,
}

/// Understood.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) api_version: Option<ApiVersion>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) cache: CacheUse,
    pub(crate) timeout: Duration,
    pub(crate) ask: Option<Ask>,
    /// Whether another process may fetch the successor of what is kept.
    pub(crate) renew_ahead: bool,
    /// Where the key of sessions lies.
    pub(crate) session_store: Option<Choice>,
    pub(crate) verbose: bool,
}

/// What kept credentials are good for in this run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CacheUse {
    /// Read and kept.
    Normal,
    /// Kept, but what is there already is not used (`--fresh`).
    Fresh,
    /// Neither (`--no-cache`).
    None,
}

/// A command line taken apart: the verbs, the last one's own flags, those of the verbs above it, and
/// those of every command.
pub(crate) struct Command {
    pub(crate) verbs: Vec<String>,
    pub(crate) above: Vec<ArgMatches>,
    pub(crate) matches: ArgMatches,
    pub(crate) options: Options,
}

impl Command {
    /// What stands behind a verb wins over what stands before it.
    pub(crate) fn new(mut matches: ArgMatches) -> Result<Self> {
        let (mut verbs, mut above) = (Vec::new(), Vec::new());
        let (mut flags, mut seldom) = (Flags::default(), Seldom::default());
        let usage = |error| crate::cli::usage(&error);
        loop {
            flags = flags.then(Flags::from_arg_matches_mut(&mut matches).map_err(usage)?);
            seldom = seldom.then(Seldom::of(&mut matches).map_err(usage)?);
            let Some((verb, below)) = matches.remove_subcommand() else { break };
            verbs.push(verb);
            above.push(std::mem::replace(&mut matches, below));
        }
        Ok(Self { verbs, above, matches, options: Options::new(flags, seldom)? })
    }
}

impl Options {
    fn new(flags: Flags, seldom: Seldom) -> Result<Self> {
        let Flags { cache_dir, timeout, ask, verbose } = flags;
        let Seldom { exec_api_version, no_cache, fresh, no_renew_ahead, session_store } = seldom;
        let api_version = exec_api_version.as_deref().map(version).transpose()?;
        let cache = match (no_cache, fresh) {
            (true, _) => CacheUse::None,
            (false, true) => CacheUse::Fresh,
            (false, false) => CacheUse::Normal,
        };
        let timeout = Duration::from_secs(timeout.unwrap_or(TIMEOUT_SECONDS));
        let renew_ahead = !no_renew_ahead;
        Ok(Self {
            api_version,
            cache_dir,
            cache,
            timeout,
            ask,
            renew_ahead,
            session_store,
            verbose,
        })
    }
}

fn version(text: &str) -> Result<ApiVersion> {
    ApiVersion::parse(text).ok_or_else(|| {
        Error::config(format!(
            "`--exec-api-version` is not a version: `{}`",
            fleetkey_provider::shown(text)
        ))
        .because("clients accept `v1` and `v1beta1`")
        .next("fleetkey get-token --help")
    })
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn what_is_seldom_is_grafted_when_it_is_typed_and_only_then() {
        let all = Seldom::augment_args(clap::Command::new("x"));
        let longs = all.get_arguments().filter_map(Arg::get_long).map(|long| format!("--{long}"));
        assert_eq!(longs.collect::<Vec<_>>(), SELDOM);
        for typed in SELDOM {
            assert!(is_seldom_typed(&["fleetkey", "get-token", typed]));
            assert!(is_seldom_typed(&["fleetkey", &format!("{typed}=x")]));
        }
        assert!(!is_seldom_typed(&["fleetkey", "get-token", "-v", "--timeout", "fresh"]));
    }

    #[test]
    fn a_flag_counts_wherever_it_stands_and_the_deepest_wins() {
        let line =
            "fleetkey --session-store os get-token --no-renew-ahead --session-store=file --fresh";
        let parsed = crate::cli::parse(line.split(' ').map(Into::into));
        let Ok(crate::cli::Parsed::Verb(matches)) = parsed else { panic!("not understood") };
        let Options { cache, renew_ahead, session_store, .. } =
            Command::new(matches).unwrap().options;
        assert_eq!(
            (cache, renew_ahead, session_store),
            (CacheUse::Fresh, false, Some(Choice::File))
        );
        let parsed = crate::cli::parse("fleetkey get-token".split(' ').map(Into::into));
        let Ok(crate::cli::Parsed::Verb(matches)) = parsed else { panic!("not understood") };
        let Options { cache, renew_ahead, session_store, .. } =
            Command::new(matches).unwrap().options;
        assert_eq!((cache, renew_ahead, session_store), (CacheUse::Normal, true, None));
        let wrong = "fleetkey get-token --session-store purse".split(' ').map(Into::into);
        let Err(error) = crate::cli::parse(wrong) else { panic!("accepted") };
        let text = format!("{error} {}", error.cause().unwrap_or_default());
        for word in ["--session-store", "os", "keyring", "file"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("best"), "{text}");
    }
}
