//! Replays what other programs wrote: their tests, their recordings, their tokens.
//!
//! The data is not part of this repository. It is read from the folder `FLEETKEY_FIXTURES`, or from
//! `../shared/fixtures` beside the repository; without it every set says that it was skipped, and
//! passes. A case that goes otherwise than it was recorded is a deliberate difference: it is named with
//! its reason, and the test checks that it differs as the reason says.

#![allow(clippy::disallowed_methods, reason = "a test finds and reads its data by itself")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails at the first surprise")]

mod assume_role;
mod chain;
mod grammar;
mod location;
mod login_provider;
mod provider_chain;
mod sts_endpoints;
mod token_goldens;

use std::{
    env, fs,
    io::{Write, stdout},
    path::PathBuf,
};

use serde_json::Value;

/// One set of cases, and what became of them.
pub(crate) struct Set {
    name: &'static str,
    ran: usize,
    skipped: Vec<String>,
    changed: Vec<String>,
}

impl Set {
    /// The set and its data, which lies below the folder of the fixtures. `None`, and said so, if
    /// that folder is absent.
    pub(crate) fn open(name: &'static str, file: &str) -> Option<(Self, Value)> {
        let path = folder(name)?.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Some((Self::new(name), serde_json::from_str(&text).unwrap()))
    }

    /// An empty set.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ran: 0, skipped: Vec::new(), changed: Vec::new() }
    }

    /// A case went as recorded.
    pub(crate) fn ran(&mut self) {
        self.ran += 1;
    }

    /// A case went otherwise, on purpose.
    pub(crate) fn skip(&mut self, case: &str, why: &str) {
        self.skipped.push(format!("{case}: {why}"));
    }

    /// A case ran with something else in it than was recorded.
    pub(crate) fn change(&mut self, case: &str, why: &str) {
        self.changed.push(format!("{case}: ran, but {why}"));
    }

    /// Says what became of the set.
    pub(crate) fn finish(self) {
        let Self { name, ran, skipped, changed } = self;
        let (all, ours) = (ran + skipped.len(), skipped.len());
        say(&format!(
            "replayed {name}: {all} ran, {ours} of them otherwise than recorded, on purpose"
        ));
        for line in skipped.into_iter().chain(changed) {
            say(&format!("  {line}"));
        }
        assert!(ran > 0, "{name}: the data is there, and no case of it ran");
    }
}

/// The folder of the fixtures. `None`, and said so, if it is absent.
pub(crate) fn folder(set: &str) -> Option<PathBuf> {
    let folder = env::var_os("FLEETKEY_FIXTURES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!("{set}: skipped: no fixtures at {}", folder.display()));
    None
}

/// In place of the words that some recordings have for a web identity token: no word is sent, only
/// what reads as a JWT. The cases run with this; which they are is said.
pub(crate) const JWT: &str = "e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.c2ln";

/// Past the capture of the test harness: these lines are for whoever runs it.
fn say(line: &str) {
    writeln!(stdout().lock(), "{line}").unwrap();
}
