//! Replacing a file on Windows. The folder inherits the access list of the user's profile. Type-
//! checked, not yet run: no Windows machine builds this today.

use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{Error, ErrorKind, Result, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{is_left, is_temporary, may_be_made, parts, real, temporary};

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
    sweep(path, |_, _| false);
    Ok(())
}

/// All of it but the rename.
pub(in super::super) fn rehearse(path: &Path, length: usize) -> Result<()> {
    let temporary = beside(path)?;
    let done = write(&temporary, &vec![b' '; length]);
    drop(fs::remove_file(&temporary));
    done
}

/// Removes what is left of writers of that file that are dead, however young it is: the file itself is about
/// to go.
pub(in super::super) fn sweep_left(path: &Path) {
    sweep(&real(path), is_left);
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

/// Removes what killed writers of that file left behind: a session may stand in it. They are known by its
/// age, or otherwise.
fn sweep(path: &Path, is_known: fn(&[u8], &OsStr) -> bool) {
    let Ok((folder, name)) = parts(path) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let now = fs::metadata(path).and_then(|is| is.modified());
    for entry in entries.flatten() {
        let left = entry.file_name();
        let left = left.as_encoded_bytes();
        if !is_temporary(left, name) {
            continue;
        }
        let then = entry.metadata().and_then(|is| is.modified());
        let age =
            now.as_ref().ok().zip(then.ok()).and_then(|(now, then)| now.duration_since(then).ok());
        if is_known(left, name) || age.is_some_and(|age| age > LONGEST_WRITE) {
            drop(fs::remove_file(entry.path()));
        }
    }
}
