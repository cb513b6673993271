//! What `login` could not keep is told where whoever reads it sees it, and why.

use std::{fs, os::unix::net::UnixListener};

use serde_json::Value;

use crate::support::{Fleet, Run};

/// Everybody signs in, where that variable says so.
fn login(fleet: &Fleet, name: &str, value: &str, more: &[&str]) -> Run {
    let program = fleet.plugin(["login", "--all"]).args(more.iter().copied());
    // a place that is named is the only one that is asked
    let program = match name {
        "DBUS_SESSION_BUS_ADDRESS" => program.without("FLEETKEY_SESSION_STORE"),
        _ => program,
    };
    let program = program.env(name, value);
    let running = program.spawn();
    fleet.signs_in(5);
    running.finish()
}

#[test]
fn a_secret_store_that_gives_no_answer_is_why_a_session_is_not_kept() {
    let fleet = Fleet::new();
    let bus = fleet.home.join("bus");
    // it takes calls and answers none
    let _listener = UnixListener::bind(&bus).unwrap();
    let address = format!("unix:path={}", bus.display());
    let run = login(&fleet, "DBUS_SESSION_BUS_ADDRESS", &address, &[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = run.stdout.lines().filter(|line| line.contains("could not be kept"));
    let told: Vec<&str> = told.collect();
    assert!(!told.is_empty(), "{}", run.stdout);
    for line in told {
        assert!(line.contains("the secret service") && line.contains("3 s"), "{line}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_told_once_for_each_identity() {
    let fleet = Fleet::new();
    fs::write(fleet.home.join("file"), "").unwrap();
    let cache = fleet.home.join("file/cache").display().to_string();
    let run = login(&fleet, "XDG_CACHE_HOME", &cache, &["--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    let identities = all["identities"].as_array().unwrap();
    assert_eq!(identities.len(), 5);
    for identity in identities {
        let remarks: Vec<&str> =
            identity["remarks"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let told =
            remarks.iter().filter(|line| line.starts_with("what was lent could not be kept: "));
        assert_eq!(told.count(), 1, "{identity}");
    }
    // and who renews without a question hears it too
    let program = fleet.plugin(["login", "--all"]).env("XDG_CACHE_HOME", &cache);
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("renewed"), "{}", run.stdout);
    assert!(run.stdout.contains("what was lent could not be kept: "), "{}", run.stdout);
}

#[test]
fn no_page_is_opened_for_an_sso_session_that_no_disk_takes() {
    let fleet = Fleet::new();
    if fleet.home.join(".aws/sso").exists() {
        fs::remove_dir_all(fleet.home.join(".aws/sso")).unwrap();
    }
    fleet.home.write(".aws/sso", "a file where a folder should be").unwrap();
    let sso = fleet.args_now(24);
    let [what, _, next] = fleet.plugin([]).args(sso).args(["--ask", "browser"]).run().failed(1);
    assert_eq!(what, "a sign-in to SSO could not be kept");
    assert!(next.starts_with("ls -ld ") && next.contains(".aws/sso/cache/"), "{next}");
    assert!(fleet.opened().is_empty());
}
