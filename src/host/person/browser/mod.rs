//! Opening a page in the browser a person uses.
//!
//! Every system has its own program for that, and people name another in `BROWSER`. They are tried
//! in turn, without a shell, with an http(s) URL and nothing else. A browser may run for as long as
//! its window is open, so one that is still there after a moment has worked, and is left alone.

#[cfg(not(any(target_os = "macos", windows)))]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    path::PathBuf,
    process::Child,
    time::{Duration, Instant},
};

use fleetkey_provider::{Env, Error, Result};
use tokio::time::sleep;
use url::Url;

pub(super) use self::system::VARIABLES;
use crate::host::programs::{SearchPath, apart};

/// A person's own browser: programs separated as in the PATH, each with its arguments, `%s` standing
/// for the page (as xdg-open and Python's webbrowser module read it).
pub(super) const BROWSER: &str = "BROWSER";
/// How long a program has to say that it failed.
const MOMENT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);
const PAGE: &str = "%s";

/// The ways to open a page here, the best first.
#[derive(Clone)]
pub(super) struct Browsers {
    openers: Vec<Opener>,
    moment: Duration,
}

/// A program that opens pages.
#[derive(Clone)]
struct Opener {
    program: PathBuf,
    /// With `%s` for the page.
    args: Vec<String>,
    /// Whether its exit code says how it went.
    tells: bool,
}

/// An [`Opener`], wherever its program is.
struct Usual {
    program: &'static str,
    args: &'static [&'static str],
    tells: bool,
}

impl Browsers {
    /// Those that are there. The strict open no page with what a variable names.
    pub(super) fn new(env: &dyn Env, strict: bool) -> Self {
        let search = SearchPath::new(env);
        let named = env.var(BROWSER).filter(|_| !strict).unwrap_or_default();
        let named = std::env::split_paths(&named)
            .filter_map(|entry| Opener::named(entry.to_str()?, &search));
        let usual = system::usual(env).into_iter();
        let usual = usual.filter_map(|usual| Opener::usual(usual, &search));
        Self { openers: named.chain(usual).collect(), moment: MOMENT }
    }

    /// Whether there is any.
    pub(super) fn are_there(&self) -> bool {
        !self.openers.is_empty()
    }

    /// Opens the page, and says whether anything took it.
    pub(super) async fn open(&self, page: &Page) -> bool {
        for opener in &self.openers {
            let mut command = apart(&opener.program);
            command.args(opener.args.iter().map(|arg| arg.replace(PAGE, &page.0)));
            let Ok(child) = command.spawn() else { continue };
            if !opener.tells || self.took(child).await {
                return true;
            }
        }
        false
    }

    async fn took(&self, mut child: Child) -> bool {
        let started = Instant::now();
        while started.elapsed() < self.moment {
            match child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) => sleep(PAUSE).await,
                Err(_) => return false,
            }
        }
        true
    }
}

impl Opener {
    /// One of `BROWSER`: a program, which may have blanks in its name, or a program and its arguments.
    fn named(entry: &str, search: &SearchPath) -> Option<Self> {
        let (program, args) = if let Some(program) = search.find(entry) {
            (program, Vec::new())
        } else {
            let mut words = entry.split_whitespace();
            (search.find(words.next()?)?, words.map(str::to_owned).collect())
        };
        let mut opener = Self { program, args, tells: true };
        if !opener.args.iter().any(|arg| arg.contains(PAGE)) {
            opener.args.push(PAGE.to_owned());
        }
        Some(opener)
    }

    fn usual(Usual { program, args, tells }: Usual, search: &SearchPath) -> Option<Self> {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Some(Self { program: search.find(program)?, args, tells })
    }
}

/// Whether another system's desktop can be reached from here.
pub(super) fn is_next_door(env: &dyn Env) -> bool {
    let search = SearchPath::new(env);
    system::next_door(env).iter().any(|usual| search.find(usual.program).is_some())
}

/// A URL that a browser may be given, in letters that need no quoting but single quotes.
#[derive(Clone)]
pub(super) struct Page(String);

impl Page {
    /// https, or http on loopback; without a user name.
    pub(super) fn new(text: &str) -> Result<Self> {
        let broken = || Error::failed("the page to sign in at is not one a browser may open");
        let url = Url::parse(text).map_err(|_| broken())?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        let allowed = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        if !allowed || !url.username().is_empty() || url.password().is_some() {
            return Err(broken());
        }
        // a quote is the one letter of a URL that ends a quoted word
        Ok(Self(String::from(url).replace('\'', "%27")))
    }

    /// The URL.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
