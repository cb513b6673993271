//! The plan: from whose keys, through which roles, to the credential that signs.
//!
//! A pure function of the arguments, the environment and the profiles, so that what will happen can
//! be tested, hashed and told without a network. The order of the places asked is botocore's: keys
//! of the environment, the profile's role, a federated token, SSO, keys in the credentials file, a
//! program, keys in the config file, the container, the machine. An explicit `--profile` takes the
//! environment's keys and token out of it; `AWS_PROFILE` does not. What the machine says is read only
//! where the order comes to it.

mod environment;
mod login_session;
mod machine;
mod profile;
mod sso;

use std::path::{Path, PathBuf};

use fleetkey_provider::{Error, Host, Result, quoted, shown};

pub(crate) use environment::Environment;
pub(crate) use machine::{Absent, Instance};

use crate::{
    arguments::{Arguments, Asked, Chosen},
    keys::Keys,
    profiles::{Profiles, Section},
    region::Region,
    role_arn::RoleArn,
    source::{Container, SessionName},
};

/// What to do, base first.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Where the first keys come from.
    pub(crate) base: Base,
    /// The roles assumed with them, one after the other.
    pub(crate) roles: Vec<Role>,
}

/// Where the first keys come from.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    /// The environment.
    EnvKeys(Keys),
    /// A profile.
    StaticKeys {
        /// The keys.
        keys: Keys,
        /// The profile's name.
        profile: String,
    },
    /// A federated token, exchanged for a role.
    WebIdentity(WebIdentity),
    /// A person's SSO session.
    Sso(Sso),
    /// A person who signed in with a console's credentials.
    LoginSession(LoginSession),
    /// Another program.
    Process(Process),
    /// What the container is lent.
    Container(Container),
    /// What the machine is lent.
    Instance(Instance),
}

/// A program that a profile names.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// The profile this stands in.
    pub(crate) profile: String,
    /// Its command line, as it stands there.
    pub(crate) line: String,
}

/// A federated token, exchanged for a role.
#[derive(Clone, Debug)]
pub(crate) struct WebIdentity {
    /// The role.
    pub(crate) role: RoleArn,
    /// The file the token is in, as it was written: perhaps with a `~`.
    pub(crate) token_file: PathBuf,
    /// What to call the session.
    pub(crate) session_name: SessionName,
    /// The profile this stands in, if it does.
    pub(crate) profile: Option<String>,
}

/// A role lent to a person by IAM Identity Center.
#[derive(Clone, Debug)]
pub(crate) struct Sso {
    /// The profile this stands in; `None` if flags named session, account and role.
    pub(crate) profile: Option<String>,
    /// The session's name; `None` for settings of the older form, known by their start URL.
    pub(crate) session: Option<String>,
    /// Where people sign in.
    pub(crate) start_url: String,
    /// Where the portal is.
    pub(crate) region: Region,
    /// What a sign-in asks for, if the session says so.
    pub(crate) scopes: Option<Vec<String>>,
    /// The account.
    pub(crate) account: String,
    /// The role in it.
    pub(crate) role: String,
}

/// What `aws login` made: a session of somebody who signed in to the console.
#[derive(Clone, Debug)]
pub(crate) struct LoginSession {
    /// The profile this stands in.
    pub(crate) profile: String,
    /// The ARN of who signed in, which is the session's name.
    pub(crate) arn: String,
    /// The account in it.
    pub(crate) account: String,
    /// The region of the profile, in which `aws` signs in and renews.
    pub(crate) region: Option<String>,
}

/// An SSO session, whatever roles it lends.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Its name.
    pub(crate) name: String,
    /// Where people sign in.
    pub(crate) start_url: String,
    /// Where the portal is.
    pub(crate) region: Region,
    /// What a sign-in asks for, if it says so.
    pub(crate) scopes: Option<Vec<String>>,
}

impl Session {
    /// The settings of a role that it lends.
    pub(crate) fn lends(&self, account: &str, role: &str) -> Sso {
        let Self { name, start_url, region, scopes } = self.clone();
        let (account, role) = (account.to_owned(), role.to_owned());
        Sso { profile: None, session: Some(name), start_url, region, scopes, account, role }
    }
}

impl Sso {
    /// Where its region stands, as an error would say it.
    pub(crate) fn region_from(&self) -> String {
        match (&self.profile, &self.session) {
            (None, Some(session)) => format!("`sso_region` of `[sso-session {}]`", shown(session)),
            (profile, _) => {
                format!(
                    "`sso_region` of profile `{}`",
                    shown(profile.as_deref().unwrap_or_default())
                )
            }
        }
    }
}

/// A role assumed with the keys of the step before.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// Which.
    pub(crate) arn: RoleArn,
    /// The external id it wants.
    pub(crate) external_id: Option<String>,
    /// What to call the session.
    pub(crate) session_name: SessionName,
    /// For how many seconds, if not AWS's default.
    pub(crate) duration: Option<u32>,
    /// The MFA device without whose code nobody assumes it.
    pub(crate) mfa_serial: Option<String>,
    /// The profile it stands in; `None` if a flag named it.
    pub(crate) profile: Option<String>,
}

