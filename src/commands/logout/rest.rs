//! `--all` is all: what is left when every context's identity is signed out.
//!
//! Somebody who signed in by a provider's flags, or for a kubeconfig that is not here, is named by no context.
//! Whose a session is does not stand in it; that nobody asked for it to stay is enough.

use std::{collections::BTreeSet, path::PathBuf};

use fleetkey_provider::Error;
use serde_json::{Value, json};

use crate::{
    World,
    broker::Folders,
    cache::Cache,
    fleet::{Fleet, Identity, counted},
    options::Options,
    registry::PROVIDERS,
};

/// What was left, and is removed.
#[derive(Default)]
pub(super) struct Rest {
    sessions: usize,
    credentials: usize,
    /// What could not be removed.
    pub(super) failed: Option<Error>,
}

impl Rest {
    /// Removes every session and every credential that is still there.
    pub(super) fn end(fleet: &Fleet, options: &Options, world: &World) -> Self {
        let mut rest = Self::default();
        match world.host.sessions.end_all() {
            Ok(number) => rest.sessions = number,
            Err(error) => rest.failed = Some(error),
        }
        for folder in folders(&fleet.identities, options, world) {
            for provider in PROVIDERS {
                let store = world.store(&folder.join(provider.name()));
                let cache = Cache { store: &*store, notes: &*world.host.notes };
                match cache.forget_all() {
                    Ok(number) => rest.credentials += number,
                    Err(why) => {
                        let error = Error::failed("credentials could not be removed").because(why);
                        rest.failed.get_or_insert(error);
                    }
                }
            }
        }
        rest
    }

    /// A line for a person, if there was anything.
    pub(super) fn told(&self) -> Option<String> {
        let sessions = (self.sessions > 0).then(|| counted(self.sessions, "session", "sessions"));
        let credentials =
            (self.credentials > 0).then(|| counted(self.credentials, "credential", "credentials"));
        let what: Vec<String> = [sessions, credentials].into_iter().flatten().collect();
        if what.is_empty() {
            return None;
        }
        Some(format!("and {} that no context names", what.join(" and ")))
    }

    /// What it could not remove.
    pub(super) fn left(&self) -> Option<String> {
        self.failed.as_ref().map(|error| format!("left: {error}"))
    }

    pub(super) fn json(&self) -> Value {
        let failed = self.failed.as_ref().map(ToString::to_string);
        json!({ "sessions": self.sessions, "credentials": self.credentials, "failed": failed })
    }
}

/// The folders of kept credentials: those that contexts name, and the one of every command. Nobody knows of
/// others.
pub(super) fn folders<'a>(
    identities: impl IntoIterator<Item = &'a Identity>,
    options: &Options,
    world: &World,
) -> BTreeSet<PathBuf> {
    let questions = identities.into_iter().flat_map(|identity| &identity.questions);
    let named = questions.filter_map(|question| question.folders.cache.clone());
    // one that is named wrongly is the context's own error
    let own = Folders::of(options, &world.host).ok().and_then(|folders| folders.cache);
    named.chain(own).collect()
}
