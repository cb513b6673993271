//! Flags as they are typed, and what the cluster adds to them.

use clap::Command;
use fleetkey_provider::{ClusterInfo, Kind};
use serde_json::{Value, json};

use super::*;
use crate::server_id::AKS;

fn read(args: &[&str], config: &Value) -> Result<Arguments> {
    let command = augment(Command::new("azure").no_binary_name(true));
    let mut matches = command.try_get_matches_from(args).unwrap();
    let config = config.as_object().cloned().unwrap_or_default();
    let cluster = Some(ClusterInfo { config, ..ClusterInfo::default() });
    Arguments::read(&mut matches, &ExecInfo { cluster, ..ExecInfo::default() })
}

fn typed(line: &str) -> Arguments {
    read(&line.split_whitespace().collect::<Vec<_>>(), &Value::Null).unwrap()
}

#[test]
fn short_and_long_names_are_kubelogins_and_the_last_counts() {
    let short = typed("-l spn -t contoso.com -s sub -e AzureChinaCloud");
    let long = typed(
        "--login=msi --login=spn --tenant-id a.b --tenant-id=contoso.com --subscription=sub \
         --environment foo --environment=AzureChinaCloud",
    );
    assert_eq!(format!("{short:?}"), format!("{long:?}"));
    assert_eq!(short.tenant_id, Some(Chosen::flag("tenant-id", "contoso.com")));
}

#[test]
fn switches_are_given_as_go_has_them() {
    for (line, is_legacy) in [
        ("", false),
        ("--legacy", true),
        ("--legacy=true", true),
        ("--legacy=1", true),
        ("--legacy=False", false),
        ("--legacy --legacy=false", false),
        ("--legacy=f --legacy", true),
    ] {
        assert_eq!(typed(line).is_legacy, is_legacy, "{line}");
    }
    let command = || augment(Command::new("azure").no_binary_name(true));
    assert!(command().try_get_matches_from(["--legacy=maybe"]).is_err());
    assert!(command().try_get_matches_from(["--legacy", "false"]).is_err());
    assert_eq!(typed("--env-overrides-flags").precedence, Precedence::Overrides);
    assert_eq!(typed("--disable-environment-override").precedence, Precedence::Ignored);
    assert_eq!(typed("--disable-instance-discovery").discovery, Discovery::Disabled);
    assert_eq!(typed("--use-azurerm-env-vars").family, Family::AzureRm);
}

#[test]
fn kubelogins_flags_for_its_log_are_taken_and_ignored() {
    let plain = format!("{:?}", typed("-l msi"));
    for flags in ["--v 5", "--v=5", "--v=0 --v 10", "--logtostderr", "--logtostderr=false"] {
        assert_eq!(format!("{:?}", typed(&format!("{flags} -l msi"))), plain, "{flags}");
    }
    let mut command = augment(Command::new("azure").no_binary_name(true));
    let help = command.render_long_help().to_string();
    assert!(!help.contains("--v ") && !help.contains("logtostderr"), "{help}");
}

#[test]
fn the_cluster_fills_in_what_no_flag_says_and_nothing_secret() {
    let config = json!({
        "login": "msi", "server-id": "s", "client-id": "c", "tenant-id": "t.example",
        "environment": "AzureCloud", "authority-host": "https://evil.example",
        "client-secret": "x", "client-certificate": "/x", "federated-token-file": "/x",
        "region": "another cloud's",
    });
    let arguments = read(&["--client-id", "ours", "-t", ""], &config).unwrap();
    assert_eq!(arguments.client_id, Some(Chosen::flag("client-id", "ours")));
    let tenant = arguments.tenant_id.unwrap();
    assert_eq!(tenant.value, "t.example");
    assert_eq!(tenant.from.to_string(), "`spec.cluster.config.tenant-id`");
    assert!(arguments.login.is_some() && arguments.environment.is_some());
    assert!(arguments.authority_host.is_none() && arguments.secret.is_none());
    assert!(arguments.certificate.is_none() && arguments.token_file.is_none());
}

