//! kubectl's own lock around a change of a kubeconfig: a file of the same name and `.lock`, which only
//! one can make. kubectl does not wait for it, and fails where it is there.
//!
//! It is held for the moment of the change alone, while no signal ends the process. If the process dies
//! all the same, the next fleetkey sees whose it was, and takes it over; kubectl's own says nothing, and
//! is waited for.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{ErrorKind, Read, Result, Write},
    path::{Path, PathBuf},
};

use super::{Held, Hold, is_alive, machine};

/// The lock, until it is dropped.
pub(crate) struct KubeconfigLock {
    path: PathBuf,
    _not_now: Held,
}

impl KubeconfigLock {
    /// Where the lock of that file is.
    pub(crate) fn beside(file: &Path) -> PathBuf {
        let mut name = OsString::from(file);
        name.push(".lock");
        name.into()
    }

    /// Which lock of the file that is, however its folder was named: two names of one are one lock.
    pub(crate) fn place(file: &Path) -> PathBuf {
        let lock = Self::beside(file);
        let folder = lock.parent().and_then(|folder| fs::canonicalize(folder).ok());
        match (folder, lock.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => lock,
        }
    }

    /// Whether somebody has that lock; one that a dead fleetkey left is nobody's.
    pub(crate) fn is_there(lock: &Path) -> bool {
        fs::symlink_metadata(lock).is_ok() && !left(lock)
    }

    /// Takes the lock. `None` if somebody else has it.
    pub(crate) fn take(file: &Path) -> Result<Option<Self>> {
        let path = Self::beside(file);
        let not_now = Hold::of_this_process().begin();
        let ours = format!("fleetkey {} {}\n", std::process::id(), machine());
        let make = || -> Result<()> {
            let mut made = open_options().open(&path)?;
            // without these words it is as good a lock
            drop(made.write_all(ours.as_bytes()));
            Ok(())
        };
        match make() {
            Ok(()) => Ok(Some(Self { path, _not_now: not_now })),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if left(&path) && fs::remove_file(&path).is_ok() && make().is_ok() {
                    return Ok(Some(Self { path, _not_now: not_now }));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for KubeconfigLock {
    fn drop(&mut self) {
        // who removed it meanwhile is past help
        drop(fs::remove_file(&self.path));
    }
}

/// Whether a fleetkey of this machine made it that is no more.
fn left(path: &Path) -> bool {
    let mut text = String::new();
    // a regular file: nothing else could have been made with words in it, and a pipe would hang
    let is_file = fs::symlink_metadata(path).is_ok_and(|is| is.is_file() && is.len() < 512);
    #[allow(clippy::disallowed_methods, reason = "it is a regular file, and small")]
    let read = is_file
        && fs::File::open(path).and_then(|file| file.take(512).read_to_string(&mut text)).is_ok();
    let words: Vec<&str> = text.split_whitespace().collect();
    let (true, ["fleetkey", process, on]) = (read, words.as_slice()) else { return false };
    *on == machine() && process.parse().is_ok_and(|process: u32| !is_alive(process))
}

#[cfg(unix)]
fn open_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "another program's lock")]

    use super::*;

    #[test]
    fn one_has_it_at_a_time_and_nothing_is_left_behind() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        let held = KubeconfigLock::take(&file).unwrap().unwrap();
        assert!(home.path().join("config.lock").is_file());
        assert!(KubeconfigLock::take(&file).unwrap().is_none());
        drop(held);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        assert!(KubeconfigLock::take(&file).unwrap().is_some());
        assert!(KubeconfigLock::take(&home.path().join("no/config")).is_err());
    }

    #[test]
    fn a_dead_fleetkeys_is_taken_over_and_kubectls_is_not() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let lock = KubeconfigLock::beside(&file);
        fs::write(&lock, format!("fleetkey {} {}\n", child.id(), machine())).unwrap();
        drop(KubeconfigLock::take(&file).unwrap().unwrap());
        for theirs in
            ["", "fleetkey 1 x", &format!("fleetkey {} {}", std::process::id(), machine())]
        {
            fs::write(&lock, theirs).unwrap();
            assert!(KubeconfigLock::take(&file).unwrap().is_none(), "{theirs}");
        }
    }
}
