//! What is left when no profile has credentials: what the container or the machine is lent.
//!
//! They come last, as in botocore, and for a profile named by hand too: on a machine that has a role,
//! a profile may be no more than a region.

use fleetkey_provider::{Error, Host, Result, shown};

use super::{Base, Selected, environment, places};
use crate::{
    metadata::Metadata,
    profiles::{Profiles, Section},
    shell::profile_flag,
    source::Container,
    variables::{AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI},
};

/// The role of an EC2 instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    /// The service that lends it.
    pub(crate) metadata: Metadata,
    /// What to say where there is none.
    pub(crate) absent: Absent,
}

/// What to say where a machine has no role after all.
#[derive(Clone, Debug)]
pub(crate) enum Absent {
    /// It was the last place to look.
    Last(Searched),
    /// A profile wants it.
    Wanted {
        /// The profile.
        profile: String,
    },
}

/// The places that were looked at, and had nothing.
#[derive(Clone, Debug)]
pub(crate) struct Searched {
    places: String,
    next: String,
}

impl Absent {
    /// The error; `why` is a phrase about the metadata service.
    pub(crate) fn error(&self, why: &str) -> Error {
        match self {
            Self::Last(searched) => searched.error(why),
            Self::Wanted { profile } => {
                no_source(profile, "Ec2InstanceMetadata").because(format!("{WHOM}: {why}"))
            }
        }
    }
}

impl Searched {
    /// All of them but the metadata service, each in a phrase.
    pub(super) fn before(selected: &Selected, profiles: &Profiles) -> Self {
        let name = selected.name();
        let variables = if selected.beats_environment {
            ""
        } else {
            "the variables `AWS_ACCESS_KEY_ID` and `AWS_WEB_IDENTITY_TOKEN_FILE` (not set), "
        };
        Self {
            places: format!(
                "looked at {variables}profile `{}` in {} (no keys, and nothing that leads to any), \
                 the container's `{AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}` and \
                 `{AWS_CONTAINER_CREDENTIALS_FULL_URI}` (not set)",
                shown(name),
                places(profiles)
            ),
            next: match profiles.next_about_unread() {
                Some(next) => next.to_owned(),
                None => format!("aws configure list{}", profile_flag(Some(name))),
            },
        }
    }

    fn error(&self, why: &str) -> Error {
        let Self { places, next } = self;
        Error::config("no credentials for AWS were found")
            .because(format!("{places}, and {WHOM} ({why})"))
            .next(next)
    }
}

/// The last resorts, in their order.
pub(super) fn last_resort(
    section: Option<&Section<'_>>,
    selected: &Selected,
    profiles: &Profiles,
    host: &Host,
) -> Result<Base> {
    if let Some(container) = Container::here(host)? {
        return Ok(Base::Container(container));
    }
    let searched = Searched::before(selected, profiles);
    let Some(metadata) = Metadata::here(section, host)? else {
        return Err(searched.error(DISABLED));
    };
    match metadata.why_not(host) {
        Some(why) => Err(searched.error(&why)),
        None => Ok(Base::Instance(Instance { metadata, absent: Absent::Last(searched) })),
    }
}

/// What a profile names as its `credential_source`, in the spelling that AWS's tools insist on.
pub(super) fn named(section: &Section<'_>, source: &str, host: &Host) -> Result<Base> {
    let profile = section.name();
    match source {
        "Environment" => {
            match environment::keys(host)? {
                Some(keys) => Ok(Base::EnvKeys(keys)),
                None => Err(no_source(profile, source)
                    .because("the variable `AWS_ACCESS_KEY_ID` is not set")),
            }
        }
        "EcsContainer" => match Container::here(host)? {
            Some(container) => Ok(Base::Container(container)),
            None => Err(no_source(profile, source).because(format!(
                "neither `{AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}` nor \
                 `{AWS_CONTAINER_CREDENTIALS_FULL_URI}` is set"
            ))),
        },
        "Ec2InstanceMetadata" => {
            let absent = Absent::Wanted { profile: profile.to_owned() };
            match Metadata::here(Some(section), host)? {
                Some(metadata) => Ok(Base::Instance(Instance { metadata, absent })),
                None => Err(absent.error(DISABLED)),
            }
        }
        other => Err(Error::config(format!(
            "`credential_source` of profile `{}` is unknown: `{}`",
            shown(profile),
            shown(other)
        ))
        .because("it is `Environment`, `EcsContainer` or `Ec2InstanceMetadata`, spelled like that")
        .next(format!("aws configure get credential_source{}", profile_flag(Some(profile))))),
    }
}

