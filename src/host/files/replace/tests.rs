use std::{
    fs::{self, FileTimes, OpenOptions, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    time::SystemTime,
};

use fleetkey_provider::Files;

use super::super::OtherPeoplesFiles;
use super::*;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[allow(clippy::disallowed_methods, reason = "the file is another program's")]
    fn put(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn text(path: &Path) -> String {
    String::from_utf8(OtherPeoplesFiles.read(path).unwrap().unwrap()).unwrap()
}

#[test]
fn a_new_file_and_the_folders_made_for_it_are_its_owners_alone() {
    let home = Home::new();
    let path = home.path(".tool/sso/cache/t.json");
    OtherPeoplesFiles.rehearse(&path, 10).unwrap();
    assert!(!path.exists());
    OtherPeoplesFiles.replace(&path, b"one").unwrap();
    assert_eq!((text(&path).as_str(), mode(&path)), ("one", 0o600));
    for folder in [".tool", ".tool/sso", ".tool/sso/cache"] {
        assert_eq!(mode(&home.path(folder)), 0o700, "{folder}");
    }
    assert_eq!(home.names(".tool/sso/cache"), ["t.json"]);
}

#[test]
fn a_home_that_is_not_there_is_not_invented() {
    let home = Home::new();
    let error = OtherPeoplesFiles.replace(&home.path("no/.tool/sso/cache/t.json"), b"x");
    assert!(error.unwrap_err().to_string().contains("nor one to make it in"));
    assert!(home.names(".").is_empty());
}

#[test]
fn an_old_file_keeps_its_mode_and_is_another_file() {
    let home = Home::new();
    for bits in [0o600, 0o640, 0o644, 0o400] {
        let path = home.put("t.json", "old", 0o600);
        let before = fs::metadata(&path).unwrap().ino();
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        let old = OpenOptions::new().read(true).open(&path).unwrap();
        let stamp = OtherPeoplesFiles.stamp(&path);
        OtherPeoplesFiles.replace(&path, b"new").unwrap();
        assert_eq!((text(&path).as_str(), mode(&path)), ("new", bits));
        assert_ne!(OtherPeoplesFiles.stamp(&path), stamp);
        assert_ne!(fs::metadata(&path).unwrap().ino(), before);
        // whoever had the old one open still reads all of it
        assert_eq!(std::io::read_to_string(old).unwrap(), "old");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let home = Home::new();
    let target = home.put("dotfiles/t.json", "old", 0o600);
    fs::create_dir(home.path(".tool")).unwrap();
    let (link, over) = (home.path(".tool/t.json"), home.path(".tool/over.json"));
    symlink("../dotfiles/t.json", &link).unwrap();
    symlink("t.json", &over).unwrap();
    for path in [&link, &over] {
        OtherPeoplesFiles.replace(path, b"new").unwrap();
        assert!(fs::symlink_metadata(path).unwrap().is_symlink());
        assert_eq!(OtherPeoplesFiles.real(path), OtherPeoplesFiles.real(&target));
    }
    assert_eq!(text(&target), "new");
    assert_eq!(home.names("dotfiles"), ["t.json"]);
    // one that leads to nothing yet leads to something then
    fs::remove_file(&target).unwrap();
    assert_eq!(
        OtherPeoplesFiles.real(&over),
        fs::canonicalize(home.path("dotfiles")).unwrap().join("t.json")
    );
    OtherPeoplesFiles.replace(&over, b"again").unwrap();
    assert_eq!(text(&target), "again");
}

#[test]
fn links_in_a_circle_end() {
    let home = Home::new();
    symlink(home.path("a"), home.path("b")).unwrap();
    symlink(home.path("b"), home.path("a")).unwrap();
    assert!(OtherPeoplesFiles.replace(&home.path("a"), b"x").is_err());
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let home = Home::new();
    fs::create_dir(home.path("folder")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.path("pipe"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    for name in ["folder", "pipe"] {
        let error = OtherPeoplesFiles.replace(&home.path(name), b"x").unwrap_err();
        assert!(error.to_string().contains("no regular file"), "{error}");
    }
    assert_eq!(home.names("."), ["folder", "pipe"]);
}

#[test]
fn what_cannot_be_written_leaves_nothing_beside_it() {
    let home = Home::new();
    let path = home.put("t.json", "old", 0o600);
    let long = home.path(&"x".repeat(250));
    assert!(OtherPeoplesFiles.replace(&long, b"new").is_err());
    assert!(OtherPeoplesFiles.rehearse(&long, 3).is_err());
    assert!(OtherPeoplesFiles.replace(&path.join("below"), b"new").is_err());
    assert_eq!(text(&path), "old");
    assert_eq!(home.names("."), ["t.json"]);
}

/// A disk is full where a file may not grow: the test runs itself once more under `ulimit -f`.
#[test]
#[allow(clippy::disallowed_methods, reason = "the limit is a whole process's")]
fn a_full_disk_leaves_the_old_file_and_nothing_beside_it() {
    const INSIDE: &str = "FLEETKEY_TEST_FILES_MAY_NOT_GROW";
    if std::env::var_os(INSIDE).is_none() {
        let name = "host::files::replace::tests::\
                    a_full_disk_leaves_the_old_file_and_nothing_beside_it";
        let again = std::process::Command::new("sh")
            .args(["-c", "ulimit -f 2 && exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.success() && said.contains("1 passed"), "{again:?}");
        return;
    }
    let home = Home::new();
    let path = home.put("t.json", "old", 0o600);
    let bytes = vec![b'x'; 10_000];
    for error in [
        OtherPeoplesFiles.rehearse(&path, bytes.len()).unwrap_err(),
        OtherPeoplesFiles.replace(&path, &bytes).unwrap_err(),
        OtherPeoplesFiles.replace(&home.path("new.json"), &bytes).unwrap_err(),
    ] {
        assert!(error.to_string().contains("cannot be written"), "{error}");
    }
    assert_eq!(text(&path), "old");
    assert_eq!(home.names("."), ["t.json"]);
    OtherPeoplesFiles.replace(&path, b"short").unwrap();
}

#[test]
fn what_killed_writers_left_is_swept_and_a_writers_at_work_is_not() {
    let home = Home::new();
    let (left, at_work) = ("t.json.fleetkey-1-0.tmp", "t.json.fleetkey-2-0.tmp");
    for name in [left, "other.json.fleetkey-1-0.tmp", "tmpabc.tmp", "t.json.bak"] {
        let path = home.put(name, "half", 0o600);
        let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        OpenOptions::new().write(true).open(path).unwrap().set_times(times).unwrap();
    }
    home.put(at_work, "half", 0o600);
    OtherPeoplesFiles.replace(&home.path("t.json"), b"x").unwrap();
    let names = home.names(".");
    assert!(!names.contains(&left.to_owned()), "{names:?}");
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn a_file_is_removed_with_what_dead_writers_left_of_it_and_only_theirs() {
    let home = Home::new();
    let dead = {
        #[allow(clippy::disallowed_methods, reason = "a process that was, and is no more")]
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    };
    let left = |name: &str, process: u32| format!("{name}.fleetkey-{process}-1.tmp");
    let stays = [left("t.json", std::process::id()), left("other.json", dead), "t.json.bak".into()];
    for name in stays.iter().chain([&left("t.json", dead), &"t.json".into()]) {
        home.put(name, "a token", 0o600);
    }
    assert!(OtherPeoplesFiles.remove(&home.path("t.json")).unwrap());
    let names = home.names(".");
    assert!(names.len() == 3 && stays.iter().all(|name| names.contains(name)), "{names:?}");
    // one that was killed before there ever was a file
    home.put(&left("t.json", dead), "a token", 0o600);
    assert!(!OtherPeoplesFiles.remove(&home.path("t.json")).unwrap());
    assert_eq!(home.names(".").len(), 3);
}

#[test]
fn of_many_writers_each_writes_all_of_it() {
    let home = Home::new();
    let path = home.put("t.json", &"0".repeat(5000), 0o600);
    std::thread::scope(|scope| {
        for digit in 1..=8 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    let bytes = digit.to_string().repeat(5000);
                    OtherPeoplesFiles.replace(path, bytes.as_bytes()).unwrap();
                    let seen = text(path);
                    assert!(seen.len() == 5000 && seen.chars().all(|c| seen.starts_with(c)));
                }
            });
        }
    });
    assert_eq!(home.names("."), ["t.json"]);
}

#[test]
fn what_is_removed_is_gone_and_a_links_target_is_not() {
    let home = Home::new();
    let path = home.put("t.json", "x", 0o600);
    symlink(&path, home.path("link")).unwrap();
    assert!(OtherPeoplesFiles.remove(&home.path("link")).unwrap());
    assert!(path.exists());
    assert!(OtherPeoplesFiles.remove(&path).unwrap());
    assert!(!OtherPeoplesFiles.remove(&path).unwrap());
    assert!(!OtherPeoplesFiles.remove(&path.join("x")).unwrap());
}

#[test]
fn of_two_files_one_is_newer_or_it_cannot_be_told() {
    let home = Home::new();
    let (old, new) = (home.put("old", "x", 0o600), home.put("new", "x", 0o600));
    let at = |path: &Path, second| {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
        OpenOptions::new().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    at(&old, 1000);
    at(&new, 1001);
    assert!(OtherPeoplesFiles.is_newer(&new, &old) && !OtherPeoplesFiles.is_newer(&old, &new));
    at(&new, 1000);
    assert!(!OtherPeoplesFiles.is_newer(&new, &old), "at the same time");
    assert!(!OtherPeoplesFiles.is_newer(&new, &home.path("none")));
    assert!(!OtherPeoplesFiles.is_newer(&home.path("none"), &new));
}
