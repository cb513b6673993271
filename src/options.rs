//! The flags that are fleetkey's own in every grammar, understood.

use std::{path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, FromArgMatches, ValueEnum};
use fleetkey_provider::{ApiVersion, Error, Result};

/// How much network time one run may take, unless `--timeout` says otherwise.
const TIMEOUT_SECONDS: &str = "30";

// As typed. Not a doc comment: clap would make it the help of whatever it is grafted onto.
#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// The version to answer in where the client names none: v1 or v1beta1
    #[arg(long, global = true, value_name = "VERSION", help_heading = "Options of every command")]
    exec_api_version: Option<String>,

    /// Where credentials are kept, in place of the platform's cache folder
    #[arg(long, global = true, value_name = "DIR", help_heading = "Options of every command")]
    cache_dir: Option<PathBuf>,

    /// Neither read nor keep credentials
    #[arg(long, global = true, help_heading = "Options of every command")]
    no_cache: bool,

    /// Ignore the kept credential once, and keep the new one
    #[arg(long, global = true, help_heading = "Options of every command")]
    fresh: bool,

    /// How long the network may take, in seconds (1 to 600)
    #[arg(long, global = true, value_name = "SECONDS", default_value = TIMEOUT_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..=600), help_heading = "Options of every command")]
    timeout: u64,

    /// Whether a person may be asked to sign in, and how; decided by what is there if not given
    #[arg(long, global = true, value_name = "HOW", help_heading = "Options of every command")]
    ask: Option<Ask>,

    /// Say on stderr what is decided, and why
    #[arg(short, long, global = true, help_heading = "Options of every command")]
    verbose: bool,
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

impl Options {
    pub(crate) fn new(matches: &ArgMatches) -> Result<Self> {
        let Flags { exec_api_version, cache_dir, no_cache, fresh, timeout, ask, verbose } =
            Flags::from_arg_matches(matches).map_err(|error| crate::cli::usage(&error))?;
        let api_version = exec_api_version.as_deref().map(version).transpose()?;
        let cache = match (no_cache, fresh) {
            (true, _) => CacheUse::None,
            (false, true) => CacheUse::Fresh,
            (false, false) => CacheUse::Normal,
        };
        let timeout = Duration::from_secs(timeout);
        Ok(Self { api_version, cache_dir, cache, timeout, ask, verbose })
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
