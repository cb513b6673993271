//! The regions of an account: those that it has switched on, which EC2 knows.

use std::sync::Arc;

use fleetkey_provider::{BoxFuture, Credential, Errand, Error, Find, Host, Result};

use super::{
    caller::{Ask, Question, Refusal},
    clusters::Clusters,
    of_session::Lend,
    viewer::{Viewer, errand},
};
use crate::{endpoints::Service, region::Region, xml};

/// Asks for the regions of an account.
pub(super) struct Regions {
    /// Who asks.
    pub(super) viewer: Arc<Viewer>,
    /// Who looks if this one may not list clusters.
    pub(super) others: Option<Lend>,
}

impl Errand for Regions {
    fn describe(&self) -> String {
        format!("regions of {}", self.viewer.place())
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let Self { viewer, others } = self;
            let (regions, is_known) = match self.ask(host).await {
                Ok(regions) => (regions, true),
                Err(refusal) if refusal.is_denied() => {
                    host.notes.note(&format!("{}: the usual regions instead", refusal.error));
                    (usual(&viewer.home.region)?, false)
                }
                Err(Refusal { error, .. }) => return Err(error),
            };
            // another role may be told what this one was not
            let others = others.clone().map(|lend| lend.in_regions(is_known.then_some(&regions)));
            Ok(Clusters::first(Arc::clone(viewer), regions, others)
                .map(errand)
                .into_iter()
                .collect())
        })
    }
}

impl Regions {
    async fn ask(&self, host: &Host) -> Result<Vec<Region>, Refusal> {
        let Viewer { caller, home, .. } = &*self.viewer;
        let task = format!("list the regions of {}", self.viewer.place());
        let question = Question {
            service: Service::Ec2,
            region: &home.region,
            from: &home.from,
            ask: Ask::Form(DESCRIBE_REGIONS),
            task: &task,
        };
        let answer = caller.ask(&question, host).await?;
        let strange = |what: &str| caller.not_understood(&question, what, host);
        let path = ["DescribeRegionsResponse", "regionInfo"];
        let names = xml::texts(&answer.body, &path, "item", "regionName")
            .ok_or_else(|| strange("no list of regions"))?;
        if names.len() > MOST {
            return Err(strange("more regions than there can be").into());
        }
        let mut regions = Vec::new();
        for name in names {
            let region = Region::parse(&name, FROM).map_err(|flaw| strange(&flaw.to_string()))?;
            if region.partition() != home.region.partition() {
                return Err(strange("a region of another partition").into());
            }
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        Ok(regions)
    }
}

/// The regions of a partition that every account has.
fn usual(home: &Region) -> Result<Vec<Region>, Error> {
    let names: &[&str] = match home.partition().id {
        "aws" => &USUAL,
        "aws-cn" => &["cn-north-1", "cn-northwest-1"],
        "aws-us-gov" => &["us-gov-east-1", "us-gov-west-1"],
        "aws-iso" => &["us-iso-east-1", "us-iso-west-1"],
        _ => &[home.partition().global_region],
    };
    names.iter().map(|name| Region::parse(name, FROM)).collect()
}

/// What a region came from.
pub(super) const FROM: &str = "a region of the account";

const DESCRIBE_REGIONS: &str = "Action=DescribeRegions&Version=2016-11-15";
const MOST: usize = 200;

/// Those that need not be switched on ("AWS Account Management Reference Guide", "Enable or disable
/// AWS Regions").
const USUAL: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
