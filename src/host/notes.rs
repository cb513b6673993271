//! What `-v` shows.

use std::io::Write;

use fleetkey_provider::Notes;

/// Lines on stderr.
pub(crate) struct StderrNotes;

impl Notes for StderrNotes {
    fn note(&self, line: &str) {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // nobody is left to tell if stderr is closed
        drop(writeln!(std::io::stderr(), "fleetkey: {line}"));
    }
}
