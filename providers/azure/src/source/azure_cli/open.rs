//! From az's files to whoever is meant.

use fleetkey_provider::{Endpoint, Error, Host, Kind, Result, shown};

use super::{AzSettings, Who, application, kept, person, person::Person, spawn};
use crate::{
    authority::{Authority, is_for_many},
    az::{
        self, ActiveCloud, Cache, Choice, Folder, Found, Ini, ServicePrincipal, Subscription, User,
    },
    cloud::Cloud,
    entra::{Client, Version},
    own_host,
    source::{Identity, ManagedIdentity, azure_cli::spawn::Spawned},
};

/// Cloud Shell sets it, and az looks for it there.
const ACC_CLOUD: &str = "ACC_CLOUD";

/// Whoever is meant.
pub(super) fn who(settings: &AzSettings, host: &Host) -> Result<Who> {
    let folder = Folder::find(settings.config_dir.as_deref(), host)?;
    if let (Some(wanted), Some(folder)) = (settings.cloud, &folder) {
        check_cloud(wanted, &ActiveCloud::find(folder, &folder.config(host)?, host)?)?;
    }
    let folder = match folder {
        Some(folder) if settings.native => folder,
        folder => {
            let why = if settings.native { "there is no home folder" } else { "that was wanted" };
            return Ok(spawned(Spawned::unknown(settings, folder.as_ref(), why, host)));
        }
    };
    let config = folder.config(host)?;
    let cloud = ActiveCloud::find(&folder, &config, host)?;
    let profile = folder.profile(host)?;
    let named = settings.tenant.as_deref().filter(|tenant| !is_for_many(tenant));
    let choice = Choice { tenant: named, subscription: settings.subscription.as_deref() };
    let chosen = profile.choose(&cloud.name, choice).inspect_err(|error| {
        if error.kind() == Kind::SignInNeeded {
            forget(&folder, &config, host);
        }
    })?;
    // a domain is the tenant's other name
    let tenant = named.filter(|tenant| !chosen.is_of(tenant)).unwrap_or(&chosen.tenant).to_owned();
    let finder = Finder { settings, folder: &folder, config: &config, host };
    finder.who(&cloud, chosen, &tenant)
}

/// az signs in to its active cloud alone, whatever kubelogin's `--environment` says (it ignores the
/// flag): a token of another cloud than the one that was named is none.
fn check_cloud(wanted: Cloud, active: &ActiveCloud) -> Result<()> {
    let at = active.authority.as_ref().and_then(|endpoint| endpoint.url().host_str());
    let is_it = match at {
        Some(name) => az::is_same_environment(name, wanted.authority_host()),
        None => active.name.eq_ignore_ascii_case(wanted.az_name()),
    };
    if is_it {
        return Ok(());
    }
    let (name, active) = (wanted.az_name(), shown(&active.name));
    Err(Error::config(format!("az's active cloud is `{active}`, and another one was named"))
        .because(format!("`--environment` names `{name}`, and az signs in to the active one alone"))
        .next(format!("az cloud set --name {name}")))
}

/// Forgets whom az forgot.
fn forget(folder: &Folder, config: &Ini, host: &Host) {
    if folder.tokens_are_sealed(config, host).is_some() {
        return;
    }
    let homes = match folder.token_cache(host) {
        Ok(Found::Whole(cache)) => homes(&cache),
        Ok(Found::Absent) => Vec::new(),
        Ok(Found::Broken) | Err(_) => return,
    };
    kept::forget_others(folder.path(), &homes, host);
}

fn homes(cache: &Cache) -> Vec<String> {
    cache.accounts.iter().map(|account| account.home.clone()).collect()
}

struct Finder<'a> {
    settings: &'a AzSettings,
    folder: &'a Folder,
    config: &'a Ini,
    host: &'a Host,
}

