//! To whom a token may be shown.
//!
//! A token of Entra is good at every cluster that takes the same server application, for whoever has
//! it, so a cluster that is a stranger's must not be shown one. A kubeconfig that was sent by somebody
//! says which cluster is asked; where the client passes that on, the API server has to be one of
//! AKS's, on loopback (a tunnel, or the proxy that Arc's clusters are reached by), or trusted.

use fleetkey_provider::{Endpoint, ExecInfo, Host, Result};

use crate::own_host;

/// Errors if the client's cluster is a stranger's.
pub(crate) fn check(exec: &ExecInfo, host: &Host) -> Result<()> {
    match &exec.cluster {
        Some(cluster) if !cluster.server.is_empty() => {
            let from = "the cluster's `server`";
            Endpoint::configured(&cluster.server, from, own_host::is_api_server, host).map(|_| ())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ClusterInfo, Kind, testing::StaticTrust};

    use super::*;

    fn check(server: &str) -> Result<()> {
        let cluster = Some(ClusterInfo { server: server.into(), ..ClusterInfo::default() });
        let trust = StaticTrust { hosts: vec!["k8s.own.example".into()], strict: false };
        let host = Host { trust: Box::new(trust), ..Host::refusing() };
        super::check(&ExecInfo { cluster, ..ExecInfo::default() }, &host)
    }

    #[test]
    fn a_token_is_for_api_servers_of_the_cloud_and_for_those_one_trusts() {
        for good in [
            "https://aks-1a2b.hcp.westeurope.azmk8s.io:443",
            "https://aks.privatelink.westeurope.azmk8s.io",
            "https://127.0.0.1:47011/proxies/1a2b",
            "https://localhost:6443",
            "http://[::1]:8001",
            "https://k8s.own.example:6443",
        ] {
            check(good).unwrap();
        }
        super::check(&ExecInfo::default(), &Host::refusing()).unwrap();
    }

    #[test]
    fn a_stranger_gets_none() {
        for (bad, next) in [
            ("https://evil.example", Some("fleetkey trust add evil.example")),
            ("https://10.0.0.1:443", Some("fleetkey trust add 10.0.0.1")),
            (
                "https://aks.hcp.westeurope.azmk8s.io.evil.example",
                Some("fleetkey trust add aks.hcp.westeurope.azmk8s.io.evil.example"),
            ),
            ("http://aks.hcp.westeurope.azmk8s.io", None),
            ("https://aks.hcp.westeurope.azmk8s.io@evil.example", None),
            ("https://x;id", None),
            ("a\u{1b}[2J", None),
        ] {
            let error = check(bad).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{bad}");
            assert_eq!(error.next_line(), next, "{bad}");
        }
    }
}
