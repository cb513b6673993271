//! Programs that answer, fail, hang and talk too much. Each is a line of `/bin/sh`.

use std::io::Read;

use fleetkey_provider::{ExposeSecret, Kind, testing::StaticEnv};

use super::*;

fn programs(path: &str) -> OtherPrograms {
    OtherPrograms::new(Box::new(StaticEnv::new([("PATH", path)])))
}

fn shell(line: &str) -> Program {
    Program {
        name: "sh".into(),
        args: vec!["-c".into(), line.into(), "sh".into(), "an argument; and 'another'".into()],
        env: vec![("BESIDE".into(), "beside".into())],
        limit: Duration::from_secs(20),
    }
}

fn run(program: &Program) -> Result<Finished> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(programs("/nonexistent:/bin:/usr/bin").run(program))
}

#[test]
fn it_gets_its_arguments_as_they_are_the_environment_and_nothing_to_read() {
    let done =
        run(&shell("cat; echo \"$1\"; echo $BESIDE; test -n \"$PATH\"; echo said >&2")).unwrap();
    assert!(done.is_success());
    assert_eq!(done.stdout.expose_secret(), "an argument; and 'another'\nbeside\n");
    assert_eq!(done.stderr, "said\n");
}

#[test]
fn how_it_ended_is_told_and_no_error() {
    assert_eq!(run(&shell("exit 7")).unwrap().code, Some(7));
    assert_eq!(run(&shell("kill -9 $$")).unwrap().code, None);
}

#[test]
fn both_outputs_may_be_fuller_than_a_pipe() {
    let done = run(&shell("head -c 500000 /dev/zero >&2; head -c 1048576 /dev/zero")).unwrap();
    assert_eq!((done.stdout.expose_secret().len(), done.stderr.len()), (1 << 20, 500_000));
}

#[test]
fn one_that_talks_without_end_is_ended() {
    for line in ["exec cat /dev/zero", "exec cat /dev/zero >&2", "head -c 1048577 /dev/zero"] {
        let error = run(&shell(line)).unwrap_err();
        assert!(error.message().contains("more than 1 MiB"), "{line}: {error}");
    }
}

#[test]
fn what_is_no_text_is_an_error_that_does_not_show_it_and_complaints_are_shown_all_the_same() {
    let error = run(&shell(r"printf 'secret\377'")).unwrap_err();
    assert!(error.message().contains("UTF-8") && !error.to_string().contains("secret"), "{error}");
    assert_eq!(run(&shell(r"printf 'no\377' >&2")).unwrap().stderr, "no\u{fffd}");
}

#[test]
fn one_that_takes_too_long_is_ended_with_what_it_started() {
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let path = pipe.to_str().unwrap().to_owned();
    // a writer is there as long as the script or its child lives
    let reader = std::thread::spawn(move || {
        let mut read = String::new();
        std::fs::OpenOptions::new().read(true).open(pipe).unwrap().read_to_string(&mut read)
    });
    let mut program = shell("trap '' TERM; exec 3>\"$0\"; sleep 100 & wait");
    program.args.truncate(2);
    program.args.push(path);
    program.limit = Duration::from_millis(300);
    let error = run(&program).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    reader.join().unwrap().unwrap();
}

#[test]
fn what_it_left_running_is_not_waited_for() {
    let mut program = shell("sleep 3 & echo done");
    program.limit = Duration::from_millis(2500);
    assert_eq!(run(&program).unwrap().stdout.expose_secret(), "done\n");
}

#[test]
fn what_is_not_there_is_said_with_what_to_type() {
    for name in ["no-such-program", "/bin/no-such-program", "/etc/passwd", "/bin", ""] {
        let error = run(&Program { name: name.into(), ..shell("") }).unwrap_err();
        assert_eq!(error.kind(), Kind::Config, "{name}");
        assert_eq!(error.next_line(), Some(&*format!("command -v {}", quoted(name))));
    }
}

#[test]
fn only_absolute_folders_and_paths_count() {
    assert!(programs("/nonexistent:/bin").find("sh"));
    assert!(programs("").find("/bin/sh"));
    for (path, name) in [
        ("bin:.:", "sh"),
        ("", "sh"),
        ("/bin", "./sh"),
        ("/bin", "sh/"),
        ("/bin", "../bin/sh"),
        ("/bin", "."),
        ("/bin", ".."),
        ("/", "bin/sh"),
    ] {
        assert!(!programs(path).find(name), "{name} on {path}");
    }
}
