//! Replacing a file on Windows. The folder inherits the access list of the user's profile. Type-
//! checked, not yet run: no Windows machine builds this today.

use std::{
    fs::{self, OpenOptions},
    io::{Error, ErrorKind, Result, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{may_be_made, parts, prefix, temporary};

/// No writer takes longer.
const LONGEST_WRITE: Duration = Duration::from_mins(1);

/// New file, flush, rename. The path has no links to follow in it.
pub(in super::super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = beside(path)?;
    let done = write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        drop(fs::remove_file(&temporary));
    }
    done?;
    sweep(path);
    Ok(())
}

/// All of it but the rename.
pub(in super::super) fn rehearse(path: &Path, length: usize) -> Result<()> {
    let temporary = beside(path)?;
    let done = write(&temporary, &vec![b' '; length]);
    drop(fs::remove_file(&temporary));
    done
}

/// A name in the same folder, which is made if it is not there.
fn beside(path: &Path) -> Result<PathBuf> {
    let (folder, name) = parts(path)?;
    if !folder.is_dir() {
        may_be_made(folder)?;
        fs::create_dir_all(folder)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|is| !is.is_file()) {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(folder.join(temporary(name)))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes what killed writers of that file left behind: a session may stand in it.
fn sweep(path: &Path) {
    let Ok((folder, name)) = parts(path) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let now = fs::metadata(path).and_then(|is| is.modified());
    let prefix = prefix(name);
    for entry in entries.flatten() {
        let left = entry.file_name();
        let left = left.as_encoded_bytes();
        if !left.starts_with(prefix.as_encoded_bytes()) || !left.ends_with(b".tmp") {
            continue;
        }
        let then = entry.metadata().and_then(|is| is.modified());
        let (Ok(now), Ok(then)) = (&now, then) else { continue };
        if now.duration_since(then).is_ok_and(|age| age > LONGEST_WRITE) {
            drop(fs::remove_file(entry.path()));
        }
    }
}
