//! A sign-in in a browser, which comes back to a port of this machine with a code.

use std::time::Duration;

use fleetkey_provider::{Host, Result, SignIn, Visit, shown};

use super::Wanted;
use crate::{
    entra::{Client, Page, Purpose, Tokens},
    errors::Asker,
};

/// Who is sent to a page, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visitor<'a> {
    pub(super) asker: &'a Asker,
    pub(super) hint: Option<&'a str>,
    /// The port to come back to, if it matters.
    pub(super) port: Option<u16>,
    pub(super) how: SignIn,
}

impl Visitor<'_> {
    /// Opens a page, waits for the browser, and redeems what it brings.
    pub(super) async fn sign_in(
        self,
        client: &Client,
        claims: Option<&str>,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Tokens> {
        let Self { asker, hint, port, how } = self;
        let purpose = Purpose { asker, wanted };
        let endpoints = client.endpoints(host).await?;
        let landing = host.person.land(port)?;
        let page = Page { port: landing.port(), hint, claims };
        let authorization = client.authorization(&endpoints, page, purpose, host)?;
        let visit = Visit {
            url: authorization.url.clone(),
            path: "/".into(),
            state: authorization.state.clone(),
            purpose: format!("sign in to tenant {}", shown(&client.authority.tenant)),
            how,
            limit: LIMIT,
        };
        let brought = landing.visit(&visit).await?;
        drop(landing); // nothing else is to come, and the port is free again
        client.redeem_authorization(&endpoints, &authorization, &brought, purpose, host).await
    }
}

