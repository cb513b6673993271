//! Entra ID for fleetkey: people, applications and managed identities in, AKS tokens out.
//!
//! A command line becomes an `Ask`: a `Source`, which says who asks and how, and what
//! is wanted of it. Every source ends in an access token of Entra for one server application, which
//! is checked before it is kept; with proof of possession a fresh signature goes around it each time.

mod arguments;
mod ask;
mod assertion;
mod authority;
mod az;
mod certificate;
mod claims;
mod cloud;
mod entra;
mod environment;
mod errors;
mod foreign;
mod given;
mod go_duration;
mod inventory;
mod login;
mod own_host;
mod plan;
mod pop;
mod release;
#[doc(hidden)]
pub mod replay;
mod request;
mod server_id;
mod settings;
mod source;
#[cfg(test)]
mod testing;
mod token;
mod variables;

use clap::{ArgMatches, Command};
use fleetkey_provider::{
    Adoption, ClusterInfo, Env, ExecInfo, Extension, Foreign, Host, Inventory, Overrides, Provider,
    Request, Result, StandIn,
};

/// The provider, for the registry.
pub const PROVIDER: &dyn Provider = &Azure;

const NAME: &str = "azure";

struct Azure;

impl Provider for Azure {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Tokens for AKS clusters"
    }

    fn arguments(&self, command: Command) -> Command {
        arguments::augment(command)
    }

    fn request(
        &self,
        matches: &mut ArgMatches,
        exec: &ExecInfo,
        host: &Host,
    ) -> Result<Box<dyn Request>> {
        request::request(matches, exec, host)
    }

    fn sign_in_request(&self, matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Request>> {
        request::sign_in_request(matches, host)
    }

    fn check(&self, matches: &mut ArgMatches, whole: bool) -> Result<()> {
        foreign::check(matches, whole)
    }

    fn recognises(&self, cluster: &ClusterInfo) -> bool {
        foreign::recognises(cluster)
    }

    fn adopt(&self, foreign: &Foreign, overrides: &Overrides) -> Option<Result<Adoption>> {
        foreign::adopt(foreign, overrides)
    }

    fn extension(&self, args: &[String]) -> Result<Extension> {
        foreign::extension(args)
    }

    fn secrets(&self) -> &'static [&'static str] {
        foreign::SECRETS
    }

    fn stands_in(&self, program: &str, args: &[String], env: &dyn Env) -> Option<Result<StandIn>> {
        foreign::stands_in(program, args, env)
    }

    fn inventory(&self) -> Option<&'static dyn Inventory> {
        Some(inventory::INVENTORY)
    }
}
