//! Users that run `az account get-access-token`.
//!
//! By itself it prints no ExecCredential, so such a user has a `--query` that makes one, or something
//! around it that does. What it asks for is what `--login azurecli` asks for.

use fleetkey_provider::{Error, Result};

use super::{
    adopt::Found,
    flags::{self, Takes, Values},
    line::{self, Line, Spelled},
};

/// The program.
pub(super) const NAME: &str = "az";

/// Understands a user; `None` if it asks for something else than a token.
pub(super) fn read(args: &[String], env: &[(String, String)]) -> Option<Result<Found>> {
    if ["account", "get-access-token"].iter().any(|word| !args.iter().any(|arg| arg == word)) {
        return None;
    }
    match line::parse("az account get-access-token", args, &known) {
        Ok(Line { words, values }) => {
            let is_asked = words.first()? == "account" && words.get(1)? == "get-access-token";
            is_asked.then(|| understood(&values, words.len() == 2, env))
        }
        Err(error) => Some(Err(error)),
    }
}

fn understood(said: &Values, is_all_flags: bool, env: &[(String, String)]) -> Result<Found> {
    if said.get("query").is_some_and(|query| !query.contains("accessToken")) {
        return Err(Error::config("`az` is asked for no token here")
            .because("its `--query` does not pick `accessToken`"));
    }
    if said.contains_key("resource-type") {
        return Err(Error::config("`--resource-type` names no cluster")
            .because("it is a short name for a service of Microsoft's own"));
    }
    if !is_all_flags {
        return Err(Error::config("`az` is asked for more than one scope")
            .because("a token is for one server application"));
    }
    let mut values = Values::from([(flags::LOGIN, "azurecli".to_owned())]);
    if let Some(server) = server(said)? {
        values.insert(flags::SERVER_ID, server);
    }
    for (theirs, ours) in [("tenant", "tenant-id"), ("subscription", "subscription")] {
        if let Some(value) = said.get(theirs) {
            values.insert(ours, value.clone());
        }
    }
    Ok(Found { values, env: env.to_vec(), notes: Vec::new() })
}

/// The application behind `--resource`, or behind a scope that means all of it.
fn server(said: &Values) -> Result<Option<String>> {
    let Some(scope) = flags::filled(said, "scope") else {
        return Ok(flags::filled(said, "resource").map(str::to_owned));
    };
    match scope.strip_suffix("/.default") {
        Some(server) => Ok(Some(server.to_owned())),
        None => Err(Error::config("`--scope` is not the whole of an application")
            .because("a token for a cluster is for its server's id and `/.default`")),
    }
}

fn known(spelled: Spelled<'_>) -> Option<(&'static str, Takes)> {
    FLAGS
        .iter()
        .find(|(long, short, ..)| match spelled {
            Spelled::Long(name) => name == *long,
            Spelled::Short(letter) => Some(letter) == *short,
        })
        .map(|(_, _, means, takes)| (*means, *takes))
}

/// Long name, short name, what it means, and what it takes.
const FLAGS: [(&str, Option<char>, &str, Takes); 11] = [
    ("resource", None, "resource", Takes::Text),
    ("scope", None, "scope", Takes::Text),
    ("resource-type", None, "resource-type", Takes::Text),
    ("tenant", Some('t'), "tenant", Takes::Text),
    ("subscription", Some('s'), "subscription", Takes::Text),
    ("name", Some('n'), "subscription", Takes::Text),
    ("output", Some('o'), "output", Takes::Text),
    ("query", None, "query", Takes::Text),
    ("only-show-errors", None, "only-show-errors", Takes::Switch),
    ("verbose", None, "verbose", Takes::Switch),
    ("debug", None, "debug", Takes::Switch),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(args: &[&str]) -> Option<Result<Found>> {
        read(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>(), &[])
    }

    fn asked(line: &str) -> Option<Result<Found>> {
        found(&line.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn what_az_is_asked_for_is_what_azurecli_asks_for() {
        for (line, expected) in [
            ("--resource R", "login=azurecli server-id=R"),
            ("--resource=R -t T -o json", "login=azurecli server-id=R tenant-id=T"),
            ("--scope R/.default --tenant T", "login=azurecli server-id=R tenant-id=T"),
            ("--resource R -s S --only-show-errors", "login=azurecli server-id=R subscription=S"),
            (
                "--resource R -n S --output tsv --query accessToken",
                "login=azurecli server-id=R subscription=S",
            ),
            ("", "login=azurecli"),
        ] {
            let found = asked(&format!("account get-access-token {line}")).unwrap().unwrap();
            let values = found.values.iter().map(|(name, value)| format!("{name}={value}"));
            assert_eq!(values.collect::<Vec<_>>().join(" "), expected, "{line}");
        }
        let shape = "{apiVersion:`client.authentication.k8s.io/v1`,status:{token:accessToken}}";
        let line = ["account", "get-access-token", "--resource", "R", "--query", shape];
        assert!(found(&line).unwrap().is_ok());
    }

    #[test]
    fn what_is_no_token_for_a_cluster_is_said() {
        for (line, message) in [
            ("--resource R --query expiresOn", "`az` is asked for no token here"),
            ("--resource-type ms-graph", "`--resource-type` names no cluster"),
            ("--scope R/read", "`--scope` is not the whole of an application"),
            ("--scope R/.default S/.default", "`az` is asked for more than one scope"),
            ("--nonsense", "`az account get-access-token` has no flag `--nonsense`"),
        ] {
            let Some(Err(error)) = asked(&format!("account get-access-token {line}")) else {
                panic!("{line}")
            };
            assert_eq!(error.message(), message, "{line}");
        }
        for other in ["", "account show", "aks get-credentials -n x", "get-access-token account"] {
            assert!(asked(other).is_none(), "{other}");
        }
    }
}
