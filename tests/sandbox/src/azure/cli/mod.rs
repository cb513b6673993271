//! What `az login` leaves in a home folder. The shapes are those that az 2.91 writes on Linux, where nothing is sealed.

mod configuration;
mod logout;
mod profile;
mod token_cache;

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::home::Home;
use crate::random;
use crate::sandbox::Sandbox;

/// One `az login`.
#[derive(Clone, Debug)]
pub struct AzLogin {
    tenant: String,
    who: Who,
    cloud: String,
    at_sandbox: bool,
    family: bool,
    broker: bool,
    aks_token: AksToken,
}

#[derive(Clone, Debug)]
enum Who {
    Person(String),
    ServicePrincipal(String, AzSecret),
    /// `MSI`, or `MSIClient-`, `MSIObject-` or `MSIResource-` and an id.
    ManagedIdentity(String),
}

/// What a service principal signed in with.
#[derive(Clone, Debug)]
pub enum AzSecret {
    /// A secret.
    Secret(String),
    /// The path of a certificate with its key, and whether `--use-cert-sn-issuer` was given.
    Certificate(String, bool),
    /// A federated token, as it was then.
    Assertion(String),
}

/// The token for AKS that lies in the cache, since somebody asked az for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AksToken {
    /// One that is good for its whole life.
    #[default]
    Fresh,
    /// One that ended an hour ago, as far as the cache says.
    Expired,
    /// None.
    Absent,
}

/// Who is signed in now, and with what.
#[derive(Clone, Debug)]
pub struct AzAccount {
    /// The subscription that is the default now.
    pub subscription_id: String,
    /// `OBJECT.TENANT` of a person.
    pub home_account_id: Option<String>,
    /// For AKS, of a person who has one.
    pub access_token: Option<String>,
    /// Of a person; with a broker there is none.
    pub refresh_token: Option<String>,
}

impl AzLogin {
    /// A person (known to Entra) signed in with a browser.
    pub fn person(tenant: &str, username: &str) -> Self {
        Self::new(tenant, Who::Person(username.to_owned()))
    }

    /// `az login --service-principal`.
    pub fn service_principal(tenant: &str, client_id: &str, secret: AzSecret) -> Self {
        Self::new(tenant, Who::ServicePrincipal(client_id.to_owned(), secret))
    }

    /// `az login --identity`; `assigned` is `MSI` for the machine's own, or `MSIClient-`, `MSIObject-` or
    /// `MSIResource-` and an id.
    pub fn managed_identity(tenant: &str, assigned: &str) -> Self {
        Self::new(tenant, Who::ManagedIdentity(assigned.to_owned()))
    }

    /// With an endpoint set in `clouds.config`: az, and whoever reads its files, asks the sandbox's Entra.
    #[must_use]
    pub fn at_sandbox(mut self) -> Self {
        self.at_sandbox = true;
        self
    }

    /// In this cloud, such as `AzureChinaCloud`, which is the active one then.
    #[must_use]
    pub fn cloud(mut self, name: &str) -> Self {
        name.clone_into(&mut self.cloud);
        self
    }

    /// As before 2026: az is one of Microsoft's family of clients, and its refresh token says so.
    #[must_use]
    pub fn in_family(mut self) -> Self {
        self.family = true;
        self
    }

    /// Through a broker (Windows, macOS), which keeps the refresh token to itself.
    #[must_use]
    pub fn broker(mut self) -> Self {
        self.broker = true;
        self
    }

    /// With this token for AKS.
    #[must_use]
    pub fn aks_token(mut self, token: AksToken) -> Self {
        self.aks_token = token;
        self
    }

    fn new(tenant: &str, who: Who) -> Self {
        Self {
            tenant: tenant.to_owned(),
            who,
            cloud: "AzureCloud".to_owned(),
            at_sandbox: false,
            family: false,
            broker: false,
            aks_token: AksToken::Fresh,
        }
    }

    /// The `environment` of cache entries: a host without its port, as MSAL Python takes it from the token endpoint.
    fn environment(&self) -> &'static str {
        match self.cloud.as_str() {
            _ if self.at_sandbox => "127.0.0.1",
            "AzureChinaCloud" => "login.chinacloudapi.cn",
            "AzureUSGovernment" => "login.microsoftonline.us",
            _ => "login.microsoftonline.com",
        }
    }
}

impl Home {
    /// What this login leaves in `~/.azure`, beside what earlier ones left there. Its subscription is the default now.
    pub fn az_login(&self, sandbox: &Sandbox, login: &AzLogin) -> io::Result<AzAccount> {
        let subscription_id = random::uuid();
        profile::add(self, login, &subscription_id)?;
        configuration::write(self, sandbox, login, &subscription_id)?;
        let mut account = AzAccount {
            subscription_id,
            home_account_id: None,
            access_token: None,
            refresh_token: None,
        };
        match &login.who {
            Who::Person(username) => {
                token_cache::add(self, sandbox, login, username, &mut account)?;
            }
            Who::ServicePrincipal(client_id, secret) => {
                let entry = entry(&login.tenant, client_id, secret);
                let mut entries = read(self, ENTRIES)?.unwrap_or_else(|| json!([]));
                let list = entries.as_array_mut().ok_or(io::ErrorKind::InvalidData)?;
                list.retain(|old| {
                    (&old["tenant"], &old["client_id"]) != (&entry["tenant"], &entry["client_id"])
                });
                list.push(entry);
                self.write(folder(ENTRIES), format!("{entries:#}"))?;
            }
            Who::ManagedIdentity(_) => {} // the machine knows it; az has nothing to keep
        }
        Ok(account)
    }
}

fn entry(tenant: &str, client_id: &str, secret: &AzSecret) -> Value {
    let mut entry = json!({ "tenant": tenant, "client_id": client_id });
    match secret {
        AzSecret::Secret(secret) => entry["client_secret"] = secret.as_str().into(),
        AzSecret::Assertion(token) => entry["client_assertion"] = token.as_str().into(),
        AzSecret::Certificate(path, by_name) => {
            entry["certificate"] = path.as_str().into();
            if *by_name {
                entry["use_cert_sn_issuer"] = true.into();
            }
        }
    }
    entry
}

/// A JSON file of az's, whose mark (if any) is not for JSON.
fn read(home: &Home, name: &str) -> io::Result<Option<Value>> {
    match std::fs::read(home.join(folder(name))) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(bytes.strip_prefix(MARK).unwrap_or(&bytes))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(".azure").join(name)
}

/// The byte order mark in UTF-8, with which az begins `azureProfile.json`.
const MARK: &[u8] = b"\xef\xbb\xbf";
const PROFILE: &str = "azureProfile.json";
const TOKEN_CACHE: &str = "msal_token_cache.json";
const ENTRIES: &str = "service_principal_entries.json";
/// Whom Entra knows az as.
pub(crate) const AZ: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
