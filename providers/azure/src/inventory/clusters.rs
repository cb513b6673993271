//! The clusters of a subscription.

use std::sync::Arc;

use fleetkey_provider::{
    BoxFuture, Credential, Errand, Error, Find, Host, Listed, Overrides, Result, shown,
};
use serde_json::Value;

use super::{
    arm::{Arm, Pages},
    cluster::{Access, Cluster, path_of_all},
    credential::{ClusterCredential, VERSION},
    refusal::Question,
    subscription::Subscription,
    tenant::Sought,
};

/// The question for them.
pub(super) struct Clusters {
    pub(super) arm: Arm,
    pub(super) subscription: Subscription,
    /// The tenant that was asked, where Azure does not name it.
    pub(super) tenant: Option<String>,
    pub(super) sought: Arc<Sought>,
    pub(super) overrides: Overrides,
}

impl Errand for Clusters {
    fn describe(&self) -> String {
        Question::Clusters(&self.subscription).what()
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async {
            let Self { arm, subscription, .. } = self;
            let question = Question::Clusters(subscription);
            let path = path_of_all(&subscription.id);
            let Pages { values, failure } = arm.list(&path, VERSION, &question, host).await?;
            let read: Vec<_> = values.iter().map(|value| self.read(value)).collect();
            let odd = read.iter().filter(|found| found.is_none()).count();
            let mut found: Vec<_> = read
                .into_iter()
                .flatten()
                .filter(|(_, region)| self.sought.is_in(region))
                .map(|(cluster, region)| Find::Cluster(self.listed(cluster, region)))
                .collect();
            found.extend(failure.map(|error| Find::Failure(self.describe(), error)));
            if odd > 0 {
                let error = Error::failed("a cluster was not understood").because(format!(
                    "{odd} of {} in the answer have no id, name or region as Azure writes them",
                    values.len()
                ));
                found.push(Find::Failure(self.describe(), error));
            }
            Ok(found)
        })
    }
}

impl Clusters {
    /// The cluster and its region.
    fn read(&self, value: &Value) -> Option<(Cluster, String)> {
        let cluster = Cluster::parse(value.get("id")?.as_str()?)?;
        let region = region(value.get("location")?.as_str()?);
        let is_region = !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_ours = cluster.subscription.eq_ignore_ascii_case(&self.subscription.id);
        (is_region && is_ours).then_some((cluster, region))
    }

    fn listed(&self, cluster: Cluster, region: String) -> Listed {
        let Self { arm, subscription, tenant, sought: _, overrides } = self;
        let tenant = subscription.tenant.as_ref().or(tenant.as_ref());
        let mut labels = vec![
            ("resource-group", cluster.group.clone()),
            ("subscription-id", subscription.id.to_lowercase()),
        ];
        labels.extend(tenant.map(|tenant| ("tenant", tenant.clone())));
        Listed {
            id: cluster.id(),
            cluster: cluster.name.clone(),
            account: shown(&subscription.name),
            region,
            labels,
            user: Some(cluster.user()),
            detail: Box::new(ClusterCredential {
                arm: arm.clone(),
                cluster,
                access: Access::default(),
                overrides: overrides.clone(),
            }),
        }
    }
}

/// A region's name in one way: `West Europe` is `westeurope`.
pub(super) fn region(text: &str) -> String {
    text.to_lowercase().replace(' ', "")
}
