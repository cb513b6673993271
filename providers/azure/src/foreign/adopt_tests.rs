//! What becomes of users: what they say, what somebody typed in place of it, and what nobody should
//! have written.

use std::collections::BTreeMap;

use clap::{Arg, Command};
use fleetkey_provider::{Adoption, Error, Foreign, Kind, Overrides, Result};

use super::adopt;
use crate::arguments::augment;

const PEOPLES: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn kubelogin(args: Vec<String>, env: &[(&str, &str)], typed: &[(&str, &str)]) -> Result<Adoption> {
    let foreign = Foreign::Program { name: "kubelogin".into(), args, env: pairs(env) };
    adopt(&foreign, &Overrides(pairs(typed))).unwrap()
}

fn adopted(line: &str, typed: &[(&str, &str)]) -> Adoption {
    kubelogin(words(&format!("get-token {line}")), &[], typed)
        .unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn wrong(line: &str, typed: &[(&str, &str)]) -> Error {
    kubelogin(words(&format!("get-token {line}")), &[], typed).unwrap_err()
}

#[test]
fn a_sign_in_stays_what_it_was() {
    for (line, expected) in [
        ("--server-id s", "--login devicecode --server-id s"),
        (
            "--environment AzurePublicCloud --server-id s --client-id c --tenant-id t -l interactive",
            "--login interactive --server-id s --tenant-id t --client-id c --environment AzurePublicCloud",
        ),
        ("--server-id s -l msi --client-id c", "--login msi --server-id s --client-id c"),
        // what kubelogin ignores is not carried along
        (
            "--server-id s -l azurecli -t t -s x --client-id c -e AzureChinaCloud --legacy",
            "--login azurecli --server-id s --tenant-id t --subscription x",
        ),
        (
            "--server-id s -l msi --client-id c --identity-resource-id /r",
            "--login msi --server-id s --client-id c",
        ),
        (
            "--server-id s --legacy --v=5 --logtostderr -t t",
            "--login devicecode --server-id s --tenant-id t --legacy",
        ),
        ("--server-id s --timeout 60s", "--login devicecode --server-id s --timeout 60"),
        ("--server-id s --timeout=1500ms", "--login devicecode --server-id s --timeout 2"),
        ("--server-id s --timeout 1h", "--login devicecode --server-id s --timeout 600"),
        ("--server-id s --token-cache-dir /c", "--login devicecode --server-id s --cache-dir /c"),
        ("--server-id s --cache-dir ~/c", "--login devicecode --server-id s"),
        ("--server-id s -e AzureStackCloud", "--login devicecode --server-id s"),
        (
            "--server-id s -l azurecli --disable-environment-override",
            "--login azurecli --server-id s",
        ),
        (
            "--server-id s -l spn -t t --client-id 80FAF920-1908-4b52-b5ef-a8e7bedfc67a",
            "--login spn --server-id s --tenant-id t",
        ),
        (
            "--server-id s -l interactive --pop-enabled --pop-claims u=x=y",
            "--login interactive --server-id s --pop-enabled --pop-claims u=x=y",
        ),
        ("--server-id s --pop-enabled --pop-claims u=x", "--login devicecode --server-id s"),
        // a value that looks like a flag
        ("--server-id s -l ropc --username=-ann", "--login ropc --server-id s --username=-ann"),
        ("--server-id a --server-id b -l spn -l msi", "--login msi --server-id b"),
    ] {
        assert_eq!(adopted(line, &[]).args.join(" "), expected, "{line}");
    }
}

#[test]
fn another_way_takes_along_what_it_understands() {
    let people = format!("--server-id s --client-id {PEOPLES} --tenant-id t --legacy");
    let spn =
        "--server-id s -l spn --client-id c -t t --client-secret x --authority-host https://h/";
    let msi = "--server-id s -l msi --identity-resource-id /r";
    for (line, typed, expected) in [
        (&*people, &[("login", "azurecli")][..], "--login azurecli --server-id s --tenant-id t"),
        (&people, &[("login", "msi")], "--login msi --server-id s"),
        (&people, &[("login", "workloadidentity")], "--login workloadidentity --server-id s"),
        (&people, &[("login", "spn")], "--login spn --server-id s --tenant-id t --legacy"),
        (
            &people,
            &[
                ("login", "spn"),
                ("client-id", "own"),
                ("client-secret-file", "/f"),
                ("legacy", "false"),
            ],
            "--login spn --server-id s --tenant-id t --client-id own --client-secret-file /f",
        ),
        (
            &people,
            &[("login", "")],
            &format!("--server-id s --tenant-id t --client-id {PEOPLES} --legacy"),
        ),
        (&people, &[("login", "auto")], "--login auto --server-id s --tenant-id t --legacy"),
        (
            "--server-id s -e AzureChinaCloud --use-azurerm-env-vars --client-id c",
            &[("login", "workloadidentity")],
            "--login workloadidentity --server-id s --environment AzureChinaCloud \
             --use-azurerm-env-vars",
        ),
        // the same way again is no change
        (msi, &[("login", "msi")], "--login msi --server-id s --identity-resource-id /r"),
        (msi, &[("client-id", "c")], "--login msi --server-id s --client-id c"),
        (msi, &[("object-id", "o")], "--login msi --server-id s --object-id o"),
        (msi, &[("identity-resource-id", "")], "--login msi --server-id s"),
        (
            spn,
            &[("login", "devicecode")],
            "--login devicecode --server-id s --tenant-id t --client-id c --authority-host https://h/",
        ),
        (
            spn,
            &[("client-secret-file", "/f")],
            "--login spn --server-id s --tenant-id t --client-id c --authority-host https://h/ \
             --client-secret-file /f",
        ),
        (
            spn,
            &[("server-id", "o"), ("login", "azd"), ("username", "ann")],
            "--login azd --server-id o --tenant-id t --authority-host https://h/",
        ),
        (
            "-l azurecli",
            &[("server-id", "o"), ("run-az", "false"), ("timeout", "9")],
            "--login azurecli --server-id o --run-az=false --timeout 9",
        ),
    ] {
        assert_eq!(adopted(line, typed).args.join(" "), expected, "{line} {typed:?}");
    }
}

#[test]
fn what_could_be_missed_is_noted() {
    for (line, typed, note) in [
        ("-l spn --client-secret x", &[][..], "stays readable in the kubeconfig"),
        (
            "-l spn --client-secret x",
            &[("login", "msi")],
            "`--client-secret` is left out: it is not for `--login msi`",
        ),
        ("--pop-enabled --pop-claims u=x", &[], "`--pop-enabled` is left out"),
        ("--pop-enabled --pop-claims u=x", &[("login", "azurecli")], "`--pop-enabled` is left out"),
        ("-e foo", &[], "kubelogin takes the public one"),
        ("--cache-dir x", &[], "no absolute path"),
        ("--timeout 20m", &[], "cut to 600 seconds"),
        ("--legacy false", &[], "a word that is no flag is left out"),
        ("-l msi", &[("username", "ann")], "`--username` is left out: it is not for `--login msi`"),
        (&format!("-l spn --client-id {PEOPLES}"), &[], "set `AZURE_CLIENT_ID`"),
    ] {
        let notes = adopted(&format!("--server-id s {line}"), typed).notes;
        assert!(notes.iter().any(|text| text.contains(note)), "{line}: {notes:?}");
    }
    assert_eq!(adopted("--server-id s -t t --client-id c", &[]).notes, Vec::<String>::new());
}

#[test]
fn variables_that_another_way_had_go_with_it() {
    let env = [("AZURE_CLIENT_SECRET", "hunter2"), ("AZURE_CONFIG_DIR", "/az"), ("X", "y")];
    let args = words("get-token --server-id s -l spn --client-id c -t t");
    let env_of = |typed: &[(&str, &str)]| kubelogin(args.clone(), &env, typed).unwrap().env;
    assert_eq!(env_of(&[]), pairs(&env));
    assert_eq!(env_of(&[("login", "auto")]), pairs(&env));
    assert_eq!(env_of(&[("login", "azurecli")]), pairs(&env[1..]));
    let notes = kubelogin(args, &env, &[("login", "azurecli")]).unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("`AZURE_CLIENT_SECRET` is left out")),
        "{notes:?}"
    );
    assert!(!notes.join(" ").contains("hunter2"));
}

