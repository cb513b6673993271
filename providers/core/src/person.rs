//! The person at the desk: how they may be asked, and the page a browser comes back to.

use std::time::Duration;

use secrecy::SecretString;

use crate::{BoxFuture, Error, Refusing, Result};

/// The person at the desk.
pub trait Person: Send + Sync {
    /// By which means a person may be asked here and now.
    fn means(&self) -> Means;
    /// Says something a person has to read while they are asked, such as a code to type. Only for
    /// a request that may ask: whatever else succeeds is silent.
    fn tell(&self, text: &str);
    /// Whether they asked to type a code on another device, though a browser could be opened here.
    fn wants_code(&self) -> bool {
        false
    }
    /// Shows the address of a page as a picture that a phone can read, if that was asked for. It goes
    /// with what [`Person::tell`] said of that page.
    fn picture(&self, _url: &str) {}
    /// Shows lines of blocks, which are to be light on a dark ground whatever the terminal's colours are.
    fn draw(&self, blocks: &str) {
        self.tell(blocks);
    }
    /// Whether anything was shown yet: whoever fails before that has asked nobody.
    fn was_asked(&self) -> bool;
    /// Has a person type one line on the terminal they sit at, never on standard input, and shows what
    /// they type: a code, not a password. Errors with
    /// [`Kind::SignInNeeded`](crate::Kind::SignInNeeded) where nothing of use is typed in time.
    fn ask(&self, prompt: &str) -> Result<SecretString>;
    /// Waits on loopback for a browser to come back (RFC 8252, section 7.3), on that port or on one
    /// that is free.
    fn land(&self, port: Option<u16>) -> Result<Box<dyn Landing>>;
}

/// By which means a person may be asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Means {
    /// A browser can be opened.
    pub browser: bool,
    /// What is written to stderr is seen.
    pub terminal: bool,
    /// A line can be typed: see [`Person::ask`].
    pub keyboard: bool,
}

/// How a person is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignIn {
    /// A browser is opened.
    Browser,
    /// Only the terminal is used.
    Terminal,
}

/// A listener on loopback, for one browser to come back to.
pub trait Landing: Send + Sync {
    /// Its port, on 127.0.0.1 and on `::1`.
    fn port(&self) -> u16;
    /// Shows the page's URL, opens it in a browser if one can be opened, and waits for the callback
    /// that has the visit's `state`: its parameters, from the query or a posted form. Whatever else
    /// comes is answered 404 and forgotten. Errors with
    /// [`Kind::SignInNeeded`](crate::Kind::SignInNeeded) when the time is up.
    fn visit<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Vec<(String, String)>>>;
}

/// A page for a person's browser.
#[derive(Clone)]
pub struct Visit {
    /// The page; https, or http on loopback.
    pub url: String,
    /// The path of the callback, such as `/`.
    pub path: String,
    /// What the callback has to bring back as its `state`.
    pub state: String,
    /// What it is for, as a person would say it: `sign in to tenant contoso.com`.
    pub purpose: String,
    /// Whether to open a browser, or only to show the URL.
    pub how: SignIn,
    /// How long the person has.
    pub limit: Duration,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visit({})", self.purpose)
    }
}

impl Person for Refusing {
    fn means(&self) -> Means {
        Means::default()
    }
    fn tell(&self, _text: &str) {}
    fn was_asked(&self) -> bool {
        false
    }
    fn ask(&self, _prompt: &str) -> Result<SecretString> {
        Err(Error::failed("this host has nobody to ask"))
    }
    fn land(&self, _port: Option<u16>) -> Result<Box<dyn Landing>> {
        Err(Error::failed("this host has nobody to ask"))
    }
}
