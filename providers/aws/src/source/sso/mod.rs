//! A role lent for a person's SSO session (IAM Identity Center).
//!
//! The session is the one that `aws sso login` makes: its token lies in `~/.aws/sso/cache`, is renewed
//! there ([`session`]), and is written there when a person signs in here ([`sign_in`]). Roles are
//! forgotten with it, so that signing out means here what it means there; and they are shared with
//! `aws` ([`RoleCache`]).

mod catalogue;
mod device_code;
mod oidc;
mod page;
mod portal;
mod registration;
mod session;
mod sign_in;
mod sign_out;
mod token_file;

use std::path::{Path, PathBuf};

use fleetkey_provider::{
    Credential, CredentialKey, Error, ExposeSecret, Host, Means, Result, SessionKey, SessionState,
    SignIn, SignedOut, shown,
};
use jiff::Timestamp;
use serde::Deserialize;

pub(crate) use self::{
    catalogue::{Account, Catalogue},
    session::Token,
};
use self::{
    portal::{Portal, Question},
    session::{Known, Session},
};
use super::role_cache::RoleCache;
use crate::{
    endpoints::{Endpoints, Service, Target},
    errors::Asker,
    keys::{Keys, end_of_lent},
    plan,
    region::Region,
};

/// A role lent for a person's SSO session.
#[derive(Clone, Debug)]
pub(crate) struct Sso {
    settings: plan::Sso,
    session: Session,
    /// What `aws` keeps of this role.
    kept: RoleCache,
    portal: Portal,
}

/// Where SSO is asked.
#[derive(Clone)]
pub(crate) struct Ends {
    /// For roles.
    pub(crate) portal: Target,
    /// To renew the session. Nobody cares what is wrong with it until it has to be asked.
    pub(crate) oidc: Result<Target>,
}

impl Ends {
    /// Those of a region; `from` names where it came from.
    pub(crate) fn find(endpoints: &Endpoints<'_>, region: &Region, from: &str) -> Result<Self> {
        Ok(Self {
            portal: endpoints.of(Service::Sso, region, from)?,
            oidc: endpoints.of(Service::SsoOidc, region, from),
        })
    }
}

impl Sso {
    /// The settings, the line with which a person signs in by hand, and where all ends are. `home` is
    /// where `~/.aws` is.
    pub(crate) fn new(
        settings: plan::Sso,
        sign_in_line: String,
        home: &Path,
        ends: Ends,
        ca_bundle: Option<PathBuf>,
        host: &Host,
    ) -> Self {
        let Ends { portal: target, oidc } = ends;
        let plan::Sso { profile, session, start_url, region, scopes, account: _, role: _ } =
            settings.clone();
        let known = Known { profile, name: session, start_url, region, scopes, sign_in_line };
        let session = Session::new(known, home, oidc, ca_bundle.clone(), host);
        let kept = RoleCache::new(&settings, home);
        Self { settings, session, kept, portal: Portal { target, ca_bundle } }
    }

    /// Who signs in.
    pub(crate) fn session(&self) -> SessionKey {
        self.session.signer()
    }

    /// The session, whoever signs in to it.
    pub(crate) fn lent_from(&self) -> SessionKey {
        self.session.key()
    }

    /// How a person is asked to sign in.
    pub(crate) fn how(&self, means: Means) -> Option<SignIn> {
        self.session.how(means)
    }

    /// The line with which a person signs in by hand.
    pub(crate) fn sign_in_line(&self) -> &str {
        self.session.sign_in_line()
    }

    /// Has a person sign in, and keeps the session.
    pub(crate) async fn sign_in(&self, how: SignIn, host: &Host) -> Result<()> {
        self.session.sign_in(how, host).await
    }

    /// What a person would call the session.
    pub(crate) fn title(&self) -> String {
        self.session.title()
    }

    /// How it stands.
    pub(crate) fn state(&self, host: &Host) -> SessionState {
        self.session.state(host)
    }

    /// Why it can be neither used nor signed in to.
    pub(crate) fn flaw(&self, host: &Host) -> Option<Error> {
        self.session.flaw(host)
    }

