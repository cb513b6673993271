//! Every way to sign in: what it needs, what it takes, and what is said where something is missing.

use std::time::Duration;

use clap::Command;
use fleetkey_provider::{ClusterInfo, ExecInfo, Kind, Request, Result, testing::ScriptedPrograms};

use crate::{
    arguments::augment,
    server_id::AKS,
    testing::{World, now},
};

const APP: &str = "--client-id app --tenant-id contoso.com";

fn ask_of(line: &str, world: &World, exec: &ExecInfo) -> Result<Box<dyn Request>> {
    let command = augment(Command::new("azure").no_binary_name(true));
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    super::request(&mut matches, exec, &world.host())
}

fn ask(line: &str, world: &World) -> Result<Box<dyn Request>> {
    ask_of(&format!("--server-id {AKS} {line}"), world, &ExecInfo::default())
}

fn wrong(line: &str) -> fleetkey_provider::Error {
    let error = ask(line, &World::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Config, "{line}: {error}");
    error
}

#[test]
fn without_a_server_there_is_a_line_to_paste() {
    let error = ask_of("", &World::default(), &ExecInfo::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    let next = format!("fleetkey get-token azure --server-id {AKS}");
    assert_eq!(error.next_line(), Some(&*next));
    let error = ask_of("--server-id a&b", &World::default(), &ExecInfo::default()).unwrap_err();
    assert!(error.message().starts_with("`--server-id` is not"), "{error}");
}

#[test]
fn each_way_says_what_it_needs() {
    for (line, message, places) in [
        ("-l spn", "`--login spn` needs the application's id", "AZURE_CLIENT_ID"),
        ("-l spn --client-id a", "needs the application's tenant", "AZURE_TENANT_ID"),
        (&format!("-l spn {APP}"), "needs a secret or a certificate", "AZURE_CLIENT_SECRET"),
        ("-l spn --use-azurerm-env-vars", "needs the application's id", "ARM_CLIENT_ID"),
        (
            "-l spn --disable-environment-override",
            "needs the application's id",
            "the environment is not asked",
        ),
        ("-l ropc", "`--login ropc` needs the person's name", "AZURE_USERNAME"),
        ("-l ropc --username u", "needs the person's password", "AZURE_PASSWORD"),
        ("-l workloadidentity", "needs the application's id", "`--client-id` is not given"),
        (
            &format!("-l workloadidentity {APP}"),
            "needs a federated token",
            "AZURE_FEDERATED_TOKEN_FILE",
        ),
        ("-l azurepipelines", "needs the application's id", "AZURE_CLIENT_ID"),
        (
            &format!("-l azurepipelines {APP}"),
            "needs a service connection",
            "`--azure-pipelines-service-connection-id` is not given",
        ),
    ] {
        let error = wrong(line);
        assert!(error.message().contains(message), "{line}: {error}");
        assert!(error.cause().unwrap().contains(places), "{line}: {error}");
        assert!(error.next_line().is_some(), "{line}: {error}");
    }
}

#[test]
fn each_way_that_has_what_it_needs_is_one() {
    let world = World::default().file("/s", "hunter2\r\n");
    for line in [
        String::new(),
        "-l devicecode".into(),
        "-l interactive --redirect-url http://localhost:8080 --login-hint a@b.c".into(),
        format!("-l spn {APP} --client-secret s"),
        format!("-l spn {APP} --client-secret-file /s"),
        "-l ropc --username u --password p".into(),
        "-l ropc --username u --password-file /s".into(),
        "-l azd".into(),
        "-l devicecode --legacy".into(),
        format!("-l spn {APP} --client-secret s --legacy"),
        // kubelogin writes it, and ignores it
        "-l ropc --username u --password p --legacy".into(),
    ] {
        let request = ask(&line, &world).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(!request.describe().is_empty(), "{line}");
        assert!(!format!("{request:?}").contains("hunter2"), "{line}");
    }
}

#[test]
fn people_have_an_application_where_the_server_does() {
    let arc = "6256c85f-0aad-4d50-b960-e6e9b21efe35";
    let exec = ExecInfo::default();
    let notes = |server: &str, line: &str| -> Result<String> {
        let world = World::default();
        let request = ask_of(&format!("--server-id {server} {line}"), &world, &exec)?;
        Ok(format!("{request:?}"))
    };
    let aks = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";
    assert!(notes(AKS, "").unwrap().contains(aks));
    assert!(notes(&AKS.to_uppercase(), "-l devicecode").unwrap().contains(aks));
    assert!(notes(arc, "").unwrap().contains("3f4439ff-e698-4d6d-84fe-09c9d574f06b"));
    assert!(notes(AKS, "--client-id own").unwrap().contains("own"));
    assert!(!notes(AKS, "--client-id own").unwrap().contains(aks));
    for login in ["", "-l interactive", "-l ropc --username u --password p"] {
        let error = notes("api://own", login).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.cause().unwrap().contains("`--client-id` is not given"), "{error}");
    }
    // a stray variable is not a person's application
    let world = World::default().env(&[("AZURE_CLIENT_ID", "stray")]);
    assert!(!format!("{:?}", ask("", &world).unwrap()).contains("stray"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let pop = "--pop-enabled --pop-claims u=x";
    for (line, words) in [
        ("-l spn -t organizations --client-id a --client-secret s".into(), "of its own"),
        ("-l workloadidentity -t common --client-id a".into(), "of its own"),
        (format!("-l devicecode {pop}"), "`--login devicecode` are not bound"),
        (format!("-l msi {pop}"), "`--login msi` are not bound"),
        (format!("-l azurecli {pop}"), "are not bound"),
        (format!("-l workloadidentity {APP} {pop}"), "are not bound"),
        (format!("--legacy {pop}"), "exclude each other"),
        ("--pop-enabled".into(), "needs `--pop-claims`"),
        ("-e AzureStackCloud".into(), "`--environment` names no cloud"),
        ("-l msi --object-id a --identity-resource-id /b".into(), "exclude each other"),
        ("-l msi --object-id a --client-id b".into(), "exclude each other"),
        ("--authority-host https://evil.example".into(), "which is not trusted"),
        ("-l ropc --username u --password-file /none".into(), "names no file with a secret"),
    ] {
        let error = wrong(&line);
        assert!(error.to_string().contains(words), "{line}: {error}");
    }
}

#[test]
fn a_token_that_is_bound_to_a_key_is_asked_for_with_a_browser() {
    let pop = "--pop-enabled --pop-claims u=/subscriptions/s";
    for line in ["", "-l interactive", "-l ropc --username u --password p"] {
        let request = ask(&format!("{line} {pop}"), &World::default()).unwrap();
        assert!(format!("{request:?}").contains("/subscriptions/s"));
    }
    let best = format!("{:?}", ask(pop, &World::default()).unwrap());
    assert!(best.contains("Browser"), "{best}");
    let legacy = format!("{:?}", ask("--legacy", &World::default()).unwrap());
    assert!(legacy.contains("DeviceCode") && legacy.contains("V1"), "{legacy}");
}

#[test]
fn a_managed_identity_is_named_by_a_flag_before_a_variable() {
    let world = World::default().env(&[
        ("MSI_ENDPOINT", ""),
        ("AZURE_CLIENT_ID", "variable"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1"),
    ]);
    let identity = |line: &str| format!("{:?}", ask(&format!("-l msi {line}"), &world).unwrap());
    assert!(identity("").contains("Client(\"variable\")"));
    assert!(identity("--client-id flag").contains("Client(\"flag\")"));
    assert!(identity("--object-id flag").contains("Object(\"flag\")"));
    assert!(identity("--identity-resource-id /flag").contains("Resource(\"/flag\")"));
    assert!(identity("--disable-environment-override").contains("System"));
}

#[test]
fn no_token_is_asked_for_a_strangers_cluster() {
    let of = |server: &str| {
        let cluster = Some(ClusterInfo { server: server.into(), ..ClusterInfo::default() });
        let line = format!("--server-id {AKS}");
        ask_of(&line, &World::default(), &ExecInfo { cluster, ..ExecInfo::default() })
    };
    assert!(of("https://aks.hcp.westeurope.azmk8s.io:443").is_ok());
    let error = of("https://evil.example").unwrap_err();
    assert_eq!(error.next_line(), Some("fleetkey trust add evil.example"));
}

#[test]
fn the_switch_that_runs_az_is_a_switch() {
    let world = World::default().env(&[("FLEETKEY_RUN_AZ", "perhaps")]);
    let error = ask("-l azurecli", &world).unwrap_err();
    assert!(error.message().contains("FLEETKEY_RUN_AZ"), "{error}");
    assert_eq!(error.kind(), Kind::Config);
}

#[test]
fn az_is_not_asked_in_another_cloud_than_the_one_that_is_named() {
    let world = World::default().env(&[("AZURE_CONFIG_DIR", "/az")]);
    for line in ["", "--run-az"] {
        let error = ask(&format!("-l azurecli -e AzureChinaCloud {line}"), &world).unwrap_err();
        assert_eq!(error.next_line(), Some("az cloud set --name AzureChinaCloud"), "{error}");
    }
    for line in ["--run-az -e AzurePublicCloud", "--run-az"] {
        ask(&format!("-l azurecli {line}"), &world).unwrap();
    }
    // whoever names the authority too knows what they do
    let named =
        "-l azurecli --run-az -e AzureChinaCloud --authority-host https://login.chinacloudapi.cn";
    ask(named, &world).unwrap();
}

#[test]
fn what_a_redirect_says_beside_its_port_is_noted() {
    let world = World::default();
    ask("-l interactive --redirect-url https://127.0.0.1:8080/back", &world).unwrap();
    let notes = world.notes.lines().join("\n");
    assert!(notes.contains("comes back to http://localhost, port 8080"), "{notes}");
}

#[test]
fn az_is_given_the_time_that_its_variable_says() {
    for (value, line, seconds) in [
        ("7s", "", 7),
        ("1m30s", "--run-az", 90),
        ("nonsense", "", 60),
        ("7s", "--disable-environment-override", 60),
    ] {
        let env = [("AZURE_CLI_TIMEOUT", value), ("FLEETKEY_RUN_AZ", "1"), ("HOME", "/home")];
        let programs = ScriptedPrograms::default().with("az", 1, "", "no");
        let world = World { programs, ..World::default() }.env(&env);
        let request = ask(&format!("-l azurecli {line}"), &world).unwrap();
        assert!(now(request.obtain(None, &world.host())).is_err());
        let started = world.programs.started();
        assert_eq!(started[0].limit, Duration::from_secs(seconds), "{value} {line}");
    }
}
