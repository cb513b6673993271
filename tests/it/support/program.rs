//! A program as a client starts it: with the environment it is given and no other.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read as _, Seek as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Run, until};

/// A command line and an environment.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    line: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
}

/// A program that was started. It does not outlive its test.
pub(crate) struct Running {
    child: Child,
    stdout: File,
    stderr: File,
    began: Instant,
}

impl Program {
    /// That program, with a PATH of the system's own programs.
    pub(crate) fn new(path: impl Into<OsString>) -> Self {
        Self { line: vec![path.into()], env: BTreeMap::new() }.env("PATH", "/usr/bin:/bin")
    }

    /// The plugin under test: this build's, or the one `FLEETKEY_TEST_BINARY` names.
    pub(crate) fn plugin() -> Self {
        Self::new(Self::binary())
    }

    /// Where the plugin under test is.
    pub(crate) fn binary() -> PathBuf {
        std::env::var_os("FLEETKEY_TEST_BINARY")
            .map_or_else(|| env!("CARGO_BIN_EXE_fleetkey").into(), PathBuf::from)
    }

    /// With these arguments after those it has.
    #[must_use]
    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.line.extend(args.into_iter().map(Into::into));
        self
    }

    /// Started by another program, which takes its command line as its last arguments.
    #[must_use]
    pub(crate) fn under<A: Into<OsString>>(mut self, line: impl IntoIterator<Item = A>) -> Self {
        self.line.splice(0..0, line.into_iter().map(Into::into));
        self
    }

    /// With this variable.
    #[must_use]
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// With these variables.
    #[must_use]
    pub(crate) fn envs(self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        pairs.into_iter().fold(self, |program, (name, value)| program.env(name, value))
    }

    /// Without this variable.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.remove(OsStr::new(name));
        self
    }

    /// As the standard library starts it: no stdin, nothing inherited.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.line[0]);
        command.args(&self.line[1..]).env_clear().envs(&self.env).stdin(Stdio::null());
        command
    }

    /// Starts it.
    pub(crate) fn spawn(&self) -> Running {
        Running::start(self.command())
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(&self) -> Run {
        self.spawn().finish()
    }
}

impl Running {
    /// Starts a command, and takes down what it says.
    pub(crate) fn start(mut command: Command) -> Self {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let began = Instant::now();
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, stdout, stderr, began }
    }

    /// The same for a command that has a stdout of its own.
    pub(crate) fn start_into(mut command: Command, stdout: impl Into<Stdio>) -> Self {
        let stderr = tempfile::tempfile().unwrap();
        command.stdout(stdout).stderr(stderr.try_clone().unwrap());
        let began = Instant::now();
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, stdout: tempfile::tempfile().unwrap(), stderr, began }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said besides its answer so far.
    #[cfg(unix)]
    pub(crate) fn said(&self) -> String {
        // the position is the one at which it writes
        let size = self.stderr.metadata().unwrap().len();
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        std::os::unix::fs::FileExt::read_exact_at(&self.stderr, &mut bytes, 0).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Run {
        let mut status = None;
        until("the program ends", PATIENCE, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let took = self.began.elapsed();
        let code = status.and_then(|status| status.code());
        Run { code, stdout: text(&mut self.stdout), stderr: text(&mut self.stderr), took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it has mostly ended by now, and that is no error
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// No program takes this long, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
