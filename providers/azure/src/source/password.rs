//! A person's name and password (`ropc`).
//!
//! The first time costs two requests: whether Entra is the one to check this password, and the
//! password itself. A federated account's password is not Entra's to see, so it is not sent there.
//! From then on the session is redeemed, in one request, until it ends.

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, ExposeSecret, Fingerprint, Host, HttpRequest, Kind, Method,
    Result, Retry, SecretString, SessionKey, SessionState, SignedOut, shown,
};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{Granted, Source, Wanted, application, session::Session};
use crate::{
    entra::{Client, Endpoints, Form, Purpose, Version, request_id},
    errors::Asker,
};

/// A name and a password.
#[derive(Debug)]
pub(crate) struct Password {
    client: Client,
    username: String,
    secret: SecretString,
    session: Session,
}

impl Password {
    /// That person.
    pub(crate) fn new(client: Client, username: String, password: SecretString) -> Self {
        let asker = Asker::Password { username: username.clone() };
        let session = Session::of(&client, Some(&username), asker);
        Self { client, username, secret: password, session }
    }

    async fn with_password(&self, wanted: &Wanted, host: &Host) -> Result<Granted> {
        if self.client.authority.is_known {
            self.check_realm(wanted, host).await?;
        }
        let endpoints: Endpoints = self.client.endpoints(host).await?;
        let form = Form::grant("password")
            .with("username", &self.username)
            .with("password", self.secret.expose_secret());
        let purpose = Purpose { asker: self.session.asker(), wanted };
        // never twice: a wrong password that is sent again locks the account
        let tokens = self.client.redeem(&endpoints, form, purpose, Retry::Never, host).await?;
        self.session.keep(&tokens, host);
        Ok(Granted { access_token: tokens.access_token })
    }

    /// Whose passwords they are. Asked of Entra's own authorities, which know.
    async fn check_realm(&self, wanted: &Wanted, host: &Host) -> Result<()> {
        // one segment of a path, whatever stands in it; the `+` of a form is a blank there
        let name: String = form_urlencoded::byte_serialize(self.username.as_bytes()).collect();
        let path = format!("common/UserRealm/{}", name.replace('+', "%20"));
        let id = request_id(host)?;
        let request = HttpRequest {
            method: Method::Get,
            endpoint: self.client.authority.endpoint.at(&path, &[("api-version", "1.0")]),
            headers: vec![
                ("accept".into(), "application/json".into()),
                ("client-request-id".into(), id.clone()),
            ],
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Safe(|_| false),
        };
        let what = "asking Entra whose passwords are those of this account";
        host.notes.note(&format!("{what} (request id {id})"));
        let answer = host.http.send(&request).await?;
        let realm: Option<Map<String, Value>> = match answer.status {
            200 => serde_json::from_slice(&answer.body).ok(),
            _ => None,
        };
        let field = |name: &str| realm.as_ref()?.get(name)?.as_str();
        let who = shown(&self.username);
        let error = match field("account_type") {
            Some(kind) if kind.eq_ignore_ascii_case("managed") => return Ok(()),
            Some(kind) if kind.eq_ignore_ascii_case("federated") => {
                let at = ["federation_active_auth_url", "federation_metadata_url", "AuthURL"]
                    .iter()
                    .find_map(|name| Url::parse(field(name)?).ok()?.host_str().map(shown))
                    .unwrap_or_else(|| "another host".into());
                Error::refused(format!(
                    "the account `{who}` is federated, and `--login ropc` cannot sign it in"
                ))
                .because(format!("its password is checked by {at}, and was not sent to Entra"))
            }
            Some(_) => Error::refused(format!("Entra does not know whose account `{who}` is"))
                .because("it is neither managed nor federated: no tenant has its domain")
                .once(),
            None => Error::unavailable("Entra did not say whose account this is").because(format!(
                "status {} from {} (request id {id})",
                answer.status,
                request.endpoint.origin()
            )),
        };
        Err(match self.session.asker().sign_in(&self.client, &wanted.server) {
            Some(line) if error.kind() == Kind::Refused => error.next(line),
            _ => error,
        })
    }
}

impl Source for Password {
    fn describe(&self) -> String {
        let tenant = shown(&self.client.authority.tenant);
        format!("{} of tenant {tenant}, with a password", shown(&self.username))
    }

    fn key(&self, key: &mut CredentialKey) {
        // not the password: whoever changes it stays who they are
        let Self { client, username: _, secret: _, session } = self;
        key.field("person", &session.key().fingerprint().to_string());
        if client.version == Version::V1 {
            key.field("version", "1");
        }
    }

    fn proof(&self) -> Option<Fingerprint> {
        Some(Fingerprint::of(self.secret.expose_secret().as_bytes()))
    }

