//! A sign-in with a code that is typed on any device.
//!
//! It is the one way to sign in that somebody else can start: who types a code that came by mail
//! signs its sender in. So what is told names the application, the server and the authority, and that
//! the code is for whoever asked for it.

use std::time::Duration;

use fleetkey_provider::{Error, Host, Kind, Result, shown};
use jiff::SignedDuration;

use super::Wanted;
use crate::{
    entra::{Client, DeviceCode, Failure, Purpose, Tokens},
    errors::Asker,
};

/// Shows a code, and waits until it was typed. `claims` is what the person has to be asked beside
/// the usual.
pub(super) async fn sign_in(
    client: &Client,
    hint: Option<&str>,
    claims: Option<&str>,
    wanted: &Wanted,
    host: &Host,
) -> Result<Tokens> {
    let asker = Asker::Person { login: Some("devicecode"), hint: hint.map(str::to_owned) };
    let purpose = Purpose { asker: &asker, wanted };
    let endpoints = client.endpoints(host).await?;
    let code = client.device_code(&endpoints, claims, purpose, host).await?;
    host.person.tell(&instructions(client, hint, wanted, &code));
    host.person.picture(code.page.as_str());

    let span = SignedDuration::try_from(code.life).unwrap_or_default();
    let end = host.clock.now().checked_add(span).unwrap_or_default();
    let mut interval = code.interval;
    let mut lost = 0;
    while host.clock.now().checked_add(interval).is_ok_and(|then| then <= end) {
        host.clock.pause(interval);
        match client.redeem_device_code(&endpoints, &code, claims, purpose, host).await {
            Ok(granted) => return Ok(granted),
            Err(Failure::Refused(said, error)) => {
                lost = 0;
                match said.error.as_str() {
                    "authorization_pending" => {}
                    "slow_down" => interval += SLOWER,
                    _ if said.is_transient() => interval += SLOWER,
                    _ => return Err(error),
                }
            }
            // a code outlives a gap in the network, but not an answer that is always another's
            Err(Failure::Lost(error)) => {
                lost += 1;
                if error.kind() != Kind::Unavailable || lost == LOST {
                    return Err(error);
                }
                host.notes.note(&format!("asking again: {error}"));
                interval += SLOWER;
            }
        }
    }
    let minutes = code.life.as_secs().div_ceil(60);
    let error = Error::sign_in_needed("the code was not typed in time")
        .because(format!("it was good for {minutes} min"));
    Err(match asker.sign_in(client, &wanted.server) {
        Some(line) => error.next(line),
        None => error,
    })
}

fn instructions(client: &Client, hint: Option<&str>, wanted: &Wanted, code: &DeviceCode) -> String {
    let authority = &client.authority;
    let user = hint.map(|hint| format!(" as {}", shown(hint))).unwrap_or_default();
    format!(
        "To sign in{user}, open {} and type the code {}\n\
         It lets fleetkey on this machine act for you: application {} asks {} \
         (tenant {}) for tokens for server {}.\n\
         Type it only if it was you who started this, just now.",
        shown(code.page.as_str()),
        code.user_code,
        shown(&client.id),
        authority.endpoint.origin(),
        shown(&authority.tenant),
        shown(wanted.server.resource()),
    )
}

