//! How far a search is, on one line of a terminal, which is gone when it is over.

use std::sync::{Mutex, PoisonError};

use super::queue::Outcome;
use crate::{World, host::stdout_width};

/// The line, until it is dropped.
pub(super) struct Progress<'a> {
    world: &'a World,
    is_shown: bool,
    /// How long what stands there is.
    length: Mutex<usize>,
}

impl<'a> Progress<'a> {
    /// Shown only if a terminal is behind stderr.
    pub(super) fn new(world: &'a World) -> Self {
        Self { world, is_shown: (world.stderr_is_terminal)(), length: Mutex::new(0) }
    }

    /// Shows it.
    pub(super) fn show(&self, outcome: &Outcome) {
        if self.is_shown {
            self.write(&line(outcome));
        }
    }

    /// Shows that a credential is being brought. A question to a person may come next: it is written
    /// over this.
    pub(super) fn bring(&self, number: usize, count: usize) {
        if self.is_shown && count > 1 {
            self.write(&format!("credential {number} of {count} …"));
            self.world.complain("\r");
        }
    }

    /// In place of what stands there.
    fn write(&self, line: &str) {
        let mut length = self.length.lock().unwrap_or_else(PoisonError::into_inner);
        let line: String = line.chars().take(width()).collect();
        let new = line.chars().count();
        let rest = length.saturating_sub(new);
        self.world.complain(&format!("\r{line}{}{}", " ".repeat(rest), "\u{8}".repeat(rest)));
        *length = new;
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        let is_there = *self.length.lock().unwrap_or_else(PoisonError::into_inner) > 0;
        if is_there {
            self.write("");
        }
    }
}

fn line(outcome: &Outcome) -> String {
    let Outcome { asked, known, clusters, .. } = outcome;
    let found = if *clusters == 1 { "cluster" } else { "clusters" };
    format!("looking … {asked} of {known} asked, {clusters} {found} found")
}

/// How long a line may be: one that goes on below could not be drawn in place.
fn width() -> usize {
    stdout_width().unwrap_or(80).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is left of it on a terminal of one line.
    fn left(heard: &Heard) -> String {
        let (mut screen, mut at) = (Vec::new(), 0);
        for c in String::from_utf8(heard.0.lock().unwrap().clone()).unwrap().chars() {
            match c {
                '\r' => at = 0,
                '\u{8}' => at -= 1,
                c => {
                    screen.resize(screen.len().max(at + 1), ' ');
                    screen[at] = c;
                    at += 1;
                }
            }
        }
        screen.into_iter().collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn it_is_drawn_in_place_and_goes_and_is_only_for_terminals() {
        for is_terminal in [true, false] {
            let heard = Heard::default();
            let mut world = World::real().heard_by(std::io::sink(), heard.clone());
            world.stderr_is_terminal = if is_terminal { || true } else { || false };
            let progress = Progress::new(&world);
            let mut outcome = Outcome { known: 100, asked: 10, ..Outcome::default() };
            progress.show(&outcome);
            (outcome.known, outcome.asked, outcome.clusters) = (9, 9, 1);
            progress.show(&outcome);
            let wanted = "looking … 9 of 9 asked, 1 cluster found";
            assert_eq!(left(&heard), if is_terminal { wanted } else { "" });
            drop(progress);
            assert_eq!(left(&heard), "");
        }
    }
}
