//! What is typed, and what the help says.

use super::*;

fn wrong(line: &str) -> Error {
    add(line, &World::default()).err().unwrap()
}

#[test]
fn what_is_named_is_checked() {
    for (line, words) in [
        ("-g .. -n aks", "`--resource-group` is not a resource group"),
        ("-g a/b -n aks", "`--resource-group` is not a resource group"),
        ("-g rg -n a/b", "`--name` is not a cluster's name"),
        ("-g rg -n aks?x", "`--name` is not a cluster's name"),
        (&*format!("{CLUSTER} --tenant-id a/b"), "`--tenant-id` is not a tenant"),
        (&*format!("{CLUSTER} --login x"), "names no way to sign in"),
        (&*format!("{CLUSTER} -e Mars"), "`--environment` names no cloud"),
        (&*format!("{CLUSTER} --server-id x"), "`--server-id` has no meaning here"),
        (&*format!("{CLUSTER} --legacy"), "`--legacy` has no meaning here"),
        (&*format!("{CLUSTER} --pop-enabled"), "`--pop-enabled` has no meaning here"),
        (&*format!("{CLUSTER} --login spn"), "needs the application's id"),
    ] {
        let error = wrong(line);
        assert_eq!(error.kind(), Kind::Config, "{line}: {error}");
        assert!(error.message().contains(words), "{line}: {error}");
        assert!(error.next_line().is_some() || error.cause().is_some(), "{line}: {error}");
    }
    for line in ["--tenant-id a/b", "--resource-manager https://evil.example --login interactive"] {
        let errands = discover(line, &World::default());
        let failed = errands.map(|errands| run_all(errands, &World::default()).failures.len());
        assert_ne!(failed.unwrap_or(1), 0, "{line}");
    }
}

#[test]
fn the_help_shows_what_has_a_meaning() {
    let mut command = INVENTORY.add_arguments(Command::new("azure"));
    command.build();
    let help = command.render_long_help().to_string();
    for flag in ["-g, --resource-group", "-n, --name", "-s, --subscription", "-a, --admin"] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
    for flag in ["--public-fqdn", "--resource-manager", "-l, --login", "--client-secret-file"] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
    for flag in ["--server-id", "--pop-", "--legacy", "--client-secret <", "--password <"] {
        assert!(!help.contains(flag), "{flag}: {help}");
    }
}

#[test]
fn flags_of_discover_are_azures_own_by_id() {
    let command = INVENTORY.discover_arguments(Command::new("discover"));
    let ids: Vec<_> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| id.starts_with("azure_")), "{ids:?}");
    assert!(command.get_arguments().all(|arg| arg.get_short().is_none()));
}
