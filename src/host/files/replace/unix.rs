//! Replacing a file on Linux and macOS, by file descriptors.

use std::{
    ffi::OsStr,
    fs::{DirBuilder, File},
    io::{Error, ErrorKind, Result, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::Path,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fchown, statat},
    io::Errno,
    process::{Gid, Uid},
};

use super::{is_left, is_temporary, may_be_made, parts, real, temporary};

/// No writer takes longer, in seconds.
const LONGEST_WRITE: i64 = 60;

/// New file, flush, rename, flush the folder. The path has no links to follow in it.
pub(in super::super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let (folder, name) = parts(path)?;
    let folder = open(folder)?;
    let old = old(&folder, name)?;
    let temporary = temporary(name);
    let done = write(&folder, &temporary, bytes, old.as_ref())
        .and_then(|()| Ok(rustix::fs::renameat(&folder, &temporary, &folder, name)?));
    if done.is_err() {
        discard(&folder, &temporary);
    }
    done?;
    sweep(&folder, name, |_, _| false);
    flush(&folder)
}

/// All of it but the rename.
pub(in super::super) fn rehearse(path: &Path, length: usize) -> Result<()> {
    let (folder, name) = parts(path)?;
    let folder = open(folder)?;
    let old = old(&folder, name)?;
    let temporary = temporary(name);
    let done = write(&folder, &temporary, &vec![b' '; length], old.as_ref());
    discard(&folder, &temporary);
    done
}

/// Removes what is left of writers of that file that are dead, however young it is: the file itself is about
/// to go.
pub(in super::super) fn sweep_left(path: &Path) {
    // it lies beside what a link means, and the link is removed
    for path in [path.to_owned(), real(path)] {
        let Ok((folder, name)) = parts(&path) else { continue };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(folder) = rustix::fs::open(folder, flags, Mode::empty()) else { continue };
        sweep(&File::from(folder), name, is_left);
    }
}

/// The folder, made if it is not there.
fn open(path: &Path) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = || rustix::fs::open(path, flags, Mode::empty());
    let opened = match open() {
        Err(Errno::NOENT) => {
            may_be_made(path)?;
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            open()
        }
        opened => opened,
    };
    Ok(File::from(opened?))
}

/// What is replaced, if anything is.
fn old(folder: &File, name: &OsStr) -> Result<Option<Stat>> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(is) if FileType::from_raw_mode(is.st_mode) == FileType::RegularFile => Ok(Some(is)),
        Ok(_) => Err(Error::new(ErrorKind::InvalidInput, "it is no regular file")),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A new file for us alone, until all of it is there; then for those who could read the old one.
fn write(folder: &File, name: &OsStr, bytes: &[u8], old: Option<&Stat>) -> Result<()> {
    crate::host::outlive_full_files();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let private = Mode::RUSR | Mode::WUSR;
    let mut file = File::from(rustix::fs::openat(folder, name, flags, private)?);
    file.write_all(bytes)?;
    if let Some(old) = old {
        // an administrator who writes for somebody must not take the file away from them
        let is = file.metadata()?;
        let of = |id, mine| (id != mine).then_some(id);
        let (owner, group) = (of(old.st_uid, is.uid()), of(old.st_gid, is.gid()));
        if let Some(owner) = owner {
            fchown(&file, Some(Uid::from_raw(owner)), None)?;
        }
        // a group one is not in cannot be given; then its members cannot read it
        let given = group.is_none_or(|g| fchown(&file, None, Some(Gid::from_raw(g))).is_ok());
        let kept = Mode::RWXU | Mode::RWXO | if given { Mode::RWXG } else { Mode::empty() };
        rustix::fs::fchmod(&file, Mode::from_raw_mode(old.st_mode) & kept)?;
    }
    file.sync_all()
}

/// Some network file systems cannot flush folders, and say so; the file is there all the same.
fn flush(folder: &File) -> Result<()> {
    match folder.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

/// It may not be there; there is nothing more to do about it either way.
fn discard(folder: &File, name: &OsStr) {
    let _gone = rustix::fs::unlinkat(folder, name, AtFlags::empty());
}

/// Removes what killed writers of that file left behind: a session may stand in it. They are known by its
/// age, or otherwise.
fn sweep(folder: &File, name: &OsStr, is_known: fn(&[u8], &OsStr) -> bool) {
    let (Ok(entries), Ok(is)) = (Dir::read_from(folder), folder.metadata()) else { return };
    for entry in entries.flatten() {
        let bytes = entry.file_name().to_bytes();
        if !is_temporary(bytes, name) {
            continue;
        }
        // where the folder was just changed its time is now, by the file system's own clock
        let old = || {
            statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|left| is.mtime() - left.st_mtime > LONGEST_WRITE)
        };
        if is_known(bytes, name) || old() {
            let _gone = rustix::fs::unlinkat(folder, entry.file_name(), AtFlags::empty());
        }
    }
}
