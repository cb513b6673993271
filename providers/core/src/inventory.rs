//! What clusters there are: looking for them, and how one is reached.
//!
//! A search is made of errands. Each is one question to the cloud (with its pages), and what comes of it
//! may be further errands. The host runs them, so many at a time and no more, counts them, and
//! lists those that failed; a provider only says what to ask and what the answer means.

use std::fmt;

use clap::{ArgMatches, Command};
use secrecy::SecretString;

use crate::{BoxFuture, Credential, Error, Host, Overrides, Request, Result};

/// What a provider can find out about clusters.
pub trait Inventory: Sync {
    /// Grafts the flags of `kubeconfig add` onto the provider's command there. The host has
    /// `--kubeconfig`, `--context` (or `--alias`), `--user-alias`, `--overwrite`, `--dry-run`, `--proxy-url`.
    fn add_arguments(&self, command: Command) -> Command;

    /// The errand that finds the one cluster that is named: it ends in one [`Find::Entry`] or [`Find::Kubeconfig`].
    fn add(&self, matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Errand>>;

    /// Grafts the provider's flags onto `kubeconfig discover`, beside those of other providers: a flag
    /// that any provider could have is the host's.
    fn discover_arguments(&self, command: Command) -> Command;

    /// Where to look first. `wanted` is what the host's own flags say; nothing to look at is no
    /// error, unless a flag of this provider was typed.
    fn discover(
        &self,
        matches: &mut ArgMatches,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Vec<Box<dyn Errand>>>;
}

/// What is looked for, in every cloud.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The regions to look in; all, if none is named.
    pub regions: Vec<String>,
}

/// One question to a cloud.
pub trait Errand: Send + Sync {
    /// What is asked, as a person would call it: `clusters of account 111122223333 in eu-west-1`.
    fn describe(&self) -> String;

    /// Whose credential is needed, if one is: the host brings it, with its cache and its locks, and may
    /// ask a person. Only errands that a search starts with may have one.
    fn request(&self) -> Option<&dyn Request> {
        None
    }

    /// Asks.
    fn run<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>>;
}

/// What came of an errand.
pub enum Find {
    /// Something further to ask.
    Errand(Box<dyn Errand>),
    /// A cluster, for the table.
    Cluster(Listed),
    /// How a cluster is reached.
    Entry(Box<Entry>),
    /// The same as a kubeconfig that the cloud wrote, with one context. The host takes its user over.
    Kubeconfig {
        /// The whole of it: there may be keys in it.
        text: SecretString,
        /// What counts in place of what stands there.
        overrides: Overrides,
        /// What the cloud's own tool puts behind the context's name, whoever chose that; mostly nothing.
        context_suffix: &'static str,
    },
    /// A part of the answer that failed, beside what was found: what was asked, and why.
    Failure(String, Error),
}

/// A cluster that is there.
pub struct Listed {
    /// What it is called everywhere: an ARN, a resource id. The same cluster is listed once.
    pub id: String,
    /// Its own name.
    pub cluster: String,
    /// The account or subscription it is in, as people name it.
    pub account: String,
    /// The region it is in.
    pub region: String,
    /// What further stands in names of contexts: `role`, `profile`, `resource-group`, `tenant`.
    pub labels: Vec<(&'static str, String)>,
    /// What the cloud's own tool calls its user, where that tool calls the entry in `clusters` as the
    /// cluster; `None` where it calls that by the id.
    pub user: Option<String>,
    /// Finds out how it is reached: ends in one [`Find::Entry`] or
    /// [`Find::Kubeconfig`].
    pub detail: Box<dyn Errand>,
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listed({})", self.id)
    }
}

/// How a cluster is reached, and as whom.
#[derive(Debug)]
pub struct Entry {
    /// What the cloud's own tool calls the entries.
    pub names: EntryNames,
    /// Its API server's URL.
    pub server: String,
    /// The authority of that server, base64 of PEM.
    pub certificate_authority_data: Option<String>,
    /// The name in its certificate, where that is not the host's.
    pub tls_server_name: Option<String>,
    /// A proxy in between.
    pub proxy_url: Option<String>,
    /// As whom.
    pub user: EntryUser,
}

/// What the entries of a cluster are called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryNames {
    /// In `clusters`: by what the cloud knows the cluster everywhere, such as an ARN.
    pub cluster: String,
    /// In `users`.
    pub user: String,
    /// In `contexts`.
    pub context: String,
}

/// As whom a cluster is reached.
#[derive(Debug)]
pub enum EntryUser {
    /// By a token of ours.
    Plugin {
        /// What stands behind `get-token` and the provider's name.
        args: Vec<String>,
        /// Variables that are set for it.
        env: Vec<(String, String)>,
    },
    /// By a certificate or token that the cloud handed out (a cluster's local account).
    Local {
        /// `client-certificate-data`
        client_certificate_data: Option<String>,
        /// `client-key-data`
        client_key_data: Option<SecretString>,
        /// `token`
        token: Option<SecretString>,
    },
}
