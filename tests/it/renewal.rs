//! Renewal ahead: while a process fetches a successor, whoever asks is answered with what is there.
//!
//! No test waits for a credential to grow old: the file in which it is kept is written anew, with
//! earlier times.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fleetkey_provider::Fingerprint;
use fleetkey_sandbox::{Fault, Gate, Route};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{
    Aks, Desk, PATIENCE, Program, Stage, alice, for_every_kubectl, kept_in, say, until, which,
};

/// Somebody signed in, and one credential is kept.
pub(crate) struct Signed {
    pub(crate) aks: Aks,
    pub(crate) kept: PathBuf,
}

impl Signed {
    pub(crate) fn new() -> Self {
        let aks = Aks::new();
        let running = aks.interactive().spawn();
        aks.signs_in(1);
        assert_eq!(running.finish().code, Some(0));
        let [kept] =
            <[PathBuf; 1]>::try_from(kept_in(aks.home.join(".cache/fleetkey/azure"))).unwrap();
        Self { aks, kept }
    }

    /// By which nobody could be asked without its being seen.
    pub(crate) fn get(&self) -> Program {
        self.aks.interactive()
    }

    pub(crate) fn asked(&self) -> usize {
        self.aks.sandbox.count(Route::EntraToken)
    }

    pub(crate) fn hold(&self) -> Gate {
        let gate = Gate::new();
        self.aks.sandbox.script(Route::EntraToken, [Fault::Hold(gate.clone())]);
        gate
    }

    /// Waits until the processes that renew for this home are gone.
    pub(crate) fn settled(&self) {
        until("nobody renews any more", PATIENCE, || renewing(self.aks.home.path()).is_empty());
    }

    pub(crate) fn is_marked(&self) -> bool {
        self.kept.with_extension("renewing").exists()
    }
}

/// Writes a kept credential anew, as one that was lent for an hour so many seconds ago.
pub(crate) fn age(file: &Path, seconds: i64) {
    let text = fs::read_to_string(file).unwrap();
    let mut entry: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let issued = Timestamp::now() - SignedDuration::from_secs(seconds);
    entry["issued"] = issued.to_string().into();
    entry["expires"] = (issued + SignedDuration::from_hours(1)).to_string().into();
    let body = entry.to_string();
    let magic = text.split_inclusive(' ').take(2).collect::<String>();
    let text = format!("{magic}{}\n{body}\n", Fingerprint::of(body.as_bytes()));
    fs::write(file, text).unwrap();
}

/// The processes that renew for somebody with that home.
pub(crate) fn renewing(home: &Path) -> Vec<PathBuf> {
    let has = |path: PathBuf, what: &[u8]| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.split(|byte| *byte == 0).any(|word| word == what)
    };
    let home = format!("HOME={}", home.display());
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let ours = processes.filter(|path| has(path.join("cmdline"), b"renew-ahead"));
    ours.filter(|path| has(path.join("environ"), home.as_bytes())).collect()
}

/// At least 80 % of an hour, and a tenth of that: due whatever the key.
pub(crate) const DUE: i64 = 53 * 60;

#[test]
fn across_twenty_expiries_no_call_asks_or_waits() {
    let signed = Signed::new();
    let mut current = signed.get().run().token();
    for round in 1..=20 {
        let before = signed.asked();
        let gate = signed.hold();
        age(&signed.kept, DUE);
        // whoever asked or waited for the one that does would stand here until the gate opens
        let crowd: Vec<_> = (0..8).map(|_| signed.get().spawn()).collect();
        for running in crowd {
            assert_eq!(running.finish().token(), current, "round {round}");
        }
        assert!(gate.wait_for(1, PATIENCE), "round {round}: nobody renews");
        assert_eq!(signed.get().run().token(), current);
        assert_eq!((renewing(signed.aks.home.path()).len(), gate.waiting()), (1, 1));
        gate.release();
        signed.settled();
        let next = signed.get().run().token();
        assert_ne!(next, current, "round {round}: it was not renewed");
        signed.aks.cluster.verify(&next).unwrap();
        assert_eq!(signed.asked() - before, 1, "round {round}");
        assert!(!signed.is_marked());
        current = next;
    }
    assert_eq!(signed.aks.opened().len(), 1, "somebody was asked");
    say("20 expiries, 10 calls at each: 20 renewals, no call sent a request");
}

