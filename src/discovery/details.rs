//! How clusters are reached, once that was asked, and the names that their entries get.

use std::collections::HashSet;

use fleetkey_provider::{Error, Provider, Result};

use super::queue::Find;
use crate::kubeconfig::{
    addition::{Addition, Described},
    document::{Document, Section},
    likeness::{Likeness, is_same_server, likeness},
    stanza::Written,
};

/// What a cloud says of a cluster.
pub(crate) fn described(
    find: Find,
    provider: &'static dyn Provider,
    written: &Written,
) -> Result<Described> {
    match find {
        Find::Entry(entry) => Ok(Described::of_entry(*entry, provider, written)),
        Find::Kubeconfig(text, overrides, _) => {
            Described::of_kubeconfig(&text, overrides, provider, written).map_err(|error| {
                // there is no file of it that a line could name
                let plain = Error::new(error.kind(), error.message());
                match error.cause() {
                    Some(cause) => plain.because(cause),
                    None => plain,
                }
            })
        }
        Find::Cluster(_) => Err(Error::failed("a cluster was listed where it was to be described")),
    }
}

/// Names for many at once, so that none means two things: as the clouds' own tools call them, or, where
/// another cluster has that name, as the context is called. The ids are those by which clouds know them:
/// an entry that is called so is this cluster, wherever its server was before.
pub(crate) fn settled(
    described: Vec<(Described, String)>,
    document: &Document<'_>,
    is_overwritten: bool,
) -> Vec<Addition> {
    let mut taken = HashSet::new();
    let mut additions = Vec::new();
    for (mut one, id) in described {
        let context = one.context.clone();
        let is_of_it = is_overwritten && one.cluster == id;
        if taken.contains(&(Section::Clusters, one.cluster.clone()))
            || !is_of_it && is_another_server(document, &one)
        {
            one.cluster.clone_from(&context);
        }
        taken.insert((Section::Clusters, one.cluster.clone()));
        let mut addition = one.addition();
        let user = (Section::Users, addition.user().name.clone());
        if taken.contains(&user) || means_another(document, &addition) {
            addition.rename_user(&context);
        }
        taken.insert((Section::Users, addition.user().name.clone()));
        additions.push(addition);
    }
    additions
}

/// One whose context's name somebody chose, beside what is there: where another cluster has its name, or
/// another user its user's, they are called as the context is. `keeps_user` where that name was chosen, too.
pub(crate) fn beside(
    mut described: Described,
    document: &Document<'_>,
    keeps_user: bool,
) -> Addition {
    let context = described.context.clone();
    if is_another_server(document, &described) {
        described.cluster.clone_from(&context);
    }
    let mut addition = described.addition();
    if !keeps_user && means_another(document, &addition) {
        addition.rename_user(&context);
    }
    addition
}

/// Whether the kubeconfig has a cluster of that name which is at another server.
fn is_another_server(document: &Document<'_>, one: &Described) -> bool {
    let there = document.entry(Section::Clusters, &one.cluster);
    let server = there.map(|there| document.text(&there, "server").unwrap_or_default());
    server.is_some_and(|server| !server.is_empty() && !is_same_server(server, one.server()))
}

/// Whether the kubeconfig has a user of that name who is not this one.
fn means_another(document: &Document<'_>, with: &Addition) -> bool {
    let user = with.user();
    document.entry(Section::Users, &user.name).is_some_and(|there| {
        let old = document.value(&there);
        old.is_ok_and(|old| matches!(likeness(document, &old, user, with), Likeness::Other(_)))
    })
}
