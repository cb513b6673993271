//! The flags of `get-token aws`, and what they mean once they are checked.
//!
//! The names are those of `aws eks get-token` and `aws-iam-authenticator token` where these have
//! one. What a flag does not say, the cluster's exec extension in the kubeconfig may: one stanza can
//! then serve many clusters.

mod extension;
mod sso;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use fleetkey_provider::{Error, ExecInfo, Result, Rule};

pub(crate) use sso::{ACCOUNT_ID, AskedSso, ROLE_NAME, SESSION_RULE, SsoFlags, whose};

use extension::{all_chosen, chosen, switched};

use crate::{role_arn::RoleArn, source::SessionName, token::ClusterId};

// As typed. Not a doc comment: clap would make it the help of the command it is grafted onto.
#[derive(Args, Debug, Default)]
struct Flags {
    /// The EKS cluster's name
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,

    /// The id of a local cluster on AWS Outposts, in place of a name
    #[arg(long, value_name = "ID")]
    cluster_id: Option<String>,

    /// The AWS region [default: from the cluster's host name, the environment or the profile]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// The AWS profile to start from; it wins over access keys in the environment
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    #[command(flatten)]
    sso: SsoFlags,

    /// The role to ask the token for
    #[arg(long, alias = "role", value_name = "ARN")]
    role_arn: Option<String>,

    /// A role to assume on the way to `--role-arn`; may be repeated, in order
    #[arg(long, value_name = "ARN")]
    via_role: Vec<String>,

    /// The external id that `--role-arn` asks for
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,

    /// The session name under which roles named by flags are assumed [default: `EKSGetTokenAuth`]
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,

    /// Take the session name over from the session that assumes the role
    #[arg(long)]
    forward_session_name: bool,
}

/// The flags, on that command. A flag given twice counts as it was given last.
pub(crate) fn augment(command: Command) -> Command {
    Flags::augment_args(command.args_override_self(true))
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    /// The cluster.
    pub(crate) cluster: ClusterId,
    /// What `--region` said; other places are asked elsewhere.
    pub(crate) region: Option<String>,
    /// The profile.
    pub(crate) profile: Option<Chosen>,
    /// A role of an SSO session, in place of a profile.
    pub(crate) sso: Option<AskedSso>,
    /// The roles to assume, first to last.
    pub(crate) roles: Vec<Asked>,
}

/// Whom somebody wants to sign in as.
pub(crate) enum SignInFor {
    /// To a session, whatever it lends.
    Session(Chosen),
    /// As an identity.
    Identity(Box<Arguments>),
}

/// A value and where it came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Chosen {
    /// The value.
    pub(crate) value: String,
    /// The flag, variable or key it came from, as an error would call it.
    pub(crate) from: String,
}

/// A role somebody asked for, outside of any profile.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Which.
    pub(crate) arn: RoleArn,
    /// The external id it wants.
    pub(crate) external_id: Option<String>,
    /// What to call the session.
    pub(crate) session_name: SessionName,
}

impl Arguments {
    /// Checks the flags, and what the kubeconfig adds to them.
    pub(crate) fn read(matches: &mut ArgMatches, exec: &ExecInfo) -> Result<Self> {
        let flags = Flags::from_arg_matches_mut(matches)
            .map_err(|_| Error::failed("the flags of `get-token aws` could not be read"))?;
        Self::check(flags, exec)
    }

    /// The same for somebody who only signs in: a session by itself, or an identity without a cluster.
    pub(crate) fn of_sign_in(matches: &mut ArgMatches) -> Result<SignInFor> {
        let flags = Flags::from_arg_matches_mut(matches)
            .map_err(|_| Error::failed("the flags of `login aws` could not be read"))?;
        if flags.profile.is_none()
            && flags.role_arn.is_none()
            && let Some(session) = flags.sso.only_session()?
        {
            return Ok(SignInFor::Session(session));
        }
        let is_named = flags.cluster_name.is_some() || flags.cluster_id.is_some();
        // a name that nobody gave; it goes again
        let cluster_name = if is_named { flags.cluster_name } else { Some("none".into()) };
        let exec = ExecInfo::default();
        let mut arguments = Self::check(Flags { cluster_name, ..flags }, &exec)?;
        if !is_named {
            arguments.cluster = ClusterId::none();
        }
        Ok(SignInFor::Identity(Box::new(arguments)))
    }

    /// The same for flags that others stand beside, which may name the cluster and the role.
    pub(crate) fn of_part(matches: &mut ArgMatches) -> Result<Self> {
        let mut flags = Flags::from_arg_matches_mut(matches)
            .map_err(|_| Error::failed("the flags of `get-token aws` could not be read"))?;
        if flags.cluster_id.is_none() {
            flags.cluster_name.get_or_insert_with(|| "none".into());
        }
        flags.role_arn.get_or_insert_with(|| "arn:aws:iam::123456789012:role/none".into());
        Self::check(flags, &ExecInfo::default())
    }

