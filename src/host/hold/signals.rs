//! Signals that end a process, held back.
//!
//! Once there is a handler the system's own way to end the process is gone, so it is imitated
//! whenever nothing is held. What was ignored when the process began (`nohup`) stays ignored.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{
    consts::signal::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    flag, low_level,
};

const HELD: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// From now on a file that may grow no more (`ulimit -f`) is a write that fails, and not the end of
/// the process: what cannot be kept can still be answered.
pub(crate) fn outlive_full_files() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    static CAME: AtomicBool = AtomicBool::new(false);
    LISTENING.get_or_init(|| drop(flag::register(SIGXFSZ, &CAME)));
}

/// Which came, and whether they may end the process.
pub(super) struct Signals {
    came: [AtomicBool; HELD.len()],
    free: AtomicBool,
    listening: OnceLock<()>,
}

impl Signals {
    pub(super) const fn new() -> Self {
        Self {
            came: [const { AtomicBool::new(false) }; HELD.len()],
            free: AtomicBool::new(true),
            listening: OnceLock::new(),
        }
    }

    /// From now on they wait.
    pub(super) fn hold(&'static self) {
        self.free.store(false, Ordering::SeqCst);
        self.listening.get_or_init(|| {
            let ignored = ignored();
            for (signal, came) in HELD.into_iter().zip(&self.came) {
                if ignored & (1 << (signal - 1)) != 0 {
                    continue;
                }
                // in this order: one that comes while a hold ends is seen there or by the handler.
                // Where it cannot be caught it ends the process, as it would have without us
                drop(flag::register(signal, came));
                drop(flag::register_conditional_default(signal, &self.free));
            }
        });
    }

    /// Those that came do now what they would have done.
    pub(super) fn deliver(&self) {
        self.free.store(true, Ordering::SeqCst);
        for (signal, came) in HELD.into_iter().zip(&self.came) {
            if came.swap(false, Ordering::SeqCst) {
                // it does not come back
                drop(low_level::emulate_default_handler(signal));
            }
        }
    }
}

/// The signals that are ignored, one bit each, where the system says so (proc(5), `SigIgn`).
#[cfg(target_os = "linux")]
#[allow(clippy::disallowed_methods, reason = "the kernel's own word, neither a link nor a pipe")]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn ignored() -> u64 {
    0
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "signals end a process, so it must be another one")]
mod tests {
    use std::{
        os::unix::process::ExitStatusExt,
        process::{Command, ExitStatus},
    };

    use crate::host::Hold;

    const SIGNAL: &str = "FLEETKEY_TEST_SIGNAL";

    /// Runs this test again in a process of its own, where the signal is raised.
    fn child(test: &str, signal: i32, ignored: &str) -> (ExitStatus, String) {
        let own = std::env::current_exe().unwrap();
        let script = format!("{ignored} exec \"$0\" --exact \"$1\" --nocapture");
        let test = format!("host::hold::signals::tests::{test}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(own).arg(test).env(SIGNAL, signal.to_string());
        let done = command.output().unwrap();
        (done.status, String::from_utf8(done.stdout).unwrap())
    }

    fn raised() -> Option<i32> {
        std::env::var(SIGNAL).ok()?.parse().ok()
    }

    #[test]
    fn a_signal_waits_for_the_last_hold_and_ends_the_process_then() {
        if let Some(signal) = raised() {
            let hold = Hold::of_this_process();
            let (one, two) = (hold.begin(), hold.begin());
            signal_hook::low_level::raise(signal).unwrap();
            drop(one);
            println!("kept {}", hold.is_on());
            drop(two);
            println!("never");
            return;
        }
        // what a shell's background job ignores, such as SIGINT, its children ignore as well
        let ignored = super::ignored();
        for signal in super::HELD.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0) {
            let name = "a_signal_waits_for_the_last_hold_and_ends_the_process_then";
            let (status, said) = child(name, signal, "");
            assert_eq!(status.signal(), Some(signal), "{said}");
            assert!(said.contains("kept true") && !said.contains("never"), "{said}");
        }
    }

    #[test]
    fn after_a_hold_a_signal_ends_the_process_as_before() {
        if let Some(signal) = raised() {
            drop(Hold::of_this_process().begin());
            println!("kept");
            signal_hook::low_level::raise(signal).unwrap();
            println!("never");
            return;
        }
        let name = "after_a_hold_a_signal_ends_the_process_as_before";
        let (status, said) = child(name, signal_hook::consts::SIGTERM, "");
        assert_eq!(status.signal(), Some(signal_hook::consts::SIGTERM));
        assert!(said.contains("kept") && !said.contains("never"), "{said}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_was_ignored_stays_ignored() {
        if let Some(signal) = raised() {
            let held = Hold::of_this_process().begin();
            signal_hook::low_level::raise(signal).unwrap();
            drop(held);
            signal_hook::low_level::raise(signal).unwrap();
            println!("lives on");
            return;
        }
        let name = "what_was_ignored_stays_ignored";
        let (status, said) = child(name, signal_hook::consts::SIGHUP, "trap '' HUP;");
        assert!(status.success() && said.contains("lives on"), "{status} {said}");
    }
}
