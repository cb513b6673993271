//! Whatever became of the files in which credentials are kept: still a token, nothing followed, and
//! what cannot be believed is not used.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use fleetkey_sandbox::{Role, Route};

use crate::support::{ADMIN, Program, Stage, say, which};

/// A stage on which the role's credential is kept, and its file.
fn kept() -> (Stage, PathBuf) {
    let stage = Stage::new();
    assert_eq!(stage.who(&stage.admin().run()).canonical_arn, ADMIN);
    let [file] = <[PathBuf; 1]>::try_from(stage.kept()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    asks(&stage, &stage.admin(), 0, "as it was kept");
    (stage, file)
}

/// A token of the role, after so many requests for it.
fn asks(stage: &Stage, program: &Program, times: usize, what: &str) {
    let before = stage.sandbox.count(Route::AssumeRole);
    assert_eq!(stage.who(&program.run()).canonical_arn, ADMIN, "{what}");
    assert_eq!(stage.sandbox.count(Route::AssumeRole) - before, times, "{what}");
}

/// Writes it as it would be kept: for its owner only.
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The file is strange in this way; the run asks once, and what it keeps then is good.
fn is_replaced(stage: &Stage, file: &Path, what: &str) {
    asks(stage, &stage.admin(), 1, what);
    assert!(fs::symlink_metadata(file).unwrap().is_file(), "{what} is still there");
    asks(stage, &stage.admin(), 0, &format!("after {what}"));
}

#[test]
fn a_truncated_file_is_not_used() {
    let (stage, file) = kept();
    let good = fs::read(&file).unwrap();
    for end in (0..good.len()).step_by(16).chain([good.len() - 1]) {
        write(&file, &good[..end]);
        asks(&stage, &stage.admin(), 1, &format!("{end} of {} bytes", good.len()));
    }
    write(&file, &good);
    asks(&stage, &stage.admin(), 0, "all bytes");
}

#[test]
fn a_file_with_a_flipped_bit_is_not_used() {
    let (stage, file) = kept();
    let good = fs::read(&file).unwrap();
    for (bit, at) in (0..good.len()).step_by(23).enumerate() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (bit % 8);
        write(&file, &bad);
        asks(&stage, &stage.admin(), 1, &format!("byte {at}, bit {}", bit % 8));
    }
    let mut longer = good.clone();
    longer.push(b'\n');
    write(&file, &longer);
    asks(&stage, &stage.admin(), 1, "a byte more");
}

#[test]
fn the_file_of_another_key_is_not_used() {
    let (stage, file) = kept();
    let other = "arn:aws:iam::444455556666:role/other";
    stage.sandbox.role(Role::new(other));
    let as_other = stage.with_profile("alice").args(["--role-arn", other]);
    assert_eq!(stage.who(&as_other.run()).canonical_arn, other);
    let theirs = stage.kept().into_iter().find(|path| *path != file).unwrap();
    fs::copy(&theirs, &file).unwrap();
    is_replaced(&stage, &file, "another role's file");
    let before = stage.sandbox.count(Route::AssumeRole);
    assert_eq!(stage.who(&as_other.run()).canonical_arn, other);
    assert_eq!(stage.sandbox.count(Route::AssumeRole), before, "theirs was lost");
}

