//! Our binary under kubelogin's name: scripts and kubeconfigs that call it go on as they are.
//!
//! A question for a token is asked as kubelogin would ask it, its order of flags and variables
//! included. What it keeps is not kept here, so what clears it is refused, with a line that helps.

use fleetkey_provider::{Env, Error, Overrides, Result, StandIn, shown};

use super::{
    adopt::Found,
    convert::Convert,
    flags::{self, Takes, Values},
    kubelogin_line::{self, DEFAULT_LOGIN, GET_TOKEN, NAME},
    manner::{self, Kubelogin},
    variables_win,
};
use crate::{login::Login, server_id::AKS, variables};

/// Understands a command line of kubelogin's; `None` if it is not called so.
pub(crate) fn stands_in(program: &str, args: &[String], env: &dyn Env) -> Option<Result<StandIn>> {
    // what is wrong with it is said as kubelogin says it
    (program == NAME).then(|| Ok(stand_in(args, env).unwrap_or_else(manner::wrong)))
}

fn stand_in(args: &[String], env: &dyn Env) -> Result<StandIn> {
    if kubelogin_line::is_int128s(args) {
        return Err(Error::failed("this stands in for Azure's `kubelogin`").because(
            "flags that begin with `--oidc-` are those of int128's program of that name",
        ));
    }
    let line = kubelogin_line::line(args, MORE)?;
    let command = line.words.first().map(String::as_str);
    if flags::is_on(&line.values, "help") {
        return Ok(StandIn::Text(HELP.to_owned()));
    }
    match command {
        None if flags::is_on(&line.values, "version") => Ok(StandIn::Text(version())),
        None | Some("help") => Ok(StandIn::Text(HELP.to_owned())),
        Some("version") => Ok(StandIn::Text(version())),
        Some(GET_TOKEN) => token(line.values, env),
        Some("convert-kubeconfig") => {
            Ok(StandIn::Convert(Box::new(Convert::new(line.values, &lookup(env))?)))
        }
        Some("remove-cache-dir" | "remove-tokens") => Err(Error::failed(
            "nothing is removed: kubelogin's cache is not used here",
        )
        .because(
            "sessions and credentials are fleetkey's, also for contexts that run `kubelogin`; this ends \
             all of them",
        )
        .next("fleetkey logout --all")),
        Some("completion") => {
            Err(Error::failed("`completion` is not there").next("fleetkey --help"))
        }
        Some(other) => Err(Error::failed(format!("`kubelogin` has no command `{}`", shown(other)))
            .next("fleetkey --help")),
    }
}

/// A question for a token, as our `get-token` understands it.
fn token(mut values: Values, env: &dyn Env) -> Result<StandIn> {
    if let Some((flag, ..)) = OF_CONVERT.iter().find(|(flag, ..)| values.contains_key(flag)) {
        return Err(Error::failed(format!("`kubelogin get-token` has no flag `--{flag}`")));
    }
    if flags::filled(&values, flags::SERVER_ID).is_none() {
        return Err(Error::failed("server-id is required")
            .because("`--server-id` says whom the token is for; for AKS it is the same everywhere")
            .next(format!("kubelogin get-token --server-id {AKS}")));
    }
    let var = lookup(env);
    let login = effective_login(&values, &var)?;
    let is_verbose = is_verbose(&values)?;
    values.insert(flags::LOGIN, login.name().to_owned());
    if !flags::is_on(&values, flags::DISABLE_ENVIRONMENT_OVERRIDE) {
        values.insert(flags::ENV_OVERRIDES_FLAGS, "true".to_owned());
        let client = variables_win::over(flags::CLIENT_ID, Some(login), &values, &var);
        match client.filter(|_| login == Login::Msi) {
            // in kubelogin a client id hides a resource id, wherever it is from
            Some(client) if !client.value.is_empty() => {
                values.remove(flags::IDENTITY_RESOURCE_ID);
            }
            Some(_) => {
                values.remove(flags::CLIENT_ID);
            }
            None => {}
        }
    }
    if flags::filled(&values, flags::CACHE_DIR).is_none()
        && let Some(folder) = var(variables::KUBECACHEDIR)
    {
        values.insert(flags::CACHE_DIR, folder);
    }
    let found = Found { values, env: Vec::new(), notes: Vec::new() };
    let mut args = found.adopted(&Overrides::default())?.args;
    if is_verbose {
        args.push("--verbose".to_owned());
    }
    Ok(StandIn::Token { args, manner: Box::new(Kubelogin) })
}

