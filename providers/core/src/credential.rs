//! What a cloud lends, and what an API server is shown.
//!
//! The provider states the times; the host obeys them. `fresh_until` says until when a credential
//! is used without a thought, `expires` until when it can be used at all: between the two a new one
//! is asked for, and the old one still serves if that fails. Where a successor can be fetched while
//! nobody waits, it is due earlier than that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::Fingerprint;

/// The most of a credential's end that is given away to get the next one in time.
const MARGIN: Duration = Duration::from_mins(5);
/// From when on a successor is due, in parts of a life: at 80 %, earlier or later by up to a tenth of
/// that, so that what was lent in the same minute is not asked for in the same minute.
const DUE_FIRST: i64 = 72;
const DUE_SPREAD: i64 = 16;

/// What a cloud lends for a session, for a while.
#[derive(Clone, Debug)]
pub struct Credential {
    secret: SecretString,
    issued: Timestamp,
    expires: Option<Timestamp>,
}

impl Credential {
    /// A credential with an end. `secret` is the provider's own text, opaque to the host.
    pub fn until(secret: SecretString, issued: Timestamp, expires: Timestamp) -> Self {
        Self { secret, issued, expires: Some(expires) }
    }

    /// A credential whose end is not known here, such as access keys. It is never kept.
    pub fn lasting(secret: SecretString, issued: Timestamp) -> Self {
        Self { secret, issued, expires: None }
    }

    /// The provider's own text.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// When it was lent.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// When it ends; `None` if that is not known.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Until when it is used without asking for another: its end, less five minutes or a tenth of
    /// its life, whichever is shorter.
    pub fn fresh_until(&self) -> Timestamp {
        self.before_its_end(self.margin())
    }

    /// Whether a successor is due, to be fetched while this one serves. It is the key that shifts it,
    /// and not chance: everybody who asks has to see the same. The key is asked for only where it
    /// matters.
    pub fn is_due(&self, now: Timestamp, key: impl FnOnce() -> Fingerprint) -> bool {
        let Some(expires) = self.expires else { return false };
        let life = expires.duration_since(self.issued).as_secs();
        let age = now.duration_since(self.issued).as_secs();
        let is_over = |hundredths: i64| age.saturating_mul(100) >= life.saturating_mul(hundredths);
        if !is_over(DUE_FIRST) {
            return false;
        }
        let by_hash = i64::from(key().as_bytes()[0]) * DUE_SPREAD / i64::from(u8::MAX);
        is_over(DUE_FIRST + by_hash)
    }

    /// Whether it may be handed out while its successor is being fetched. What is left has to last
    /// for a client's work, and for clocks that differ: half of what [`Credential::fresh_until`] keeps.
    pub fn serves(&self, now: Timestamp) -> bool {
        now < self.before_its_end(self.margin() / 2) && !self.is_from_the_future(now)
    }

    /// Whether it may be used without asking for another. A credential from the future is not:
    /// the clock was moved, and nothing here can be believed.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until() && !self.is_from_the_future(now)
    }

    /// Whether it can still be used at all.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end) && !self.is_from_the_future(now)
    }

    /// What of its end is given away.
    fn margin(&self) -> SignedDuration {
        let tenth = self.expires.map(|end| end.duration_since(self.issued) / 10);
        let most = SignedDuration::try_from(MARGIN).unwrap_or_default();
        tenth.unwrap_or_default().clamp(SignedDuration::ZERO, most)
    }

    fn before_its_end(&self, margin: SignedDuration) -> Timestamp {
        let Some(expires) = self.expires else { return Timestamp::MAX };
        expires.checked_sub(margin).unwrap_or(expires)
    }

    fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.issued.duration_since(now) > SignedDuration::from_mins(5)
    }
}

/// What the API server is shown.
#[derive(Clone, Debug)]
pub struct Token {
    /// The bearer token itself.
    pub secret: SecretString,
    /// When clients should ask again.
    pub expires: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lent(seconds: i64) -> Credential {
        let issued = Timestamp::from_second(1_000_000).unwrap();
        Credential::until("s".into(), issued, issued + SignedDuration::from_secs(seconds))
    }

    #[test]
    fn an_hour_is_fresh_until_five_minutes_before_its_end() {
        assert_eq!(lent(3600).fresh_until().as_second(), 1_000_000 + 3300);
    }

    #[test]
    fn a_short_life_gives_a_tenth_away() {
        assert_eq!(lent(900).fresh_until().as_second(), 1_000_000 + 810);
    }

    #[test]
    fn a_successor_is_due_at_four_fifths_of_a_life_shifted_by_the_key() {
        let due = |seconds: i64, life: i64, first: u8| {
            let key = || {
                let mut tries = (0_u32..).map(|n| Fingerprint::of(&n.to_le_bytes()));
                tries.find(|key| key.as_bytes()[0] == first).unwrap()
            };
            lent(life).is_due(Timestamp::from_second(1_000_000 + seconds).unwrap(), key)
        };
        for (life, first, at) in [
            (1000, 0, 720),
            (1000, 128, 800),
            (1000, 255, 880),
            (900, 128, 720),
            (43_200, 0, 31_104),
        ] {
            assert!(!due(at - 1, life, first), "{life} {first}");
            assert!(due(at, life, first), "{life} {first}");
            // and there is time left for it, however short the life
            assert!(lent(life).is_fresh(Timestamp::from_second(1_000_000 + at).unwrap()));
        }
        let now = Timestamp::from_second(1_000_700).unwrap();
        assert!(!lent(1000).is_due(now, || panic!("the key was asked for too early")));
        let lasting = Credential::lasting("s".into(), Timestamp::UNIX_EPOCH);
        assert!(!lasting.is_due(now, || panic!("it has no end")) && lasting.serves(now));
    }

    #[test]
    fn what_is_stale_serves_for_half_of_the_rest() {
        let at = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        let serves = [0, 3300, 3449, 3450, 3600].map(|seconds| lent(3600).serves(at(seconds)));
        assert_eq!(serves, [true, true, true, false, false]);
        assert!(!lent(36_000).serves(at(-3600)), "it is from the future");
    }

    #[test]
    fn stale_is_not_dead() {
        let now = Timestamp::from_second(1_000_000 + 3500).unwrap();
        assert!(!lent(3600).is_fresh(now));
        assert!(lent(3600).is_alive(now));
        assert!(!lent(3600).is_alive(Timestamp::from_second(1_000_000 + 3600).unwrap()));
    }

    #[test]
    fn a_credential_from_the_future_is_not_believed() {
        let now = Timestamp::from_second(1_000_000 - 3600).unwrap();
        assert!(!lent(36_000).is_fresh(now));
        assert!(!lent(36_000).is_alive(now));
    }

    #[test]
    fn an_end_before_the_beginning_is_dead_not_a_panic() {
        assert!(!lent(-10).is_fresh(Timestamp::from_second(1_000_000).unwrap()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Credential::lasting("hunter2".into(), Timestamp::UNIX_EPOCH));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
