//! The flags of `get-token aws`, and what they mean once they are checked.
//!
//! The names are those of `aws eks get-token` and `aws-iam-authenticator token` where these have
//! one. What a flag does not say, the cluster's exec extension in the kubeconfig may: one stanza can
//! then serve many clusters.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use fleetkey_provider::{Error, ExecInfo, Result, Rule};

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
    /// The roles to assume, first to last.
    pub(crate) roles: Vec<Asked>,
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

    fn check(flags: Flags, exec: &ExecInfo) -> Result<Self> {
        let Flags {
            cluster_name,
            cluster_id,
            region,
            profile,
            role_arn,
            via_role,
            external_id,
            session_name,
            forward_session_name,
        } = flags;
        let profile = chosen(profile, "profile", exec)?;
        if let Some(profile) = &profile {
            PROFILE.check(&profile.from, &profile.value)?;
        }
        let external_id = chosen(external_id, "external-id", exec)?;
        if let Some(id) = &external_id {
            EXTERNAL_ID.check(&id.from, &id.value)?;
        }
        // a flag wins over the kubeconfig, and this one says that no name is meant
        let session_name = if forward_session_name && session_name.is_none() {
            None
        } else {
            chosen(session_name, "session-name", exec)?
        };
        if let Some(name) = &session_name {
            SESSION_NAME.check(&name.from, &name.value)?;
        }
        let role = chosen(role_arn, "role-arn", exec)?;
        let session = match (session_name, forward_session_name) {
            (Some(name), true) => {
                return Err(Error::config(format!(
                    "{} and `--forward-session-name` both say what the session is called",
                    name.from
                )));
            }
            (Some(name), false) => {
                needs_role(role.as_ref(), &name.from)?;
                SessionName::Fixed(name.value)
            }
            (None, true) => {
                needs_role(role.as_ref(), "`--forward-session-name`")?;
                SessionName::Forwarded
            }
            (None, false) => SessionName::Fixed(EKS_GET_TOKEN_AUTH.into()),
        };
        if let Some(id) = &external_id {
            needs_role(role.as_ref(), &id.from)?;
        }
        if !via_role.is_empty() {
            needs_role(role.as_ref(), "`--via-role`")?;
        }
        let mut roles = Vec::new();
        for arn in via_role {
            roles.push(Asked {
                arn: RoleArn::new("`--via-role`", &arn)?,
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
        Ok(Self { cluster: cluster(cluster_name, cluster_id, exec)?, region, profile, roles })
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
                "neither `--cluster-name` nor `--cluster-id` is given, and the kubeconfig's \
                 cluster names none either",
            )
            .next("aws eks list-clusters")),
    }
}

