//! Keys lent to a person who signed in as they do to the console: the sessions of `aws login`.
//!
//! A session lies in a file of `aws`, named after who signed in. It holds keys for a quarter of an hour
//! and what renews them, once, for who also has the key that lies beside it ([`dpop`]). Fresh keys are
//! used as they stand; else they are renewed there ([`session`]), and a person signs in there
//! ([`sign_in`]), so that every tool that knows such sessions shares them.

mod dpop;
mod oauth;
mod page;
mod session;
mod sign_in;
mod sign_out;
mod token_file;
mod typed;

use std::path::PathBuf;

use fleetkey_provider::{
    CredentialKey, Error, Host, Means, Result, SessionKey, SessionState, SignIn, SignedOut, shown,
};

use self::session::Session;
use crate::{
    endpoints::{Endpoints, Service},
    errors::Asker,
    keys::Keys,
    plan, profiles,
    region::Region,
    variables::AWS_LOGIN_CACHE_DIRECTORY,
};

/// A session of `aws login`.
#[derive(Clone, Debug)]
pub(crate) struct LoginSession(Session);

impl LoginSession {
    /// The settings, the line with which a person signs in by hand, the region of the question and what
    /// it came from, and where all ends are.
    pub(crate) fn open(
        plan: plan::LoginSession,
        sign_in_line: String,
        (region, from): (&Region, &str),
        endpoints: &Endpoints<'_>,
        ca_bundle: Option<PathBuf>,
        host: &Host,
    ) -> Result<Self> {
        // the profile's comes first, since it is what `aws` itself goes by: that of the question is a
        // cluster's
        let target = match &plan.region {
            Some(text) => {
                let from = format!("`region` of profile `{}`", shown(&plan.profile));
                Region::parse(text, &from)
                    .and_then(|region| endpoints.of(Service::SignIn, &region, &from))
            }
            None => endpoints.of(Service::SignIn, region, from),
        };
        let folder = folder(host)?;
        let mode = endpoints.mode();
        Ok(Self(Session::new(plan, sign_in_line, &folder, (target, mode), ca_bundle, host)))
    }

    /// Who signs in.
    pub(crate) fn session(&self) -> SessionKey {
        self.0.signer()
    }

    /// The session, whoever signs in to it.
    pub(crate) fn lent_from(&self) -> SessionKey {
        self.0.key()
    }

    /// How a person is asked to sign in.
    pub(crate) fn how(&self, means: Means) -> Option<SignIn> {
        self.0.how(means)
    }

    /// The line with which a person signs in by hand.
    pub(crate) fn sign_in_line(&self) -> &str {
        &self.0.sign_in_line
    }

    /// Has a person sign in, and keeps the session.
    pub(crate) async fn sign_in(&self, how: SignIn, host: &Host) -> Result<()> {
        self.0.sign_in(how, host).await
    }

    /// The same, which tells what to type but asks nobody.
    pub(crate) fn asking_nobody(self) -> Self {
        Self(self.0.asking_nobody())
    }

    /// What a person would call the session.
    pub(crate) fn title(&self) -> String {
        self.0.title()
    }

    /// How it stands.
    pub(crate) fn state(&self, host: &Host) -> SessionState {
        self.0.state(host)
    }

    /// Ends it, for `aws` too.
    pub(crate) fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        self.0.sign_out(host)
    }

    /// The session, and what is asked to renew it.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Session { target, ca_bundle, .. } = &self.0;
        key.field("login session", &self.0.key().fingerprint().to_string());
        let other = target.as_ref().ok().filter(|target| !target.is_default);
        key.maybe("sign-in endpoint", other.map(|target| target.endpoint.as_str()));
        key.maybe("ca bundle", ca_bundle.as_ref().map(|path| path.to_string_lossy()).as_deref());
    }

    /// The keys as they stand in the file, if they are fresh.
    pub(crate) fn at_hand(&self, host: &Host) -> Option<Keys> {
        self.0.at_hand(host)
    }

    /// Whether nobody signed out since. Whoever signs in there is who signed in before, since the file is
    /// named after them; and what was lent outlives the keys it was lent with, which end in minutes.
    pub(crate) fn still_ours(&self, host: &Host) -> bool {
        self.0.stamp(host).is_some()
    }

    /// Keys that work, renewed if they have to be.
    pub(crate) async fn obtain(&self, host: &Host) -> Result<Keys> {
        self.0.keys(host).await
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        format!("{} (`aws login` of profile `{}`)", shown(&self.0.plan.arn), self.0.profile())
    }

    /// Who asks with its keys.
    pub(crate) fn asker(&self) -> Asker {
        self.0.asker()
    }
}

/// The folder of all sessions.
fn folder(host: &Host) -> Result<PathBuf> {
    if let Some(folder) = host.path_var(AWS_LOGIN_CACHE_DIRECTORY) {
        if !host.trust.is_strict()? {
            return profiles::expand(folder, host).ok_or_else(|| {
                Error::config(format!("`{AWS_LOGIN_CACHE_DIRECTORY}` cannot be found"))
                    .because("its path begins in a home folder, and there is none")
            });
        }
        host.notes.note(&format!(
            "`{AWS_LOGIN_CACHE_DIRECTORY}` is ignored: the configuration is strict"
        ));
    }
    let home = profiles::home(host).ok_or_else(|| {
        Error::config(
            "there is no home folder, and `aws login` keeps sessions in `~/.aws/login/cache`",
        )
        .because("the variable `HOME` is not set")
    })?;
    Ok(home.join(".aws").join("login").join("cache"))
}

#[cfg(test)]
mod tests;
