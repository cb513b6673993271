//! What a cloud has to know, in two traits.

use std::{fmt, time::Duration};

use clap::{ArgMatches, Command};

use crate::{
    Adoption, BoxFuture, ClusterInfo, Credential, CredentialKey, Env, Error, ExecInfo, Extension,
    Fingerprint, Foreign, Host, Inventory, Means, Overrides, Result, SessionKey, SessionState,
    SignIn, SignedOut, StandIn, Token,
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

    /// The same for somebody who only wants to sign in: for that nobody has to name a cluster.
    fn sign_in_request(&self, matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Request>> {
        self.request(matches, &ExecInfo::default(), host)
    }

    /// Says what is wrong with flags that are written down to be asked later, wherever that will be: all
    /// that [`Provider::request`] would say of them without environment, files or network. If they are
    /// not the `whole` of the question, what they lack may stand elsewhere. Pure.
    fn check(&self, _matches: &mut ArgMatches, _whole: bool) -> Result<()> {
        Ok(())
    }

    /// Whether a cluster is this provider's, by its extension or its server's host name: for
    /// `get-token` without a provider.
    fn recognises(&self, _cluster: &ClusterInfo) -> bool {
        false
    }

    /// Takes over a user that was made for another program; `None` if this provider does not know
    /// it. `overrides` are this provider's flags as somebody typed them. An error says why a user that
    /// it does know cannot be taken over. Pure.
    fn adopt(&self, _foreign: &Foreign, _overrides: &Overrides) -> Option<Result<Adoption>> {
        None
    }

    /// What of such arguments stands in a cluster's extension, where [`Provider::request`] reads it.
    /// Errors if something of them can only be said by flags.
    fn extension(&self, _args: &[String]) -> Result<Extension> {
        Err(Error::config("this provider reads nothing from a cluster's extension"))
    }

    /// The flags, variables and settings whose value is a secret: it is shown to nobody.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// Understands a command line that was written for another program, by that program's name (no
    /// folders, lower case, without `.exe`) or its first words. `None` if it is none of those: asked on
    /// every start, so it looks at little.
    fn stands_in(
        &self,
        _program: &str,
        _args: &[String],
        _env: &dyn Env,
    ) -> Option<Result<StandIn>> {
        None
    }

    /// What it can find out about clusters.
    fn inventory(&self) -> Option<&'static dyn Inventory> {
        None
    }
}

/// One fully understood question: a token for this cluster, as that identity.
pub trait Request: fmt::Debug + Send + Sync {
    /// The provider's name.
    fn provider(&self) -> &'static str;

    /// What a person would call the identity asked for, for waiting lines and `-v`.
    fn describe(&self) -> String;

    /// Who signs in; `None` for machine identities.
    fn session(&self) -> Option<SessionKey>;

    /// The session that this is lent from, by a key that stays the same whoever signs in to it: what is kept
    /// of it goes when that is signed out.
    fn lent_from(&self) -> Option<SessionKey> {
        self.session()
    }

    /// What a person would call whoever signs in: the same for everything that is lent to one session.
    fn signer(&self) -> String {
        self.describe()
    }

    /// Every field that could change the credential.
    fn key(&self, key: &mut CredentialKey);

    /// A fingerprint of what proves who one is, where that is not part of the key: a person with
    /// another password is the same person. A refusal is remembered for this proof alone. It is never
    /// shown, not even by `-v`: a password can be guessed from it.
    fn proof(&self) -> Option<Fingerprint> {
        None
    }

    /// The request whose credential is needed to obtain this one: the source of a role. It is
    /// obtained, kept and locked in its own right, so that every role of one source shares it.
    fn source(&self) -> Option<&dyn Request> {
        None
    }

    /// How long obtaining may take where another program does it, which may ask its own network and
    /// think as long as it likes; `None` where only the network has to answer.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// A credential that needs neither the network nor keeping: access keys in the environment.
    fn at_hand(&self, host: &Host) -> Result<Option<Credential>>;

    /// Whether the owner of the session this was lent for has not signed out since. At most one
    /// `stat`, and two small reads where the session was renewed since.
    fn still_ours(&self, credential: &Credential, host: &Host) -> bool;

    /// Asks the cloud. Never asks a person: fails with
    /// [`Kind::SignInNeeded`](crate::Kind::SignInNeeded) where one is needed. `source` is the
    /// credential of [`Request::source`].
    fn obtain<'a>(
        &'a self,
        source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>>;

    /// Puts what was obtained where other tools keep it too. Called only where keeping is wanted.
    fn share(&self, _credential: &Credential, _host: &Host) {}

    /// How this request would ask a person, if those are the means; `None` if it cannot.
    fn how(&self, _means: Means) -> Option<SignIn> {
        None
    }

    /// The line a person types to sign in by hand, if there is one.
    fn sign_in_line(&self) -> Option<String> {
        None
    }

    /// Asks a person, and keeps the session they make. Called only with what [`Request::how`]
    /// answered, and with no lock held but the one that keeps others from asking too. `source` is the
    /// credential of [`Request::source`].
    fn sign_in<'a>(
        &'a self,
        _how: SignIn,
        _source: Option<&'a Credential>,
        _host: &'a Host,
    ) -> BoxFuture<'a, Result<SignedIn>> {
        Box::pin(async { Err(Error::failed("this identity signs nobody in")) })
    }

    /// How the session stands that is this request's own, and not that of its source, as far as files
    /// say. Asks nobody: no network, no other program, no place where keys lie.
    fn session_state(&self, _host: &Host) -> SessionState {
        SessionState::None
    }

    /// Why that session can be neither used nor signed in to, as far as files say: what it lies in cannot be
    /// read. Asked only where nobody is signed in.
    fn session_flaw(&self, _host: &Host) -> Option<Error> {
        None
    }

    /// Ends the session that is this request's own: where it was made, if that is heard there, and
    /// here. What another program keeps for itself is left and named. An error is for what kept it from
    /// even beginning.
    fn sign_out<'a>(&'a self, _host: &'a Host) -> BoxFuture<'a, Result<SignedOut>> {
        Box::pin(async { Ok(SignedOut::default()) })
    }

    /// The flags that name whoever this was lent to, where nothing named them yet. A request that has
    /// them is served by the same session and the same credential.
    fn hint(&self, _credential: &Credential) -> Option<Vec<String>> {
        None
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

/// What came of asking a person.
#[derive(Debug)]
pub enum SignedIn {
    /// With the same answer a credential of this request. One without an end is good for this run
    /// alone, and only what is obtained with it shows whether a person was right.
    Credential(Credential),
    /// A session; [`Request::obtain`] is worth another try.
    Session,
}
