//! The identity of the machine this runs on: lent by a service of the machine, with nothing to keep.
//!
//! Which service there is, is known from the environment alone, as MSAL Go tells them apart; nothing
//! is probed. A variable that is set and empty is unset.

mod app_service;
mod arc;
mod cloud_shell;
mod imds;
mod machine_learning;
mod question;
mod reply;

use fleetkey_provider::{
    BoxFuture, CredentialKey, Endpoint, Error, Fingerprint, Host, Result, this_machine,
};

use self::{
    app_service::AppService, arc::Agent, cloud_shell::CloudShell, imds::Imds,
    machine_learning::MachineLearning,
};
use super::{Granted, Source, Wanted};
use crate::server_id::ServerId;

/// Which of a machine's identities.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Identity {
    /// Its own, or the only one that was assigned to it.
    System,
    /// The one with this client id.
    Client(String),
    /// The one with this object id.
    Object(String),
    /// The one with this ARM resource id.
    Resource(String),
}

impl Identity {
    /// A name for keys, and its id.
    fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::System => ("system", None),
            Self::Client(id) => ("client", Some(id)),
            Self::Object(id) => ("object", Some(id)),
            Self::Resource(id) => ("resource", Some(id)),
        }
    }

    /// The parameter that asks for it, by the names that a service has for client, object and
    /// resource ids.
    fn parameter<'a>(&'a self, names: [&'a str; 3]) -> Option<(&'a str, &'a str)> {
        let [client, object, resource] = names;
        match self {
            Self::System => None,
            Self::Client(id) => Some((client, id)),
            Self::Object(id) => Some((object, id)),
            Self::Resource(id) => Some((resource, id)),
        }
    }

    /// An error for services that have only one identity.
    fn only_system(&self, service: &str) -> Result<()> {
        match self {
            Self::System => Ok(()),
            _ => Err(Error::config(format!("{service} has no identity to choose"))
                .because("it lends its own, and no flag may name another")),
        }
    }
}

/// The identity of this machine.
#[derive(Debug)]
pub(crate) struct ManagedIdentity {
    identity: Identity,
    service: Service,
    machine: Fingerprint,
}

/// Who lends it.
#[derive(Debug)]
enum Service {
    AppService(AppService),
    Arc(Agent),
    CloudShell(CloudShell),
    Imds(Imds),
    MachineLearning(MachineLearning),
}

impl ManagedIdentity {
    /// The service that this machine has, and that identity of it.
    pub(crate) fn here(identity: Identity, host: &Host) -> Result<Self> {
        let service = service(&identity, host)?;
        host.notes.note(&format!("managed identity: {} at {}", service.name(), service.endpoint()));
        Ok(Self { identity, service, machine: this_machine(host)? })
    }
}

/// Why this machine may be taken to have an identity; `None` if nothing says so. No network.
pub(crate) fn is_offered(host: &Host) -> Option<&'static str> {
    let is_set = |name| host.path_var(name).is_some();
    if is_set(IDENTITY_ENDPOINT) && is_set(IDENTITY_HEADER) {
        Some("`IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set")
    } else if is_set(MSI_ENDPOINT) {
        Some("`MSI_ENDPOINT` is set")
    } else if is_set(IDENTITY_ENDPOINT) && is_set(IMDS_ENDPOINT) {
        Some("`IDENTITY_ENDPOINT` and `IMDS_ENDPOINT` are set")
    } else if is_set(POD_IDENTITY) && !host.trust.is_strict().unwrap_or(true) {
        Some("`AZURE_POD_IDENTITY_AUTHORITY_HOST` is set")
    } else if arc::is_installed(host) {
        Some("the Azure Arc agent is installed")
    } else if imds::is_azure(host) {
        Some("this is a virtual machine of Azure")
    } else {
        None
    }
}

impl Source for ManagedIdentity {
    fn describe(&self) -> String {
        let whose = match &self.identity {
            Identity::System => "managed identity".to_owned(),
            Identity::Client(id) | Identity::Object(id) | Identity::Resource(id) => {
                format!("managed identity {}", fleetkey_provider::shown(id))
            }
        };
        format!("{whose} ({})", self.service.name())
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { identity, service, machine } = self;
        let (kind, id) = identity.parts();
        key.field("source", "managed identity");
        key.field("service", service.name());
        key.field("endpoint", service.endpoint().as_str());
        key.maybe("app", service.app().map(|app| app.to_string()).as_deref());
        key.field("identity", kind);
        key.maybe("id", id.map(str::to_lowercase).as_deref());
        key.field("machine", &machine.to_string());
    }

