//! The steps of a plan, each a request in its own right.
//!
//! Each is kept and locked by itself, so all roles of one source share what the source was lent. Keys
//! in the environment or in a file are no reason to keep anything: they are at hand.

use std::{sync::Arc, time::Duration};

use fleetkey_provider::{
    BoxFuture, Credential, CredentialKey, Error, Host, Means, Request, Result, SessionKey,
    SessionState, SignIn, SignedIn, SignedOut, Token, shown,
};

use crate::{
    errors::Asker,
    keys::Keys,
    signs_for::SignsFor,
    source::{AssumeRole, Container, EnvKeys, Instance, Mfa, Process, Source, StaticKeys},
    sts::Sts,
    token::{self, ClusterId},
};

/// One step of the plan, and through `source` those before it.
#[derive(Debug)]
pub(crate) struct Step {
    how: Source,
    source: Option<Box<Self>>,
    shared: Arc<Shared>,
}

/// What all steps of one question have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The cluster a token is for.
    pub(crate) cluster: ClusterId,
    /// The host of STS a token is for.
    pub(crate) signs_for: SignsFor,
}

impl Step {
    /// The first step.
    pub(crate) fn first(how: Source, shared: Shared) -> Self {
        Self { how, source: None, shared: Arc::new(shared) }
    }

    /// The step after this one.
    pub(crate) fn then(self, how: Source) -> Self {
        let shared = Arc::clone(&self.shared);
        Self { how, source: Some(Box::new(self)), shared }
    }

    /// The step after this one, with a person's second factor added to what this one is lent.
    pub(crate) fn with_mfa(self, serial: String, sts: Sts, sign_in_line: String) -> Self {
        let id = match &self.how {
            Source::EnvKeys(EnvKeys { keys }) | Source::StaticKeys(StaticKeys { keys, .. }) => {
                keys.access_key_id.clone()
            }
            // what it will be lent is not known yet, and is another pair each time
            _ => self.fingerprint().to_string(),
        };
        self.then(Source::Mfa(Mfa::new(serial, id, sts, sign_in_line)))
    }

    /// The same, with nobody who is asked to sign in.
    pub(crate) fn asking_nobody(self) -> Self {
        let how = match self.how {
            Source::Sso(sso) => Source::Sso(Box::new(sso.asking_nobody())),
            Source::LoginSession(login) => Source::LoginSession(Box::new(login.asking_nobody())),
            how => how,
        };
        let source = self.source.map(|source| Box::new(source.asking_nobody()));
        Self { how, source, ..self }
    }

    /// What everything here hangs on.
    fn base(&self) -> &Source {
        self.source.as_ref().map_or(&self.how, |source| source.base())
    }

    /// Who asks with what the step before is lent.
    fn source_asker(&self) -> Asker {
        self.source.as_ref().map(|source| source.asker()).unwrap_or_default()
    }

    /// Who asks with what this step is lent.
    pub(crate) fn asker(&self) -> Asker {
        match &self.how {
            Source::EnvKeys(_) => EnvKeys::asker(),
            Source::StaticKeys(keys) => keys.asker(),
            Source::WebIdentity(token) => token.asker(),
            Source::Sso(sso) => sso.asker(),
            Source::LoginSession(login) => login.asker(),
            Source::Process(process) => process.asker(),
            Source::Container(_) => Container::asker(),
            Source::Instance(_) => Instance::asker(),
            Source::Mfa(_) => self.source_asker(),
            Source::AssumeRole(role) => role.asker(self.source_asker()),
        }
    }

    /// What is kept of what this step is lent.
    fn kept(&self, keys: &Keys, host: &Host) -> Credential {
        let soon = match &self.how {
            // whom these lend for may change without its showing in the key
            Source::Process(_) | Source::Instance(_) => true,
            Source::Container(container) if container.may_change() => true,
            // a person is not asked for another code; and these keys only assume roles, of STS,
            // which says anew what the time is
            Source::Mfa(_) => false,
            _ => keys.offset.is_to_be_checked_soon(),
        };
        let (secret, now) = (keys.to_secret(), host.clock.now());
        let Some(expires) = keys.expires else { return Credential::lasting(secret, now) };
        // the end is by the clock of whoever lent them; the keys themselves, and a token that they
        // sign, are good until then in any case
        let end = keys.offset.here(expires);
        let soonest = now.checked_add(SOON).unwrap_or(end);
        Credential::until(secret, now, if soon { end.min(soonest) } else { end })
    }

