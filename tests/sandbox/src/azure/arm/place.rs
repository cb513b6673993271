//! What a path means. Its words are the same in any case, as the original reads them; the names in it are decoded.

use url::form_urlencoded;

use crate::http::Request;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The tenants of whoever asks.
    Tenants,
    /// The subscriptions of whoever asks.
    Subscriptions,
    /// One subscription.
    Subscription {
        subscription: String,
    },
    /// All clusters of a subscription, or of one of its resource groups.
    Clusters {
        subscription: String,
        group: Option<String>,
    },
    /// One cluster.
    Cluster {
        subscription: String,
        group: String,
        name: String,
    },
    /// The kubeconfig of one.
    Credential {
        subscription: String,
        group: String,
        name: String,
        admin: bool,
    },
    Unknown,
}

impl Place {
    pub(super) fn read(request: &Request) -> Self {
        let words: Vec<String> = request.path().split('/').skip(1).map(decoded).collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let post = request.method == "POST";
        let word = |at: usize| words.get(at).cloned().unwrap_or_default();
        let (subscription, group, name) = (word(1).to_ascii_lowercase(), word(3), word(7));
        match lower.as_slice() {
            ["tenants"] if !post => Self::Tenants,
            ["subscriptions"] if !post => Self::Subscriptions,
            ["subscriptions", _] if !post => Self::Subscription { subscription },
            ["subscriptions", _, "providers", PROVIDER, CLUSTERS] if !post => {
                Self::Clusters { subscription, group: None }
            }
            ["subscriptions", _, GROUPS, _, "providers", PROVIDER, CLUSTERS] if !post => {
                Self::Clusters { subscription, group: Some(group) }
            }
            ["subscriptions", _, GROUPS, _, "providers", PROVIDER, CLUSTERS, _] if !post => {
                Self::Cluster { subscription, group, name }
            }
            ["subscriptions", _, GROUPS, _, "providers", PROVIDER, CLUSTERS, _, USER] if post => {
                Self::Credential { subscription, group, name, admin: false }
            }
            ["subscriptions", _, GROUPS, _, "providers", PROVIDER, CLUSTERS, _, ADMIN] if post => {
                Self::Credential { subscription, group, name, admin: true }
            }
            _ => Self::Unknown,
        }
    }

    /// The subscription that is meant.
    pub(super) fn subscription(&self) -> Option<&str> {
        match self {
            Self::Tenants | Self::Subscriptions | Self::Unknown => None,
            Self::Subscription { subscription }
            | Self::Clusters { subscription, .. }
            | Self::Cluster { subscription, .. }
            | Self::Credential { subscription, .. } => Some(subscription),
        }
    }

    /// What one must be allowed to do.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Clusters { .. } | Self::Cluster { .. } => {
                "Microsoft.ContainerService/managedClusters/read"
            }
            Self::Credential { admin: false, .. } => {
                "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"
            }
            Self::Credential { admin: true, .. } => {
                "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action"
            }
            _ => "Microsoft.Resources/subscriptions/read",
        }
    }
}

/// The words of a path are percent-encoded; a form is, too, but for its `+`.
fn decoded(word: &str) -> String {
    let word = format!("{}=", word.replace('+', "%2B"));
    let decoded = form_urlencoded::parse(word.as_bytes()).next();
    decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

const GROUPS: &str = "resourcegroups";
const PROVIDER: &str = "microsoft.containerservice";
const CLUSTERS: &str = "managedclusters";
const USER: &str = "listclusterusercredential";
const ADMIN: &str = "listclusteradmincredential";
