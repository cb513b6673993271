//! Profiles: what a person wrote into `~/.aws/config` and `~/.aws/credentials`.
//!
//! AWS's own parser reads them, so that a file means here what it means to every other tool. This
//! module only asks: which profile, which SSO session, which endpoint. A key without a value is
//! taken for one that is not there, as the AWS CLI treats it nearly everywhere.

mod load;
mod location;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::{property::PropertiesKey, section::SsoSession};
use fleetkey_provider::{Error, Host, SecretString};

pub(crate) use location::{Location, System};

/// Both files, merged: what the credentials file says of a profile wins.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    set: Option<Arc<ProfileSet>>,
    location: Location,
    /// Files that are there and could not be read, and why.
    unread: Vec<(PathBuf, Error)>,
    /// Those that were read.
    read: Vec<PathBuf>,
    /// The credentials file by itself, as it was read.
    credentials: Option<SecretString>,
}

impl Profiles {
    /// The profile of that name.
    pub(crate) fn profile(&self, name: &str) -> Option<Section<'_>> {
        let profile = self.set.as_ref()?.get_profile(name)?;
        Some(Section { name: profile.name(), properties: Properties::Profile(profile) })
    }

    /// The section `[sso-session name]`.
    pub(crate) fn sso_session(&self, name: &str) -> Option<Section<'_>> {
        let set = self.set.as_ref()?;
        let name = set.sso_sessions().find(|session| *session == name)?;
        Some(Section { name, properties: Properties::SsoSession(set.sso_session(name)?) })
    }

    /// The names of all SSO sessions, in no order.
    pub(crate) fn sso_sessions(&self) -> impl Iterator<Item = &str> {
        self.set.iter().flat_map(|set| set.sso_sessions())
    }

    /// The `endpoint_url` nested under that service in the section `[services name]`.
    pub(crate) fn service_endpoint(&self, services: &str, service: &str) -> Option<&str> {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(services)
            .property_name(service)
            .sub_property_name("endpoint_url")
            .build()
            .ok()?;
        self.set
            .as_ref()?
            .other_sections()
            .get(&key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The names of all profiles, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.set.iter().flat_map(|set| set.profiles())
    }

    /// The files that were looked for, whether they are there or not.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.location.config.iter().chain(&self.location.credentials).map(PathBuf::as_path)
    }

    /// The files that were there and read.
    pub(crate) fn read(&self) -> impl Iterator<Item = &Path> {
        self.read.iter().map(PathBuf::as_path)
    }

    /// Why that file could not be read, if it is there and could not.
    pub(crate) fn why_unread(&self, path: &Path) -> Option<&str> {
        let (_, error) = self.unread.iter().find(|(unread, _)| unread == path)?;
        Some(error.cause().unwrap_or(error.message()))
    }

    /// What to type about a file that is there and could not be read, if there is one.
    pub(crate) fn next_about_unread(&self) -> Option<&str> {
        self.unread.iter().find_map(|(_, error)| error.next_line())
    }
}

/// One profile or one SSO session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'a> {
    name: &'a str,
    properties: Properties<'a>,
}

#[derive(Clone, Copy)]
enum Properties<'a> {
    Profile(&'a Profile),
    SsoSession(&'a SsoSession),
}

impl<'a> Section<'a> {
    /// Its name.
    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    /// The value of a key, in whatever case it is written; a key without a value is not there.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        match self.properties {
            Properties::Profile(profile) => profile.get(key),
            Properties::SsoSession(session) => session.get(key),
        }
        .filter(|value| !value.is_empty())
    }
}

/// The values of a profile may be secrets.
impl std::fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The home folder, by the rules of AWS's tools.
pub(crate) fn home(host: &Host) -> Option<PathBuf> {
    location::home(&|name| host.env.var(name), System::here()).map(PathBuf::from)
}

/// A path as it stands in a profile or a variable, with a leading `~` replaced; `None` if there is
/// no home to replace it with.
pub(crate) fn expand(path: impl Into<std::ffi::OsString>, host: &Host) -> Option<PathBuf> {
    location::expand(path.into(), &|name| host.env.var(name), System::here())
}
