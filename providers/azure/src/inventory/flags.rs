//! The flags of `kubeconfig add azure` and of `kubeconfig discover`, checked.
//!
//! Who signs in is said as in `get-token azure`. Of `discover` the flags stand beside those of other
//! clouds, so there are few, and their ids are Azure's own.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use fleetkey_provider::{Error, ExecInfo, Result};

use super::{
    cluster::{self, Access},
    refusal::ADD_HELP,
};
use crate::{
    arguments::{self, Arguments, rules},
    authority,
    given::{Chosen, Origin},
};

/// The flags of `add`, on that command: its own first, then those of `get-token azure`.
pub(super) fn augment_add(command: Command) -> Command {
    let command = arguments::augment(AddArgs::augment_args(command));
    let hidden = MEANINGLESS.iter().map(|(id, _)| *id).chain(SECRET);
    let command = hidden.fold(command, |command, id| command.mut_arg(id, |arg| arg.hide(true)));
    command.mut_arg("subscription", |arg| {
        arg.help(
            "The subscription the cluster is in, by id or name [default: az's, or the only one \
             there is]",
        )
    })
}

/// The flags of `discover`, on that command.
pub(super) fn augment_discover(command: Command) -> Command {
    DiscoverArgs::augment_args(command)
}

/// What `add` is asked for.
pub(super) struct AddFlags {
    pub(super) group: String,
    pub(super) name: String,
    /// The subscription, by id or name.
    pub(super) subscription: Option<String>,
    pub(super) access: Access,
    pub(super) manager: Option<Chosen>,
    /// Who signs in.
    pub(super) arguments: Arguments,
}

/// What `discover` is asked for.
pub(super) struct DiscoverFlags {
    pub(super) tenants: Vec<Chosen>,
    /// Subscriptions, by id or name.
    pub(super) subscriptions: Vec<String>,
    pub(super) manager: Option<Chosen>,
    /// Who signs in.
    pub(super) arguments: Arguments,
    /// Whether any of them was typed.
    pub(super) is_typed: bool,
}

impl AddFlags {
    pub(super) fn read(matches: &mut ArgMatches) -> Result<Self> {
        let AddArgs { resource_group, name, admin, public_fqdn, resource_manager } =
            AddArgs::from_arg_matches_mut(matches)
                .map_err(|_| Error::failed("the flags of `add azure` could not be read"))?;
        for (id, name) in MEANINGLESS {
            if matches.contains_id(id) {
                return Err(Error::config(format!("`--{name}` has no meaning here"))
                    .because("the cluster itself says for what its tokens are")
                    .next(ADD_HELP));
            }
        }
        let mut arguments = Arguments::read(matches, &ExecInfo::default())?;
        cluster::check_group("`--resource-group`", &resource_group)?;
        cluster::NAME.check("`--name`", &name)?;
        Ok(Self {
            group: resource_group,
            name,
            subscription: arguments.subscription.take().map(|named| named.value),
            access: Access { is_admin: admin, is_public: public_fqdn },
            manager: typed("resource-manager", resource_manager),
            arguments,
        })
    }
}

impl DiscoverFlags {
    pub(super) fn read(matches: &mut ArgMatches) -> Result<Self> {
        let DiscoverArgs {
            tenant_id,
            subscription,
            login,
            environment,
            authority_host,
            resource_manager,
        } = DiscoverArgs::from_arg_matches_mut(matches)
            .map_err(|_| Error::failed("the flags of `discover` could not be read"))?;
        let tenants: Vec<Chosen> =
            tenant_id.into_iter().filter_map(|tenant| typed("tenant-id", Some(tenant))).collect();
        tenants.iter().try_for_each(authority::check_tenant)?;
        subscription.iter().try_for_each(|name| rules::NAME.check("`--subscription`", name))?;
        let manager = typed("resource-manager", resource_manager);
        let arguments = Arguments {
            login: typed("login", login),
            environment: typed("environment", environment),
            authority_host: typed("authority-host", authority_host),
            ..Arguments::default()
        };
        let single =
            [&arguments.login, &arguments.environment, &arguments.authority_host, &manager];
        let is_typed = !tenants.is_empty()
            || !subscription.is_empty()
            || single.iter().any(|flag| flag.is_some());
        Ok(Self { tenants, subscriptions: subscription, manager, arguments, is_typed })
    }
}

/// What a flag says; empty is nothing.
fn typed(name: &'static str, value: Option<String>) -> Option<Chosen> {
    let value = value.filter(|value| !value.is_empty());
    value.map(|value| Chosen { value, from: Origin::Flag(name) })
}

/// What of `get-token` has no meaning here: ids and long names.
const MEANINGLESS: [(&str, &str); 4] = [
    ("server_id", "server-id"),
    ("pop_enabled", "pop-enabled"),
    ("pop_claims", "pop-claims"),
    ("legacy", "legacy"),
];

/// What is better not typed: a kubeconfig has no place for it.
const SECRET: [&str; 3] = ["client_secret", "client_certificate_password", "password"];

const HEADING: &str = "Azure";

// Not doc comments: clap would make them the help of the command they are grafted onto.
#[derive(Args)]
#[group(skip)]
struct AddArgs {
    /// The cluster's resource group
    #[arg(short = 'g', long, value_name = "NAME", required = true)]
    resource_group: String,

    /// The cluster's name
    #[arg(short, long, value_name = "NAME", required = true)]
    name: String,

    /// As the cluster's local administrator, by a certificate, in place of a token
    #[arg(short, long)]
    admin: bool,

    /// By the public address of a private cluster
    #[arg(long)]
    public_fqdn: bool,

    /// The Azure Resource Manager to ask, in place of the cloud's
    #[arg(long, value_name = "URL")]
    resource_manager: Option<String>,
}

#[derive(Args)]
#[group(skip)]
struct DiscoverArgs {
    /// A tenant to look in, as a GUID or a domain; again for more [default: those of `az`]
    #[arg(id = "azure_tenant_id", long = "tenant-id", value_name = "TENANT", help_heading = HEADING)]
    tenant_id: Vec<String>,

    /// A subscription to look in, by id or name; again for more [default: all]
    #[arg(id = "azure_subscription", long = "subscription", value_name = "NAME", help_heading = HEADING)]
    subscription: Vec<String>,

    /// How to sign in, as in `get-token azure` [default: as `az` is, else a person]
    #[arg(id = "azure_login", long = "login", value_name = "WAY", help_heading = HEADING)]
    login: Option<String>,

    /// Azure's cloud: `AzurePublicCloud`, `AzureUSGovernment` or `AzureChinaCloud` [default: that of
    /// `az`, else `AzurePublicCloud`]
    #[arg(id = "azure_environment", long = "environment", value_name = "CLOUD", help_heading = HEADING)]
    environment: Option<String>,

    /// The host to sign in at, in place of the cloud's
    #[arg(id = "azure_authority_host", long = "authority-host", value_name = "URL", help_heading = HEADING)]
    authority_host: Option<String>,

    /// The Azure Resource Manager to ask, in place of the cloud's
    #[arg(id = "azure_resource_manager", long = "resource-manager", value_name = "URL", help_heading = HEADING)]
    resource_manager: Option<String>,
}
