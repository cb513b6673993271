//! The clusters that a user goes to, as far as it decides whether clients may hand them over.

use std::collections::HashMap;

use fleetkey_provider::{ClusterInfo, Provider};

use super::document::{Document, Section};

/// Clients hand the cluster over in one variable, and Linux ends one at 128 KiB.
pub(crate) const LARGEST_CA: u64 = 96 << 10;

/// A cluster that a context goes to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reached {
    /// Its API server's URL.
    pub(crate) server: String,
    /// Whether something stands in between.
    pub(crate) has_proxy: bool,
    /// How long its authorities are, as base64; nothing if they are in a file.
    pub(crate) ca: Option<u64>,
}

impl Reached {
    /// Whether the provider knows it by its own name, and clients can hand it over: then nothing that works
    /// is refused for it.
    pub(crate) fn may_be_told(&self, provider: &dyn Provider) -> bool {
        let server = self.server.clone();
        let is_small = self.ca.is_some_and(|length| length <= LARGEST_CA);
        is_small
            && !self.has_proxy
            && provider.recognises(&ClusterInfo { server, ..ClusterInfo::default() })
    }
}

/// The clusters of each user's contexts. One that is not in this file is there, and empty.
pub(crate) fn by_user<'d>(document: &'d Document<'_>) -> HashMap<&'d str, Vec<Reached>> {
    let mut clusters: HashMap<&str, Reached> = HashMap::new();
    for cluster in document.entries(Section::Clusters) {
        let text = |key| document.text(&cluster, key);
        clusters.entry(cluster.name).or_insert_with(|| Reached {
            server: text("server").unwrap_or_default().to_owned(),
            has_proxy: text("proxy-url").is_some(),
            ca: text("certificate-authority-data").map(|data| data.len() as u64),
        });
    }
    let mut out: HashMap<&str, Vec<Reached>> = HashMap::new();
    for context in document.entries(Section::Contexts) {
        let [Some(user), cluster] = ["user", "cluster"].map(|key| document.text(&context, key))
        else {
            continue;
        };
        let cluster = cluster.and_then(|name| clusters.get(name)).cloned().unwrap_or_default();
        out.entry(user).or_default().push(cluster);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_the_clusters_of_its_contexts() {
        let text = "clusters:\n- {name: a, cluster: {server: 'https://a', certificate-authority-data: TFMw}}\n\
                    - {name: b, cluster: {server: 'https://b', proxy-url: 'http://p'}}\n\
                    contexts:\n- {name: 1, context: {cluster: a, user: u}}\n- {name: 2, context: {cluster: b, user: u}}\n\
                    - {name: 3, context: {cluster: elsewhere, user: v}}\n";
        let document = Document::read(text, "f").unwrap();
        let users = by_user(&document);
        let of = |server: &str, has_proxy, ca| Reached { server: server.into(), has_proxy, ca };
        assert_eq!(users["u"], [of("https://a", false, Some(4)), of("https://b", true, None)]);
        assert_eq!(users["v"], [Reached::default()]);
    }
}
