//! The token service beside an app of App Service, Functions or Container Apps.
//!
//! A secret header stands for the app (Microsoft Learn, "How to use managed identities for App
//! Service and Azure Functions", REST endpoint reference).

use fleetkey_provider::{Endpoint, ExposeSecret, Host, Result, Retry, SecretString};

use super::{
    IDENTITY_ENDPOINT, Identity,
    question::question,
    reply::{Call, Tone},
};
use crate::{server_id::ServerId, source::Granted};

pub(super) const NAME: &str = "App Service";
const VERSION: &str = "2019-08-01";

/// The service, and the secret it wants.
#[derive(Debug)]
pub(super) struct AppService {
    pub(super) endpoint: Endpoint,
    pub(super) header: SecretString,
}

impl AppService {
    /// Where the variable says it is, if that is nearby or trusted.
    pub(super) fn at(endpoint: &str, header: String, host: &Host) -> Result<Self> {
        let endpoint = Endpoint::nearby(endpoint, &format!("`{IDENTITY_ENDPOINT}`"), host)?;
        Ok(Self { endpoint, header: header.into() })
    }

    pub(super) async fn lend(
        &self,
        identity: &Identity,
        server: &ServerId,
        host: &Host,
    ) -> Result<Granted> {
        let whom = identity.parameter(["client_id", "principal_id", "mi_res_id"]);
        let header = ("x-identity-header", self.header.expose_secret());
        let retry = Retry::Safe(|_| false);
        let request = question(&self.endpoint, VERSION, server, whom, header, retry);
        let call = Call { service: NAME, identity, server, tone: Tone::Announced };
        call.send(&request, host).await
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use super::*;
    use crate::{
        server_id::AKS,
        source::{ManagedIdentity, Source},
        testing::{World, now, wanted},
    };

    fn world(url: &str) -> World {
        World::default().env(&[("IDENTITY_ENDPOINT", url), ("IDENTITY_HEADER", "hunter2")])
    }

    fn obtain(world: &World, identity: Identity) -> Result<Granted> {
        let host = world.host();
        let source = ManagedIdentity::here(identity, &host)?;
        assert!(!format!("{source:?}").contains("hunter2"));
        now(source.obtain(&wanted(), &host))
    }

    #[test]
    fn the_header_and_its_own_parameters_are_sent() {
        for (identity, parameter) in [
            (Identity::System, ""),
            (Identity::Client("c".into()), "&client_id=c"),
            (Identity::Object("o".into()), "&principal_id=o"),
            (Identity::Resource("r".into()), "&mi_res_id=r"),
        ] {
            // App Service on Linux has it at a link-local address
            let world = world("http://169.254.129.2:8081/msi/token");
            world.http.answer(200, &[], r#"{"access_token":"t","expires_on":"1"}"#);
            assert_eq!(obtain(&world, identity).unwrap().access_token.expose_secret(), "t");
            let [sent] = &world.http.requests()[..] else { panic!("one request") };
            assert_eq!(
                sent.endpoint.as_str(),
                format!(
                    "http://169.254.129.2:8081/msi/token?api-version=2019-08-01&resource={AKS}{parameter}"
                )
            );
            assert_eq!(sent.headers, [("x-identity-header".into(), "hunter2".into())]);
        }
    }

    #[test]
    fn its_refusals_are_told_apart() {
        for (status, body, kind) in [
            (
                400,
                r#"{"statusCode":400,"message":"Unable to load the proper Managed Identity."}"#,
                Kind::Refused,
            ),
            (401, r#"{"statusCode":401,"message":"Unauthorized"}"#, Kind::Refused),
            (404, "", Kind::Refused),
            (500, r#"{"message":"An unexpected error occured"}"#, Kind::Unavailable),
        ] {
            let world = world("http://127.0.0.1:1/msi/token");
            world.http.answer(status, &[], body);
            let error = obtain(&world, Identity::System).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
