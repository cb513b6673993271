//! Regions: which partition one is in, and which of them an account may use.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::sandbox::Sandbox;

impl Sandbox {
    /// The regions that an account may use, and no others: elsewhere its keys are unknown, as with the real ones. Where
    /// this is not said, EC2 names a handful and those that clusters of the account are in, and none is refused.
    pub fn regions(&self, account: &str, regions: &[&str]) {
        self.world.regions.set(account, regions);
    }
}

/// What accounts were told.
#[derive(Default)]
pub(crate) struct Regions(Mutex<HashMap<String, Vec<String>>>);

impl Regions {
    fn set(&self, account: &str, regions: &[&str]) {
        let regions = regions.iter().map(|&region| region.to_owned()).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), regions);
    }

    /// The regions of an account, if they were named.
    pub(crate) fn named(&self, account: &str) -> Option<Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    /// Whether an account's keys are known in a region.
    pub(crate) fn admit(&self, account: &str, region: &str) -> bool {
        self.named(account).is_none_or(|regions| regions.iter().any(|known| known == region))
    }
}

/// `aws`, `aws-cn`, `aws-us-gov`: what ARNs begin with.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Where everybody may be.
pub(crate) const HANDFUL: [&str; 5] =
    ["ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

/// Where one must ask to be let in.
pub(crate) const OPT_IN: [&str; 4] = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"];
