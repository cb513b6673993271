//! One fully understood question: a token for this server application, from that source.

use std::time::Duration;

use fleetkey_provider::{
    BoxFuture, Credential, CredentialKey, Fingerprint, Host, Means, Request, Result, SessionKey,
    SessionState, SignIn, SignedIn, SignedOut, Token,
};

use crate::{
    NAME, claims,
    pop::{Key, PopClaims},
    server_id::ServerId,
    source::{Granted, Source, Wanted},
    token,
};

/// The question.
#[derive(Debug)]
pub(crate) struct Ask {
    /// Who asks, and how.
    pub(crate) source: Box<dyn Source>,
    /// For which server application.
    pub(crate) server: ServerId,
    /// For which host, if the token is to be bound to a key.
    pub(crate) pop: Option<PopClaims>,
}

impl Request for Ask {
    fn provider(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> String {
        self.source.describe()
    }

    fn session(&self) -> Option<SessionKey> {
        self.source.session()
    }

    fn signer(&self) -> String {
        self.source.signer()
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { source, server, pop } = self;
        key.field("server", server.resource());
        // the host goes into the envelope, which is signed anew each time
        key.field("bound", if pop.is_some() { "to a key" } else { "no" });
        source.key(key);
    }

    fn proof(&self) -> Option<Fingerprint> {
        self.source.proof()
    }

    fn patience(&self) -> Option<Duration> {
        self.source.patience()
    }

    fn at_hand(&self, host: &Host) -> Result<Option<Credential>> {
        if self.pop.is_some() {
            return Ok(None); // nobody else's token is bound to a key of ours
        }
        let granted = self.source.at_hand(&self.wanted(None)?, host)?;
        granted.map(|granted| self.credential(&granted, None, host)).transpose()
    }

    fn still_ours(&self, _credential: &Credential, host: &Host) -> bool {
        self.source.still_ours(host)
    }

    fn obtain<'a>(
        &'a self,
        _source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>> {
        Box::pin(async move {
            let key = self.new_key()?;
            let wanted = self.wanted(key.as_ref())?;
            let granted = self.source.obtain(&wanted, host).await?;
            self.credential(&granted, key.as_ref(), host)
        })
    }

    fn how(&self, means: Means) -> Option<SignIn> {
        self.source.how(means)
    }

    fn sign_in_line(&self) -> Option<String> {
        self.source.sign_in_line(&self.wanted(None).ok()?)
    }

    fn sign_in<'a>(
        &'a self,
        how: SignIn,
        _source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<SignedIn>> {
        Box::pin(async move {
            let key = self.new_key()?;
            let wanted = self.wanted(key.as_ref())?;
            let granted = self.source.sign_in(how, &wanted, host).await?;
            self.credential(&granted, key.as_ref(), host).map(SignedIn::Credential)
        })
    }

    fn session_state(&self, host: &Host) -> SessionState {
        self.source.session_state(host)
    }

    fn sign_out<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<SignedOut>> {
        Box::pin(async move { self.source.sign_out(host) })
    }

    fn hint(&self, credential: &Credential) -> Option<Vec<String>> {
        // a token that is bound to a key is kept with it, and is none by itself
        let name = self.source.hint(credential.expose()).filter(|_| self.pop.is_none())?;
        Some(vec!["--login-hint".into(), name])
    }

    fn token(&self, credential: &Credential, host: &Host) -> Result<Token> {
        token::token(credential, self.pop.as_ref(), host)
    }
}

impl Ask {
    fn new_key(&self) -> Result<Option<Key>> {
        self.pop.as_ref().map(|_| Key::generate()).transpose()
    }

    fn wanted(&self, key: Option<&Key>) -> Result<Wanted> {
        let req_cnf = key.map(Key::req_cnf).transpose()?;
        Ok(Wanted { server: self.server.clone(), req_cnf })
    }

    fn credential(&self, granted: &Granted, key: Option<&Key>, host: &Host) -> Result<Credential> {
        let claims::Claims { issued, expires } =
            claims::check(granted, &self.server, self.source.tenant(), host)?;
        Ok(Credential::until(token::secret(granted, key)?, issued, expires))
    }
}
