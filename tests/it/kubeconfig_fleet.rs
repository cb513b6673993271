//! A fleet's kubeconfig: 5,000 contexts in one file. What is done to it costs what its size says, and no more.

use std::{fs, path::Path};

use crate::support::{Program, fleet_kubeconfig::fleet, say, which};

fn program(home: &Path, under: &[String], verb: &[&str]) -> Program {
    Program::plugin()
        .under(under.iter().map(String::as_str))
        .env("HOME", home)
        .env("FLEETKEY_SESSION_STORE", "file")
        .env("KUBECONFIG", home.join("config"))
        .args(["kubeconfig"])
        .args(verb)
}

#[test]
fn five_thousand_contexts_need_less_memory_than_ten_times_the_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    let text = fleet(5_000, 2_300);
    assert!((14_000_000..16_000_000).contains(&text.len()), "{}", text.len());
    fs::write(&file, &text).unwrap();
    // what a process writes to: the heap, and nothing of the program itself
    let limit = (text.len() * 10) >> 10;
    let shell = format!("ulimit -d {limit}; exec \"$@\"");
    let under = ["/bin/sh", "-c", &shell, "sh"].map(str::to_owned);
    for verb in [&["convert", "--dry-run"][..], &["convert", "--yes"], &["revert"]] {
        let run = program(home.path(), &under, verb).run();
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{verb:?}");
        if verb.contains(&"--dry-run") {
            assert_eq!(run.stdout.matches("\n-      command: ").count(), 5_000);
        }
        say(&format!(
            "5,000 contexts, {} bytes, {verb:?}: {:?} in this build",
            text.len(),
            run.took
        ));
    }
    assert!(fs::read_to_string(&file).unwrap() == text);
}

#[test]
fn ten_times_the_contexts_cost_ten_times_the_instructions() {
    if which("valgrind").is_none() {
        say("instructions are not counted: there is no valgrind on this machine");
        return;
    }
    let under =
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"].map(str::to_owned);
    let path = std::env::var("PATH").unwrap();
    let counted = |contexts: usize, verb: &[&str]| -> u64 {
        // one where nothing was ever converted: what is kept of that would count, too
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config"), fleet(contexts, 400)).unwrap();
        if verb == ["revert"] {
            assert_eq!(program(home.path(), &[], &["convert", "--yes"]).run().code, Some(0));
        }
        let run = program(home.path(), &under, verb).env("PATH", &path).run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let line = run.stderr.lines().find(|line| line.contains("Collected")).unwrap();
        line.split(':').nth(1).unwrap().trim().parse().unwrap()
    };
    for verb in [&["convert", "--dry-run"][..], &["convert", "--yes"], &["revert"]] {
        let [none, few, many] = [2, 20, 200].map(|contexts| counted(contexts, verb));
        // the start is in each; what is left is the contexts'
        let (few, many) = (few - none, many - none);
        say(&format!("{verb:?}: {few} instructions for 18 more contexts, {many} for 198"));
        assert!(many < few * 13, "{verb:?}: {few} and {many}: more than linear");
    }
}
