//! The EC2 instance that the plugin runs on, if it runs on one: its role, its place, and the credentials it was given.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::aws::accounts::{Accounts, Credentials, Identity};
use crate::random;

pub(crate) struct Machine(Mutex<State>);

struct State {
    role: Option<String>,
    region: String,
    /// Session tokens of the metadata service, and their ends.
    tokens: HashMap<String, Timestamp>,
    credentials: Option<Credentials>,
}

impl Default for Machine {
    fn default() -> Self {
        Self(Mutex::new(State {
            role: None,
            region: "us-east-1".to_owned(),
            tokens: HashMap::new(),
            credentials: None,
        }))
    }
}

impl Machine {
    /// Another role, whose credentials are not handed out yet.
    pub(crate) fn set_role(&self, arn: Option<&str>) {
        let mut state = self.state();
        state.role = arn.map(str::to_owned);
        state.credentials = None;
    }

    pub(crate) fn set_region(&self, region: &str) {
        region.clone_into(&mut self.state().region);
    }

    pub(crate) fn role(&self) -> Option<String> {
        self.state().role.clone()
    }

    pub(crate) fn region(&self) -> String {
        self.state().region.clone()
    }

    /// A session token of the metadata service.
    pub(crate) fn token(&self, now: Timestamp, lifetime: Duration) -> String {
        let token = random::base64(40);
        let ends = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        self.state().tokens.insert(token.clone(), ends);
        token
    }

    pub(crate) fn knows(&self, token: &str, now: Timestamp) -> bool {
        self.state().tokens.get(token).is_some_and(|ends| *ends > now)
    }

    /// The role's credentials: the same ones until shortly before their end, when EC2 has new ones ready.
    pub(crate) fn credentials(&self, accounts: &Accounts, now: Timestamp) -> Option<Credentials> {
        let mut state = self.state();
        let role = state.role.clone()?;
        let good = |credentials: &&Credentials| {
            credentials.expires.duration_since(now) > AHEAD
                && accounts.key(&credentials.access_key_id).is_some()
        };
        if let Some(credentials) = state.credentials.as_ref().filter(good) {
            return Some(credentials.clone());
        }
        let identity = Identity::assumed(&role, INSTANCE);
        let credentials = accounts.issue(identity, accounts.end(now, LIFETIME), false);
        state.credentials = Some(credentials.clone());
        Some(credentials)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The instance's id, which is the session name of its role.
pub(crate) const INSTANCE: &str = "i-0123456789abcdef0";
/// The instance's account.
pub(crate) const ACCOUNT: &str = "111122223333";
const LIFETIME: Duration = Duration::from_hours(6);
/// New credentials are there at least five minutes before the old ones end (EC2 User Guide, "Retrieve security
/// credentials from instance metadata").
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
