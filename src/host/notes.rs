//! What `-v` shows, and what is said without it.

use std::io::Write;

use fleetkey_provider::{Notes, one_line};

use crate::prose::wrapped;

/// Lines on stderr: `-v`.
pub(crate) struct StderrNotes;

impl Notes for StderrNotes {
    fn note(&self, line: &str) {
        write(&told(line));
    }
    fn warn(&self, line: &str) {
        write(&for_a_person(line));
    }
}

/// Without `-v`: only what a person should know, and only if there is one, since some clients take
/// any stderr for a failure.
pub(crate) struct Quiet;

impl Notes for Quiet {
    fn note(&self, _line: &str) {}
    fn warn(&self, line: &str) {
        if super::stderr_is_terminal() {
            write(&for_a_person(line));
        }
    }
}

fn told(line: &str) -> String {
    format!("fleetkey: {}\n", one_line(line))
}

/// A sentence, broken between words where a terminal shows it.
fn for_a_person(line: &str) -> String {
    wrapped(&told(line), super::stderr_width())
}

fn write(text: &str) {
    // nobody is left to tell if stderr is closed
    drop(std::io::stderr().write_all(text.as_bytes()));
}
