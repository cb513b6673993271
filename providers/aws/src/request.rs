//! A question, understood: arguments, environment and files become the steps of a plan.
//!
//! Everything that can be wrong without a network is said here, before anything is sent.

use clap::ArgMatches;
use fleetkey_provider::{Error, ExecInfo, Host, Request, Result, quoted, shown};

use crate::{
    arguments::Arguments,
    endpoints::{Endpoints, Service, Target, ca_bundle},
    metadata::Metadata,
    partition::Partition,
    plan::{self, Base, Environment, Plan, Role, Selected},
    profiles::{self, Profiles, Section},
    region::{self, Region},
    shell::{files_prefix, profile_flag},
    signs_for::SignsFor,
    source::{
        AssumeRole, Ends, EnvKeys, Instance, LoginSession, Process, Source, Sso, StaticKeys,
        WebIdentity,
    },
    step::{Shared, Step},
    sts::Sts,
    sts_host::sts_host,
    token::ClusterId,
};

/// Understands a command line.
pub(crate) fn request(
    matches: &mut ArgMatches,
    exec: &ExecInfo,
    host: &Host,
) -> Result<Box<dyn Request>> {
    let arguments = Arguments::read(matches, exec)?;
    let profiles = Profiles::load(host)?;
    Ok(Box::new(understand(arguments, exec, &profiles, host)?.step))
}

/// A question, understood.
pub(crate) struct Understood {
    /// The last step.
    pub(crate) step: Step,
    /// The region and what it came from; `None` if the machine's counts, which the keys then bring
    /// along.
    pub(crate) region: Option<(Region, String)>,
    /// The profile whose settings count.
    pub(crate) profile: Option<String>,
    /// The same, if a flag or a variable named it.
    pub(crate) named: Option<String>,
}

/// Understands a question.
pub(crate) fn understand(
    arguments: Arguments,
    exec: &ExecInfo,
    profiles: &Profiles,
    host: &Host,
) -> Result<Understood> {
    // who named a profile wants nothing of the environment, whatever stands in it
    let environment = match (&arguments.profile, &arguments.sso) {
        (None, None) => Environment::read(host)?,
        _ => Environment::default(),
    };
    let selected = plan::selected(&arguments, &environment);
    let plan = plan::plan(&arguments, &environment, &selected, profiles, host)?;
    let section = selected.section(profiles)?;

    let region = region::resolve(arguments.region.as_deref(), exec, section.as_ref(), host)?;
    let machine = match &region {
        Some(_) => None,
        // who only signs in makes no token
        None if arguments.cluster.is_none() => None,
        None => Some(machine(&plan, section.as_ref(), &selected, profiles, host)?),
    };
    let sign_in_line =
        sign_in_line(&arguments.cluster, region.as_ref().map(|(region, _)| region), host);
    let line_of_profile = format!("{sign_in_line}{}", profile_flag(selected.profile()));
    let known = region.clone();
    let (region, from) = match region {
        Some((region, from)) => {
            host.notes.note(&format!("region `{}`, from {from}", region.as_str()));
            for role in &plan.roles {
                same_partition(role, &region, &from)?;
            }
            (region, from)
        }
        None => match &plan.base {
            Base::Sso(sso) if machine.is_none() => (sso.region.clone(), sso.region_from()),
            // until the machine tells its own
            _ => (Region::parse("us-east-1", "a constant")?, "a constant".into()),
        },
    };

    let endpoints = Endpoints::new(profiles, section, host)?;
    // asked only where a call will be made: keys at hand need neither endpoints nor authorities
    let authorities = || ca_bundle(section.as_ref(), host);
    let sts = || -> Result<Sts> {
        let Target { endpoint, signing_region, is_default } =
            endpoints.of(Service::Sts, &region, &from)?;
        Ok(Sts { endpoint, is_default, signing_region, ca_bundle: authorities()? })
    };
    let Plan { base, roles } = plan;
    let base = match base {
        Base::EnvKeys(keys) => Source::EnvKeys(EnvKeys { keys }),
        Base::StaticKeys { keys, profile } => Source::StaticKeys(StaticKeys { keys, profile }),
        Base::WebIdentity(plan) => Source::WebIdentity(WebIdentity::open(plan, sts()?, host)?),
        Base::Sso(settings) => {
            let home = profiles::home(host).ok_or_else(no_home)?;
            let ends = Ends::find(&endpoints, &settings.region, &settings.region_from())?;
            let line = sign_in_line + &whose(&settings);
            Source::Sso(Box::new(Sso::new(settings, line, &home, ends, authorities()?, host)))
        }
        Base::LoginSession(plan) => {
            let line = sign_in_line + &profile_flag(Some(&plan.profile));
            let (at, ca) = ((&region, &*from), authorities()?);
            let login = LoginSession::open(plan, line, at, &endpoints, ca, host)?;
            Source::LoginSession(Box::new(login))
        }
        Base::Process(plan) => Source::Process(Process::open(plan, profiles, host)?),
        Base::Container(container) => Source::Container(container),
        Base::Instance(plan) => Source::Instance(Instance::open(plan, host)?),
    };
    let signs_for = match machine {
        Some(metadata) => SignsFor::Machine(metadata, endpoints.mode()),
        None => SignsFor::Host(sts_host(&region, endpoints.mode())?),
    };
    let mut step = Step::first(base, Shared { cluster: arguments.cluster, signs_for });
    for role in roles {
        if let Some(serial) = role.mfa_serial.clone() {
            step = step.with_mfa(serial, sts()?, line_of_profile.clone());
        }
        step = step.then(Source::AssumeRole(AssumeRole { role, sts: sts()? }));
    }
    host.notes.note(&format!("identity: {}", step.describe()));
    let profile = section.map(|section| section.name().to_owned());
    let named = selected.named().map(str::to_owned);
    Ok(Understood { step, region: known, profile, named })
}

