//! A question, understood: arguments, environment and what the machine offers become a source.
//!
//! Everything that can be wrong without a network is said here, before anything is sent.

mod needs;
mod sources;
#[cfg(test)]
mod tests;

use clap::ArgMatches;
use fleetkey_provider::{Error, ExecInfo, Host, Request, Result};

use self::sources::Sources;
use crate::{
    arguments::Arguments,
    ask::Ask,
    cloud::Cloud,
    entra::Version,
    environment::Environment,
    plan::{self, Plan, Way},
    release,
    server_id::{AKS, ServerId},
    source::Asks,
};

/// Understands a command line.
pub(crate) fn request(
    matches: &mut ArgMatches,
    exec: &ExecInfo,
    host: &Host,
) -> Result<Box<dyn Request>> {
    let arguments = Arguments::read(matches, exec)?;
    let server = match &arguments.server_id {
        Some(id) => ServerId::given(id)?,
        None => return Err(needs::server_id()),
    };
    release::check(exec, host)?;
    Ok(Box::new(ask(arguments, server, host)?))
}

/// The same for somebody who only signs in: to AKS, if they name no server.
pub(crate) fn sign_in_request(matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Request>> {
    let arguments = Arguments::read(matches, &ExecInfo::default())?;
    let server = match &arguments.server_id {
        Some(id) => ServerId::given(id)?,
        None => ServerId::known(AKS),
    };
    Ok(Box::new(ask(arguments, server, host)?))
}

/// The question that flags which were read ask, for that server.
pub(crate) fn ask(arguments: Arguments, server: ServerId, host: &Host) -> Result<Ask> {
    let cloud = arguments.environment.as_ref().map(Cloud::parse).transpose()?;
    let environment = Environment::new(&arguments, host);
    let Plan { way, settings } = plan::plan(&arguments, environment, host)?;
    let way = if arguments.pop.is_some() { bound(way)? } else { way };
    let version = version(&arguments, way, host)?;
    let pop = arguments.pop.clone();
    let sources =
        Sources { arguments, settings, environment, server: &server, cloud, version, host };
    let source = sources.make(way)?;
    host.notes.note(&format!("identity: {}", source.describe()));
    Ok(Ask { source, server, pop })
}

/// The way, if its tokens can be bound to a key, as in kubelogin. It drops the wish in silence where
/// they cannot; here that is an error, since the token would be good for more than was wanted.
fn bound(way: Way) -> Result<Way> {
    match way {
        Way::Person(Asks::Browser) | Way::Password | Way::Secret | Way::Certificate => Ok(way),
        Way::Person(Asks::Best) => Ok(Way::Person(Asks::Browser)),
        _ => Err(Error::config(format!(
            "tokens of `--login {}` are not bound to a key",
            way.login().map_or("", |login| login.name())
        ))
        .because("`--pop-enabled` works with `interactive`, `ropc` and `spn`")
        .next("fleetkey get-token azure --help")),
    }
}

/// The endpoint that is asked. Where `--legacy` has no meaning it is not a mistake: kubelogin writes
/// it into kubeconfigs for `ropc`, and ignores it there.
fn version(arguments: &Arguments, way: Way, host: &Host) -> Result<Version> {
    if !arguments.is_legacy {
        return Ok(Version::V2);
    }
    if arguments.pop.is_some() {
        return Err(Error::config("`--legacy` and `--pop-enabled` exclude each other")
            .because("the v1 endpoint binds no token to a key")
            .next("fleetkey get-token azure --help"));
    }
    match way {
        Way::Person(Asks::Best | Asks::DeviceCode) | Way::Secret | Way::Certificate => {
            Ok(Version::V1)
        }
        _ => {
            host.notes.note("`--legacy` has no meaning for this way to sign in");
            Ok(Version::V2)
        }
    }
}
