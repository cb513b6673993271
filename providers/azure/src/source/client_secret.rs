//! An application that shows its secret.

use fleetkey_provider::{
    BoxFuture, CredentialKey, ExposeSecret, Fingerprint, Host, Result, SecretString,
};

use super::{Granted, Source, Wanted, application};
use crate::entra::{AGAIN, Client, Form};

/// An application and its secret.
#[derive(Debug)]
pub(crate) struct ClientSecret {
    client: Client,
    secret: SecretString,
}

impl ClientSecret {
    /// That application, with that secret.
    pub(crate) fn new(client: Client, secret: SecretString) -> Self {
        Self { client, secret }
    }
}

impl Source for ClientSecret {
    fn describe(&self) -> String {
        application::describe(&self.client)
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { client, secret } = self;
        application::key(client, key);
        key.field("secret", &Fingerprint::of(secret.expose_secret().as_bytes()).to_string());
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    /// One POST, which may be sent as often as it takes.
    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let form = Form::grant("client_credentials")
                .with("client_secret", self.secret.expose_secret());
            let tokens = self.client.token(form, wanted, AGAIN, host).await?;
            Ok(Granted { access_token: tokens.access_token })
        })
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Kind, Retry};
    use serde_json::json;

    use super::*;
    use crate::{
        entra::Version,
        server_id::AKS,
        testing::{CLIENT, TENANT, World, access_token, client, now, wanted},
    };

    fn source() -> ClientSecret {
        ClientSecret::new(client(), "hunter2".into())
    }

    #[test]
    fn one_post_gets_a_token() {
        let world = World::default();
        world.entra_grants(&access_token(&json!({})), None);
        let granted = now(source().obtain(&wanted(), &world.host())).unwrap();
        assert_eq!(granted.access_token.expose_secret(), access_token(&json!({})));
        assert_eq!(
            world.forms(),
            [format!(
                "grant_type=client_credentials client_secret=hunter2 client_id={CLIENT} \
                 scope={AKS}/.default"
            )]
        );
        let request = &world.http.requests()[0];
        assert!(matches!(request.retry, Retry::Safe(_)));
        let url = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
        assert_eq!(request.endpoint.as_str(), url);
    }

    #[test]
    fn legacy_asks_the_old_endpoint_and_pop_binds_the_token() {
        let world = World::default();
        world.entra_grants(&access_token(&json!({})), None);
        let client = Client { version: Version::V1, ..client() };
        let bound = Wanted { req_cnf: Some("cnf".into()), ..wanted() };
        now(ClientSecret::new(client, "hunter2".into()).obtain(&bound, &world.host())).unwrap();
        let form = world.forms().remove(0);
        assert!(form.contains(&format!("resource={AKS}")), "{form}");
        assert!(form.contains("token_type=pop req_cnf=cnf"), "{form}");
        assert!(!form.contains("scope="), "{form}");
    }

    #[test]
    fn a_wrong_secret_is_refused_and_never_shown() {
        let world = World::default();
        let body = json!({ "error": "invalid_client", "error_codes": [7_000_215],
            "error_description": "AADSTS7000215: Invalid client secret hunter2 provided." });
        world.http.answer(401, &[], &body.to_string());
        let error = now(source().obtain(&wanted(), &world.host())).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.is_once());
        assert!(!format!("{error:?}{:?}", source()).contains("hunter2"), "{error:?}");
        assert!(!world.notes.lines().concat().contains("hunter2"));
    }

    #[test]
    fn another_secret_is_another_credential() {
        let key = |secret: &str| {
            let mut key = CredentialKey::new("azure");
            ClientSecret::new(client(), secret.into()).key(&mut key);
            key.finish()
        };
        assert_ne!(key("a"), key("b"));
    }
}
