//! A person's standing sign-in: the refresh token, kept and redeemed.
//!
//! Entra does not revoke a refresh token that was redeemed, so a lost answer costs nothing but the
//! way. It is redeemed one at a time all the same, and what replaces it is kept before anything else,
//! because the one that was sent dies 90 days after it was issued. An authority that is not Entra may
//! revoke all that came of a token that is sent twice, so none that is kept is sent where its
//! successor could not be kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fleetkey_provider::{
    Error, ExposeSecret, Host, Lost, OpenSession, Result, Retry, SecretString, SessionFacts,
    SessionKey, SessionState, SignedOut, Standing, shown,
};

use super::{Granted, Wanted};
use crate::{
    NAME,
    authority::Authority,
    claims,
    entra::{Client, Endpoints, Failure, Form, Purpose, Tokens, Version},
    errors::Asker,
};

/// A session, kept or not yet.
#[derive(Debug)]
pub(crate) struct Session {
    key: SessionKey,
    asker: Asker,
    challenge: Mutex<Option<String>>,
}

impl Session {
    /// The session of that key; `asker` decides what a person is told to type.
    pub(crate) fn new(key: SessionKey, asker: Asker) -> Self {
        Self { key, asker, challenge: Mutex::default() }
    }

    /// The session of whoever signs in to that application by this name, or by none in particular.
    /// Neither the server nor the way to sign in is part of it: one sign-in serves them all.
    pub(crate) fn of(client: &Client, name: Option<&str>, asker: Asker) -> Self {
        let Client { authority: Authority { endpoint, tenant, is_known: _ }, id, version } = client;
        let lower = [tenant, id, name.unwrap_or_default()].map(str::to_lowercase);
        let [tenant, id, name] = &lower;
        let mut fields = vec![
            ("authority", endpoint.as_str()),
            ("tenant", tenant),
            ("client", id),
            ("login hint", name),
        ];
        if *version == Version::V1 {
            fields.push(("version", "1"));
        }
        Self::new(SessionKey::new(NAME, &fields), asker)
    }

    /// Its key.
    pub(crate) fn key(&self) -> SessionKey {
        self.key
    }

    /// On whose behalf it is redeemed.
    pub(crate) fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Whether one is kept. One `stat`, no lock.
    pub(crate) fn exists(&self, host: &Host) -> bool {
        host.sessions.stamp(self.key).is_some()
    }

    /// How it stands. When Entra ends it nobody is told: 90 days after it was last renewed at the latest.
    pub(crate) fn state(&self, host: &Host) -> SessionState {
        match host.sessions.peek(self.key) {
            Some(SessionFacts { since, is_plain }) => SessionState::SignedIn(Standing {
                until: None,
                renews: true,
                since,
                keeper: None,
                is_plain,
            }),
            None => SessionState::SignedOut("nobody is signed in".into()),
        }
    }

    /// Forgets it; `who` is whose it is. Entra revokes nothing for applications without a secret.
    pub(crate) fn sign_out(&self, who: &str, host: &Host) -> Result<SignedOut> {
        let mut out = SignedOut::default();
        let was_there = self.exists(host);
        // what a sign-in that was killed left of it goes in any case
        host.sessions.open_to_end(self.key)?.forget();
        if !was_there {
            out.left.push(format!("{who}: nobody was signed in"));
            return Ok(out);
        }
        if self.exists(host) {
            return Err(Error::failed(format!("the session of {who} could not be removed")));
        }
        out.done.push(format!("{who}: the session is removed"));
        out.left
            .push(format!("{who}: Entra was not told, since it revokes no session for a program"));
        Ok(out)
    }

    /// What a person has to be asked beside the usual when they sign in next, if Entra said so.
    pub(crate) fn challenge(&self) -> Option<String> {
        self.challenged().clone()
    }

