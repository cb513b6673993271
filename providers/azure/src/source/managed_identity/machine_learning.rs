//! The token service of Azure Machine Learning's compute: an older API, with names of its own.

use fleetkey_provider::{Endpoint, Error, ExposeSecret, Host, Result, Retry, SecretString};

use super::{
    Identity, MSI_ENDPOINT,
    question::question,
    reply::{Call, Tone},
};
use crate::{server_id::ServerId, source::Granted};

pub(super) const NAME: &str = "Azure Machine Learning";
const VERSION: &str = "2017-09-01";
/// The identity of a compute that was not given one of its own.
const DEFAULT_IDENTITY_CLIENT_ID: &str = "DEFAULT_IDENTITY_CLIENT_ID";

/// The service, and the secret it wants.
#[derive(Debug)]
pub(super) struct MachineLearning {
    pub(super) endpoint: Endpoint,
    pub(super) secret: SecretString,
}

impl MachineLearning {
    /// Where the variable says it is, if that is nearby or trusted.
    pub(super) fn at(endpoint: &str, secret: String, host: &Host) -> Result<Self> {
        let endpoint = Endpoint::nearby(endpoint, &format!("`{MSI_ENDPOINT}`"), host)?;
        Ok(Self { endpoint, secret: secret.into() })
    }

    pub(super) async fn lend(
        &self,
        identity: &Identity,
        server: &ServerId,
        host: &Host,
    ) -> Result<Granted> {
        let client = match identity {
            Identity::System => host.text_var(DEFAULT_IDENTITY_CLIENT_ID)?,
            Identity::Client(id) => Some(id.clone()),
            Identity::Object(_) | Identity::Resource(_) => {
                return Err(Error::config(format!("{NAME} knows identities by client id alone"))
                    .because("name it with `--client-id`"));
            }
        };
        let whom = client.as_deref().map(|id| ("clientid", id));
        let header = ("secret", self.secret.expose_secret());
        let retry = Retry::Safe(|_| false);
        let request = question(&self.endpoint, VERSION, server, whom, header, retry);
        let call = Call { service: NAME, identity, server, tone: Tone::Announced };
        call.send(&request, host).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        server_id::AKS,
        source::{ManagedIdentity, Source},
        testing::{World, now, wanted},
    };

    #[test]
    fn it_is_asked_in_its_own_words() {
        for (identity, client) in [(Identity::System, "d"), (Identity::Client("c".into()), "c")] {
            let world = World::default().env(&[
                ("MSI_ENDPOINT", "http://127.0.0.1:46808/MSI/auth"),
                ("MSI_SECRET", "hunter2"),
                ("DEFAULT_IDENTITY_CLIENT_ID", "d"),
            ]);
            let host = world.host();
            world.http.answer(200, &[], r#"{"access_token":"t"}"#);
            let source = ManagedIdentity::here(identity, &host).unwrap();
            assert_eq!(
                now(source.obtain(&wanted(), &host)).unwrap().access_token.expose_secret(),
                "t"
            );
            let sent = &world.http.requests()[0];
            assert_eq!(
                sent.endpoint.as_str(),
                format!(
                    "http://127.0.0.1:46808/MSI/auth?api-version=2017-09-01&resource={AKS}&clientid={client}"
                )
            );
            assert_eq!(sent.headers, [("secret".into(), "hunter2".into())]);
        }
    }
}