/// The source that a profile names has nothing.
fn no_source(profile: &str, source: &str) -> Error {
    Error::config(format!(
        "profile `{}` has `credential_source = {source}`, and there is nothing",
        shown(profile)
    ))
    .next(format!("aws configure list{}", profile_flag(Some(profile))))
}

const WHOM: &str = "EC2's metadata service";
const DISABLED: &str = "not asked: `AWS_EC2_METADATA_DISABLED` is `true`";

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use crate::testing::{KEYS, ROLE, VENDOR, World};

    const TASK: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/task");
    const OFF: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

    fn world(source: &str) -> World {
        let text =
            format!("[p]\nrole_arn = {ROLE}\ncredential_source = {source}\n[only]\nregion = x-1\n");
        World::new().file("/home/.aws/credentials", &text)
    }

    /// The description of what assumes the role.
    fn source(world: &World) -> String {
        world.ask("--profile p").unwrap().source().unwrap().describe()
    }

    #[test]
    fn a_role_is_assumed_with_what_its_profile_names() {
        let environment = world("Environment").env(&KEYS);
        assert_eq!(source(&environment), "access keys of the environment");
        assert_eq!(source(&world("EcsContainer").env(&[TASK])), "the container's credentials");
        // by name it is asked whatever the firmware says
        assert_eq!(source(&world("Ec2InstanceMetadata")), "the role of this EC2 instance");
    }

    #[test]
    fn a_named_source_that_has_nothing_is_told() {
        for (source, words) in [
            ("Environment", "`AWS_ACCESS_KEY_ID` is not set"),
            ("EcsContainer", "neither `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`"),
            ("Ec2InstanceMetadata", "`AWS_EC2_METADATA_DISABLED` is `true`"),
            ("environment", "`credential_source` of profile `p` is unknown"),
        ] {
            // a token of the environment is no substitute
            let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", ROLE), OFF];
            let error = world(source).env(&web).ask("--profile p").unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.to_string().contains(words), "{error}");
            let next = match source {
                "environment" => "aws configure get credential_source --profile p",
                _ => "aws configure list --profile p",
            };
            assert_eq!(error.next_line(), Some(next));
        }
    }

    #[test]
    fn the_container_and_then_the_machine_are_the_last_to_be_asked() {
        let ec2 = world("").file(VENDOR, "Amazon EC2\n");
        let both = ec2.clone().env(&[TASK]);
        // even for a profile that somebody named, if it holds nothing
        for line in ["", "--profile only"] {
            assert_eq!(both.ask(line).unwrap().describe(), "the container's credentials");
            assert_eq!(ec2.ask(line).unwrap().describe(), "the role of this EC2 instance");
        }
        let request = both.ask("--profile keys").unwrap();
        assert_eq!(request.describe(), "access keys of profile `keys`");
    }

    #[test]
    fn where_there_is_nothing_every_place_is_told_and_nobody_is_asked() {
        let error = World::new().ask("").unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert_eq!(
            error.to_string(),
            "no credentials for AWS were found: looked at the variables `AWS_ACCESS_KEY_ID` and \
             `AWS_WEB_IDENTITY_TOKEN_FILE` (not set), profile `default` in `/home/.aws/config` and \
             `/home/.aws/credentials` (no keys, and nothing that leads to any), the container's \
             `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` and `AWS_CONTAINER_CREDENTIALS_FULL_URI` \
             (not set), and EC2's metadata service (not asked: this machine is of `LENOVO`)"
        );
        let error = World::new().env(&[OFF]).ask("").unwrap_err();
        assert!(error.to_string().contains("`AWS_EC2_METADATA_DISABLED` is `true`"), "{error}");
    }
}
