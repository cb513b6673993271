//! `az account get-access-token`, for whomever only az can ask.

use std::{path::PathBuf, time::Duration};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, Fingerprint, Host, Result, quoted, shown,
};

use super::{AzSettings, Granted, Source, Wanted};
use crate::{
    az::{Folder, Subscription, User},
    source::program::{LIMIT, Question},
    variables::{AZURE_CLOUD_NAME, AZURE_CONFIG_DIR},
};

/// An account of az's that is asked through az.
#[derive(Debug)]
pub(super) struct Spawned {
    folder: Option<PathBuf>,
    selector: Option<(&'static str, String)>,
    account: Option<Account>,
    /// Changes with whoever is signed in, where nobody could be found out.
    profile: Option<i128>,
    /// Changes with the cloud that az takes for the active one.
    cloud: String,
    agent: Option<Fingerprint>,
    limit: Duration,
    why: String,
}

/// What the profile says of them.
#[derive(Debug)]
struct Account {
    name: String,
    subscription: String,
    cloud: String,
    tenant: String,
}

impl Spawned {
    /// Whoever az takes for the one that is meant. `why` says why it has to be asked.
    pub(super) fn unknown(
        settings: &AzSettings,
        folder: Option<&Folder>,
        why: impl Into<String>,
        host: &Host,
    ) -> Self {
        let AzSettings {
            tenant,
            subscription,
            limit,
            native: _,
            config_dir: _,
            authority: _,
            cloud: _,
        } = settings;
        let tenant = tenant.clone().map(|tenant| ("--tenant", tenant));
        // az takes only one of them
        let selector = tenant.or_else(|| Some(("--subscription", subscription.clone()?)));
        Self {
            folder: folder.map(|folder| folder.path().into()),
            selector,
            account: None,
            profile: folder.and_then(|folder| folder.profile_stamp(host)),
            cloud: format!(
                "{:?} {:?}",
                host.env.var(AZURE_CLOUD_NAME),
                folder.map(|folder| folder.cloud_stamps(host))
            ),
            agent: agent(host),
            limit: limit.unwrap_or(LIMIT),
            why: why.into(),
        }
    }

    /// The account of that subscription, in that tenant.
    pub(super) fn account(
        settings: &AzSettings,
        folder: &Folder,
        cloud: &str,
        (chosen, tenant): (&Subscription, &str),
        why: impl Into<String>,
        host: &Host,
    ) -> Self {
        let is_own = chosen.tenant.eq_ignore_ascii_case(tenant);
        let has_tenants = matches!(chosen.user, User::Person(_) | User::Application(_));
        let selector = match (&settings.tenant, &settings.subscription) {
            // with `--tenant` az asks as the account of the default subscription
            (Some(_), _) if has_tenants && (chosen.is_default || !is_own) => {
                Some(("--tenant", tenant.to_owned()))
            }
            (None, None) => None,
            _ => Some(("--subscription", chosen.id.clone())),
        };
        let account = Account {
            name: chosen.user.name().into(),
            subscription: chosen.id.clone(),
            cloud: cloud.into(),
            tenant: tenant.into(),
        };
        let unknown = Self::unknown(settings, Some(folder), why, host);
        Self { selector, account: Some(account), profile: None, ..unknown }
    }
}

/// The session of an agent that acts for a person: az marks each token with it, so that policies can
/// tell the two apart, and no other token will do.
pub(super) fn agent(host: &Host) -> Option<Fingerprint> {
    let id = host.env.var(AGENT_SESSION).filter(|id| !id.is_empty())?;
    Some(Fingerprint::of(id.to_string_lossy().as_bytes()))
}

/// Names that session.
const AGENT_SESSION: &str = "COPILOT_AGENT_SESSION_ID";

impl Source for Spawned {
    fn describe(&self) -> String {
        match &self.account {
            Some(Account { name, tenant, .. }) => {
                format!("`{}` of tenant {} (asked through `az`)", shown(name), shown(tenant))
            }
            None => "the account of `az`".into(),
        }
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { folder, selector, account, profile, cloud, agent, limit: _, why: _ } = self;
        let folder = folder.as_ref().map(|path| path.to_string_lossy());
        key.field("source", "az program");
        key.maybe("folder", folder.as_deref());
        key.maybe("selector", selector.as_ref().map(|(flag, _)| *flag));
        key.maybe("selected", selector.as_ref().map(|(_, value)| value.as_str()));
        key.maybe("profile", profile.map(|stamp| stamp.to_string()).as_deref());
        key.field("active cloud", cloud);
        key.maybe("agent", agent.map(|agent| agent.to_string()).as_deref());
        if let Some(Account { name, subscription, cloud, tenant }) = account {
            key.field("account", &name.to_lowercase());
            key.field("subscription", subscription);
            key.field("cloud", cloud);
            key.field("tenant", &tenant.to_lowercase());
        }
    }

    fn tenant(&self) -> Option<&str> {
        match (&self.account, &self.selector) {
            (Some(account), _) => Some(&account.tenant),
            (None, Some(("--tenant", tenant))) => Some(tenant),
            (None, _) => None,
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.limit)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        self.ask(&self.why, wanted, host)
    }
}

impl Spawned {
    /// Asks az, for that reason.
    pub(super) fn ask<'a>(
        &'a self,
        why: &'a str,
        wanted: &'a Wanted,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let mut args = [
                "account",
                "get-access-token",
                "-o",
                "json",
                "--resource",
                wanted.server.resource(),
            ]
            .map(str::to_owned)
            .to_vec();
            if let Some((flag, value)) = &self.selector {
                if value.starts_with('-') {
                    return Err(Error::config(format!(
                        "az would take `{}` for a flag",
                        shown(value)
                    ))
                    .because("no tenant and no subscription begins with `-`"));
                }
                args.extend([(*flag).to_owned(), value.clone()]);
            }
            let tenant = self.tenant().map(|tenant| format!(" --tenant {}", quoted(tenant)));
            let question = Question {
                name: "az",
                args,
                // the folder whose files were read, whatever the environment says
                env: self
                    .folder
                    .iter()
                    .map(|path| (AZURE_CONFIG_DIR.into(), path.into()))
                    .collect(),
                limit: self.limit,
                field: "accessToken",
                sign_in: format!(
                    "az login{} --scope {}",
                    tenant.unwrap_or_default(),
                    quoted(&wanted.server.scope())
                ),
                why: why.to_owned(),
            };
            question.ask(host).await.map(|access_token| Granted { access_token })
        })
    }
}
