//! A role lent for a person's SSO session (IAM Identity Center).
//!
//! The session belongs to `aws sso login`: its token lies in `~/.aws/sso/cache`, is read there and
//! never written. Roles are forgotten with it, so that signing out means here what it means there.

use std::path::{Path, PathBuf};

use fleetkey_provider::{
    CredentialKey, Error, ExposeSecret, Host, HttpRequest, HttpResponse, Method, Result, Retry,
    SecretString, SessionKey, quoted, shown,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    endpoints::Target,
    errors::{Asker, Call, Said},
    keys::{Keys, end_of_lent, time},
    plan,
};

/// A role lent for a person's SSO session.
#[derive(Clone, Debug)]
pub(crate) struct Sso {
    settings: plan::Sso,
    token_file: PathBuf,
    portal: Target,
    ca_bundle: Option<PathBuf>,
}

impl Sso {
    /// The settings, and where both ends are. `home` is where `~/.aws` is.
    pub(crate) fn new(
        settings: plan::Sso,
        home: &Path,
        portal: Target,
        ca_bundle: Option<PathBuf>,
    ) -> Self {
        let name = settings.session.as_ref().unwrap_or(&settings.start_url);
        let token_file = home.join(".aws").join("sso").join("cache").join(file_name(name));
        Self { settings, token_file, portal, ca_bundle }
    }

    /// The session is the file its token lies in.
    pub(crate) fn session(&self) -> SessionKey {
        SessionKey::new("aws", &[("sso token file", &self.token_file.to_string_lossy())])
    }

    /// Session, account and role.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { settings, token_file: _, portal, ca_bundle } = self;
        let plan::Sso { profile: _, session: _, start_url: _, region, account, role } = settings;
        key.field("sso session", &self.session().fingerprint().to_string());
        key.field("sso region", region.as_str());
        key.field("sso account", account);
        key.field("sso role", role);
        let Target { endpoint, signing_region: _, is_default } = portal;
        key.maybe("sso endpoint", (!is_default).then(|| endpoint.as_str()));
        key.maybe("ca bundle", ca_bundle.as_ref().map(|path| path.to_string_lossy()).as_deref());
    }

    /// Whether nobody signed in or out since.
    pub(crate) fn still_ours(&self, stamp: Option<i128>, host: &Host) -> bool {
        stamp.is_some() && host.files.stamp(&self.token_file) == stamp
    }

    /// Asks the portal.
    pub(crate) async fn obtain(&self, host: &Host) -> Result<Keys> {
        // before the file is read: what is written in between must not look familiar later
        let stamp = host.files.stamp(&self.token_file);
        let token = self.token(host)?;
        let asker = self.asker();
        let task = format!("lend {}", self.role());
        let call = Call {
            service: "SSO",
            endpoint: &self.portal.endpoint,
            task: &task,
            asker: &asker,
            secrets: &[token.expose_secret()],
        };
        let request = HttpRequest {
            method: Method::Get,
            endpoint: self.portal.endpoint.at(
                "/federation/credentials",
                &[("role_name", &self.settings.role), ("account_id", &self.settings.account)],
            ),
            headers: vec![("x-amz-sso_bearer_token".into(), token.expose_secret().into())],
            body: Vec::new(),
            ca_bundle: self.ca_bundle.clone(),
            retry: Retry::Safe(|_| false),
        };
        let answer = host.http.send(&request).await?;
        if answer.status != 200 {
            return Err(call.error(&answer, said(&answer), host.clock.now()));
        }
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
            expires: Some(end_of_lent(expires, "SSO", host)),
            session_stamp: stamp,
            ..keys
        })
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        format!("{} (SSO of profile `{}`)", self.role(), shown(&self.settings.profile))
    }

    /// Who asks with it, and with the keys it lends.
    pub(crate) fn asker(&self) -> Asker {
        Asker {
            who: format!("profile `{}`", shown(&self.settings.profile)),
            profile: Some(self.settings.profile.clone()),
            sign_in: Some(self.sign_in_line()),
        }
    }

    fn role(&self) -> String {
        format!("role {} in {}", self.settings.role, self.settings.account)
    }

    fn sign_in_line(&self) -> String {
        format!("aws sso login --profile {}", quoted(&self.settings.profile))
    }

    /// The session's token, if somebody is signed in.
    fn token(&self, host: &Host) -> Result<SecretString> {
        let path = shown(&self.token_file.to_string_lossy());
        let needed = |cause: String| {
            let session = self.settings.session.as_ref().unwrap_or(&self.settings.start_url);
            Error::sign_in_needed(format!("nobody is signed in to SSO `{}`", shown(session)))
                .because(cause)
                .next(self.sign_in_line())
        };
        let Some(bytes) = host.files.read(&self.token_file)? else {
            return Err(needed(format!("there is no `{path}`")));
        };
        let unreadable = || needed(format!("`{path}` is not as `aws sso login` writes it"));
        // the file may be half written just now, and is then as good as absent
        let fields: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        let field = |name: &str| {
            let (_, value) = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            value.as_str().filter(|text| !text.is_empty())
        };
        let token = field("accessToken").ok_or_else(unreadable)?;
        let expires = field("expiresAt").and_then(time).ok_or_else(unreadable)?;
        if expires <= host.clock.now() {
            return Err(needed(format!("the last sign-in ended at {expires}")));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unreadable());
        }
        Ok(token.into())
    }
}

/// The name the CLI gives the token file of a session, or of a start URL where there is none.
fn file_name(session: &str) -> String {
    format!("{}.json", sha1_smol::Sha1::from(session).digest())
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

/// The code is in a header or the body, and where it is in neither the status means the same.
fn said(answer: &HttpResponse) -> Option<Said> {
    let body: Map<String, Value> = serde_json::from_slice(&answer.body).ok()?;
    let text = |name: &str| {
        body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_str())
    };
    let kind = answer
        .header("x-amzn-errortype")
        .or_else(|| text("__type"))
        .and_then(|kind| kind.split(':').next())
        .and_then(|kind| kind.rsplit('#').next());
    let code = match (answer.status, kind) {
        (401, _) => "UnauthorizedException",
        (_, Some(kind)) => kind,
        (403, None) => "ForbiddenException",
        (404, None) => "ResourceNotFoundException",
        (429, None) => "TooManyRequestsException",
        (_, None) => "InvalidRequestException",
    };
    Some(Said { code: code.into(), message: text("message").unwrap_or_default().into() })
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Error, Kind};

    use super::*;
    use crate::testing::{CORP, World};

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
            assert_eq!(error.next_line(), Some("aws sso login --profile dev"));
            assert!(world.http.requests().is_empty());
        }
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

    #[test]
    fn the_file_is_named_as_the_cli_names_it() {
        for (session, file) in [
            ("corp", "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"),
            ("https://my.awsapps.com/start", "40840c65697c043e2a71754cccb2ab4de3acc1c1.json"),
        ] {
            assert_eq!(file_name(session), file);
        }
    }
}
