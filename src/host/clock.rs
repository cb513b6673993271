//! Time and chance.

use std::time::Duration;

use fleetkey_provider::{Clock, Entropy, Error, Result};
use jiff::Timestamp;

/// The system's clock.
pub(crate) struct SystemClock;

#[allow(clippy::disallowed_methods, reason = "this is the host, the one place that may")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// The system's generator.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<()> {
        aws_lc_rs::rand::fill(buffer).map_err(|_| Error::failed("the system gave no random bytes"))
    }
}