/// A role of another partition than the region's would be refused with words about tokens.
fn same_partition(role: &Role, region: &Region, from: &str) -> Result<()> {
    let (Some(theirs), Some(ours)) =
        (Partition::of_arn(role.arn.as_str()), Partition::known_by(region.as_str()))
    else {
        return Ok(());
    };
    if theirs == ours {
        return Ok(());
    }
    Err(Error::config(format!(
        "{} is in partition `{}`, and region `{}` in `{}`",
        role.arn,
        theirs.id,
        region.as_str(),
        ours.id
    ))
    .because(format!("the region is from {from}, and no role is assumed across partitions")))
}

/// The machine whose region counts where nothing names one: one of EC2 beyond doubt, or one that will
/// be asked for its role anyway.
fn machine(
    plan: &Plan,
    profile: Option<&Section<'_>>,
    selected: &Selected,
    profiles: &Profiles,
    host: &Host,
) -> Result<Metadata> {
    if let Base::Instance(instance) = &plan.base {
        return Ok(instance.metadata.clone());
    }
    let no_region = |why: &str| no_region(selected, profiles, why);
    let metadata = Metadata::here(profile, host)?
        .ok_or_else(|| no_region("not asked: `AWS_EC2_METADATA_DISABLED` is `true`"))?;
    if metadata.is_certain(host) {
        host.notes.note("region: that of this machine, from its metadata service");
        return Ok(metadata);
    }
    let why = metadata.why_not(host);
    Err(no_region(why.as_deref().unwrap_or("not asked: nothing says that this is EC2")))
}

fn no_region(selected: &Selected, profiles: &Profiles, why_not: &str) -> Error {
    let of_profile = selected.profile().map(|name| {
        format!("`region` of profile `{}` in {}, ", shown(name), plan::places(profiles))
    });
    let error = Error::config("no AWS region is named").because(format!(
        "looked at `--region`, the kubeconfig's cluster, `AWS_REGION`, `AWS_DEFAULT_REGION`, {}and \
         EC2's metadata service ({why_not})",
        of_profile.unwrap_or_default(),
    ));
    match selected.profile() {
        Some(name) => error.next(format!("aws configure get region{}", profile_flag(Some(name)))),
        None => error,
    }
}