#[test]
fn a_file_that_others_may_read_or_write_is_not_used() {
    let (stage, file) = kept();
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        is_replaced(&stage, &file, &format!("mode {mode:o}"));
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_link_is_neither_read_nor_written_through() {
    let (stage, file) = kept();
    let elsewhere = stage.home.join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    let valid = fs::read(&elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    is_replaced(&stage, &file, "a link to a good file");
    assert_eq!(fs::read(&elsewhere).unwrap(), valid, "written through the link");

    let nowhere = stage.home.join("nowhere");
    fs::remove_file(&file).unwrap();
    symlink(&nowhere, &file).unwrap();
    is_replaced(&stage, &file, "a dangling link");
    assert!(!nowhere.exists(), "made through the link");
}

#[test]
fn a_file_with_a_second_name_is_not_used() {
    let (stage, file) = kept();
    let second = stage.home.join("second");
    fs::hard_link(&file, &second).unwrap();
    let valid = fs::read(&second).unwrap();
    is_replaced(&stage, &file, "a hard link");
    assert_eq!(fs::read(&second).unwrap(), valid, "written to the other name");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let (stage, file) = kept();
    fs::remove_file(&file).unwrap();
    pipe(&file);
    is_replaced(&stage, &file, "a pipe");
}

#[test]
fn a_folder_in_the_files_place_costs_a_request_and_no_more() {
    let (stage, file) = kept();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    fs::write(file.join("mine"), "x").unwrap();
    for _ in 0..2 {
        asks(&stage, &stage.admin(), 1, "a folder");
    }
    assert!(file.join("mine").exists());
    assert_eq!(leftovers(&stage), Vec::<PathBuf>::new());
}

#[test]
fn a_strange_lock_is_gone_without() {
    let (stage, file) = kept();
    let lock = file.with_extension("lock");
    assert!(lock.is_file());
    let elsewhere = stage.home.join("elsewhere");
    fs::write(&elsewhere, "theirs").unwrap();
    for strange in ["link", "dangling", "pipe", "folder"] {
        fs::remove_file(&file).unwrap();
        if lock.is_dir() { fs::remove_dir(&lock) } else { fs::remove_file(&lock) }.unwrap();
        match strange {
            "link" => symlink(&elsewhere, &lock).unwrap(),
            "dangling" => symlink(stage.home.join("nowhere"), &lock).unwrap(),
            "pipe" => pipe(&lock),
            _ => fs::create_dir(&lock).unwrap(),
        }
        asks(&stage, &stage.admin(), 1, strange);
        asks(&stage, &stage.admin(), 0, strange);
    }
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs");
    assert!(!stage.home.join("nowhere").exists());
}

#[test]
fn a_folder_that_is_a_link_is_not_written_through() {
    let stage = Stage::new();
    let (cache, elsewhere) = (stage.home.join("c"), stage.home.join("elsewhere"));
    fs::create_dir(&cache).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, cache.join("aws")).unwrap();
    for _ in 0..2 {
        asks(&stage, &in_folder(&stage, &cache), 1, "a linked folder");
    }
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_folder_that_others_may_write_to_is_not_written_to() {
    let stage = Stage::new();
    let (cache, inner) = (stage.home.join("c"), stage.home.join("c/aws"));
    fs::create_dir_all(&inner).unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o777)).unwrap();
    for _ in 0..2 {
        asks(&stage, &in_folder(&stage, &cache), 1, "a folder of mode 777");
    }
    assert_eq!(fs::read_dir(&inner).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_used_costs_a_request_a_run() {
    let stage = Stage::new();
    let file = stage.home.write("file", "mine").unwrap();
    let read_only = stage.home.join("read-only");
    fs::create_dir(&read_only).unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o500)).unwrap();
    let mut folders: Vec<PathBuf> =
        vec![file.clone(), "/dev/null/x".into(), "/proc/nothing".into(), "/sys/nothing".into()];
    if rustix::process::geteuid().is_root() {
        say("kept files: a read-only folder is skipped, modes do not bind root");
    } else {
        folders.push(read_only);
    }
    for folder in folders {
        for _ in 0..2 {
            asks(&stage, &in_folder(&stage, &folder), 1, &folder.display().to_string());
        }
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn without_a_home_there_is_still_a_token() {
    let stage = Stage::new();
    for home in [None, Some(""), Some("not/absolute"), Some("/proc/nothing"), Some("/dev/null")] {
        let homeless = stage.as_alice().without("HOME").without("USERPROFILE");
        let program = home.into_iter().fold(homeless, |program, home| program.env("HOME", home));
        let run = program.run();
        assert_eq!(stage.who(&run).arn, stage.alice.arn, "{home:?}");
        let role = ["--role-arn", ADMIN, "--external-id", "tenant-7"];
        for _ in 0..2 {
            asks(&stage, &program.clone().args(role), 1, &format!("HOME {home:?}"));
        }
    }
    assert!(!Path::new("not").exists());
}

#[test]
fn a_write_that_breaks_off_leaves_nothing_and_still_a_token() {
    let stage = Stage::new();
    // the limit counts for every regular file, so the answer takes the way through a pipe; the signal
    // that comes with it ends any process that does not mind it
    for ignored in ["", "trap '' XFSZ; "] {
        let script = format!("( {ignored}ulimit -f 0; exec \"$@\" ) | cat");
        let limited = stage.admin().under(["/bin/sh", "-c", &script, "sh"]);
        for _ in 0..2 {
            asks(&stage, &limited, 1, "no file may grow");
        }
    }
    assert_eq!((stage.kept(), leftovers(&stage)), (vec![], vec![]));
}

#[test]
fn a_full_disk_still_gives_a_token() {
    let stage = Stage::new();
    let disk = stage.home.join("disk");
    fs::create_dir(&disk).unwrap();
    let at = disk.display();
    let script = format!(
        "mount -t tmpfs -o size=4k,mode=700 none {at} && mkdir -m 700 {at}/aws && \
         printf x > {at}/filler && ! printf x 2> /dev/null > {at}/more && exec \"$@\""
    );
    let own = ["-rm", "/bin/sh", "-c", &script, "sh"];
    let Some(unshare) = which("unshare").filter(|unshare| {
        Program::new(unshare).args(own).args(["/bin/true"]).run().code == Some(0)
    }) else {
        return say("kept files: a full disk is skipped, nothing can be mounted here");
    };
    let own = [&[unshare.to_str().unwrap()], &own[..]].concat();
    let full = in_folder(&stage, &disk).under(own);
    for _ in 0..2 {
        asks(&stage, &full, 1, "a full disk");
    }
}

fn in_folder(stage: &Stage, folder: &Path) -> Program {
    stage.admin().args(["--cache-dir"]).args([folder])
}

fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, mknodat};
    mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap();
}

/// Temporary files that were not cleared away.
fn leftovers(stage: &Stage) -> Vec<PathBuf> {
    let entries = fs::read_dir(stage.home.join(".cache/fleetkey/aws")).into_iter().flatten();
    let files = entries.flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|end| end == "tmp")).collect()
}