/// The way to sign in, after the environment had its say.
pub(super) fn effective_login(
    values: &Values,
    var: &dyn Fn(&str) -> Option<String>,
) -> Result<Login> {
    let is_heard = !flags::is_on(values, flags::DISABLE_ENVIRONMENT_OVERRIDE);
    let named = is_heard.then(|| var(variables::AAD_LOGIN_METHOD)).flatten();
    let named = named.or_else(|| values.get(flags::LOGIN).cloned());
    kubelogin_line::login(named.as_deref().unwrap_or(DEFAULT_LOGIN))
}

/// kubelogin says something of use from level 5 on.
fn is_verbose(values: &Values) -> Result<bool> {
    let Some(level) = values.get("v") else { return Ok(false) };
    match level.parse::<i32>() {
        Ok(level) => Ok(level >= 5),
        Err(_) => Err(Error::failed("`--v` is no level").because("it is a number")),
    }
}

fn lookup(env: &dyn Env) -> impl Fn(&str) -> Option<String> + '_ {
    |name| env.var(name).map(|value| value.to_string_lossy().into_owned())
}

fn version() -> String {
    format!(
        "kubelogin, for which fleetkey {} stands in\nthe flags are those of Azure's kubelogin 0.2.19\n",
        env!("CARGO_PKG_VERSION")
    )
}

const HELP: &str = "\
fleetkey stands in for Azure's kubelogin here, under its name.

  kubelogin get-token           prints a token for a cluster as an ExecCredential
  kubelogin convert-kubeconfig  makes users of kubeconfigs run kubelogin

The flags are kubelogin's. `fleetkey get-token azure --help` tells of them, and of more.
";

/// Flags of `convert-kubeconfig` alone.
const OF_CONVERT: [(&str, Option<char>, Takes); 3] = [
    (KUBECONFIG, None, Takes::Text),
    (CONTEXT, None, Takes::Text),
    (AZURE_CONFIG_DIR, None, Takes::Text),
];

pub(super) const KUBECONFIG: &str = "kubeconfig";
pub(super) const CONTEXT: &str = "context";
pub(super) const AZURE_CONFIG_DIR: &str = "azure-config-dir";

