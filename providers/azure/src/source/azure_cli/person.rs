//! A person who signed in to az, asked for in az's own name.
//!
//! The requests are those that MSAL Python sends for az, field for field, so that whoever watches
//! sign-ins sees az: its client, its scopes, its capabilities.

use std::{fmt, time::Duration};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, ExposeSecret, Host, Kind, OpenSession, Result, Retry,
    SecretString, SessionKey, SignedOut, shown,
};

use super::{
    Granted, Source, Wanted,
    kept::{Kept, Owner},
    spawn::Spawned,
};
use crate::{
    az::{AccessToken, RefreshToken},
    claims,
    entra::{AGAIN, Client, Endpoints, Failure, Form, Purpose},
    errors::Asker,
    source::session,
};

/// az takes a token that has less left than this for none (MSAL's `DEFAULT_TOKEN_RENEWAL_OFFSET`).
const LEFT: i64 = 300;
/// What az says it can do: handle a challenge that asks for more claims. The spelling is Python's.
const CAPABILITIES: &str = r#"{"access_token": {"xms_cc": {"values": ["CP1"]}}}"#;
/// Set, whatever to, it makes az say nothing of the kind.
const DISABLE_CP1: &str = "AZURE_IDENTITY_DISABLE_CP1";

/// A person.
pub(super) struct Person {
    /// az itself, in their tenant.
    pub(super) client: Client,
    /// Who they are.
    pub(super) username: String,
    /// The same for machines: `OBJECT.TENANT`.
    pub(super) home: String,
    /// Everybody who is signed in to az in this folder.
    pub(super) homes: Vec<String>,
    /// What az was lent for them in this tenant.
    pub(super) access_tokens: Vec<AccessToken>,
    /// What az has for their sign-in.
    pub(super) refresh_tokens: Vec<RefreshToken>,
    /// Where what is kept of it lies.
    pub(super) session: SessionKey,
    /// How they are asked for where az keeps the sign-in to itself.
    pub(super) otherwise: Spawned,
}

/// A refresh token, and where it comes from.
struct Candidate {
    secret: SecretString,
    since: i64,
    is_kept: bool,
}

impl Source for Person {
    fn describe(&self) -> String {
        let tenant = shown(&self.client.authority.tenant);
        format!("`{}` of tenant {tenant} (signed in to `az`)", shown(&self.username))
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self {
            client,
            username: _,
            home,
            homes: _,
            access_tokens: _,
            refresh_tokens: _,
            session,
            otherwise: _,
        } = self;
        key.field("source", "az");
        key.field("session", &session.fingerprint().to_string());
        key.field("authority", client.authority.endpoint.as_str());
        key.field("tenant", &client.authority.tenant.to_lowercase());
        key.field("account", home);
    }

    fn session(&self) -> Option<SessionKey> {
        Some(self.session)
    }

    fn tenant(&self) -> Option<&str> {
        Some(&self.client.authority.tenant)
    }

    /// `az` itself is asked where its session cannot be used here.
    fn patience(&self) -> Option<Duration> {
        self.otherwise.patience()
    }

    /// A token that az asked for before.
    fn at_hand(&self, wanted: &Wanted, host: &Host) -> Result<Option<Granted>> {
        let (now, scope) = (host.clock.now().as_second(), wanted.server.scope());
        let is_for = |token: &&AccessToken| {
            token.expires_on.saturating_sub(now) > LEFT
                && token.target.split(' ').any(|word| word.eq_ignore_ascii_case(&scope))
        };
        Ok(self.access_tokens.iter().filter(is_for).find_map(|token| {
            let granted = Granted { access_token: token.secret.clone() };
            match claims::check(&granted, &wanted.server, self.tenant(), host) {
                Ok(claims) if claims.expires.as_second() - now > LEFT => {
                    host.notes.note("az has a token for this");
                    Some(granted)
                }
                Ok(_) => None,
                Err(error) => {
                    host.notes.note(&format!("a token of az's is not used: {error}"));
                    None
                }
            }
        }))
    }

    /// What is kept here beside az's own.
    fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        let mut out = SignedOut::default();
        if host.sessions.stamp(self.session).is_none() {
            return Ok(out);
        }
        let mut open = host.sessions.open_to_end(self.session)?;
        let mut kept = Kept::read(&mut *open, host);
        if kept.of(&self.owner()).is_some() {
            kept.drop(&self.owner());
            kept.write(&mut *open)?;
            out.done.push(format!("{}: what was kept of it here is removed", self.describe()));
        }
        Ok(out)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            if self.refresh_tokens.is_empty() && host.sessions.stamp(self.session).is_none() {
                return self.through_az(wanted, host).await;
            }
            let endpoints = self.client.endpoints(host).await?;
            match host.sessions.open(self.session) {
                Ok(mut open) => self.redeem(Some(&mut *open), &endpoints, wanted, host).await,
                Err(error) if error.kind() == Kind::Unavailable => Err(error),
                Err(error) => {
                    host.notes.note(&format!("no session is kept: {error}"));
                    self.redeem(None, &endpoints, wanted, host).await
                }
            }
        })
    }
}