    /// Redeems what is kept, or else `fallback`. Fails with
    /// [`Kind::SignInNeeded`](fleetkey_provider::Kind::SignInNeeded) if there is neither, without a
    /// request, if Entra wants to see the person, and if the session is not that of the person who
    /// was named: it is forgotten then.
    pub(crate) async fn redeem(
        &self,
        client: &Client,
        wanted: &Wanted,
        fallback: Option<SecretString>,
        host: &Host,
    ) -> Result<Granted> {
        if fallback.is_none() && !self.exists(host) {
            return Err(self.needed(client, wanted));
        }
        // what takes long or may fail comes before the session is open
        let endpoints = client.endpoints(host).await?;
        let mut open = host.sessions.open(self.key)?;
        let kept = match open.read() {
            Err(error) if fallback.is_some() => {
                host.notes.note(&format!("the kept session is not used: {error}"));
                None
            }
            read => read?,
        };
        if kept.as_ref().is_some_and(|kept| kept.interrupted) {
            host.notes.note("the last redemption of this session was cut short; it is tried again");
        }
        let mut ended = None;
        if let Some(kept) = kept {
            match open.redeeming() {
                Ok(()) => {
                    let at = (client, &endpoints);
                    match self.try_one(&mut *open, &kept.secret, at, wanted, host).await {
                        Err(Failure::Refused(said, error)) if said.is_dead_grant() => {
                            host.notes.note(&format!(
                                "the kept session has ended ({error}) and is forgotten"
                            ));
                            open.forget();
                            ended = Some(error);
                        }
                        done => return self.accept(done?, &mut *open, client, wanted),
                    }
                }
                Err(error) if fallback.is_some() => {
                    host.notes.note(&format!("the kept session is not redeemed: {error}"));
                }
                Err(error) => return Err(unmarked(error)),
            }
        }
        let Some(secret) = fallback else {
            return Err(ended.unwrap_or_else(|| self.needed(client, wanted)));
        };
        // the other tool keeps its own, whatever becomes of the successor
        if let Err(error) = open.redeeming() {
            host.notes.note(&format!("going on without a mark: {error}"));
        }
        let tokens = self.try_one(&mut *open, &secret, (client, &endpoints), wanted, host).await?;
        self.accept(tokens, &mut *open, client, wanted)
    }

    /// Whether the tokens are those of the person who was named, if one was.
    pub(crate) fn check(&self, tokens: &Tokens) -> Result<()> {
        let Tokens { access_token, refresh_token: _, id_token } = tokens;
        match &self.asker {
            Asker::Person { hint: Some(hint), .. } => {
                claims::check_person(hint, access_token, id_token.as_ref())
            }
            _ => Ok(()),
        }
    }

    /// Keeps what a sign-in brought. Where that is impossible the person will be asked again, and is
    /// told so.
    pub(crate) fn keep(&self, tokens: &Tokens, host: &Host) {
        *self.challenged() = None;
        let Some(secret) = &tokens.refresh_token else {
            let line = "Entra gave no session with this sign-in: you will be asked again";
            host.notes.lost(Lost::Session, line);
            return;
        };
        let kept = host.sessions.open(self.key).and_then(|mut open| open.keep(secret));
        if let Err(error) = kept {
            let line = format!("the sign-in could not be kept ({error}): you will be asked again");
            host.notes.lost(Lost::Session, &line);
        }
    }

    /// Nobody is signed in.
    pub(crate) fn needed(&self, client: &Client, wanted: &Wanted) -> Error {
        let tenant = shown(&client.authority.tenant);
        let error = Error::sign_in_needed(format!("nobody is signed in to tenant {tenant}"))
            .because("no session is kept for this application and tenant, or it has ended");
        match self.asker.sign_in(client, &wanted.server) {
            Some(line) => error.next(line),
            None => error,
        }
    }

    /// Hands out the token. Somebody else's is not, and their session is forgotten, so that whoever
    /// was named can sign in.
    fn accept(
        &self,
        tokens: Tokens,
        open: &mut dyn OpenSession,
        client: &Client,
        wanted: &Wanted,
    ) -> Result<Granted> {
        if let Err(error) = self.check(&tokens) {
            open.forget();
            let error = Error::sign_in_needed("the kept session was somebody else's")
                .because(error.cause().unwrap_or(error.message()));
            return Err(match self.asker.sign_in(client, &wanted.server) {
                Some(line) => error.next(line),
                None => error,
            });
        }
        Ok(Granted { access_token: tokens.access_token })
    }

    /// Redeems that one, and keeps what replaces it.
    async fn try_one(
        &self,
        open: &mut dyn OpenSession,
        secret: &SecretString,
        (client, endpoints): (&Client, &Endpoints),
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Tokens, Failure> {
        let form = Form::grant("refresh_token").with("refresh_token", secret.expose_secret());
        let purpose = Purpose { asker: &self.asker, wanted };
        let answer = client.redeem(endpoints, form, purpose, Retry::Redemption, host).await;
        match answer {
            Ok(tokens) => {
                match &tokens.refresh_token {
                    Some(next) => {
                        if let Err(error) = open.keep(next) {
                            host.notes.note(&format!("the renewed session is not kept: {error}"));
                        }
                    }
                    None => open.unchanged(),
                }
                Ok(tokens)
            }
            Err(Failure::Refused(said, error)) => {
                open.unchanged();
                if said.claims.is_some() {
                    self.challenged().clone_from(&said.claims);
                }
                Err(Failure::Refused(said, error))
            }
            // it may have been redeemed: the mark stays
            Err(Failure::Lost(error)) => Err(Failure::Lost(error)),
        }
    }

    fn challenged(&self) -> MutexGuard<'_, Option<String>> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a kept session that was not sent, because its successor could not be kept.
pub(crate) fn unmarked(error: Error) -> Error {
    error.or_next(|| "df -h ~/.local/state".into())
}

#[cfg(test)]
mod tests;
