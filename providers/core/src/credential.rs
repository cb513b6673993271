//! What a cloud lends, and what an API server is shown.
//!
//! The provider states the times; the host obeys them. `fresh_until` says until when a credential
//! is used without a thought, `expires` until when it can be used at all: between the two a new one
//! is asked for, and the old one still serves if that fails.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

/// The most of a credential's end that is given away to get the next one in time.
const MARGIN: Duration = Duration::from_mins(5);

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
        let Some(expires) = self.expires else { return Timestamp::MAX };
        let tenth = expires.duration_since(self.issued) / 10;
        let margin =
            tenth.clamp(SignedDuration::ZERO, SignedDuration::try_from(MARGIN).unwrap_or_default());
        expires.checked_sub(margin).unwrap_or(expires)
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