impl Finder<'_> {
    fn who(&self, cloud: &ActiveCloud, chosen: &Subscription, tenant: &str) -> Result<Who> {
        let Self { settings, folder, host, .. } = self;
        let through_az = |why: &str| {
            let account = (chosen, tenant);
            Spawned::account(settings, folder, &cloud.name, account, why, host)
        };
        let authority = settings.authority.clone().or_else(|| cloud.authority.clone());
        let Some(authority) = authority else {
            let why = format!("az alone knows where people of `{}` sign in", shown(&cloud.name));
            return Ok(spawned(through_az(&why)));
        };
        let client = |id: &str| Client {
            authority: Authority {
                endpoint: authority.clone(),
                tenant: tenant.into(),
                is_known: authority.is_loopback()
                    || authority.url().host_str().is_some_and(own_host::is_entra),
            },
            id: id.into(),
            version: Version::V2,
        };
        let is_in_cloud_shell = host.path_var(ACC_CLOUD).is_some();
        match &chosen.user {
            User::CloudShell(_) if is_in_cloud_shell => {
                Ok(spawned(through_az("this is Cloud Shell")))
            }
            User::Person(name) | User::CloudShell(name) => {
                if spawn::agent(host).is_some() {
                    let why = "az marks tokens of an agent's session (`COPILOT_AGENT_SESSION_ID`)";
                    return Ok(spawned(through_az(why)));
                }
                self.person(name, client(az::CLIENT), &authority, through_az)
            }
            User::Application(id) => self.application(id, client(id), through_az),
            User::Machine(info) => self.machine(info, chosen, tenant, through_az),
        }
    }

    fn person(
        &self,
        username: &str,
        client: Client,
        authority: &Endpoint,
        through_az: impl Fn(&str) -> Spawned,
    ) -> Result<Who> {
        let Self { folder, config, host, .. } = self;
        if let Some(why) = folder.tokens_are_sealed(config, host) {
            return Ok(spawned(through_az(&why)));
        }
        let cache = match folder.token_cache(host)? {
            Found::Whole(cache) => cache,
            Found::Absent => Cache::default(),
            Found::Broken => {
                return Ok(spawned(through_az("its token cache could not be read")));
            }
        };
        let environment = authority.url().host_str().unwrap_or_default();
        let (home, why) = match cache.named(username, environment)[..] {
            [account] if account.is_brokered => {
                (account.home.clone(), "a broker of the system keeps their refresh token")
            }
            [account] => (account.home.clone(), "it has no refresh token for them"),
            [] => {
                kept::forget_others(folder.path(), &homes(&cache), host);
                return Err(signed_out(username, &client));
            }
            _ => return Err(person::several(username)),
        };
        let is_theirs = |theirs: &str, at: &str, asked_by: &str| {
            theirs == home
                && az::is_same_environment(at, environment)
                && asked_by.eq_ignore_ascii_case(az::CLIENT)
        };
        let homes = homes(&cache);
        let Cache { accounts: _, access_tokens, refresh_tokens } = cache;
        let tenant = client.authority.tenant.clone();
        Ok(Who::Person(Box::new(Person {
            access_tokens: access_tokens
                .into_iter()
                .filter(|token| {
                    is_theirs(&token.home, &token.environment, &token.client_id)
                        && token.realm.eq_ignore_ascii_case(&tenant)
                })
                .collect(),
            refresh_tokens: refresh_tokens
                .into_iter()
                .filter(|token| is_theirs(&token.home, &token.environment, &token.client_id))
                .collect(),
            client,
            username: username.into(),
            home,
            homes,
            session: kept::key(folder.path()),
            otherwise: through_az(why),
        })))
    }

    fn application(
        &self,
        id: &str,
        client: Client,
        through_az: impl Fn(&str) -> Spawned,
    ) -> Result<Who> {
        let Self { folder, config, host, .. } = self;
        if let Some(why) = folder.secrets_are_sealed(config, host) {
            return Ok(spawned(through_az(&why)));
        }
        let tenant = client.authority.tenant.clone();
        let entries = match folder.service_principals(host)? {
            Found::Whole(entries) => entries,
            Found::Absent => Vec::new(),
            Found::Broken => {
                return Ok(spawned(through_az("its secrets could not be read")));
            }
        };
        match ServicePrincipal::choose(entries, id, &tenant) {
            Some(entry) => Ok(Who::Other(application::source(entry, client, host)?)),
            None => Err(application::gone(id, &tenant, "az keeps nothing it could sign in with")),
        }
    }

    /// The machine's own service is asked, as az asks it.
    fn machine(
        &self,
        info: &str,
        chosen: &Subscription,
        tenant: &str,
        through_az: impl Fn(&str) -> Spawned,
    ) -> Result<Who> {
        if !chosen.tenant.eq_ignore_ascii_case(tenant) {
            return Err(Error::config("a managed identity is of one tenant").because(format!(
                "az signed in with one of {}, and `--tenant-id` names {}",
                shown(&chosen.tenant),
                shown(tenant)
            )));
        }
        let identity = match info.split_once('-') {
            None if info == "MSI" => Identity::System,
            Some(("MSIClient", id)) => Identity::Client(id.into()),
            Some(("MSIObject", id)) => Identity::Object(id.into()),
            Some(("MSIResource", id)) => Identity::Resource(id.into()),
            _ => return Ok(spawned(through_az("it alone knows this kind of identity"))),
        };
        Ok(Who::Other(Box::new(ManagedIdentity::here(identity, self.host)?)))
    }
}

fn signed_out(username: &str, client: &Client) -> Error {
    let tenant = fleetkey_provider::quoted(&client.authority.tenant);
    Error::sign_in_needed(format!("`{}` is not signed in to az any more", shown(username)))
        .because("az's token cache knows nobody of that name")
        .next(format!("az login --tenant {tenant}"))
}

fn spawned(spawned: Spawned) -> Who {
    Who::Spawned(Box::new(spawned))
}
