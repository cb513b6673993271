//! What the tests that replay other programs' kubeconfigs need to see of this crate. Nothing else may.
//!
//! It is a few calls of what is there anyway, and the linker drops it from every program that calls
//! none.

#![allow(missing_docs, reason = "hidden: the tests say what they ask")]

use fleetkey_provider::{Error, Result};
use serde_json::{Value, json};

use crate::kubeconfig::{
    addition::{Addition, Wanted},
    document::{Document, Section},
    merge::{Taken, merge},
};

/// The text with a cluster added to it whose entries all have that name, and its context current.
pub fn added(text: &str, path: &str, name: &str, cluster: Value, user: Value) -> Result<String> {
    let context = json!({ "cluster": name, "user": name });
    let values =
        [(Section::Clusters, cluster), (Section::Contexts, context), (Section::Users, user)];
    let entries = values.map(|(section, value)| Wanted { section, name: name.to_owned(), value });
    let addition = Addition { entries, notes: Vec::new() };
    Ok(merge(text, path, &[addition], Some(name), Taken::Refused)?.text)
}

/// All that a kubeconfig says.
pub fn value(text: &str) -> Result<Value> {
    let document = Document::read(text, "")?;
    let value = document.tree.root().map(|root| document.tree.value(root));
    value.transpose().map(Option::unwrap_or_default).map_err(|_| Error::failed("it is too large"))
}
