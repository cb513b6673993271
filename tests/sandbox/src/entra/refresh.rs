//! Refresh tokens: whose they are, for which application, and what becomes of them when they are used.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::errors::{Refusal, Result};
use crate::random;

/// What becomes of a refresh token that was redeemed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// It stays good, and a new one comes with every answer: what Entra does.
    #[default]
    Keep,
    /// It is spent. A second redemption is refused and counted.
    Rotate,
    /// It is spent. A second redemption is refused and counted, and ends every token that grew from the same sign-in.
    RevokeOnReuse,
}

/// All that were ever handed out.
#[derive(Debug, Default)]
pub(crate) struct RefreshTokens {
    pub(crate) rotation: Rotation,
    pub(crate) reuses: usize,
    tokens: HashMap<String, RefreshToken>,
    families: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub(crate) username: String,
    pub(crate) client_id: String,
    /// What the sign-in was for, if that is known.
    pub(crate) resource: Option<String>,
    /// Tokens of one sign-in share it.
    family: u64,
    issued: Timestamp,
    end: End,
}

/// Why a token is good no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Not,
    Spent,
    /// The person's sessions were revoked then.
    Revoked(Timestamp),
    /// One of the family was used twice.
    Stolen,
}

impl RefreshTokens {
    /// The first of a family.
    pub(crate) fn issue(
        &mut self,
        username: &str,
        client_id: &str,
        resource: Option<&str>,
        now: Timestamp,
    ) -> String {
        self.families += 1;
        self.add(RefreshToken {
            username: username.to_owned(),
            client_id: client_id.to_ascii_lowercase(),
            resource: resource.map(str::to_owned),
            family: self.families,
            issued: now,
            end: End::Not,
        })
    }

    /// What a token is, unless it cannot be redeemed by this client at all. A spent one is for [`Self::redeem`] to judge.
    pub(crate) fn look(
        &self,
        token: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<RefreshToken> {
        let found = self.tokens.get(token).ok_or_else(|| {
            if token.starts_with(PREFIX) {
                useless()
            } else {
                Refusal::malformed("not a refresh token").with_error("invalid_grant")
            }
        })?;
        if found.client_id != client_id.to_ascii_lowercase() {
            return Err(Refusal::new(700_007, "The grant was issued for a different client id."));
        }
        let since = found.issued.saturating_add(IDLE).unwrap_or(Timestamp::MAX);
        match found.end {
            End::Stolen => Err(useless()),
            End::Revoked(at) => Err(Refusal::new(
                50173,
                format!(
                    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The grant was \
                     issued on '{}' and the TokensValidFrom date for this user is '{at}'.",
                    found.issued
                ),
            )),
            End::Not | End::Spent if since <= now => Err(Refusal::new(
                700_082,
                format!(
                    "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for \
                     90.00:00:00.",
                    found.issued
                ),
            )),
            End::Not | End::Spent => Ok(found.clone()),
        }
    }

    /// Redeems a token for the next of its family, if one is wanted, or finds that somebody already has. Only an answer
    /// that brings the next one spends it.
    pub(crate) fn redeem(
        &mut self,
        token: &str,
        resource: &str,
        next: bool,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let Some(found) = self.tokens.get_mut(token) else { return Err(useless()) };
        match found.end {
            End::Not => {}
            End::Spent => {
                let family = found.family;
                self.reuses += 1;
                if self.rotation == Rotation::RevokeOnReuse {
                    self.end(End::Stolen, |token| token.family == family);
                }
                return Err(useless());
            }
            End::Revoked(_) | End::Stolen => return Err(useless()),
        }
        if !next {
            return Ok(None);
        }
        if self.rotation != Rotation::Keep {
            found.end = End::Spent;
        }
        let next = RefreshToken {
            issued: now,
            resource: Some(resource.to_owned()),
            end: End::Not,
            ..found.clone()
        };
        Ok(Some(self.add(next)))
    }

    /// Ends all tokens of a person.
    pub(crate) fn revoke(&mut self, username: &str, now: Timestamp) {
        let username = username.to_lowercase();
        self.end(End::Revoked(now), |token| token.username.to_lowercase() == username);
    }

    fn end(&mut self, how: End, which: impl Fn(&RefreshToken) -> bool) {
        for token in self.tokens.values_mut().filter(|token| which(token)) {
            token.end = how;
        }
    }

    fn add(&mut self, token: RefreshToken) -> String {
        let name = format!("{PREFIX}{}", random::base64(660).replace('+', "-").replace('/', "_"));
        self.tokens.insert(name.clone(), token);
        name
    }
}

fn useless() -> Refusal {
    Refusal::new(
        70000,
        "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid.",
    )
}

const PREFIX: &str = "1.A";
const IDLE: SignedDuration = SignedDuration::from_hours(90 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn code<T: std::fmt::Debug>(result: Result<T>) -> u32 {
        result.unwrap_err().code
    }

    #[test]
    fn entra_keeps_the_old_ones() {
        let mut tokens = RefreshTokens::default();
        let first = tokens.issue("alice", "C", None, now());
        let second = tokens.redeem(&first, "r", true, now()).unwrap().unwrap();
        assert_ne!(first, second);
        tokens.redeem(&first, "r", true, now()).unwrap();
        assert_eq!(tokens.reuses, 0);
        assert_eq!(tokens.look(&second, "c", now()).unwrap().resource.as_deref(), Some("r"));
        assert_eq!(code(tokens.look(&first, "d", now())), 700_007);
        assert_eq!(code(tokens.look("1.A", "c", now())), 70000);
        assert_eq!(code(tokens.look("x", "c", now())), 9_002_313);
        assert_eq!(code(tokens.look(&first, "c", now().saturating_add(IDLE).unwrap())), 700_082);
    }

    #[test]
    fn a_rotated_one_is_good_once() {
        let mut tokens = RefreshTokens { rotation: Rotation::Rotate, ..RefreshTokens::default() };
        let first = tokens.issue("alice", "c", None, now());
        let second = tokens.redeem(&first, "r", true, now()).unwrap().unwrap();
        assert_eq!(code(tokens.redeem(&first, "r", true, now())), 70000);
        assert_eq!(tokens.reuses, 1);
        tokens.redeem(&second, "r", true, now()).unwrap();
    }

    #[test]
    fn a_thief_ends_the_family_and_no_other() {
        let rotation = Rotation::RevokeOnReuse;
        let mut tokens = RefreshTokens { rotation, ..RefreshTokens::default() };
        let first = tokens.issue("alice", "c", None, now());
        let other = tokens.issue("alice", "c", None, now());
        let second = tokens.redeem(&first, "r", true, now()).unwrap().unwrap();
        assert_eq!(code(tokens.redeem(&first, "r", true, now())), 70000);
        assert_eq!(code(tokens.look(&second, "c", now())), 70000);
        assert_eq!(code(tokens.redeem(&second, "r", true, now())), 70000);
        assert_eq!(tokens.reuses, 1);
        let other = tokens.redeem(&other, "r", true, now()).unwrap().unwrap();
        tokens.revoke("ALICE", now());
        assert_eq!(code(tokens.look(&other, "c", now())), 50173);
    }
}
