//! The clusters of an account in one region.
//!
//! One region is asked before the others. If a role may not list clusters there, it may not
//! elsewhere, and the next role is tried: so a role that sees nothing costs one question and not one
//! for each region. A region that the organisation has closed is closed to every role, and says
//! nothing about this one: then the next region is asked first.

use std::sync::Arc;

use fleetkey_provider::{BoxFuture, Credential, Errand, Error, Find, Host, Kind, Listed, Result};
use serde::Deserialize;

use super::{
    caller::{Ask, Question, Refusal},
    describe::Describe,
    of_session::Lend,
    pages::Pages,
    regions,
    viewer::{Viewer, errand},
};
use crate::{endpoints::Service, region::Region, token::ClusterId};

/// Asks for the clusters of an account in one region.
pub(super) struct Clusters {
    viewer: Arc<Viewer>,
    region: Region,
    first: Option<First>,
}

/// What comes after the region that is asked first.
struct First {
    /// The regions to ask then.
    rest: Vec<Region>,
    /// Who looks if this one may not.
    others: Option<Lend>,
}

impl Clusters {
    /// Asks in all of these regions, in one before the others: that at home, if it is among them.
    pub(super) fn first(
        viewer: Arc<Viewer>,
        mut regions: Vec<Region>,
        others: Option<Lend>,
    ) -> Option<Self> {
        let home = regions.iter().position(|region| *region == viewer.home.region);
        if let Some(home) = home {
            regions[..=home].rotate_right(1);
        }
        Self::before(viewer, regions, others)
    }

    /// The same in this order.
    fn before(viewer: Arc<Viewer>, regions: Vec<Region>, others: Option<Lend>) -> Option<Self> {
        let mut regions = regions.into_iter();
        let region = regions.next()?;
        Some(Self { viewer, region, first: Some(First { rest: regions.collect(), others }) })
    }

    /// All pages of the answer.
    async fn names(&self, host: &Host) -> Result<Vec<ClusterId>, Refusal> {
        let task = format!("list clusters in {}", self.region.as_str());
        let (mut pages, mut names) = (Pages::default(), Vec::new());
        loop {
            let next = pages.next().map(str::to_owned);
            let mut query = vec![("maxResults", "100")];
            query.extend(next.as_deref().map(|next| ("nextToken", next)));
            let question = Question {
                service: Service::Eks,
                region: &self.region,
                from: regions::FROM,
                ask: Ask::Get("/clusters", &query),
                task: &task,
            };
            let answer = self.viewer.caller.ask(&question, host).await?;
            let strange = |what: &str| self.viewer.caller.not_understood(&question, what, host);
            let Page { clusters, next_token } = serde_json::from_slice(&answer.body)
                .map_err(|_| strange("an answer of another shape"))?;
            for name in clusters {
                let name = ClusterId::parse(&name, "a cluster");
                names.push(name.map_err(|flaw| strange(&flaw.to_string()))?);
            }
            if !pages.turn(next_token).map_err(strange)? {
                return Ok(names);
            }
        }
    }

    fn listed(&self, cluster: ClusterId) -> Find {
        let Viewer { caller, account, labels, flags, home: _ } = &*self.viewer;
        let region = self.region.as_str();
        let name = cluster.as_str().to_owned();
        Find::Cluster(Listed {
            id: format!(
                "arn:{}:eks:{region}:{}:cluster/{name}",
                self.region.partition().id,
                account.id
            ),
            cluster: name,
            account: account.called().to_owned(),
            region: region.to_owned(),
            labels: labels.clone(),
            user: None,
            detail: Box::new(Describe {
                caller: Arc::clone(caller),
                cluster,
                region: self.region.clone(),
                from: regions::FROM.into(),
                flags: flags.clone(),
            }),
        })
    }

    /// What to ask in the other regions, now that this viewer is known to see.
    fn rest(&self) -> impl Iterator<Item = Find> {
        let rest = self.first.iter().flat_map(|first| &first.rest);
        rest.map(|region| {
            let (viewer, region) = (Arc::clone(&self.viewer), region.clone());
            errand(Self { viewer, region, first: None })
        })
    }

    /// What a refusal leads to.
    fn refused(&self, refusal: &Refusal, host: &Host) -> Result<Vec<Find>> {
        let is_closed = refusal.is_by_the_organisation();
        let error = self.explained(refusal);
        let Some(First { rest, others }) = &self.first else {
            if !is_closed {
                return Err(error);
            }
            host.notes.note(&format!("closed by the organisation: {error}"));
            return Ok(Vec::new());
        };
        if error.kind() == Kind::SignInNeeded {
            return Err(error);
        }
        if refusal.is_denied() && !is_closed {
            let regions: Vec<_> = [&self.region].into_iter().chain(rest).cloned().collect();
            let next = others.as_ref().and_then(|lend| lend.next(&regions));
            host.notes.note(&error.to_string());
            return match next {
                Some(next) => Ok(vec![errand(next)]),
                None => Err(error),
            };
        }
        // it says nothing of the other regions
        let viewer = Arc::clone(&self.viewer);
        let Some(next) = Self::before(viewer, rest.clone(), others.clone()) else {
            return Err(error);
        };
        if is_closed {
            host.notes.note(&format!("closed by the organisation: {error}"));
            return Ok(vec![errand(next)]);
        }
        Ok(vec![Find::Failure(self.describe(), error), errand(next)])
    }

    fn explained(&self, refusal: &Refusal) -> Error {
        let error = &refusal.error;
        if !refusal.is("UnrecognizedClientException") {
            return error.clone();
        }
        let region = self.region.as_str();
        let told = Error::new(
            error.kind(),
            format!("EKS in {region} does not know {}", self.viewer.caller.asker.who),
        )
        .because(format!(
            "{}; a region that the account has not switched on answers so too",
            error.cause().unwrap_or_default()
        ));
        match error.next_line() {
            Some(line) => told.next(line),
            None => told,
        }
    }
}

impl Errand for Clusters {
    fn describe(&self) -> String {
        format!("clusters of {} in {}", self.viewer.place(), self.region.as_str())
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            match self.names(host).await {
                Ok(names) => {
                    let found = names.into_iter().map(|name| self.listed(name));
                    Ok(found.chain(self.rest()).collect())
                }
                Err(refusal) => self.refused(&refusal, host),
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    clusters: Vec<String>,
    next_token: Option<String>,
}
