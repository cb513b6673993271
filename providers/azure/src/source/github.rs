//! The token of a job of GitHub Actions ("OpenID Connect", in GitHub's documentation of Actions).

use fleetkey_provider::{CredentialKey, Host, Method, Result};

use super::{
    federated::{AUDIENCE, Federated},
    job::{Job, System},
};
use crate::{own_host, variables};

/// A job.
#[derive(Debug)]
pub(super) struct GitHub(Job);

static ACTIONS: System = System {
    name: "GitHub Actions",
    url: variables::ACTIONS_ID_TOKEN_REQUEST_URL,
    bearer: variables::ACTIONS_ID_TOKEN_REQUEST_TOKEN,
    own: own_host::is_github_oidc,
    missing: "the job needs `permissions: id-token: write`",
    field: "value",
};

impl GitHub {
    /// The job that this runs in.
    pub(super) fn open(host: &Host) -> Result<Self> {
        Job::open(&ACTIONS, host).map(Self)
    }

    pub(super) fn key(&self, key: &mut CredentialKey) {
        self.0.key(key);
    }

    /// Asks for the job's token.
    pub(super) async fn token(&self, host: &Host) -> Result<Federated> {
        let query = [("audience", AUDIENCE)];
        let headers = [("accept", "application/json; api-version=2.0")];
        self.0.token(Method::Get, &query, &headers, host).await
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use fleetkey_provider::{ExposeSecret, Fingerprint, Kind};
    use serde_json::json;

    use crate::{
        source::{Source, WorkloadIdentity},
        testing::{World, access_token, client, now, wanted},
    };

    const URL: &str = "https://run.actions.githubusercontent.com/1/idtoken/2/job?api-version=2.0";

    fn world(url: &str, bearer: &str) -> World {
        World::default().env(&[
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer),
        ])
    }

    fn token() -> String {
        let claims = json!({ "iss": "https://token.actions.githubusercontent.com",
            "sub": "repo:o/r:ref:refs/heads/main", "aud": "api://AzureADTokenExchange" });
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn two_requests_each_time_one_for_the_jobs_token_and_one_for_ours() {
        let world = world(URL, "hunter2");
        let source = WorkloadIdentity::github(client(), &world.host()).unwrap();
        for _ in 0..2 {
            world.http.answer(200, &[], &json!({ "count": 1, "value": token() }).to_string());
            world.entra_grants(&access_token(&json!({})), None);
            let granted = now(source.obtain(&wanted(), &world.host())).unwrap();
            assert_eq!(granted.access_token.expose_secret(), access_token(&json!({})));
        }
        let requests = world.http.requests();
        assert_eq!(requests.len(), 4);
        let audience = "&audience=api%3A%2F%2FAzureADTokenExchange";
        assert_eq!(requests[0].endpoint.as_str(), format!("{URL}{audience}"));
        assert_eq!(requests[0].method, fleetkey_provider::Method::Get);
        let header = |name: &str| {
            requests[0].headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(header("authorization"), Some("Bearer hunter2"));
        assert_eq!(header("accept"), Some("application/json; api-version=2.0"));
        let form = &world.forms()[1];
        assert!(form.contains(&format!(" client_assertion={} ", token())), "{form}");
        let shown = format!("{source:?} {:?}", world.notes.lines());
        assert!(!shown.contains("hunter2") && !shown.contains("e30."), "{shown}");
    }

    #[test]
    fn a_bearer_goes_to_github_alone() {
        for url in [
            "https://actions.evil.example/x?api-version=2.0",
            "https://run.actions.githubusercontent.com.evil.example/x",
            "https://run.actions.githubusercontent.com@evil.example/x",
            "http://run.actions.githubusercontent.com/x",
            "not a url",
        ] {
            let host = world(url, "hunter2").host();
            let error = WorkloadIdentity::github(client(), &host).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{url}");
        }
    }

    #[test]
    fn a_job_that_may_not_ask_is_told_what_it_needs() {
        let open = |world: &World| WorkloadIdentity::github(client(), &world.host());
        for world in
            [World::default(), world(URL, ""), world("", "hunter2"), world(URL, "hunter2\nx: y")]
        {
            let error = open(&world).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.cause().unwrap().contains("id-token: write"), "{error}");
        }
        let world = world(URL, "hunter2");
        world.http.answer(401, &[], r#"{"message":"Unauthorized"}"#);
        let error = now(open(&world).unwrap().obtain(&wanted(), &world.host())).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.cause().unwrap().contains("id-token: write"), "{error}");
        assert_eq!(world.http.requests().len(), 1);
    }

    #[test]
    fn another_job_is_another_credential() {
        let of = |url, bearer| -> Fingerprint {
            let source = WorkloadIdentity::github(client(), &world(url, bearer).host()).unwrap();
            let mut key = fleetkey_provider::CredentialKey::new("azure");
            source.key(&mut key);
            key.finish()
        };
        assert_eq!(of(URL, "a"), of(URL, "a"));
        assert_ne!(of(URL, "a"), of(URL, "b"));
        assert_ne!(of(URL, "a"), of(&URL.replace("/1/", "/2/"), "a"));
    }
}
