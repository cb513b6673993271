//! To whom a token may be shown.
//!
//! A token of Entra is good at every cluster that takes the same server application, for whoever has
//! it, so a cluster that is a stranger's must not be shown one. A kubeconfig that was sent by somebody
//! says which cluster is asked; where the client passes that on, the API server has to be one of
//! AKS's, on loopback (a tunnel, or the proxy that Arc's clusters are reached by), or trusted. So has
//! a proxy that the kubeconfig puts in between: with an authority of its own, which is the
//! kubeconfig's to name as well, it reads all that passes.

use fleetkey_provider::{Endpoint, Error, ExecInfo, Host, Result, shown};
use url::Url;

use crate::own_host;

/// Errors if the client's cluster is a stranger's.
pub(crate) fn check(exec: &ExecInfo, host: &Host) -> Result<()> {
    let Some(cluster) = &exec.cluster else { return Ok(()) };
    if let Some(proxy) = cluster.proxy_url.as_deref().filter(|proxy| !proxy.is_empty()) {
        check_proxy(proxy, host)?;
    }
    if cluster.server.is_empty() {
        return Ok(());
    }
    let from = "the cluster's `server`";
    Endpoint::configured(&cluster.server, from, own_host::is_api_server, host).map(|_| ())
}

/// Whatever it speaks (http, https or socks5), it is the host that has to be trusted.
fn check_proxy(proxy: &str, host: &Host) -> Result<()> {
    let from = "the cluster's `proxy-url`";
    let name = Url::parse(proxy).ok().and_then(|url| url.host_str().map(str::to_owned));
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| {
        Error::config(format!("{from} is not a URL: `{}`", shown(proxy)))
            .next("kubectl config view --minify")
    })?;
    Endpoint::configured(&format!("https://{name}"), from, |_| false, host).map(|_| ())
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

    #[test]
    fn a_strangers_proxy_gets_none_whichever_cluster_is_behind_it() {
        let ask = |server: &str, proxy: &str| {
            let cluster = ClusterInfo {
                server: server.into(),
                proxy_url: Some(proxy.into()),
                ..ClusterInfo::default()
            };
            let trust = StaticTrust { hosts: vec!["proxy.own.example".into()], strict: false };
            let host = Host { trust: Box::new(trust), ..Host::refusing() };
            super::check(&ExecInfo { cluster: Some(cluster), ..ExecInfo::default() }, &host)
        };
        for server in ["https://aks.hcp.westeurope.azmk8s.io", "https://127.0.0.1:6443", ""] {
            for bad in
                ["http://evil.example:3128", "socks5://10.0.0.1", "https://azmk8s.io", "x", "//"]
            {
                assert_eq!(ask(server, bad).unwrap_err().kind(), Kind::Config, "{server} {bad}");
            }
            for good in
                ["", "http://127.0.0.1:8080", "socks5://localhost:1080", "http://proxy.own.example"]
            {
                ask(server, good).unwrap();
            }
        }
        let error = ask("https://127.0.0.1", "http://evil.example:3128").unwrap_err();
        assert_eq!(error.next_line(), Some("fleetkey trust add evil.example"));
    }
}
