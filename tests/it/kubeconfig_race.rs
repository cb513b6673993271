//! kubectl and fleetkey change one kubeconfig at the same time, hundreds of times.

use std::{
    fs,
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
};

use crate::support::{Kubectl, Program, kubectls, say};

const ROUNDS: usize = 500;
/// How many conversions there are at the least, however slow the machine is; kubectl goes on until then.
const CONVERSIONS: usize = 25;
const CONTEXTS: usize = 20;
/// In one round of so many both run as fast as they can; in each, and kubectl would meet our lock three
/// times of four.
const TOGETHER: usize = 6;
/// The first user, for kubectl to write again.
const AS_AWS_WROTE_IT: [&str; 10] = [
    "set-credentials",
    "u0",
    "--exec-api-version=client.authentication.k8s.io/v1beta1",
    "--exec-command=aws",
    "--exec-arg=--region",
    "--exec-arg=eu-west-1",
    "--exec-arg=eks",
    "--exec-arg=get-token",
    "--exec-arg=--cluster-name",
    "--exec-arg=n0",
];
/// What the file ends with, whoever wrote it last.
const END: &str = "token: the-end";

#[test]
fn five_hundred_changes_by_kubectl_against_concurrent_conversions_lose_nothing() {
    let Some(kubectl) = kubectls().pop() else {
        say("kubectl tests ran: 0 (race: there is no kubectl on this machine)");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    fs::write(&file, fleet()).unwrap();
    let race = Race::default();
    let (Kubectls { locked, rounds, renewed }, [again, waited]) = std::thread::scope(|scope| {
        // goes with kubectl's side, however that ends: the other one ends then, too
        let (begins, begun) = mpsc::channel();
        let fleetkey = scope.spawn(|| convert_and_revert(home.path(), &race, &Rounds(begun)));
        let goes_on =
            || race.conversions.load(Ordering::SeqCst) < CONVERSIONS && !fleetkey.is_finished();
        let kubectl = {
            let begins = begins;
            set_contexts(&kubectl, home.path(), &file, &race, &begins, &goes_on)
        };
        (kubectl, fleetkey.join().unwrap())
    });
    // the last word on each namespace was kubectl's, and stands
    let text = Program::new(&kubectl.path)
        .args(["--kubeconfig", file.to_str().unwrap(), "config", "view", "-o", "json"])
        .run();
    let view: serde_json::Value = serde_json::from_str(&text.stdout).unwrap();
    let contexts = view["contexts"].as_array().unwrap();
    assert_eq!(contexts.len(), CONTEXTS);
    for context in contexts {
        let number: usize = context["name"].as_str().unwrap()[1..].parse().unwrap();
        let last = (0..rounds).rev().find(|round| round % CONTEXTS == number).unwrap();
        assert_eq!(context["context"]["namespace"], format!("ns{last}"), "{context}");
    }
    assert_eq!(view["users"].as_array().unwrap().len(), CONTEXTS + 1);
    assert!(!home.path().join("config.lock").exists());
    let (looks, converted) = (race.looks.into_inner(), race.conversions.into_inner());
    assert!(converted >= CONVERSIONS && looks > ROUNDS, "{converted} {looks}");
    say(&format!(
        "kubectl tests ran: 1 (race: {rounds} rounds, {locked} times it met our lock and was run again; {converted} \
         conversions, {again} of which read the file again, {waited} gave up; {renewed} times kubectl had brought \
         back what there was no record of; {looks} whole files seen)"
    ));
}

/// What both sides know of each other.
#[derive(Default)]
struct Race {
    conversions: AtomicUsize,
    looks: AtomicUsize,
    /// All is converted, and nothing can be put back: kubectl wrote what it had read before `revert`.
    is_at_rest: AtomicBool,
}

/// Of each round of kubectl's, whether both sides are to run.
struct Rounds(mpsc::Receiver<bool>);

impl Rounds {
    /// Waits for the next round where this side has a rest; none, and it is over.
    fn next(&self, together: bool) -> Option<bool> {
        let mut now = together || self.0.recv().ok()?;
        loop {
            match self.0.try_recv() {
                Ok(next) => now = next,
                Err(mpsc::TryRecvError::Empty) => return Some(now),
                Err(mpsc::TryRecvError::Disconnected) => return None,
            }
        }
    }
}

struct Kubectls {
    /// How often it met our lock.
    locked: usize,
    rounds: usize,
    /// How often it gave the other side something to convert.
    renewed: usize,
}

fn set_contexts(
    kubectl: &Kubectl,
    home: &Path,
    file: &Path,
    race: &Race,
    begins: &mpsc::Sender<bool>,
    goes_on: &dyn Fn() -> bool,
) -> Kubectls {
    let mut done = Kubectls { locked: 0, rounds: 0, renewed: 0 };
    let mut config = |line: &[&str]| loop {
        let run = Program::new(&kubectl.path)
            .env("HOME", home)
            .args(["--kubeconfig", file.to_str().unwrap(), "config"])
            .args(line)
            .run();
        look(file, &race.looks);
        if run.code == Some(0) {
            break;
        }
        assert!(run.stderr.contains("file exists"), "{run:?}");
        done.locked += 1;
    };
    while done.rounds < ROUNDS || goes_on() {
        // the other side may have failed: it says so itself
        begins.send(done.rounds.is_multiple_of(TOGETHER)).unwrap_or_default();
        let (context, namespace) = (done.rounds % CONTEXTS, done.rounds);
        config(&["set-context", &format!("c{context}"), &format!("--namespace=ns{namespace}")]);
        if race.is_at_rest.swap(false, Ordering::SeqCst) {
            config(&AS_AWS_WROTE_IT);
            done.renewed += 1;
        }
        done.rounds += 1;
    }
    done
}

/// fleetkey's side: how many runs read the file again, and how many met a lock too long.
fn convert_and_revert(home: &Path, race: &Race, rounds: &Rounds) -> [usize; 2] {
    let (mut again, mut waited) = (0, 0);
    let program = |verb: &[&str]| {
        Program::plugin()
            .env("HOME", home)
            .env("FLEETKEY_SESSION_STORE", "file")
            .env("KUBECONFIG", home.join("config"))
            .args(["kubeconfig"])
            .args(verb)
            .run()
    };
    let mut together = false;
    while let Some(now) = rounds.next(together) {
        together = now;
        if !together {
            continue;
        }
        let mut did_something = false;
        for verb in [&["convert", "--yes"][..], &["revert"]] {
            let run = program(verb);
            again += run.stderr.matches("it was read again").count();
            let is_one = run.stdout.starts_with("changed ");
            race.conversions.fetch_add(usize::from(is_one), Ordering::SeqCst);
            let waits = run.code == Some(5);
            waited += usize::from(waits);
            // there may be nothing to put back: kubectl wrote what it had read before
            let is_back = run.stderr.contains("nothing to put back");
            assert!(matches!(run.code, Some(0 | 5)) || is_back, "{verb:?} {run:?}");
            did_something |= is_one || waits || puts_back(&run.stdout);
        }
        if !did_something {
            race.is_at_rest.store(true, Ordering::SeqCst);
        }
    }
    [again, waited]
}

fn puts_back(said: &str) -> bool {
    said.starts_with("put back") && !said.starts_with("put back 0 ")
}

/// Reads the file, a few times, as any client does that kubectl's lock does not keep out.
fn look(file: &Path, looks: &AtomicUsize) {
    let lock = file.with_extension("lock");
    let stamp = || fs::metadata(file).and_then(|is| is.modified());
    for _ in 0..20 {
        // kubectl itself writes in place: what is seen while it does says nothing about us
        let before = (lock.exists(), stamp().unwrap());
        let text = fs::read_to_string(file).unwrap();
        if before.0 || lock.exists() || stamp().unwrap() != before.1 {
            continue;
        }
        assert!(text.trim_end().ends_with(END), "a torn file:\n{text}");
        looks.fetch_add(1, Ordering::SeqCst);
    }
}

fn fleet() -> String {
    let mut contexts = String::new();
    let mut users = String::new();
    for n in 0..CONTEXTS {
        let context = format!("- context: {{cluster: x, user: u{n}}}\n  name: c{n}\n");
        let user = format!(
            "- name: u{n}\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n      \
             - --region\n      - eu-west-1\n      - eks\n      - get-token\n      - --cluster-name\n      - n{n}\n      \
             command: aws\n      interactiveMode: IfAvailable\n      provideClusterInfo: false\n"
        );
        contexts += &context;
        users += &user;
    }
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    server: https://x.example\n  name: x\ncontexts:\n{contexts}\
         current-context: \"\"\nkind: Config\npreferences: {{}}\nusers:\n{users}- name: z\n  user:\n    {END}\n"
    )
}
