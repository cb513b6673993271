//! AWS Sign-In, as `aws login` uses it: a page where somebody signs in to the console and lets a program in, and the
//! service that gives keys for it.

mod authorize;
mod browser;
pub(crate) mod directory;
mod file;
mod proof;
pub(crate) mod service;
mod token;

use jiff::{SignedDuration, Timestamp};

use crate::aws::accounts::{Credentials, Identity, User};
use crate::sandbox::Sandbox;

/// A session as `aws login` leaves one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    /// Who signed in, which is the session's name.
    pub arn: String,
    /// The keys that were lent last.
    pub keys: Credentials,
    /// What renews them, once.
    pub refresh_token: String,
    /// The client that signed in, and may renew.
    pub client_id: String,
    /// Who signed in, as AWS says it.
    pub id_token: String,
    /// The key that the session is bound to, in PEM.
    pub dpop_key: String,
}

impl Sandbox {
    /// A session of this user, whose keys are good for a quarter of an hour.
    pub fn login_session(&self, user: &User) -> std::io::Result<LoginSession> {
        self.login_session_for(user, LIFETIME)
    }

    /// The same, whose keys end after this long, or ended, if negative.
    pub fn login_session_for(
        &self,
        user: &User,
        lifetime: SignedDuration,
    ) -> std::io::Result<LoginSession> {
        let (dpop_key, thumbprint) = proof::key()?;
        let now = self.now();
        let client_id = SAME_DEVICE.to_owned();
        let refresh_token = self.world.signin.begin(&client_id, &thumbprint, user, now);
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let keys = self.world.accounts.issue(Identity::of_user(user), expires, false);
        let id_token = token::id_token(&self.world, user, &client_id)?;
        Ok(LoginSession {
            arn: user.arn.clone(),
            keys,
            refresh_token,
            client_id,
            id_token,
            dpop_key,
        })
    }

    /// Changes the user's password: no session from before can be renewed.
    pub fn change_password(&self, user: &User) {
        self.world.signin.change_password(&user.arn);
    }

    /// Takes the permission for such sessions from the user.
    pub fn deny_login(&self, user: &User) {
        self.world.signin.deny(&user.arn);
    }

    /// How many times sessions of `aws login` were renewed.
    pub fn login_refreshes(&self) -> usize {
        self.world.signin.refreshes()
    }

    /// How many times a refresh token was sent that had been used before. Its session is lost by one.
    pub fn login_reuses(&self) -> usize {
        self.world.signin.reuses()
    }
}

/// What keys last.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";
/// Where a browser ends whose person is to type the code elsewhere.
const CONFIRMATION: &str = "/v1/sessions/confirmation";
