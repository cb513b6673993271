//! The token service of Cloud Shell: what it lends is the person's own token, not a machine's.

use fleetkey_provider::{Endpoint, Host, HttpRequest, Method, Result, Retry};

use super::{
    Identity, MSI_ENDPOINT,
    reply::{Call, Tone},
};
use crate::{entra::Form, server_id::ServerId, source::Granted};

pub(super) const NAME: &str = "Cloud Shell";

/// The service.
#[derive(Debug)]
pub(super) struct CloudShell {
    pub(super) endpoint: Endpoint,
}

impl CloudShell {
    /// Where the variable says it is, if that is nearby or trusted.
    pub(super) fn at(endpoint: &str, identity: &Identity, host: &Host) -> Result<Self> {
        identity.only_system(NAME)?;
        let endpoint = Endpoint::nearby(endpoint, &format!("`{MSI_ENDPOINT}`"), host)?;
        Ok(Self { endpoint })
    }

    pub(super) async fn lend(&self, server: &ServerId, host: &Host) -> Result<Granted> {
        let request = HttpRequest {
            method: Method::Post,
            endpoint: self.endpoint.clone(),
            headers: vec![
                ("metadata".into(), "true".into()),
                ("content-type".into(), "application/x-www-form-urlencoded".into()),
            ],
            body: Form::default().with("resource", server.resource()).encoded(),
            ca_bundle: None,
            retry: Retry::Safe(|_| false),
        };
        let identity = &Identity::System;
        let call = Call { service: NAME, identity, server, tone: Tone::Announced };
        call.send(&request, host).await
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, Kind};

    use super::*;
    use crate::{
        server_id::AKS,
        source::{ManagedIdentity, Source},
        testing::{World, now, wanted},
    };

    fn world() -> World {
        World::default().env(&[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")])
    }

    #[test]
    fn the_resource_is_posted() {
        let world = world();
        let host = world.host();
        world.http.answer(200, &[], r#"{"access_token":"t","expires_in":""}"#);
        let source = ManagedIdentity::here(Identity::System, &host).unwrap();
        let granted = now(source.obtain(&wanted(), &host)).unwrap();
        assert_eq!(granted.access_token.expose_secret(), "t");
        assert_eq!(world.forms(), [format!("resource={AKS}")]);
        let sent = &world.http.requests()[0];
        assert_eq!(sent.method, Method::Post);
        assert_eq!(sent.endpoint.as_str(), "http://localhost:50342/oauth2/token");
        assert!(sent.headers.contains(&("metadata".into(), "true".into())));
    }

    #[test]
    fn it_has_one_identity() {
        let identity = Identity::Client("c".into());
        let error = ManagedIdentity::here(identity, &world().host()).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
    }

    #[test]
    fn its_words_are_shown() {
        let world = world();
        let host = world.host();
        let body = r#"{"error":{"code":"AudienceNotSupported","message":"Audience x is not"}}"#;
        world.http.answer(400, &[], body);
        let source = ManagedIdentity::here(Identity::System, &host).unwrap();
        let error = now(source.obtain(&wanted(), &host)).unwrap_err();
        assert_eq!(error.cause(), Some("AudienceNotSupported: Audience x is not"));
    }
}
