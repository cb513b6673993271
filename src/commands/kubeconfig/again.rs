//! The line that was typed, to type it once more with something added.

use std::borrow::Cow;

use clap::{ArgMatches, Command, parser::ValueSource};
use fleetkey_provider::quoted;

/// Everything that was typed for that command, but for what is in the way of nobody's secrets: flags of
/// these names are left out.
pub(super) fn line(
    before: &str,
    command: &Command,
    matches: &ArgMatches,
    secrets: &[&str],
) -> String {
    let mut line = before.to_owned();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let name = arg.get_long().unwrap_or(id);
        let is_typed = matches!(matches.try_contains_id(id), Ok(true))
            && matches.value_source(id) == Some(ValueSource::CommandLine);
        if !is_typed || secrets.contains(&name) {
            continue;
        }
        let flag =
            |name: &str| if arg.is_positional() { String::new() } else { format!(" --{name}") };
        if !arg.get_action().takes_values() {
            line += &flag(name);
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            line += &flag(name);
            line = line + " " + &quoted(&without_credentials(&value.to_string_lossy()));
        }
    }
    line
}

/// A URL without who it is used as, and any other text as it is.
pub(super) fn without_credentials(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    let authority = rest.find(['/', '?', '#']).map_or(rest, |at| &rest[..at]);
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    #[test]
    fn what_was_typed_can_be_pasted_without_secrets() {
        let arg = |id: &'static str| Arg::new(id).long(id);
        let command = Command::new("x")
            .arg(arg("name").short('n').action(ArgAction::Append))
            .arg(arg("some_id").id("id"))
            .arg(arg("password"))
            .arg(arg("on").action(ArgAction::SetTrue))
            .arg(arg("off").action(ArgAction::SetTrue))
            .arg(Arg::new("pattern"));
        let typed =
            ["x", "-n", "a b", "--name=c", "--some_id", "d", "--on", "--password", "p", "e*"];
        let matches = command.clone().try_get_matches_from(typed).unwrap();
        assert_eq!(
            line("fleetkey x", &command, &matches, &["password"]),
            "fleetkey x --name 'a b' --name c --some_id d --on 'e*'"
        );
    }

    #[test]
    fn a_proxys_password_is_not_typed_again() {
        let command = Command::new("x").arg(Arg::new("proxy-url").long("proxy-url"));
        let typed = ["x", "--proxy-url", "http://me:hunter2@p@proxy:8080/a@b"];
        let matches = command.clone().try_get_matches_from(typed).unwrap();
        let line = line("fleetkey x", &command, &matches, &[]);
        assert_eq!(line, "fleetkey x --proxy-url http://proxy:8080/a@b");
    }
}
