//! How far this machine's clock is from AWS's, learnt from the `Date` of its answers.
//!
//! A signature counts for minutes, so a machine whose clock is wrong can neither assume a role nor
//! sign in to a cluster, and the errors speak of signatures. What a credential came with tells how
//! wrong the clock is: it is kept with it, and requests and tokens are signed for the time there.
//! Only an answer over TLS is believed, since over plain http anybody on the way could write the
//! date; and nobody is believed who is more than a day off.
//! Times that leave this program, such as a token's end, are of the clock here, since clients
//! compare them with it.

use fleetkey_provider::{Endpoint, Error, Host, HttpResponse, Result};
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

    /// Whether what is lent with it is to be lent anew soon.
    ///
    /// The clock here may be corrected at any time, and what was kept for the wrong one would then
    /// sign for a wrong time. No record of when it was kept shows that reliably, so it is simply
    /// not kept for long.
    pub(crate) fn is_to_be_checked_soon(self) -> bool {
        self.is_far_from(Self::default())
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
        (service, endpoint): (&str, &Endpoint),
        host: &Host,
    ) -> Result<Self> {
        if endpoint.url().scheme() != "https" {
            return Ok(self);
        }
        let Some(there) = date(answer) else { return Ok(self) };
        let learnt = Self::between(sent, host.clock.now(), there);
        if learnt.0.unsigned_abs() > MOST {
            let differ = span(learnt.span().abs());
            return Err(Error::failed(format!(
                "this machine's clock and AWS's differ by {differ}"
            ))
            .because(format!("{service} answered at {there}; nothing is signed for such a time"))
            .next("date -u"));
        }
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
        Ok(learnt)
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
/// The most that is believed, in seconds: a day. A clock that is further off was never set, and an
/// answer that is was kept by somebody.
const MOST: u64 = 86_400;

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        Kind,
        testing::{KeptNotes, ManualClock},
    };

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

    /// What an answer with that date, from there, tells at 03:04:05.
    fn learn(known: Offset, date: &str, from: &str, notes: &KeptNotes) -> Result<Offset> {
        let host = Host {
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            notes: Box::new(notes.clone()),
            ..Host::refusing()
        };
        let headers = vec![("date".to_owned(), date.to_owned())];
        let answer = HttpResponse { status: 200, headers, body: vec![] };
        let endpoint = Endpoint::configured(from, "`X`", |_| true, &host).unwrap();
        known.learn(host.clock.now(), &answer, ("STS", &endpoint), &host)
    }

    #[test]
    fn nothing_is_learnt_over_plain_http() {
        let known = Offset::of_seconds(7);
        for date in ["Fri, 02 Jan 2026 04:04:05 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            let notes = KeptNotes::default();
            assert_eq!(learn(known, date, "http://127.0.0.1:1", &notes).unwrap(), known);
            assert!(notes.lines().is_empty());
        }
    }

    #[test]
    fn more_than_a_day_is_an_error() {
        let learn = |date| learn(Offset::default(), date, "https://sts", &KeptNotes::default());
        assert_eq!(learn("Sat, 03 Jan 2026 03:04:05 GMT").unwrap().seconds(), 86_400);
        for (date, differ) in
            [("Sat, 03 Jan 2026 03:04:06 GMT", "24 h"), ("Thu, 01 Jan 1970 00:00:00 GMT", "days")]
        {
            let error = learn(date).unwrap_err();
            assert_eq!(error.kind(), Kind::Failed);
            assert!(error.message().starts_with("this machine's clock and AWS's differ by"));
            assert!(error.message().ends_with(differ), "{error}");
            assert_eq!(error.next_line(), Some("date -u"));
        }
    }

    #[test]
    fn a_person_is_told_of_much_and_once() {
        let notes = KeptNotes::default();
        let learn = |known, date| learn(known, date, "https://sts", &notes).unwrap();
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
        learn(Offset::default(), "Thu, 01 Jan 2026 04:04:05 GMT");
        assert!(notes.lines().last().unwrap().contains("23 h ahead of STS's"));
    }
}
