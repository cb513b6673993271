//! What a person reads while they are asked. It goes to stderr whatever `-v` says: stdout is the
//! client's.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fleetkey_provider::one_line;

/// Lines for a person.
#[derive(Clone)]
pub(super) struct Voice {
    out: Arc<Mutex<dyn Write + Send>>,
    was_heard: Arc<AtomicBool>,
}

impl Voice {
    /// On stderr.
    pub(super) fn stderr() -> Self {
        Self { out: Arc::new(Mutex::new(io::stderr())), was_heard: Arc::default() }
    }

    /// Whether anything was said yet.
    pub(super) fn was_heard(&self) -> bool {
        self.was_heard.load(Ordering::Relaxed)
    }

    /// Something was said elsewhere.
    pub(super) fn hear(&self) {
        self.was_heard.store(true, Ordering::Relaxed);
    }

    /// Says one or more lines. Whatever they were made of, they move no cursor.
    pub(super) fn say(&self, text: &str) {
        let lines: String = text.lines().map(|line| one_line(line) + "\n").collect();
        self.hear();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // nobody is left to tell if stderr is closed
        drop(out.write_all(lines.as_bytes()).and_then(|()| out.flush()));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A voice, and what it said.
    pub(in super::super) fn heard() -> (Voice, Arc<Mutex<Vec<u8>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        (Voice { out: heard.clone(), was_heard: Arc::default() }, heard)
    }

    #[test]
    fn lines_stay_lines_and_move_no_cursor() {
        let (voice, heard) = heard();
        voice.say("enter \u{1b}[2Jthe code\r\nABCD\u{202e}\n");
        assert_eq!(*heard.lock().unwrap(), b"enter  [2Jthe code\nABCD \n");
    }
}