/// The profile that counts, whether it exists or not.
pub(crate) fn selected(arguments: &Arguments, environment: &Environment) -> Selected {
    let (chosen, beats_environment) = match (&arguments.profile, &environment.profile) {
        (Some(chosen), _) => (Some(chosen.clone()), true),
        (None, chosen) => (chosen.clone(), false),
    };
    Selected { chosen, beats_environment, has_no_say: arguments.sso.is_some() }
}

/// The profile that counts.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    chosen: Option<Chosen>,
    beats_environment: bool,
    /// Somebody named a role of an SSO session in its place.
    has_no_say: bool,
}

impl Selected {
    /// Its name, if it has a say.
    pub(crate) fn profile(&self) -> Option<&str> {
        (!self.has_no_say).then(|| self.name())
    }

    /// Its name, if somebody named it.
    pub(crate) fn named(&self) -> Option<&str> {
        self.chosen.as_ref().filter(|_| !self.has_no_say).map(|chosen| chosen.value.as_str())
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.chosen.as_ref().map_or("default", |chosen| &chosen.value)
    }

    /// Its section, which must be there if somebody named it.
    pub(crate) fn section<'a>(&self, profiles: &'a Profiles) -> Result<Option<Section<'a>>> {
        if self.has_no_say {
            return Ok(None);
        }
        let section = profiles.profile(self.name());
        match &self.chosen {
            Some(chosen) if section.is_none() => {
                let name = shown(&chosen.value);
                let error = Error::config(format!(
                    "{} names the profile `{name}`, which is not there",
                    chosen.from
                ))
                .because(format!("looked in {}", places(profiles)));
                Err(listing(error, profiles))
            }
            _ => Ok(section),
        }
    }
}

/// Makes the plan.
pub(crate) fn plan(
    arguments: &Arguments,
    environment: &Environment,
    selected: &Selected,
    profiles: &Profiles,
    host: &Host,
) -> Result<Plan> {
    let (name, notes) = (selected.name(), &*host.notes);
    let section = selected.section(profiles)?;
    let mut plan = match (&arguments.sso, &environment.keys) {
        (Some(asked), _) => {
            notes.note(&format!("a role of an SSO session, from {}", asked.session.from));
            Plan { base: Base::Sso(sso::named(asked, profiles)?), roles: Vec::new() }
        }
        (None, Some(keys)) if !selected.beats_environment => {
            notes.note(&match &selected.chosen {
                Some(chosen) => format!("keys of the environment win over {}", chosen.from),
                None => "keys of the environment are used".into(),
            });
            Plan { base: Base::EnvKeys(keys.clone()), roles: Vec::new() }
        }
        _ => {
            notes.note(&match &selected.chosen {
                Some(chosen) => format!("profile `{}`, from {}", shown(name), chosen.from),
                None => "profile `default`, since no other is named".into(),
            });
            let variables = (!selected.beats_environment).then_some(&environment.web_identity);
            match profile::plan(section, variables, profiles, host)? {
                Some(plan) => plan,
                None => Plan {
                    base: machine::last_resort(section.as_ref(), selected, profiles, host)?,
                    roles: Vec::new(),
                },
            }
        }
    };
    plan.roles.extend(arguments.roles.iter().cloned().map(Role::from));
    Ok(plan)
}

/// The plan of a profile by what it says itself, whatever the environment or the machine may have;
/// `None` if nothing in it leads to keys.
pub(crate) fn of_profile(name: &str, profiles: &Profiles, host: &Host) -> Result<Option<Plan>> {
    match profiles.profile(name) {
        Some(section) => profile::plan(Some(section), None, profiles, host),
        None => Ok(None),
    }
}

impl From<Asked> for Role {
    fn from(asked: Asked) -> Self {
        let Asked { arn, external_id, session_name } = asked;
        Self { arn, external_id, session_name, duration: None, mfa_serial: None, profile: None }
    }
}

/// The error with a line behind it that lists the profiles there are. Not `aws configure
/// list-profiles`, which version 1 of the AWS CLI does not have. Where a file could not be read, that
/// is what has to be looked at.
pub(crate) fn listing(error: Error, profiles: &Profiles) -> Error {
    if let Some(next) = profiles.next_about_unread() {
        return error.next(next);
    }
    let paths: Vec<_> = profiles.paths().map(|path| quoted(&path.to_string_lossy())).collect();
    if paths.is_empty() { error } else { error.next(format!(r"grep -n '^\[' {}", paths.join(" "))) }
}

/// An `[sso-session]` by its name.
pub(crate) fn sso_session(name: &Chosen, profiles: &Profiles) -> Result<Session> {
    sso::session(name, profiles)
}

/// The files that were looked in.
pub(crate) fn places(profiles: &Profiles) -> String {
    let named = |path: &Path| {
        let name = format!("`{}`", shown(&path.to_string_lossy()));
        match profiles.why_unread(path) {
            Some(why) => format!("{name} (which could not be read: {why})"),
            None => name,
        }
    };
    let paths: Vec<_> = profiles.paths().map(named).collect();
    if paths.is_empty() { "no file, since there is no home".into() } else { paths.join(" and ") }
}
