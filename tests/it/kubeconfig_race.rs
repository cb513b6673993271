//! kubectl and fleetkey change one kubeconfig at the same time, hundreds of times.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::support::{Kubectl, Program, kubectls, say};

const ROUNDS: usize = 500;
/// How many conversions there are at the least, however slow the machine is; kubectl goes on until then.
const CONVERSIONS: usize = 25;
const CONTEXTS: usize = 20;
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
    let (is_over, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    let conversions = AtomicUsize::new(0);
    let ((locked, rounds), [again, waited]) = std::thread::scope(|scope| {
        let fleetkey = scope.spawn(|| convert_and_revert(home.path(), &is_over, &conversions));
        let goes_on =
            || conversions.load(Ordering::SeqCst) < CONVERSIONS && !fleetkey.is_finished();
        let done = set_contexts(&kubectl, home.path(), &file, &looks, &goes_on);
        is_over.store(true, Ordering::SeqCst);
        (done, fleetkey.join().unwrap())
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
    let (looks, converted) = (looks.into_inner(), conversions.into_inner());
    assert!(converted >= CONVERSIONS && looks > ROUNDS, "{converted} {looks}");
    say(&format!(
        "kubectl tests ran: 1 (race: {rounds} rounds, {locked} times it met our lock and was run again; {converted} \
         conversions, {again} of which read the file again, {waited} gave up; {looks} whole files seen)"
    ));
}

/// kubectl's side. How often it met our lock, and how many rounds there were.
fn set_contexts(
    kubectl: &Kubectl,
    home: &Path,
    file: &Path,
    looks: &AtomicUsize,
    goes_on: &dyn Fn() -> bool,
) -> (usize, usize) {
    let (mut locked, mut round) = (0, 0);
    while round < ROUNDS || goes_on() {
        let line = [
            "config",
            "set-context",
            &format!("c{}", round % CONTEXTS),
            &format!("--namespace=ns{round}"),
        ]
        .map(str::to_owned);
        loop {
            let run = Program::new(&kubectl.path)
                .env("HOME", home)
                .args(["--kubeconfig", file.to_str().unwrap()])
                .args(line.clone())
                .run();
            look(file, looks);
            if run.code == Some(0) {
                break;
            }
            assert!(run.stderr.contains("file exists"), "{run:?}");
            locked += 1;
        }
        round += 1;
    }
    (locked, round)
}

/// fleetkey's side: how many runs read the file again, and how many met a lock too long.
fn convert_and_revert(home: &Path, is_over: &AtomicBool, conversions: &AtomicUsize) -> [usize; 2] {
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
    while !is_over.load(Ordering::SeqCst) {
        for verb in [&["convert", "--yes"][..], &["revert"]] {
            let run = program(verb);
            again += run.stderr.matches("it was read again").count();
            let is_one = run.stdout.starts_with("changed ");
            conversions.fetch_add(usize::from(is_one), Ordering::SeqCst);
            waited += usize::from(run.code == Some(5));
            // there may be nothing to put back: kubectl wrote what it had read before
            let is_well =
                matches!(run.code, Some(0 | 5)) || run.stderr.contains("nothing to put back");
            assert!(is_well, "{verb:?} {run:?}");
        }
    }
    [again, waited]
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
