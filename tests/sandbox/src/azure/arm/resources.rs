//! What the Resource Manager knows: subscriptions, and the clusters in them.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::cluster::ManagedCluster;
use super::subscription::Subscription;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// Makes a subscription known, in place of one of the same id. Its tenant is made on first use.
    pub fn subscription(&self, mut subscription: Subscription) -> Subscription {
        subscription.tenant = self.entra().tenant(&subscription.tenant);
        self.world.resources.add_subscription(subscription.clone());
        subscription
    }

    /// Makes a cluster of a subscription known, in place of one of the same name and resource group.
    pub fn managed_cluster(&self, subscription: &str, cluster: ManagedCluster) -> ManagedCluster {
        self.world.resources.add_cluster(&subscription.to_ascii_lowercase(), cluster.clone());
        cluster
    }

    /// From now on the pages of the Resource Manager say that the next one is on this host, which clients must not
    /// believe: `https://HOST`. `None` is the truth.
    pub fn next_links_lead_to(&self, url: Option<&str>) {
        let url = url.map(|url| url.trim_end_matches('/').to_owned());
        self.world.resources.state().misleading = url;
    }
}

#[derive(Default)]
pub(crate) struct Resources {
    /// The service itself, once it listens.
    pub(crate) url: OnceLock<String>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    subscriptions: Vec<Subscription>,
    /// Each with its subscription.
    clusters: Vec<(String, ManagedCluster)>,
    misleading: Option<String>,
}

impl Resources {
    /// What a link to the next page begins with.
    pub(super) fn next(&self) -> String {
        let misleading = self.state().misleading.clone();
        misleading.or_else(|| self.url.get().cloned()).unwrap_or_default()
    }

    pub(super) fn subscriptions(&self) -> Vec<Subscription> {
        self.state().subscriptions.clone()
    }

    pub(super) fn subscription(&self, id: &str) -> Option<Subscription> {
        self.state().subscriptions.iter().find(|known| known.id == id).cloned()
    }

    /// The clusters of a subscription, or of one of its resource groups, in order.
    pub(super) fn clusters(&self, subscription: &str, group: Option<&str>) -> Vec<ManagedCluster> {
        let state = self.state();
        let here = state.clusters.iter().filter(|(id, _)| id == subscription);
        let mut here: Vec<_> = here
            .map(|(_, cluster)| cluster)
            .filter(|known| group.is_none_or(|group| known.group.eq_ignore_ascii_case(group)))
            .cloned()
            .collect();
        here.sort_by_key(|cluster| (cluster.group.clone(), cluster.name.clone()));
        here
    }

    pub(super) fn has_group(&self, subscription: &Subscription, name: &str) -> bool {
        subscription.has_group(name) || !self.clusters(&subscription.id, Some(name)).is_empty()
    }

    fn add_subscription(&self, subscription: Subscription) {
        let mut state = self.state();
        state.subscriptions.retain(|known| known.id != subscription.id);
        state.subscriptions.push(subscription);
    }

    fn add_cluster(&self, subscription: &str, cluster: ManagedCluster) {
        let mut state = self.state();
        let ManagedCluster { group, name, .. } = &cluster;
        state.clusters.retain(|(id, known)| id != subscription || !known.is_at(group, name));
        state.clusters.push((subscription.to_owned(), cluster));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
