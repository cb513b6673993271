//! What somebody typed to have it in place of what an entry says.
//!
//! A secret that was typed is not written down: whoever has it can name a file, or set a variable.

use fleetkey_provider::{Error, Overrides, Result, shown};

use super::{
    adopt::spelled,
    flags::{self, Takes, Values},
};
use crate::login::Login;

/// Puts what was typed in place of what is there. Notes what says nothing for that way to sign in.
pub(super) fn apply(
    values: &mut Values,
    typed: &Overrides,
    login: Option<Login>,
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for (name, value) in &typed.0 {
        let Some(flag) = flags::named(name) else {
            return Err(
                Error::config(format!("`--{}` is no flag of `azure`", shown(name))).next(HELP)
            );
        };
        if flag.takes == Takes::Secret && !value.is_empty() {
            return Err(secret(flag.name));
        }
        if flag.name == flags::LOGIN {
            continue;
        }
        if !flag.said_for.has(login) {
            if !value.is_empty() && value != "false" {
                notes.push(format!("`--{name}` is left out: it is not for {}", spelled(login)));
            }
            continue;
        }
        for other in excluded_by(flag.name, value) {
            if typed.value(other).is_none_or(str::is_empty) {
                values.remove(other);
            }
        }
        values.insert(flag.name, value.clone());
    }
    Ok(notes)
}

/// What of an entry cannot stand beside that flag.
fn excluded_by(name: &str, value: &str) -> Vec<&'static str> {
    let of =
        |group: &[&'static str]| group.iter().copied().filter(|other| *other != name).collect();
    match name {
        flags::CLIENT_ID | flags::IDENTITY_RESOURCE_ID | flags::OBJECT_ID => of(IDENTITIES),
        "client-secret-file" | "client-certificate" => of(PROOFS),
        "password-file" => vec!["password"],
        flags::POP_ENABLED if value == "false" => vec![flags::POP_CLAIMS],
        flags::ENV_OVERRIDES_FLAGS => vec![flags::DISABLE_ENVIRONMENT_OVERRIDE],
        flags::DISABLE_ENVIRONMENT_OVERRIDE => vec![flags::ENV_OVERRIDES_FLAGS],
        _ => Vec::new(),
    }
}

/// Why a secret is not written down that was typed for it.
pub(super) fn secret(name: &str) -> Error {
    let better = match name {
        "password" => "name a file with `--password-file`, or set the variable `AZURE_PASSWORD`",
        "client-secret" => {
            "name a file with `--client-secret-file`, or set the variable `AZURE_CLIENT_SECRET`"
        }
        _ => "set the variable `AZURE_CLIENT_CERTIFICATE_PASSWORD`",
    };
    Error::config(format!("`--{name}` is not written into a kubeconfig"))
        .because(format!("it is a secret, and a kubeconfig is passed around: {better}"))
        .next(HELP)
}

/// Flags that each name the managed identity.
const IDENTITIES: &[&str] = &[flags::CLIENT_ID, flags::IDENTITY_RESOURCE_ID, flags::OBJECT_ID];
/// Flags that each say how an application proves who it is.
const PROOFS: &[&str] =
    &["client-secret", "client-secret-file", "client-certificate", "client-certificate-password"];

const HELP: &str = "fleetkey get-token azure --help";
