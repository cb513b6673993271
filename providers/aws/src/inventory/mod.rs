//! What clusters there are in AWS, and how one is reached.
//!
//! `kubeconfig add` asks EKS about one cluster. `kubeconfig discover` goes from SSO sessions to
//! accounts, from an account to a role that sees its clusters, from a role to regions, from a region
//! to clusters. Each of these is an errand of its own: what is asked of AWS at the same time is the
//! host's to bound. A person is asked to sign in only where a flag names the session or the profile. What an answer says is checked before it goes into
//! a URL, an ARN or a kubeconfig.

mod add;
mod caller;
mod clusters;
mod describe;
mod discover;
mod of_profile;
mod of_session;
mod pages;
mod regions;
mod signed_in;
mod viewer;

use clap::{ArgMatches, Command};
use fleetkey_provider::{Errand, Host, Inventory, Result, Wanted};

pub(crate) use signed_in::SignedIn;

/// The clusters of AWS.
pub(crate) const INVENTORY: &dyn Inventory = &Eks;

struct Eks;

impl Inventory for Eks {
    fn add_arguments(&self, command: Command) -> Command {
        add::augment(command)
    }

    fn add(&self, matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Errand>> {
        add::errand(matches, host)
    }

    fn discover_arguments(&self, command: Command) -> Command {
        discover::augment(command)
    }

    fn discover(
        &self,
        matches: &mut ArgMatches,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Vec<Box<dyn Errand>>> {
        discover::errands(matches, wanted, host)
    }
}

#[cfg(test)]
mod testing;