    fn check(flags: Flags, exec: &ExecInfo) -> Result<Self> {
        let Flags {
            cluster_name,
            cluster_id,
            region,
            profile,
            sso,
            role_arn,
            via_role,
            external_id,
            session_name,
            forward_session_name,
        } = flags;
        let (profile, sso) = whose(profile, sso, exec)?;
        let external_id = chosen(external_id, "external-id", exec)?;
        if let Some(id) = &external_id {
            EXTERNAL_ID.check(&id.from, &id.value)?;
        }
        // a flag wins over the kubeconfig, and each of these says that the other is not meant
        let forwarded = match &session_name {
            Some(_) => forward_session_name.then(|| "`--forward-session-name`".to_owned()),
            None => switched(forward_session_name, "forward-session-name", exec)?,
        };
        let session_name = if forward_session_name && session_name.is_none() {
            None
        } else {
            chosen(session_name, "session-name", exec)?
        };
        if let Some(name) = &session_name {
            SESSION_NAME.check(&name.from, &name.value)?;
        }
        let role = chosen(role_arn, "role-arn", exec)?;
        let session = match (session_name, forwarded) {
            (Some(name), Some(forwarded)) => {
                return Err(Error::config(format!(
                    "{} and {forwarded} both say what the session is called",
                    name.from
                )));
            }
            (Some(name), None) => {
                needs_role(role.as_ref(), &name.from)?;
                SessionName::Fixed(name.value)
            }
            (None, Some(forwarded)) => {
                needs_role(role.as_ref(), &forwarded)?;
                SessionName::Forwarded
            }
            (None, None) => SessionName::Fixed(EKS_GET_TOKEN_AUTH.into()),
        };
        if let Some(id) = &external_id {
            needs_role(role.as_ref(), &id.from)?;
        }
        let mut roles = Vec::new();
        for via in all_chosen(via_role, "via-role", exec)? {
            needs_role(role.as_ref(), &via.from)?;
            roles.push(Asked {
                arn: RoleArn::new(&via.from, &via.value)?,
                external_id: None,
                session_name: session.clone(),
            });
        }
        if let Some(role) = role {
            roles.push(Asked {
                arn: RoleArn::new(&role.from, &role.value)?,
                external_id: external_id.map(|id| id.value),
                session_name: session,
            });
        }
        let cluster = cluster(cluster_name, cluster_id, exec)?;
        Ok(Self { cluster, region, profile, sso, roles })
    }
}

/// A flag as it stands in a kubeconfig, in a form that no value can be taken for another flag in.
pub(crate) fn written(flag: &str, value: &str) -> Vec<String> {
    if value.starts_with('-') {
        vec![format!("--{flag}={value}")]
    } else {
        vec![format!("--{flag}"), value.to_owned()]
    }
}

fn needs_role(role: Option<&Chosen>, from: &str) -> Result<()> {
    match role {
        Some(_) => Ok(()),
        None => Err(Error::config(format!("{from} needs a role"))
            .because("it says how `--role-arn` is assumed, and there is none")),
    }
}

/// The cluster: both flags are asked before the kubeconfig is.
fn cluster(name: Option<String>, id: Option<String>, exec: &ExecInfo) -> Result<ClusterId> {
    let flag = |value, name: &str| Chosen { value, from: format!("`--{name}`") };
    let one = match (name, id) {
        (None, None) => (chosen(None, "cluster-name", exec)?, chosen(None, "cluster-id", exec)?),
        (name, id) => (name.map(|v| flag(v, "cluster-name")), id.map(|v| flag(v, "cluster-id"))),
    };
    match one {
        (Some(one), None) | (None, Some(one)) => ClusterId::parse(&one.value, &one.from),
        (Some(name), Some(id)) => {
            Err(Error::config(format!("{} and {} exclude each other", name.from, id.from))
                .because("a cluster has a name, or, on Outposts, an id"))
        }
        (None, None) => Err(Error::config("no cluster is named")
            .because(
                "neither `--cluster-name` nor `--cluster-id` is given, and there is no \
                 `cluster-name` in the extension `client.authentication.k8s.io/exec` of the \
                 kubeconfig's cluster, or its user has no `provideClusterInfo: true`",
            )
            .next("aws eks list-clusters")),
    }
}

/// What `aws eks get-token` calls its sessions.
pub(crate) const EKS_GET_TOKEN_AUTH: &str = "EKSGetTokenAuth";

fn is_iam_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// A profile's name; the files themselves allow nearly everything.
pub(crate) const PROFILE: Rule = Rule {
    what: "a profile's name",
    min: 1,
    max: 255,
    allows: |_| true,
    allowed: "printable characters",
};

/// What STS takes as `ExternalId`.
pub(crate) const EXTERNAL_ID: Rule = Rule {
    what: "an external id",
    min: 2,
    max: 1224,
    allows: |c| is_iam_name(c) || c == ':' || c == '/',
    allowed: "letters, digits and `_+=,.@:/-`",
};

/// What STS takes as `RoleSessionName`.
pub(crate) const SESSION_NAME: Rule = Rule {
    what: "a session name",
    min: 2,
    max: 64,
    allows: is_iam_name,
    allowed: "letters, digits and `_+=,.@-`",
};

#[cfg(test)]
mod tests;
