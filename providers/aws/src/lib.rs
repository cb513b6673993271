//! AWS for fleetkey: profiles, SSO sessions and roles in, EKS tokens out.
//!
//! A command line becomes a plan, whose steps each say where keys come from; the last keys sign a
//! token, locally. Only steps between a session or a token file and a role need the network.

mod arguments;
mod beside;
mod clock;
mod endpoints;
mod errors;
mod foreign;
mod inventory;
mod jwt;
mod keys;
mod metadata;
mod own_host;
mod partition;
mod plan;
mod profiles;
mod python_json;
mod region;
mod request;
mod role_arn;
mod shell;
mod signature;
mod signing_in;
mod signs_for;
mod source;
mod step;
mod sts;
mod sts_host;
#[cfg(test)]
mod testing;
mod token;
mod variables;
mod xml;

#[doc(hidden)]
pub mod replay;

use clap::{ArgMatches, Command};
use fleetkey_provider::{
    Adoption, ClusterInfo, Env, ExecInfo, Extension, Foreign, Host, Inventory, Overrides, Provider,
    Request, Result, StandIn,
};

/// The provider, for the registry.
pub const PROVIDER: &dyn Provider = &Aws;

const NAME: &str = "aws";

struct Aws;

impl Provider for Aws {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Tokens for EKS clusters"
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
        signing_in::request(matches, host)
    }

    fn inventory(&self) -> Option<&'static dyn Inventory> {
        Some(inventory::INVENTORY)
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
}
