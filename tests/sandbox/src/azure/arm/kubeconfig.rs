//! The kubeconfigs that AKS hands out, as it writes them: in YAML, for kubelogin, for clients of old, or with a
//! certificate.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};

use super::cluster::ManagedCluster;
use crate::random;

/// Whose kubeconfig, and for which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A person's or a machine's, who signs in with kubelogin.
    Plugin,
    /// The same for clients that have Azure built in.
    BuiltIn,
    /// Anybody's who has it: a certificate of a cluster without Entra.
    Bearer,
    /// The administrator's, with a certificate.
    Admin,
}

/// A whole kubeconfig for a cluster at a URL.
pub(super) fn text(
    cluster: &ManagedCluster,
    server: &str,
    ca_pem: &str,
    tenant: &str,
    whose: Whose,
) -> String {
    let ManagedCluster { name, group, .. } = cluster;
    // both contexts are called alike: it is az that tells them apart
    let prefix = if whose == Whose::Admin { "clusterAdmin" } else { "clusterUser" };
    let ca = STANDARD.encode(ca_pem);
    let mut text = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: {server}\n  \
         name: {name}\ncontexts:\n- context:\n    cluster: {name}\n    user: {prefix}_{group}_{name}\n  \
         name: {name}\ncurrent-context: {name}\nkind: Config\npreferences: {{}}\nusers:\n\
         - name: {prefix}_{group}_{name}\n  user:\n"
    );
    text.push_str(&match whose {
        Whose::Plugin => exec(&cluster.server_id, tenant),
        Whose::BuiltIn => auth_provider(&cluster.server_id, tenant),
        Whose::Bearer | Whose::Admin => certificate(),
    });
    text
}

fn exec(server_id: &str, tenant: &str) -> String {
    let args = [
        "get-token",
        "--environment",
        "AzurePublicCloud",
        "--server-id",
        server_id,
        "--client-id",
        CLIENT_ID,
        "--tenant-id",
        tenant,
        "--login",
        "devicecode",
    ];
    let mut text =
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n"
            .to_owned();
    for arg in args {
        let _ = writeln!(text, "      - {arg}"); // a String takes everything
    }
    text.push_str(
        "      command: kubelogin\n      env: null\n      installHint: |2\n\n        \
         kubelogin is not installed which is required to connect to AAD enabled cluster.\n\n        \
         To learn more, please go to https://aka.ms/aks/kubelogin\n      provideClusterInfo: false\n",
    );
    text
}

fn auth_provider(server_id: &str, tenant: &str) -> String {
    format!(
        "    auth-provider:\n      config:\n        apiserver-id: {server_id}\n        client-id: {CLIENT_ID}\n        \
         config-mode: \"1\"\n        environment: AzurePublicCloud\n        tenant-id: {tenant}\n      name: azure\n"
    )
}

/// A certificate for nothing: no API server of a sandbox looks at one.
fn certificate() -> String {
    let (certificate, key) = self_signed().unwrap_or_default();
    let [certificate, key] = [certificate, key].map(|pem| STANDARD.encode(pem));
    let token = random::hex(&random::bytes(64));
    format!(
        "    client-certificate-data: {certificate}\n    client-key-data: {key}\n    token: {token}\n"
    )
}

fn self_signed() -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::OrganizationName, "system:masters");
    params.distinguished_name.push(DnType::CommonName, "masterclient");
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// The client of AKS.
const CLIENT_ID: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";
