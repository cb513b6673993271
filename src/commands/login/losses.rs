//! What could not be kept while people signed in. It is told with what came of it: on stdout, whoever
//! reads that, since they will be asked again sooner than they think.

use std::sync::{Arc, Mutex, PoisonError};

use fleetkey_provider::{Lost, Notes, Refusing, one_line};

use crate::World;

/// Losses of a run, once each.
#[derive(Clone, Default)]
pub(super) struct Losses(Arc<Mutex<Vec<(Lost, String)>>>);

impl Losses {
    /// Those that the world notes from now on.
    pub(super) fn heard_from(world: &mut World) -> Self {
        let losses = Self::default();
        let notes = std::mem::replace(&mut world.host.notes, Box::new(Refusing));
        world.host.notes = Box::new(Listening { notes, losses: losses.clone() });
        losses
    }

    /// Those since the last look.
    pub(super) fn take(&self) -> Vec<(Lost, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, what: Lost, line: &str) {
        let loss = (what, one_line(line));
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
}

/// Notes that are listened to.
struct Listening {
    notes: Box<dyn Notes>,
    losses: Losses,
}

impl Notes for Listening {
    fn note(&self, line: &str) {
        self.notes.note(line);
    }
    fn warn(&self, line: &str) {
        self.notes.warn(line);
    }
    fn lost(&self, what: Lost, line: &str) {
        // a terminal would show it twice
        self.notes.note(line);
        self.losses.add(what, line);
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::KeptNotes;

    use super::*;

    #[test]
    fn a_loss_is_told_once_and_noted_each_time() {
        let mut world = World::real();
        let notes = KeptNotes::default();
        world.host.notes = Box::new(notes.clone());
        let losses = Losses::heard_from(&mut world);
        for what in [Lost::Session, Lost::Credential, Lost::Credential] {
            world.host.notes.lost(what, "the disk\nis full");
        }
        world.host.notes.warn("something else");
        let told =
            [Lost::Session, Lost::Credential].map(|what| (what, one_line("the disk\nis full")));
        assert_eq!(losses.take(), told);
        assert!(losses.take().is_empty());
        assert_eq!(notes.lines().len(), 4);
    }
}
