//! How long one run may take, counted once from its start: locks, every step of a chain and every
//! attempt of a request draw on the same time.

use std::time::Duration;

use jiff::Timestamp;

/// What is left for a last request when waiting for others used up the time.
const GRACE: Duration = Duration::from_secs(5);

/// When to stop waiting, and when to stop altogether.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    soft: Timestamp,
    hard: Timestamp,
}

impl Deadline {
    /// `timeout` for everything, and five seconds more for who spent it waiting.
    pub(super) fn new(now: Timestamp, timeout: Duration) -> Self {
        let soft = later(now, timeout);
        Self { soft, hard: later(soft, GRACE) }
    }

    /// The same or an earlier one, without the grace.
    pub(super) fn within(self, now: Timestamp, limit: Duration) -> Self {
        let soft = self.soft.min(later(now, limit));
        Self { soft, hard: soft }
    }

    /// How long to wait for somebody else.
    pub(super) fn for_others(self, now: Timestamp) -> Duration {
        left(now, self.soft)
    }

    /// How long the network may take.
    pub(super) fn for_network(self, now: Timestamp) -> Duration {
        left(now, self.soft).max(left(now, self.hard).min(GRACE))
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn left(now: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_gets_five_seconds_and_nobody_more_than_thirty_five() {
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let deadline = Deadline::new(start, Duration::from_secs(30));
        let at = |seconds| later(start, Duration::from_secs(seconds));
        let network = [0, 20, 28, 30, 33, 35, 60].map(|s| deadline.for_network(at(s)).as_secs());
        assert_eq!(network, [30, 10, 5, 5, 2, 0, 0]);
        let others = [0, 20, 30, 35].map(|s| deadline.for_others(at(s)).as_secs());
        assert_eq!(others, [30, 10, 0, 0]);
    }

    #[test]
    fn a_renewal_has_its_own_end_and_no_grace() {
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let renewal = Deadline::new(start, Duration::from_secs(30)).within(start, GRACE);
        assert_eq!(renewal.for_network(start), GRACE);
        assert_eq!(renewal.for_network(later(start, GRACE)), Duration::ZERO);
    }
}
