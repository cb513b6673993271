//! What `-v` shows.

use std::io::Write;

use fleetkey_provider::{Notes, one_line};

/// Lines on stderr.
pub(crate) struct StderrNotes;

impl Notes for StderrNotes {
    fn note(&self, line: &str) {
        // nobody is left to tell if stderr is closed
        drop(writeln!(std::io::stderr(), "fleetkey: {}", one_line(line)));
    }
}
