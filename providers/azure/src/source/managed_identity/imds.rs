//! The instance metadata service of virtual machines, scale sets, AKS nodes and container instances.
//!
//! Its address is link-local, so nothing but the machine's own host answers there (Microsoft Learn,
//! "How to use managed identities for Azure resources on an Azure VM to acquire an access token").

use std::path::Path;

use fleetkey_provider::{Endpoint, Host, Result, Retry};

use super::{
    Identity, POD_IDENTITY,
    question::question,
    reply::{Call, Tone},
};
use crate::{server_id::ServerId, source::Granted};

pub(super) const NAME: &str = "IMDS";
const ADDRESS: &str = "http://169.254.169.254";
const PATH: &str = "/metadata/identity/oauth2/token";
const VERSION: &str = "2018-02-01";
/// What Azure puts into the DMI tables of its machines, and nobody else (cloud-init's `Azure`
/// datasource goes by it too).
const CHASSIS: &str = "7783-7084-3265-9085-8269-3286-77";

/// The metadata service.
#[derive(Debug)]
pub(super) struct Imds {
    pub(super) endpoint: Endpoint,
}

impl Imds {
    /// At its own address, or where a variable says it is.
    pub(super) fn here(host: &Host) -> Result<Self> {
        let moved = match host.text_var(POD_IDENTITY)? {
            Some(_) if host.trust.is_strict()? => {
                host.notes.note(&format!("`{POD_IDENTITY}` is ignored: strict"));
                None
            }
            moved => moved,
        };
        let from = format!("`{POD_IDENTITY}`");
        let endpoint = Endpoint::nearby(moved.as_deref().unwrap_or(ADDRESS), &from, host)?;
        Ok(Self { endpoint: endpoint.at(PATH, &[]) })
    }

    pub(super) async fn lend(
        &self,
        identity: &Identity,
        server: &ServerId,
        host: &Host,
    ) -> Result<Granted> {
        let whom = identity.parameter(["client_id", "object_id", "msi_res_id"]);
        // 404 and 410: the service is being updated (Microsoft Learn, "Retry guidance")
        let retry = Retry::Safe(|answer| matches!(answer.status, 404 | 410));
        let request = question(&self.endpoint, VERSION, server, whom, ("metadata", "true"), retry);
        let call = Call { service: NAME, identity, server, tone: Tone::MayBeAbsent };
        call.send(&request, host).await
    }
}

