//! What of a token's question stands in a cluster's extension, so that one user of a kubeconfig serves
//! many clusters.
//!
//! Only what `get-token` reads there may be written there: a flag that is silently lost would end in
//! another identity.

use fleetkey_provider::{Error, Extension, Result, shown};
use serde_json::Value;

use super::recognise;

/// The extension that says the same as these arguments.
pub(crate) fn extension(args: &[String]) -> Result<Extension> {
    let mut extension = Extension::new();
    extension.insert("provider".into(), recognise::provider());
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--") else {
            return Err(Error::config("a word that is no flag cannot stand in an extension"));
        };
        let (name, attached) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let name = if name == "role" { "role-arn" } else { name };
        if name == FORWARD && attached.is_none() {
            extension.insert(FORWARD.into(), Value::from(true));
            continue;
        }
        let Some(key) = TEXTS.iter().copied().chain([VIA_ROLE]).find(|key| *key == name) else {
            return Err(only_by_flag(name));
        };
        let Some(value) = attached.or_else(|| words.next()) else {
            return Err(Error::config(format!("`--{key}` needs a value")));
        };
        if key == VIA_ROLE {
            let all = extension.entry(VIA_ROLE).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(all) = all {
                all.push(Value::from(value));
            }
        } else {
            extension.insert(key.into(), Value::from(value));
        }
    }
    Ok(extension)
}

fn only_by_flag(name: &str) -> Error {
    let keys: Vec<_> = TEXTS.iter().map(|key| format!("`{key}`")).collect();
    Error::config(format!("`--{}` can only be said by a flag", shown(name))).because(format!(
        "of a cluster's extension are read {}, `{VIA_ROLE}` and `{FORWARD}`",
        keys.join(", ")
    ))
}

/// What `get-token` reads there as text.
const TEXTS: &[&str] = &[
    "cluster-name",
    "cluster-id",
    "region",
    "profile",
    "sso-session",
    "sso-account-id",
    "sso-role-name",
    "role-arn",
    "external-id",
    "session-name",
];

/// As a list.
const VIA_ROLE: &str = "via-role";

/// As true or false.
const FORWARD: &str = "forward-session-name";

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ClusterInfo, ExecInfo, Kind, Provider};
    use serde_json::json;

    use super::*;
    use crate::{
        Aws,
        testing::{ROLE, World},
    };

    fn of(line: &str) -> Result<Extension> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        extension(&words)
    }

    #[test]
    fn every_flag_is_read_there() {
        let command = crate::arguments::augment(clap::Command::new("aws"));
        let mut flags: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        let mut keys = [TEXTS, &[VIA_ROLE, FORWARD]].concat();
        flags.sort_unstable();
        keys.sort_unstable();
        assert_eq!(flags, keys);
    }

    #[test]
    fn each_flag_is_written_under_its_name() {
        let line: Vec<_> = TEXTS.iter().map(|key| format!("--{key} x")).collect();
        let found = of(&line.join(" ")).unwrap();
        assert_eq!(found.len(), TEXTS.len() + 1);
        assert_eq!(found["provider"], "aws");
        assert_eq!(
            Value::from(of("--cluster-name a --role b --cluster-name=c=d").unwrap()),
            json!({"provider": "aws", "cluster-name": "c=d", "role-arn": "b"})
        );
        assert_eq!(
            Value::from(of("--via-role a --forward-session-name --via-role=b").unwrap()),
            json!({"provider": "aws", "via-role": ["a", "b"], "forward-session-name": true})
        );
    }

    #[test]
    fn what_is_written_asks_the_same_as_the_flags() {
        let world = World::new();
        for line in [
            format!("--profile keys --role-arn {ROLE} --external-id ext --session-name me"),
            format!("--profile keys --role-arn {ROLE} --via-role {ROLE} --forward-session-name"),
            "--profile keys --region eu-west-2".into(),
        ] {
            let config = of(&format!("--cluster-name c {line}")).unwrap();
            let exec = ExecInfo {
                cluster: Some(ClusterInfo { config, ..ClusterInfo::default() }),
                ..ExecInfo::default()
            };
            let command = Aws.arguments(clap::Command::new("aws").no_binary_name(true));
            let mut matches = command.try_get_matches_from([""; 0]).unwrap();
            let by_extension = Aws.request(&mut matches, &exec, &world.host()).unwrap();
            let by_flags = world.ask(&line).unwrap();
            assert_eq!(format!("{by_extension:?}"), format!("{by_flags:?}"));
        }
    }

    #[test]
    fn what_only_a_flag_can_say_is_named() {
        for (line, words) in [
            ("--timeout 3", "`--timeout` can only be said by a flag"),
            ("--no-cache", "`--no-cache` can only"),
            ("-v", "a word that is no flag"),
            ("hunter2", "a word that is no flag"),
            ("--region", "`--region` needs a value"),
        ] {
            let error = of(line).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