#[test]
fn what_cannot_be_taken_over_says_why_and_shows_no_secret() {
    let long = "hunter2".repeat(15_000);
    let long_id = format!("--server-id {long}");
    let long_secret = format!("--server-id s -l spn --client-secret {long}");
    for (line, typed, message) in [
        ("", &[][..], "no server application is named"),
        ("--server-id=", &[], "no server application is named"),
        ("--server-id s --nonsense=hunter2", &[], "`kubelogin` has no flag `--nonsense`"),
        ("--server-id s --run-az", &[], "`kubelogin` has no flag `--run-az`"),
        ("--server-id s --login hunter3", &[], "`--login` names no way to sign in"),
        ("--server-id s", &[("login", "hunter3")], "`--login` names no way to sign in"),
        ("--server-id s", &[("nonsense", "hunter2")], "`--nonsense` is no flag of `azure`"),
        ("--server-id s --timeout 0s", &[], "`--timeout` is no time: `0s`"),
        ("--server-id s -l interactive --pop-enabled", &[], "`--pop-enabled` needs `--pop-claims`"),
        ("--server-id s -l ropc --pop-claims u=x", &[], "`--pop-claims` needs `--pop-enabled`"),
        ("--server-id s --tenant-id t\u{1b}[2J", &[], "`--tenant-id` is not a flag's value"),
        ("--server-id s --tenant-id t\u{202e}", &[], "`--tenant-id` is not a flag's value"),
        (
            "--server-id s -l spn --client-secret hunter2\u{1b}",
            &[],
            "`--client-secret` holds no secret",
        ),
        (
            "--server-id s -l spn",
            &[("client-secret", "hunter2")],
            "`--client-secret` is not written",
        ),
        ("--server-id s", &[("client-secret", "hunter2")], "`--client-secret` is not written"),
        ("--server-id s -l ropc", &[("password", "hunter2")], "`--password` is not written"),
        (
            "--server-id s -l spn",
            &[("client-certificate-password", "hunter2")],
            "`--client-certificate-password` is not written",
        ),
        (
            "--server-id s -l msi",
            &[("client-id", "c"), ("object-id", "o")],
            "`--client-id` and `--object-id` exclude each other",
        ),
        (&long_id, &[], "`--server-id` is not a flag's value"),
        (&long_secret, &[], "`--client-secret` holds no secret"),
    ] {
        let error = wrong(line, typed);
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.message().starts_with(message), "{error}");
        let text = format!("{error} {error:?}");
        assert!(line.starts_with("--server-id hunter2") || !text.contains("hunter2"), "{text}");
        assert!(
            text.len() < 2000 && !text.contains('\u{1b}') && !text.contains('\u{202e}'),
            "{text}"
        );
    }
}

