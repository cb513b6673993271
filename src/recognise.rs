//! Whose a cluster is, where no command line says so: one user of a kubeconfig then serves the clusters
//! of every cloud.
//!
//! The cluster says it, by `provider` in its extension, or its server has a name that only one cloud
//! gives. Both are the kubeconfig's text, so a provider is as careful with them as with flags.

use clap::{ArgMatches, Command};
use fleetkey_provider::{ClusterInfo, Error, ExecInfo, Provider, Result, shown};
use serde_json::Value;
use url::Url;

use crate::registry::{self, PROVIDERS};

/// The provider of the cluster that a client asks for.
pub(crate) fn provider(exec: &ExecInfo) -> Result<&'static dyn Provider> {
    let Some(cluster) = &exec.cluster else {
        return Err(if exec.api_version.is_some() {
            Error::config("the client does not say which cluster the token is for").because(
                "`get-token` without a provider goes by the cluster, and the kubeconfig's user has no \
                 `provideClusterInfo: true`",
            ).next("kubectl config view --minify")
        } else {
            Error::config("no provider is named")
                .because(
                    "only a client that tells of its cluster can leave it out, with \
                          `provideClusterInfo: true` in the kubeconfig's user",
                )
                .next("fleetkey get-token --help")
        });
    };
    provider_of(cluster)
}

/// The provider of a cluster.
pub(crate) fn provider_of(cluster: &ClusterInfo) -> Result<&'static dyn Provider> {
    let found = PROVIDERS.iter().copied().find(|provider| provider.recognises(cluster));
    found
        .ok_or_else(|| match cluster.config.get(PROVIDER) {
            Some(Value::String(name)) if registry::find(name).is_none() => {
                Error::config(format!("there is no provider `{}`", shown(name))).because(format!(
                    "`provider` in the cluster's extension `{EXTENSION}` has to be one of {}",
                    names()
                ))
            }
            Some(Value::String(name)) => Error::config(format!(
                "the cluster is none of provider `{}`, which its extension names",
                shown(name)
            )),
            Some(_) => {
                Error::config(format!("`provider` in the extension `{EXTENSION}` is not text"))
                    .because(format!("it has to be one of {}", names()))
            }
            None => Error::config(format!("whose cluster `{}` is, is not known", host(cluster)))
                .because(format!(
                    "its server's name is no cloud's, and its extension `{EXTENSION}` has no \
                 `provider`, which would be one of {}",
                    names()
                )),
        })
        .map_err(|error| error.or_next(|| "kubectl config view --minify".into()))
}

/// What a provider is given where nothing was typed for it.
pub(crate) fn no_flags(provider: &dyn Provider) -> Result<ArgMatches> {
    let command = Command::new(provider.name()).no_binary_name(true);
    let nothing: [&str; 0] = [];
    provider
        .arguments(command)
        .try_get_matches_from(nothing)
        .map_err(|error| crate::cli::usage(&error))
}

/// What clients tell a plugin of a cluster, by its entry in the kubeconfig.
pub(crate) fn told(cluster: &Value) -> ClusterInfo {
    let text = |key| cluster.get(key).and_then(Value::as_str);
    let extensions = cluster.get("extensions").and_then(Value::as_array).into_iter().flatten();
    let named = |one: &&Value| one.get("name").and_then(Value::as_str) == Some(EXTENSION);
    let config =
        extensions.filter(named).find_map(|one| one.get("extension")?.as_object().cloned());
    ClusterInfo {
        server: text("server").unwrap_or_default().to_owned(),
        proxy_url: text("proxy-url").map(str::to_owned),
        config: config.unwrap_or_default(),
    }
}

/// The cluster's extension that clients hand to plugins.
pub(crate) const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// The key of it that names a provider.
pub(crate) const PROVIDER: &str = "provider";

fn names() -> String {
    let names: Vec<_> = PROVIDERS.iter().map(|one| format!("`{}`", one.name())).collect();
    names.join(", ")
}

/// The server's host name; there may be more in its URL than anybody should see.
fn host(cluster: &ClusterInfo) -> String {
    let url = Url::parse(&cluster.server).ok();
    shown(url.as_ref().and_then(Url::host_str).unwrap_or("without a server"))
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ApiVersion, Kind};
    use serde_json::json;

    use super::*;

    fn cluster(server: &str, config: &Value) -> ClusterInfo {
        let config = config.as_object().cloned().unwrap_or_default();
        ClusterInfo { server: server.into(), config, ..ClusterInfo::default() }
    }

    fn wrong(server: &str, config: &Value) -> Error {
        provider_of(&cluster(server, config)).map(Provider::name).unwrap_err()
    }

    #[test]
    fn every_provider_is_found_by_its_name_and_can_be_given_nothing() {
        for wanted in PROVIDERS {
            let cluster = cluster("https://127.0.0.1", &json!({"provider": wanted.name()}));
            let found = provider_of(&cluster).map(Provider::name);
            assert_eq!(found.unwrap(), wanted.name());
            assert!(no_flags(*wanted).is_ok());
        }
    }

    #[test]
    fn a_cluster_of_nobody_is_named_and_what_would_help_too() {
        for (server, config, words) in [
            ("https://u:hunter2@k8s.example:6443/x", Value::Null, "whose cluster `k8s.example` is"),
            ("", Value::Null, "whose cluster `without a server` is"),
            ("https://k8s.example", json!({"provider": "a\u{1b}"}), "there is no provider `a"),
            ("https://k8s.example", json!({"provider": ""}), "there is no provider ``"),
            ("https://k8s.example", json!({"provider": 7}), "is not text"),
        ] {
            let error = wrong(server, &config);
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.message().contains(words), "{error}");
            assert!(error.cause().unwrap().contains(PROVIDERS[0].name()), "{error}");
            assert_eq!(error.next_line(), Some("kubectl config view --minify"));
            assert!(
                !error.to_string().contains("hunter2") && !error.to_string().contains('\u{1b}')
            );
        }
    }

    #[test]
    fn whoever_tells_of_no_cluster_is_told_how() {
        let typed = provider(&ExecInfo::default()).map(Provider::name).unwrap_err();
        assert_eq!(typed.message(), "no provider is named");
        let info = ExecInfo { api_version: Some(ApiVersion::V1), ..ExecInfo::default() };
        let asked = provider(&info).map(Provider::name).unwrap_err();
        for error in [typed, asked] {
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.cause().unwrap().contains("`provideClusterInfo: true`"), "{error}");
        }
    }
}
