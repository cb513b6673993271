//! What `-v` shows, and what is said without it.

use std::io::Write;

use fleetkey_provider::{Notes, one_line};

/// Lines on stderr: `-v`.
pub(crate) struct StderrNotes;

impl Notes for StderrNotes {
    fn note(&self, line: &str) {
        write(line);
    }
}

/// Without `-v`: only what a person should know, and only if there is one, since some clients take
/// any stderr for a failure.
pub(crate) struct Quiet;

impl Notes for Quiet {
    fn note(&self, _line: &str) {}
    fn warn(&self, line: &str) {
        if super::stderr_is_terminal() {
            write(line);
        }
    }
}

fn write(line: &str) {
    // nobody is left to tell if stderr is closed
    drop(writeln!(std::io::stderr(), "fleetkey: {}", one_line(line)));
}
