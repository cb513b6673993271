//! Waiting for something to be so, and not for time to pass.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Looks again and again until it is so. Panics if it is not within the limit.
pub(crate) fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(1));
    }
}