/// The line with which a person signs in by hand, up to whose keys are meant: with all that the
/// kubeconfig or the environment may have said.
fn sign_in_line(cluster: &ClusterId, region: Option<&Region>, host: &Host) -> String {
    let region = region.map(|region| format!(" --region {}", quoted(region.as_str())));
    let name =
        (!cluster.is_none()).then(|| format!(" --cluster-name {}", quoted(cluster.as_str())));
    let (prefix, name) = (files_prefix(host), name.unwrap_or_default());
    format!("{prefix}fleetkey login aws{name}{}", region.unwrap_or_default())
}

/// The flags that name a role of SSO: those of its profile, where it has one.
fn whose(sso: &plan::Sso) -> String {
    match (&sso.profile, &sso.session) {
        (None, Some(session)) => format!(
            " --sso-session {} --sso-account-id {} --sso-role-name {}",
            quoted(session),
            quoted(&sso.account),
            quoted(&sso.role)
        ),
        (profile, _) => profile_flag(profile.as_deref()),
    }
}

/// There is nowhere for a session to lie.
pub(crate) fn no_home() -> Error {
    Error::config("there is no home folder, and SSO tokens lie in `~/.aws/sso/cache`")
        .because("the variable `HOME` is not set")
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use crate::testing::{KEYS, ROLE, World};

    #[test]
    fn keys_of_the_environment_need_neither_files_nor_network() {
        let bare = World::default()
            .env(&KEYS)
            .env(&[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "http://untrusted.example")]);
        let request = bare.ask("").unwrap();
        assert_eq!(request.describe(), "access keys of the environment");
        assert!(request.source().is_none() && request.session().is_none());
        let credential = request.at_hand(&bare.host()).unwrap().unwrap();
        let token = request.token(&credential, &bare.host()).unwrap();
        assert_eq!(token.expires.to_string(), "2026-01-02T03:18:05Z");
        // but a call would go there, and may not
        let error = bare.ask(&format!("--role-arn {ROLE}")).unwrap_err();
        assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{error}");
    }

    #[test]
    fn an_explicit_profile_beats_the_environment_and_a_variable_does_not() {
        let world = World::new().env(&KEYS).env(&[("AWS_PROFILE", "keys")]);
        assert_eq!(world.ask("").unwrap().describe(), "access keys of the environment");
        let notes = world.notes.lines().join("\n");
        assert!(notes.contains("keys of the environment win over `AWS_PROFILE`"), "{notes}");
        let request = world.ask("--profile keys").unwrap();
        assert_eq!(request.describe(), "access keys of profile `keys`");
    }

    #[test]
    fn what_the_environment_says_of_keys_and_profiles_does_not_matter_to_a_named_profile() {
        let long = "x".repeat(70_000);
        for pairs in [
            &[("AWS_ACCESS_KEY_ID", "half a pair")][..],
            &[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "bad\nvalue")],
            &[KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", &long)],
            &[("AWS_PROFILE", "bad\nname")],
            &[("AWS_DEFAULT_PROFILE", &long)],
        ] {
            let world = World::new().env(pairs);
            assert!(world.ask("").is_err(), "without one it is a mistake");
            let request = world.ask("--profile keys").unwrap();
            assert_eq!(request.describe(), "access keys of profile `keys`");
        }
    }

    #[test]
    fn a_region_whose_host_could_be_a_bucket_is_refused_and_a_new_one_is_not_called() {
        let world = World::new().env(&KEYS);
        for region in ["s3", "s3-us-west-2"] {
            let error = world.ask(&format!("--region {region}")).unwrap_err();
            assert!(error.message().starts_with("`--region` is not a region"), "{error}");
        }
        assert!(world.ask("--region mars-1").is_ok(), "a token alone sends nothing there");
        let error = world.ask(&format!("--region mars-1 --role {ROLE}")).unwrap_err();
        assert_eq!(error.next_line(), Some("fleetkey trust add sts.mars-1.amazonaws.com"));
    }

    const SSO: &str = "--sso-session corp --sso-account-id 123456789012 --sso-role-name Admin";

    #[test]
    fn a_role_of_a_session_is_what_a_profile_of_it_would_be() {
        // the environment has no say, as with a profile that is named
        let world = World::new().signed_in().env(&KEYS).env(&[("AWS_PROFILE", "bad\nname")]);
        let named = world.ask(SSO).unwrap();
        assert_eq!(named.describe(), "role Admin in 123456789012 (SSO of session `corp`)");
        let profile = world.ask("--profile dev").unwrap();
        assert_eq!(named.fingerprint(), profile.fingerprint());
        assert_eq!(named.session(), profile.session());
        world.sso_lends();
        let credential = world.lend(named.as_ref()).unwrap();
        assert!(named.token(&credential, &world.host()).is_ok());

        let role = world.ask(&format!("{SSO} --role {ROLE}")).unwrap();
        assert_eq!(role.describe(), "role eks-prod in 123456789012 (via SSO session `corp`)");
        let same = world.ask(&format!("--profile dev --role {ROLE}")).unwrap();
        assert_eq!(role.fingerprint(), same.fingerprint());
        let other = world.ask(&SSO.replace("Admin", "Reader")).unwrap();
        assert_ne!(other.fingerprint(), named.fingerprint());
    }

    #[test]
    fn what_is_wrong_with_a_session_is_said_without_a_profile() {
        let world = World::new();
        let error = world.lend(world.ask(SSO).unwrap().as_ref()).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded);
        assert_eq!(
            error.next_line(),
            Some(&*format!("fleetkey login aws --cluster-name c --region eu-west-1 {SSO}"))
        );
        let denied = world.signed_in();
        denied.http.answer(403, &[], r#"{"message":"No access"}"#);
        let error = denied.lend(denied.ask(SSO).unwrap().as_ref()).unwrap_err();
        let words = "SSO did not let SSO session `corp` lend role Admin in 123456789012";
        assert_eq!(error.message(), words);
        let error = denied.ask(&SSO.replace("corp", "other")).unwrap_err();
        assert!(error.message().contains("names `[sso-session other]`"), "{error}");
        let error = denied.env(&[("AWS_REGION", "")]).ask(SSO).unwrap_err();
        assert!(!error.to_string().contains("profile"), "{error}");
    }

    #[test]
    fn roles_of_flags_follow_those_of_the_profile() {
        let other = "arn:aws:iam::210987654321:role/way";
        let world = World::new();
        let request = world
            .ask(&format!("--profile prod --via-role {other} --role {ROLE} --external-id ext"))
            .unwrap();
        assert_eq!(request.describe(), "role eks-prod in 123456789012 (via profile prod)");
        for _ in 0..3 {
            world.sts_lends("AssumeRole");
        }
        world.lend(request.as_ref()).unwrap();
        let rest = "Version=2011-06-15 RoleArn";
        assert_eq!(
            world.forms(),
            [
                format!("Action=AssumeRole {rest}={ROLE} RoleSessionName=fleetkey-1767323045"),
                format!("Action=AssumeRole {rest}={other} RoleSessionName=EKSGetTokenAuth"),
                format!(
                    "Action=AssumeRole {rest}={ROLE} RoleSessionName=EKSGetTokenAuth ExternalId=ext"
                ),
            ]
        );
    }

    #[test]
    fn what_is_missing_is_said_with_where_it_was_looked_for() {
        let world = World::new();
        for (line, world, words, next) in [
            (
                "--profile nobody",
                &world,
                "`--profile` names",
                r"grep -n '^\[' /home/.aws/config /home/.aws/credentials",
            ),
            ("", &world, "no credentials for AWS", "aws configure list --profile default"),
            (
                "--profile keys",
                &World::default().env(&[("HOME", "/home")]).file(
                    "/home/.aws/config",
                    "[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n",
                ),
                "`region` of profile `keys`",
                "aws configure get region --profile keys",
            ),
        ] {
            let error = world.ask(line).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.to_string().contains("/home/.aws/config"), "{error}");
            assert_eq!(error.next_line(), Some(next), "{error}");
        }
    }

    #[test]
    fn a_role_of_another_partition_is_told_before_aws_tells_it_worse() {
        let error = World::new()
            .ask("--profile keys --role arn:aws-cn:iam::123456789012:role/r")
            .unwrap_err();
        assert!(error.to_string().contains("is in partition `aws-cn`"), "{error}");
    }
}
