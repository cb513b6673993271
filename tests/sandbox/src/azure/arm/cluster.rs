//! An AKS cluster as the Resource Manager knows it. Its API server may be here; for most of a fleet there is none.

use serde_json::{Value, json};

use crate::cluster::AksCluster;
use crate::entra::AKS_SERVER;

/// An AKS cluster with Entra: running, and with its local accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedCluster {
    pub(super) name: String,
    pub(super) group: String,
    location: String,
    pub(super) version: String,
    provisioning: String,
    power: &'static str,
    pub(super) local_accounts: bool,
    pub(super) entra: bool,
    azure_rbac: bool,
    network: Network,
    pub(super) tenant: Option<String>,
    pub(super) server_id: String,
    server: Option<String>,
}

/// From where its API server can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    Anywhere,
    /// From inside alone; its name may be known outside.
    Inside {
        named_outside: bool,
    },
}

impl ManagedCluster {
    /// Its name, its resource group and where it is.
    pub fn new(name: &str, group: &str, location: &str) -> Self {
        Self {
            name: name.to_owned(),
            group: group.to_owned(),
            location: location.to_owned(),
            version: "1.33.2".to_owned(),
            provisioning: "Succeeded".to_owned(),
            power: "Running",
            local_accounts: true,
            entra: true,
            azure_rbac: false,
            network: Network::Anywhere,
            tenant: None,
            server_id: AKS_SERVER.to_owned(),
            server: None,
        }
    }

    /// The same cluster as one whose API server is here.
    pub fn of(cluster: &AksCluster, group: &str, location: &str) -> Self {
        Self {
            tenant: Some(cluster.tenant.clone()),
            server_id: cluster.server_id(),
            server: Some(cluster.server.clone()),
            ..Self::new(&cluster.name, group, location)
        }
    }

    /// Of this version of Kubernetes. Before 1.24, a kubeconfig is for clients of old unless it says otherwise.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// `Creating`, `Updating`, `Failed`, `Deleting`.
    #[must_use]
    pub fn provisioning(mut self, state: &str) -> Self {
        state.clone_into(&mut self.provisioning);
        self
    }

    /// Turned off.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        self.power = "Stopped";
        self
    }

    /// Without local accounts: nobody gets a certificate.
    #[must_use]
    pub fn without_local_accounts(mut self) -> Self {
        self.local_accounts = false;
        self
    }

    /// Without Entra: everybody gets a certificate.
    #[must_use]
    pub fn without_entra(mut self) -> Self {
        self.entra = false;
        self
    }

    /// Where Azure's roles say who may do what.
    #[must_use]
    pub fn azure_rbac(mut self) -> Self {
        self.azure_rbac = true;
        self
    }

    /// Private; with a public name, or with none.
    #[must_use]
    pub fn private(mut self, public_name: bool) -> Self {
        self.network = Network::Inside { named_outside: public_name };
        self
    }

    /// Its id in a subscription. AKS writes the resource group's part in lower case, whatever others do.
    pub fn id(&self, subscription: &str) -> String {
        format!(
            "/subscriptions/{subscription}/resourcegroups/{}/providers/Microsoft.ContainerService/managedClusters/{}",
            self.group, self.name
        )
    }

    /// The URL of its API server, by its public name if that is wanted; none if it has no such name.
    pub(super) fn server(&self, public: bool) -> Option<String> {
        match (&self.server, self.network) {
            (Some(server), _) => Some(server.clone()),
            (None, Network::Inside { .. }) if !public => {
                Some(format!("https://{}:443", self.private_name()))
            }
            (None, _) => self.public_name().map(|name| format!("https://{name}:443")),
        }
    }

    pub(super) fn is_at(&self, group: &str, name: &str) -> bool {
        self.group.eq_ignore_ascii_case(group) && self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn document(&self, subscription: &str, tenant: &str) -> Value {
        let Self { name, group, location, version, provisioning, power, .. } = self;
        let mut properties = json!({
            "provisioningState": provisioning, "powerState": { "code": power },
            "kubernetesVersion": version, "currentKubernetesVersion": version, "dnsPrefix": name,
            "azurePortalFQDN": format!("{name}-dns.portal.hcp.{location}.azmk8s.io"),
            "nodeResourceGroup": format!("MC_{group}_{name}_{location}"), "enableRBAC": true,
            "disableLocalAccounts": !self.local_accounts,
        });
        if let Some(public) = self.public_name() {
            properties["fqdn"] = public.into();
        }
        if let Network::Inside { named_outside } = self.network {
            properties["privateFQDN"] = self.private_name().into();
            properties["apiServerAccessProfile"] = json!({ "enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": named_outside });
        }
        if self.entra {
            let tenant = self.tenant.as_deref().unwrap_or(tenant);
            properties["aadProfile"] = json!({
                "managed": true, "adminGroupObjectIDs": null, "adminUsers": null,
                "enableAzureRBAC": self.azure_rbac, "tenantID": tenant,
            });
        }
        json!({
            "id": self.id(subscription), "name": name, "location": location,
            "type": "Microsoft.ContainerService/ManagedClusters", "tags": {},
            "sku": { "name": "Base", "tier": "Free" }, "identity": { "type": "SystemAssigned" },
            "properties": properties,
        })
    }

    fn public_name(&self) -> Option<String> {
        let named = self.network != Network::Inside { named_outside: false };
        named.then(|| format!("{}-dns.hcp.{}.azmk8s.io", self.name, self.location))
    }

    fn private_name(&self) -> String {
        format!("{}-dns.privatelink.{}.azmk8s.io", self.name, self.location)
    }
}
