//! Many processes and one cloud: one request, one browser, one code, whoever asks.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use fleetkey_sandbox::{App, Fault, Gate, Route};

use crate::support::{Aks, PATIENCE, Running, alice, kept_in, say, until};

/// Starts so many, and waits until each stands where only another process or the cloud can help it.
fn crowd(count: usize, spawn: impl Fn(usize) -> Running) -> Vec<Running> {
    (0..count).map(spawn).collect()
}

#[test]
fn a_hundred_processes_of_one_application_ask_once() {
    let aks = Aks::new();
    aks.who(&aks.application().run());
    let [kept] = <[PathBuf; 1]>::try_from(kept_in(aks.home.join(".cache/fleetkey/azure"))).unwrap();
    fs::remove_file(&kept).unwrap();
    // all stand at the lock before anybody asks, however long this machine takes to start them
    let lock = File::open(kept.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let running = crowd(100, |_| aks.application().spawn());
    crate::crowd::all_wait(&running, 100);
    lock.unlock().unwrap();
    for running in running {
        assert_eq!(aks.who(&running.finish()).tid, aks.tenant);
    }
    let asked = aks.sandbox.count(Route::EntraToken);
    assert_eq!(asked, 2, "one at first, and one for the crowd");
}

#[test]
fn twenty_applications_in_ten_processes_each_ask_twenty_times_without_mixing() {
    let aks = Aks::new();
    let gate = Gate::new();
    let ids: Vec<String> =
        (0..20).map(|n| format!("99999999-0000-0000-0000-0000000000{n:02}")).collect();
    for id in &ids {
        aks.sandbox.entra().app(App::new(&aks.tenant, id).secret(&format!("secret of {id}")));
    }
    aks.sandbox.always(Route::EntraToken, Fault::Hold(gate.clone()));
    let spawn = |id: &String| {
        let secret = format!("secret of {id}");
        aks.login("spn").args(["--client-id", id]).env("AZURE_CLIENT_SECRET", secret).spawn()
    };
    let running: Vec<_> = (0..10).flat_map(|_| ids.iter().map(|id| (id, spawn(id)))).collect();
    assert!(gate.wait_for(20, PATIENCE), "only {} asked", gate.waiting());
    gate.release();
    for (id, running) in running {
        assert_eq!(&aks.who(&running.finish()).appid, id);
    }
    assert_eq!(aks.sandbox.count(Route::EntraToken), 20);
}

#[test]
fn a_hundred_processes_open_one_browser() {
    let aks = Aks::new();
    let running = crowd(100, |_| aks.interactive().spawn());
    aks.signs_in(1);
    let mut said = 0;
    for running in running {
        let run = running.finish();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.contains("ExecCredential"));
        said += usize::from(run.stderr.contains("http"));
    }
    assert_eq!((aks.opened().len(), said), (1, 1), "more than one was asked");
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
}

#[test]
fn a_hundred_processes_show_one_code() {
    let aks = Aks::new();
    let running = crowd(100, |_| aks.device_code().spawn());
    let entra = aks.sandbox.entra();
    let device = entra.wait_for_device(PATIENCE).unwrap();
    assert!(entra.approve(&device.user_code, alice()));
    for running in running {
        let run = running.finish();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    assert_eq!(aks.sandbox.count(Route::EntraDeviceCode), 1);
}

/// A hundred runs after a sign-in that came to nothing: nobody is asked, nothing is sent, and each
/// says what to type.
fn left_alone(aks: &Aks, spawn: impl Fn() -> Running) {
    let (opened, sent) = (aks.opened().len(), aks.sandbox.total());
    for running in crowd(100, |_| spawn()) {
        let [_, why, next] = running.finish().failed(3);
        assert!(why.contains("nobody is asked again before"), "{why}");
        assert!(next.starts_with("fleetkey login azure "), "{next}");
    }
    assert_eq!((aks.opened().len(), aks.sandbox.total()), (opened, sent));
}

#[test]
fn after_a_sign_in_that_was_declined_nobody_is_asked() {
    let aks = Aks::new();
    let running = aks.interactive().spawn();
    let page = aks.page(1);
    aks.sandbox.entra().browse_declines(&page).unwrap();
    running.finish().gave_up(3);
    left_alone(&aks, || aks.interactive().spawn());
    // the same session by another mode
    left_alone(&aks, || aks.device_code().spawn());
}

#[test]
fn after_a_code_that_expired_nobody_is_asked() {
    let aks = Aks::new();
    let running = aks.device_code().spawn();
    let entra = aks.sandbox.entra();
    let device = entra.wait_for_device(PATIENCE).unwrap();
    entra.expire(&device.user_code);
    running.finish().gave_up(3);
    left_alone(&aks, || aks.device_code().spawn());
}

#[test]
fn after_a_sign_in_that_was_killed_nobody_is_asked_until_somebody_signs_in_by_hand() {
    let aks = Aks::new();
    let mut running = aks.interactive().spawn();
    aks.page(1);
    running.kill();
    left_alone(&aks, || aks.interactive().spawn());

    let mut args = aks.args("interactive");
    args[0] = "login".into();
    let running = aks.bare().envs(aks.browser()).args(args).spawn();
    aks.signs_in(2);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(aks.who(&aks.interactive().run()).name, alice());
    assert_eq!(aks.opened().len(), 2);
}

#[test]
fn a_killed_holder_of_the_lock_is_succeeded_at_once() {
    let aks = Aks::new();
    let gate = Gate::new();
    aks.sandbox.script(Route::EntraToken, [Fault::Hold(gate.clone())]);
    let mut holder = aks.application().spawn();
    assert!(gate.wait_for(1, PATIENCE), "nobody asked");
    let waiter = aks.application().spawn();
    holder.kill();
    until("the successor asks", PATIENCE, || aks.sandbox.count(Route::EntraToken) == 2);
    assert_eq!(aks.who(&waiter.finish()).tid, aks.tenant);
    say("a killed holder of an application's lock was succeeded");
}
