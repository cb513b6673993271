//! Replacing a file that another tool owns: whole or not at all, and durably.
//!
//! A new file is written beside the old one, flushed, given the old one's mode and owner, and renamed
//! over it: a reader sees the old bytes or the new ones, and so does whoever comes after a process
//! that was killed anywhere in between. What such a process left behind is removed by the next. Its
//! name ends in `.tmp`, since tools take every `*.json` in such folders for their own.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::host::is_alive;

pub(super) use system::{rehearse, replace, sweep_left};

/// How many links in a row are followed, as by Linux.
const MOST_LINKS: usize = 40;
/// How many folders are made for one file: a tool's, a part of it, and a cache in that. A home that is not there is
/// not invented.
const MOST_FOLDERS: usize = 3;

/// The file that a path means, whether it is there or not.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(real) = fs::canonicalize(&path) {
            return real;
        }
        // it is not there: where would it be?
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.parent().map(|folder| folder.join(&to)).unwrap_or(to);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path };
    // folders that are not there either are as they are called
    fs::canonicalize(folder).map(|folder| folder.join(name)).unwrap_or(path)
}

/// The folder of a file and its name in it.
fn parts(path: &Path) -> Result<(&Path, &OsStr)> {
    path.parent()
        .zip(path.file_name())
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it is no name of a file"))
}

/// A name beside that one that nobody else uses now.
fn temporary(name: &OsStr) -> OsString {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut temporary = prefix(name);
    temporary.push(format!("{}-{count}.tmp", std::process::id()));
    temporary
}

/// How the names of a file's temporary ones begin.
fn prefix(name: &OsStr) -> OsString {
    let mut prefix = name.to_owned();
    prefix.push(".fleetkey-");
    prefix
}

/// Whether that is the name of a temporary one of that file.
fn is_temporary(left: &[u8], of: &OsStr) -> bool {
    left.starts_with(prefix(of).as_encoded_bytes()) && left.ends_with(b".tmp")
}

/// Whether a temporary one was left by a process that is dead.
fn is_left(left: &[u8], of: &OsStr) -> bool {
    let rest = left.strip_prefix(prefix(of).as_encoded_bytes());
    let writer = rest.and_then(|rest| std::str::from_utf8(rest).ok()?.split_once('-'));
    writer.and_then(|(process, _)| process.parse().ok()).is_some_and(|process| !is_alive(process))
}

/// Whether folders may be made for it: enough of its path is there.
fn may_be_made(folder: &Path) -> Result<()> {
    if folder.ancestors().skip(1).take(MOST_FOLDERS).any(Path::is_dir) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::NotFound, "there is no such folder, nor one to make it in"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