impl Person {
    /// Redeems what is newest, and what is older if that is dead.
    async fn redeem(
        &self,
        mut open: Option<&mut (dyn OpenSession + '_)>,
        endpoints: &Endpoints,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Granted> {
        let mut kept = open.as_deref_mut().map(|open| Kept::read(open, host)).unwrap_or_default();
        let mut is_changed = kept.retain(&self.homes);
        let (mut ended, mut unmarked) = (None, None);
        for Candidate { secret, since: _, is_kept } in self.candidates(&kept) {
            match open.as_deref_mut().map(OpenSession::redeeming) {
                Some(Err(error)) if is_kept => {
                    host.notes.note(&format!("the kept session is not redeemed: {error}"));
                    unmarked = Some(session::unmarked(error));
                    continue;
                }
                // az keeps its own, whatever becomes of the successor
                Some(Err(error)) => {
                    host.notes.note(&format!("going on without a mark: {error}"));
                }
                Some(Ok(())) | None => {}
            }
            let retry = if open.is_some() { Retry::Redemption } else { AGAIN };
            let purpose = Purpose { asker: &Asker::AzureCli, wanted };
            let form = self.form(&secret, wanted, host);
            match self.client.redeem(endpoints, form, purpose, retry, host).await {
                Ok(tokens) => {
                    if let Some(next) = &tokens.refresh_token {
                        kept.put(&self.owner(), next, host.clock.now().as_second());
                        is_changed = true;
                    }
                    settle(open, &kept, is_changed, host);
                    return Ok(Granted { access_token: tokens.access_token });
                }
                Err(Failure::Refused(said, error)) if said.is_dead_grant() => {
                    let whose = if is_kept { "the kept" } else { "az's" };
                    host.notes.note(&format!("{whose} session has ended: {error}"));
                    if is_kept {
                        kept.drop(&self.owner());
                        is_changed = true;
                    }
                    ended = Some(error);
                }
                Err(Failure::Refused(said, error)) => {
                    settle(open, &kept, is_changed, host);
                    if said.is_of_the_device() {
                        return self.brokered(error, wanted, host).await;
                    }
                    return Err(error);
                }
                // it may have been redeemed: the mark stays
                Err(Failure::Lost(error)) => return Err(error),
            }
        }
        settle(open, &kept, is_changed, host);
        match (ended, unmarked) {
            // nothing of az's was there to be tried
            (None, _) => self.through_az(wanted, host).await,
            // what is kept may be alive yet
            (Some(_), Some(error)) | (Some(error), None) => Err(error),
        }
    }

    /// What is kept and what az has, the newest first.
    fn candidates(&self, kept: &Kept) -> Vec<Candidate> {
        let own = kept.of(&self.owner());
        let own = own.map(|(secret, since)| Candidate { secret, since, is_kept: true });
        let az = self.refresh_tokens.iter().map(|token| Candidate {
            secret: token.secret.clone(),
            since: token.modified,
            is_kept: false,
        });
        let mut all: Vec<_> = own.into_iter().chain(az).collect();
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.since));
        all
    }

    /// As MSAL Python 1.39.0 sends it for az.
    fn form(&self, secret: &SecretString, wanted: &Wanted, host: &Host) -> Form {
        let claims = host.env.var(DISABLE_CP1).is_none().then_some(CAPABILITIES);
        Form::grant("refresh_token")
            .with("client_info", "1")
            .maybe("claims", claims)
            .with("refresh_token", secret.expose_secret())
            .with("scope", format!("{} offline_access openid profile", wanted.server.scope()))
            .anchored(format!("Oid:{}", self.home.replacen('.', "@", 1)))
    }

    async fn through_az(&self, wanted: &Wanted, host: &Host) -> Result<Granted> {
        self.otherwise.obtain(wanted, host).await
    }

    /// Asks az itself, which has the broker of the system where it has one: that can show the device.
    /// If az does no better, what Entra said counts.
    async fn brokered(&self, refusal: Error, wanted: &Wanted, host: &Host) -> Result<Granted> {
        if !host.programs.find("az") {
            return Err(refusal);
        }
        host.notes.note(&format!("Entra refused this device: {refusal}"));
        let why = "it may have a broker that can show the device";
        self.otherwise.ask(why, wanted, host).await.map_err(|error| {
            host.notes.note(&format!("az did no better: {error}"));
            refusal
        })
    }

    fn owner(&self) -> Owner {
        Owner {
            home: self.home.clone(),
            authority: self.client.authority.endpoint.as_str().into(),
            tenant: self.client.authority.tenant.to_lowercase(),
        }
    }
}

/// Writes down what is kept, if it is not what was.
fn settle(open: Option<&mut (dyn OpenSession + '_)>, kept: &Kept, is_changed: bool, host: &Host) {
    let Some(open) = open else { return };
    if !is_changed {
        return open.unchanged();
    }
    if let Err(error) = kept.write(open) {
        host.notes.note(&format!("az's renewed session is not kept: {error}"));
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({}, {:?})", self.home, self.client)
    }
}

/// Some account of az's that cannot be asked for.
pub(super) fn several(username: &str) -> Error {
    Error::config(format!("az has several accounts called `{}`", shown(username)))
        .because("az itself cannot tell which is meant (azure-cli#20168)")
        .next(format!("az logout --username {}", fleetkey_provider::quoted(username)))
}
