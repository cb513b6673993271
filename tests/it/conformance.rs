//! What holds for every provider, whichever are registered.

use clap::{ArgAction, Command};
use fleetkey::registry::PROVIDERS;

use crate::support::Program;

/// A run in a world that offers nothing: no home, no cloud, no cluster.
fn nowhere(provider: &str) -> Program {
    Program::plugin().args(["get-token", provider, "--timeout", "1"])
}

/// The provider's own flags that take a value.
fn value_flags(provider: &'static dyn fleetkey_provider::Provider) -> Vec<String> {
    let command = provider.arguments(Command::new(provider.name()));
    let takes_one =
        |arg: &&clap::Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    command
        .get_arguments()
        .filter(takes_one)
        .filter_map(|arg| arg.get_long())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_provider_has_a_name_a_line_and_sound_flags() {
    for provider in PROVIDERS {
        let name = provider.name();
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
        assert!(!provider.about().is_empty() && !provider.about().contains('\n'), "{name}");
        provider.arguments(Command::new(name)).debug_assert();
        let help = Program::plugin().args(["get-token", name, "--help"]).run();
        assert!(help.stdout.contains("--output"), "{}", help.stdout);
    }
}

#[test]
fn a_provider_that_is_told_nothing_says_what_to_type() {
    for provider in PROVIDERS {
        let [what, ..] = nowhere(provider.name()).run().failed(2);
        assert!(!what.is_empty());
    }
}

#[test]
fn a_flag_given_twice_is_no_mistake_and_a_flag_of_control_characters_is() {
    for provider in PROVIDERS {
        let flags = value_flags(*provider);
        assert!(!flags.is_empty(), "{} has no flags", provider.name());
        for flag in flags {
            let (long, bad) = (format!("--{flag}"), "a\u{1b}[2J\nb");
            let run = nowhere(provider.name()).args([&long, bad, &long, bad]).run();
            run.failed(2);
            assert!(!run.stderr.contains('\u{1b}'), "{flag}: {:?}", run.stderr);
            assert!(!run.stderr.contains("multiple times"), "{flag}: {}", run.stderr);
        }
    }
}
