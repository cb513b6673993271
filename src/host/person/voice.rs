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

use crate::{host::stderr_width, prose::wrapped};

/// The white and the black that no theme changes.
const LIGHT_ON_DARK: &str = "\u{1b}[38;5;231;48;5;16m";

/// Lines for a person.
#[derive(Clone)]
pub(super) struct Voice {
    out: Arc<Mutex<dyn Write + Send>>,
    was_heard: Arc<AtomicBool>,
    /// How wide a line may be; `None` if that cannot be told.
    columns: fn() -> Option<usize>,
}

impl Voice {
    /// On stderr.
    pub(super) fn stderr() -> Self {
        let out = Arc::new(Mutex::new(io::stderr()));
        Self { out, was_heard: Arc::default(), columns: stderr_width }
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
        self.write(&wrapped(&lines, (self.columns)()));
    }

    /// Shows lines of blocks, light on dark if colours may be used; a camera reads no negative. Nothing where
    /// there is no room for it.
    pub(super) fn draw(&self, blocks: &str, may_colour: bool) {
        let width = blocks.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        if (self.columns)().is_some_and(|columns| columns < width) {
            return;
        }
        let line = |line: &str| {
            let line = one_line(line);
            if may_colour { [LIGHT_ON_DARK, &line, "\u{1b}[0m\n"].concat() } else { line + "\n" }
        };
        self.write(&blocks.lines().map(line).collect::<String>());
    }

    fn write(&self, lines: &str) {
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
        (Voice { out: heard.clone(), was_heard: Arc::default(), columns: || None }, heard)
    }

    #[test]
    fn lines_stay_lines_and_move_no_cursor() {
        let (voice, heard) = heard();
        voice.say("enter \u{1b}[2Jthe code\r\nABCD\u{202e}\n");
        assert_eq!(*heard.lock().unwrap(), b"enter  [2Jthe code\nABCD \n");
    }

    #[test]
    fn a_picture_is_light_on_dark_on_a_light_terminal_too() {
        for (may_colour, expected) in
            [(true, "\u{1b}[38;5;231;48;5;16m██\u{1b}[0m\n"), (false, "██\n")]
        {
            let (voice, heard) = heard();
            voice.draw("██\n", may_colour);
            assert_eq!(String::from_utf8(heard.lock().unwrap().clone()).unwrap(), expected);
            let narrow = Voice { columns: || Some(1), ..voice };
            narrow.draw("██\n", may_colour);
            assert_eq!(heard.lock().unwrap().len(), expected.len(), "there is no room for it");
        }
    }
}
