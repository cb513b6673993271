//! Whoever is signed in to `az` or `azd` gets a token by that, natively where it can be had.

use fleetkey_sandbox::{AksToken, App, AzLogin, AzSecret, FakeRun, ManagedIdentity, Route};

use crate::support::{Aks, Program, SERVER, alice, say};

const AZ: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// `--login azurecli`, without an `az` on the PATH.
fn azurecli(aks: &Aks) -> Program {
    aks.bare().args(["get-token", "azure", "--server-id", SERVER, "--login", "azurecli"])
}

fn person(aks: &Aks) -> AzLogin {
    AzLogin::person(&aks.tenant, alice()).at_sandbox()
}

#[test]
fn what_az_keeps_gives_a_token_without_az_in_both_shapes() {
    for is_family in [false, true] {
        let aks = Aks::new();
        let login = if is_family { person(&aks).in_family() } else { person(&aks) };
        aks.home.az_login(&aks.sandbox, &login).unwrap();
        assert_eq!(aks.who(&azurecli(&aks).run()).name, alice());
        assert_eq!(aks.asked(), 0, "a fresh token was there");

        for token in [AksToken::Expired, AksToken::Absent] {
            let aks = Aks::new();
            let login = if is_family { person(&aks).in_family() } else { person(&aks) };
            aks.home.az_login(&aks.sandbox, &login.aks_token(token)).unwrap();
            let kept = std::fs::read(aks.home.join(".azure/msal_token_cache.json")).unwrap();
            for _ in 0..2 {
                assert_eq!(aks.who(&azurecli(&aks).run()).name, alice());
            }
            assert_eq!((aks.asked(), aks.sandbox.count(Route::EntraToken)), (1, 1));
            let sent = &aks.sandbox.requests()[0];
            for (name, value) in [
                ("client_id", AZ),
                ("grant_type", "refresh_token"),
                ("client_info", "1"),
                ("claims", r#"{"access_token": {"xms_cc": {"values": ["CP1"]}}}"#),
            ] {
                assert_eq!(sent.parameter(name), Some(value), "{name}");
            }
            let left = std::fs::read(aks.home.join(".azure/msal_token_cache.json")).unwrap();
            assert!(left == kept, "a file of az's was written");
        }
    }
}

#[test]
fn who_signs_out_of_az_is_signed_out_here() {
    let aks = Aks::new();
    aks.home.az_login(&aks.sandbox, &person(&aks).aks_token(AksToken::Absent)).unwrap();
    assert_eq!(azurecli(&aks).run().code, Some(0));
    aks.home.az_logout(alice()).unwrap();
    let before = aks.sandbox.total();
    let [_, _, next] = azurecli(&aks).run().failed(3);
    assert!(next.starts_with("az login"), "{next}");
    assert_eq!(aks.sandbox.total(), before);
}

#[test]
fn what_az_renewed_and_we_kept_serves_when_az_is_not_used() {
    let aks = Aks::new();
    aks.home.az_login(&aks.sandbox, &person(&aks).aks_token(AksToken::Absent)).unwrap();
    aks.sandbox.entra().rotation(fleetkey_sandbox::Rotation::Rotate);
    for _ in 0..3 {
        let run = azurecli(&aks).args(["--fresh"]).run();
        assert_eq!(aks.who(&run).name, alice());
    }
    assert_eq!((aks.sandbox.count(Route::EntraToken), aks.sandbox.entra().reuses()), (3, 0));
}

#[test]
fn applications_and_identities_that_signed_in_to_az_serve_too() {
    let aks = Aks::new();
    let entra = aks.sandbox.entra();
    let id = "66666666-0000-0000-0000-000000000001";
    entra.app(App::new(&aks.tenant, id).secret("a secret of az's"));
    let secret = AzSecret::Secret("a secret of az's".into());
    aks.home
        .az_login(&aks.sandbox, &AzLogin::service_principal(&aks.tenant, id, secret).at_sandbox())
        .unwrap();
    assert_eq!(aks.who(&azurecli(&aks).run()).appid, id);

    let machine = aks.sandbox.managed_identity(ManagedIdentity::system(&aks.tenant));
    let login = AzLogin::managed_identity(&aks.tenant, "MSI").at_sandbox();
    aks.home.az_login(&aks.sandbox, &login).unwrap();
    let run = azurecli(&aks).envs(aks.sandbox.imds_environment().unwrap()).run();
    assert_eq!(aks.who(&run).appid, machine.client_id);
    let routes = [Route::EntraToken, Route::Imds];
    assert_eq!(routes.map(|route| aks.sandbox.count(route)), [1, 1]);
}

#[test]
#[cfg(unix)]
fn az_itself_is_started_only_where_nothing_else_works() {
    let aks = Aks::new();
    let login = person(&aks).broker().aks_token(AksToken::Absent);
    aks.home.az_login(&aks.sandbox, &login).unwrap();
    let caller = fleetkey_sandbox::Caller::person(alice(), AZ);
    let token = aks.sandbox.entra().access_token(&aks.tenant, SERVER, &caller);
    let answer = format!(r#"{{"accessToken":"{token}","expires_on":4102444800}}"#);
    aks.home.fake_az([FakeRun::Print(answer.clone())]).unwrap();
    let with_az = |program: Program| {
        program.env("PATH", format!("{}:/usr/bin:/bin", aks.home.programs().display()))
    };
    assert_eq!(aks.who(&with_az(azurecli(&aks)).run()).name, alice());
    let runs = aks.home.program_runs("az").unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0][..4], ["account", "get-access-token", "-o", "json"]);
    // what it answered is kept: the second run starts nothing
    assert_eq!(with_az(azurecli(&aks)).run().code, Some(0));
    assert_eq!(aks.home.program_runs("az").unwrap().len(), 1);

    // and the switch has it started where the cache would do
    let aks_token = person(&aks);
    aks.home.az_login(&aks.sandbox, &aks_token).unwrap();
    let forced = with_az(azurecli(&aks)).args(["--run-az", "--fresh"]).run();
    assert_eq!(forced.code, Some(0), "{}", forced.stderr);
    assert_eq!(aks.home.program_runs("az").unwrap().len(), 2);
    assert_eq!(aks.sandbox.count(Route::EntraToken), 0);
    say("az was started twice, both times because nothing else was left");
}

