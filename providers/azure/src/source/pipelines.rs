//! An application behind a service connection of Azure Pipelines, which vouches for the job that uses
//! it ("Azure Resource Manager service connection, workload identity federation").

use fleetkey_provider::{BoxFuture, CredentialKey, Host, Method, Result};

use super::{
    Granted, Source, Wanted, application,
    job::{Job, System},
};
use crate::{entra::Client, own_host, variables};

/// A service connection, used by a job.
#[derive(Debug)]
pub(crate) struct Pipelines {
    client: Client,
    connection_id: String,
    job: Job,
}

static PIPELINES: System = System {
    name: "Azure Pipelines",
    url: variables::SYSTEM_OIDCREQUESTURI,
    bearer: variables::SYSTEM_ACCESSTOKEN,
    own: own_host::is_pipelines,
    missing: "the step needs `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
    field: "oidcToken",
};

impl Pipelines {
    /// That connection, used by the job that this runs in.
    pub(crate) fn open(client: Client, connection_id: String, host: &Host) -> Result<Self> {
        Ok(Self { client, connection_id, job: Job::open(&PIPELINES, host)? })
    }
}

impl Source for Pipelines {
    fn describe(&self) -> String {
        application::describe(&self.client)
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { client, connection_id, job } = self;
        application::key(client, key);
        key.field("service connection", &connection_id.to_ascii_lowercase());
        job.key(key);
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    /// A POST for the connection's token, and one for ours.
    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let query = [("api-version", "7.1"), ("serviceConnectionId", &self.connection_id)];
            let headers = [
                ("accept", "application/json"),
                ("content-type", "application/json"),
                // the service wants to know that there is no body
                ("content-length", "0"),
                // a status in place of a page to sign in
                ("x-tfs-fedauthredirect", "Suppress"),
            ];
            let token = self.job.token(Method::Post, &query, &headers, host).await?;
            token.exchange(&self.client, wanted, host).await
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use fleetkey_provider::{ExposeSecret, Kind};
    use serde_json::json;

    use super::*;
    use crate::testing::{World, access_token, client, now, wanted};

    const URL: &str = "https://dev.azure.com/o/p/_apis/distributedtask/hubs/build/oidctoken";

    fn world(bearer: &str) -> World {
        World::default().env(&[("SYSTEM_OIDCREQUESTURI", URL), ("SYSTEM_ACCESSTOKEN", bearer)])
    }

    fn open(world: &World) -> Result<Pipelines> {
        Pipelines::open(client(), "Connection-1".into(), &world.host())
    }

    fn token() -> String {
        let claims = json!({ "iss": "https://vstoken.dev.azure.com/1", "sub": "sc://o/p/c" });
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn the_connections_token_is_fetched_and_exchanged() {
        let world = world("hunter2");
        world.http.answer(200, &[], &json!({ "oidcToken": token() }).to_string());
        world.entra_grants(&access_token(&json!({})), None);
        let source = open(&world).unwrap();
        let granted = now(source.obtain(&wanted(), &world.host())).unwrap();
        assert_eq!(granted.access_token.expose_secret(), access_token(&json!({})));
        let requests = world.http.requests();
        assert_eq!(requests.len(), 2);
        let query = "?api-version=7.1&serviceConnectionId=Connection-1";
        assert_eq!(requests[0].endpoint.as_str(), format!("{URL}{query}"));
        assert_eq!((requests[0].method, requests[0].body.len()), (Method::Post, 0));
        for (name, value) in
            [("authorization", "Bearer hunter2"), ("x-tfs-fedauthredirect", "Suppress")]
        {
            assert!(requests[0].headers.contains(&(name.into(), value.into())), "{name}");
        }
        assert!(world.forms()[1].contains(&format!(" client_assertion={} ", token())));
        assert!(!format!("{source:?} {:?}", world.notes.lines()).contains("hunter2"));
    }

    #[test]
    fn a_bearer_that_is_not_mapped_is_named_before_anything_is_asked() {
        for bearer in ["", "$(System.AccessToken)"] {
            let error = open(&world(bearer)).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            let cause = error.cause().unwrap();
            assert!(cause.contains("SYSTEM_ACCESSTOKEN: $(System.AccessToken)"), "{error}");
        }
        let error = open(&World::default()).unwrap_err();
        assert!(error.to_string().contains("`SYSTEM_OIDCREQUESTURI` is not set"), "{error}");
    }

    #[test]
    fn a_stranger_is_told_from_a_service_that_is_down_and_from_a_wrong_connection() {
        for (status, body, kind, words) in [
            (401, "", Kind::Refused, "$(System.AccessToken)"),
            (302, "<html>Object moved</html>", Kind::Refused, "$(System.AccessToken)"),
            (203, "<html>Sign in</html>", Kind::Refused, "$(System.AccessToken)"),
            (200, "<html>Sign in</html>", Kind::Refused, "$(System.AccessToken)"),
            (
                404,
                r#"{"message":"The service connection does not exist."}"#,
                Kind::Refused,
                "does not exist",
            ),
            (503, "", Kind::Unavailable, "status 503"),
            (429, "", Kind::Unavailable, "status 429"),
            (400, "", Kind::Unavailable, "status 400"),
            (200, "{}", Kind::Unavailable, "without a token"),
            (200, r#"{"oidcToken":"hunter2"}"#, Kind::Unavailable, "without a token"),
        ] {
            let world = world("hunter2");
            world.http.answer(status, &[], body);
            let error = now(open(&world).unwrap().obtain(&wanted(), &world.host())).unwrap_err();
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert_eq!(world.http.requests().len(), 1);
        }
    }
}
