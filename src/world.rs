//! Everything a run touches, in one value: what providers see (the [`Host`]), and what only
//! fleetkey itself uses: its own folders, the runtime, stdout and stderr.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use fleetkey_provider::{BoxFuture, Error, Host, Result};

use crate::{
    host::{self, PrivateDir, Store},
    options::{Ask, Options},
    prose::wrapped,
    renewal,
};

/// The world a command line runs in.
pub struct World {
    /// What providers see.
    pub host: Host,
    /// What drives futures, on the cold path only.
    pub runtime: Box<dyn Runtime>,
    /// Whether stderr is a terminal: only then is anything said on success.
    pub stderr_is_terminal: fn() -> bool,
    /// Whether stdout is a terminal: only then is an answer coloured.
    pub stdout_is_terminal: fn() -> bool,
    /// Starts the process that renews what this one answers with; `None` where this program is not a
    /// process of its own.
    pub(crate) start_renewal: Option<StartRenewal>,
    /// Whether the command line has a secret in it, which that process would show for longer.
    pub(crate) shows_secret: fn() -> bool,
    /// Whether this is that process: it asks no person, and waits for nobody.
    pub(crate) is_renewal: bool,
    pub(crate) open_store: fn(PathBuf) -> Box<dyn Store>,
    pub(crate) stdout: Mutex<Box<dyn Write + Send>>,
    pub(crate) stderr: Mutex<Box<dyn Write + Send>>,
}

/// Starts the process that renews. Errors are sentences.
pub(crate) type StartRenewal = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What drives futures.
pub trait Runtime: Send + Sync {
    /// Runs the work, for no longer than the limit. Errors if the time was up.
    fn run<'a>(&'a self, work: BoxFuture<'a, ()>, limit: Duration) -> Result<()>;
}

impl World {
    /// The real one. Nothing is opened or built before it is used.
    pub fn real() -> Self {
        Self {
            host: host::real(),
            runtime: Box::<host::Tokio>::default(),
            stderr_is_terminal: host::stderr_is_terminal,
            stdout_is_terminal: host::stdout_is_terminal,
            start_renewal: None,
            shows_secret: || false,
            is_renewal: false,
            open_store: |folder| Box::new(PrivateDir::new(folder)),
            stdout: Mutex::new(Box::new(std::io::stdout())),
            stderr: Mutex::new(Box::new(std::io::stderr())),
        }
    }

    /// The real one, for a process that is nothing but this: it leaves no core file behind, and may
    /// start another of its kind.
    pub fn alone() -> Self {
        host::leave_no_core();
        Self {
            start_renewal: Some(Box::new(|| host::relaunch(renewal::WORD))),
            shows_secret: || renewal::shows_secret(host::command_line()),
            ..Self::real()
        }
    }

    /// The same world with somebody else reading what it says.
    #[must_use]
    pub fn heard_by(
        mut self,
        stdout: impl Write + Send + 'static,
        stderr: impl Write + Send + 'static,
    ) -> Self {
        self.stdout = Mutex::new(Box::new(stdout));
        self.stderr = Mutex::new(Box::new(stderr));
        self
    }

    /// Does as the command line says: whom to ask, and how much to tell.
    /// `interactive` is what the client says of its standard input.
    pub(crate) fn attend(&mut self, options: &Options, interactive: Option<bool>) {
        let store = options.session_store;
        if options.verbose {
            self.host.notes = Box::new(host::StderrNotes);
            self.host.sessions = Box::new(host::sessions(Box::new(host::StderrNotes), store));
        } else if store.is_some() {
            self.host.sessions = Box::new(host::sessions(Box::new(host::Quiet), store));
        }
        let ask = if self.is_renewal { Some(Ask::Never) } else { options.ask };
        self.host.person = Box::new(host::Desk::new(ask, interactive, &self.host));
    }

    /// Runs work that answers something.
    pub(crate) fn wait<'a, T: Send + 'a>(
        &'a self,
        work: BoxFuture<'a, Result<T>>,
        limit: Duration,
    ) -> Result<T> {
        let answer = Mutex::new(None);
        let slot = &answer;
        let work = async move {
            let done = work.await;
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(done);
            }
        };
        self.host.http.end_within(limit);
        self.runtime.run(Box::pin(work), limit)?;
        let answer = answer.into_inner().ok().flatten();
        answer.unwrap_or_else(|| Err(Error::failed("the runtime lost an answer")))
    }

    pub(crate) fn store(&self, folder: &Path) -> Box<dyn Store> {
        (self.open_store)(folder.to_owned())
    }

    /// The answer to a client: one write. Errors if nobody takes it.
    pub(crate) fn answer(&self, text: &str) -> Result<()> {
        self.write(text).map_err(|error| unwritten(&error))
    }

    /// The answer to whoever typed the command: one write. Who reads no further (`… | head -1`) has read
    /// what they wanted.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        match self.write(text) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&error)),
            _ => Ok(()),
        }
    }

    /// The same of a table, and sentences below it: on a terminal those are broken between words.
    pub(crate) fn print_told(&self, table: &str, sentences: &str) -> Result<()> {
        let columns = (self.stdout_is_terminal)().then(host::stdout_width).flatten();
        self.print(&[table, &wrapped(sentences, columns)].concat())
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut stdout = self.stdout.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
    }

    /// Something for a person, after which the run fails.
    pub(crate) fn complain(&self, text: &str) {
        let mut stderr = self.stderr.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // nobody is left to tell if stderr is closed
        drop(stderr.write_all(text.as_bytes()));
    }

    /// Something for a person while all is well: only if a terminal shows it, since some clients
    /// take any stderr for a failure.
    pub(crate) fn warn(&self, line: &str) {
        if (self.stderr_is_terminal)() {
            self.complain(&wrapped(&format!("fleetkey: {line}\n"), host::stderr_width()));
        }
    }
}

fn unwritten(error: &std::io::Error) -> Error {
    Error::failed("the answer could not be written to stdout").because(error.to_string())
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}
