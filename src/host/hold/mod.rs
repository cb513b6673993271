//! Not now: while a session is redeemed no signal and no deadline ends the process, since the answer
//! that is on its way is the only one there will be.
//!
//! Signals that come meanwhile are delivered when the hold ends. That it ends is the network's
//! affair, which gives every request seconds.

#[cfg(unix)]
mod signals;

use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(unix)]
use self::signals::Signals;
#[cfg(unix)]
pub(crate) use self::signals::outlive_full_files;

/// What a process holds back, and for how many.
pub(crate) struct Hold {
    holders: AtomicUsize,
    #[cfg(unix)]
    signals: Signals,
}

static OF_THIS_PROCESS: Hold = Hold::new();

impl Hold {
    /// Signals come to the whole process.
    pub(crate) fn of_this_process() -> &'static Self {
        &OF_THIS_PROCESS
    }

    pub(crate) const fn new() -> Self {
        Self {
            holders: AtomicUsize::new(0),
            #[cfg(unix)]
            signals: Signals::new(),
        }
    }

    /// From now on, until what it returns is dropped.
    pub(crate) fn begin(&'static self) -> Held {
        if self.holders.fetch_add(1, Ordering::SeqCst) == 0 {
            #[cfg(unix)]
            self.signals.hold();
        }
        Held(self)
    }

    /// Whether something must not be cut short.
    pub(crate) fn is_on(&self) -> bool {
        self.holders.load(Ordering::SeqCst) > 0
    }
}

/// Nothing ends the process while this is there.
pub(crate) struct Held(&'static Hold);

impl Drop for Held {
    fn drop(&mut self) {
        if self.0.holders.fetch_sub(1, Ordering::SeqCst) == 1 {
            #[cfg(unix)]
            self.0.signals.deliver();
        }
    }
}