/// Every flag that is not one of `get-token`.
const MORE: &[(&str, Option<char>, Takes)] = &[
    OF_CONVERT[0],
    OF_CONVERT[1],
    OF_CONVERT[2],
    ("help", Some('h'), Takes::Switch),
    ("version", None, Takes::Switch),
];

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    fn called(line: &str, env: &[(&str, &str)]) -> Result<StandIn> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        stand_in(&args, &StaticEnv::new(env.iter().copied()))
    }

    fn asked(line: &str, env: &[(&str, &str)]) -> String {
        match called(&format!("get-token {line}"), env) {
            Ok(StandIn::Token { args, .. }) => args.join(" "),
            Ok(_) => panic!("{line}: no token"),
            Err(error) => panic!("{line}: {error}"),
        }
    }

    #[test]
    fn a_token_is_asked_for_in_kubelogins_order() {
        for (line, env, expected) in [
            ("--server-id s", &[][..], "--login devicecode --server-id s --env-overrides-flags"),
            (
                "--server-id s -lspn -t t --client-id c --v 1",
                &[("AAD_LOGIN_METHOD", "msi")],
                "--login msi --server-id s --client-id c --env-overrides-flags",
            ),
            (
                "--server-id s -l msi --disable-environment-override",
                &[("AAD_LOGIN_METHOD", "spn"), ("KUBECACHEDIR", "/c")],
                "--login msi --server-id s --disable-environment-override --cache-dir /c",
            ),
            (
                "--server-id s --token-cache-dir /f --timeout 1m30s -e foo",
                &[("KUBECACHEDIR", "/c")],
                "--login devicecode --server-id s --env-overrides-flags --timeout 90 --cache-dir /f",
            ),
            // a client id hides a resource id
            (
                "--server-id s -l msi --identity-resource-id /r",
                &[("AZURE_CLIENT_ID", "c")],
                "--login msi --server-id s --env-overrides-flags",
            ),
            (
                "--server-id s -l msi --identity-resource-id /r --client-id c",
                &[("AZURE_CLIENT_ID", "")],
                "--login msi --server-id s --identity-resource-id /r --env-overrides-flags",
            ),
            // no binding where kubelogin binds none
            (
                "--server-id s --pop-enabled --pop-claims u=x",
                &[],
                "--login devicecode --server-id s --env-overrides-flags",
            ),
            (
                "-v 10 --server-id s -l azurecli -t t --subscription x",
                &[],
                "--login azurecli --server-id s --tenant-id t --subscription x \
                 --env-overrides-flags --verbose",
            ),
        ] {
            assert_eq!(asked(line, env), expected, "{line}");
        }
    }

    #[test]
    fn what_fails_exits_1_and_shows_no_value() {
        for (line, env, message) in [
            ("get-token", &[][..], "server-id is required"),
            ("get-token --server-id s -l foo", &[], "`--login` names no way to sign in: `foo`"),
            (
                "get-token --server-id s",
                &[("AAD_LOGIN_METHOD", "")],
                "`--login` names no way to sign in: ``",
            ),
            ("get-token --nonsense=hunter2", &[], "`kubelogin` has no flag `--nonsense`"),
            ("get-token --context hunter2", &[], "`kubelogin get-token` has no flag `--context`"),
            ("get-token --server-id s --timeout 0s", &[], "`--timeout` is no time: `0s`"),
            ("get-token --server-id s -v hunter2", &[], "`--v` is no level"),
            ("get-token --oidc-issuer-url=x", &[], "this stands in for Azure's `kubelogin`"),
            ("remove-tokens", &[], "nothing is removed: kubelogin's cache is not used here"),
            (
                "remove-cache-dir --cache-dir /x",
                &[],
                "nothing is removed: kubelogin's cache is not used here",
            ),
            ("completion bash", &[], "`completion` is not there"),
            ("nonsense", &[], "`kubelogin` has no command `nonsense`"),
        ] {
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let meant = stands_in(NAME, &args, &StaticEnv::new(env.iter().copied()));
            let Some(Ok(StandIn::Token { manner, .. })) = meant else { panic!("{line}") };
            let error = manner.version(None).unwrap_err();
            let (text, code) = manner.failure(&error);
            assert!(text.starts_with(&format!("Error: {message}\n")), "{line}: {text}");
            assert!(code == 1 && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn texts_are_told_and_other_names_are_not_ours() {
        for (line, word) in [
            ("", "get-token"),
            ("help", "convert-kubeconfig"),
            ("get-token --help", "get-token"),
            ("convert-kubeconfig -h", "get-token"),
            ("--version", "fleetkey"),
            ("version", "fleetkey"),
        ] {
            let Ok(StandIn::Text(text)) = called(line, &[]) else { panic!("{line}") };
            assert!(text.contains(word) && text.ends_with('\n'), "{line}: {text}");
        }
        assert!(matches!(called("convert-kubeconfig", &[]), Ok(StandIn::Convert(_))));
        for other in ["fleetkey", "kubectl", "az", "kubelogin.exe", ""] {
            let args = ["get-token".to_owned()];
            assert!(stands_in(other, &args, &StaticEnv::default()).is_none(), "{other}");
        }
    }
}
