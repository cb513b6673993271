//! The file in which `aws login` keeps a session: `~/.aws/login/cache/<SHA-256 of who signed in>.json`.
//!
//! It is read whatever the case of its keys and written as the AWS CLI writes it: every field stays
//! where it was, those that nobody here knows too.

use fleetkey_provider::{ExposeSecret, SecretString};
use jiff::Timestamp;
use url::Url;

use super::{dpop::Key, oauth::Issued};
use crate::{
    jwt::Jwt,
    keys::{Keys, time},
    plan::LoginSession,
    python_json,
    source::fields::Fields,
};

/// A session that somebody signed in to.
#[derive(Clone)]
pub(super) struct TokenFile {
    fields: Fields,
    /// The keys that were lent last.
    pub(super) keys: Keys,
    /// When they end.
    pub(super) expires: Timestamp,
}

/// What it takes to renew a session.
pub(super) struct Grant {
    pub(super) refresh_token: SecretString,
    pub(super) client_id: String,
    /// The key that it is bound to.
    pub(super) key: Key,
}

/// What a session was signed in with.
pub(super) struct With<'a> {
    pub(super) plan: &'a LoginSession,
    pub(super) client_id: &'a str,
    pub(super) key: &'a SecretString,
}

impl TokenFile {
    /// `None` if it is not as `aws` writes it: half written just now, perhaps.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let fields: Fields = serde_json::from_slice(bytes).ok()?;
        let lent = fields.object(LENT)?;
        let text = |name| lent.text(name).map(str::to_owned);
        let expires = lent.text(EXPIRES).and_then(time)?;
        let keys = Keys::checked(text(ID)?, text(SECRET)?, Some(text(TOKEN)?)).ok()?;
        let keys = Keys { account: text(ACCOUNT), expires: Some(expires), ..keys };
        Some(Self { fields, keys, expires })
    }

    /// What it takes to renew it.
    pub(super) fn grant(&self) -> Option<Grant> {
        Some(Grant {
            refresh_token: self.fields.text(REFRESH)?.into(),
            client_id: self.fields.text(CLIENT)?.to_owned(),
            key: Key::from_pem(self.fields.text(KEY)?)?,
        })
    }

    /// The host that issued it, if it says so. It is where it can be renewed.
    pub(super) fn issuer(&self) -> Option<String> {
        let token = Jwt::of(self.fields.text(ID_TOKEN)?)?;
        let issuer = Url::parse(token.claims.get("iss")?.as_str()?).ok()?;
        issuer.host_str().map(str::to_owned)
    }

    /// The file of somebody who just signed in.
    pub(super) fn signed_in(with: &With<'_>, issued: &Issued, id_token: &str) -> Vec<u8> {
        let With { plan, client_id, key } = with;
        let mut lent = Fields::default();
        // in the order in which the CLI has them
        for name in [ID, SECRET, TOKEN] {
            lent.set(name, "");
        }
        lent.set(ACCOUNT, &plan.account);
        put(&mut lent, issued);
        let mut fields = Fields::default();
        fields.set_object(LENT, lent);
        if let Some(kind) = &issued.token_type {
            fields.set("tokenType", kind);
        }
        fields.set(CLIENT, client_id);
        if let Some(token) = &issued.refresh_token {
            fields.set(REFRESH, token.expose_secret());
        }
        fields.set(ID_TOKEN, id_token);
        fields.set(KEY, key.expose_secret());
        python_json::dumps(&fields)
    }

    /// The file after it was renewed. Without a new refresh token the old one stays good (RFC 6749,
    /// section 6).
    pub(super) fn renewed(&self, issued: &Issued) -> Vec<u8> {
        let mut fields = self.fields.clone();
        let mut lent = fields.object(LENT).cloned().unwrap_or_default();
        put(&mut lent, issued);
        fields.set_object(LENT, lent);
        if let Some(token) = &issued.refresh_token {
            fields.set(REFRESH, token.expose_secret());
        }
        python_json::dumps(&fields)
    }
}

fn put(lent: &mut Fields, issued: &Issued) {
    let Issued { keys, expires, .. } = issued;
    let token = keys.session_token.as_ref().map(ExposeSecret::expose_secret);
    lent.set(ID, &keys.access_key_id);
    lent.set(SECRET, keys.secret_access_key.expose_secret());
    lent.set(TOKEN, token.unwrap_or_default());
    // whole seconds and a `Z`, as the CLI writes them
    lent.set(EXPIRES, &expires.to_string());
}

const LENT: &str = "accessToken";
const ID: &str = "accessKeyId";
const SECRET: &str = "secretAccessKey";
const TOKEN: &str = "sessionToken";
const ACCOUNT: &str = "accountId";
const EXPIRES: &str = "expiresAt";
const CLIENT: &str = "clientId";
const REFRESH: &str = "refreshToken";
const ID_TOKEN: &str = "idToken";
const KEY: &str = "dpopKey";
