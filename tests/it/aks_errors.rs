//! What people meet when Entra says no: the exit code, and a line to type.

use fleetkey_sandbox::{App, Fault, Route};

use crate::support::{Aks, SERVER, alice};

const APP: &str = "33333333-3333-3333-3333-333333333333";

#[test]
fn a_wrong_secret_is_sent_once_however_often_a_client_tries() {
    let aks = Aks::new();
    let wrong = || aks.application().env("AZURE_CLIENT_SECRET", "not.the~secret_at-all");
    for _ in 0..5 {
        let run = wrong().run();
        let [what, why, _] = run.failed(4);
        assert!(why.contains("correlation id"), "{what}: {why}");
        run.keeps_secret(&["not.the~secret_at-all".to_owned()]);
    }
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
    // another secret is another question
    assert_eq!(aks.application().run().code, Some(0));
    // which may stand in a kubeconfig, so it is no way round
    wrong().args(["--fresh"]).run().failed(4);
    assert_eq!(aks.sandbox.count(Route::EntraToken), 2);
}

#[test]
fn a_wrong_password_is_sent_once_and_locks_nobody_out() {
    let aks = Aks::new();
    let wrong = || {
        aks.login("ropc").args(["--username", alice()]).env("AZURE_PASSWORD", "not the password")
    };
    for _ in 0..5 {
        wrong().run().failed(4);
    }
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
    // the right one is another question
    let right = wrong().env("AZURE_PASSWORD", "correct horse battery").run();
    assert_eq!(right.code, Some(0), "{}", right.stderr);
}

#[test]
fn what_is_wrong_with_a_kubeconfig_is_exit_2() {
    let aks = Aks::new();
    let entra = aks.sandbox.entra();
    // the secret belongs to an application of another tenant, or to none
    let unknown = "99999999-0000-0000-0000-000000000009";
    let run = aks.login("spn").args(["--client-id", unknown]).env("AZURE_CLIENT_SECRET", "s").run();
    let [what, ..] = run.failed(2);
    assert!(what.contains(unknown), "{what}");
    let args = ["--client-id", APP, "--server-id", "88888888-0000-0000-0000-000000000008"];
    aks.application().args(args).run().failed(2);
    entra.app(App::new(&aks.tenant, APP).expired_secret("over~and.done_with"));
    aks.application().env("AZURE_CLIENT_SECRET", "over~and.done_with").run().failed(4);
    // what is not said at all
    aks.bare().args(["get-token", "azure"]).run().failed(2);
    let spn = ["get-token", "azure", "--server-id", SERVER, "--login", "spn"];
    aks.bare().args(spn).run().failed(2);
    let nowhere = aks.bare().args(spn).args(["--environment", "AzureMoonCloud"]).run();
    let [_, why, _] = nowhere.failed(2);
    assert!(why.contains("AzureChinaCloud"), "{why}");
}

#[test]
fn a_cloud_that_is_away_is_exit_5_and_what_is_kept_still_serves() {
    let aks = Aks::new();
    let page = Fault::status(503, "<html>down</html>");
    aks.sandbox.always(Route::EntraToken, page);
    aks.application().args(["--timeout", "2"]).run().failed(5);
    aks.sandbox.clear(Route::EntraToken);
    assert_eq!(aks.application().run().code, Some(0));
    aks.sandbox.always(Route::EntraToken, Fault::Garbage);
    assert_eq!(aks.application().run().code, Some(0), "what is kept serves");
    aks.application().args(["--fresh"]).run().failed(5);
}

#[test]
fn no_redirect_is_followed_with_a_secret() {
    let aks = Aks::new();
    let canary = aks.sandbox.canary().unwrap();
    let to = canary.https.clone();
    aks.sandbox.always(Route::EntraToken, Fault::Redirect { code: 307, to });
    let run = aks.application().run();
    assert_ne!(run.code, Some(0));
    assert_eq!(aks.sandbox.count(Route::Canary), 0);
}

#[test]
fn nobody_to_ask_is_exit_3_at_once_and_sends_nothing() {
    let aks = Aks::new();
    let [_, _, next] = aks.login("interactive").run().failed(3);
    assert!(next.starts_with("fleetkey login azure "), "{next}");
    let [_, _, next] = aks.login("devicecode").run().failed(3);
    assert!(next.starts_with("fleetkey login azure "), "{next}");
    assert_eq!(aks.sandbox.total(), 0);
}
