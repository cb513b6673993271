//! IAM Identity Center: who signed in, the service that renews a sign-in, and the portal that lends roles for one.

mod assignments;
mod authorize;
pub(crate) mod browser;
mod codes;
pub(crate) mod directory;
mod knobs;
pub(crate) mod oidc;
mod oidc_error;
mod oidc_request;
pub(crate) mod portal;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::oidc_error::oidc_error;
use crate::aws::accounts::{Credentials, Identity};
use crate::aws::sigv4::digest;
use crate::sandbox::Sandbox;

/// A signed-in person, as `aws sso login` leaves one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoSession {
    /// Who signed in.
    pub user: String,
    /// The bearer of the session.
    pub access_token: String,
    /// When it ends, by the sandbox's clock.
    pub expires: Timestamp,
    /// What renews it, once; a sign-in without scopes has none.
    pub refresh_token: Option<String>,
    /// The client that signed in, and may renew.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// When the client is forgotten.
    pub registration_expires: Timestamp,
    /// The start URL of the sandbox's portal.
    pub start_url: String,
    /// The region of the portal.
    pub region: String,
}

/// A sign-in in the making. Without further words: an access token for eight hours, a registration for ninety days, and
/// a refresh token.
#[must_use = "nobody is signed in before `done`"]
pub struct SsoSignIn<'a> {
    sandbox: &'a Sandbox,
    user: String,
    access: SignedDuration,
    registration: SignedDuration,
    refreshes: bool,
}

impl SsoSignIn<'_> {
    /// The access token ends after this long, or ended, if negative; file and portal agree.
    pub fn access_token_for(mut self, lifetime: SignedDuration) -> Self {
        self.access = lifetime;
        self
    }

    /// The access token ended an hour ago.
    pub fn access_token_expired(self) -> Self {
        self.access_token_for(SignedDuration::from_hours(-1))
    }

    /// The client's registration ends after this long, or ended, if negative.
    pub fn registration_for(mut self, lifetime: SignedDuration) -> Self {
        self.registration = lifetime;
        self
    }

    /// The client's registration ended an hour ago.
    pub fn registration_expired(self) -> Self {
        self.registration_for(SignedDuration::from_hours(-1))
    }

    /// Signed in without scopes, as for a profile without an sso-session: there is no refresh token.
    pub fn legacy(mut self) -> Self {
        self.refreshes = false;
        self
    }

    /// Signs in.
    pub fn done(self) -> SsoSession {
        let Self { sandbox, user, access, registration, refreshes } = self;
        sandbox.world.portal.sign_in(&user, sandbox.now(), access, registration, refreshes)
    }
}

impl Sandbox {
    /// A signed-in SSO session of a person, good for eight hours, and renewable.
    pub fn sso_session(&self, user: &str) -> SsoSession {
        self.sso_sign_in(user).done()
    }

    /// The same with something about it that is not as it should be.
    pub fn sso_sign_in(&self, user: &str) -> SsoSignIn<'_> {
        SsoSignIn {
            sandbox: self,
            user: user.to_owned(),
            access: SignedDuration::from_hours(8),
            registration: SignedDuration::from_hours(90 * 24),
            refreshes: true,
        }
    }

    /// Ends all sessions of a person, as an administrator or the browser would: no token of theirs is good any more.
    pub fn sso_sign_out(&self, user: &str) {
        self.world.portal.sign_out_user(user);
    }

    /// Lets a person use a role of an account through SSO.
    pub fn grant_sso(&self, user: &str, account: &str, role: &str) {
        self.world.portal.grant(user, account, role);
    }

    /// What the portal calls an account.
    pub fn account_name(&self, account: &str, name: &str) {
        self.world.portal.name_account(account, name);
    }

    /// Presses the button on the page that shows this code: the device that waits for it is signed in as this person.
    /// Whether somebody waits.
    pub fn sso_approve(&self, user_code: &str, user: &str) -> bool {
        self.world.portal.approve(user_code, user)
    }

    /// Presses the other button there. Whether somebody waits.
    pub fn sso_decline(&self, user_code: &str) -> bool {
        self.world.portal.decline(user_code)
    }

    /// The code of a device that waits for somebody to press a button, if one does.
    pub fn sso_waiting(&self) -> Option<String> {
        self.world.portal.waiting()
    }

    /// How many seconds a device has to wait between two questions, 5 if nobody says so.
    pub fn sso_device_interval(&self, seconds: u32) {
        self.world.portal.set_interval(SignedDuration::from_secs(seconds.into()));
    }

    /// Forgets every client that was ever registered.
    pub fn sso_forget_clients(&self) {
        self.world.portal.forget_clients();
    }

    /// How many times a refresh token was sent that had been used before. A real session may be lost by one.
    pub fn sso_reuses(&self) -> usize {
        self.world.portal.reuses()
    }

    /// How many refresh tokens were redeemed.
    pub fn sso_refreshes(&self) -> usize {
        self.world.portal.refreshes()
    }

    /// What access tokens last that are given from now on; none is an hour.
    pub fn sso_token_lifetime(&self, lifetime: Option<Duration>) {
        self.world.portal.set_lifetime(lifetime);
    }

    /// Every access token that was given is over, as they are with time; the sign-ins go on.
    pub fn sso_end_access_tokens(&self) {
        self.world.portal.end_access_tokens(self.now());
    }

    /// Whether refresh tokens are good for once, with a new one in every answer (so at first), or for the whole session,
    /// with none.
    pub fn sso_rotation(&self, rotates: bool) {
        self.world.portal.set_rotation(rotates);
    }

    /// Whether a refresh token that was used before, and is brought again, ends the session that it is of, as OAuth
    /// advises (RFC 9700, section 4.14.2), or is refused and no more (so at first).
    pub fn sso_end_at_reuse(&self, ends: bool) {
        self.world.portal.set_end_at_reuse(ends);
    }

    /// Credentials of a role as the portal would lend them: for files that say that it did.
    pub fn sso_role_credentials(
        &self,
        user: &str,
        account: &str,
        role: &str,
        lifetime: SignedDuration,
    ) -> Credentials {
        let expires = self.now().saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        self.world.accounts.issue(Identity::assumed(&role_arn(account, role), user), expires, false)
    }
}

/// The IAM role behind a permission set.
fn role_arn(account: &str, role: &str) -> String {
    let suffix = digest(format!("{account}/{role}").as_bytes());
    format!(
        "arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{role}_{}",
        &suffix[..16]
    )
}

const START_URL: &str = "https://sandbox.awsapps.com/start";
/// The one scope that tools ask for.
const SCOPE: &str = "sso:account:access";
const REGION: &str = "us-east-1";
