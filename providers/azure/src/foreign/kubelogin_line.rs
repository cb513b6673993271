//! Users that run kubelogin: the one of Azure, not the one of int128 that has the same name.
//!
//! What the user's own variables say is settled here: kubelogin lets them win over its flags, and here
//! flags win. So a variable that would win becomes the flag, unless its value is a secret; then the
//! flag goes, and the variable stays.

use fleetkey_provider::{Error, Result};

use super::{
    adopt::Found,
    flags::{self, Owner, Takes, Values},
    line::{self, Line, Spelled},
    variables_win::{self, Winner},
};
use crate::{given::Chosen, given::Origin, login::Login, variables};

/// The program.
pub(super) const NAME: &str = "kubelogin";

/// Its command that prints a token.
pub(super) const GET_TOKEN: &str = "get-token";

/// What it does where nobody says how to sign in.
pub(super) const DEFAULT_LOGIN: &str = "devicecode";

type Env = [(String, String)];

/// Understands a user; `None` if it is no question for a token, or another program's.
pub(super) fn read(args: &[String], env: &Env) -> Option<Result<Found>> {
    if !args.iter().any(|arg| arg == GET_TOKEN) || is_int128s(args) {
        return None;
    }
    let line = match line(args, &[]) {
        Ok(line) => line,
        Err(error) => return Some(Err(error)),
    };
    let (first, words) = line.words.split_first()?;
    (first == GET_TOKEN).then(|| understood(line.values, words.is_empty(), env))
}

/// Whether somebody means int128's kubelogin: none of its command lines is without these.
pub(super) fn is_int128s(args: &[String]) -> bool {
    args.iter().any(|arg| arg.starts_with("--oidc-"))
}

