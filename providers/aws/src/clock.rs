//! How far this machine's clock is from AWS's, learnt from the `Date` of its answers.
//!
//! A signature counts for minutes, so a machine whose clock is wrong can neither assume a role nor
//! sign in to a cluster, and the errors speak of signatures. What a credential came with tells how
//! wrong the clock is: it is kept with it, and requests and tokens are signed for the time there.
//! Times that leave this program, such as a token's end, are of the clock here, since clients
//! compare them with it.

use fleetkey_provider::{Host, HttpResponse};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

/// What to add to the time here to get the time there; whole seconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Offset(i64);

impl Offset {
    /// From what was kept.
    pub(crate) fn of_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// To keep.
    pub(crate) fn seconds(self) -> i64 {
        self.0
    }

    /// The time there.
    pub(crate) fn there(self, here: Timestamp) -> Timestamp {
        here.checked_add(self.span()).unwrap_or(here)
    }

    /// The time here.
    pub(crate) fn here(self, there: Timestamp) -> Timestamp {
        there.checked_sub(self.span()).unwrap_or(there)
    }

    /// Whether signing with this one instead could make a difference.
    pub(crate) fn is_far_from(self, other: Self) -> bool {
        self.0.abs_diff(other.0) > TOLD
    }

    /// What this answer to a request of that time tells; the same again if it tells nothing. A
    /// person is told once, if it is much.
    pub(crate) fn learn(
        self,
        sent: Timestamp,
        answer: &HttpResponse,
        service: &str,
        host: &Host,
    ) -> Self {
        let Some(there) = date(answer) else { return self };
        let learnt = Self::between(sent, host.clock.now(), there);
        if learnt.0 != 0 {
            host.notes.note(&format!("{service}'s clock is {} s from this machine's", learnt.0));
        }
        if learnt.0.unsigned_abs() > MUCH && learnt.is_far_from(self) {
            let way = if learnt.0 < 0 { "ahead of" } else { "behind" };
            host.notes.warn(&format!(
                "the clock of this machine is {} {way} {service}'s; signed for the time there",
                span(learnt.span().abs())
            ));
        }
        learnt
    }

    /// The date was written somewhere between sending and receiving, and then cut to a second. What
    /// that explains is no difference, and neither are a few seconds more.
    fn between(sent: Timestamp, received: Timestamp, there: Timestamp) -> Self {
        let [sent, received, there] = [sent, received, there].map(Timestamp::as_second);
        let offset = if there > received {
            there - received
        } else if there < sent.min(received) {
            there - sent.min(received)
        } else {
            0
        };
        if offset.unsigned_abs() > FEW { Self(offset) } else { Self(0) }
    }

    fn span(self) -> SignedDuration {
        SignedDuration::from_secs(self.0)
    }
}

/// When the server says that it answered.
pub(crate) fn date(answer: &HttpResponse) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(answer.header("date")?).ok()
}

/// A length of time, for a person.
pub(crate) fn span(duration: SignedDuration) -> String {
    match duration.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Seconds that no signature is refused for.
const FEW: u64 = 5;
/// A difference that a request is worth sending again for.
const TOLD: u64 = 60;
/// What AWS lets a signature's time differ, in seconds.
const MUCH: u64 = 300;

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{KeptNotes, ManualClock};

    use super::*;

    fn learnt(sent: i64, received: i64, there: i64) -> i64 {
        let time = |second| Timestamp::from_second(1_000_000 + second).unwrap();
        Offset::between(time(sent), time(received), time(there)).seconds()
    }

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        for (received, there) in [(0, 0), (30, 0), (30, 15), (30, 30), (1, 6), (1, -5)] {
            assert_eq!(learnt(0, received, there), 0, "{received} {there}");
        }
        assert_eq!(learnt(0, 2, 1202), 1200);
        assert_eq!(learnt(0, 2, -1200), -1200);
        assert_eq!(learnt(0, 2, -6), -6);
        // the clock was moved in between
        assert_eq!(learnt(0, -1000, -500), 500);
    }

    #[test]
    fn the_two_times_are_each_others_inverse_and_nothing_panics() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for seconds in [0, 1200, -1200, i64::MAX, i64::MIN] {
            let offset = Offset::of_seconds(seconds);
            assert_eq!(offset.here(offset.there(now)), now, "{seconds}");
        }
    }

    #[test]
    fn a_person_is_told_of_much_and_once() {
        let notes = KeptNotes::default();
        let host = Host {
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            notes: Box::new(notes.clone()),
            ..Host::refusing()
        };
        let learn = |known: Offset, date: &str| {
            let headers = vec![("date".to_owned(), date.to_owned())];
            let answer = HttpResponse { status: 200, headers, body: vec![] };
            known.learn(host.clock.now(), &answer, "STS", &host)
        };
        let warned =
            || notes.lines().iter().filter(|line| line.contains("of this machine")).count();
        assert_eq!(learn(Offset::default(), "Fri, 02 Jan 2026 03:04:05 GMT").seconds(), 0);
        assert_eq!(learn(Offset::default(), "Fri, 02 Jan 2026 03:07:05 GMT").seconds(), 180);
        assert_eq!(warned(), 0);
        let behind = learn(Offset::default(), "Fri, 02 Jan 2026 03:24:05 GMT");
        assert_eq!((behind.seconds(), warned()), (1200, 1));
        assert!(notes.lines().last().unwrap().contains("20 min behind STS's"));
        assert_eq!(learn(behind, "Fri, 02 Jan 2026 03:24:06 GMT").seconds(), 1201);
        assert_eq!(learn(behind, "nonsense"), behind);
        assert_eq!(warned(), 1);
        learn(Offset::default(), "Thu, 01 Jan 2026 00:00:00 GMT");
        assert!(notes.lines().last().unwrap().contains("27 h ahead of STS's"));
    }
}