    async fn lent(&self, source: Option<&Credential>, host: &Host) -> Result<Keys> {
        let signs_for = &self.shared.signs_for;
        let source = source.map(|source| Keys::from_secret(source.expose())).transpose()?;
        let region = match &self.how {
            // it is asked for everything at once
            Source::Instance(_) => None,
            _ => signs_for.region(source.as_ref(), host).await?,
        };
        let sts = |sts| signs_for.sts(sts, region.as_ref(), host);
        let keys = match &self.how {
            Source::EnvKeys(env) => env.at_hand(host)?,
            Source::StaticKeys(keys) => keys.keys.clone(),
            Source::WebIdentity(token) => token.obtain(&sts(token.sts())?, host).await?,
            Source::Sso(sso) => sso.obtain(host).await?,
            Source::LoginSession(login) => login.obtain(host).await?,
            Source::Process(process) => process.obtain(host).await?,
            Source::Container(container) => container.obtain(&self.shared.cluster, host).await?,
            Source::Instance(instance) => instance.obtain(signs_for.is_of_machine(), host).await?,
            Source::Mfa(mfa) => return Err(mfa.needed(&self.source_asker())),
            Source::AssumeRole(role) => {
                let Some(keys) = source else {
                    return Err(Error::failed(
                        "a role was asked for without the keys to assume it",
                    ));
                };
                role.obtain(&sts(&role.sts)?, &keys, &self.source_asker(), host).await?
            }
        };
        Ok(match region {
            Some(region) => Keys { region: Some(region.as_str().to_owned()), ..keys },
            None => keys,
        })
    }
}

