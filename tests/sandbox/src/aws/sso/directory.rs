//! What Identity Center remembers: sign-ins, every token that came of one, clients, waiting devices and grants.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::codes::{Asked, Brought, Codes};
use super::{REGION, SCOPE, START_URL, SsoSession};
use crate::random;

/// Sign-ins and grants.
#[derive(Default)]
pub(crate) struct Portal(Mutex<State>);

#[derive(Default)]
pub(super) struct State {
    sign_ins: HashMap<u64, SignIn>,
    pub(super) access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    clients: HashMap<String, Client>,
    devices: HashMap<String, Device>,
    codes: Codes,
    grants: BTreeSet<(String, String, String)>,
    account_names: HashMap<String, String>,
    signed_in: u64,
    /// How many refresh tokens were redeemed.
    pub(super) refreshes: usize,
    /// How many were brought that had been redeemed before.
    pub(super) reuses: usize,
    /// What access tokens last that are given from now on.
    pub(super) lifetime: Option<Duration>,
    /// Whether refresh tokens are good for the whole session.
    pub(super) keeps_refresh_tokens: bool,
    /// Whether a refresh token that is brought again ends the session.
    pub(super) ends_at_reuse: bool,
    /// How long a device has to wait between two questions, if somebody said so.
    pub(super) interval: Option<SignedDuration>,
}

struct SignIn {
    user: String,
    ends: Timestamp,
}

pub(super) struct Access {
    sign_in: u64,
    pub(super) expires: Timestamp,
}

struct Refresh {
    sign_in: u64,
    client: String,
    used: bool,
}

/// A program that was registered.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) expires: Timestamp,
    /// What it asked for; refresh tokens come with any.
    pub(crate) scopes: Vec<String>,
    /// Where its page may lead back to; none if it has none, and its people type codes.
    pub(crate) redirect_uris: Vec<String>,
}

/// Somebody who waits for a code to be typed elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) code: String,
    pub(crate) user_code: String,
    client: String,
    expires: Timestamp,
    approved: Option<String>,
    declined: bool,
    asked: Option<Timestamp>,
}

/// Fresh tokens, and whose they are.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) user: String,
    pub(crate) access_token: String,
    pub(crate) expires_in: Duration,
    pub(crate) refresh_token: Option<String>,
}

