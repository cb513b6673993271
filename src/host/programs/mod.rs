//! Other programs, run to their end: no shell, no standard input, so long and no longer, and of
//! what they say no more than anybody needs.
//!
//! A program gets a process group of its own: one that takes too long is often a script whose child
//! does the work, and the group is what ends them both. Nothing here blocks, so the run's own end
//! holds for them too, and whoever gives up waiting ends what it waited for.

mod output;
mod search;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    io,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use fleetkey_provider::{
    BoxFuture, Env, Error, Finished, Program, Programs, Result, quoted, shown,
};
use tokio::time::{sleep, timeout};

use self::output::Output;
pub(super) use self::search::{SearchPath, VARIABLES};

/// How long to wait for the rest of an output whose program has ended: what it left running may hold
/// the pipe for good.
const DRAINING: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// The real programs.
pub(crate) struct OtherPrograms {
    env: Box<dyn Env>,
}

impl OtherPrograms {
    /// `env` says where they are looked for.
    pub(crate) fn new(env: Box<dyn Env>) -> Self {
        Self { env }
    }
}

impl Programs for OtherPrograms {
    fn find(&self, name: &str) -> bool {
        SearchPath::new(&*self.env).find(name).is_some()
    }

    fn run<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Finished>> {
        Box::pin(async move {
            let found = SearchPath::new(&*self.env).find(&program.name);
            let path = found.ok_or_else(|| missing(&program.name))?;
            timeout(program.limit, run(&path, program)).await.unwrap_or_else(|_| {
                Err(Error::unavailable(format!(
                    "`{}` did not end within {:?}",
                    shown(&program.name),
                    program.limit
                )))
            })
        })
    }
}

/// A command that shares no terminal, no console and no process group with us.
#[allow(clippy::disallowed_methods, reason = "this is the host, the one place that may")]
pub(super) fn apart(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    system::set_apart(&mut command);
    command
}

async fn run(path: &Path, program: &Program) -> Result<Finished> {
    let Program { name, args, env, limit: _ } = program;
    let named = shown(name);
    let failed = |error: io::Error| {
        Error::failed(format!("`{named}` could not be run")).because(error.to_string())
    };
    let mut command = apart(path);
    command.args(args).envs(env.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running { child: command.spawn().map_err(failed)?, ended: false };
    let stdout = Output::of(running.child.stdout.take()).map_err(failed)?;
    let stderr = Output::of(running.child.stderr.take()).map_err(failed)?;

    let status = running.end(&[&stdout, &stderr]).await.map_err(failed)?;
    if stdout.is_too_long() || stderr.is_too_long() {
        return Err(Error::failed(format!("`{named}` said more than 1 MiB")));
    }
    let text = String::from_utf8(stdout.take())
        .map_err(|_| Error::failed(format!("what `{named}` answered is not UTF-8 text")))?;
    Ok(Finished {
        code: status.and_then(|status| status.code()),
        stdout: text.into(),
        stderr: String::from_utf8_lossy(&stderr.take()).into_owned(),
    })
}

fn missing(name: &str) -> Error {
    let look = if cfg!(windows) { "where.exe" } else { "command -v" };
    Error::config(format!("there is no program `{}`", shown(name)))
        .because("it is looked for in the absolute folders of PATH")
        .next(format!("{look} {}", quoted(name)))
}

/// A program under way. Whoever lets go of it ends it.
struct Running {
    child: Child,
    ended: bool,
}

impl Running {
    /// Waits for its end and that of its output; `None` if it says too much to be waited for.
    async fn end(&mut self, outputs: &[&Output]) -> io::Result<Option<ExitStatus>> {
        let mut pause = FIRST_PAUSE;
        let status = loop {
            if outputs.iter().any(|output| output.is_too_long()) {
                return Ok(None);
            }
            if let Some(status) = self.child.try_wait()? {
                self.ended = true;
                break status;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        let ended = Instant::now();
        while !outputs.iter().all(|output| output.is_over()) && ended.elapsed() < DRAINING {
            sleep(FIRST_PAUSE).await;
        }
        Ok(Some(status))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            system::end(&mut self.child);
            // it is not waited for: one that hangs in the kernel would hang us
            drop(self.child.try_wait());
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