/// How long a person has.
const LIMIT: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use fleetkey_provider::{
        Error, Kind,
        testing::{Answer, ScriptedPerson},
    };
    use serde_json::json;
    use url::Url;

    use super::*;
    use crate::{
        entra::Version,
        server_id::AKS,
        testing::{CLIENT, TENANT, World, access_token, client, now, wanted},
    };

    /// The id of the page: what comes after them.
    const PAGE: &str = "60616263-6465-4667-a869-6a6b6c6d6e6f";

    /// What the scripted chance makes of its first 96 bytes.
    fn chance(from: u8) -> String {
        URL_SAFE_NO_PAD.encode((from..from + 32).collect::<Vec<u8>>())
    }

    fn world(answer: Answer) -> World {
        World { person: ScriptedPerson::who(answer), ..World::default() }
    }

    #[allow(clippy::unnecessary_wraps, reason = "an `Answer` may be an error")]
    fn with(visit: &Visit, pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let state = [("state", visit.state.as_str())];
        Ok(state.iter().chain(pairs).map(|(n, v)| ((*n).into(), (*v).into())).collect())
    }

    fn sign_in(
        world: &World,
        client: &Client,
        hint: Option<&str>,
        port: Option<u16>,
    ) -> Result<Tokens> {
        let asker = Asker::Person { login: None, hint: None };
        let visitor = Visitor { asker: &asker, hint, port, how: SignIn::Browser };
        now(visitor.sign_in(client, None, &wanted(), &world.host()))
    }

    #[test]
    fn the_page_and_what_is_made_of_its_code() {
        let world = world(|visit| with(visit, &[("code", "c/1")]));
        world.entra_grants("at", Some("rt"));
        sign_in(&world, &client(), None, Some(8400)).unwrap();
        assert_eq!(world.person.ports(), [Some(8400)]);
        let visit = &world.person.visits()[0];
        let url = Url::parse(&visit.url).unwrap();
        let base = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize");
        assert_eq!(visit.url.split('?').next(), Some(&*base));
        // SHA-256 of the verifier, computed elsewhere
        let proof = "6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A";
        let pairs: Vec<String> = url.query_pairs().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(
            pairs,
            [
                &format!("client_id={CLIENT}"),
                "response_type=code",
                "redirect_uri=http://localhost:8400",
                "response_mode=form_post",
                &format!("state={}", chance(32)),
                &format!("nonce={}", chance(64)),
                &format!("code_challenge={proof}"),
                "code_challenge_method=S256",
                &format!("client-request-id={PAGE}"),
                &format!("scope={AKS}/.default openid offline_access profile"),
                "prompt=select_account",
            ]
        );
        assert_eq!((visit.state.as_str(), visit.path.as_str()), (&*chance(32), "/"));
        assert_eq!(visit.purpose, format!("sign in to tenant {TENANT}"));
        assert_eq!(
            world.forms(),
            [format!(
                "grant_type=authorization_code code=c/1 code_verifier={} \
                 redirect_uri=http://localhost:8400 client_id={CLIENT} \
                 scope={AKS}/.default openid offline_access profile",
                chance(0)
            )]
        );
        assert!(matches!(world.http.requests()[0].retry, fleetkey_provider::Retry::Never));
        assert!(world.notes.lines().iter().all(|line| !line.contains("c/1")));
    }

    #[test]
    fn whoever_is_expected_is_not_asked_to_choose() {
        let world = world(|visit| with(visit, &[("code", "c")]));
        world.entra_grants("at", None);
        let mut legacy = client();
        legacy.version = Version::V1;
        sign_in(&world, &legacy, Some("ann@x"), None).unwrap();
        let url = &world.person.visits()[0].url;
        assert!(url.contains("login_hint=ann%40x") && !url.contains("prompt="), "{url}");
        assert!(url.contains("/oauth2/authorize?") && url.contains(&format!("resource={AKS}")));
        assert!(world.forms()[0].ends_with(&format!("resource={AKS}")));
    }

    #[test]
    fn what_a_browser_may_bring_instead() {
        for (answer, kind, words) in [
            (
                (|visit| {
                    let said = "AADSTS65004: Declined.\r\nCorrelation ID: 00000000-0000-0000-0000-00000000000c";
                    with(visit, &[("error", "access_denied"), ("error_description", said)])
                }) as Answer,
                Kind::SignInNeeded,
                "was declined: AADSTS65004: Declined \
                 (correlation id 00000000-0000-0000-0000-00000000000c); an administrator consents at",
            ),
            (
                |visit| with(visit, &[("error", "invalid_request"), ("code", "c")]),
                Kind::Config,
                "Entra finds what this account asked wrong",
            ),
            (
                |visit| with(visit, &[("error", "server_error")]),
                Kind::Unavailable,
                "Entra is too busy, or not well: server_error \
                 (request id 60616263-6465-4667-a869-6a6b6c6d6e6f)",
            ),
            (|visit| with(visit, &[("code", "")]), Kind::Failed, "without a code"),
            (|visit| with(visit, &[]), Kind::Failed, "without a code"),
            (
                |_| Ok(vec![("code".into(), "c".into()), ("state".into(), "other".into())]),
                Kind::Failed,
                "another sign-in",
            ),
            (|_| Ok(vec![("code".into(), "c".into())]), Kind::Failed, "another sign-in"),
            (|_| Err(Error::sign_in_needed("nobody came back")), Kind::SignInNeeded, "nobody came"),
        ] {
            let world = world(answer);
            let error = sign_in(&world, &client(), None, None).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(world.http.requests().is_empty());
        }
    }

    #[test]
    fn a_refused_code_is_not_sent_again() {
        let world = world(|visit| with(visit, &[("code", "c")]));
        world.http.answer(400, &[], r#"{"error":"invalid_grant","error_codes":[54005]}"#);
        let error = sign_in(&world, &client(), None, None).unwrap_err();
        assert_eq!((error.kind(), world.http.requests().len()), (Kind::SignInNeeded, 1));
    }

    #[test]
    fn the_answer_to_another_sign_in_is_refused() {
        for (nonce, is_ours) in [(chance(64), true), ("other".into(), false)] {
            let world = world(|visit| with(visit, &[("code", "c")]));
            let id_token = access_token(&json!({ "nonce": nonce }));
            let body = json!({ "access_token": "at", "id_token": id_token });
            world.http.answer(200, &[], &body.to_string());
            assert_eq!(sign_in(&world, &client(), None, None).is_ok(), is_ours);
        }
    }
}
