//! The sandbox's clock: the system's, moved by what a test asked for.
//!
//! Lifetimes are tested by moving this clock, never by waiting.

use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};

#[derive(Default)]
pub(crate) struct Clock(Mutex<SignedDuration>);

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.offset()).unwrap_or(now)
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_offset(&self, offset: SignedDuration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = offset;
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut offset = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = offset.saturating_add(by);
    }
}

/// `20260102T030405Z`, as SigV4 writes a moment.
pub(crate) fn amz_date(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// `20260102T030405Z` and nothing else.
pub(crate) fn parse_amz_date(text: &str) -> Option<Timestamp> {
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    (amz_date(at) == text).then_some(at)
}

/// `2026-01-02T03:04:05Z`: whole seconds, as both clouds answer.
pub(crate) fn iso8601(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Fri, 02 Jan 2026 03:04:05 GMT`, the Date header.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_in_four_spellings() {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(amz_date(at), "20260102T030405Z");
        assert_eq!(iso8601(at), "2026-01-02T03:04:05Z");
        assert_eq!(http_date(at), "Fri, 02 Jan 2026 03:04:05 GMT");
        assert_eq!(parse_amz_date("20260102T030405Z"), Some(at));
        for wrong in [
            "xxxxxxx",
            "",
            "20260102T030405",
            "2026-01-02T03:04:05Z",
            "20261302T030405Z",
            "20260102T030460Z",
        ] {
            assert_eq!(parse_amz_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_clock_moves_only_when_told() {
        let clock = Clock::default();
        clock.set_offset(SignedDuration::from_hours(5));
        clock.advance(SignedDuration::from_hours(-2));
        assert_eq!(clock.offset(), SignedDuration::from_hours(3));
    }
}
