//! Who is signed in to `az` on this machine, and for which subscriptions.
//!
//! What az knows decides whether a person has to be asked at all, so files of az that cannot be read
//! are a note here: whoever names `--login azurecli` is told by that way to sign in.

use fleetkey_provider::{Error, Host, Result, shown};

use super::{refusal::ADD_HELP, subscription::is_id};
use crate::{
    arguments::Arguments,
    authority::{self, is_for_many},
    az::{self, ActiveCloud, Folder, Profile, Subscription},
    cloud::Cloud,
    plan::config_dir,
};

/// The sessions of az's active cloud.
pub(super) struct AzSession {
    cloud: String,
    profile: Profile,
}

impl AzSession {
    /// Those that are there, if the flags do not name another cloud or authority than az's.
    pub(super) fn find(arguments: &Arguments, host: &Host) -> Option<Self> {
        Self::read(arguments, host).unwrap_or_else(|error| {
            host.notes.note(&format!("az's sessions are not used: {error}"));
            None
        })
    }

    fn read(arguments: &Arguments, host: &Host) -> Result<Option<Self>> {
        let Some(folder) = Folder::find(config_dir(host)?.as_deref(), host)? else {
            return Ok(None);
        };
        let active = ActiveCloud::find(&folder, &folder.config(host)?, host)?;
        if !is_meant(&active, arguments, host)? {
            host.notes.note("az's sessions are of another cloud than the one that is named");
            return Ok(None);
        }
        let profile = folder.profile(host)?;
        let is_signed_in = profile.has(&active.name);
        Ok(is_signed_in.then_some(Self { cloud: active.name, profile }))
    }

    /// Its cloud, if it is one whose Azure Resource Manager is known.
    pub(super) fn cloud(&self) -> Result<Cloud> {
        Cloud::named(&self.cloud).ok_or_else(|| {
            Error::config(format!("az's active cloud is `{}`", shown(&self.cloud)))
                .because("where its Azure Resource Manager is, is not known here")
                .next(format!("az cloud set --name {}", Cloud::default().az_name()))
        })
    }

    /// Whether somebody signed in for that tenant, or for any.
    pub(super) fn has(&self, tenant: Option<&str>) -> bool {
        self.enabled(tenant).next().is_some()
    }

    /// The tenants that somebody signed in for.
    pub(super) fn tenants(&self) -> Vec<String> {
        let mut tenants: Vec<String> = Vec::new();
        for subscription in self.enabled(None).filter(|s| is_id(&s.tenant)) {
            if !tenants.iter().any(|known| known.eq_ignore_ascii_case(&subscription.tenant)) {
                tenants.push(subscription.tenant.clone());
            }
        }
        tenants
    }

    /// The subscription of that id or name, or else the one that is az's default; `None` if az knows
    /// none.
    pub(super) fn subscription(
        &self,
        wanted: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Option<&Subscription>> {
        // where somebody signed in who sees none, az lists the tenant in place of one
        let mut real = self.enabled(tenant).filter(|s| is_id(&s.id) && s.id != s.tenant);
        let Some(wanted) = wanted else { return Ok(real.find(|s| s.is_default)) };
        let is_it = |text: &str| text.to_lowercase() == wanted.to_lowercase();
        let found: Vec<_> = real.filter(|s| is_it(&s.id) || is_it(&s.name)).collect();
        let Some(first) = found.first().copied() else { return Ok(None) };
        if found.iter().all(|s| s.id == first.id) {
            return Ok(Some(first));
        }
        let ids: Vec<_> = found.iter().map(|s| format!("`{}`", s.id)).collect();
        Err(Error::config(format!("az knows several subscriptions `{}`", shown(wanted)))
            .because(format!("`--subscription` names the one that is meant: {}", ids.join(", ")))
            .next(ADD_HELP))
    }

    fn enabled(&self, tenant: Option<&str>) -> impl Iterator<Item = &Subscription> {
        let tenant = tenant.filter(|tenant| !is_for_many(tenant)).map(str::to_owned);
        self.profile
            .of(&self.cloud)
            .filter(|s| s.is_enabled)
            .filter(move |s| tenant.as_ref().is_none_or(|tenant| s.is_of(tenant)))
    }
}

/// Whether the flags mean az's active cloud, or do not say.
fn is_meant(active: &ActiveCloud, arguments: &Arguments, host: &Host) -> Result<bool> {
    let named = match (&arguments.authority_host, &arguments.environment) {
        (Some(named), _) => {
            authority::endpoint(named, host)?.url().host_str().unwrap_or_default().to_owned()
        }
        (None, Some(named)) => Cloud::parse(named)?.authority_host().to_owned(),
        (None, None) => return Ok(true),
    };
    let at = active.authority.as_ref().and_then(|endpoint| endpoint.url().host_str());
    Ok(at.is_some_and(|at| az::is_same_environment(at, &named)))
}
