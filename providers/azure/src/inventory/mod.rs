//! What clusters there are in Azure: Azure Resource Manager is asked, as whoever would also ask for a
//! token.
//!
//! Its token is a `Request` like any other, for another server, so it is kept, locked and asked for as
//! all are. Nothing here is written: a cluster's kubeconfig is handed over as Azure wrote it, with
//! what counts in place of the way to sign in that stands there, which is nobody's choice.

mod add;
mod arm;
mod az_session;
mod cluster;
mod clusters;
mod credential;
mod flags;
mod overrides;
mod refusal;
mod subscription;
mod tenant;
#[cfg(test)]
mod tests;
mod who;

use std::sync::Arc;

use clap::{ArgMatches, Command};
use fleetkey_provider::{Errand, Host, Inventory, Result, Wanted};

use self::{
    add::Add,
    az_session::AzSession,
    flags::{AddFlags, DiscoverFlags},
    tenant::{Sought, Tenant},
};

/// The inventory, for the provider.
pub(crate) const INVENTORY: &dyn Inventory = &Azure;

struct Azure;

impl Inventory for Azure {
    fn add_arguments(&self, command: Command) -> Command {
        flags::augment_add(command)
    }

    fn add(&self, matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Errand>> {
        Ok(Box::new(Add::new(AddFlags::read(matches)?, host)?))
    }

    fn discover_arguments(&self, command: Command) -> Command {
        flags::augment_discover(command)
    }

    fn discover(
        &self,
        matches: &mut ArgMatches,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Vec<Box<dyn Errand>>> {
        let flags = DiscoverFlags::read(matches)?;
        let az = AzSession::find(&flags.arguments, host);
        let tenants = tenant::to_look_in(&flags, az.as_ref(), host)?;
        let sought = Arc::new(Sought::new(wanted, flags.subscriptions.clone(), tenants.len()));
        let errand = |tenant| -> Box<dyn Errand> {
            Box::new(Tenant::new(tenant, &flags, az.as_ref(), Arc::clone(&sought), host))
        };
        Ok(tenants.into_iter().map(errand).collect())
    }
}
