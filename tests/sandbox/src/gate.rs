//! Waiting inside a server thread: for a test ([`Gate`]) or for the end of the sandbox ([`Stop`]).
//!
//! Nothing waits for ever: whoever waits for a gate also waits for the sandbox to be dropped.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Holds answers back until the test says so: `Fault::Hold(gate.clone())`.
///
/// Once released it stays open.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    open: bool,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests stand before the gate now.
    pub fn waiting(&self) -> usize {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).waiting
    }

    /// Blocks until at least `count` requests stand before the gate, or `limit` has passed; says which.
    pub fn wait_for(&self, count: usize, limit: Duration) -> bool {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = changed
            .wait_timeout_while(state, limit, |state| state.waiting < count && !state.open)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting >= count
    }

    /// Lets everybody through, now and later.
    pub fn release(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap_or_else(PoisonError::into_inner).open = true;
        changed.notify_all();
    }

    /// Stands before the gate until it opens or the sandbox ends.
    pub(crate) fn pass(&self, stop: &Stop) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        changed.notify_all();
        while !state.open && !stop.stopped() {
            (state, _) = changed
                .wait_timeout(state, Duration::from_millis(50))
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        drop(state);
        changed.notify_all();
    }
}

/// The end of the sandbox, as its threads see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    pub(crate) fn stop(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    pub(crate) fn stopped(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits this long, or until the sandbox ends.
    pub(crate) fn wait(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let mut stopped = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (stopped, _) =
                self.0.1.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_counts_and_lets_through() {
        let gate = Gate::new();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let gate = gate.clone();
                std::thread::spawn(move || gate.pass(&Stop::default()))
            })
            .collect();
        assert!(gate.wait_for(3, Duration::from_secs(10)));
        gate.release();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(gate.waiting(), 0);
    }
}
