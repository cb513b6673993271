//! Renewal ahead: while a kept credential still serves, another process of ours fetches its successor,
//! and nobody waits.
//!
//! Whoever finds that a successor is due makes the file `KEY.renewing`, and of many callers the one that
//! made it starts the process. That one asks the same question as its starter, by the same words behind
//! [`WORD`]: it asks no person, waits for no lock, says nothing, and removes the file when it has kept a
//! successor. A file that stays speaks of one that failed, was killed or never ran: it is believed for
//! a minute, and each time it had to be taken over for twice as long.
//!
//! A kubeconfig can say [`WORD`] too. It gets a `get-token` that answers nothing.

use std::{ffi::OsString, process::ExitCode};

use fleetkey_provider::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    World, cli, commands,
    host::{self, Attempt, Store},
    kubeconfig::hidden,
    stand_in,
};

/// The first word of a process that renews; what follows is its starter's own command line.
pub(crate) const WORD: &str = "renew-ahead";
/// Switches it off for every command, unless it is `false` or `0`.
pub(crate) const FLEETKEY_NO_RENEW_AHEAD: &str = "FLEETKEY_NO_RENEW_AHEAD";
/// How long a process may have to renew before another one tries, and twice as long for each that failed, up
/// to a quarter of an hour.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(60);
const MOST_DOUBLINGS: u32 = 4;

/// How often a file that was made and not written yet is looked at again.
const LOOKS: usize = 200;

/// Whose turn it is to start a renewal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// The caller's.
    Ours,
    /// Nobody's: one is under way, or failed of late.
    Nobodys,
}

/// What the file says.
#[derive(Deserialize, Serialize)]
struct Renewing {
    /// When its maker's turn was.
    when: Timestamp,
    /// How many turns there were, since the credential was lent.
    tries: u32,
}

/// Takes the turn to renew a credential that was lent then, if it is anybody's. Nothing is waited for.
pub(crate) fn turn(
    store: &dyn Store,
    key: Fingerprint,
    issued: Timestamp,
    now: Timestamp,
) -> Result<Turn, String> {
    let name = file(key);
    let first = text(&Renewing { when: now, tries: 1 })?;
    if store.mark(&name, &first)? {
        return Ok(Turn::Ours);
    }
    let tries = || {
        let mut found = store.read(&name).ok().flatten();
        // it is made and written in two steps: who takes the lock between them stops the one it was made for
        for _ in 0..LOOKS {
            if found.as_ref().is_none_or(|bytes| !bytes.is_empty()) {
                break;
            }
            std::thread::yield_now();
            found = store.read(&name).ok().flatten();
        }
        let found: Option<Renewing> = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        // one about an older credential says nothing of this one
        let found = found.filter(|found| found.when > issued);
        match found {
            Some(found) if found.stands(now) => None,
            found => Some(found.map_or(0, |found| found.tries)),
        }
    };
    if tries().is_none() {
        return Ok(Turn::Nobodys);
    }
    // of those that take over, one; and whoever renews at this moment holds the lock
    let Attempt::Taken(_guard) = store.try_lock(&format!("{key}.lock"))? else {
        return Ok(Turn::Nobodys);
    };
    let Some(tries) = tries() else { return Ok(Turn::Nobodys) };
    let next = Renewing { when: now, tries: tries.saturating_add(1) };
    store.replace(&name, &text(&next)?)?;
    Ok(Turn::Ours)
}

/// A successor is kept.
pub(crate) fn over(store: &dyn Store, key: Fingerprint) {
    // one that stays is older than the successor, and says nothing of it
    drop(store.remove(&file(key)));
}

/// Whether a command line has a secret in it. It stands where every user of the machine may look, and a
/// process that renews would show it for as long as a cloud lets it wait.
pub(crate) fn shows_secret(args: impl Iterator<Item = OsString>) -> bool {
    let words = args.map(|word| Value::from(word.to_string_lossy())).collect();
    !hidden::secrets(&Value::Array(words)).is_empty()
}

/// Takes [`WORD`] out of a command line; whether it was there.
pub(crate) fn is_asked_for(args: &mut Vec<OsString>) -> bool {
    let is_it = args.get(1).is_some_and(|word| word == WORD);
    if is_it {
        args.remove(1);
    }
    is_it
}

/// Renews what a command line would print a token of, and does nothing for any other.
pub(crate) fn run(args: Vec<OsString>, world: World) -> ExitCode {
    if world.start_renewal.is_some() {
        // this process is nothing but that
        host::let_go();
        host::leave_terminal();
    }
    let mut world = world.heard_by(std::io::sink(), std::io::sink());
    world.is_renewal = true;
    if let Some(line) = stand_in::line(&args, &*world.host.env) {
        return if line.is_token() { stand_in::run(line, world) } else { ExitCode::SUCCESS };
    }
    let is_token = args.iter().skip(1).any(|word| word == "get-token");
    let Ok(cli::Parsed::Verb(matches)) = cli::parse(args) else { return ExitCode::SUCCESS };
    if is_token && matches.subcommand_name() == Some("get-token") {
        // nobody hears why, and whoever asks next finds what it found
        drop(commands::run(matches, &mut world));
    }
    ExitCode::SUCCESS
}

impl Renewing {
    /// Whether nobody else takes a turn yet.
    fn stands(&self, now: Timestamp) -> bool {
        // whatever number stands in the file
        let doublings = self.tries.saturating_sub(1).min(MOST_DOUBLINGS);
        let pause = FIRST_PAUSE * (1 << doublings);
        // one from the future was written by another clock, and is not believed
        let age = now.duration_since(self.when);
        age < pause && age > -FIRST_PAUSE
    }
}

fn text(what: &Renewing) -> Result<Vec<u8>, String> {
    serde_json::to_vec(what).map_err(|error| error.to_string())
}

fn file(key: Fingerprint) -> String {
    format!("{key}.renewing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_with_a_secret_is_told_from_others() {
        let shows = |line: &str| shows_secret(line.split(' ').map(OsString::from));
        for line in [
            "fleetkey get-token x --login ropc --password hunter2",
            "fleetkey get-token x --password=hunter2",
            "tool get-token --client-secret hunter2 --server-id 1",
        ] {
            assert!(shows(line), "{line}");
        }
        for line in [
            "fleetkey get-token x --login ropc --username a@example.com --tenant-id t",
            "fleetkey get-token x --federated-token-file /token --no-browser",
        ] {
            assert!(!shows(line), "{line}");
        }
    }
}