    fn session(&self) -> Option<SessionKey> {
        Some(self.session.key())
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    /// Without a session the password is shown, and nobody is asked.
    fn session_state(&self, host: &Host) -> SessionState {
        match self.session.state(host) {
            SessionState::SignedOut(_) => SessionState::None,
            state => state,
        }
    }

    fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        self.session.sign_out(&self.describe(), host)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            if self.session.exists(host) {
                match self.session.redeem(&self.client, wanted, None, host).await {
                    Err(error)
                        if matches!(error.kind(), Kind::SignInNeeded | Kind::Refused)
                            && !error.is_once() =>
                    {
                        host.notes.note(&format!("the session does not serve any more: {error}"));
                    }
                    done => return done,
                }
            }
            self.with_password(wanted, host).await
        })
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticSessions;

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{CLIENT, TENANT, World, client, form, now, wanted},
    };

    const MANAGED: &str = r#"{"account_type":"Managed","domain_name":"x"}"#;

    fn me() -> Password {
        Password::new(client(), "me/+@x".into(), "hunter2".into())
    }

    fn kept() -> World {
        let sessions = StaticSessions::default().with(me().session.key(), "rt-1");
        World { sessions, ..World::default() }
    }

    fn obtain(world: &World) -> Result<Granted> {
        now(me().obtain(&wanted(), &world.host()))
    }

    #[test]
    fn two_requests_the_first_time_and_one_from_then_on() {
        let world = World::default();
        world.http.answer(200, &[], MANAGED);
        world.entra_grants("at", Some("rt-1"));
        obtain(&world).unwrap();
        let [realm, token] = &world.http.requests()[..] else { panic!("not two requests") };
        assert_eq!(
            realm.endpoint.as_str(),
            "https://login.microsoftonline.com/common/UserRealm/me%2F%2B%40x?api-version=1.0"
        );
        assert_eq!(
            realm.headers[1],
            ("client-request-id".into(), "00010203-0405-4607-8809-0a0b0c0d0e0f".into())
        );
        assert_eq!(
            form(token),
            format!(
                "grant_type=password username=me/+@x password=hunter2 client_id={CLIENT} \
                 scope={AKS}/.default openid offline_access profile"
            )
        );
        assert!(matches!(token.retry, Retry::Never));
        assert_eq!(world.sessions.kept(me().session.key()).as_deref(), Some("rt-1"));
        world.entra_grants("at", Some("rt-2"));
        obtain(&world).unwrap();
        assert_eq!(world.http.requests().len(), 3);
        assert!(world.forms()[2].starts_with("grant_type=refresh_token refresh_token=rt-1 "));
        assert!(world.notes.lines().iter().all(|line| !line.contains("hunter2")));
    }

    #[test]
    fn a_session_that_ended_leads_back_to_the_password() {
        for body in [
            r#"{"error":"invalid_grant","error_codes":[50173]}"#,
            r#"{"error":"interaction_required","error_codes":[50076]}"#,
        ] {
            let world = kept();
            world.http.answer(400, &[], body);
            world.http.answer(200, &[], MANAGED);
            world.entra_grants("at", Some("rt-2"));
            obtain(&world).unwrap();
            assert_eq!(world.sessions.kept(me().session.key()).as_deref(), Some("rt-2"));
        }
    }

    #[test]
    fn a_network_that_is_away_costs_no_password() {
        let world = kept();
        world.http.answer(503, &[], "");
        assert_eq!(obtain(&world).unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(world.http.requests().len(), 1);
    }

    #[test]
    fn a_wrong_password_is_sent_once() {
        let world = World::default();
        world.http.answer(200, &[], MANAGED);
        world.http.answer(400, &[], r#"{"error":"invalid_grant","error_codes":[50126]}"#);
        let error = obtain(&world).unwrap_err();
        assert_eq!((error.kind(), error.is_once()), (Kind::Refused, true));
        assert_eq!(world.http.requests().len(), 2);
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn more_than_a_password_needs_a_person() {
        let world = World::default();
        world.http.answer(200, &[], MANAGED);
        world.http.answer(400, &[], r#"{"error":"invalid_grant","error_codes":[50076]}"#);
        let error = obtain(&world).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.message().contains("`--login ropc` has nothing more"), "{error}");
        assert!(error.next_line().unwrap().contains(" --login interactive --login-hint "));
    }

    #[test]
    fn a_federated_accounts_password_stays_here() {
        let body = r#"{"account_type":"Federated",
            "federation_active_auth_url":"https://adfs.example/adfs/services/trust"}"#;
        for (status, body, kind, words) in [
            (200, body, Kind::Refused, "checked by adfs.example, and was not sent"),
            (200, r#"{"account_type":"federated"}"#, Kind::Refused, "checked by another host"),
            (200, r#"{"account_type":"Unknown"}"#, Kind::Refused, "neither managed nor federated"),
            (200, "<html>", Kind::Unavailable, "did not say whose"),
            (200, "{}", Kind::Unavailable, "did not say whose"),
            (
                404,
                MANAGED,
                Kind::Unavailable,
                "status 404 from https://login.microsoftonline.com \
                 (request id 00010203-0405-4607-8809-0a0b0c0d0e0f)",
            ),
        ] {
            let world = World::default();
            world.http.answer(status, &[], body);
            let error = obtain(&world).unwrap_err();
            assert_eq!(error.kind(), kind, "{body}: {error}");
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(world.http.requests().len(), 1);
        }
    }

    #[test]
    fn the_password_is_in_no_key_and_no_debug() {
        let fingerprint = |password: &str| {
            let mut key = CredentialKey::new("azure");
            Password::new(client(), "me@x".into(), password.into()).key(&mut key);
            key.finish()
        };
        assert_eq!(fingerprint("a"), fingerprint("b"));
        assert!(!format!("{:?}", me()).contains("hunter2"));
        assert_eq!(me().describe(), format!("me/+@x of tenant {TENANT}, with a password"));
    }
}