#[test]
#[cfg(unix)]
fn azd_is_asked_once_and_its_failure_is_told() {
    let aks = Aks::new();
    let caller = fleetkey_sandbox::Caller::person(alice(), AZ);
    let token = aks.sandbox.entra().access_token(&aks.tenant, SERVER, &caller);
    let answer = format!(r#"{{"token":"{token}","expiresOn":"2100-01-01T00:00:00Z"}}"#);
    aks.home.fake_azd([FakeRun::Print(answer), FakeRun::Fail(NOT_LOGGED_IN.into(), 1)]).unwrap();
    let azd = || {
        let path = format!("{}:/usr/bin:/bin", aks.home.programs().display());
        let args = ["get-token", "azure", "--server-id", SERVER, "--login", "azd"];
        aks.bare().args(args).args(["--tenant-id", &aks.tenant]).env("PATH", path)
    };
    for _ in 0..2 {
        assert_eq!(aks.who(&azd().run()).name, alice());
    }
    let scope = format!("{SERVER}/.default");
    let runs = aks.home.program_runs("azd").unwrap();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].contains(&scope) && runs[0].contains(&aks.tenant), "{runs:?}");
    let [_, why, next] = azd().args(["--fresh", "--no-cache"]).run().failed(3);
    assert!(why.contains("not logged in") && next.starts_with("azd auth login"), "{why} {next}");
}

/// As azd says it.
const NOT_LOGGED_IN: &str = "ERROR: fetching token: not logged in, run `azd auth login` to login";
