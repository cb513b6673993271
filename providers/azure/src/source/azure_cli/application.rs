//! An application that signed in to az, with what it signed in with then.

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, ExposeSecret, Fingerprint, Host, Kind, Result, SecretString,
    quoted, shown,
};

use super::{Granted, Source, Wanted};
use crate::{
    assertion,
    az::{Proof, ServicePrincipal},
    claims,
    entra::{AGAIN, Client},
    source::{ClientCertificate, ClientSecret, application},
};

/// The source of that entry, in the client's tenant.
pub(super) fn source(
    entry: ServicePrincipal,
    client: Client,
    host: &Host,
) -> Result<Box<dyn Source>> {
    let ServicePrincipal { tenant: _, client_id: _, proof } = entry;
    Ok(match proof {
        Proof::Secret(secret) => Box::new(ClientSecret::new(client, secret)),
        Proof::Certificate(path) => {
            let from = "az's `service_principal_entries.json`";
            Box::new(ClientCertificate::open(client, path.into(), from, None, host)?)
        }
        Proof::Assertion(token) => Box::new(Assertion { client, token }),
    })
}

/// An application that showed somebody's assertion. az keeps it as it was, so it works for as long as
/// it is valid: mostly ten minutes.
#[derive(Debug)]
struct Assertion {
    client: Client,
    token: SecretString,
}

impl Source for Assertion {
    fn describe(&self) -> String {
        application::describe(&self.client)
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { client, token } = self;
        application::key(client, key);
        key.field("assertion", &Fingerprint::of(token.expose_secret().as_bytes()).to_string());
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let (id, tenant) = (&self.client.id, &self.client.authority.tenant);
            if let Some(end) = end(&self.token)
                && end <= host.clock.now().as_second()
            {
                return Err(gone(id, tenant, "the federated token az keeps has ended"));
            }
            let form = assertion::form(self.token.expose_secret());
            match self.client.token(form, wanted, AGAIN, host).await {
                Ok(tokens) => Ok(Granted { access_token: tokens.access_token }),
                Err(error) if error.kind() == Kind::Refused => {
                    Err(error.or_next(|| login(id, tenant)))
                }
                Err(error) => Err(error),
            }
        })
    }
}

/// The application has to sign in to az again.
pub(super) fn gone(client_id: &str, tenant: &str, why: &str) -> Error {
    Error::sign_in_needed(format!("application {} is not signed in to az", shown(client_id)))
        .because(why)
        .next(login(client_id, tenant))
}

fn login(client_id: &str, tenant: &str) -> String {
    let (id, tenant) = (quoted(client_id), quoted(tenant));
    format!("az login --service-principal --username {id} --tenant {tenant}")
}

fn end(token: &SecretString) -> Option<i64> {
    claims::payload(token.expose_secret())?.get("exp")?.as_i64()
}
