//! What the cluster says where no flag does: its exec extension in the kubeconfig, and the name of its
//! API server.
//!
//! All of this is the text of whoever wrote the kubeconfig, and is checked as if it had been typed.

use fleetkey_provider::{Error, ExecInfo, Result};
use serde_json::Value;

use super::boolean;
use crate::{
    foreign::is_aks,
    given::{Chosen, Origin},
    server_id::AKS,
};

/// What the cluster's extension may say, by the names of the flags.
pub(crate) const FROM_CLUSTER: [&str; 10] = [
    "login",
    "server-id",
    "client-id",
    "tenant-id",
    "environment",
    "subscription",
    "login-hint",
    "legacy",
    "pop-enabled",
    "pop-claims",
];

/// What a flag says, else the cluster's extension under the same name.
pub(super) fn filled(
    name: &'static str,
    flag: Option<String>,
    exec: &ExecInfo,
) -> Result<Option<Chosen>> {
    if let Some(chosen) = super::typed(name, flag) {
        return Ok(Some(chosen));
    }
    let Some(value) = extension(name, exec) else { return Ok(None) };
    let from = Origin::Cluster(name);
    match value.as_str() {
        Some("") => Ok(None),
        Some(value) => Ok(Some(Chosen { value: value.to_owned(), from })),
        None => Err(Error::config(format!("{from} is not text")).because("it has to be a string")),
    }
}

/// What a switch says, else the cluster's extension under the same name.
pub(super) fn switched(name: &'static str, flag: Option<bool>, exec: &ExecInfo) -> Result<bool> {
    let Some(value) = extension(name, exec).filter(|_| flag.is_none()) else {
        return Ok(flag == Some(true));
    };
    let said = match value {
        Value::Bool(said) => Some(*said),
        Value::String(text) if text.is_empty() => Some(false),
        Value::String(text) => boolean(text).ok(),
        _ => None,
    };
    said.ok_or_else(|| {
        Error::config(format!("{} is no switch", Origin::Cluster(name)))
            .because("it has to be `true` or `false`")
    })
}

/// The server application of a cluster whose API server has a name that only AKS gives.
pub(super) fn server_id(exec: &ExecInfo) -> Option<Chosen> {
    exec.cluster.as_ref().filter(|cluster| is_aks(cluster))?;
    Some(Chosen { value: AKS.to_owned(), from: Origin::Server })
}

fn extension<'e>(name: &str, exec: &'e ExecInfo) -> Option<&'e Value> {
    debug_assert!(FROM_CLUSTER.contains(&name), "{name}");
    exec.cluster.as_ref()?.config.get(name)
}
