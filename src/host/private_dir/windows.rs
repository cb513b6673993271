//! Private files on Windows. The folder lies in the user's profile and inherits its access list,
//! which keeps other users out; links are refused by asking before opening. Type-checked, not yet
//! run: no Windows machine builds this today.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::Path,
};

/// What has to hold before a file is believed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Trusted {
    /// Not a link.
    Secret,
    /// May be a link.
    Settings,
}

pub(super) fn read(path: &Path, trusted: Trusted, largest: u64) -> Result<Option<Vec<u8>>, String> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(is) if is.is_symlink() && trusted == Trusted::Secret => {
            return Err("it is a link".into());
        }
        Ok(_) => {}
    }
    let file = OpenOptions::new().read(true).open(path).map_err(|error| error.to_string())?;
    let is = file.metadata().map_err(|error| error.to_string())?;
    if !is.is_file() {
        return Err("it is no regular file".into());
    }
    if is.len() > largest {
        return Err("it is too large".into());
    }
    let mut bytes = Vec::new();
    file.take(largest).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(Some(bytes))
}

/// What an access list allows is found out by writing; a file is no folder in any case.
pub(super) fn may_write(folder: &Path) -> Result<(), String> {
    match folder.ancestors().find(|folder| folder.exists()) {
        Some(there) if there.is_dir() => Ok(()),
        _ => Err("there is no such folder, nor one to make it in".into()),
    }
}

pub(super) fn replace(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    is_durable: bool,
) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let temporary = folder.join(format!("{name}.{}.tmp", std::process::id()));
    // one left by a killed process of the same number would stop us
    drop(fs::remove_file(&temporary));
    let done =
        OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            if is_durable { file.sync_all() } else { Ok(()) }
        });
    let done = done.and_then(|()| fs::rename(&temporary, folder.join(name)));
    if done.is_err() {
        drop(fs::remove_file(&temporary));
    }
    done.map_err(|error| error.to_string())
}

pub(super) fn create(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    is_durable: bool,
) -> Result<bool, String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let path = folder.join(name);
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    let done = made.and_then(|mut file| {
        file.write_all(bytes)?;
        if is_durable { file.sync_all() } else { Ok(()) }
    });
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            // half of it says nothing
            drop(fs::remove_file(&path));
            Err(error.to_string())
        }
    }
}

pub(super) fn remove(folder: &Path, name: &str) -> Result<bool, String> {
    // what killed writers of it left goes with it
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let writer = entry.file_name().to_str().and_then(|left| super::writer(left, name));
        if writer.is_some_and(|process| !crate::host::is_alive(process)) {
            drop(fs::remove_file(entry.path()));
        }
    }
    match fs::remove_file(folder.join(name)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn lock_file(folder: &Path, name: &str) -> Result<File, String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let path = folder.join(name);
    if fs::symlink_metadata(&path).is_ok_and(|is| !is.is_file()) {
        return Err(format!("`{name}` is no file of ours"));
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| error.to_string())
}
