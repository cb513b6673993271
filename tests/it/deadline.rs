//! One run has one time: who waits for others, and who asks in several steps, draws on the same.

use std::time::Duration;

use fleetkey_sandbox::{Fault, Gate, Role, Route};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Stage, until};

const VIA: &str = "arn:aws:iam::444455556666:role/hub";
const END: &str = "arn:aws:iam::444455556666:role/spoke";
/// Longer than any start takes on a machine that does other things too.
const START: Duration = Duration::from_mins(1);

#[test]
fn who_waited_for_a_silent_cloud_does_not_begin_to_wait_anew() {
    let stage = Stage::new();
    stage.sandbox.always(Route::AssumeRole, Fault::Silence);
    let crowd: Vec<_> = (0..6).map(|_| stage.admin().args(["--timeout", "2"]).spawn()).collect();
    for running in crowd {
        let run = running.finish();
        run.failed(5);
        // 2 s, 5 s for who waited, and a start among many
        assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
    }
}

#[test]
fn a_stopped_holder_of_a_whole_chain_is_waited_for_once() {
    let stage = Stage::new();
    stage.sandbox.role(Role::new(VIA).trusts(&stage.alice.arn));
    stage.sandbox.role(Role::new(END).trusts(VIA));
    let chain = || stage.with_profile("alice").args(["--via-role", VIA, "--role-arn", END]);
    let gate = Gate::new();
    stage.sandbox.script(Route::AssumeRole, [Fault::Hold(gate.clone())]);
    let holder = chain().spawn();
    assert!(gate.wait_for(1, START), "the first never asked");
    let id = Pid::from_raw(i32::try_from(holder.id()).unwrap()).unwrap();
    kill_process(id, Signal::STOP).unwrap();

    let run = chain().args(["--timeout", "4"]).run();
    assert_eq!(stage.who(&run).canonical_arn, END);
    // 4 s for both locks together, and not for each
    assert!(run.took < Duration::from_secs(8), "{:?}", run.took);
    gate.release();
    kill_process(id, Signal::CONT).unwrap();
    until("the first ends", START, || !stage.kept().is_empty());
    drop(holder);
}

#[test]
fn an_answer_that_was_given_says_more_than_the_silence_after_it() {
    let stage = Stage::new();
    stage.sandbox.always(Route::AssumeRole, Fault::unavailable(9));
    let run = stage.admin().args(["--timeout", "3"]).run();
    let [what, ..] = run.failed(5);
    assert!(what.contains("STS"), "{what}");
    assert!(run.took < Duration::from_secs(3), "{:?}", run.took);
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 1);
}

#[test]
fn a_silent_cloud_is_named_with_what_shows_the_same_without_us() {
    let stage = Stage::new();
    stage.sandbox.always(Route::AssumeRole, Fault::Silence);
    let [what, _, next] = stage.admin().args(["--timeout", "1"]).run().failed(5);
    assert_eq!(what, format!("`{}` did not answer in time", stage.sandbox.sts_url()));
    assert!(next.starts_with("curl ") && next.contains(&stage.sandbox.sts_url()), "{next}");
}
