//! The clap tree: verbs and the flags of every command. Each provider's flags are grafted from the
//! registry, so the tree knows no cloud.

use std::{ffi::OsString, mem::ManuallyDrop};

use clap::{Arg, ArgMatches, Args, Command, error::ErrorKind};
use fleetkey_provider::{Error, Result, shown};

use crate::{options::Flags, registry::PROVIDERS};

/// What a command line asks for.
pub(crate) enum Parsed {
    /// A text to print: help or the version.
    Text(String),
    /// A verb to run.
    Verb(ArgMatches),
}

/// Understands a command line as far as clap can.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let args: Vec<OsString> = args.into_iter().collect();
    // the tree is not taken apart again: the process ends before that would pay
    let mut tree = ManuallyDrop::new(command_line());
    match tree.try_get_matches_from_mut(&args) {
        Ok(matches) => Ok(Parsed::Verb(matches)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Parsed::Text(error.render().to_string()))
            }
            _ => Err(usage(&error).next(help_line(&args))),
        },
    }
}

/// The whole tree; the docs' reference is checked against it.
pub fn command_line() -> Command {
    with_flags(
        Command::new("fleetkey")
            .version(env!("CARGO_PKG_VERSION"))
            .about("One Kubernetes exec credential plugin for every cluster of a mixed fleet")
            .after_help(EXIT_CODES)
            .subcommand_required(true)
            .disable_help_subcommand(true),
    )
    .subcommand(get_token())
    .subcommand(login())
    .subcommand(trust())
}

/// A command with the flags that every command has.
fn with_flags(command: Command) -> Command {
    Flags::augment_args(command.args_override_self(true))
}

/// A usage error in our lines; clap's own text is two paragraphs.
pub(crate) fn usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or("the command line is not understood");
    let advice: Vec<&str> = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(|line| line.strip_prefix("tip: ").unwrap_or(line))
        .collect();
    let ours = |text: &str| shown(text).replace('\'', "`");
    let out = Error::config(ours(message.strip_prefix("error: ").unwrap_or(message)));
    if advice.is_empty() { out } else { out.because(ours(&advice.join(" "))) }
}

/// The help of the deepest command that was typed.
fn help_line(args: &[OsString]) -> String {
    let (mut line, root) = (String::from("fleetkey"), command_line());
    let mut command = &root;
    for word in args.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(deeper) = command.find_subcommand(word) {
            line = line + " " + deeper.get_name();
            command = deeper;
        }
    }
    line + " --help"
}

fn get_token() -> Command {
    let verb = with_flags(
        Command::new("get-token")
            .about("Print a token for a cluster as an ExecCredential")
            .subcommand_required(true)
            .disable_help_subcommand(true),
    );
    PROVIDERS.iter().fold(verb, |verb, provider| {
        let output = Arg::new("output")
            .long("output")
            .value_name("FORM")
            .value_parser(["json", "token"])
            .help("Print an ExecCredential (json), or the bare token [default: json]");
        let command = Command::new(provider.name()).about(provider.about());
        verb.subcommand(with_flags(provider.arguments(command).arg(output)))
    })
}

fn login() -> Command {
    let verb = with_flags(
        Command::new("login")
            .about("Sign in by hand as the identity that `get-token` would use")
            .subcommand_required(true)
            .disable_help_subcommand(true),
    );
    PROVIDERS.iter().fold(verb, |verb, provider| {
        let command = Command::new(provider.name()).about(provider.about());
        verb.subcommand(with_flags(provider.arguments(command)))
    })
}

fn trust() -> Command {
    let host = || {
        Arg::new("host")
            .value_name("HOST")
            .required(true)
            .help("A host name or address, without scheme or port")
    };
    let verbs = [
        Command::new("add").about("Trust a host").arg(host()),
        Command::new("remove").about("Trust a host no longer").arg(host()),
        Command::new("list").about("Print the trusted hosts, one a line"),
    ];
    with_flags(
        Command::new("trust")
            .about("Say which further hosts may be given secrets")
            .subcommand_required(true)
            .disable_help_subcommand(true),
    )
    .subcommands(verbs.map(with_flags))
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 sign-in needed, \
                          4 refused by the cloud, 5 network or cloud unavailable";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        command_line().debug_assert();
    }

    #[test]
    fn a_usage_error_ends_in_the_help_of_the_command_that_was_meant() {
        for (args, help) in [
            ("fleetkey --nonsense", "fleetkey --help"),
            ("fleetkey get-token --nonsense", "fleetkey get-token --help"),
            ("fleetkey -v trust add --nonsense", "fleetkey trust add --help"),
        ] {
            let Err(error) = parse(args.split(' ').map(OsString::from)) else { panic!("accepted") };
            assert_eq!(error.next_line(), Some(help));
            assert_eq!(error.message(), "unexpected argument `--nonsense` found");
        }
    }
}
