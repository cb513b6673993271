//! The world, as a provider sees it: a handful of small traits.
//!
//! A provider reads no environment variable, no clock and no file but through these, so a test can
//! replace each of them, and what a test did not replace fails with a sentence ([`Refusing`]).

use std::{
    ffi::OsString,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};

use jiff::Timestamp;

use crate::{Error, HttpRequest, HttpResponse, Parsed, Person, Programs, Result, Sessions};

/// A boxed future; the price of async methods on trait objects, paid only where the network is.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything outside.
pub struct Host {
    /// The environment.
    pub env: Box<dyn Env>,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// The network.
    pub http: Box<dyn Http>,
    /// Files that other tools own.
    pub files: Box<dyn Files>,
    /// Other programs.
    pub programs: Box<dyn Programs>,
    /// Sessions that fleetkey keeps itself.
    pub sessions: Box<dyn Sessions>,
    /// Chance.
    pub entropy: Box<dyn Entropy>,
    /// The person at the desk.
    pub person: Box<dyn Person>,
    /// Which hosts a person trusts.
    pub trust: Box<dyn Trust>,
    /// What `-v` shows.
    pub notes: Box<dyn Notes>,
    /// What was understood before.
    pub parsed: Parsed,
}

impl Host {
    /// A host that fails on everything, with a sentence, for tests to build upon. Its environment
    /// is empty, it trusts nobody, and its notes go nowhere.
    pub fn refusing() -> Self {
        Self {
            env: Box::new(Refusing),
            clock: Box::new(Refusing),
            http: Box::new(Refusing),
            files: Box::new(Refusing),
            programs: Box::new(Refusing),
            sessions: Box::new(Refusing),
            entropy: Box::new(Refusing),
            person: Box::new(Refusing),
            trust: Box::new(Refusing),
            notes: Box::new(Refusing),
            parsed: Parsed::default(),
        }
    }

