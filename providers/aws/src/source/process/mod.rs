//! Keys that another program is asked for: `credential_process`.
//!
//! Whoever can write that line can run anything as whoever uses the profile, so it counts only in
//! files of one's own. The program is run without a shell and without a terminal. What it says is
//! passed on only if it fails: some programs chat, and some clients take any word for a failure.
//!
//! Whose keys it lends may hang on more than its line: on the machine, on which program of that name
//! the PATH leads to, on variables, on who is signed in to something of its own. The first three are
//! part of the key; because of the last, what it lends is kept for five minutes at most.

mod surroundings;
mod words;

use std::{path::PathBuf, time::Duration};

use fleetkey_provider::{
    CredentialKey, Error, ExposeSecret, Fingerprint, Finished, Host, Program, Result, quoted,
    shown, this_machine,
};

use super::lent::{Lender, Lent};
use crate::{errors::Asker, keys::Keys, plan, profiles::Profiles, shell::profile_flag};

/// How long a program may take. It may ask its own network.
const LIMIT: Duration = Duration::from_secs(30);

/// Keys that another program is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    profile: String,
    /// The line as a whole: what tells two of them apart.
    line: Fingerprint,
    name: String,
    args: Vec<String>,
    /// The files that made the profile.
    files: Vec<PathBuf>,
    machine: Fingerprint,
    /// What the program sees of the environment that may tell it whom to lend for.
    surroundings: Fingerprint,
}

impl Process {
    /// The program of a profile, if nobody else can have written its name there.
    pub(crate) fn open(plan: plan::Process, profiles: &Profiles, host: &Host) -> Result<Self> {
        let plan::Process { profile, line } = plan;
        let files: Vec<_> = profiles.read().map(ToOwned::to_owned).collect();
        for file in &files {
            if !host.files.is_own(file)? {
                let path = file.to_string_lossy();
                return Err(Error::config(format!("{} is not run", of(&profile)))
                    .because(format!(
                        "`{}` belongs to another user, or others may write to it: they could run \
                         anything here as you",
                        shown(&path)
                    ))
                    .next(format!("chmod go-w {}", quoted(&path))));
            }
        }
        let wrong = |why: &str| {
            Err(Error::config(format!("{} is no command line", of(&profile)))
                .because(why)
                .next(setting(&profile)))
        };
        let mut words = match words::split(&line) {
            Ok(words) => words.into_iter(),
            Err(why) => return wrong(why),
        };
        match words.next() {
            Some(name) if !name.is_empty() => Ok(Self {
                line: Fingerprint::of(line.as_bytes()),
                name,
                args: words.collect(),
                files,
                profile,
                machine: this_machine(host)?,
                surroundings: surroundings::fingerprint(host),
            }),
            _ => wrong("it names no program"),
        }
    }

    /// The line and where it stands: another profile's program may be told by it who asks.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { profile, line, name: _, args: _, files, machine, surroundings } = self;
        key.field("process", &line.to_string());
        key.field("process profile", profile);
        key.field("process machine", &machine.to_string());
        key.field("process surroundings", &surroundings.to_string());
        for file in files {
            key.field("process file", &file.to_string_lossy());
        }
    }

    /// How long it may take.
    pub(crate) fn patience() -> Duration {
        LIMIT
    }

    /// Runs it.
    pub(crate) async fn obtain(&self, host: &Host) -> Result<Keys> {
        let Self { name, args, .. } = self;
        let program = shown(name);
        if !host.programs.find(name) {
            return Err(Error::config(format!("there is no program `{program}`"))
                .because(format!(
                    "{} names it; it is looked for at an absolute path, or in the absolute folders \
                     of PATH",
                    self.of()
                ))
                .next(format!("command -v {}", quoted(name))));
        }
        host.notes.note(&format!("running `{program}`, {}", self.of()));
        let (name, args) = (name.clone(), args.clone());
        let program = Program { name, args, env: Vec::new(), limit: LIMIT };
        let with_line = |error: Error| error.or_next(|| setting(&self.profile));
        let finished = host.programs.run(&program).await.map_err(with_line)?;
        if !finished.is_success() {
            return Err(self.failed(&finished));
        }
        self.read(finished.stdout.expose_secret(), host).map_err(with_line)
    }

    fn read(&self, answer: &str, host: &Host) -> Result<Keys> {
        let lent = Lent::read(answer.as_bytes(), Lender::Program(self.of()))?;
        if lent.version() != Some(1) {
            return Err(Error::failed(format!("the answer of {} was not understood", self.of()))
                .because("its `Version` has to be the number 1"));
        }
        lent.keys(host)
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        self.of()
    }

    /// Who asks with its keys.
    pub(crate) fn asker(&self) -> Asker {
        Asker {
            who: format!("profile `{}`", shown(&self.profile)),
            profile: Some(self.profile.clone()),
            sign_in: None,
        }
    }

    fn of(&self) -> String {
        of(&self.profile)
    }

    fn failed(&self, finished: &Finished) -> Error {
        let ended = match finished.code {
            Some(code) => format!("it ended with {code}"),
            None => "a signal ended it".into(),
        };
        let said = last_lines(&masked(&finished.stderr, &self.args));
        let cause = if said.is_empty() {
            format!("{ended}, without a word")
        } else {
            format!("{ended}: {said}")
        };
        Error::failed(format!("{} failed", self.of()))
            .because(cause)
            .next(format!("aws sts get-caller-identity{}", profile_flag(Some(&self.profile))))
    }
}

fn of(profile: &str) -> String {
    format!("`credential_process` of profile `{}`", shown(profile))
}

/// The line that shows the setting.
fn setting(profile: &str) -> String {
    format!("aws configure get credential_process{}", profile_flag(Some(profile)))
}

/// What it said, without the words of its own command line: people put passwords there, and programs
/// repeat what they were called with. Short ones stay, or nothing could be read any more.
fn masked(said: &str, args: &[String]) -> String {
    let value = |word: &'_ str| match word.strip_prefix('-') {
        Some(flag) => flag.split_once('=').map(|(_, value)| value.to_owned()),
        None => Some(word.to_owned()),
    };
    let mut words: Vec<_> = args.iter().filter_map(|word| value(word)).collect();
    words.retain(|word| word.chars().count() >= SHORTEST_SECRET);
    // a word may be a part of another
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.iter().fold(said.to_owned(), |said, word| said.replace(word.as_str(), "…"))
}

/// The shortest word that could be one.
const SHORTEST_SECRET: usize = 6;

/// The last of what it said, on one line.
fn last_lines(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut last: Vec<_> = lines.rev().take(LINES).map(shown).collect();
    last.reverse();
    last.join(" / ")
}

/// How many lines of what a program said are passed on.
const LINES: usize = 3;

#[cfg(test)]
mod tests;