    fn tenant(&self) -> Option<&str> {
        None
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            if wanted.req_cnf.is_some() {
                return Err(Error::config("a managed identity's token is bound to no key")
                    .because("`--pop-enabled` is for people and applications"));
            }
            self.service.lend(&self.identity, &wanted.server, host).await
        })
    }
}

impl Service {
    async fn lend(&self, identity: &Identity, server: &ServerId, host: &Host) -> Result<Granted> {
        match self {
            Self::AppService(service) => service.lend(identity, server, host).await,
            Self::Arc(service) => service.lend(server, host).await,
            Self::CloudShell(service) => service.lend(server, host).await,
            Self::Imds(service) => service.lend(identity, server, host).await,
            Self::MachineLearning(service) => service.lend(identity, server, host).await,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::AppService(_) => app_service::NAME,
            Self::Arc(_) => arc::NAME,
            Self::CloudShell(_) => cloud_shell::NAME,
            Self::Imds(_) => imds::NAME,
            Self::MachineLearning(_) => machine_learning::NAME,
        }
    }

    fn endpoint(&self) -> &Endpoint {
        match self {
            Self::AppService(AppService { endpoint, .. })
            | Self::Arc(Agent { endpoint, .. })
            | Self::CloudShell(CloudShell { endpoint })
            | Self::Imds(Imds { endpoint })
            | Self::MachineLearning(MachineLearning { endpoint, .. }) => endpoint,
        }
    }

    /// What tells two apps apart whose services are at the same address, each in its container.
    fn app(&self) -> Option<Fingerprint> {
        match self {
            Self::AppService(AppService { header: secret, .. })
            | Self::MachineLearning(MachineLearning { secret, .. }) => {
                use fleetkey_provider::ExposeSecret;
                Some(Fingerprint::of(secret.expose_secret().as_bytes()))
            }
            Self::Arc(_) | Self::CloudShell(_) | Self::Imds(_) => None,
        }
    }
}

/// The order is MSAL Go's.
fn service(identity: &Identity, host: &Host) -> Result<Service> {
    let endpoint = host.text_var(IDENTITY_ENDPOINT)?;
    if let Some(endpoint) = &endpoint
        && let Some(header) = host.text_var(IDENTITY_HEADER)?
    {
        if host.text_var(IDENTITY_SERVER_THUMBPRINT)?.is_some() {
            return Err(Error::config("Service Fabric's identities are not supported")
                .because(format!("`{IDENTITY_SERVER_THUMBPRINT}` is set"))
                .next(format!("unset {IDENTITY_SERVER_THUMBPRINT}")));
        }
        return AppService::at(endpoint, header, host).map(Service::AppService);
    }
    if let Some(endpoint) = host.text_var(MSI_ENDPOINT)? {
        return match host.text_var(MSI_SECRET)? {
            Some(secret) => {
                MachineLearning::at(&endpoint, secret, host).map(Service::MachineLearning)
            }
            None => CloudShell::at(&endpoint, identity, host).map(Service::CloudShell),
        };
    }
    let is_arc = endpoint.is_some() && host.text_var(IMDS_ENDPOINT)?.is_some();
    if is_arc || arc::is_installed(host) {
        let endpoint = endpoint.filter(|_| is_arc);
        return Agent::at(endpoint.as_deref(), identity, host).map(Service::Arc);
    }
    Imds::here(host).map(Service::Imds)
}

