//! What a cloud has to know, in two traits.

use std::fmt;

use clap::{ArgMatches, Command};

use crate::{
    BoxFuture, Credential, CredentialKey, ExecInfo, Fingerprint, Host, Result, SessionKey, Token,
};

/// A cloud. One constant per crate, one line in the host's registry.
pub trait Provider: Sync {
    /// The subcommand, the folder under `providers/`, the page in the docs.
    fn name(&self) -> &'static str;

    /// One line for the help.
    fn about(&self) -> &'static str;

    /// Grafts the provider's own flags onto its subcommand.
    fn arguments(&self, command: Command) -> Command;

    /// Understands a question wholly, or says what is wrong with it. Reads the environment and
    /// files, never the network.
    fn request(
        &self,
        matches: &mut ArgMatches,
        exec: &ExecInfo,
        host: &Host,
    ) -> Result<Box<dyn Request>>;
}

/// One fully understood question: a token for this cluster, as that identity.
pub trait Request: fmt::Debug + Send + Sync {
    /// The provider's name.
    fn provider(&self) -> &'static str;

    /// What a person would call the identity asked for, for waiting lines and `-v`.
    fn describe(&self) -> String;

    /// Who signs in; `None` for machine identities.
    fn session(&self) -> Option<SessionKey>;

    /// Every field that could change the credential.
    fn key(&self, key: &mut CredentialKey);

    /// The request whose credential is needed to obtain this one: the source of a role. It is
    /// obtained, kept and locked in its own right, so that every role of one source shares it.
    fn source(&self) -> Option<&dyn Request> {
        None
    }

    /// A credential that needs neither the network nor keeping: access keys in the environment.
    fn at_hand(&self, host: &Host) -> Result<Option<Credential>>;

    /// Whether the owner of the session this was lent for has not signed out since. At most one
    /// `stat`.
    fn still_ours(&self, credential: &Credential, host: &Host) -> bool;

    /// Asks the cloud. Never asks a person: fails with
    /// [`Kind::SignInNeeded`](crate::Kind::SignInNeeded) where one is needed. `source` is the
    /// credential of [`Request::source`].
    fn obtain<'a>(
        &'a self,
        source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>>;

    /// Asks a person, then says whether [`Request::obtain`] is worth another try. A provider that
    /// signs nobody in keeps this answer, and the error of `obtain` stands.
    fn sign_in<'a>(&'a self, _how: SignIn, _host: &'a Host) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    /// What the API server is shown. Pure but for the clock.
    fn token(&self, credential: &Credential, host: &Host) -> Result<Token>;

    /// The name under which the credential is kept.
    fn fingerprint(&self) -> Fingerprint {
        let mut key = CredentialKey::new(self.provider());
        self.key(&mut key);
        key.finish()
    }
}

/// How a person may be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignIn {
    /// A browser may be opened.
    Browser,
    /// Only the terminal may be used.
    Terminal,
}
