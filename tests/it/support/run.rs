//! What became of a program, and what a person or a client can make of it.

use std::{process::Command, time::Duration};

use serde_json::Value;

/// All that is left of a program that has ended.
#[derive(Debug)]
#[must_use = "a run that nobody looks at tests nothing"]
pub(crate) struct Run {
    /// Its exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it answered.
    pub(crate) stdout: String,
    /// What it said besides.
    pub(crate) stderr: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

impl Run {
    /// The ExecCredential, if all is as a client wants it: exit code 0, one line, silence besides.
    pub(crate) fn answer(&self) -> Value {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "stdout: {}", self.stdout);
        assert!(
            self.stdout.ends_with('\n') && self.stdout.lines().count() == 1,
            "not one line: {}",
            self.stdout
        );
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The token in it.
    pub(crate) fn token(&self) -> String {
        self.answer()["status"]["token"].as_str().unwrap().to_owned()
    }

    /// What, why, and what to type next, if it failed with that code as a person wants it: no
    /// answer, three lines, of which a shell understands the last.
    pub(crate) fn failed(&self, code: i32) -> [String; 3] {
        let said = &self.stderr;
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{said}");
        let lines: Vec<&str> = said.split_terminator('\n').collect();
        let [what, why, next] = lines[..] else { panic!("not three lines:\n{said}") };
        let what = what.strip_prefix("error: ").unwrap_or_else(|| panic!("{said}"));
        // what speaks for itself has no cause
        let why = if why == "  next, type:" {
            Some("")
        } else {
            why.strip_prefix("  why: ").and_then(|why| why.strip_suffix("; next, type:"))
        };
        let why = why.unwrap_or_else(|| panic!("{said}"));
        let program = program(next);
        assert!(PASTEABLE.contains(&program), "cannot be pasted: {next}");
        #[cfg(unix)]
        assert!(
            Command::new("/bin/sh").args(["-n", "-c", next]).status().unwrap().success(),
            "a shell cannot read: {next}"
        );
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
        [what, why, next].map(str::to_owned)
    }

    /// The same of a run that asked a person first: what it told them stands before its last words.
    pub(crate) fn gave_up(self, code: i32) -> [String; 3] {
        let at = self.stderr.find("error: ").unwrap_or_else(|| panic!("{}", self.stderr));
        Self { stderr: self.stderr[at..].to_owned(), ..self }.failed(code)
    }

    /// Nothing of these stands in anything it said.
    pub(crate) fn keeps_secret(&self, secrets: &[String]) {
        let shown = |secret: &str| self.stderr.contains(secret) || self.stdout.contains(secret);
        for secret in secrets.iter().map(String::as_str).chain(MARKS.iter().copied()) {
            assert!(secret.len() > 8, "too short to be looked for: {secret}");
            assert!(!shown(secret), "{secret} in:\n{}{}", self.stdout, self.stderr);
        }
    }
}

/// The programs that an error may tell somebody to type.
const PASTEABLE: &[&str] = &[
    "fleetkey", "aws", "az", "azd", "command", "curl", "kubectl", "date", "ls", "sed", "openssl",
    "grep", "sudo", "chmod", "printf", "unset",
];

/// The first word behind the variables that are set for it, whose values may be quoted.
fn program(mut line: &str) -> &str {
    loop {
        let word = line.split(' ').next().unwrap_or_default();
        let Some((name, _)) = word.split_once('=') else { return word };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
            return word;
        }
        let value = &line[name.len() + 1..];
        let end = match value.strip_prefix('\'') {
            Some(rest) => 1 + rest.find("' ").map_or(rest.len(), |at| at + 1),
            None => value.find(' ').unwrap_or(value.len()),
        };
        line = value[end..].trim_start();
    }
}

/// What stands in or before every secret that the sandbox lends, and in no error.
const MARKS: &[&str] = &["IQoJb3JpZ2luX2VjE", "SecretAccessKey", "SessionToken", "X-Amz-Signature"];
