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

/// A kubeconfig with a context of each provider, whose user says nothing beside it.
fn bare_contexts() -> (tempfile::TempDir, Program) {
    let home = tempfile::tempdir().unwrap();
    let user = |name: &str| {
        serde_json::json!({ "name": name, "user": { "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "fleetkey", "args": ["get-token", name],
        }}})
    };
    let names = || PROVIDERS.iter().map(|provider| provider.name());
    let context = |name: &str| serde_json::json!({ "name": name, "context": { "user": name } });
    let config = serde_json::json!({
        "users": names().map(user).collect::<Vec<_>>(),
        "contexts": names().map(context).collect::<Vec<_>>(),
    });
    let file = home.path().join("config");
    std::fs::write(&file, config.to_string()).unwrap();
    let program = Program::plugin().env("HOME", home.path()).env("KUBECONFIG", file);
    (home, program)
}

#[test]
fn a_sign_in_is_for_nobody_or_somebody_but_never_for_want_of_a_cluster() {
    for provider in PROVIDERS {
        let home = tempfile::tempdir().unwrap();
        let program = Program::plugin().env("HOME", home.path()).args(["login", provider.name()]);
        let run = program.args(["--ask", "never", "--timeout", "1"]).run();
        assert!([Some(2), Some(3)].contains(&run.code), "{}: {}", provider.name(), run.stderr);
        assert!(!run.stderr.contains("cluster"), "{}: {}", provider.name(), run.stderr);
    }
}

#[test]
fn every_provider_says_how_it_stands_and_can_be_signed_out_of_twice() {
    let (_home, program) = bare_contexts();
    for verb in [&["status", "--json"][..], &["status", "--identities"], &["status"]] {
        let run = program.clone().args(verb.iter().copied()).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{verb:?}: {}", run.stdout);
    }
    let run = program.clone().args(["status", "--json"]).run();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let known = json["contexts"].as_array().unwrap().len();
    let broken = json["failures"].as_array().unwrap().len();
    assert_eq!(known + broken, PROVIDERS.len(), "{json}");
    // what cannot be understood is a mistake, and nothing else is
    let code = if broken == 0 { Some(0) } else { Some(2) };
    for _ in 0..2 {
        let run = program.clone().args(["logout", "--all", "--timeout", "1"]).run();
        assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
    }
}