#[test]
fn a_role_of_sso_is_renewed_ahead_too() {
    let stage = Stage::new();
    let sso = stage.with_profile("sso");
    stage.who(&sso.run());
    let [kept] = <[PathBuf; 1]>::try_from(stage.kept()).unwrap();
    // what is left for `aws` would serve for longer
    fs::remove_dir_all(stage.home.join(".aws/cli/cache")).unwrap();
    let gate = Gate::new();
    stage.sandbox.script(Route::SsoCredentials, [Fault::Hold(gate.clone())]);
    age(&kept, DUE);
    for _ in 0..5 {
        stage.who(&sso.run());
    }
    assert!(gate.wait_for(1, PATIENCE), "nobody renews");
    gate.release();
    until("it is over", PATIENCE, || renewing(stage.home.path()).is_empty());
    stage.who(&sso.run());
    assert_eq!(stage.sandbox.count(Route::SsoCredentials), 2);
}

#[test]
fn kubectl_returns_while_a_renewal_hangs_that_holds_nothing_of_it() {
    for_every_kubectl("renewal ahead", |kubectl| {
        let signed = Signed::new();
        let Signed { aks, .. } = &signed;
        let env = [aks.environment(), aks.browser()].concat();
        let desk = Desk::new(kubectl, aks.args("interactive").into_iter(), env);
        let config = aks.home.kubeconfig(&aks.cluster, &desk.older()).unwrap();
        // the desk has a cache of its own; the session is the same
        drop(desk.run(&config, &["get", "--raw", "/version"]));
        let [kept] = <[PathBuf; 1]>::try_from(kept_in(desk.cache().join("azure"))).unwrap();
        age(&kept, DUE);
        let gate = signed.hold();
        let run = desk.run(&config, &["get", "--raw", "/version"]);
        assert!(gate.wait_for(1, PATIENCE), "nobody renews");
        say(&format!("kubectl {} was back after {:?}", kubectl.version, run.took));
        let [process] = <[PathBuf; 1]>::try_from(renewing(aks.home.path())).unwrap();
        is_apart(&process);
        drop(desk.run(&config, &["get", "--raw", "/version"]));
        assert_eq!(gate.waiting(), 1);
        gate.release();
        signed.settled();
        drop(desk.run(&config, &["get", "--raw", "/version"]));
        assert_eq!(aks.cluster.rejections(), []);
    });
}

/// None of the descriptors that a client waits for, no terminal and no group of its.
fn is_apart(process: &Path) {
    for number in ["0", "1", "2"] {
        let is = fs::read_link(process.join("fd").join(number)).unwrap();
        assert_eq!(is, Path::new("/dev/null"), "descriptor {number}");
    }
    let stat = fs::read_to_string(process.join("stat")).unwrap();
    let id = process.file_name().unwrap().to_str().unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    // state, parent, group, session, terminal (proc(5))
    assert_eq!(fields[2..5], [id, id, "0"]);
}

#[test]
fn a_session_that_needs_a_person_is_used_to_the_end_and_nobody_is_asked() {
    let signed = Signed::new();
    let current = signed.get().run().token();
    signed.aks.sandbox.entra().revoke_sessions(alice());
    age(&signed.kept, DUE);
    assert_eq!(signed.get().run().token(), current);
    until("the renewal was refused", PATIENCE, || signed.asked() == 2);
    signed.settled();
    assert!(signed.is_marked());
    for minutes in [54, 56, 58, 59] {
        age(&signed.kept, minutes * 60);
        for _ in 0..2 {
            assert_eq!(signed.get().run().token(), current, "after {minutes} minutes");
        }
        signed.settled();
    }
    assert_eq!((signed.asked(), signed.aks.opened().len()), (2, 1));
    age(&signed.kept, 60 * 60);
    let [_, _, next] = signed.get().args(["--ask", "never"]).run().failed(3);
    assert!(next.starts_with("fleetkey login azure "), "{next}");
}

