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
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Flags {
    /// The version to answer in where the client names none: v1 or v1beta1
    #[arg(long, value_name = "VERSION", help_heading = HEADING)]
    exec_api_version: Option<String>,

    /// Where credentials are kept, in place of the platform's cache folder
    #[arg(long, alias = "token-cache-dir", value_name = "DIR", help_heading = HEADING)]
    cache_dir: Option<PathBuf>,

    /// Neither read nor keep credentials
    #[arg(long, help_heading = HEADING)]
    no_cache: bool,

    /// Ignore the kept credential once, and keep the new one
    #[arg(long, help_heading = HEADING)]
    fresh: bool,

    /// How long the network may take, in seconds (1 to 600) [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600),
          help_heading = HEADING)]
    timeout: Option<u64>,

    /// Whether a person may be asked to sign in, and how; decided by what is there if not given
    #[arg(long, value_name = "HOW", help_heading = HEADING)]
    ask: Option<Ask>,

    /// Ask for a new credential only when the kept one is over: no other process does it ahead
    #[arg(long, help_heading = HEADING)]
    no_renew_ahead: bool,

    /// Where the key lies that seals sessions; the best place that works if not given
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    session_store: Option<Choice>,

    /// Say on stderr what is decided, and why
    #[arg(short, long, help_heading = HEADING)]
    verbose: bool,
}

impl Flags {
    /// These, unless the level below says otherwise.
    fn then(self, below: Self) -> Self {
        let Self {
            exec_api_version,
            cache_dir,
            no_cache,
            fresh,
            timeout,
            ask,
            no_renew_ahead,
            session_store,
            verbose,
        } = below;
        Self {
            exec_api_version: exec_api_version.or(self.exec_api_version),
            cache_dir: cache_dir.or(self.cache_dir),
            no_cache: no_cache || self.no_cache,
            fresh: fresh || self.fresh,
            timeout: timeout.or(self.timeout),
            ask: ask.or(self.ask),
            no_renew_ahead: no_renew_ahead || self.no_renew_ahead,
            session_store: session_store.or(self.session_store),
            verbose: verbose || self.verbose,
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
        let (mut verbs, mut above, mut flags) = (Vec::new(), Vec::new(), Flags::default());
        loop {
            let here = Flags::from_arg_matches_mut(&mut matches);
            flags = flags.then(here.map_err(|error| crate::cli::usage(&error))?);
            let Some((verb, below)) = matches.remove_subcommand() else { break };
            verbs.push(verb);
            above.push(std::mem::replace(&mut matches, below));
        }
        Ok(Self { verbs, above, matches, options: Options::new(flags)? })
    }
}

impl Options {
    fn new(flags: Flags) -> Result<Self> {
        let Flags {
            exec_api_version,
            cache_dir,
            no_cache,
            fresh,
            timeout,
            ask,
            no_renew_ahead,
            session_store,
            verbose,
        } = flags;
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
