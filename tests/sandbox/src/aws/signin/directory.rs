//! What AWS Sign-In remembers: pages, codes, and the chain of refresh tokens of each session.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::aws::accounts::User;
use crate::random;

/// What a program wants of a person.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) state: String,
}

/// What a program brings for a code.
pub(super) struct Brought<'a> {
    pub(super) client: &'a str,
    pub(super) code: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: &'a str,
}

/// A no, by its name in the answer.
#[derive(Debug)]
pub(super) struct Refused(pub(super) &'static str);

#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    pages: HashMap<String, Asked>,
    codes: HashMap<String, Code>,
    sessions: HashMap<u64, Session>,
    refresh: HashMap<String, Refresh>,
    proofs: HashSet<String>,
    denied: HashSet<String>,
    began: u64,
    refreshes: usize,
    reuses: usize,
}

#[derive(Debug)]
struct Code {
    asked: Asked,
    user: User,
    issued: Timestamp,
}

/// A sign-in that can be renewed, for a program that holds its key.
#[derive(Debug)]
struct Session {
    user: User,
    client: String,
    thumbprint: String,
    ends: Timestamp,
    has_old_password: bool,
}

#[derive(Debug)]
struct Refresh {
    session: u64,
    used: bool,
}

impl Directory {
    /// A page on which that is asked.
    pub(super) fn page(&self, asked: Asked) -> String {
        let id = random::uuid();
        self.state().pages.insert(id.clone(), asked);
        id
    }

    /// What was asked on that page, once.
    pub(super) fn answered(&self, page: &str) -> Option<Asked> {
        self.state().pages.remove(page)
    }

    /// A code for a person who signed in.
    pub(super) fn code(&self, asked: Asked, user: User, issued: Timestamp) -> String {
        let code = random::base64(200).replace('+', "-").replace('/', "_");
        self.state().codes.insert(code.clone(), Code { asked, user, issued });
        code
    }

    /// Whether this proof was not seen before.
    pub(super) fn is_fresh(&self, proof: String) -> bool {
        self.state().proofs.insert(proof)
    }

    /// A session for a code, once. Whoever brings a code uses it up, however wrong the rest is.
    pub(super) fn redeem(
        &self,
        brought: &Brought<'_>,
        thumbprint: &str,
        now: Timestamp,
    ) -> Result<(User, String), Refused> {
        let mut state = self.state();
        let Code { asked, user, issued } =
            state.codes.remove(brought.code).ok_or(Refused("INVALID_REQUEST"))?;
        let made = digest::digest(&digest::SHA256, brought.verifier.as_bytes());
        let is_proven = is_verifier(brought.verifier)
            && URL_SAFE_NO_PAD.encode(made) == asked.challenge
            && asked.client == brought.client
            && asked.redirect_uri == brought.redirect_uri;
        if !is_proven {
            return Err(Refused("INVALID_REQUEST"));
        }
        if issued.saturating_add(CODE_LIFE).unwrap_or(Timestamp::MAX) <= now {
            return Err(Refused("AUTHCODE_EXPIRED"));
        }
        if state.denied.contains(&user.arn) {
            return Err(Refused("INSUFFICIENT_PERMISSIONS"));
        }
        let token = state.begin(brought.client, thumbprint, &user, now);
        Ok((user, token))
    }

    /// Takes a refresh token and gives its successor, in one step: of two who bring the same one, one is refused, and
    /// the session is over for both.
    pub(super) fn refresh(
        &self,
        client: &str,
        token: &str,
        thumbprint: &str,
        now: Timestamp,
    ) -> Result<(User, String), Refused> {
        let mut state = self.state();
        let invalid = Refused("INVALID_REQUEST");
        let Some(Refresh { session: id, used }) = state.refresh.get_mut(token) else {
            return Err(invalid);
        };
        let (id, was_used) = (*id, *used);
        if was_used {
            state.reuses += 1;
            state.sessions.remove(&id);
            return Err(invalid);
        }
        let Some(session) = state.sessions.get(&id) else { return Err(invalid) };
        // a token that somebody stole is worth nothing without the key, and stays good
        if session.client != client || session.thumbprint != thumbprint {
            return Err(invalid);
        }
        if session.has_old_password {
            return Err(Refused("USER_CREDENTIALS_CHANGED"));
        }
        if state.denied.contains(&session.user.arn) {
            return Err(Refused("INSUFFICIENT_PERMISSIONS"));
        }
        if session.ends <= now {
            return Err(Refused("TOKEN_EXPIRED"));
        }
        let user = session.user.clone();
        if let Some(refresh) = state.refresh.get_mut(token) {
            refresh.used = true;
        }
        state.refreshes += 1;
        Ok((user, state.token(id)))
    }

    /// A session by itself, as if somebody had signed in.
    pub(super) fn begin(
        &self,
        client: &str,
        thumbprint: &str,
        user: &User,
        now: Timestamp,
    ) -> String {
        self.state().begin(client, thumbprint, user, now)
    }

    pub(super) fn change_password(&self, arn: &str) {
        let mut state = self.state();
        for session in state.sessions.values_mut().filter(|session| session.user.arn == arn) {
            session.has_old_password = true;
        }
    }

    pub(super) fn deny(&self, arn: &str) {
        self.state().denied.insert(arn.to_owned());
    }

    pub(super) fn refreshes(&self) -> usize {
        self.state().refreshes
    }

    pub(super) fn reuses(&self) -> usize {
        self.state().reuses
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, client: &str, thumbprint: &str, user: &User, now: Timestamp) -> String {
        self.began += 1;
        let session = Session {
            user: user.clone(),
            client: client.to_owned(),
            thumbprint: thumbprint.to_owned(),
            ends: now.saturating_add(SESSION_LIFE).unwrap_or(Timestamp::MAX),
            has_old_password: false,
        };
        self.sessions.insert(self.began, session);
        self.token(self.began)
    }

    fn token(&mut self, session: u64) -> String {
        let token = random::base64(300);
        self.refresh.insert(token.clone(), Refresh { session, used: false });
        token
    }
}

/// 43 to 128 unreserved characters (RFC 7636, section 4.1).
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(12);
