//! Who exists: users, roles, and every access key that was ever handed out, with its secret.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use jiff::Timestamp;

use crate::aws::role::Role;
use crate::random;

/// An IAM user with one access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its account, twelve digits.
    pub account: String,
    /// `arn:aws:iam::ACCOUNT:user/NAME`.
    pub arn: String,
    /// `AIDA...`.
    pub user_id: String,
    /// `AKIA...`.
    pub access_key_id: String,
    /// Forty characters.
    pub secret_access_key: String,
}

impl User {
    /// A user with a fixed key.
    pub fn with_key(
        name: &str,
        account: &str,
        access_key_id: &str,
        secret_access_key: &str,
    ) -> Self {
        Self {
            name: name.to_owned(),
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            user_id: stable_id("AIDA", &format!("{account}/{name}")),
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
        }
    }

    /// The serial number of the user's MFA device.
    pub fn mfa_serial(&self) -> String {
        format!("arn:aws:iam::{}:mfa/{}", self.account, self.name)
    }
}

/// Temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `ASIA...`.
    pub access_key_id: String,
    /// Forty characters.
    pub secret_access_key: String,
    /// About five hundred characters.
    pub session_token: String,
    /// When they end, by the sandbox's clock.
    pub expires: Timestamp,
    /// Whose they are.
    pub identity: Identity,
}

/// Who somebody is, as `GetCallerIdentity` puts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `arn:aws:iam::ACCOUNT:user/NAME` or `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`.
    pub arn: String,
    /// What a cluster maps: the user's ARN, or the role's with its path lost.
    pub canonical_arn: String,
    /// `AIDA...` or `AROA...:SESSION`.
    pub user_id: String,
    /// Twelve digits.
    pub account: String,
    /// Of an assumed role.
    pub session_name: Option<String>,
}

impl Identity {
    pub(crate) fn of_user(user: &User) -> Self {
        Self {
            arn: user.arn.clone(),
            canonical_arn: user.arn.clone(),
            user_id: user.user_id.clone(),
            account: user.account.clone(),
            session_name: None,
        }
    }

    /// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` assumed under a session name.
    pub(crate) fn assumed(role_arn: &str, session_name: &str) -> Self {
        let mut parts = role_arn.splitn(6, ':');
        let partition = parts.nth(1).unwrap_or("aws");
        let account = parts.nth(2).unwrap_or_default();
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        Self {
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"),
            canonical_arn: format!("arn:{partition}:iam::{account}:role/{name}"),
            user_id: format!("{}:{session_name}", stable_id("AROA", role_arn)),
            account: account.to_owned(),
            session_name: Some(session_name.to_owned()),
        }
    }
}

/// An access key as its owner's cloud knows it.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) identity: Identity,
    pub(crate) mfa: bool,
}

#[derive(Default)]
pub(crate) struct Accounts(Mutex<State>);

#[derive(Default)]
struct State {
    keys: HashMap<String, Key>,
    users: BTreeMap<(String, String), User>,
    roles: HashMap<String, Role>,
    mfa_codes: HashSet<(String, String)>,
    lifetime: Option<Duration>,
}

impl Accounts {
    pub(crate) fn user(&self, name: &str, account: &str) -> User {
        let found = self.state().users.get(&(account.to_owned(), name.to_owned())).cloned();
        found.unwrap_or_else(|| {
            let (id, secret) = (format!("AKIA{}", random::letters(16)), random::base64(30));
            let user = User::with_key(name, account, &id, &secret);
            self.add_user(user.clone());
            user
        })
    }

    pub(crate) fn add_user(&self, user: User) {
        let key = Key {
            secret: user.secret_access_key.clone(),
            session_token: None,
            expires: None,
            identity: Identity::of_user(&user),
            mfa: false,
        };
        let mut state = self.state();
        state.keys.insert(user.access_key_id.clone(), key);
        state.users.insert((user.account.clone(), user.name.clone()), user);
    }

    /// All users, in order.
    pub(crate) fn users(&self) -> Vec<User> {
        self.state().users.values().cloned().collect()
    }

    /// The user of that ARN.
    pub(crate) fn user_of(&self, arn: &str) -> Option<User> {
        self.state().users.values().find(|user| user.arn == arn).cloned()
    }

    pub(crate) fn add_role(&self, role: Role) {
        self.state().roles.insert(role.arn.clone(), role);
    }

    pub(crate) fn role(&self, arn: &str) -> Option<Role> {
        self.state().roles.get(arn).cloned()
    }

    pub(crate) fn key(&self, access_key_id: &str) -> Option<Key> {
        self.state().keys.get(access_key_id).cloned()
    }

    pub(crate) fn revoke(&self, access_key_id: &str) {
        self.state().keys.remove(access_key_id);
    }

    /// Makes a known key one with a session token, as test vectors need it.
    #[cfg(test)]
    pub(crate) fn set_session_token(&self, access_key_id: &str, token: Option<String>) {
        if let Some(key) = self.state().keys.get_mut(access_key_id) {
            key.session_token = token;
        }
    }

    pub(crate) fn set_lifetime(&self, lifetime: Option<Duration>) {
        self.state().lifetime = lifetime;
    }

    /// When credentials asked for at `now` end: what the test set, else what was asked.
    pub(crate) fn end(&self, now: Timestamp, asked: Duration) -> Timestamp {
        let lifetime = self.state().lifetime.unwrap_or(asked);
        now.checked_add(lifetime).unwrap_or(Timestamp::MAX)
    }

    /// Fresh temporary credentials, known from now on.
    pub(crate) fn issue(&self, identity: Identity, expires: Timestamp, mfa: bool) -> Credentials {
        let credentials = Credentials {
            access_key_id: format!("ASIA{}", random::letters(16)),
            secret_access_key: random::base64(30),
            session_token: format!("IQoJb3JpZ2luX2VjE{}", random::base64(361)),
            expires,
            identity: identity.clone(),
        };
        let key = Key {
            secret: credentials.secret_access_key.clone(),
            session_token: Some(credentials.session_token.clone()),
            expires: Some(expires),
            identity,
            mfa,
        };
        self.state().keys.insert(credentials.access_key_id.clone(), key);
        credentials
    }

    pub(crate) fn mfa_code(&self, serial: &str) -> String {
        let code = random::digits(6);
        self.state().mfa_codes.insert((serial.to_owned(), code.clone()));
        code
    }

    /// Whether the code is the device's; it is used up.
    pub(crate) fn redeem_mfa(&self, serial: &str, code: &str) -> bool {
        self.state().mfa_codes.remove(&(serial.to_owned(), code.to_owned()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id that is the same in every run: a prefix and 17 characters of a hash.
pub(crate) fn stable_id(prefix: &str, of: &str) -> String {
    let hash = digest::digest(&digest::SHA256, of.as_bytes());
    format!("{prefix}{}", &random::hex(hash.as_ref()).to_ascii_uppercase()[..17])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_role_loses_its_path() {
        let identity = Identity::assumed("arn:aws-cn:iam::123456789012:role/team/a/Admin", "me");
        assert_eq!(identity.arn, "arn:aws-cn:sts::123456789012:assumed-role/Admin/me");
        assert_eq!(identity.canonical_arn, "arn:aws-cn:iam::123456789012:role/Admin");
        assert!(identity.user_id.starts_with("AROA") && identity.user_id.ends_with(":me"));
    }

    #[test]
    fn a_user_stays_the_same() {
        let accounts = Accounts::default();
        assert_eq!(accounts.user("alice", "1"), accounts.user("alice", "1"));
        assert_ne!(accounts.user("alice", "1"), accounts.user("alice", "2"));
    }
}
