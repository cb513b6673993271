//! What Azure Resource Manager says when it says no, in words a person can act on. Of the body only
//! the code is read.

use fleetkey_provider::{Error, HttpResponse, Kind, quoted, shown};
use serde::Deserialize;

use super::{
    arm::Arm,
    cluster::{Access, Cluster},
    subscription::{Subscription, is_id},
};

/// What is asked, which decides what helps.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question<'a> {
    /// Which subscriptions the account sees.
    Subscriptions,
    /// Which clusters are in one.
    Clusters(&'a Subscription),
    /// How a cluster is reached.
    Credential(&'a Cluster, Access),
}

/// The error of an answer that is none.
pub(super) fn refused(
    answer: &HttpResponse,
    question: &Question<'_>,
    arm: &Arm,
    request_id: &str,
) -> Error {
    let code = code(&answer.body);
    let said = match &code {
        Some(code) => format!("`{code}`, status {} (request id {request_id})", answer.status),
        None => format!("status {} (request id {request_id})", answer.status),
    };
    match (answer.status, code.as_deref()) {
        (401, Some("InvalidAuthenticationTokenTenant")) => {
            Error::refused(format!("the token is of another tenant than {}", question.what()))
                .because(format!("{said}; `--tenant-id` names the tenant"))
                .next(tenant(answer).map_or_else(
                    || "az account list --query '[].[name,tenantId]' --output table".into(),
                    |tenant| question.in_tenant(&tenant),
                ))
        }
        (401, _) => {
            let kind = if arm.sign_in.is_some() { Kind::SignInNeeded } else { Kind::Refused };
            let line = arm.sign_in.clone().unwrap_or_else(|| LIST.into());
            Error::new(kind, "Azure Resource Manager does not take the token")
                .because(format!("{said}; `--fresh` brings another one"))
                .next(line)
        }
        (403, _) => {
            let advice = question.role().map(|role| format!("; the role for it is `{role}`"));
            Error::refused(format!("this account may not see {}", question.what()))
                .because(said + &advice.unwrap_or_default())
                .next(question.roles_line())
        }
        (404, code) => Error::config(format!("there is no {}", question.missing(code)))
            .because(said)
            .next(question.list_line(code)),
        (400, _) if question.is_admin() => {
            Error::refused(format!("{} hands out no local account", question.what()))
                .because(format!("{said}; its local accounts may be disabled"))
                .next(question.without_admin())
        }
        (429, _) => {
            let wait = answer.header("retry-after").filter(|wait| wait.parse::<u32>().is_ok());
            let wait = wait.map(|wait| format!("; it may be asked again in {wait} s"));
            Error::unavailable("Azure Resource Manager is asked too often")
                .because(said + &wait.unwrap_or_default())
                .next(probe(arm))
        }
        (500.., _) => {
            Error::unavailable("Azure Resource Manager is not well").because(said).next(probe(arm))
        }
        (300..400, _) => {
            Error::unavailable("Azure Resource Manager pointed elsewhere, and was not followed")
                .because(said)
                .next(probe(arm))
        }
        _ => Error::failed(format!(
            "Azure Resource Manager did not say what is asked of {}",
            question.what()
        ))
        .because(said)
        .next(question.list_line(None)),
    }
}

/// The error of an answer that is not as Azure Resource Manager writes it.
pub(super) fn not_understood(answer: &HttpResponse, arm: &Arm) -> Error {
    let body = if answer.body.is_empty() { "nothing" } else { "something else" };
    Error::unavailable("the answer of Azure Resource Manager was not understood")
        .because(format!("{} said {body}; a proxy may have answered", arm.origin()))
        .next(probe(arm))
}

impl Question<'_> {
    /// What is asked for, as a person would call it.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Subscriptions => "the subscriptions".into(),
            Self::Clusters(subscription) => {
                format!("the clusters of subscription `{}`", shown(&subscription.name))
            }
            Self::Credential(cluster, _) => cluster.shown(),
        }
    }

    fn missing(&self, code: Option<&str>) -> String {
        match (self, code) {
            (Self::Credential(cluster, _), Some("SubscriptionNotFound")) => {
                format!("subscription `{}`", cluster.subscription)
            }
            (Self::Credential(cluster, _), Some("ResourceGroupNotFound")) => {
                format!("resource group `{}`", shown(&cluster.group))
            }
            (Self::Credential(cluster, _), _) => cluster.shown(),
            (Self::Clusters(subscription), _) => {
                format!("subscription `{}`", shown(&subscription.name))
            }
            (Self::Subscriptions, _) => "list of subscriptions".into(),
        }
    }

    /// A list of what there is instead.
    fn list_line(&self, code: Option<&str>) -> String {
        match (self, code) {
            (Self::Credential(cluster, _), Some("ResourceGroupNotFound")) => {
                format!("az group list --subscription {} --output table", cluster.subscription)
            }
            (Self::Credential(cluster, _), code) if code != Some("SubscriptionNotFound") => {
                format!("az aks list --subscription {} --output table", cluster.subscription)
            }
            _ => LIST.into(),
        }
    }

    /// A list of who may do what.
    fn roles_line(&self) -> String {
        let scope = match self {
            Self::Subscriptions => return LIST.into(),
            Self::Clusters(subscription) => format!("/subscriptions/{}", subscription.id),
            Self::Credential(cluster, _) => cluster.id(),
        };
        let scope = quoted(&scope);
        format!("az role assignment list --scope {scope} --include-inherited --output table")
    }

    /// The least of Azure's own roles that may.
    fn role(&self) -> Option<&'static str> {
        match self {
            Self::Subscriptions => None,
            Self::Clusters(_) => Some("Reader"),
            Self::Credential(_, Access { is_admin: true, .. }) => {
                Some("Azure Kubernetes Service Cluster Admin Role")
            }
            Self::Credential(..) => Some("Azure Kubernetes Service Cluster User Role"),
        }
    }

    fn is_admin(&self) -> bool {
        matches!(self, Self::Credential(_, Access { is_admin: true, .. }))
    }

    /// The same question without the local account.
    fn without_admin(&self) -> String {
        match self {
            Self::Credential(cluster, access) => {
                again(cluster, Access { is_admin: false, ..*access })
            }
            _ => ADD_HELP.into(),
        }
    }

    /// The same question in another tenant.
    fn in_tenant(&self, tenant: &str) -> String {
        match self {
            Self::Credential(cluster, access) => {
                format!("{} --tenant-id {tenant}", again(cluster, *access))
            }
            _ => format!("fleetkey kubeconfig discover --tenant-id {tenant}"),
        }
    }
}

