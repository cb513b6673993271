//! One cluster, described: how it is reached, and as whom.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use fleetkey_provider::{
    BoxFuture, Credential, Entry, EntryNames, EntryUser, Errand, Error, Find, Host, Result, quoted,
    shown,
};
use serde::Deserialize;
use url::Url;

use super::caller::{Ask, Caller, Question, Refusal};
use crate::{
    arguments::ACCOUNT_ID, endpoints::Service, errors::Asker, region::Region, shell::profile_flag,
    token::ClusterId,
};

/// Asks EKS about one cluster.
pub(super) struct Describe {
    /// Who asks.
    pub(super) caller: Arc<Caller>,
    /// The cluster's name.
    pub(super) cluster: ClusterId,
    /// Where it is.
    pub(super) region: Region,
    /// What the region came from.
    pub(super) from: String,
    /// The flags that say as whom its entry signs in.
    pub(super) flags: Vec<String>,
}

impl Errand for Describe {
    fn describe(&self) -> String {
        format!("cluster `{}` in {}", self.cluster.as_str(), self.region.as_str())
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move { Ok(vec![Find::Entry(Box::new(self.entry(host).await?))]) })
    }
}

impl Describe {
    /// Asks.
    pub(super) async fn entry(&self, host: &Host) -> Result<Entry> {
        let name = self.cluster.as_str();
        let path = format!("/clusters/{name}");
        let task = format!("describe cluster {name} in {}", self.region.as_str());
        let question = Question {
            service: Service::Eks,
            region: &self.region,
            from: &self.from,
            ask: Ask::Get(&path, &[]),
            task: &task,
        };
        let answer = match self.caller.ask(&question, host).await {
            Ok(answer) => answer,
            Err(refusal) if refusal.is("ResourceNotFoundException") => {
                return Err(self.not_there());
            }
            Err(Refusal { error, .. }) => return Err(error),
        };
        let strange = |what: &str| self.caller.not_understood(&question, what, host);
        let Described { cluster } = serde_json::from_slice(&answer.body)
            .map_err(|_| strange("an answer of another shape"))?;
        match cluster.status.as_str() {
            "ACTIVE" | "UPDATING" => self.read(cluster).map_err(strange),
            status => Err(self.not_ready(status)),
        }
    }

    /// The answer, checked; errors with what is wrong with it.
    fn read(&self, cluster: Cluster) -> Result<Entry, &'static str> {
        let Cluster { arn, id, status: _, endpoint, certificate_authority, outpost_config } =
            cluster;
        let arn = arn.ok_or("no `arn`")?;
        let region = region_of(&arn, self.cluster.as_str()).ok_or("an `arn` of something else")?;
        let server = endpoint.filter(|url| is_server(url)).ok_or("no `endpoint` by https")?;
        let authority = certificate_authority
            .and_then(|authority| authority.data)
            .filter(|data| !data.is_empty() && BASE64_STANDARD.decode(data).is_ok())
            .ok_or("no `certificateAuthority` in base64")?;
        let (flag, id) = if outpost_config.is_some() {
            let id = id.and_then(|id| ClusterId::parse(&id, "its id").ok());
            ("cluster-id", id.ok_or("a cluster on Outposts without an `id`")?)
        } else {
            ("cluster-name", self.cluster.clone())
        };
        let mut args = vec![format!("--{flag}"), id.as_str().to_owned()];
        args.extend(["--region".to_owned(), region.as_str().to_owned()]);
        args.extend(self.flags.iter().cloned());
        Ok(Entry {
            names: EntryNames { cluster: arn.clone(), user: arn.clone(), context: arn },
            server,
            certificate_authority_data: Some(authority),
            tls_server_name: None,
            proxy_url: None,
            user: EntryUser::Plugin { args, env: Vec::new() },
        })
    }

    fn not_there(&self) -> Error {
        let (name, region) = (self.cluster.as_str(), self.region.as_str());
        let error = Error::config(format!("there is no cluster `{name}` in {region}"))
            .because(format!("EKS knows none of that name in the account of {}", self.who()));
        self.with_next(error, &format!("aws eks list-clusters --region {}", quoted(region)))
    }

    fn not_ready(&self, status: &str) -> Error {
        let (name, region) = (self.cluster.as_str(), self.region.as_str());
        let error = Error::failed(format!("cluster status is {}", shown(status)))
            .because(format!("cluster `{name}` in {region} is neither ACTIVE nor UPDATING"));
        let line = format!(
            "aws eks describe-cluster --name {} --region {} --query cluster.status",
            quoted(name),
            quoted(region)
        );
        self.with_next(error, &line)
    }

    fn who(&self) -> &str {
        &self.caller.asker.who
    }

    /// The error with that line behind it, if `aws` can ask as the same identity.
    fn with_next(&self, error: Error, line: &str) -> Error {
        match &self.caller.asker {
            Asker { profile: None, sign_in: Some(_), .. } => error,
            Asker { profile, .. } => {
                error.next(format!("{line}{}", profile_flag(profile.as_deref())))
            }
        }
    }
}

/// The region in a cluster's ARN, if it is the ARN of the cluster of that name.
fn region_of(arn: &str, name: &str) -> Option<Region> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "eks", region, account, cluster] = parts[..] else { return None };
    let region = Region::parse(region, "an ARN").ok()?;
    let is_whole = partition == region.partition().id
        && ACCOUNT_ID.check("an ARN", account).is_ok()
        && cluster.strip_prefix("cluster/") == Some(name);
    is_whole.then_some(region)
}

/// Whether it can be the URL of an API server: a token is going to be sent there.
fn is_server(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain
        && Url::parse(text).is_ok_and(|url| {
            url.scheme() == "https"
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        })
}

#[derive(Deserialize)]
struct Described {
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    arn: Option<String>,
    /// Only clusters on Outposts have one.
    id: Option<String>,
    status: String,
    endpoint: Option<String>,
    certificate_authority: Option<Authority>,
    outpost_config: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Authority {
    data: Option<String>,
}