#[test]
fn the_cluster_says_what_is_of_one_cluster_and_flags_win() {
    let config = json!({
        "subscription": "sub", "login-hint": "ann", "legacy": true, "pop-enabled": "true",
        "pop-claims": "u=/cluster",
    });
    let arguments = read(&[], &config).unwrap();
    assert_eq!(
        arguments.subscription.unwrap().from.to_string(),
        "`spec.cluster.config.subscription`"
    );
    assert_eq!(arguments.login_hint.unwrap().value, "ann");
    assert!(arguments.is_legacy);
    assert_eq!(arguments.pop.unwrap().host, "/cluster");
    let line = ["--legacy=false", "--pop-claims", "u=/flag", "-s", "flag"];
    let arguments = read(&line, &config).unwrap();
    assert!(!arguments.is_legacy);
    assert_eq!(arguments.pop.unwrap().host, "/flag");
    assert_eq!(arguments.subscription, Some(Chosen::flag("subscription", "flag")));
    for (config, words) in [
        (json!({"legacy": 1}), "`spec.cluster.config.legacy` is no switch"),
        (json!({"legacy": "maybe"}), "`spec.cluster.config.legacy` is no switch"),
        (json!({"login-hint": "a\n"}), "`spec.cluster.config.login-hint` is not a name"),
        (json!({"pop-claims": "u=x"}), "`--pop-claims` needs `--pop-enabled`"),
    ] {
        let error = read(&[], &config).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(!read(&[], &json!({"legacy": "", "pop-enabled": false})).unwrap().is_legacy);
}

#[test]
fn a_name_of_aks_says_which_application_its_server_is() {
    let server_id = |args: &[&str], server: &str, config: &Value| {
        let command = augment(Command::new("azure").no_binary_name(true));
        let mut matches = command.try_get_matches_from(args).unwrap();
        let config = config.as_object().cloned().unwrap_or_default();
        let cluster = ClusterInfo { server: server.into(), config, ..ClusterInfo::default() };
        let exec = ExecInfo { cluster: Some(cluster), ..ExecInfo::default() };
        Arguments::read(&mut matches, &exec).unwrap().server_id.map(|id| id.value)
    };
    let aks = "https://prod-1a2b.hcp.westeurope.azmk8s.io:443";
    assert_eq!(server_id(&[], aks, &Value::Null).as_deref(), Some(AKS));
    assert_eq!(server_id(&[], aks, &json!({"server-id": ""})).as_deref(), Some(AKS));
    assert_eq!(server_id(&[], aks, &json!({"server-id": "c"})).as_deref(), Some("c"));
    assert_eq!(server_id(&["--server-id", "f"], aks, &Value::Null).as_deref(), Some("f"));
    for other in ["https://127.0.0.1:6443", "https://k8s.own.example", &aks.replace('s', ""), ""] {
        assert_eq!(server_id(&[], other, &Value::Null), None, "{other}");
    }
}

#[test]
fn errors_name_the_flag_or_the_key() {
    let long = "x".repeat(5000);
    for (args, config, words) in [
        (&["--client-id", "a b"][..], Value::Null, "`--client-id` is not an id"),
        (&[], json!({"client-id": "a b"}), "`spec.cluster.config.client-id` is not an id"),
        (&[], json!({"login": 7}), "`spec.cluster.config.login` is not text"),
        (&["--tenant-id", "a/b"], Value::Null, "`--tenant-id` is not a tenant"),
        (&["--username", "a\n"], Value::Null, "`--username` is not a name"),
        (&["--login-hint", &long], Value::Null, "longer than 256"),
        (&["--federated-token-file", "/a\u{1b}"], Value::Null, "is not a path"),
        (&["--identity-resource-id", "/a b"], Value::Null, "is not a resource id"),
        (&["--client-secret", &long], Value::Null, "`--client-secret` holds no secret"),
        (&["--password", "a\u{1b}"], Value::Null, "`--password` holds no secret"),
        (&["--redirect-url", "x"], Value::Null, "`--redirect-url` is nowhere"),
        (
            &["--client-secret", "x", "--client-secret-file", "/x"],
            Value::Null,
            "`--client-secret` and `--client-secret-file` exclude each other",
        ),
        (
            &["--disable-environment-override", "--env-overrides-flags"],
            Value::Null,
            "exclude each other",
        ),
    ] {
        let error = read(args, &config).unwrap_err();
        assert_eq!(error.kind(), Kind::Config, "{args:?}");
        assert!(error.to_string().contains(words), "{args:?}: {error}");
    }
}
