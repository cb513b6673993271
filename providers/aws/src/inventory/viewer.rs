//! Whoever looks into one account, and who looks if they may not.

use std::sync::Arc;

use fleetkey_provider::{Errand, Find, Host};

use super::{caller::Caller, clusters::Clusters, of_session::Lend, regions::Regions};
use crate::{region::Region, source::Account};

/// Whoever looks into one account.
pub(super) struct Viewer {
    /// What they ask with.
    pub(super) caller: Arc<Caller>,
    /// The account.
    pub(super) account: Account,
    /// What further stands in names of contexts.
    pub(super) labels: Vec<(&'static str, String)>,
    /// The flags that say as whom an entry signs in.
    pub(super) flags: Vec<String>,
    /// The region that is asked about the others, and before them.
    pub(super) home: Home,
}

/// A region, and what it came from.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// The region.
    pub(super) region: Region,
    /// As an error would say it.
    pub(super) from: String,
}

/// The regions to look in; all that an account has, if none are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted(pub(super) Option<Vec<Region>>);

impl Wanted {
    /// Those that accounts of this region's partition can have.
    fn beside(&self, home: &Region) -> Option<Vec<Region>> {
        let is_near = |region: &&Region| region.partition() == home.partition();
        self.0.as_ref().map(|wanted| wanted.iter().filter(is_near).cloned().collect())
    }
}

impl Viewer {
    /// What to ask first: about regions, unless they are known. `others` look if this one may not.
    pub(super) fn looks(self, wanted: &Wanted, others: Option<Lend>, host: &Host) -> Option<Find> {
        let viewer = Arc::new(self);
        let Some(regions) = wanted.beside(&viewer.home.region) else {
            return Some(errand(Regions { viewer, others }));
        };
        if regions.is_empty() {
            let called = viewer.account.called();
            host.notes.note(&format!("account {called} can have none of the regions wanted"));
        }
        let others = others.map(|lend| lend.in_regions(Some(&regions)));
        Clusters::first(viewer, regions, others).map(errand)
    }

    /// As a person would say it.
    pub(super) fn place(&self) -> String {
        place(&self.account)
    }
}

/// An account, as a person would say it.
pub(super) fn place(account: &Account) -> String {
    match &account.name {
        Some(name) => format!("account {name} ({})", account.id),
        None => format!("account {}", account.id),
    }
}

/// Something further to ask.
pub(super) fn errand(errand: impl Errand + 'static) -> Find {
    Find::Errand(Box::new(errand))
}