    /// A variable as text; empty is unset. Errors, with the name, if it is not UTF-8.
    pub fn text_var(&self, name: &str) -> Result<Option<String>> {
        match self.env.var(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) if text.is_empty() => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(Error::config(format!("the variable `{name}` is not UTF-8 text"))),
        }
    }

    /// A variable as a path; empty is unset.
    pub fn path_var(&self, name: &str) -> Option<PathBuf> {
        self.env.var(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

/// The environment.
pub trait Env: Send + Sync {
    /// A variable's value.
    fn var(&self, name: &str) -> Option<OsString>;
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Lets some time pass.
    fn pause(&self, duration: Duration);
}

/// The network.
pub trait Http: Send + Sync {
    /// Sends a request and reads its answer, whatever its status. Errors are
    /// [`Kind::Unavailable`](crate::Kind::Unavailable) and name the host.
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>>;
    /// From now on nothing may take longer than this, all attempts together. The host says it before
    /// it runs a provider's work; a provider has no need to.
    fn end_within(&self, _limit: Duration) {}
}

/// Files that other tools own, such as those below `~/.aws`.
pub trait Files: Send + Sync {
    /// The file's bytes; `None` if there is no such file. Errors if it cannot be read, is a pipe or
    /// a folder, or is larger than 1 MiB. Links are followed: people keep these files in dotfile
    /// repositories.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>>;
    /// The same, up to another bound in bytes, for files that are meant to be large.
    fn read_large(&self, path: &Path, _largest: u64) -> Result<Option<Vec<u8>>> {
        self.read(path)
    }
    /// A number that changes when the file is written anew or replaced; `None` if there is no such
    /// file. One `stat`.
    fn stamp(&self, path: &Path) -> Option<i128>;
    /// Whether the file is this user's own or the administrator's, and writable by nobody else, so
    /// that nobody else decided what stands in it. Errors if that cannot be told.
    fn is_own(&self, path: &Path) -> Result<bool> {
        Err(Error::failed(format!("whose `{}` is, is not known", path.display())))
    }
    /// Whether the file was written after that other one. Not if one of them is not there, or if it
    /// cannot be told.
    fn is_newer(&self, _path: &Path, _than: &Path) -> bool {
        false
    }
    /// Whether the file has another name (a hard link), which a replacement would not have. Not if that
    /// cannot be told.
    fn has_other_names(&self, _path: &Path) -> bool {
        false
    }
    /// The file that this path means once its links are followed, whether it is there or not: two
    /// paths to one file are one.
    fn real(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
    /// Writes the file, whole or not at all, and durably. An old file keeps its mode and its owner, a
    /// new one is its owner's alone, and so is the folder it lies in where that is not there yet. A
    /// link stays: the file it leads to is replaced.
    fn replace(&self, path: &Path, _bytes: &[u8]) -> Result<()> {
        Err(Error::failed(format!("this host writes no files: {}", path.display())))
    }
    /// Errors if so many bytes could not replace the file now. Asked before something is redeemed
    /// whose successor has to lie there.
    fn rehearse(&self, path: &Path, _length: usize) -> Result<()> {
        Err(Error::failed(format!("this host writes no files: {}", path.display())))
    }
    /// The files in a folder, in the order of their names; none if there is no such folder.
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        Err(Error::failed(format!("this host lists no folders: {}", folder.display())))
    }
    /// When the file was last written, for people to read; `None` if there is none, or it cannot be told.
    fn written(&self, _path: &Path) -> Option<Timestamp> {
        None
    }
    /// Removes the file, or the link. Whether there was one.
    fn remove(&self, path: &Path) -> Result<bool> {
        Err(Error::failed(format!("this host removes no files: {}", path.display())))
    }
}

/// Chance.
pub trait Entropy: Send + Sync {
    /// Fills the buffer from the system's generator.
    fn fill(&self, buffer: &mut [u8]) -> Result<()>;
}

/// Which hosts a person trusts.
pub trait Trust: Send + Sync {
    /// Whether `fleetkey trust add` named this host. Errors if the list cannot be read.
    fn allows(&self, host_name: &str) -> Result<bool>;
    /// Whether variables that move endpoints, authorities and files are to be ignored. Errors if
    /// that cannot be read.
    fn is_strict(&self) -> Result<bool>;
}

/// What `-v` shows, and what a person at a terminal should know.
pub trait Notes: Send + Sync {
    /// One line about a decision. Never a secret: it may end in a bug report.
    fn note(&self, line: &str);
    /// One line a person should see while all is well: shown if stderr is a terminal, `-v` or not.
    fn warn(&self, line: &str) {
        self.note(line);
    }
    /// One line about what could not be kept, and why. Whoever signs people in tells it with what came of it.
    fn lost(&self, what: Lost, line: &str) {
        match what {
            Lost::Session => self.warn(line),
            Lost::Credential => self.note(line),
        }
    }
}

/// What could not be kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// A session: somebody will be asked again.
    Session,
    /// A credential: the cloud will be asked again.
    Credential,
}

/// The host of a test that was given nothing.
#[derive(Clone, Copy, Debug)]
pub struct Refusing;

impl Env for Refusing {
    fn var(&self, _name: &str) -> Option<OsString> {
        None
    }
}

#[allow(clippy::panic, reason = "a test that forgot its clock should fail at once, not at 1970")]
impl Clock for Refusing {
    fn now(&self) -> Timestamp {
        panic!("this host has no clock: give the test one")
    }
    fn pause(&self, _duration: Duration) {
        panic!("this host has no clock: nothing may wait here")
    }
}

impl Http for Refusing {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(
            async move { Err(Error::failed(format!("this host has no network: {request:?}"))) },
        )
    }
}

impl Files for Refusing {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        Err(Error::failed(format!("this host has no files: {}", path.display())))
    }
    fn stamp(&self, _path: &Path) -> Option<i128> {
        None
    }
}

impl Entropy for Refusing {
    fn fill(&self, _buffer: &mut [u8]) -> Result<()> {
        Err(Error::failed("this host has no entropy"))
    }
}

impl Trust for Refusing {
    fn allows(&self, _host_name: &str) -> Result<bool> {
        Ok(false)
    }
    fn is_strict(&self) -> Result<bool> {
        Ok(false)
    }
}

impl Notes for Refusing {
    fn note(&self, _line: &str) {}
}
