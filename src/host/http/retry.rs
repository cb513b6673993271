//! When a request is sent again, and how long after.
//!
//! Three more attempts at most, 0.2, 0.4 and 0.8 s apart, each up to doubled by chance; a server's
//! `Retry-After` is waited for if it is short, and taken as a no if it is not. The caller's deadline
//! bounds the whole.

use std::time::Duration;

use fleetkey_provider::{Entropy, HttpResponse, Result};

use crate::host::clock::SystemEntropy;

const MOST_PAUSES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A server that wants a longer pause than this is told to a person instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The attempts at one request.
pub(super) struct Attempts(u32);

impl Attempts {
    pub(super) fn new() -> Self {
        Self(0)
    }

    /// How long to wait before the next attempt; `None` if this answer is the last.
    pub(super) fn pause_before_next(
        &mut self,
        done: &Result<HttpResponse>,
        asks_for_it: fn(&HttpResponse) -> bool,
    ) -> Option<Duration> {
        let again = match done {
            Err(error) => error.kind() == fleetkey_provider::Kind::Unavailable,
            Ok(answer) => answer.status == 429 || answer.status >= 500 || asks_for_it(answer),
        };
        if !again || self.0 == MOST_PAUSES {
            return None;
        }
        let backoff = FIRST_PAUSE * 2_u32.pow(self.0);
        self.0 += 1;
        let asked = done.as_ref().ok().and_then(retry_after);
        match asked {
            Some(asked) if asked > LONGEST_PAUSE => None,
            asked => Some(asked.unwrap_or_default() + jittered(backoff)),
        }
    }
}

/// `Retry-After` in seconds. A date is not read: the backoff serves, and no clock has to agree.
fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let seconds: u64 = answer.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn jittered(backoff: Duration) -> Duration {
    let mut chance = [0_u8; 1];
    // without entropy everybody waits alike, which is slower and not wrong
    drop(SystemEntropy.fill(&mut chance));
    backoff + backoff * u32::from(chance[0]) / 255
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::Error;

    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "an attempt ends in a result")]
    fn answer(status: u16, retry_after: Option<&str>) -> Result<HttpResponse> {
        let headers =
            retry_after.map(|v| ("retry-after".to_owned(), v.to_owned())).into_iter().collect();
        Ok(HttpResponse { status, headers, body: vec![] })
    }

    fn pause(done: &Result<HttpResponse>) -> Option<Duration> {
        Attempts::new().pause_before_next(done, |answer| answer.status == 400)
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        for status in [429, 500, 503, 400] {
            assert!(pause(&answer(status, None)).is_some(), "{status}");
        }
        for status in [200, 302, 403, 404] {
            assert!(pause(&answer(status, None)).is_none(), "{status}");
        }
        assert!(pause(&Err(Error::unavailable("x"))).is_some());
        assert!(pause(&Err(Error::config("x"))).is_none());
    }

    #[test]
    fn four_attempts_are_the_end() {
        let mut attempts = Attempts::new();
        let pauses: Vec<_> =
            std::iter::from_fn(|| attempts.pause_before_next(&answer(500, None), |_| false))
                .collect();
        assert_eq!(pauses.len(), 3);
        assert!(pauses.iter().sum::<Duration>() < Duration::from_secs(3));
    }

    #[test]
    fn a_server_is_not_asked_before_it_said() {
        assert!(pause(&answer(503, Some("2"))).unwrap() >= Duration::from_secs(2));
        assert!(pause(&answer(503, Some("3600"))).is_none());
        for nonsense in ["-1", "soon", "99999999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert!(
                pause(&answer(503, Some(nonsense))).unwrap() < Duration::from_secs(1),
                "{nonsense}"
            );
        }
    }
}
