//! A thousand kubeconfigs and more, converted and put back: not a byte is lost, and no comment on the way.

use std::{
    fs,
    io::Write,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use fleetkey_provider::testing::StaticEnv;

use crate::support::{kubeconfig_maker::kubeconfig, say};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a command line in this process: a thousand starts of another would take minutes.
fn run(home: &Path, line: &[&str]) -> (ExitCode, String, String) {
    let (out, err) = (Heard::default(), Heard::default());
    let mut world = fleetkey::World::real().heard_by(out.clone(), err.clone());
    let home = home.to_str().unwrap().to_owned();
    world.host.env = Box::new(StaticEnv::new([
        ("HOME", home.clone()),
        ("XDG_STATE_HOME", format!("{home}/state")),
        ("FLEETKEY_SESSION_STORE", "file".to_owned()),
        ("KUBECONFIG", format!("{home}/config")),
    ]));
    let args = ["fleetkey", "kubeconfig"].iter().chain(line).map(std::ffi::OsString::from);
    let code = fleetkey::run(args, world);
    let text = |heard: Heard| String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    (code, text(out), text(err))
}

const KUBECONFIGS: u64 = 1_200;

#[test]
fn a_thousand_kubeconfigs_are_converted_and_put_back_byte_for_byte() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let (mut changed, mut left, mut whole) = (0, 0, 0);
    for seed in 0..KUBECONFIGS {
        let made = kubeconfig(seed);
        let seen =
            |what: &str, now: &str| format!("seed {seed}: {what}\n{}\n---- now:\n{now}", made.text);
        fs::write(&path, &made.text).unwrap();
        let (code, diff, err) = run(home.path(), &["convert", "--dry-run"]);
        assert_eq!(code, ExitCode::SUCCESS, "{}", seen(&err, &diff));
        assert!(
            !diff.contains("hunter") && !err.contains("hunter"),
            "{}",
            seen("a secret is shown", &diff)
        );
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            made.text,
            "{}",
            seen("a dry run wrote", "")
        );
        let (code, out, err) = run(home.path(), &["convert", "--yes"]);
        let now = fs::read_to_string(&path).unwrap();
        assert_eq!(code, ExitCode::SUCCESS, "{}", seen(&err, &now));
        left += err.matches("left as it is").count();
        for comment in &made.comments {
            assert_eq!(now.matches(comment.as_str()).count(), 1, "{}", seen(comment, &now));
        }
        if now == made.text {
            continue;
        }
        changed += 1;
        assert!(out.starts_with("changed "), "{out}");
        // again there is nothing to do
        let (code, out, _) = run(home.path(), &["convert", "--yes"]);
        assert_eq!(
            (code, &*fs::read_to_string(&path).unwrap()),
            (ExitCode::SUCCESS, &*now),
            "{}",
            seen(&out, &now)
        );
        let (code, out, err) = run(home.path(), &["revert"]);
        assert_eq!(code, ExitCode::SUCCESS, "{}", seen(&err, &now));
        assert_eq!(fs::read_to_string(&path).unwrap(), made.text, "{}", seen(&out, &now));
        whole += 1;
        // and now there is nothing to put back
        assert_ne!(run(home.path(), &["revert"]).0, ExitCode::SUCCESS);
    }
    say(&format!(
        "kubeconfigs converted and put back: {whole} of {KUBECONFIGS}, {left} users left as they are"
    ));
    assert!(changed > KUBECONFIGS / 2 && changed == whole, "{changed} {whole}");
    // nothing is kept for what was put back
    let kept = fs::read_dir(home.path().join("state/fleetkey")).unwrap();
    assert!(!kept.flatten().any(|file| file.file_name().to_string_lossy().ends_with(".undo")));
}
