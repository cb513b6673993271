//! The Azure side: an AKS cluster, machines and a service principal, and three ways in. None of them asks a person.

use std::io;

use fleetkey_sandbox::{
    AksCluster, App, EXCHANGE_AUDIENCE, Home, ManagedCluster, ManagedIdentity, Person, Route,
    Sandbox, Subscription,
};
use jiff::SignedDuration;

use super::Way;

pub(super) struct Aks {
    cluster: AksCluster,
    authority: String,
    /// Object ids: the cluster's names for machines.
    deployer: String,
    pod: String,
    machine: Vec<(String, String)>,
    token_file: String,
}

impl Aks {
    pub(super) fn new(sandbox: &Sandbox, home: &Home) -> io::Result<Self> {
        let entra = sandbox.entra();
        let tenant = entra.tenant("contoso.com");
        let issuer = sandbox.azure_federation_issuer();
        // for who tries `interactive` or `devicecode` by hand
        entra.person(Person::new("alice@contoso.com", &[&tenant]));
        entra.app(App::new(&tenant, DEPLOYER).secret(SECRET));
        entra.app(App::new(&tenant, POD).federated(issuer, SUBJECT, EXCHANGE_AUDIENCE));
        sandbox.managed_identity(ManagedIdentity::user(
            &tenant,
            MACHINE,
            MACHINE_OBJECT,
            MACHINE_RESOURCE,
        ));
        let token = sandbox.azure_federated_token(SUBJECT, SignedDuration::from_hours(12))?;
        let token_file = home.azure_federated_token(&token)?;
        let cluster = sandbox.aks_cluster("aks-demo", &tenant)?;
        // what `kubeconfig discover` finds
        sandbox.subscription(Subscription::new(SUBSCRIPTION, "sandbox", &tenant));
        sandbox
            .managed_cluster(SUBSCRIPTION, ManagedCluster::of(&cluster, "sandbox", "westeurope"));
        Ok(Self {
            cluster,
            authority: format!("{}/", entra.url()),
            deployer: entra.object_id(DEPLOYER, &tenant),
            pod: entra.object_id(POD, &tenant),
            machine: sandbox.imds_environment()?,
            token_file: token_file.to_string_lossy().into_owned(),
        })
    }

    pub(super) fn ways(&self) -> Vec<Way<'_>> {
        vec![
            Way {
                context: "service-principal",
                title: "a service principal with a secret",
                cluster: &self.cluster,
                args: self.args("spn", DEPLOYER),
                env: vec![variable("AZURE_CLIENT_SECRET", SECRET)],
                identity: self.deployer.clone(),
                asks: Some(Route::EntraToken),
            },
            Way {
                context: "managed-identity",
                title: "a virtual machine's managed identity",
                cluster: &self.cluster,
                args: self.args("msi", MACHINE),
                env: self.machine.clone(),
                identity: MACHINE_OBJECT.to_owned(),
                asks: Some(Route::Imds),
            },
            Way {
                context: "workload-identity",
                title: "a service account's token, as in a pod of aks",
                cluster: &self.cluster,
                args: self.args("workloadidentity", POD),
                env: vec![variable("AZURE_FEDERATED_TOKEN_FILE", &self.token_file)],
                identity: self.pod.clone(),
                asks: Some(Route::EntraToken),
            },
        ]
    }

    fn args(&self, login: &str, client_id: &str) -> Vec<String> {
        let server_id = self.cluster.server_id();
        let args = [
            ["get-token", "azure"],
            ["--login", login],
            ["--server-id", &server_id],
            ["--tenant-id", &self.cluster.tenant],
            ["--client-id", client_id],
            ["--authority-host", &self.authority],
        ];
        args.concat().into_iter().map(str::to_owned).collect()
    }
}

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

const DEPLOYER: &str = "33333333-3333-4333-a333-333333333333";
const SECRET: &str = "sandbox~secret/of+a=deployer";
const POD: &str = "55555555-5555-4555-a555-555555555555";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";
const SUBSCRIPTION: &str = "00000000-0000-4000-a000-000000000001";
const MACHINE: &str = "77777777-7777-4777-a777-777777777777";
const MACHINE_OBJECT: &str = "88888888-8888-4888-a888-888888888888";
const MACHINE_RESOURCE: &str = "/subscriptions/00000000-0000-4000-a000-000000000001/resourceGroups/sandbox/providers/\
    Microsoft.ManagedIdentity/userAssignedIdentities/machine";