    /// Ends it, for `aws` too.
    pub(crate) async fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        self.session.sign_out(&self.portal, host).await
    }

    /// The same, which tells what to type but asks nobody.
    pub(crate) fn asking_nobody(self) -> Self {
        Self { session: self.session.asking_nobody(), ..self }
    }

    /// Session, account and role.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { settings, session, kept: _, portal: Portal { target, ca_bundle } } = self;
        let plan::Sso { profile: _, session: _, start_url: _, region, scopes: _, account, role } =
            settings;
        key.field("sso session", &session.key().fingerprint().to_string());
        key.field("sso region", region.as_str());
        key.field("sso account", account);
        key.field("sso role", role);
        let Target { endpoint, signing_region: _, is_default } = target;
        key.maybe("sso endpoint", (!is_default).then(|| endpoint.as_str()));
        key.maybe("ca bundle", ca_bundle.as_ref().map(|path| path.to_string_lossy()).as_deref());
    }

    /// What `aws` keeps of this role, if it was lent for the sign-in there is: that of somebody who was
    /// signed in before is no less fresh. A session that is over need not be renewed for it.
    pub(crate) fn at_hand(&self, host: &Host) -> Option<Keys> {
        let stamp = self.session.stamp(host)?;
        let keys = self.kept.read(self.session.file(), host)?;
        Some(Keys { session_stamp: Some(stamp), ..keys })
    }

    /// Whether nobody signed in or out since.
    pub(crate) fn still_ours(&self, stamp: Option<i128>, host: &Host) -> bool {
        stamp.is_some_and(|stamp| self.session.is_still(stamp, host))
    }

    /// Asks the portal, with the session's token.
    pub(crate) async fn obtain(&self, host: &Host) -> Result<Keys> {
        self.lent(&self.session.token(host).await?, host).await
    }

    /// Asks the portal with this token.
    pub(crate) async fn lent(&self, token: &Token, host: &Host) -> Result<Keys> {
        let asker = self.session.asker();
        let task = format!("lend {}", self.role());
        let question = Question {
            path: "/federation/credentials",
            query: &[("role_name", &self.settings.role), ("account_id", &self.settings.account)],
            task: &task,
            asker: &asker,
            token,
        };
        let (answer, offset) = self.portal.ask(&question, host).await?;
        let secrets = [token.secret.expose_secret()];
        let call = self.portal.call(&question, &secrets);
        let lent: Answer = serde_json::from_slice(&answer.body)
            .map_err(|_| call.not_understood("an answer of another shape"))?;
        let lent = lent.role_credentials;
        let keys =
            Keys::checked(lent.access_key_id, lent.secret_access_key, Some(lent.session_token))
                .map_err(|flaw| call.not_understood(&flaw.to_string()))?;
        let expires = Timestamp::from_millisecond(lent.expiration)
            .map_err(|_| call.not_understood("an `expiration` that is no time"))?;
        Ok(Keys {
            account: Some(self.settings.account.clone()),
            expires: Some(end_of_lent(expires, "SSO", offset, host)),
            session_stamp: token.stamp,
            offset,
            ..keys
        })
    }

    /// Keeps what was lent for `aws` too.
    pub(crate) fn share(&self, credential: &Credential, host: &Host) {
        let (Ok(keys), Some(end)) = (Keys::from_secret(credential.expose()), credential.expires())
        else {
            return;
        };
        // where the clock is wrong, what it is wrong by has to be kept with the keys, and `aws` cannot
        if self.still_ours(keys.session_stamp, host) && !keys.offset.is_to_be_checked_soon() {
            self.kept.write(&keys, end, host);
        }
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        format!("{} (SSO of {})", self.role(), self.whose())
    }

    /// Who asks with it, and with the keys it lends.
    pub(crate) fn asker(&self) -> Asker {
        let asker = self.session.asker();
        match asker.profile {
            Some(_) => asker,
            None => Asker { who: format!("{} of {}", self.role(), asker.who), ..asker },
        }
    }

    /// What named it, as a person would say it.
    pub(crate) fn whose(&self) -> String {
        match (&self.settings.profile, &self.settings.session) {
            (None, Some(session)) => format!("session `{}`", shown(session)),
            (profile, _) => format!("profile `{}`", shown(profile.as_deref().unwrap_or_default())),
        }
    }

    fn role(&self) -> String {
        format!("role {} in {}", self.settings.role, self.settings.account)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    role_credentials: RoleCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds, unlike everything else of AWS.
    expiration: i64,
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Error, Kind};

    use crate::testing::{CONFIG, CORP, World};

    fn world() -> World {
        World::new().env(&[("AWS_PROFILE", "dev")])
    }

    fn fails(world: &World) -> Error {
        world.lend(world.ask("").unwrap().as_ref()).unwrap_err()
    }

    #[test]
    fn the_portal_is_asked_with_the_sessions_token() {
        let world = world().signed_in();
        world.sso_lends();
        let request = world.ask("").unwrap();
        assert_eq!(request.describe(), "role Admin in 123456789012 (SSO of profile `dev`)");
        let credential = world.lend(request.as_ref()).unwrap();
        assert_eq!(credential.expires(), "2026-01-02T04:04:05Z".parse().ok());
        let sent = &world.http.requests()[0];
        assert_eq!(
            sent.endpoint.url().as_str(),
            "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials\
             ?role_name=Admin&account_id=123456789012"
        );
        assert_eq!(sent.headers, [("x-amz-sso_bearer_token".into(), "sso-token".into())]);
    }

    #[test]
    fn whoever_is_not_signed_in_is_told_how_to() {
        for (file, words) in [
            (None, "there is no `/home/.aws/sso/cache/ee0b"),
            (Some(r#"{"accessToken":"t","expiresAt":"2026-01-02T03:04:05Z"}"#), "ended at"),
            (Some(r#"{"accessToken":"t","expiresAt":"2026-01-02T03:04:05UTC"}"#), "ended at"),
            (Some(r#"{"accessToken":"t","expiresAt":"soon"}"#), "is not as"),
            (Some(r#"{"accessToken":"","expiresAt":"2080-01-01T00:00:00Z"}"#), "is not as"),
            (Some(r#"{"expiresAt":"2080-01-01T00:00:00Z"}"#), "is not as"),
            (Some(r#"{"accessToken":"#), "is not as"),
            (Some("[]"), "is not as"),
        ] {
            let world = match file {
                Some(text) => world().file(CORP, text),
                None => world(),
            };
            let error = fails(&world);
            assert_eq!(error.kind(), Kind::SignInNeeded, "{error}");
            assert!(error.to_string().contains(words), "{file:?}: {error}");
            assert_eq!(
                error.next_line(),
                Some("fleetkey login aws --cluster-name c --region eu-west-1 --profile dev")
            );
            assert!(world.http.requests().is_empty());
        }
    }

    #[test]
    fn the_line_names_the_files_that_the_kubeconfig_named() {
        let env = [("AWS_CONFIG_FILE", "/my config")];
        let error = fails(&world().env(&env).file("/my config", CONFIG));
        let line = "AWS_CONFIG_FILE='/my config' fleetkey login aws --cluster-name c \
                    --region eu-west-1 --profile dev";
        assert_eq!(error.next_line(), Some(line));
    }

    #[test]
    fn the_token_is_found_however_it_was_written() {
        for file in [
            r#"{"ACCESSTOKEN":"t","expiresat":"2080-01-01T00:00:00+00:00"}"#,
            r#"{"accessToken":"t","expiresAt":"2080-01-01T00:00:00UTC","refreshToken":"r"}"#,
        ] {
            let world = world().file(CORP, file);
            world.sso_lends();
            world.lend(world.ask("").unwrap().as_ref()).unwrap();
        }
    }

    fn lends(id: &str, token: &str) -> String {
        format!(
            r#"{{"roleCredentials":{{"accessKeyId":"{id}","secretAccessKey":"s",
                "sessionToken":"{token}","expiration":4102444800000}}}}"#
        )
    }

    #[test]
    fn a_role_is_used_for_twelve_hours_at_most_whatever_the_portal_says() {
        let world = world().signed_in();
        world.http.answer(200, &[], &lends("ASIA", "t"));
        let credential = world.lend(world.ask("").unwrap().as_ref()).unwrap();
        assert_eq!(credential.expires(), "2026-01-02T15:04:05Z".parse().ok());
    }

    #[test]
    fn the_portals_refusals_are_told_apart() {
        for (status, headers, body, kind) in [
            (401, &[][..], r#"{"message":"Session token not found"}"#, Kind::SignInNeeded),
            (403, &[][..], r#"{"message":"No access"}"#, Kind::Refused),
            (
                400,
                &[("x-amzn-errortype", "ResourceNotFoundException:http://x")][..],
                r#"{"Message":"gone"}"#,
                Kind::Refused,
            ),
            (429, &[][..], r#"{"message":"HTTP 429 Unknown Code"}"#, Kind::Unavailable),
            (400, &[][..], r#"{"message":"sso-token is bad"}"#, Kind::Config),
            (403, &[][..], "<html>proxy</html>", Kind::Unavailable),
            (503, &[][..], "", Kind::Unavailable),
            (200, &[][..], "<html>sign in to the network</html>", Kind::Unavailable),
            (200, &[][..], "{}", Kind::Unavailable),
            (200, &[][..], &*lends("ASIA/2020&X-Amz=1", "t"), Kind::Unavailable),
            (200, &[][..], &*lends("ASIA", &"x".repeat(500_000)), Kind::Unavailable),
            (201, &[][..], &*lends("ASIA", "t"), Kind::Unavailable),
            (204, &[][..], "", Kind::Unavailable),
        ] {
            let world = world().signed_in();
            world.http.answer(status, headers, body);
            let error = fails(&world);
            assert_eq!(error.kind(), kind, "{body}: {error}");
            assert!(!error.to_string().contains("sso-token"), "{error}");
        }
    }
}
