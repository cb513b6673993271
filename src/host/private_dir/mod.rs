//! A folder of fleetkey's own, and the files in it: private, whole, never through a link.
//!
//! Reading takes one open. Writing makes a new file beside the old one, flushes it, and renames it
//! over, so a reader sees the old or the new and never a part, and a killed writer leaves at most a
//! file that the next writer of that name removes. Errors are sentences, since all anybody does
//! with them is note them and go on without.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    path::PathBuf,
};

/// No file of ours is larger, but for one that holds what stood in many others.
const LARGEST: u64 = 1 << 20;
const LARGEST_OF_ALL: u64 = 1 << 28;

/// What the cache, the sessions and the locks need of a folder. Names are plain file names.
pub(crate) trait Store: Send + Sync {
    /// The file's bytes; `None` if there is none. Errors if it may not be believed: a link, another
    /// owner, readable by others, no regular file, larger than 1 MiB.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    /// The same, up to 256 MiB.
    fn read_large(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.read(name)
    }
    /// Writes the file, whole or not at all, and durably.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), String>;
    /// The same for a file that is not missed after a power cut: the disk is not waited for.
    fn replace_soon(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.replace(name, bytes)
    }
    /// Makes a file that nobody else made. Whether it did: not if there is one of that name.
    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, String>;
    /// The same for a file that need not outlive the machine's next minute: the disk is not waited for.
    fn mark(&self, name: &str, bytes: &[u8]) -> Result<bool, String> {
        self.create(name, bytes)
    }
    /// Removes the file, durably, and what killed writers left of it. Whether there was one.
    fn remove(&self, name: &str) -> Result<bool, String>;
    /// Errors if nothing could be written now, as far as permissions say. Nothing is, and nothing is made.
    fn may_write(&self) -> Result<(), String> {
        Ok(())
    }
    /// The names of all files. None, if the folder is not there.
    fn list(&self) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
    /// Tries to take the lock of that name.
    fn try_lock(&self, name: &str) -> Result<Attempt, String>;
}

/// How an attempt to lock ended.
pub(crate) enum Attempt {
    /// Ours until the guard is dropped.
    Taken(Guard),
    /// Somebody else's.
    Busy,
}

/// A lock held; the system frees it with the file, also when the process is killed.
pub(crate) struct Guard(#[allow(dead_code, reason = "holding it is its use")] File);

/// A real folder, made when something is first written to it.
pub(crate) struct PrivateDir(PathBuf);

impl PrivateDir {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Reads a file that a person may have written: others may read it, and it may be a link into a
    /// dotfile repository, but nobody else may be able to change it.
    pub(crate) fn read_settings(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        system::read(&self.0.join(name), system::Trusted::Settings, LARGEST)
    }
}

impl Store for PrivateDir {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        system::read(&self.0.join(name), system::Trusted::Secret, LARGEST)
    }

    fn read_large(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        system::read(&self.0.join(name), system::Trusted::Secret, LARGEST_OF_ALL)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        system::replace(&self.0, name, bytes, true)
    }

    fn replace_soon(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        system::replace(&self.0, name, bytes, false)
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, String> {
        system::create(&self.0, name, bytes, true)
    }

    fn mark(&self, name: &str, bytes: &[u8]) -> Result<bool, String> {
        system::create(&self.0, name, bytes, false)
    }

    fn remove(&self, name: &str) -> Result<bool, String> {
        system::remove(&self.0, name)
    }

    fn may_write(&self) -> Result<(), String> {
        system::may_write(&self.0)
    }

    fn list(&self) -> Result<Vec<String>, String> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.to_string()),
        };
        // what is not UTF-8 is no name of ours
        Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    fn try_lock(&self, name: &str) -> Result<Attempt, String> {
        let file = system::lock_file(&self.0, name)?;
        match file.try_lock() {
            Ok(()) => Ok(Attempt::Taken(Guard(file))),
            Err(TryLockError::WouldBlock) => Ok(Attempt::Busy),
            Err(TryLockError::Error(error)) => Err(error.to_string()),
        }
    }
}

/// The process that wrote that temporary file on its way to a file of that name.
fn writer(temporary: &str, of: &str) -> Option<u32> {
    temporary.strip_suffix(".tmp")?.strip_prefix(of)?.strip_prefix('.')?.parse().ok()
}
