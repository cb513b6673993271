//! That somebody is signed in to a session, before its accounts are looked through: asked for as a
//! credential is, so that the host has a person sign in where one has to.

use fleetkey_provider::{
    BoxFuture, Credential, CredentialKey, Error, Host, Means, Request, Result, SessionKey,
    SessionState, SignIn, SignedOut, Token, shown,
};

use crate::{NAME, source::Catalogue};

/// Whoever is signed in to that session.
#[derive(Debug)]
pub(crate) struct SignedIn(pub(crate) Catalogue);

impl Request for SignedIn {
    fn provider(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> String {
        format!("SSO session `{}`", shown(&self.0.settings().name))
    }

    fn session(&self) -> Option<SessionKey> {
        Some(self.0.signer())
    }

    fn key(&self, key: &mut CredentialKey) {
        key.field("signed in to sso session", &self.0.key().fingerprint().to_string());
    }

    fn at_hand(&self, _host: &Host) -> Result<Option<Credential>> {
        Ok(None)
    }

    fn still_ours(&self, _credential: &Credential, host: &Host) -> bool {
        self.0.is_signed_in(host)
    }

    /// The token stays where it lies. Without an end, this is kept nowhere.
    fn obtain<'a>(
        &'a self,
        _source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>> {
        Box::pin(async move {
            self.0.token(host).await?;
            Ok(Credential::lasting(String::new().into(), host.clock.now()))
        })
    }

    fn how(&self, means: Means) -> Option<SignIn> {
        self.0.how(means)
    }

    fn sign_in_line(&self) -> Option<String> {
        Some(self.0.sign_in_line().to_owned())
    }

    fn sign_in<'a>(
        &'a self,
        how: SignIn,
        _source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<fleetkey_provider::SignedIn>> {
        Box::pin(async move {
            self.0.sign_in(how, host).await?;
            Ok(fleetkey_provider::SignedIn::Session)
        })
    }

    fn session_state(&self, host: &Host) -> SessionState {
        self.0.state(host)
    }

    fn sign_out<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<SignedOut>> {
        Box::pin(self.0.sign_out(host))
    }

    fn token(&self, _credential: &Credential, _host: &Host) -> Result<Token> {
        Err(Error::failed("no cluster takes an SSO session for a token"))
    }
}
