//! Sessions of people: one sign-in serves everything, and what was redeemed is never lost.

use std::fs;

use fleetkey_sandbox::{Person, Rotation, Route};

use crate::support::{Aks, PATIENCE, Program, Run, Running, alice, say, until, which};

/// Somebody signed in, with a browser, for AKS in the first tenant.
fn signed_in() -> Aks {
    let aks = Aks::new();
    let running = aks.interactive().spawn();
    aks.signs_in(1);
    assert_eq!(aks.who(&quiet(running.finish())).name, alice());
    aks
}

/// A run that asked a person says so on stderr; what it answered counts.
fn quiet(run: Run) -> Run {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    Run { stderr: String::new(), ..run }
}

/// A run by which nobody may be asked.
fn silent(aks: &Aks) -> Program {
    aks.interactive().args(["--ask", "never"])
}

#[test]
fn two_servers_and_three_tenants_are_one_sign_in_a_tenant() {
    let aks = Aks::new();
    let entra = aks.sandbox.entra();
    let tenants: Vec<String> =
        ["contoso.com", "fabrikam.com", "tailspin.com"].map(|name| entra.tenant(name)).into();
    entra.person(Person::new(alice(), &tenants));
    let servers = ["6dae42f8-4368-4678-94ff-3960e28e3630", "77777777-7777-7777-7777-777777777777"];
    for (count, tenant) in tenants.iter().enumerate() {
        entra.server(tenant, servers[1]);
        let program = |server: &str| {
            let args = aks.args_in(tenant, "interactive");
            let args = args.into_iter().chain(["--server-id".into(), server.to_owned()]);
            let client = ["--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a"];
            aks.bare().envs(aks.browser()).args(args).args(client)
        };
        let running = program(servers[0]).spawn();
        aks.signs_in(count + 1);
        assert_eq!(running.finish().code, Some(0));
        // the other server is lent to the same session, and asks nobody
        let run = program(servers[1]).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    }
    assert_eq!(aks.opened().len(), tenants.len());
    assert_eq!(aks.sandbox.count(Route::EntraToken), 2 * tenants.len());
    assert_eq!(aks.sessions().len(), tenants.len());
}

