//! Many processes at once ask the cloud as often as one would.

use std::{
    collections::HashSet,
    fs::{self, File},
    path::PathBuf,
    time::{Duration, Instant},
};

use fleetkey_sandbox::{Fault, Gate, Role, Route};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{ADMIN, Running, Stage, say, until};

#[test]
fn a_hundred_processes_assume_a_role_once() {
    let stage = Stage::new();
    stage.who(&stage.admin().run());
    let [kept] = <[PathBuf; 1]>::try_from(stage.kept()).unwrap();
    fs::remove_file(&kept).unwrap();
    // all stand at the lock before anybody asks, however long this machine takes to start them: a
    // request is not held for longer than an attempt may take
    let lock = File::open(kept.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let gate = Gate::new();
    stage.sandbox.always(Route::AssumeRole, Fault::Hold(gate.clone()));
    let began = Instant::now();
    let crowd: Vec<Running> = (0..100).map(|_| stage.admin().spawn()).collect();
    all_wait(&crowd, 100);
    let ready = began.elapsed();
    lock.unlock().unwrap();
    assert!(gate.wait_for(1, START), "nobody asked");
    gate.release();

    for running in crowd {
        assert_eq!(stage.who(&running.finish()).canonical_arn, ADMIN);
    }
    let all = began.elapsed().saturating_sub(ready);
    say(&format!("100 processes stood at the lock after {ready:?}, and had ended {all:?} later"));
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 2, "one at first, and one for the crowd");
}

#[test]
fn twenty_roles_in_eight_processes_each_are_assumed_twenty_times() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.sandbox.always(Route::AssumeRole, Fault::Hold(gate.clone()));
    let roles: Vec<_> = (0..20).map(|n| format!("arn:aws:iam::444455556666:role/r{n}")).collect();
    for role in &roles {
        stage.sandbox.role(Role::new(role).trusts(&stage.alice.arn));
    }
    let spawn = |role: &String| stage.with_profile("alice").args(["--role-arn", role]).spawn();
    let crowd: Vec<_> = (0..8).flat_map(|_| roles.iter().map(|r| (r, spawn(r)))).collect();
    assert!(gate.wait_for(20, START), "only {} asked", gate.waiting());
    gate.release();

    for (role, running) in crowd {
        assert_eq!(&stage.who(&running.finish()).canonical_arn, role);
    }
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 20);
    let requests = stage.sandbox.requests();
    let asked: HashSet<_> = requests.iter().filter_map(|r| r.parameter("RoleArn")).collect();
    assert_eq!(asked.len(), 20);
}

#[test]
fn a_killed_holder_of_the_lock_is_replaced_within_a_second() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.sandbox.script(Route::AssumeRole, [Fault::Hold(gate.clone())]);
    let mut holder = stage.admin().spawn();
    assert!(gate.wait_for(1, START), "the first never asked");
    let waiters: Vec<_> = (0..5).map(|_| stage.admin().spawn()).collect();
    all_wait(&waiters, 5);

    let killed = Instant::now();
    holder.kill();
    until("a successor asks", START, || stage.sandbox.count(Route::AssumeRole) == 2);
    let replaced = killed.elapsed();
    say(&format!("a killed holder of the lock was replaced after {replaced:?}"));
    assert!(replaced <= Duration::from_secs(1), "{replaced:?}");
    for running in waiters {
        assert_eq!(stage.who(&running.finish()).canonical_arn, ADMIN);
    }
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 2);
}

#[test]
fn a_stopped_holder_of_the_lock_is_not_waited_for_beyond_the_bound() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.sandbox.script(Route::AssumeRole, [Fault::Hold(gate.clone())]);
    let holder = stage.admin().spawn();
    assert!(gate.wait_for(1, START), "the first never asked");
    kill_process(Pid::from_raw(i32::try_from(holder.id()).unwrap()).unwrap(), Signal::STOP)
        .unwrap();
    until("it is stopped", START, || state(&holder) == Some('T'));

    let waiter = stage.admin().args(["--timeout", "1"]).spawn();
    all_wait(std::slice::from_ref(&waiter), 1);
    let run = waiter.finish();
    assert_eq!(stage.who(&run).canonical_arn, ADMIN);
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 2);
    say(&format!("a stopped holder of the lock was waited for {:?}, with `--timeout 1`", run.took));
    assert!(run.took < BOUND + SLACK, "{:?}", run.took);
    assert_eq!(state(&holder), Some('T'), "the holder went on by itself");
}

/// Returns once that many of them have been seen to wait for the lock: nothing else makes a
/// process of ours sleep for a while.
pub(crate) fn all_wait(crowd: &[Running], count: usize) {
    let mut waiting = HashSet::new();
    until("all wait for the lock", START, || {
        waiting.extend(crowd.iter().map(Running::id).filter(|id| sleeps(*id)));
        waiting.len() >= count
    });
}

/// Whether the process is in a system call that waits for time to pass.
fn sleeps(id: u32) -> bool {
    let call = fs::read_to_string(format!("/proc/{id}/syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| NANOSLEEP.contains(&number))
}

/// The letter of its state, as `ps` shows it.
fn state(running: &Running) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", running.id())).unwrap();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
}

/// `nanosleep` and `clock_nanosleep`.
const NANOSLEEP: [u32; 2] = if cfg!(target_arch = "x86_64") { [35, 230] } else { [101, 115] };

/// How long processes may take to start, on a machine that does much else.
const START: Duration = Duration::from_mins(1);
/// How long a lock is waited for with `--timeout 1`.
const BOUND: Duration = Duration::from_secs(6);
/// What a busy machine adds to that.
const SLACK: Duration = Duration::from_secs(4);
