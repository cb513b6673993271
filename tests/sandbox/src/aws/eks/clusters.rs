//! The clusters that EKS knows: those with an API server here, and any number that are only registered.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::aws::regions::partition;
use crate::cluster::Cluster;
use crate::random;
use crate::sandbox::{ACCOUNT, Sandbox};

/// A cluster as `DescribeCluster` shows it. Nothing answers at its endpoint, unless it is that of a [`Cluster`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EksCluster {
    name: String,
    region: String,
    account: String,
    status: String,
    version: String,
    endpoint: String,
    outpost: Option<String>,
}

impl EksCluster {
    /// An active one of account 111122223333.
    pub fn new(name: &str, region: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, format!("{region}/{name}").as_bytes());
        let id = random::hex(&hash.as_ref()[..16]).to_ascii_uppercase();
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Self {
            name: name.to_owned(),
            region: region.to_owned(),
            account: ACCOUNT.to_owned(),
            status: "ACTIVE".to_owned(),
            version: "1.33".to_owned(),
            endpoint: format!("https://{id}.gr7.{region}.eks.{domain}"),
            outpost: None,
        }
    }

    /// The same cluster as one whose API server is here.
    pub fn of(cluster: &Cluster) -> Self {
        Self::new(&cluster.name, &cluster.region).at(cluster)
    }

    /// In another account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }

    /// `CREATING`, `UPDATING`, `FAILED`, `DELETING`, `PENDING`.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    /// Of this version of Kubernetes.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// On an Outpost: its tokens are made for this id, and not for its name.
    #[must_use]
    pub fn outpost(mut self, id: &str) -> Self {
        self.outpost = Some(id.to_owned());
        self
    }

    /// Whose endpoint is this API server.
    #[must_use]
    pub fn at(mut self, cluster: &Cluster) -> Self {
        self.endpoint.clone_from(&cluster.server);
        self
    }

    /// `arn:aws:eks:REGION:ACCOUNT:cluster/NAME`.
    pub fn arn(&self) -> String {
        arn(&self.region, &self.account, &self.name)
    }

    /// Where its API server is said to be.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What `DescribeCluster` says. A cluster that is being made has no endpoint yet.
    pub(super) fn document(&self, ca_pem: &str) -> Value {
        let Self { name, region: _, account, status, version, endpoint, outpost } = self;
        let mut cluster = json!({
            "name": name, "arn": self.arn(), "status": status, "version": version,
            "createdAt": 1_767_225_600.0, "platformVersion": "eks.9", "certificateAuthority": {},
            "roleArn": format!("arn:{}:iam::{account}:role/eks", partition(&self.region)),
            "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
            "resourcesVpcConfig": { "endpointPublicAccess": true, "endpointPrivateAccess": false },
            "tags": {},
        });
        if !matches!(status.as_str(), "CREATING" | "PENDING") {
            cluster["endpoint"] = endpoint.as_str().into();
            cluster["certificateAuthority"] = json!({ "data": STANDARD.encode(ca_pem) });
        }
        if let Some(id) = outpost {
            let outpost = format!("arn:aws:outposts:{}:{account}:outpost/op-0abcdef", self.region);
            cluster["id"] = id.as_str().into();
            cluster["outpostConfig"] =
                json!({ "outpostArns": [outpost], "controlPlaneInstanceType": "m5.large" });
        }
        json!({ "cluster": cluster })
    }
}

impl Sandbox {
    /// Makes a cluster known to EKS, in place of one of the same name, account and region. Those of
    /// [`Sandbox::cluster_in`] are known already.
    pub fn eks_cluster(&self, cluster: EksCluster) -> EksCluster {
        self.world.eks.add(cluster.clone());
        cluster
    }
}

impl Cluster {
    /// From now on a cluster of another account, as EKS sees it.
    #[must_use]
    pub fn in_account(self, account: &str) -> Self {
        let mut state = self.world.eks.state();
        state.retain(|_, known| known.endpoint != self.server);
        drop(state);
        self.world.eks.add(EksCluster::of(&self).account(account));
        self
    }
}

/// By account, region and name.
#[derive(Default)]
pub(crate) struct Clusters(Mutex<BTreeMap<(String, String, String), EksCluster>>);

impl Clusters {
    pub(crate) fn add(&self, cluster: EksCluster) {
        let EksCluster { account, region, name, .. } = &cluster;
        self.state().insert((account.clone(), region.clone(), name.clone()), cluster);
    }

    /// The names of all clusters of an account in a region, in order.
    pub(super) fn names(&self, account: &str, region: &str) -> Vec<String> {
        let state = self.state();
        let here =
            state.values().filter(|known| known.account == account && known.region == region);
        here.map(|cluster| cluster.name.clone()).collect()
    }

    pub(super) fn find(&self, account: &str, region: &str, name: &str) -> Option<EksCluster> {
        let key = (account.to_owned(), region.to_owned(), name.to_owned());
        self.state().get(&key).cloned()
    }

    /// The regions that clusters of an account are in.
    pub(crate) fn regions(&self, account: &str) -> Vec<String> {
        let state = self.state();
        let own = state.values().filter(|known| known.account == account);
        own.map(|cluster| cluster.region.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<(String, String, String), EksCluster>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `cluster/NAME`, of a region and an account.
pub(super) fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:{}:eks:{region}:{account}:cluster/{name}", partition(region))
}