/// What is added to the interval when the server is in no hurry (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// How many answers in a row may go missing.
const LOST: u32 = 3;

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Clock, Retry, testing::ManualClock};
    use serde_json::json;

    use super::*;
    use crate::{
        entra::Version,
        server_id::AKS,
        testing::{CLIENT, NOW, TENANT, World, client, now, wanted},
    };

    const PENDING: &str = r#"{"error":"authorization_pending","error_codes":[70016]}"#;

    fn world() -> World {
        let world = World::default();
        let code = json!({ "device_code": "dc", "user_code": "ABC-1", "interval": 5, "expires_in": 900,
            "verification_uri": "https://microsoft.com/devicelogin", "message": "do as I say" });
        world.http.answer(200, &[], &code.to_string());
        world
    }

    /// The answer, and how many seconds were waited.
    fn sign_in(world: &World, client: &Client) -> (Result<Tokens>, i64) {
        let clock = ManualClock::at(NOW);
        let host = Host { clock: Box::new(clock.clone()), ..world.host() };
        let answer = now(super::sign_in(client, None, None, &wanted(), &host));
        (answer, clock.now().duration_since(NOW.parse().unwrap()).as_secs())
    }

    #[test]
    fn a_code_is_shown_and_asked_after_until_it_was_typed() {
        let world = world();
        world.http.answer(400, &[], PENDING);
        world.http.answer(400, &[], r#"{"error":"slow_down"}"#);
        world.http.answer(503, &[], "");
        world.http.answer(400, &[], r#"{"error":"temporarily_unavailable"}"#);
        world.entra_grants("at", Some("rt"));
        let (tokens, waited) = sign_in(&world, &client());
        assert!(tokens.unwrap().refresh_token.is_some());
        assert_eq!(waited, 5 + 5 + 10 + 15 + 20);
        let scope = format!("scope={AKS}/.default openid offline_access profile");
        let poll = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:device_code device_code=dc \
             client_id={CLIENT} {scope}"
        );
        let mut forms = vec![format!("client_id={CLIENT} {scope}")];
        forms.resize(6, poll);
        assert_eq!(world.forms(), forms);
        let requests = world.http.requests();
        let path = |i: usize| requests[i].endpoint.url().path().to_owned();
        assert_eq!(path(0), format!("/{TENANT}/oauth2/v2.0/devicecode"));
        assert_eq!(path(1), format!("/{TENANT}/oauth2/v2.0/token"));
        assert!(matches!(requests[1].retry, Retry::Never));
        let told = &world.person.told()[..];
        let [told] = told else { panic!("{told:?}") };
        for words in [
            "https://microsoft.com/devicelogin",
            "ABC-1",
            CLIENT,
            AKS,
            TENANT,
            "https://login.microsoftonline.com",
            "only if it was you",
        ] {
            assert!(told.contains(words), "{told}");
        }
        assert!(!told.contains("do as I say") && !told.contains("dc"), "{told}");
    }

    #[test]
    fn version_1_writes_it_otherwise() {
        let world = World::default();
        let code = json!({ "device_code": "dc", "user_code": "U", "interval": "7", "expires_in": "900",
            "verification_url": "https://microsoft.com/devicelogin" });
        world.http.answer(200, &[], &code.to_string());
        world.entra_grants("at", None);
        let mut legacy = client();
        legacy.version = Version::V1;
        let (tokens, waited) = sign_in(&world, &legacy);
        assert!(tokens.is_ok());
        assert_eq!(waited, 7);
        let base = format!("https://login.microsoftonline.com/{TENANT}/oauth2");
        let requests = world.http.requests();
        assert_eq!(requests[0].endpoint.as_str(), format!("{base}/devicecode?api-version=1.0"));
        assert_eq!(requests[1].endpoint.as_str(), format!("{base}/token?api-version=1.0"));
        assert_eq!(
            world.forms(),
            [
                format!("client_id={CLIENT} resource={AKS}"),
                format!("grant_type=device_code code=dc client_id={CLIENT} resource={AKS}"),
            ]
        );
    }

    #[test]
    fn whoever_does_not_type_it_is_told_how_to_start_again() {
        for (body, kind, words) in [
            (r#"{"error":"authorization_declined"}"#, Kind::SignInNeeded, "was declined"),
            (r#"{"error":"access_denied"}"#, Kind::SignInNeeded, "was declined"),
            (r#"{"error":"expired_token","error_codes":[70020]}"#, Kind::SignInNeeded, "in time"),
            (r#"{"error":"code_expired","error_codes":[70019]}"#, Kind::SignInNeeded, "in time"),
            (r#"{"error":"bad_verification_code"}"#, Kind::SignInNeeded, "in time"),
            (
                r#"{"error":"access_denied","error_codes":[53003]}"#,
                Kind::Refused,
                "a code is typed",
            ),
            (
                r#"{"error":"invalid_client","error_codes":[7000218]}"#,
                Kind::Refused,
                "prove itself",
            ),
        ] {
            let world = world();
            world.http.answer(400, &[], PENDING);
            world.http.answer(400, &[], body);
            let error = sign_in(&world, &client()).0.unwrap_err();
            assert_eq!(error.kind(), kind, "{body}: {error}");
            assert!(error.message().contains(words), "{error}");
            let next = error.next_line().unwrap();
            let end = match kind {
                Kind::SignInNeeded => " --login devicecode",
                _ if body.contains("53003") => " --login interactive",
                _ => " --is-fallback-public-client true",
            };
            assert!(next.ends_with(end), "{next}");
            assert_eq!(world.http.requests().len(), 3);
        }
    }

    #[test]
    fn a_code_is_asked_after_no_longer_than_it_is_good() {
        let world = World::default();
        let code = json!({ "device_code": "dc", "user_code": "U", "interval": 60, "expires_in": 90_000,
            "verification_uri": "https://x" });
        world.http.answer(200, &[], &code.to_string());
        for _ in 0..15 {
            world.http.answer(400, &[], PENDING);
        }
        let (answer, waited) = sign_in(&world, &client());
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), waited), (Kind::SignInNeeded, 900));
        assert_eq!(error.cause(), Some("it was good for 15 min"));
        assert_eq!(world.http.requests().len(), 16);
    }

    #[test]
    fn a_network_that_stays_away_ends_it() {
        let world = world();
        for _ in 0..3 {
            world.http.answer(200, &[], "<html>sign in to the network</html>");
        }
        let error = sign_in(&world, &client()).0.unwrap_err();
        assert_eq!((error.kind(), world.http.requests().len()), (Kind::Unavailable, 4));
    }

    #[test]
    fn what_is_no_code_is_not_shown() {
        for body in
            ["", "{}", r#"{"device_code":"d","user_code":"U","verification_uri":"http://x"}"#]
        {
            let world = World::default();
            world.http.answer(200, &[], body);
            let error = sign_in(&world, &client()).0.unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
            assert!(world.person.told().is_empty());
        }
    }
}