#[test]
fn it_can_be_switched_off_and_machines_do_without() {
    let signed = Signed::new();
    let off =
        [signed.get().args(["--no-renew-ahead"]), signed.get().env("FLEETKEY_NO_RENEW_AHEAD", "1")];
    for program in off {
        age(&signed.kept, DUE);
        program.run().answer();
        assert!(!signed.is_marked() && renewing(signed.aks.home.path()).is_empty());
        assert_eq!(signed.asked(), 1);
    }
    let aks = Aks::new();
    aks.application().run().answer();
    let [kept] = <[PathBuf; 1]>::try_from(kept_in(aks.home.join(".cache/fleetkey/azure"))).unwrap();
    age(&kept, DUE);
    aks.application().run().answer();
    assert!(!kept.with_extension("renewing").exists());
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
}

#[test]
fn where_nothing_can_be_written_it_is_a_note() {
    let signed = Signed::new();
    age(&signed.kept, DUE);
    let marker = signed.kept.with_extension("renewing");
    fs::create_dir(&marker).unwrap();
    signed.get().run().answer();
    let run = signed.get().args(["-v"]).run();
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("nobody renews"), "{}", run.stderr);
    assert_eq!(signed.asked(), 1);
}

#[test]
fn the_hidden_word_does_nothing_but_renew_and_says_nothing() {
    let signed = Signed::new();
    let config = signed.aks.home.write(".kube/config", "users: []\n").unwrap();
    let mut args = signed.aks.args("interactive");
    args.remove(0);
    let login = ["login"].into_iter().map(str::to_owned).chain(args).collect::<Vec<_>>();
    let lines: [Vec<String>; 5] = [
        signed.aks.args("interactive"),
        login,
        ["trust", "add", "example.com"].map(str::to_owned).into(),
        ["kubeconfig", "convert", "--kubeconfig", config.to_str().unwrap()]
            .map(str::to_owned)
            .into(),
        vec![],
    ];
    for line in lines {
        let run = signed.aks.bare().args(["renew-ahead"]).args(line.clone()).run();
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (Some(0), "", ""),
            "{line:?}"
        );
    }
    assert_eq!((signed.asked(), signed.aks.opened().len()), (1, 1));
    assert!(!signed.aks.home.join(".config/fleetkey/config.toml").exists());
}

/// What a process does that changes a disk.
const WRITES: &str = "write,writev,pwrite64,open,openat,mkdir,mkdirat,rename,renameat,renameat2,\
                      unlink,unlinkat,fsync,fdatasync,flock,ftruncate,linkat";

#[test]
fn a_renewal_that_is_killed_at_any_write_leaves_no_half_file_and_the_next_call_is_answered() {
    let Some(strace) = which("strace") else {
        return say("renewal ahead: the kills are skipped, there is no strace");
    };
    let signed = Signed::new();
    let (mut kills, mut done) = (0, false);
    for nth in 1..=400 {
        age(&signed.kept, DUE);
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        let line = signed.aks.args("interactive");
        let run = signed.aks.bare().args(["renew-ahead"]).args(line).under(traced).run();
        let before = signed.asked();
        signed.get().env("FLEETKEY_NO_RENEW_AHEAD", "1").run().answer();
        assert_eq!(signed.asked(), before, "what was kept is lost after the kill at write {nth}");
        if run.code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        for file in signed.aks.sessions() {
            assert!(fs::metadata(&file).unwrap().len() > 0, "{} is empty", file.display());
        }
    }
    assert!(done && kills > 10, "{kills} kills");
    assert_eq!(signed.aks.opened().len(), 1, "somebody had to sign in again");
    say(&format!("a renewal was killed {kills} times, once at every write"));
}