fn again(Cluster { subscription, group, name }: &Cluster, access: Access) -> String {
    let mut line = format!("{} --subscription {subscription}", add_line(group, name));
    for (flag, is_on) in [(" --admin", access.is_admin), (" --public-fqdn", access.is_public)] {
        line += if is_on { flag } else { "" };
    }
    line
}

/// The tenant whose tokens would be good, which stands at the end of the authority that is named with
/// a refusal.
fn tenant(answer: &HttpResponse) -> Option<String> {
    let (_, rest) = answer.header("www-authenticate")?.split_once("authorization_uri=\"")?;
    let tenant = rest.split('"').next()?.trim_end_matches('/').rsplit('/').next()?;
    is_id(tenant).then(|| tenant.to_owned())
}

/// The line that asks for a cluster.
pub(super) fn add_line(group: &str, name: &str) -> String {
    let (group, name) = (quoted(group), quoted(name));
    format!("fleetkey kubeconfig add azure --resource-group {group} --name {name}")
}

/// `error.code`, or `code` as the service behind writes it.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        error: Option<Code>,
        code: Option<String>,
    }
    #[derive(Deserialize)]
    struct Code {
        code: Option<String>,
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    let code = said.error.and_then(|error| error.code).or(said.code)?;
    let is_code = (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_code.then_some(code)
}

fn probe(arm: &Arm) -> String {
    let url = quoted(&format!("{}/", arm.origin()));
    format!(r"curl -sS -o /dev/null -w '%{{http_code}}\n' {url}")
}

/// Every subscription that az's accounts see, those of other tenants among them.
pub(super) const LIST: &str = "az account list --refresh --output table";
pub(super) const ADD_HELP: &str = "fleetkey kubeconfig add azure --help";
