//! How a cluster is reached: the kubeconfig that Azure writes for it.

use base64::{Engine, prelude::BASE64_STANDARD};
use fleetkey_provider::{
    BoxFuture, Credential, Errand, Error, Find, Host, HttpResponse, Overrides, Result, SecretString,
};
use serde::Deserialize;

use super::{
    arm::Arm,
    cluster::{Access, Cluster},
    refusal::{Question, not_understood},
};

/// The question for it.
pub(super) struct ClusterCredential {
    pub(super) arm: Arm,
    pub(super) cluster: Cluster,
    pub(super) access: Access,
    pub(super) overrides: Overrides,
}

#[derive(Deserialize)]
struct Answer {
    kubeconfigs: Vec<Kubeconfig>,
}

#[derive(Deserialize)]
struct Kubeconfig {
    #[serde(default)]
    name: String,
    value: String,
}

impl Errand for ClusterCredential {
    fn describe(&self) -> String {
        self.cluster.shown()
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async { Ok(vec![self.ask(host).await?]) })
    }
}

impl ClusterCredential {
    /// Asks for the kubeconfig.
    pub(super) async fn ask(&self, host: &Host) -> Result<Find> {
        let Self { arm, cluster, access, overrides } = self;
        let question = Question::Credential(cluster, *access);
        let mut query = vec![("api-version", VERSION)];
        let what = if access.is_admin {
            "listClusterAdminCredential"
        } else {
            // as an `exec` of kubelogin: what stood there before that no client reads any more
            query.push(("format", "exec"));
            "listClusterUserCredential"
        };
        if access.is_public {
            query.push(("server-fqdn", "public"));
        }
        let path = format!("{}/{what}", cluster.path());
        let answer = arm.post(&path, &query, &question, host).await?;
        let text = kubeconfig(&answer, *access).ok_or_else(|| not_understood(&answer, arm))?;
        let text = text.map_err(|cause| {
            Error::failed(format!("{} comes without a kubeconfig", cluster.shown())).because(cause)
        })?;
        // as `az` does it: Azure calls both contexts alike, and a person's own is not to be lost
        let context_suffix = if access.is_admin { "-admin" } else { "" };
        Ok(Find::Kubeconfig { text, overrides: overrides.clone(), context_suffix })
    }
}

/// The kubeconfig that is in an answer, or why there is none; `None` if it is no such answer.
fn kubeconfig(answer: &HttpResponse, access: Access) -> Option<Result<SecretString, &'static str>> {
    let Answer { kubeconfigs } = serde_json::from_slice(&answer.body).ok()?;
    let wanted = if access.is_admin { "clusterAdmin" } else { "clusterUser" };
    let named = kubeconfigs.iter().find(|one| one.name.eq_ignore_ascii_case(wanted));
    let Some(Kubeconfig { value, .. }) = named.or(kubeconfigs.first()) else {
        return Some(Err("the list of its kubeconfigs is empty"));
    };
    let text = BASE64_STANDARD.decode(value).ok().and_then(|text| String::from_utf8(text).ok());
    Some(text.map(Into::into).ok_or("it is no base64 of a text"))
}

/// A version that is generally available; later ones ask and answer the same.
pub(super) const VERSION: &str = "2024-09-01";
