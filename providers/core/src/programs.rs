//! Other programs, run to their end: without a shell, without a terminal, for so long and no longer.

use std::{ffi::OsString, fmt, time::Duration};

use secrecy::SecretString;

use crate::{BoxFuture, Error, Refusing, Result};

/// Runs programs.
pub trait Programs: Send + Sync {
    /// Whether there is such a program, on the PATH's absolute folders or at an absolute path.
    fn find(&self, name: &str) -> bool;
    /// Runs one to its end. Errors if it cannot be started, takes too long, or says more than 1 MiB;
    /// that it failed is no error here.
    fn run<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Finished>>;
}

/// A program to run. It inherits the environment, and has no standard input.
#[derive(Clone, Debug)]
pub struct Program {
    /// A name that is looked for on the PATH, or an absolute path.
    pub name: String,
    /// Its arguments. Never a secret: other users see them.
    pub args: Vec<String>,
    /// Variables beside those inherited.
    pub env: Vec<(String, OsString)>,
    /// How long it may take.
    pub limit: Duration,
}

/// How a program ended.
#[derive(Clone)]
pub struct Finished {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it answered, which may be a secret.
    pub stdout: SecretString,
    /// What it said.
    pub stderr: String,
}

impl Finished {
    /// Whether it ended with 0.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}", self.code)
    }
}

impl Programs for Refusing {
    fn find(&self, _name: &str) -> bool {
        false
    }
    fn run<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Finished>> {
        let name = &program.name;
        Box::pin(async move { Err(Error::failed(format!("this host runs no program: {name}"))) })
    }
}
