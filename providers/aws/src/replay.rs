//! What the tests that replay other programs' data need to see of this crate. Nothing else may.
//!
//! No feature switches this on: those tests belong to this crate, which would have to depend on
//! itself to ask for one. It is a few calls of what is there anyway, and the linker drops it from
//! every program that calls none.

#![allow(missing_docs, reason = "hidden: the tests say what they ask")]

use std::{ffi::OsString, path::PathBuf};

use fleetkey_provider::{Host, Result, Token};
use jiff::Timestamp;

use crate::{
    endpoints::{Endpoints, Service},
    keys::Keys,
    profiles::{Location, Profiles, System},
    region::Region,
    sts_host::{self, Mode},
    token::{ClusterId, presign},
};

pub fn profile_names(host: &Host) -> Result<Vec<String>> {
    Ok(Profiles::load(host)?.names().map(str::to_owned).collect())
}

pub fn profile_value(host: &Host, profile: &str, key: &str) -> Result<Option<String>> {
    Ok(Profiles::load(host)?.profile(profile).and_then(|section| section.get(key)).map(Into::into))
}

/// `None` if there is no such session, else the value of the key in it, if there is one.
pub fn sso_session_value(host: &Host, name: &str, key: &str) -> Result<Option<Option<String>>> {
    Ok(Profiles::load(host)?.sso_session(name).map(|section| section.get(key).map(Into::into)))
}

pub fn location(var: &dyn Fn(&str) -> Option<OsString>, windows: bool) -> [Option<PathBuf>; 2] {
    let system = if windows { System::Windows } else { System::Linux };
    let Location { config, credentials } = Location::find(var, system, false);
    [config, credentials]
}

/// The host's name and the region to sign for.
pub fn sts_host(region: Option<&str>, fips: bool, dualstack: bool) -> Result<[String; 2]> {
    let host = sts_host::sts_host(&parsed(region)?, Mode { fips, dualstack })?;
    Ok([host.name, host.signing_region])
}

/// The origin of calls and the region to sign for, of this host's environment.
pub fn sts_target(region: Option<&str>, host: &Host) -> Result<[String; 2]> {
    let profiles = Profiles::default();
    let target =
        Endpoints::new(&profiles, None, host)?.of(Service::Sts, &parsed(region)?, "a recording")?;
    Ok([target.endpoint.origin(), target.signing_region])
}

/// A token of this host's environment. `keys` are id, secret and session token.
pub fn token(
    region: &str,
    keys: (&str, &str, Option<&str>),
    cluster: &str,
    now: Timestamp,
    host: &Host,
) -> Result<Token> {
    let (id, secret, session_token) = keys;
    let keys = Keys::new("a recording", id, secret, session_token.map(str::to_owned))?;
    let sts = sts_host::sts_host(&parsed(Some(region))?, Mode::resolve(None, host)?)?;
    presign(&keys, &sts, &ClusterId::parse(cluster, "a recording")?, now)
}

fn parsed(region: Option<&str>) -> Result<Region> {
    Region::parse(region.unwrap_or("aws-global"), "a recording")
}
