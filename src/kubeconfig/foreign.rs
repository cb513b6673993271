//! A user that runs another program, as providers are asked about it.
//!
//! A wrapper is seen through only where it is certain what it runs: `env` with variables, and a shell with
//! one plain command. Whatever else runs one of these programs is left alone, with the reason.

use std::collections::BTreeMap;

use fleetkey_provider::Foreign;
use serde_json::{Map, Value};

use super::stanza::NAME;

/// What a user is to us.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// Nothing that runs a program.
    Nothing,
    /// Ours already.
    Ours,
    /// Another program's.
    Foreign(Foreign),
    /// A program that runs another one, which may be known: its name, and the words that it has.
    Wrapped(String, Vec<String>),
}

/// Reads the value of a user.
pub(crate) fn of(user: &Value) -> Found {
    if let Some(exec) = user.get("exec").and_then(Value::as_object) {
        return program(exec);
    }
    let Some(provider) = user.get("auth-provider").and_then(Value::as_object) else {
        return Found::Nothing;
    };
    let name = provider.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let config = provider.get("config").and_then(Value::as_object);
    let config: BTreeMap<_, _> = config
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    Found::Foreign(Foreign::AuthProvider { name, config })
}

/// The name of a program: no folders, lower case, without `.exe`.
pub(crate) fn name_of(command: &str) -> String {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

fn program(exec: &Map<String, Value>) -> Found {
    let command = exec.get("command").and_then(Value::as_str).unwrap_or_default();
    let texts = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    };
    let args = exec.get("args").and_then(Value::as_array);
    let mut args: Vec<String> = args.into_iter().flatten().filter_map(texts).collect();
    let env = exec.get("env").and_then(Value::as_array).into_iter().flatten();
    let mut env: Vec<(String, String)> = env
        .filter_map(|pair| Some((texts(pair.get("name")?)?, texts(pair.get("value")?)?)))
        .collect();
    let mut name = name_of(command);
    for _ in 0..DEEPEST {
        let inner = match name.as_str() {
            "env" => behind_env(&args, &mut env),
            "sh" | "bash" | "dash" | "zsh" => in_shell(&args),
            _ => None,
        };
        let Some(mut line) = inner.filter(|line| !line.is_empty()) else { break };
        name = name_of(&line.remove(0));
        args = line;
    }
    if name == NAME && args.first().is_some_and(|verb| verb == "get-token") {
        return Found::Ours;
    }
    if name_of(command) == name || !WRAPPERS.contains(&name.as_str()) {
        // a program by itself; the rest is for providers to know
        if !is_wrapper(&name, &args) {
            return Found::Foreign(Foreign::Program { name, args, env });
        }
    }
    Found::Wrapped(name, args)
}

/// Shells and `env`, where what they run could not be told.
const WRAPPERS: &[&str] = &["env", "sh", "bash", "dash", "zsh"];
/// Wrappers of wrappers.
const DEEPEST: usize = 4;

/// Whether a program runs another one that stands among its words: behind `--`, or in a line for a shell.
fn is_wrapper(name: &str, args: &[String]) -> bool {
    WRAPPERS.contains(&name) || args.iter().any(|word| word == "--")
}

/// `env NAME=VALUE … PROGRAM …`: nothing but variables before the program.
fn behind_env(args: &[String], env: &mut Vec<(String, String)>) -> Option<Vec<String>> {
    let at = args.iter().position(|word| variable(word).is_none())?;
    if args[at].starts_with('-') {
        return None;
    }
    for (name, value) in args[..at].iter().filter_map(|word| variable(word)) {
        env.retain(|(known, _)| *known != name);
        env.push((name, value));
    }
    Some(args[at..].to_vec())
}

fn variable(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name.to_owned(), value.to_owned()))
}

/// `sh -c LINE`, where the line is one command of words that no shell reads anything into.
fn in_shell(args: &[String]) -> Option<Vec<String>> {
    let [flag, line] = args else { return None };
    // a login shell reads files that may set variables
    if flag != "-c" && flag != "-ec" {
        return None;
    }
    let line = line.trim();
    let line = line.strip_prefix("exec ").unwrap_or(line);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" _-./:@%+=,".contains(&byte);
    if !line.bytes().all(is_plain) {
        return None;
    }
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    // a variable before a command is for `env` to read
    if words.first().is_some_and(|word| variable(word).is_some()) {
        return Some(std::iter::once("env".to_owned()).chain(words).collect());
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(command: &str, args: &[&str]) -> Found {
        of(
            &json!({"exec": {"command": command, "args": args, "env": [{"name": "A", "value": "1"}]}}),
        )
    }

    fn runs(found: Found) -> String {
        match found {
            Found::Foreign(Foreign::Program { name, args, env }) => {
                let env = env.iter().map(|(name, value)| format!("{name}={value} "));
                format!("{}{name} {}", env.collect::<String>(), args.join(" "))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_program_is_known_by_its_name_wherever_it_is() {
        for command in ["mars", "/opt/x/Mars", r"C:\Tools\mars.EXE", "./mars.exe"] {
            assert_eq!(runs(found(command, &["get", "-x"])), "A=1 mars get -x", "{command}");
        }
    }

    #[test]
    fn a_wrapper_is_seen_through_only_where_it_is_certain() {
        for (command, args, what) in [
            ("env", &["B=2", "A=3", "mars", "get"][..], "B=2 A=3 mars get"),
            ("/usr/bin/env", &["mars", "get"], "A=1 mars get"),
            ("sh", &["-c", "exec mars get --x=y"], "A=1 mars get --x=y"),
            ("bash", &["-c", "B=2 mars get"], "A=1 B=2 mars get"),
            ("sh", &["-c", "env B=2 mars get"], "A=1 B=2 mars get"),
        ] {
            assert_eq!(runs(found(command, args)), what);
        }
        for (command, args) in [
            ("env", &["-i", "mars", "get"][..]),
            ("env", &["-u", "X", "mars"]),
            ("sh", &["-c", "mars get | tee x"]),
            ("sh", &["-c", "mars get $X"]),
            ("sh", &["-c", "mars 'get'"]),
            ("sh", &["-c", "mars get", "x"]),
            ("sh", &["x.sh"]),
            ("vault", &["exec", "p", "--", "mars", "get"]),
        ] {
            assert!(matches!(found(command, args), Found::Wrapped(..)), "{command} {args:?}");
        }
    }

    #[test]
    fn ours_and_what_runs_nothing_are_told_apart() {
        assert_eq!(found("/usr/bin/fleetkey", &["get-token", "mars"]), Found::Ours);
        assert_eq!(of(&json!({"token": "x"})), Found::Nothing);
        assert_eq!(of(&Value::Null), Found::Nothing);
        let old = of(&json!({"auth-provider": {"name": "mars", "config": {"a": "b", "c": null}}}));
        let config = [("a".to_owned(), "b".to_owned())].into();
        assert_eq!(old, Found::Foreign(Foreign::AuthProvider { name: "mars".into(), config }));
    }
}
