//! `kubeconfig add aws`: one cluster, by its name.
//!
//! The flags are those of `aws eks update-kubeconfig`, name for name, and what they mean is the same:
//! `--role-arn` is for the token alone, `--assume-role-arn` for the description alone.

use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use fleetkey_provider::{
    BoxFuture, Credential, Errand, Error, ExecInfo, Find, Host, Request, Result,
};

use super::{
    caller::{Caller, Settings},
    describe::Describe,
};
use crate::{
    arguments::{Arguments, Asked, AskedSso, EXTERNAL_ID, SESSION_NAME, SsoFlags, whose, written},
    keys::Keys,
    profiles::Profiles,
    region::Region,
    request::{Understood, understand},
    role_arn::RoleArn,
    source::SessionName,
    step::Step,
    token::ClusterId,
};

// As typed. Not a doc comment: clap would make it the help of the command it is grafted onto.
#[derive(Args, Debug)]
struct Flags {
    /// The EKS cluster's name
    #[arg(long, alias = "name", value_name = "NAME", required = true)]
    cluster_name: Option<String>,

    /// The AWS region it is in [default: from the environment or the profile]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// The AWS profile to ask with, and to sign in with
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    #[command(flatten)]
    sso: SsoFlags,

    /// The role to sign in with; the cluster is looked up without it
    #[arg(long, alias = "role", value_name = "ARN")]
    role_arn: Option<String>,

    /// The external id that `--role-arn` asks for
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,

    /// The session name under which `--role-arn` is assumed
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,

    /// The role to look the cluster up with, and for nothing else
    #[arg(long, value_name = "ARN")]
    assume_role_arn: Option<String>,
}

/// The flags, on that command. A flag given twice counts as it was given last.
pub(super) fn augment(command: Command) -> Command {
    Flags::augment_args(command.args_override_self(true))
}

/// Understands them.
pub(super) fn errand(matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Errand>> {
    let flags = Flags::from_arg_matches_mut(matches)
        .map_err(|_| Error::failed("the flags of `kubeconfig add aws` could not be read"))?;
    let Flags {
        cluster_name,
        region,
        profile,
        sso,
        role_arn,
        external_id,
        session_name,
        assume_role_arn,
    } = flags;
    let cluster = ClusterId::parse(&cluster_name.unwrap_or_default(), "`--cluster-name`")?;
    let none = ExecInfo::default();
    let (profile, sso) = whose(profile, sso, &none)?;
    let as_role = as_role(role_arn, external_id, session_name)?;
    let looks_with = assume_role_arn.map(|arn| -> Result<Asked> {
        Ok(Asked {
            arn: RoleArn::new("`--assume-role-arn`", &arn)?,
            external_id: None,
            session_name: SessionName::Fixed(EKS_DESCRIBE_CLUSTER_SESSION.into()),
        })
    });
    let roles: Vec<Asked> = looks_with.transpose()?.into_iter().collect();
    let profiles = Profiles::load(host)?;
    let of_sso = sso
        .as_ref()
        .map(|AskedSso { session, account, role }| AskedSso::flags(&session.value, account, role));
    let arguments = Arguments { cluster: cluster.clone(), region, profile, sso, roles };
    let Understood { step, region, profile, named } =
        understand(arguments, &none, &profiles, host)?;
    let mut flags = Vec::new();
    flags.extend(named.iter().flat_map(|name| written("profile", name)));
    flags.extend(as_role);
    flags.extend(of_sso.into_iter().flatten());
    let settings = Settings { profiles: Arc::new(profiles), profile };
    Ok(Box::new(Add { step, cluster, region, settings, flags }))
}

/// The flags with which the token's role is assumed, checked.
fn as_role(
    arn: Option<String>,
    external_id: Option<String>,
    session_name: Option<String>,
) -> Result<Vec<String>> {
    if let Some(arn) = &arn {
        RoleArn::new("`--role-arn`", arn)?;
    }
    for (value, rule, flag) in [
        (&external_id, EXTERNAL_ID, "`--external-id`"),
        (&session_name, SESSION_NAME, "`--session-name`"),
    ] {
        let Some(value) = value else { continue };
        rule.check(flag, value)?;
        if arn.is_none() {
            return Err(Error::config(format!("{flag} needs a role"))
                .because("it says how `--role-arn` is assumed, and there is none"));
        }
    }
    let flags = [("role-arn", arn), ("external-id", external_id), ("session-name", session_name)];
    Ok(flags
        .into_iter()
        .filter_map(|(flag, value)| Some(written(flag, &value?)))
        .flatten()
        .collect())
}

/// Looks one cluster up.
struct Add {
    step: Step,
    cluster: ClusterId,
    /// `None` if the machine's counts.
    region: Option<(Region, String)>,
    settings: Settings,
    flags: Vec<String>,
}

impl Errand for Add {
    fn describe(&self) -> String {
        let name = self.cluster.as_str();
        match &self.region {
            Some((region, _)) => format!("cluster `{name}` in {}", region.as_str()),
            None => format!("cluster `{name}`"),
        }
    }

    fn request(&self) -> Option<&dyn Request> {
        Some(&self.step)
    }

    fn run<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let keys = keys(credential)?;
            let (region, from) = match (&self.region, &keys.region) {
                (Some((region, from)), _) => (region.clone(), from.clone()),
                (None, Some(region)) => (Region::parse(region, OF_MACHINE)?, OF_MACHINE.into()),
                (None, None) => {
                    return Err(Error::failed(
                        "a credential came without the region of this machine",
                    ));
                }
            };
            let (asker, settings) = (self.step.asker(), self.settings.clone());
            let (cluster, flags) = (self.cluster.clone(), self.flags.clone());
            let caller = Arc::new(Caller { keys, asker, settings });
            Describe { caller, cluster, region, from, flags }.run(None, host).await
        })
    }
}

/// The keys that the host brought.
pub(super) fn keys(credential: Option<&Credential>) -> Result<Keys> {
    match credential {
        Some(credential) => Keys::from_secret(credential.expose()),
        None => Err(Error::failed("clusters were asked for without a credential")),
    }
}

const OF_MACHINE: &str = "the region of this machine";
/// What `aws eks update-kubeconfig` calls its sessions.
const EKS_DESCRIBE_CLUSTER_SESSION: &str = "EKSDescribeClusterSession";

#[cfg(test)]
mod tests;
