//! What a test turns and reads: how Identity Center deals with tokens, and how many it saw.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::directory::Portal;

impl Portal {
    pub(crate) fn reuses(&self) -> usize {
        self.state().reuses
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.state().refreshes
    }

    pub(crate) fn set_lifetime(&self, lifetime: Option<Duration>) {
        self.state().lifetime = lifetime;
    }

    pub(crate) fn end_access_tokens(&self, now: Timestamp) {
        for access in self.state().access.values_mut() {
            access.expires = access.expires.min(now);
        }
    }

    pub(crate) fn set_interval(&self, interval: SignedDuration) {
        self.state().interval = Some(interval);
    }

    pub(crate) fn set_rotation(&self, rotates: bool) {
        self.state().keeps_refresh_tokens = !rotates;
    }

    pub(crate) fn set_end_at_reuse(&self, ends: bool) {
        self.state().ends_at_reuse = ends;
    }
}