/// The flag's value, else the one of the same name in the cluster's extension.
fn chosen(flag: Option<String>, name: &str, exec: &ExecInfo) -> Result<Option<Chosen>> {
    if let Some(value) = flag {
        return Ok(Some(Chosen { value, from: format!("`--{name}`") }));
    }
    let Some(value) = exec.cluster.as_ref().and_then(|cluster| cluster.config.get(name)) else {
        return Ok(None);
    };
    let from = format!("`spec.cluster.config.{name}`");
    match value.as_str() {
        Some(value) => Ok(Some(Chosen { value: value.to_owned(), from })),
        None => Err(Error::config(format!("{from} is not text")).because("it has to be a string")),
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
mod tests {
    use fleetkey_provider::{ClusterInfo, Kind};
    use serde_json::{Value, json};

    use super::*;

    const R1: &str = "arn:aws:iam::123456789012:role/r1";
    const R2: &str = "arn:aws:iam::123456789012:role/r2";

    fn read(line: &str, config: &Value) -> Result<Arguments> {
        let command = augment(Command::new("aws").no_binary_name(true));
        let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
        let config = config.as_object().cloned().unwrap_or_default();
        let cluster = Some(ClusterInfo { config, ..ClusterInfo::default() });
        Arguments::read(&mut matches, &ExecInfo { cluster, ..ExecInfo::default() })
    }

    fn typed(line: &str) -> Arguments {
        read(line, &Value::Null).unwrap()
    }

    #[test]
    fn the_last_of_two_counts_in_either_spelling() {
        let arguments = typed(&format!(
            "--cluster-name a --cluster-name b --role-arn {R1} --role {R2} --region x --region y"
        ));
        assert_eq!(arguments.cluster.as_str(), "b");
        assert_eq!(arguments.region.as_deref(), Some("y"));
        assert_eq!(arguments.roles.len(), 1);
        assert_eq!(arguments.roles[0].arn.as_str(), R2);
    }

    #[test]
    fn roles_on_the_way_come_first_and_in_order() {
        let arguments = typed(&format!(
            "--cluster-name c --via-role {R2} --via-role {R1} --role-arn {R2} --external-id ext"
        ));
        let roles: Vec<_> = arguments.roles.iter().map(|role| role.arn.as_str()).collect();
        assert_eq!(roles, [R2, R1, R2]);
        assert_eq!(arguments.roles[1].external_id, None);
        assert_eq!(arguments.roles[2].external_id.as_deref(), Some("ext"));
        assert_eq!(arguments.roles[0].session_name, SessionName::Fixed("EKSGetTokenAuth".into()));
    }

    #[test]
    fn session_names_are_given_or_forwarded() {
        let role = format!("--cluster-name c --role-arn {R1}");
        let given = typed(&format!("{role} --session-name me")).roles;
        assert_eq!(given[0].session_name, SessionName::Fixed("me".into()));
        let forwarded = typed(&format!("{role} --forward-session-name")).roles;
        assert_eq!(forwarded[0].session_name, SessionName::Forwarded);
    }

    #[test]
    fn the_flag_that_forwards_wins_over_the_clusters_session_name() {
        let line = format!("--cluster-name c --role {R1} --forward-session-name");
        let arguments = read(&line, &json!({"session-name": "theirs"})).unwrap();
        assert_eq!(arguments.roles[0].session_name, SessionName::Forwarded);
    }

    #[test]
    fn the_cluster_fills_in_what_no_flag_says() {
        let config = json!({
            "cluster-name": "theirs", "profile": "p", "role-arn": R1, "external-id": "ext",
            "session-name": "me", "region": "eu-west-1", "tenant-id": "another cloud's",
        });
        let arguments = read("", &config).unwrap();
        assert_eq!(arguments.cluster.as_str(), "theirs");
        let profile = arguments.profile.unwrap();
        assert_eq!((&*profile.value, &*profile.from), ("p", "`spec.cluster.config.profile`"));
        assert_eq!(arguments.roles[0].external_id.as_deref(), Some("ext"));

        let arguments = read("--cluster-id ours --profile q", &config).unwrap();
        assert_eq!(arguments.cluster.as_str(), "ours");
        assert_eq!(arguments.profile.unwrap().from, "`--profile`");
    }

    #[test]
    fn errors_name_the_flag_or_the_key() {
        let long = "x".repeat(256);
        for (line, config, words) in [
            ("", Value::Null, "no cluster is named"),
            ("--cluster-name a --cluster-id b", Value::Null, "exclude each other"),
            ("", json!({"cluster-name": "a", "cluster-id": "b"}), "exclude each other"),
            ("", json!({"cluster-name": 7}), "`spec.cluster.config.cluster-name` is not text"),
            ("--cluster-name a --external-id ext", Value::Null, "`--external-id` needs a role"),
            ("--cluster-name a --session-name me", Value::Null, "`--session-name` needs a role"),
            (
                "--cluster-name a --forward-session-name",
                Value::Null,
                "`--forward-session-name` needs a role",
            ),
            (&format!("--cluster-name a --via-role {R1}"), Value::Null, "`--via-role` needs"),
            (
                &format!("--cluster-name a --role {R1} --forward-session-name --session-name me"),
                Value::Null,
                "both say what the session is called",
            ),
            ("--cluster-name a --role-arn x", Value::Null, "`--role-arn` is not a role's ARN"),
            (
                "--cluster-name a",
                json!({"role-arn": "x"}),
                "`spec.cluster.config.role-arn` is not a role's ARN",
            ),
            (
                &format!("--cluster-name a --role {R1} --session-name a:b"),
                Value::Null,
                "`--session-name` is not a session name",
            ),
            (
                &format!("--cluster-name a --role {R1} --external-id x"),
                Value::Null,
                "`--external-id` is not an external id",
            ),
            (&format!("--cluster-name a --profile {long}"), Value::Null, "longer than 255"),
            ("--cluster-name a", json!({"profile": "a\u{1b}"}), "may not stand in it"),
        ] {
            let error = read(line, &config).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{line}");
            assert!(error.to_string().contains(words), "{line}: {error}");
        }
    }
}
