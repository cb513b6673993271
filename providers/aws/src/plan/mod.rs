//! The plan: from whose keys, through which roles, to the credential that signs.
//!
//! A pure function of the arguments, the environment and the profiles, so that what will happen can
//! be tested, hashed and told without a network. The order of the places asked is botocore's: keys
//! of the environment, the profile's role, a federated token, SSO, keys in the files. An explicit
//! `--profile` takes the environment out of it; `AWS_PROFILE` does not.

mod environment;
mod profile;
mod sso;

use std::path::{Path, PathBuf};

use fleetkey_provider::{Error, Notes, Result, quoted, shown};

pub(crate) use environment::Environment;

use crate::{
    arguments::{Arguments, Asked, Chosen},
    keys::Keys,
    profiles::{Profiles, Section},
    region::Region,
    role_arn::RoleArn,
    shell::profile_flag,
    source::SessionName,
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
    /// The profile this stands in.
    pub(crate) profile: String,
    /// The session's name; `None` for settings of the older form, known by their start URL.
    pub(crate) session: Option<String>,
    /// Where people sign in.
    pub(crate) start_url: String,
    /// Where the portal is.
    pub(crate) region: Region,
    /// The account.
    pub(crate) account: String,
    /// The role in it.
    pub(crate) role: String,
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
    /// The profile it stands in; `None` if a flag named it.
    pub(crate) profile: Option<String>,
}

/// The profile that counts, whether it exists or not.
pub(crate) fn selected(arguments: &Arguments, environment: &Environment) -> Selected {
    match (&arguments.profile, &environment.profile) {
        (Some(chosen), _) => Selected { chosen: Some(chosen.clone()), beats_environment: true },
        (None, chosen) => Selected { chosen: chosen.clone(), beats_environment: false },
    }
}

/// The profile that counts.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    chosen: Option<Chosen>,
    beats_environment: bool,
}

impl Selected {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.chosen.as_ref().map_or("default", |chosen| &chosen.value)
    }

    /// Its section, which must be there if somebody named it.
    pub(crate) fn section<'a>(&self, profiles: &'a Profiles) -> Result<Option<Section<'a>>> {
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
    notes: &dyn Notes,
) -> Result<Plan> {
    let name = selected.name();
    let section = selected.section(profiles)?;
    let mut plan = match &environment.keys {
        Some(keys) if !selected.beats_environment => {
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
            profile::plan(section, variables, profiles, notes)?
                .ok_or_else(|| nothing(environment, selected, profiles))?
        }
    };
    plan.roles.extend(arguments.roles.iter().cloned().map(Role::from));
    Ok(plan)
}

impl From<Asked> for Role {
    fn from(asked: Asked) -> Self {
        let Asked { arn, external_id, session_name } = asked;
        Self { arn, external_id, session_name, duration: None, profile: None }
    }
}

/// The error of a machine without credentials: what was looked for, and where.
fn nothing(environment: &Environment, selected: &Selected, profiles: &Profiles) -> Error {
    let name = selected.name();
    if let Some(variable) = environment.container.filter(|_| !selected.beats_environment) {
        return Error::config("no credentials for AWS that fleetkey can use were found")
            .because(format!(
                "the container's, which `{variable}` points to, are not asked for yet; version 2 \
                 of the AWS CLI prints them"
            ))
            .next("aws configure export-credentials --format env");
    }
    let variables = if selected.beats_environment {
        ""
    } else {
        "the variables `AWS_ACCESS_KEY_ID` and `AWS_WEB_IDENTITY_TOKEN_FILE`, and "
    };
    Error::config("no credentials for AWS were found")
        .because(format!(
            "looked at {variables}profile `{}` in {}, which did not contain any",
            shown(name),
            places(profiles)
        ))
        .next(match profiles.next_about_unread() {
            Some(next) => next.to_owned(),
            None => format!("aws configure list{}", profile_flag(Some(name))),
        })
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