/// A command line of kubelogin, which for some commands has more flags: a long name, perhaps a short
/// one, and what stands behind it.
pub(super) fn line(args: &[String], more: &[(&'static str, Option<char>, Takes)]) -> Result<Line> {
    line::parse(NAME, args, &|spelled| {
        let flag = match spelled {
            Spelled::Long(name) => flags::named(name),
            Spelled::Short(letter) => flags::short(letter),
        };
        let flag = flag.filter(|flag| flag.owner != Owner::Fleetkey);
        flag.map(|flag| (flag.name, flag.takes)).or_else(|| {
            let found = more.iter().find(|(long, short, _)| match spelled {
                Spelled::Long(name) => name == *long,
                Spelled::Short(letter) => Some(letter) == *short,
            });
            found.map(|(long, _, takes)| (*long, *takes))
        })
    })
}

/// The way to sign in of that name.
pub(super) fn login(name: &str) -> Result<Login> {
    Login::parse(&Chosen { value: name.to_owned(), from: Origin::Flag(flags::LOGIN) })
}

fn understood(mut values: Values, is_all_flags: bool, env: &Env) -> Result<Found> {
    let mut notes = Vec::new();
    if !is_all_flags {
        // not shown: it may be a secret behind a `=` too many
        notes.push("a word that is no flag is left out, as kubelogin ignores it".to_owned());
    }
    let env = settle(&mut values, env, &mut notes)?;
    Ok(Found { values, env, notes })
}

/// Settles who wins, and gives back the variables that are still needed.
fn settle(
    values: &mut Values,
    env: &Env,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, String)>> {
    let mut env = env.to_vec();
    if let Some(folder) = taken(&mut env, variables::KUBECACHEDIR)
        && flags::filled(values, flags::CACHE_DIR).is_none()
    {
        values.insert(flags::CACHE_DIR, folder);
    }
    let is_heard = !flags::is_on(values, flags::DISABLE_ENVIRONMENT_OVERRIDE);
    if is_heard
        && let Some(login) = taken(&mut env, variables::AAD_LOGIN_METHOD)
        && !login.is_empty()
    {
        values.insert(flags::LOGIN, login);
    }
    let name = flags::filled(values, flags::LOGIN).unwrap_or(DEFAULT_LOGIN).to_owned();
    let login = login(&name)?;
    values.insert(flags::LOGIN, name);
    for flag in variables_win::FLAGS.into_iter().filter_map(flags::named) {
        if !is_heard || !flag.said_for.has(Some(login)) {
            continue;
        }
        let winner = variables_win::over(flag.name, Some(login), values, &|name| last(&env, name));
        let Some(Winner { variable, value, family }) = winner else { continue };
        if flag.takes == Takes::Secret {
            if values.remove(flag.name).is_some() {
                notes.push(format!(
                    "`--{}` is left out: `{variable}` is set beside it, and kubelogin takes that",
                    flag.name
                ));
            }
            continue;
        }
        // an empty variable stays, so that nobody else's is read
        env.retain(|(name, _)| {
            !family.contains(&name.as_str()) || (value.is_empty() && name == variable)
        });
        if value.is_empty() {
            values.remove(flag.name);
        } else {
            values.insert(flag.name, value);
        }
    }
    Ok(env)
}

/// A variable's value; a name that stands there twice counts as it stands last.
fn last(env: &Env, name: &str) -> Option<String> {
    env.iter().rev().find(|(variable, _)| variable == name).map(|(_, value)| value.clone())
}

/// The same, and it stays no longer.
fn taken(env: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let value = last(env, name)?;
    env.retain(|(variable, _)| variable != name);
    Some(value)
}

/// The error of a user that names no server.
pub(super) fn no_server_id() -> Error {
    Error::config("no server application is named")
        .because("`--server-id` says whom the token is for; for AKS it is the same everywhere")
        .next(format!("fleetkey kubeconfig convert --server-id {}", crate::server_id::AKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn pairs(env: &[(&str, &str)]) -> Vec<(String, String)> {
        env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    /// Flags as `name=value`, then what stays of the variables.
    fn settled(line: &str, env: &[(&str, &str)]) -> (String, String) {
        let found = read(&words(&format!("get-token {line}")), &pairs(env)).unwrap();
        let Found { values, env, .. } = found.unwrap_or_else(|error| panic!("{line}: {error}"));
        let text = |name: &str, value: &str| format!("{name}={value}");
        let values: Vec<String> = values.iter().map(|(name, value)| text(name, value)).collect();
        let env: Vec<String> = env.iter().map(|(name, value)| text(name, value)).collect();
        (values.join(" "), env.join(" "))
    }

    #[test]
    fn only_a_question_for_a_token_of_azures_kubelogin_is_known() {
        for known in ["get-token", "-v 5 get-token -l msi", "--logtostderr=false --v=1 get-token"] {
            assert!(read(&words(known), &[]).unwrap().is_ok(), "{known}");
        }
        for other in [
            "",
            "convert-kubeconfig -l get-token",
            "get-token --oidc-issuer-url=https://i.example --oidc-client-id=c",
            "oidc-login get-token --oidc-issuer-url https://i.example",
            "oidc-login get-token",
            "--server-id x -l msi",
        ] {
            assert!(read(&words(other), &[]).is_none(), "{other}");
        }
        for broken in
            ["get-token --nonsense x", "get-token --client-secret-file /f", "get-token -l foo"]
        {
            assert!(read(&words(broken), &[]).unwrap().is_err(), "{broken}");
        }
    }

    #[test]
    fn variables_of_the_entry_win_and_become_flags() {
        for (line, env, values, stays) in [
            ("", &[][..], "login=devicecode", ""),
            ("-l msi", &[("AAD_LOGIN_METHOD", "spn")], "login=spn", ""),
            ("-l msi", &[("AAD_LOGIN_METHOD", "")], "login=msi", ""),
            (
                "-l spn --client-id flag",
                &[("AZURE_CLIENT_ID", "env"), ("AAD_SERVICE_PRINCIPAL_CLIENT_ID", "aad")],
                "client-id=env login=spn",
                "",
            ),
            // empty wins, too, and keeps what is set around it from being read
            (
                "-l msi --client-id flag",
                &[("AZURE_CLIENT_ID", "")],
                "login=msi",
                "AZURE_CLIENT_ID=",
            ),
            (
                "-l azurecli",
                &[("AZURE_TENANT_ID", "t"), ("AZURE_CONFIG_DIR", "/az"), ("AZURE_CLIENT_ID", "c")],
                "login=azurecli tenant-id=t",
                "AZURE_CONFIG_DIR=/az AZURE_CLIENT_ID=c",
            ),
            // secrets stay where they are
            (
                "-l spn --client-secret flag",
                &[("AZURE_CLIENT_SECRET", "env")],
                "login=spn",
                "AZURE_CLIENT_SECRET=env",
            ),
            (
                "-l workloadidentity",
                &[("AZURE_AUTHORITY_HOST", "h"), ("AZURE_FEDERATED_TOKEN_FILE", "/f"), ("X", "y")],
                "authority-host=h federated-token-file=/f login=workloadidentity",
                "X=y",
            ),
            (
                "-l spn --use-azurerm-env-vars",
                &[("ARM_CLIENT_ID", "arm"), ("AZURE_CLIENT_ID", "azure")],
                "client-id=arm login=spn use-azurerm-env-vars=true",
                "AZURE_CLIENT_ID=azure",
            ),
            (
                "-l spn --client-id flag --disable-environment-override",
                &[("AZURE_CLIENT_ID", "env"), ("AAD_LOGIN_METHOD", "msi"), ("KUBECACHEDIR", "/c")],
                "cache-dir=/c client-id=flag disable-environment-override=true login=spn",
                "AZURE_CLIENT_ID=env AAD_LOGIN_METHOD=msi",
            ),
            (
                "-l msi --token-cache-dir /flag",
                &[("KUBECACHEDIR", "/env"), ("AZURE_CLI_TIMEOUT", "9s")],
                "cache-dir=/flag login=msi",
                "AZURE_CLI_TIMEOUT=9s",
            ),
            (
                "-l msi",
                &[("AZURE_CLIENT_ID", "a"), ("AZURE_CLIENT_ID", "b")],
                "client-id=b login=msi",
                "",
            ),
        ] {
            assert_eq!(settled(line, env), (values.to_owned(), stays.to_owned()), "{line} {env:?}");
        }
    }
}