/// Where the token service of an app, or of an Arc machine, is.
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
/// The secret that an app's token service wants.
pub(crate) const IDENTITY_HEADER: &str = "IDENTITY_HEADER";
/// The certificate of Service Fabric's token service.
const IDENTITY_SERVER_THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";
/// Set beside [`IDENTITY_ENDPOINT`] on Arc machines.
const IMDS_ENDPOINT: &str = "IMDS_ENDPOINT";
/// Where the token service of Cloud Shell, or of Azure Machine Learning, is.
const MSI_ENDPOINT: &str = "MSI_ENDPOINT";
/// The secret that the token service of Azure Machine Learning wants.
pub(crate) const MSI_SECRET: &str = "MSI_SECRET";
/// Where the instance metadata service is, if not at its own address.
const POD_IDENTITY: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use super::*;
    use crate::testing::World;

    const APP: &[(&str, &str)] =
        &[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token"), ("IDENTITY_HEADER", "h")];

    fn at(env: &[(&str, &str)]) -> Result<ManagedIdentity> {
        ManagedIdentity::here(Identity::System, &World::default().env(env).host())
    }

    fn fingerprint(world: &World, identity: Identity) -> String {
        let source = ManagedIdentity::here(identity, &world.host()).unwrap();
        let mut key = CredentialKey::new("azure");
        source.key(&mut key);
        key.finish().to_string()
    }

    #[test]
    fn the_environment_says_which_service_it_is() {
        let arc = &[("IDENTITY_ENDPOINT", "http://localhost:40342/x"), ("IMDS_ENDPOINT", "y")];
        let ml = &[("MSI_ENDPOINT", "http://127.0.0.1:1/"), ("MSI_SECRET", "s")];
        let shell = &[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")];
        for (env, name) in [
            (APP, "App Service"),
            (&[APP, arc, shell].concat(), "App Service"),
            (&[&shell[..], arc].concat(), "Cloud Shell"),
            (ml, "Azure Machine Learning"),
            (arc, "Azure Arc"),
            (&[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/")], "IMDS"),
            (&[("IDENTITY_ENDPOINT", ""), ("IDENTITY_HEADER", "h"), ("MSI_ENDPOINT", "")], "IMDS"),
            (&[], "IMDS"),
        ] {
            assert_eq!(at(env).unwrap().describe(), format!("managed identity ({name})"));
        }
        let himds = World::default().file("/opt/azcmagent/bin/himds", "");
        if !cfg!(windows) {
            let found = ManagedIdentity::here(Identity::System, &himds.host()).unwrap();
            assert_eq!(found.describe(), "managed identity (Azure Arc)");
            assert_eq!(
                found.service.endpoint().as_str(),
                "http://127.0.0.1:40342/metadata/identity/oauth2/token"
            );
        }
    }

    #[test]
    fn no_secret_goes_to_a_host_that_is_not_nearby() {
        for name in ["IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"] {
            for url in
                ["http://evil.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.example/"]
            {
                let env = [(name, url), ("IDENTITY_HEADER", "h")];
                let error = at(&env).unwrap_err();
                assert_eq!(error.kind(), Kind::Config, "{name} {url}");
            }
            let error = at(&[(name, "https://evil.example/"), ("IDENTITY_HEADER", "h")]);
            let error = error.unwrap_err();
            assert!(error.message().contains(name), "{error}");
            assert_eq!(error.next_line(), Some("fleetkey trust add evil.example"));
        }
    }

    #[test]
    fn service_fabric_is_refused_in_words() {
        let error = at(&[APP, &[("IDENTITY_SERVER_THUMBPRINT", "aa")]].concat()).unwrap_err();
        assert!(error.message().contains("Service Fabric"), "{error}");
    }

    #[test]
    fn whatever_could_change_the_token_changes_the_key() {
        let base = World::default().env(&[("COMPUTERNAME", "a")]);
        let other_app = [APP, &[("IDENTITY_HEADER", "h2")]].concat();
        let worlds = [
            base.clone(),
            base.clone().file("/etc/machine-id", "a"),
            base.clone().file("/etc/machine-id", "b"),
            base.clone().env(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")]),
            base.clone().env(APP),
            base.clone().env(&other_app),
        ];
        let mut keys: Vec<_> =
            worlds.iter().map(|world| fingerprint(world, Identity::System)).collect();
        for identity in [
            Identity::Client("a".into()),
            Identity::Object("a".into()),
            Identity::Resource("a".into()),
            Identity::Client("b".into()),
        ] {
            keys.push(fingerprint(&base, identity));
        }
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
        let upper = Identity::Client("A".into());
        assert!(keys.contains(&fingerprint(&base, upper)), "ids have no case");
    }

    #[test]
    fn an_offer_has_its_reason() {
        let tag = "/sys/class/dmi/id/chassis_asset_tag";
        let base = World::default();
        for (world, why) in [
            (base.clone(), None),
            (base.clone().env(APP), Some("`IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set")),
            (base.clone().env(&[("MSI_ENDPOINT", "x")]), Some("`MSI_ENDPOINT` is set")),
            (base.clone().env(&[("IDENTITY_ENDPOINT", "x")]), None),
            (
                base.clone().env(&[("IDENTITY_ENDPOINT", "x"), ("IMDS_ENDPOINT", "x")]),
                Some("`IDENTITY_ENDPOINT` and `IMDS_ENDPOINT` are set"),
            ),
            (
                base.clone().file(tag, "7783-7084-3265-9085-8269-3286-77\n"),
                Some("this is a virtual machine of Azure"),
            ),
            (base.clone().file(tag, "Amazon EC2\n"), None),
        ] {
            assert_eq!(is_offered(&world.host()), why);
            assert!(world.http.requests().is_empty());
        }
    }
}
