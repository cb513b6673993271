//! Whether a cluster is of Azure, for `get-token` without a provider.
//!
//! A cluster says so itself, or its API server has a name that only AKS gives. No name that a customer
//! can have is enough: a stranger's cluster would choose who signs in.

use fleetkey_provider::ClusterInfo;
use serde_json::Value;
use url::Url;

use crate::{NAME, own_host};

/// The key of a cluster's extension that names its provider.
pub(super) const PROVIDER: &str = "provider";

/// Whether it is. A provider that is named counts before any host name.
pub(crate) fn recognises(cluster: &ClusterInfo) -> bool {
    match cluster.config.get(PROVIDER) {
        Some(Value::String(provider)) => provider == NAME,
        Some(_) => false,
        None => is_aks(cluster),
    }
}

/// Whether its API server's name is one of AKS's.
pub(crate) fn is_aks(cluster: &ClusterInfo) -> bool {
    Url::parse(&cluster.server).is_ok_and(|url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.host_str().is_some_and(own_host::is_api_server)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AKS: &str = "https://prod-1a2b.hcp.westeurope.azmk8s.io:443";

    fn is_ours(server: &str, config: &Value) -> bool {
        let config = config.as_object().cloned().unwrap_or_default();
        recognises(&ClusterInfo { server: server.into(), config, ..ClusterInfo::default() })
    }

    #[test]
    fn a_cluster_says_whose_it_is_or_its_name_does() {
        for (server, config, expected) in [
            ("https://k8s.own.example", json!({"provider": "azure"}), true),
            ("https://k8s.own.example", json!({"provider": "aws"}), false),
            ("https://k8s.own.example", json!({"server-id": "s", "tenant-id": "t"}), false),
            ("https://k8s.own.example", json!({}), false),
            (AKS, json!({}), true),
            (AKS, json!({"server-id": "s"}), true),
            (AKS, json!({"provider": "aws"}), false),
            (AKS, json!({"provider": 7}), false),
            ("https://PROD.hcp.westeurope.azmk8s.io", json!(null), true),
            ("https://prod.privatelink.westeurope.azmk8s.io", json!(null), true),
            // names that others have, or can have
            ("https://prod.hcp.westeurope.azmk8s.io.evil.example", json!(null), false),
            ("https://prod.hcp.westeurope.azmk8s.io@evil.example", json!(null), false),
            ("https://evil@prod.hcp.westeurope.azmk8s.io", json!(null), false),
            ("http://prod.hcp.westeurope.azmk8s.io", json!(null), false),
            ("https://aks.westeurope.cloudapp.azure.com", json!(null), false),
            ("https://A1B2.gr7.eu-central-1.eks.amazonaws.com", json!(null), false),
            ("https://127.0.0.1:47011/proxies/1a2b", json!(null), false),
            ("prod.hcp.westeurope.azmk8s.io", json!(null), false),
            ("", json!(null), false),
            ("\u{1b}[2J", json!(null), false),
        ] {
            assert_eq!(is_ours(server, &config), expected, "{server} {config}");
        }
    }
}
