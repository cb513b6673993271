//! The clap tree: verbs and the flags of every command. Each provider's flags are grafted from the
//! registry, so the tree knows no cloud.

use std::{ffi::OsString, mem::ManuallyDrop};

use clap::{
    Arg, ArgMatches, Args, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use fleetkey_provider::{Error, Result, shown};

use crate::{
    commands,
    options::{self, Flags},
    registry::PROVIDERS,
};

/// What a command line asks for.
pub(crate) enum Parsed {
    /// A text to print: help or the version.
    Text(String),
    /// A verb to run.
    Verb(ArgMatches),
}

/// Understands a command line as far as clap can. The tree is grown only along the words that were
/// typed: all of it, with every provider's flags on two verbs, would be half of a start.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let args: Vec<OsString> = args.into_iter().collect();
    let typed: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let lean = tree(&|name| typed.contains(&name));
    let lean = if options::is_seldom_typed(&typed) { options::with_seldom(lean) } else { lean };
    // the tree is not taken apart again: the process ends before that would pay
    let mut lean = ManuallyDrop::new(lean);
    match lean.try_get_matches_from_mut(&args) {
        Ok(matches) => return Ok(Parsed::Verb(matches)),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => {
            return Ok(Parsed::Text(error.render().to_string()));
        }
        Err(_) => {} // the whole tree has better words
    }
    match command_line().try_get_matches_from_mut(&args) {
        Ok(matches) => Ok(Parsed::Verb(matches)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Parsed::Text(error.render().to_string()))
            }
            _ => Err(with_its_provider(usage(&error), &error).next(help_line(&args))),
        },
    }
}

/// The whole tree; the docs' reference is checked against it.
pub fn command_line() -> Command {
    options::with_seldom(tree(&|_| true))
}

/// How a verb grows below its name, for what was typed.
type Grow = fn(Command, &dyn Fn(&str) -> bool) -> Command;

/// The tree. A command that is not `typed` is there by name alone.
fn tree(typed: &dyn Fn(&str) -> bool) -> Command {
    let root = Command::new("fleetkey")
        .version(env!("CARGO_PKG_VERSION"))
        .about("One Kubernetes exec credential plugin for every cluster of a mixed fleet")
        .after_help(EXIT_CODES)
        .subcommand_required(true)
        .disable_help_subcommand(true);
    let verbs: [(&str, &str, Grow); 6] = [
        ("get-token", "Print a token for a cluster as an ExecCredential", get_token),
        ("kubeconfig", "Convert, add and find entries of kubeconfigs", commands::kubeconfig::grow),
        ("login", "Sign in by hand, once for everything that an identity is used for", login),
        ("logout", "Sign out, and remove what was lent", |verb, _| commands::logout::grow(verb)),
        ("status", "Say how every context stands, and what comes next", |verb, _| {
            commands::status::grow(verb)
        }),
        ("trust", "Say which further hosts may be given secrets", trust),
    ];
    verbs.into_iter().fold(with_flags(root), |root, (name, about, grow)| {
        let verb = Command::new(name).about(about);
        let verb = if typed(name) {
            let verb = verb.subcommand_required(true).disable_help_subcommand(true);
            grow(with_flags(verb), typed)
        } else {
            verb
        };
        root.subcommand(verb)
    })
}

/// A command with the flags that every command has.
pub(crate) fn with_flags(command: Command) -> Command {
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

/// A flag that was typed where none of that name is, but might be behind a provider's.
fn with_its_provider(ours: Error, error: &clap::Error) -> Error {
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if ours.cause().is_none() => flag,
        _ => return ours,
    };
    let has_it = |command: Command| {
        let mut longs = command.get_arguments().filter_map(Arg::get_long);
        longs.any(|long| flag.strip_prefix("--") == Some(long))
    };
    let theirs = PROVIDERS.iter().map(|provider| (provider.name(), provider));
    let theirs = theirs.filter(|(name, one)| has_it(one.arguments(Command::new(*name))));
    let names: Vec<String> = theirs.map(|(name, _)| format!("`{name}`")).collect();
    if names.is_empty() {
        return ours;
    }
    ours.because(format!("it is a flag of {}, and stands behind that word", names.join(" and ")))
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

fn get_token(verb: Command, typed: &dyn Fn(&str) -> bool) -> Command {
    let output = || {
        Arg::new("output")
            .long("output")
            .value_name("FORM")
            .value_parser(["json", "token"])
            .help("Print an ExecCredential (json), or the bare token [default: json]")
    };
    let verb = verb.subcommand_required(false).arg(output()).after_help(WITHOUT_PROVIDER);
    with_providers(verb, typed, &|command| command.arg(output()))
}

fn login(verb: Command, typed: &dyn Fn(&str) -> bool) -> Command {
    let verb = commands::login::grow(verb.subcommand_required(false));
    with_providers(verb, typed, &commands::login::ways)
}

/// A verb with a command for each provider, which has the provider's flags.
fn with_providers(
    verb: Command,
    typed: &dyn Fn(&str) -> bool,
    more: &dyn Fn(Command) -> Command,
) -> Command {
    PROVIDERS.iter().fold(verb, |verb, provider| {
        let command = Command::new(provider.name()).about(provider.about());
        verb.subcommand(if typed(provider.name()) {
            with_flags(more(provider.arguments(command)))
        } else {
            command
        })
    })
}

fn trust(verb: Command, _typed: &dyn Fn(&str) -> bool) -> Command {
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
    verb.subcommands(verbs.map(with_flags))
}

const WITHOUT_PROVIDER: &str = "Without a command the cluster says whose it is, to a user that has \
                                `provideClusterInfo: true`: by `provider` in its extension \
                                `client.authentication.k8s.io/exec`, or by its server's name. What else \
                                is to be said stands in that extension, under the names of the flags";

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

    #[test]
    fn a_flag_in_front_of_its_provider_is_told_where_it_belongs() {
        for provider in PROVIDERS {
            let flags = provider.arguments(Command::new(provider.name()));
            let flag = flags.get_arguments().find_map(Arg::get_long).unwrap();
            let line = ["fleetkey".into(), "get-token".into(), format!("--{flag}=x")];
            let Err(error) = parse(line.map(OsString::from)) else { panic!("accepted") };
            assert!(error.cause().unwrap().contains(provider.name()), "{flag}: {error}");
            assert_eq!(error.next_line(), Some("fleetkey get-token --help"));
        }
    }

    #[test]
    fn the_form_of_an_answer_may_stand_before_the_provider_and_without_one() {
        for line in ["get-token", "get-token --output token", "get-token -v --output json"] {
            let line = format!("fleetkey {line}");
            assert!(matches!(parse(line.split(' ').map(OsString::from)), Ok(Parsed::Verb(_))));
        }
        let name = PROVIDERS[0].name();
        let line = format!("fleetkey get-token --output token {name} --output json");
        assert!(matches!(parse(line.split(' ').map(OsString::from)), Ok(Parsed::Verb(_))));
    }
}