#[test]
fn two_accounts_of_one_tenant_stand_side_by_side_and_are_never_mixed_up() {
    let aks = Aks::new();
    let entra = aks.sandbox.entra();
    entra.person(Person::new("bob@contoso.com", &[&aks.tenant]));
    let as_who = |name: &str| aks.interactive().args(["--login-hint", name]);
    for (count, name) in [alice(), "bob@contoso.com"].into_iter().enumerate() {
        let running = as_who(name).spawn();
        entra.browse(&aks.page(count + 1), name).unwrap();
        assert_eq!(aks.who(&quiet(running.finish())).name, name);
    }
    for name in [alice(), "bob@contoso.com"] {
        assert_eq!(aks.who(&as_who(name).run()).name, name);
    }
    assert_eq!(aks.opened().len(), 2);

    // who signs in as somebody else than was asked for is not let in as either
    entra.person(Person::new("carol@contoso.com", &[&aks.tenant]));
    let running = as_who("carol@contoso.com").spawn();
    entra.browse(&aks.page(3), alice()).unwrap();
    let run = running.finish();
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains("carol@contoso.com"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_refresh_is_one_request_and_asks_nobody() {
    let aks = signed_in();
    for round in 1..=3 {
        let before = aks.asked();
        let run = silent(&aks).args(["--fresh"]).run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(aks.asked() - before, 1, "round {round}");
    }
    assert_eq!(aks.opened().len(), 1);
}

#[test]
fn two_hundred_processes_over_ten_rotations_reuse_nothing() {
    let aks = signed_in();
    let entra = aks.sandbox.entra();
    entra.rotation(Rotation::RevokeOnReuse);
    let servers: Vec<String> =
        (0..4).map(|n| format!("77777777-0000-0000-0000-00000000000{n}")).collect();
    for server in &servers {
        entra.server(&aks.tenant, server);
    }
    let before = aks.sandbox.count(Route::EntraToken);
    for _ in 0..10 {
        // all that is kept is over for each of them, and four credentials stand on one session
        let spawn = |n: usize| {
            let client = ["--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a"];
            let server = ["--server-id", &servers[n % 4]];
            silent(&aks).args(client).args(server).args(["--fresh"]).spawn()
        };
        let running: Vec<Running> = (0..200).map(spawn).collect();
        for running in running {
            let run = running.finish();
            assert_eq!(run.code, Some(0), "{}", run.stderr);
        }
    }
    let redeemed = aks.sandbox.count(Route::EntraToken) - before;
    assert!(redeemed >= 40, "only {redeemed} redemptions");
    assert_eq!(entra.reuses(), 0);
    assert_eq!(silent(&aks).args(["--fresh"]).run().code, Some(0), "the session is dead");
    say(&format!("2000 processes in 10 rounds: {redeemed} redemptions of one session, 0 reuses"));
}

#[test]
fn a_session_that_was_revoked_is_dropped_and_one_signs_in_again() {
    let aks = signed_in();
    aks.sandbox.entra().revoke_sessions(alice());
    let [_, _, next] = silent(&aks).args(["--fresh"]).run().failed(3);
    assert!(next.starts_with("fleetkey login azure "), "{next}");
    assert_eq!(aks.sessions().len(), 0);
    // nothing is sent for what is known to be dead
    let before = aks.sandbox.total();
    silent(&aks).args(["--fresh"]).run().failed(3);
    assert_eq!(aks.sandbox.total(), before);
    // and who can be asked is asked
    let running = aks.interactive().args(["--fresh"]).spawn();
    aks.signs_in(2);
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn a_claims_challenge_is_carried_into_the_sign_in() {
    let aks = signed_in();
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    aks.sandbox.entra().require_claims(alice(), claims);
    let running = aks.interactive().args(["--fresh"]).spawn();
    let page = aks.page(2);
    assert!(page.contains("claims="), "{page}");
    aks.sandbox.entra().browse(&page, alice()).unwrap();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn no_session_and_no_secret_of_it_can_be_read_from_its_file() {
    let aks = signed_in();
    let [session] = &aks.sessions()[..] else { panic!("{:?}", aks.sessions()) };
    let bytes = fs::read(session).unwrap();
    for mark in ["refresh", "0.A", "eyJ", alice()] {
        let found = bytes.windows(mark.len()).any(|part| part == mark.as_bytes());
        assert!(!found, "{mark} stands in the file of a session");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(session).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// What a process does that changes a disk.
const WRITES: &str = "write,writev,pwrite64,open,openat,mkdir,mkdirat,rename,renameat,renameat2,\
                      unlink,unlinkat,fsync,fdatasync,flock,ftruncate,linkat";

#[test]
#[cfg(target_os = "linux")]
fn a_session_survives_a_kill_at_every_write() {
    let Some(strace) = which("strace") else {
        return say("sessions: the kills are skipped, there is no strace");
    };
    let aks = signed_in();
    let (mut kills, mut done) = (0, false);
    for nth in 1..=400 {
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        let run = silent(&aks).args(["--fresh"]).under(traced).run();
        if run.code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        for file in aks.sessions() {
            assert!(fs::metadata(&file).unwrap().len() > 0, "{} is empty", file.display());
        }
        // whatever was cut off, nobody has to sign in again: Entra keeps the older token good
        let after = silent(&aks).args(["--fresh"]).run();
        assert_eq!(after.code, Some(0), "after the kill at write {nth}: {}", after.stderr);
    }
    assert!(done && kills > 10, "{kills} kills");
    assert_eq!(aks.opened().len(), 1);
    say(&format!("a session survived {kills} kills, one at every write"));
}

#[test]
#[cfg(target_os = "linux")]
fn where_a_token_serves_once_a_kill_loses_a_session_only_with_its_answer() {
    let Some(strace) = which("strace") else {
        return say("sessions: the kills are skipped, there is no strace");
    };
    let aks = signed_in();
    aks.sandbox.entra().rotation(Rotation::Rotate);
    let (mut kills, mut lost, mut done) = (0, 0, false);
    for nth in 1..=400 {
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        let contents = || aks.sessions().first().map(|file| fs::read(file).unwrap());
        let (before, sent) = (contents(), aks.sandbox.count(Route::EntraToken));
        if silent(&aks).args(["--fresh"]).under(traced).run().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        let is_lost = contents() == before && aks.sandbox.count(Route::EntraToken) > sent;
        let after = silent(&aks).args(["--fresh"]).run();
        let expected = if is_lost { 3 } else { 0 };
        assert_eq!(after.code, Some(expected), "after the kill at write {nth}: {}", after.stderr);
        if is_lost {
            lost += 1;
            let opened = aks.opened().len();
            let running = aks.interactive().args(["--fresh"]).spawn();
            aks.signs_in(opened + 1);
            assert_eq!(running.finish().code, Some(0));
        }
    }
    assert!(done && kills > 10 && lost < kills / 2, "{kills} kills, {lost} lost");
    say(&format!(
        "{kills} kills, one at every write: {lost} before the answer was on its way to disk"
    ));
}

#[test]
#[cfg(target_os = "linux")]
fn a_sign_in_that_is_killed_at_any_write_leaves_a_session_or_none() {
    let Some(strace) = which("strace") else {
        return say("sessions: the kills are skipped, there is no strace");
    };
    let aks = Aks::new();
    let (mut kills, mut kept, mut done) = (0, 0, false);
    for nth in 1..=400 {
        let state = aks.home.join(format!("state-{nth}"));
        let cache = aks.home.join(format!("cache-{nth}")).display().to_string();
        // a page that nobody opens but us: a browser would be killed too
        let program = |ask: &str| {
            let program = aks.login("interactive").args(["--ask", ask, "--cache-dir", &cache]);
            program.env("XDG_STATE_HOME", &state)
        };
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        let mut running = program("terminal").under(traced).spawn();
        let page = |running: &Running| {
            let said = running.said();
            let page = said.split_whitespace().find(|word| word.contains("/authorize?"));
            page.filter(|_| said.ends_with('\n')).map(str::to_owned)
        };
        until("it shows a page or is gone", PATIENCE, || {
            page(&running).is_some() || !running.is_running()
        });
        if let Some(page) = page(&running) {
            // who was killed is not there any more when the browser comes back
            drop(aks.sandbox.entra().browse(&page, alice()));
        }
        if running.finish().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        let sessions = state.join("fleetkey/sessions");
        let files = fs::read_dir(sessions).into_iter().flatten().map(|entry| entry.unwrap().path());
        let files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "session")).collect();
        assert!(files.iter().all(|file| file.metadata().unwrap().len() > 0), "half a file");
        // what is kept serves, and what is not has to be signed in for by hand
        let after = program("never").args(["--fresh"]).run();
        let expected = if files.is_empty() { 3 } else { 0 };
        assert_eq!(after.code, Some(expected), "after the kill at write {nth}: {}", after.stderr);
        kept += files.len();
    }
    assert!(done && kills > 10 && kept > 0, "{kills} kills, {kept} sessions");
    say(&format!("a sign-in was killed {kills} times, once at every write: {kept} sessions kept"));
}

/// Whether processes that are started here ignore the signal, as a shell's background jobs do.
#[cfg(unix)]
fn is_ignored(signal: rustix::process::Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default() & (1 << (signal.as_raw() - 1)) != 0
}

#[test]
#[cfg(unix)]
fn a_signal_waits_until_what_was_redeemed_is_kept() {
    use fleetkey_sandbox::{Fault, Gate};
    use rustix::process::{Pid, Signal, kill_process};
    let aks = signed_in();
    aks.sandbox.entra().rotation(Rotation::RevokeOnReuse);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        if is_ignored(signal) {
            say(&format!("{signal:?} is ignored where these tests run, and so by what they start"));
            continue;
        }
        let gate = Gate::new();
        aks.sandbox.script(Route::EntraToken, [Fault::Hold(gate.clone())]);
        let mut running = silent(&aks).args(["--fresh", "--timeout", "1"]).spawn();
        assert!(gate.wait_for(1, PATIENCE), "nobody asked");
        let before = fs::read(&aks.sessions()[0]).unwrap();
        kill_process(Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap(), signal).unwrap();
        // it is still there when the answer comes, however late that is, and keeps it
        assert!(running.is_running());
        gate.release();
        until("the session is kept", PATIENCE, || fs::read(&aks.sessions()[0]).unwrap() != before);
        let run = running.finish();
        assert_ne!(run.code, Some(0), "{signal:?} was swallowed");
    }
    assert_eq!(silent(&aks).args(["--fresh"]).run().code, Some(0));
    assert_eq!(aks.sandbox.entra().reuses(), 0);
}
