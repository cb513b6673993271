//! What fleetkey signs in with: a client that SSO OIDC registers, for anybody who asks.
//!
//! It lies where the AWS CLI keeps its own, in the same form and under the same name, so that either
//! tool uses what the other registered, for as long as more than 15 minutes of it are left. One that
//! was registered for a page is of no use for codes that are typed, nor the other way round.

use std::path::PathBuf;

use fleetkey_provider::{ExposeSecret, Host, Result, Retry, SecretString};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    oidc::{No, Oidc},
    session::{Known, Session},
};
use crate::{keys::time, python_json::dumps};

/// How a person signs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flow {
    /// On a page that their browser comes back from.
    Page,
    /// With a code that they type.
    Code,
}

/// A client that was registered.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) expires: Timestamp,
    /// Whether it was registered before this run.
    pub(super) was_kept: bool,
}

impl Session {
    /// What to sign in with: what is kept, or else a new one.
    pub(super) async fn registration(
        &self,
        flow: Flow,
        oidc: &Oidc<'_>,
        host: &Host,
    ) -> Result<Registration, No> {
        if let Some(kept) = self.kept(flow, host) {
            return Ok(kept);
        }
        let scopes = self.known.scopes();
        let name = match &self.known.name {
            Some(name) => format!("fleetkey-{name}"),
            None => format!("fleetkey-{}", host.clock.now().as_second()),
        };
        let body = Register {
            client_name: &name,
            client_type: "public",
            scopes: &scopes,
            grant_types: flow.grants(),
            redirect_uris: if flow == Flow::Page { &[REDIRECT] } else { &[] },
            issuer_url: (flow == Flow::Page).then_some(&self.known.start_url),
        };
        let registered: Registered =
            oidc.ask("/client/register", &body, &[], Retry::Safe(|_| false), host).await?;
        let Registered { id: client_id, secret: client_secret, expires } = registered;
        let expires = Timestamp::from_second(expires).unwrap_or_default();
        let entry = Entry {
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            expires_at: expires.to_string(),
            scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
            grant_types: match flow {
                Flow::Page => Some(flow.grants().iter().map(|&grant| grant.into()).collect()),
                Flow::Code => None,
            },
        };
        if let Err(error) = host.files.replace(&self.registration_file(), &dumps(&entry)) {
            host.notes.note(&format!("what fleetkey signs in with is not kept: {error}"));
        }
        let client_secret = client_secret.into();
        Ok(Registration { client_id, client_secret, expires, was_kept: false })
    }

    /// Forgets what is kept: it is of no use.
    pub(super) fn forget_registration(&self, host: &Host) {
        host.notes.note("what fleetkey signs in with is registered anew next time");
        if let Err(error) = host.files.remove(&self.registration_file()) {
            host.notes.note(&format!("it could not be forgotten: {error}"));
        }
    }

    fn kept(&self, flow: Flow, host: &Host) -> Option<Registration> {
        let bytes = host.files.read(&self.registration_file()).ok()??;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        let Entry { client_id, client_secret, expires_at, scopes, grant_types } = entry;
        let expires = time(&expires_at)?;
        let is_for_pages = grant_types.is_some_and(|all| all.iter().any(|one| one == AUTHORIZE));
        let has = scopes.unwrap_or_default();
        let is_of_use = expires.duration_since(host.clock.now()) >= LEFT
            && is_for_pages == (flow == Flow::Page)
            && self.known.scopes().iter().all(|scope| has.contains(scope))
            && !client_id.is_empty()
            && !client_secret.is_empty();
        let client_secret = client_secret.into();
        is_of_use.then_some(Registration { client_id, client_secret, expires, was_kept: true })
    }

    /// Where it lies.
    pub(super) fn registration_file(&self) -> PathBuf {
        let Known { profile: _, name, start_url, region, scopes, sign_in_line: _ } = &self.known;
        let name = Name {
            region: region.as_str(),
            scopes: scopes.as_deref(),
            session: name.as_deref(),
            start_url,
            tool: "botocore",
        };
        self.folder.join(format!("{}.json", sha1_smol::Sha1::from(dumps(&name)).digest()))
    }
}

impl Known {
    /// What a sign-in asks for. Without any scope nothing can be renewed, so the one that everybody may
    /// have is asked for; settings of the older form are never renewed.
    pub(super) fn scopes(&self) -> Vec<String> {
        match (&self.scopes, &self.name) {
            (Some(scopes), _) => scopes.clone(),
            (None, Some(_)) => vec![SCOPE.into()],
            (None, None) => Vec::new(),
        }
    }
}

impl Flow {
    /// What a client is registered for; nothing for codes, as everybody used to.
    fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Page => &[AUTHORIZE, "refresh_token"],
            Self::Code => &[],
        }
    }
}

impl Registration {
    /// What must not be shown.
    pub(super) fn secret(&self) -> &str {
        self.client_secret.expose_secret()
    }
}

/// Where a browser comes back to, on any port.
const REDIRECT: &str = "http://127.0.0.1/oauth/callback";
const AUTHORIZE: &str = "authorization_code";
const SCOPE: &str = "sso:account:access";
/// What the CLI wants to be left of a registration.
const LEFT: SignedDuration = SignedDuration::from_mins(15);

/// What the file is named after; sorted, as the CLI sorts it.
#[derive(Serialize)]
struct Name<'a> {
    region: &'a str,
    scopes: Option<&'a [String]>,
    #[serde(rename = "session_name")]
    session: Option<&'a str>,
    #[serde(rename = "startUrl")]
    start_url: &'a str,
    tool: &'a str,
}

/// What lies in it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    client_id: String,
    client_secret: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_types: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Register<'a> {
    client_name: &'a str,
    client_type: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    grant_types: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    redirect_uris: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_url: Option<&'a String>,
}

#[derive(Deserialize)]
struct Registered {
    #[serde(rename = "clientId")]
    id: String,
    #[serde(rename = "clientSecret")]
    secret: String,
    /// Seconds since 1970.
    #[serde(rename = "clientSecretExpiresAt")]
    expires: i64,
}

#[cfg(test)]
mod tests;
