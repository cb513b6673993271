//! Who asks Azure Resource Manager, and as whom the clusters are reached then.
//!
//! What is named with `--login` counts, for both. Without it, it is whoever is signed in to `az`, if
//! they are for the tenant that is meant; else a person, who is asked.

use fleetkey_provider::{Endpoint, Host, Overrides, Result};

use super::{az_session::AzSession, overrides};
use crate::{
    arguments::Arguments,
    ask::Ask,
    authority,
    az::Subscription,
    cloud::Cloud,
    environment::Environment,
    given::{Chosen, Origin},
    login::Login,
    own_host, request,
    server_id::ServerId,
    settings::Settings,
};

/// Who asks, and whom.
#[derive(Debug)]
pub(super) struct Who {
    /// The question for a token.
    pub(super) ask: Ask,
    /// Where Azure Resource Manager is.
    pub(super) manager: Endpoint,
    /// How the users of kubeconfigs sign in.
    pub(super) overrides: Overrides,
}

/// What is known before that is decided.
pub(super) struct Known<'a> {
    /// What the flags say.
    pub(super) arguments: Arguments,
    /// The way to sign in that somebody named.
    pub(super) login: Option<Login>,
    /// The tenant that somebody named.
    pub(super) tenant: Option<String>,
    /// Who is signed in to az.
    pub(super) az: Option<&'a AzSession>,
}

impl<'a> Known<'a> {
    /// What flags and environment say.
    pub(super) fn new(
        arguments: Arguments,
        az: Option<&'a AzSession>,
        host: &Host,
    ) -> Result<Self> {
        let environment = Environment::new(&arguments, host);
        let login = environment.login(arguments.login.as_ref())?;
        let tenant = Settings::new(&arguments, login, environment)?.tenant_id;
        Ok(Self { arguments, login, tenant: tenant.map(|tenant| tenant.value), az })
    }

    /// Decides; `subscription` is the one that is meant, if az knows it.
    pub(super) fn decide(
        self,
        subscription: Option<&Subscription>,
        manager: Option<&Chosen>,
        host: &Host,
    ) -> Result<Who> {
        let Self { mut arguments, login, tenant, az } = self;
        let login = login.or_else(|| {
            let is_signed_in = az.is_some_and(|az| az.has(tenant.as_deref()));
            is_signed_in.then_some(Login::AzureCli)
        });
        let cloud = match (&arguments.environment, login, az) {
            (Some(named), _, _) => Cloud::parse(named)?,
            (None, Some(Login::AzureCli), Some(az)) => az.cloud()?,
            (None, _, _) => Cloud::default(),
        };
        arguments.login = login.map(|login| flag("login", login.name()));
        // of the others, only who signs in knows the tenant
        if is_of_many_tenants(login)
            && tenant.is_none()
            && let Some(subscription) = subscription
        {
            let named = flag("tenant-id", &subscription.tenant);
            authority::check_tenant(&named)?;
            arguments.tenant_id = Some(named);
        }
        let of_az = subscription.filter(|_| login == Some(Login::AzureCli));
        arguments.subscription = of_az.map(|found| flag("subscription", &found.id));
        let manager = resource_manager(manager, cloud, host)?;
        let server = ServerId::known(cloud.resource_manager_id());
        let ask = request::ask(arguments.clone(), server, host)?;
        let overrides = overrides::of(&arguments, login, ask.source.tenant(), host);
        Ok(Who { ask, manager, overrides })
    }
}

/// Whether whoever signs in so may be of any tenant. An application is of one, which its own
/// settings name.
pub(super) fn is_of_many_tenants(login: Option<Login>) -> bool {
    matches!(
        login,
        None | Some(Login::AzureCli | Login::Interactive | Login::DeviceCode | Login::Ropc)
    )
}

fn resource_manager(named: Option<&Chosen>, cloud: Cloud, host: &Host) -> Result<Endpoint> {
    let own = own_host::is_resource_manager;
    match named {
        Some(Chosen { value, from }) => Endpoint::configured(value, &from.to_string(), own, host),
        None => Endpoint::known(cloud.resource_manager_host(), "the cloud", own, host),
    }
}

fn flag(name: &'static str, value: &str) -> Chosen {
    Chosen { value: value.to_owned(), from: Origin::Flag(name) }
}
