//! Replays what other programs recorded of Entra, and the cases that kubelogin is tested by.
//!
//! The data is not part of this repository. It is read from the folder `FLEETKEY_FIXTURES`, or from
//! `../shared/fixtures` beside the repository; without it every set says that it was skipped, and
//! passes. What is sent otherwise than it was recorded is a deliberate difference: it is named with
//! its reason, and the test checks that it differs as the reason says.

#![allow(clippy::disallowed_methods, reason = "a test finds and reads its data by itself")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails at the first surprise")]

mod cassette;
mod convert_kubeconfig;
mod entra;
mod msal_caches;

use std::{
    env, fs,
    io::{Write, stdout},
    path::PathBuf,
};

/// One set of cases, and what became of them.
pub(crate) struct Set {
    name: &'static str,
    ran: usize,
    changed: Vec<String>,
}

impl Set {
    /// The set and its text, which lies below the folder of the fixtures. `None`, and said so, if
    /// that folder is absent.
    pub(crate) fn open(name: &'static str, file: &str) -> Option<(Self, String)> {
        let path = folder(name)?.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Some((Self { name, ran: 0, changed: Vec::new() }, text))
    }

    /// A case went as recorded.
    pub(crate) fn ran(&mut self) {
        self.ran += 1;
    }

    /// Something of a case is otherwise than it was recorded, on purpose.
    pub(crate) fn change(&mut self, case: &str, why: &str) {
        let line = format!("{case}: {why}");
        if !self.changed.contains(&line) {
            self.changed.push(line);
        }
    }

    /// Says what became of the set.
    pub(crate) fn finish(self) {
        let Self { name, ran, changed } = self;
        say(&format!("replayed {name}: {ran} ran, 0 skipped on purpose"));
        for line in changed {
            say(&format!("  {line}"));
        }
        assert!(ran > 0, "{name}: the data is there, and no case of it ran");
    }
}

/// The folder of the fixtures. `None`, and said so, if it is absent.
fn folder(set: &str) -> Option<PathBuf> {
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

/// Past the capture of the test harness: these lines are for whoever runs it.
fn say(line: &str) {
    writeln!(stdout().lock(), "{line}").unwrap();
}
