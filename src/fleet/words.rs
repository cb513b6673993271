//! Times and numbers as people read them.

use jiff::{SignedDuration, Timestamp};

/// How long it is from now until then: `7h58m`, `3d`; `over` if it is past.
pub(crate) fn span(now: Timestamp, end: Timestamp) -> String {
    let left = end.duration_since(now);
    if left <= SignedDuration::ZERO {
        return "over".into();
    }
    let minutes = left.as_mins();
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "<1m".into(),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

/// A time.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A number of things.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_short_as_people_say_them() {
        let now = Timestamp::from_second(1_767_323_045).unwrap();
        let of = |seconds| span(now, now + SignedDuration::from_secs(seconds));
        for (seconds, words) in [
            (-1, "over"),
            (0, "over"),
            (59, "<1m"),
            (60, "1m"),
            (3600, "1h"),
            (8 * 3600 - 61, "7h58m"),
            (24 * 3600, "1d"),
            (90 * 24 * 3600 + 7200, "90d2h"),
        ] {
            assert_eq!(of(seconds), words);
        }
        assert_eq!(moment(now), "2026-01-02 03:04 UTC");
        assert_eq!((counted(1, "a", "b").as_str(), counted(0, "a", "b").as_str()), ("1 a", "0 b"));
    }
}