impl Request for Step {
    fn provider(&self) -> &'static str {
        crate::NAME
    }

    fn describe(&self) -> String {
        match &self.how {
            Source::EnvKeys(_) => EnvKeys::describe(),
            Source::StaticKeys(keys) => keys.describe(),
            Source::WebIdentity(token) => token.describe(),
            Source::Sso(sso) => sso.describe(),
            Source::LoginSession(login) => login.describe(),
            Source::Process(process) => process.describe(),
            Source::Container(_) => Container::describe(),
            Source::Instance(_) => Instance::describe(),
            Source::Mfa(mfa) => mfa.describe(),
            Source::AssumeRole(AssumeRole { role, .. }) => {
                let via = match &role.profile {
                    Some(profile) => format!("profile {}", shown(profile)),
                    None => match (self.asker().profile, self.base()) {
                        (Some(profile), _) => format!("profile {}", shown(&profile)),
                        (None, Source::Sso(sso)) => format!("SSO {}", sso.whose()),
                        (None, _) => "the environment".into(),
                    },
                };
                format!("{} (via {via})", role.arn)
            }
        }
    }

    fn session(&self) -> Option<SessionKey> {
        match &self.how {
            Source::Mfa(mfa) => Some(mfa.session()),
            Source::Sso(sso) => Some(sso.session()),
            Source::LoginSession(login) => Some(login.session()),
            _ => self.source.as_ref().and_then(|source| source.session()),
        }
    }

    fn lent_from(&self) -> Option<SessionKey> {
        match &self.how {
            Source::Mfa(mfa) => Some(mfa.session()),
            Source::Sso(sso) => Some(sso.lent_from()),
            Source::LoginSession(login) => Some(login.lent_from()),
            _ => self.source.as_ref().and_then(|source| source.lent_from()),
        }
    }

    fn signer(&self) -> String {
        match (&self.how, &self.source) {
            (Source::Sso(sso), _) => sso.title(),
            (Source::LoginSession(login), _) => login.title(),
            (Source::AssumeRole(_), Some(source)) => source.signer(),
            _ => self.describe(),
        }
    }

    fn session_state(&self, host: &Host) -> SessionState {
        match &self.how {
            Source::Sso(sso) => sso.state(host),
            Source::LoginSession(login) => login.state(host),
            // what a code made is a credential of this step, and kept as one
            Source::Mfa(_) => SessionState::SignedOut("no code was typed of late".into()),
            _ => SessionState::None,
        }
    }

    fn session_flaw(&self, host: &Host) -> Option<Error> {
        match &self.how {
            Source::Sso(sso) => sso.flaw(host),
            _ => None,
        }
    }

    fn sign_out<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<SignedOut>> {
        Box::pin(async move {
            let left = match &self.how {
                Source::Sso(sso) => return sso.sign_out(host).await,
                Source::LoginSession(login) => return login.sign_out(host),
                Source::StaticKeys(_) => "they stand in the files of profiles, which are yours",
                Source::EnvKeys(_) => "they stand in the environment",
                _ => return Ok(SignedOut::default()),
            };
            let left = vec![format!("{}: {left}", self.describe())];
            Ok(SignedOut { left, ..SignedOut::default() })
        })
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { how, source, shared } = self;
        // neither cluster nor region: one credential signs for all of them, but for one that brings
        // its region along
        let Shared { cluster: _, signs_for } = &**shared;
        if signs_for.is_of_machine() {
            key.field("region", "of the machine");
        }
        match how {
            Source::EnvKeys(keys) => keys.key(key),
            Source::StaticKeys(keys) => keys.key(key),
            Source::WebIdentity(token) => token.key(key),
            Source::Sso(sso) => sso.key(key),
            Source::LoginSession(login) => login.key(key),
            Source::Process(process) => process.key(key),
            Source::Container(container) => container.key(key),
            Source::Instance(instance) => instance.key(key),
            // the keys of one pair may stand in many profiles, and one code serves them all
            Source::Mfa(mfa) => return mfa.key(key),
            Source::AssumeRole(role) => role.key(key),
        }
        let source = source.as_ref().map(|source| source.fingerprint().to_string());
        key.maybe("source", source.as_deref());
    }

    fn source(&self) -> Option<&dyn Request> {
        self.source.as_deref().map(|source| source as &dyn Request)
    }

    fn at_hand(&self, host: &Host) -> Result<Option<Credential>> {
        if self.shared.signs_for.is_of_machine() {
            // its region is not
            return Ok(None);
        }
        let keys = match &self.how {
            Source::EnvKeys(env) => Some(env.at_hand(host)?),
            Source::StaticKeys(keys) => Some(keys.keys.clone()),
            Source::Sso(sso) => sso.at_hand(host),
            Source::LoginSession(login) => login.at_hand(host),
            Source::WebIdentity(_)
            | Source::Process(_)
            | Source::Container(_)
            | Source::Instance(_)
            | Source::Mfa(_)
            | Source::AssumeRole(_) => None,
        };
        Ok(keys.map(|keys| self.kept(&keys, host)))
    }

    fn patience(&self) -> Option<Duration> {
        match &self.how {
            Source::Process(_) => Some(Process::patience()),
            _ => None,
        }
    }

    fn still_ours(&self, credential: &Credential, host: &Host) -> bool {
        match self.base() {
            Source::Sso(sso) => Keys::from_secret(credential.expose())
                .is_ok_and(|keys| sso.still_ours(keys.session_stamp, host)),
            Source::LoginSession(login) => login.still_ours(host),
            _ => true,
        }
    }

    fn obtain<'a>(
        &'a self,
        source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>> {
        Box::pin(async move { Ok(self.kept(&self.lent(source, host).await?, host)) })
    }

    fn share(&self, credential: &Credential, host: &Host) {
        if let Source::Sso(sso) = &self.how {
            sso.share(credential, host);
        }
    }

    fn how(&self, means: Means) -> Option<SignIn> {
        match &self.how {
            Source::Mfa(_) => means.keyboard.then_some(SignIn::Terminal),
            Source::Sso(sso) => sso.how(means),
            Source::LoginSession(login) => login.how(means),
            _ => None,
        }
    }

    fn sign_in_line(&self) -> Option<String> {
        match &self.how {
            Source::Mfa(mfa) => Some(mfa.sign_in_line().to_owned()),
            Source::Sso(sso) => Some(sso.sign_in_line().to_owned()),
            Source::LoginSession(login) => Some(login.sign_in_line().to_owned()),
            _ => None,
        }
    }

    fn sign_in<'a>(
        &'a self,
        how: SignIn,
        source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<SignedIn>> {
        Box::pin(async move {
            let (mfa, source) = match (&self.how, source) {
                (Source::Sso(sso), _) => {
                    return sso.sign_in(how, host).await.map(|()| SignedIn::Session);
                }
                (Source::LoginSession(login), _) => {
                    return login.sign_in(how, host).await.map(|()| SignedIn::Session);
                }
                (Source::Mfa(mfa), Some(source)) => (mfa, source),
                _ => return Err(Error::failed("this identity signs nobody in")),
            };
            let (keys, signs_for) = (Keys::from_secret(source.expose())?, &self.shared.signs_for);
            let region = signs_for.region(Some(&keys), host).await?;
            let sts = signs_for.sts(mfa.sts(), region.as_ref(), host)?;
            let keys = mfa.sign_in(&sts, keys, &self.source_asker(), host).await?;
            Ok(SignedIn::Credential(self.kept(&keys, host)))
        })
    }

    fn token(&self, credential: &Credential, host: &Host) -> Result<Token> {
        let keys = Keys::from_secret(credential.expose())?;
        let signs_for = self.shared.signs_for.host(&keys)?;
        token::presign(&keys, &signs_for, &self.shared.cluster, host.clock.now())
    }
}

/// For how long what may change unseen is kept at most.
const SOON: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests;
