//! A person who signs in: in a browser, or with a code that they type on any device.

use fleetkey_provider::{
    BoxFuture, CredentialKey, Host, Means, Result, SessionKey, SessionState, SignIn, SignedOut,
    shown,
};

use super::{Granted, Source, Wanted, application, device_code, interactive, session::Session};
use crate::{
    claims,
    entra::{Client, Tokens, Version},
    errors::Asker,
};

/// How a person wants to be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asks {
    /// In a browser if one can be opened, else with a code.
    Best,
    /// In a browser.
    Browser,
    /// With a code.
    DeviceCode,
}

impl Asks {
    /// The `--login` that says so.
    fn login(self) -> Option<&'static str> {
        match self {
            Self::Best => None,
            Self::Browser => Some("interactive"),
            Self::DeviceCode => Some("devicecode"),
        }
    }
}

/// A person.
#[derive(Debug)]
pub(crate) struct Person {
    client: Client,
    hint: Option<String>,
    asks: Asks,
    redirect: Option<u16>,
    session: Session,
}

impl Person {
    /// `hint` is the name they are expected to sign in with, `redirect` the port their browser
    /// comes back to.
    pub(crate) fn new(
        client: Client,
        hint: Option<String>,
        asks: Asks,
        redirect: Option<u16>,
    ) -> Self {
        let asker = Asker::Person { login: asks.login(), hint: hint.clone() };
        let session = Session::of(&client, hint.as_deref(), asker);
        Self { client, hint, asks, redirect, session }
    }

    /// Keeps the session, and hands out the token. Somebody else's is neither kept nor handed out.
    fn accept(&self, tokens: Tokens, wanted: &Wanted, host: &Host) -> Result<Granted> {
        self.session.check(&tokens).map_err(|error| match self.sign_in_line(wanted) {
            Some(line) => error.next(line),
            None => error,
        })?;
        self.session.keep(&tokens, host);
        Ok(Granted { access_token: tokens.access_token })
    }
}

impl Source for Person {
    fn describe(&self) -> String {
        let tenant = shown(&self.client.authority.tenant);
        match &self.hint {
            Some(name) => format!("{} of tenant {tenant}", shown(name)),
            None => format!("a person of tenant {tenant}"),
        }
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { client, hint: _, asks: _, redirect: _, session } = self;
        key.field("person", &session.key().fingerprint().to_string());
        if client.version == Version::V1 {
            key.field("version", "1");
        }
    }

    fn session(&self) -> Option<SessionKey> {
        Some(self.session.key())
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(self.session.redeem(&self.client, wanted, None, host))
    }

    fn how(&self, means: Means) -> Option<SignIn> {
        match (self.asks, means) {
            (Asks::Best | Asks::Browser, Means { browser: true, .. }) => Some(SignIn::Browser),
            (_, Means { terminal: true, .. }) => Some(SignIn::Terminal),
            _ => None,
        }
    }

    fn session_state(&self, host: &Host) -> SessionState {
        self.session.state(host)
    }

    fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        self.session.sign_out(&self.describe(), host)
    }

    fn hint(&self, access_token: &str) -> Option<String> {
        if self.hint.is_some() { None } else { claims::person(access_token) }
    }

    fn sign_in_line(&self, wanted: &Wanted) -> Option<String> {
        self.session.asker().sign_in(&self.client, &wanted.server)
    }

    fn sign_in<'a>(
        &'a self,
        how: SignIn,
        wanted: &'a Wanted,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let challenge = self.session.challenge();
            let claims = challenge.as_deref();
            // a code binds no token to a key
            let wants_code = host.person.wants_code() && wanted.req_cnf.is_none();
            let asks = if wants_code { Asks::DeviceCode } else { self.asks };
            let tokens = match (asks, how) {
                (Asks::DeviceCode, _) | (Asks::Best, SignIn::Terminal) => {
                    host.notes.note("signing in with a code that is typed on any device");
                    device_code::sign_in(&self.client, self.hint.as_deref(), claims, wanted, host)
                        .await?
                }
                (Asks::Browser, _) | (Asks::Best, SignIn::Browser) => {
                    host.notes.note("signing in with a browser");
                    let visit = interactive::Visitor {
                        asker: self.session.asker(),
                        hint: self.hint.as_deref(),
                        port: self.redirect,
                        how,
                    };
                    visit.sign_in(&self.client, claims, wanted, host).await?
                }
            };
            self.accept(tokens, wanted, host)
        })
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        ExposeSecret, Kind,
        testing::{ScriptedPerson, StaticSessions},
    };
    use serde_json::json;

    use super::*;
    use crate::testing::{TENANT, World, access_token, client, now, wanted};

    fn person(hint: Option<&str>, asks: Asks) -> Person {
        Person::new(client(), hint.map(Into::into), asks, None)
    }

    fn world(person: &Person) -> World {
        let who = ScriptedPerson::who(|visit| {
            Ok(vec![("code".into(), "c".into()), ("state".into(), visit.state.clone())])
        });
        let sessions = StaticSessions::default().with(person.session.key(), "rt-1");
        World { person: who, sessions, ..World::default() }
    }

    fn sign_in(person: &Person, how: SignIn, world: &World) -> Result<Granted> {
        now(person.sign_in(how, &wanted(), &world.host()))
    }

    #[test]
    fn what_is_asked_for_decides_how() {
        let both = Means { browser: true, terminal: true, keyboard: false };
        let browser = Means { browser: true, terminal: false, keyboard: false };
        let terminal = Means { browser: false, terminal: true, keyboard: false };
        for (asks, means, how) in [
            (Asks::Best, both, Some(SignIn::Browser)),
            (Asks::Best, browser, Some(SignIn::Browser)),
            (Asks::Best, terminal, Some(SignIn::Terminal)),
            (Asks::Browser, both, Some(SignIn::Browser)),
            (Asks::Browser, terminal, Some(SignIn::Terminal)),
            (Asks::DeviceCode, both, Some(SignIn::Terminal)),
            (Asks::DeviceCode, browser, None),
            (Asks::Best, Means::default(), None),
            (Asks::Browser, Means::default(), None),
            (Asks::DeviceCode, Means::default(), None),
        ] {
            assert_eq!(person(None, asks).how(means), how, "{asks:?} {means:?}");
        }
    }

    #[test]
    fn how_somebody_signed_in_is_no_part_of_who_they_are() {
        let fingerprint = |person: &Person| {
            let mut key = CredentialKey::new("azure");
            person.key(&mut key);
            key.finish()
        };
        let one = person(Some("ann@x"), Asks::Best);
        let same = Person::new(client(), Some("ANN@x".into()), Asks::DeviceCode, Some(1));
        assert_eq!(fingerprint(&one), fingerprint(&same));
        assert_eq!(one.session(), same.session());
        let mut legacy = client();
        legacy.version = Version::V1;
        for other in [
            person(None, Asks::Best),
            person(Some("bob@x"), Asks::Best),
            Person::new(legacy, Some("ann@x".into()), Asks::Best, None),
        ] {
            assert_ne!(fingerprint(&one), fingerprint(&other));
        }
        assert_eq!(one.describe(), format!("ann@x of tenant {TENANT}"));
        assert_eq!(person(None, Asks::Best).describe(), format!("a person of tenant {TENANT}"));
        assert_eq!(one.tenant(), Some(TENANT));
    }

    #[test]
    fn nobody_is_asked_for_what_the_session_gives() {
        let ann = person(None, Asks::Best);
        let world = world(&ann);
        world.entra_grants("at", None);
        let granted = now(ann.obtain(&wanted(), &world.host())).unwrap();
        assert_eq!(granted.access_token.expose_secret(), "at");
        assert!(world.person.told().is_empty() && world.person.visits().is_empty());
        let line = ann.sign_in_line(&wanted()).unwrap();
        assert!(line.starts_with("fleetkey login azure --server-id "), "{line}");
    }

    #[test]
    fn a_browser_makes_a_session_and_a_token() {
        let ann = person(None, Asks::Best);
        let world = world(&ann);
        world.entra_grants("at", Some("rt-2"));
        sign_in(&ann, SignIn::Browser, &world).unwrap();
        assert_eq!(world.sessions.kept(ann.session.key()).as_deref(), Some("rt-2"));
        assert_eq!(world.sessions.steps(), ["open", "keep", "close"]);
        assert_eq!(world.person.visits().len(), 1);
    }

    #[test]
    fn without_a_browser_the_address_alone_is_shown_if_one_was_asked_for() {
        let ann = person(None, Asks::Browser);
        let world = world(&ann);
        world.entra_grants("at", Some("rt-2"));
        sign_in(&ann, SignIn::Terminal, &world).unwrap();
        assert_eq!(world.person.visits()[0].how, SignIn::Terminal);
    }

    #[test]
    fn somebody_else_is_neither_kept_nor_let_through() {
        let ann = person(Some("ann@x"), Asks::Best);
        let world = world(&ann);
        world.entra_grants(&access_token(&json!({ "upn": "bob@x" })), Some("bobs"));
        let error = sign_in(&ann, SignIn::Browser, &world).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.next_line().unwrap().ends_with(" --login-hint ann@x"), "{error:?}");
        assert_eq!(world.sessions.kept(ann.session.key()).as_deref(), Some("rt-1"));
        world.entra_grants(&access_token(&json!({ "upn": "bob@x" })), None);
        let error = now(ann.obtain(&wanted(), &world.host())).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded);
        assert_eq!(error.next_line(), ann.sign_in_line(&wanted()).as_deref());
        assert_eq!(world.sessions.kept(ann.session.key()), None);
        world.entra_grants(&access_token(&json!({ "upn": "Ann@X" })), Some("anns"));
        sign_in(&ann, SignIn::Browser, &world).unwrap();
        assert_eq!(world.sessions.kept(ann.session.key()).as_deref(), Some("anns"));
    }

    #[test]
    fn what_entra_wants_to_ask_is_asked() {
        let body = r#"{"error":"interaction_required","error_codes":[50076],"claims":"{\"a\":1}"}"#;
        let claims = r#"{"a":1}"#;
        let ann = person(None, Asks::Best);
        let in_browser = world(&ann);
        in_browser.http.answer(400, &[], body);
        now(ann.obtain(&wanted(), &in_browser.host())).unwrap_err();
        in_browser.entra_grants("at", Some("rt-2"));
        sign_in(&ann, SignIn::Browser, &in_browser).unwrap();
        assert!(in_browser.person.visits()[0].url.contains("claims=%7B%22a%22%3A1%7D"));
        assert!(in_browser.forms()[1].contains(&format!("claims={claims}")));

        let with_code = world(&ann);
        with_code.http.answer(400, &[], body);
        now(ann.obtain(&wanted(), &with_code.host())).unwrap_err();
        let code = json!({ "device_code": "d", "user_code": "U", "verification_uri": "https://x" });
        with_code.http.answer(200, &[], &code.to_string());
        with_code.entra_grants("at", Some("rt-2"));
        sign_in(&ann, SignIn::Terminal, &with_code).unwrap();
        assert!(with_code.forms()[1].contains(&format!("claims={claims}")));
        // and not again
        with_code.http.answer(200, &[], &code.to_string());
        with_code.entra_grants("at", Some("rt-3"));
        sign_in(&ann, SignIn::Terminal, &with_code).unwrap();
        assert!(!with_code.forms()[3].contains("claims"));
    }
}
