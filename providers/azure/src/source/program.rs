//! A token that another program is asked for.

use std::{ffi::OsString, time::Duration};

use fleetkey_provider::{
    Error, ExposeSecret, Finished, Host, Program, Result, SecretString, shown,
};
use serde_json::{Map, Value};

/// How long a program may take, if nobody said: kubelogin's bound, since `az` is slow to start.
pub(super) const LIMIT: Duration = Duration::from_mins(1);

/// What another program is asked.
#[derive(Debug)]
pub(super) struct Question {
    /// Its name.
    pub(super) name: &'static str,
    /// Its arguments.
    pub(super) args: Vec<String>,
    /// Variables beside those inherited.
    pub(super) env: Vec<(String, OsString)>,
    /// How long it may take.
    pub(super) limit: Duration,
    /// The field of its answer that is the token.
    pub(super) field: &'static str,
    /// The line that signs a person in to it; its first two words stand in what it says if that is
    /// what it misses.
    pub(super) sign_in: String,
    /// Why it has to be asked.
    pub(super) why: String,
}

impl Question {
    /// Runs it, and reads the token.
    pub(super) async fn ask(self, host: &Host) -> Result<SecretString> {
        let Self { name, args, env, limit, field, sign_in, why } = self;
        if !host.programs.find(name) {
            return Err(Error::config(format!("there is no program `{name}` on the PATH"))
                .because(why)
                .next(format!("command -v {name}")));
        }
        let program = Program { name: name.into(), args, env, limit };
        host.notes.note(&format!("running `{name} {}`: {why}", program.args.join(" ")));
        let finished = host.programs.run(&program).await?;
        if !finished.is_success() {
            return Err(failed(name, &finished, &sign_in));
        }
        let answer: Option<Map<String, Value>> =
            serde_json::from_str(finished.stdout.expose_secret()).ok();
        let token = answer.as_ref().and_then(|answer| answer.get(field)?.as_str());
        match token.filter(|token| !token.is_empty()) {
            Some(token) => Ok(token.into()),
            None => Err(Error::failed(format!("`{name}` answered no token"))
                .because(format!("its answer is no JSON with `{field}`"))),
        }
    }
}

fn failed(name: &str, finished: &Finished, sign_in: &str) -> Error {
    let said = last_words(&finished.stderr);
    let cause = if said.is_empty() {
        match finished.code {
            Some(code) => format!("it ended with {code}, without a word"),
            None => "a signal ended it".into(),
        }
    } else {
        shown(said)
    };
    let has = |words: &str| finished.stderr.contains(words);
    let phrase = if name == "azd" { "azd auth login" } else { "az login" };
    if has(phrase) {
        Error::sign_in_needed(format!("`{name}` wants a person to sign in"))
            .because(cause)
            .next(sign_in)
    } else if UNREACHABLE.iter().any(|words| has(words)) {
        Error::unavailable(format!("`{name}` could not reach Entra")).because(cause)
    } else {
        Error::failed(format!("`{name}` failed")).because(cause)
    }
}

/// What Python's and Go's libraries say where there is no network.
const UNREACHABLE: &[&str] =
    &["Max retries exceeded", "ConnectionError", "timed out", "no such host", "connection refused"];

/// The last line that says `ERROR`, or else the last line.
fn last_words(stderr: &str) -> &str {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines().rev().find_map(|line| line.strip_prefix("ERROR:"));
    error.or_else(|| lines().next_back()).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_matters_is_shown() {
        for (stderr, words) in [
            ("", ""),
            ("WARNING: old\nERROR: AADSTS1: no\nTrace\n\naz login --scope x\n", "AADSTS1: no"),
            ("Traceback\n  x\nValueError: y\n\n", "ValueError: y"),
            ("ERROR: first\nERROR: second\r\n", "second"),
        ] {
            assert_eq!(last_words(stderr), words);
        }
    }
}