/// Whether the machine's firmware says that it is one of Azure's.
pub(super) fn is_azure(host: &Host) -> bool {
    let tag = host.files.read(Path::new("/sys/class/dmi/id/chassis_asset_tag"));
    tag.ok().flatten().is_some_and(|tag| tag.trim_ascii() == CHASSIS.as_bytes())
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Error, ExposeSecret, HttpRequest, Kind, testing::StaticTrust};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        server_id::AKS,
        source::{ManagedIdentity, Source},
        testing::{World, now, wanted},
    };

    fn obtain(world: &World, identity: Identity) -> Result<Granted> {
        let host = world.host();
        let source = ManagedIdentity::here(identity, &host)?;
        now(source.obtain(&wanted(), &host))
    }

    fn answers(world: &World, body: &Value) {
        world.http.answer(200, &[], &body.to_string());
    }

    fn refuses(status: u16, body: &str, identity: Identity) -> Error {
        let world = World::default();
        world.http.answer(status, &[], body);
        let error = obtain(&world, identity).unwrap_err();
        assert_eq!(world.http.requests().len(), 1, "{body}");
        error
    }

    #[test]
    fn one_get_lends_a_token() {
        for (identity, parameter) in [
            (Identity::System, ""),
            (Identity::Client("c".into()), "&client_id=c"),
            (Identity::Object("o".into()), "&object_id=o"),
            (Identity::Resource("/a/b c".into()), "&msi_res_id=%2Fa%2Fb+c"),
        ] {
            let world = World::default();
            // numbers as strings, as recorded
            answers(&world, &json!({ "access_token": "t", "expires_on": "1639265125" }));
            assert_eq!(obtain(&world, identity).unwrap().access_token.expose_secret(), "t");
            let [sent] = &world.http.requests()[..] else { panic!("one request") };
            assert_eq!(
                sent.endpoint.as_str(),
                format!("{ADDRESS}{PATH}?api-version=2018-02-01&resource={AKS}{parameter}")
            );
            assert_eq!(sent.headers, [("metadata".into(), "true".into())]);
            let Retry::Safe(again) = sent.retry else { panic!("it may be asked again") };
            let with = |status| fleetkey_provider::HttpResponse {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            };
            assert!([404, 410].map(with).iter().all(again) && !again(&with(400)));
        }
    }

    #[test]
    fn a_variable_moves_it_unless_strict() {
        let moved = World::default().env(&[(POD_IDENTITY, "http://127.0.0.1:8/")]);
        let mut host = moved.host();
        let at = |host: &Host| Imds::here(host).unwrap().endpoint.as_str().to_owned();
        assert_eq!(at(&host), format!("http://127.0.0.1:8{PATH}"));
        host.trust = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
        assert_eq!(at(&host), format!("{ADDRESS}{PATH}"));
        assert!(moved.notes.lines().iter().any(|line| line.contains("strict")));
    }

    #[test]
    fn several_identities_need_a_choice() {
        let body = r#"{"error":"invalid_request","error_description":
            "Multiple user assigned identities exist, please specify the clientId / resourceId"}"#;
        let error = refuses(400, body, Identity::System);
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains("`--client-id`"), "{error}");
        assert!(error.next_line().unwrap().starts_with("az identity list"));
    }

    #[test]
    fn an_identity_that_is_not_there_is_refused() {
        let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        for identity in [Identity::System, Identity::Client("c".into())] {
            let error = refuses(400, body, identity);
            assert_eq!(error.kind(), Kind::Refused, "{error}");
            assert!(error.next_line().is_some());
        }
    }

    #[test]
    fn a_machine_without_the_service_is_told_so() {
        // Docker Desktop's proxy answers in its place
        for (status, body) in
            [(403, "A socket operation was attempted to an unreachable host"), (404, ""), (410, "")]
        {
            let error = refuses(status, body, Identity::System);
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
            assert_eq!(error.message(), "this machine has no managed identity endpoint");
        }
        let silent = World::default();
        let mut host = silent.host();
        host.http = Box::new(Nobody);
        let source = ManagedIdentity::here(Identity::System, &host).unwrap();
        let error = now(source.obtain(&wanted(), &host)).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.message(), "this machine has no managed identity endpoint");
        assert!(error.cause().unwrap().contains("no route"), "{error}");
    }

    struct Nobody;

    impl fleetkey_provider::Http for Nobody {
        fn send<'a>(
            &'a self,
            _request: &'a HttpRequest,
        ) -> fleetkey_provider::BoxFuture<'a, Result<fleetkey_provider::HttpResponse>> {
            Box::pin(async { Err(Error::unavailable("169.254.169.254: no route to host")) })
        }
    }

    #[test]
    fn what_is_no_answer_is_nobodys_refusal() {
        for (status, body) in [
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"access_token":""}"#),
            (200, r#"{"access_token":1}"#),
            (302, ""),
            (500, "{}"),
            (503, ""),
            (429, ""),
        ] {
            let error = refuses(status, body, Identity::System);
            assert_eq!(error.kind(), Kind::Unavailable, "{status} {body}: {error}");
        }
        let strange = r#"{"error":"invalid_resource","error_description":"x\u001b[2J\r\ny"}"#;
        let error = refuses(400, strange, Identity::System);
        assert_eq!(error.kind(), Kind::Config, "{error}");
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    }

    #[test]
    fn no_key_binds_its_token() {
        let world = World::default();
        let host = world.host();
        let source = ManagedIdentity::here(Identity::System, &host).unwrap();
        let bound = crate::source::Wanted { req_cnf: Some("x".into()), ..wanted() };
        assert_eq!(now(source.obtain(&bound, &host)).unwrap_err().kind(), Kind::Config);
        assert!(world.http.requests().is_empty());
    }
}
