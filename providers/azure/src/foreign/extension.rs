//! What of an entry's arguments may stand in the cluster's extension instead, so that one user serves
//! many clusters.

use fleetkey_provider::{Error, Extension, Result};
use serde_json::Value;

use super::{
    flags::{self, Owner, Takes},
    line::{self, Spelled},
    recognise::PROVIDER,
};
use crate::{NAME, arguments::FROM_CLUSTER};

/// The extension that says the same as those arguments. Errors if something of them can only be said
/// by flags.
pub(crate) fn extension(args: &[String]) -> Result<Extension> {
    let line = line::parse("get-token azure", args, &|spelled| {
        let flag = match spelled {
            Spelled::Long(name) => flags::named(name),
            Spelled::Short(letter) => flags::short(letter),
        };
        flag.filter(|flag| flag.owner != Owner::Kubelogin).map(|flag| (flag.name, flag.takes))
    })?;
    if !line.words.is_empty() {
        return Err(Error::config("a word that is no flag says nothing of a cluster"));
    }
    let mut extension = Extension::from_iter([(PROVIDER.to_owned(), Value::from(NAME))]);
    for (name, value) in line.values {
        let is_switch = flags::named(name).is_some_and(|flag| flag.takes == Takes::Switch);
        if value.is_empty() {
            continue;
        }
        if !FROM_CLUSTER.contains(&name) {
            return Err(only_by_flags(name));
        }
        let value = if is_switch { Value::from(value == "true") } else { Value::from(value) };
        extension.insert(name.to_owned(), value);
    }
    Ok(extension)
}

fn only_by_flags(name: &str) -> Error {
    let known: Vec<String> = FROM_CLUSTER.iter().map(|key| format!("`{key}`")).collect();
    Error::config(format!("`--{name}` can only be said by flags")).because(format!(
        "a cluster names no secret, no file and no host; it may say {}",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(args: &[&str]) -> Result<Value> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        extension(&args).map(Value::Object)
    }

    #[test]
    fn what_a_cluster_may_say_goes_there_with_whose_it_is() {
        let args = [
            "-l",
            "spn",
            "--server-id=S",
            "-t",
            "T",
            "--client-id",
            "C",
            "-e",
            "AzureCloud",
            "-s",
            "sub",
            "--login-hint",
            "ann",
            "--legacy",
            "--pop-enabled=false",
            "--pop-claims",
            "",
        ];
        let expected = json!({
            "provider": "azure", "login": "spn", "server-id": "S", "tenant-id": "T",
            "client-id": "C", "environment": "AzureCloud", "subscription": "sub",
            "login-hint": "ann", "legacy": true, "pop-enabled": false,
        });
        assert_eq!(of(&args).unwrap(), expected);
        assert_eq!(of(&[]).unwrap(), json!({"provider": "azure"}));
    }

    #[test]
    fn what_is_a_secret_a_file_or_a_host_does_not() {
        for flag in flags::FLAGS.iter().filter(|flag| !FROM_CLUSTER.contains(&flag.name)) {
            if flag.owner == Owner::Kubelogin {
                continue;
            }
            let arg = match flag.takes {
                Takes::Switch => format!("--{}", flag.name),
                _ => format!("--{}=hunter2", flag.name),
            };
            let error = of(&[&arg]).unwrap_err();
            assert_eq!(error.message(), format!("`--{}` can only be said by flags", flag.name));
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for bad in [&["hunter2"][..], &["--nonsense"], &["--server-id"], &["-v"]] {
            assert!(!of(bad).unwrap_err().to_string().contains("hunter2"), "{bad:?}");
        }
    }
}