#[test]
fn other_users_are_nobody_of_ours() {
    let program = |name: &str, line: &str| Foreign::Program {
        name: name.into(),
        args: words(line),
        env: Vec::new(),
    };
    for foreign in [
        program("aws", "eks get-token"),
        program("fleetkey", "get-token azure --server-id s"),
        program("kubelogin", "get-token --oidc-issuer-url=x"),
        program("kubelogin", ""),
        program("az", "aks get-credentials"),
        Foreign::AuthProvider { name: "oidc".into(), config: BTreeMap::new() },
    ] {
        assert!(adopt(&foreign, &Overrides::default()).is_none(), "{foreign:?}");
    }
}

#[test]
fn what_comes_out_is_what_our_own_get_token_takes() {
    let command = || {
        let own = |name: &'static str| Arg::new(name).long(name);
        let command = augment(Command::new("azure").no_binary_name(true));
        command.arg(own("cache-dir")).arg(own("timeout"))
    };
    let odd = ["", "-", "--", "-x", "--login", "a b", "=", "a=b", "ä", "true"];
    for flag in super::flags::FLAGS {
        for value in odd {
            let args = vec![
                "get-token".into(),
                "--server-id=s".into(),
                format!("--{}={value}", flag.name),
            ];
            let Ok(adoption) = kubelogin(args, &[], &[]) else { continue };
            let matches = command().try_get_matches_from(&adoption.args);
            assert!(matches.is_ok(), "{:?}: {}", adoption.args, matches.unwrap_err());
        }
    }
}