/// Why there are none, as OAuth names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl Portal {
    pub(crate) fn sign_in(
        &self,
        user: &str,
        now: Timestamp,
        access: SignedDuration,
        registration: SignedDuration,
        refreshes: bool,
    ) -> SsoSession {
        let scopes = refreshes.then(|| SCOPE.to_owned()).into_iter().collect();
        let client = self.register(after(now, registration), scopes, Vec::new());
        let mut state = self.state();
        let sign_in = state.begin(user, now);
        let expires = after(now, access);
        let access_token = state.access_token(sign_in, expires);
        let refresh_token = refreshes.then(|| state.refresh_token(sign_in, &client.id));
        SsoSession {
            user: user.to_owned(),
            access_token,
            expires,
            refresh_token,
            client_id: client.id,
            client_secret: client.secret,
            registration_expires: client.expires,
            start_url: START_URL.to_owned(),
            region: REGION.to_owned(),
        }
    }

    pub(crate) fn register(
        &self,
        expires: Timestamp,
        scopes: Vec<String>,
        redirect_uris: Vec<String>,
    ) -> Client {
        let client = Client {
            id: random::letters(22),
            secret: format!("eyJraWQi{}", random::base64(600)),
            expires,
            scopes,
            redirect_uris,
        };
        self.state().clients.insert(client.id.clone(), client.clone());
        client
    }

    /// The client, if the secret is its own and its registration has not ended.
    pub(crate) fn client(&self, id: &str, secret: &str, now: Timestamp) -> Option<Client> {
        self.known(id, now).filter(|client| client.secret == secret)
    }

    /// The client, as a page knows it: its id is no secret.
    pub(crate) fn known(&self, id: &str, now: Timestamp) -> Option<Client> {
        self.state().clients.get(id).filter(|client| client.expires > now).cloned()
    }

    /// Forgets every client, as an administrator can make it.
    pub(crate) fn forget_clients(&self) {
        self.state().clients.clear();
    }

    /// A page on which that is asked.
    pub(super) fn page(&self, asked: Asked) -> String {
        self.state().codes.page(asked)
    }

    /// What was asked on that page, once.
    pub(super) fn answered(&self, page: &str) -> Option<Asked> {
        self.state().codes.answered(page)
    }

    /// A code for a person who signed in.
    pub(super) fn code(&self, asked: Asked, user: &str, now: Timestamp) -> String {
        self.state().codes.issue(asked, user, now)
    }

    /// Tokens for a code, once.
    pub(super) fn redeem_code(
        &self,
        client: &Client,
        brought: &Brought<'_>,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let mut state = self.state();
        let user = state.codes.redeem(&client.id, brought, now).ok_or(INVALID_GRANT)?;
        Ok(state.signed_in_through(client, user, now))
    }

    /// Everybody whom anything was granted to.
    pub(super) fn people(&self) -> Vec<String> {
        let mut people: Vec<_> =
            self.state().grants.iter().map(|(user, ..)| user.clone()).collect();
        people.dedup();
        people
    }

    /// Takes a refresh token and gives new tokens, in one step: of two who bring the same one, one is refused.
    pub(crate) fn refresh(
        &self,
        client: &Client,
        token: &str,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let mut state = self.state();
        let keeps = state.keeps_refresh_tokens;
        let refresh = state.refresh.get_mut(token).filter(|refresh| refresh.client == client.id);
        let refresh = refresh.ok_or(INVALID_GRANT)?;
        let sign_in = refresh.sign_in;
        if refresh.used {
            state.reuses += 1;
            if state.ends_at_reuse {
                state.sign_ins.remove(&sign_in);
            }
            return Err(INVALID_GRANT);
        }
        refresh.used = !keeps;
        // an ended session takes the token with it, whoever asks
        let user = state.user(sign_in, now).ok_or(INVALID_GRANT)?;
        state.refreshes += 1;
        let refresh_token = (!keeps).then(|| state.refresh_token(sign_in, &client.id));
        Ok(state.issue(user, sign_in, refresh_token, now))
    }

    pub(crate) fn device(&self, client: &Client, now: Timestamp) -> Device {
        let device = Device {
            code: random::base64(64),
            user_code: format!("{}-{}", random::letters(4), random::letters(4)),
            client: client.id.clone(),
            expires: after(now, DEVICE_LIFETIME),
            approved: None,
            declined: false,
            asked: None,
        };
        self.state().devices.insert(device.code.clone(), device.clone());
        device
    }

    pub(crate) fn approve(&self, user_code: &str, user: &str) -> bool {
        let mut state = self.state();
        let device = state.devices.values_mut().find(|device| device.user_code == user_code);
        device.map(|device| device.approved = Some(user.to_owned())).is_some()
    }

    pub(crate) fn decline(&self, user_code: &str) -> bool {
        let mut state = self.state();
        let device = state.devices.values_mut().find(|device| device.user_code == user_code);
        device.map(|device| device.declined = true).is_some()
    }

    /// The code of a device that nobody answered yet.
    pub(crate) fn waiting(&self) -> Option<String> {
        let state = self.state();
        let mut devices = state.devices.values();
        let waiting = devices.find(|device| device.approved.is_none() && !device.declined);
        waiting.map(|device| device.user_code.clone())
    }

    /// Tokens for a device that somebody approved, once.
    pub(crate) fn redeem_device(
        &self,
        client: &Client,
        code: &str,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let interval = self.interval();
        let mut state = self.state();
        let device = state.devices.get_mut(code).filter(|device| device.client == client.id);
        let device = device.ok_or(INVALID_GRANT)?;
        if device.expires <= now {
            return Err(Refused("expired_token"));
        }
        if device.declined {
            return Err(Refused("access_denied"));
        }
        let last = device.asked.replace(now);
        let Some(user) = device.approved.clone() else {
            let hasty = last.is_some_and(|last| now.duration_since(last) < interval);
            return Err(Refused(if hasty { "slow_down" } else { "authorization_pending" }));
        };
        state.devices.remove(code);
        Ok(state.signed_in_through(client, user, now))
    }

    /// Whose access token this is, while it is good.
    pub(crate) fn bearer(&self, token: &str, now: Timestamp) -> Option<String> {
        let state = self.state();
        let access = state.access.get(token).filter(|access| access.expires > now)?;
        state.user(access.sign_in, now)
    }

    /// Ends the session that a token is of, with all tokens of it.
    pub(crate) fn sign_out(&self, token: &str) {
        let mut state = self.state();
        if let Some(sign_in) = state.access.get(token).map(|access| access.sign_in) {
            state.sign_ins.remove(&sign_in);
        }
    }

    pub(crate) fn sign_out_user(&self, user: &str) {
        self.state().sign_ins.retain(|_, sign_in| sign_in.user != user);
    }

    pub(crate) fn grant(&self, user: &str, account: &str, role: &str) {
        self.state().grants.insert((user.to_owned(), account.to_owned(), role.to_owned()));
    }

    pub(crate) fn granted(&self, user: &str, account: &str, role: &str) -> bool {
        self.state().grants.contains(&(user.to_owned(), account.to_owned(), role.to_owned()))
    }

    /// All that was granted to a person: accounts and roles, in order.
    pub(crate) fn grants(&self, user: &str) -> Vec<(String, String)> {
        let state = self.state();
        let own = state.grants.iter().filter(|(granted, ..)| granted == user);
        own.map(|(_, account, role)| (account.clone(), role.clone())).collect()
    }

    pub(crate) fn name_account(&self, account: &str, name: &str) {
        self.state().account_names.insert(account.to_owned(), name.to_owned());
    }

    pub(crate) fn account_name(&self, account: &str) -> String {
        let name = self.state().account_names.get(account).cloned();
        name.unwrap_or_else(|| format!("account {account}"))
    }

    /// How long a device has to wait between two questions.
    pub(crate) fn interval(&self) -> SignedDuration {
        self.state().interval.unwrap_or(DEVICE_INTERVAL)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, user: &str, now: Timestamp) -> u64 {
        self.signed_in += 1;
        let sign_in = SignIn { user: user.to_owned(), ends: after(now, SESSION_LIFETIME) };
        self.sign_ins.insert(self.signed_in, sign_in);
        self.signed_in
    }

    /// The first tokens of somebody who signs in through a client.
    fn signed_in_through(&mut self, client: &Client, user: String, now: Timestamp) -> Issued {
        let sign_in = self.begin(&user, now);
        let refreshes = !client.scopes.is_empty();
        let refresh_token = refreshes.then(|| self.refresh_token(sign_in, &client.id));
        self.issue(user, sign_in, refresh_token, now)
    }

    fn user(&self, sign_in: u64, now: Timestamp) -> Option<String> {
        let sign_in = self.sign_ins.get(&sign_in).filter(|sign_in| sign_in.ends > now);
        sign_in.map(|sign_in| sign_in.user.clone())
    }

    fn access_token(&mut self, sign_in: u64, expires: Timestamp) -> String {
        let token = format!("aoa{}", random::base64(240));
        self.access.insert(token.clone(), Access { sign_in, expires });
        token
    }

    fn refresh_token(&mut self, sign_in: u64, client: &str) -> String {
        let token = format!("aor{}", random::base64(240));
        let refresh = Refresh { sign_in, client: client.to_owned(), used: false };
        self.refresh.insert(token.clone(), refresh);
        token
    }

    fn issue(
        &mut self,
        user: String,
        sign_in: u64,
        refresh_token: Option<String>,
        now: Timestamp,
    ) -> Issued {
        let expires_in = self.lifetime.unwrap_or(ACCESS_LIFETIME);
        let expires = now.checked_add(expires_in).unwrap_or(Timestamp::MAX);
        let access_token = self.access_token(sign_in, expires);
        Issued { user, access_token, expires_in, refresh_token }
    }
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Also for a token that somebody else's client was given: whose it is, is not told.
const INVALID_GRANT: Refused = Refused("invalid_grant");
const ACCESS_LIFETIME: Duration = Duration::from_hours(1);
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
pub(crate) const DEVICE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
const DEVICE_INTERVAL: SignedDuration = SignedDuration::from_secs(5);
