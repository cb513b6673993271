//! Private files on Linux and macOS, by file descriptors: what was checked is what is used.

mod sweep;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{
    fs::{Access, AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, futimens},
    process::geteuid,
};

use crate::host::system::{CACHE, CONFIG, STATE};

/// What has to hold before a file is believed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Trusted {
    /// Ours, for our eyes only, under one name, not a link.
    Secret,
    /// Ours or the system's, and nobody else can change it.
    Settings,
}

/// Reads a file; one open, one read, unless it is longer than it said.
pub(super) fn read(path: &Path, trusted: Trusted, largest: u64) -> Result<Option<Vec<u8>>, String> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if trusted == Trusted::Secret {
        flags |= OFlags::NOFOLLOW;
    }
    let bits = i32::try_from(flags.bits()).map_err(|error| error.to_string())?;
    let file = match OpenOptions::new().read(true).custom_flags(bits).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err("it is a link".into());
        }
        Err(error) => return Err(error.to_string()),
    };
    let is = file.metadata().map_err(|error| error.to_string())?;
    let me = geteuid().as_raw();
    let wrong = if !is.is_file() {
        Some("it is no regular file")
    } else if is.uid() != me && !(trusted == Trusted::Settings && is.uid() == 0) {
        Some("it is another user's")
    } else if trusted == Trusted::Secret && is.mode() & 0o077 != 0 {
        Some("others may read it")
    } else if is.mode() & 0o022 != 0 {
        Some("others may write it")
    } else if trusted == Trusted::Secret && is.nlink() != 1 {
        Some("it has another name too")
    } else if is.len() > largest {
        Some("it is too large")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return Err(wrong.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(is.len()).unwrap_or_default() + 1);
    file.take(largest).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(Some(bytes))
}

/// New file, flush, rename, flush the folder.
pub(super) fn replace(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    is_durable: bool,
) -> Result<(), String> {
    let folder = open_folder(folder)?;
    let temporary = format!("{name}.{}.tmp", std::process::id());
    // one of a killed process that had this number
    let _gone = rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty());
    let done = write_new(&folder, &temporary, bytes, is_durable)
        .and_then(|()| Ok(rustix::fs::renameat(&folder, &temporary, &folder, name)?))
        .and_then(|()| if is_durable { folder.sync_all() } else { Ok(()) });
    if done.is_err() {
        // it may not be there; there is nothing more to do about it either way
        let _gone = rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty());
    }
    if is_durable {
        sweep::sweep(&folder);
    }
    done.map_err(|error| error.to_string())
}

/// Makes a file, if there is none of that name; a durable one is flushed.
pub(super) fn create(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    is_durable: bool,
) -> Result<bool, String> {
    let folder = open_folder(folder)?;
    match write_new(&folder, name, bytes, is_durable) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            // half of it says nothing
            let _gone = rustix::fs::unlinkat(&folder, name, AtFlags::empty());
            Err(error.to_string())
        }
    }
}

/// Removes a file, and flushes the folder. A folder that is not there is not made.
pub(super) fn remove(folder: &Path, name: &str) -> Result<bool, String> {
    if !folder.is_dir() {
        return Ok(false);
    }
    let folder = open_folder(folder)?;
    // what killed writers of it left goes with it
    sweep::sweep_left(&folder, name);
    match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
        Ok(()) => folder.sync_all().map(|()| true).map_err(|error| error.to_string()),
        Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether files could be made in the folder, or the folder where it is not there yet.
pub(super) fn may_write(path: &Path) -> Result<(), String> {
    let is_there = !matches!(
        path.symlink_metadata(),
        Err(error) if error.kind() == ErrorKind::NotFound
    );
    let folder = if is_there {
        open_folder(path)?;
        path
    } else {
        base(path)?
    };
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(folder, wanted).map_err(|error| error.to_string())
}

/// Opens or makes a lock file, and says that it is in use: a name that came and went would lock
/// nothing, so only one that nobody wanted for long is swept.
pub(super) fn lock_file(folder: &Path, name: &str) -> Result<File, String> {
    let folder = open_folder(folder)?;
    let flags = OFlags::RDWR
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let file = File::from(
        rustix::fs::openat(&folder, name, flags, private()).map_err(|error| error.to_string())?,
    );
    let is = file.metadata().map_err(|error| error.to_string())?;
    if !is.is_file() || is.uid() != geteuid().as_raw() {
        return Err(format!("`{name}` is no file of ours"));
    }
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    // a file system that cannot say so still locks
    let _untouched = futimens(&file, &Timestamps { last_access: now, last_modification: now });
    Ok(file)
}

/// The folder itself, made if it is not there, checked to be ours alone to change.
fn open_folder(path: &Path) -> Result<File, String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::open(path, flags, Mode::empty());
    let opened = match open() {
        Err(rustix::io::Errno::NOENT) => {
            make(path)?;
            open()
        }
        opened => opened,
    };
    let folder = File::from(opened.map_err(|error| match error {
        rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
            "the folder is a link, or none".into()
        }
        error => format!("the folder cannot be used: {error}"),
    })?);
    let is = folder.metadata().map_err(|error| error.to_string())?;
    if is.uid() != geteuid().as_raw() {
        return Err("the folder is another user's".into());
    }
    if is.mode() & 0o022 != 0 {
        return Err("others may write to the folder".into());
    }
    Ok(folder)
}

/// Makes the folder, and those above it that are not there.
fn make(path: &Path) -> Result<(), String> {
    base(path)?;
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| error.to_string())
}

/// The folder in which one is made that is not there. At most two above it may be missing (`~/.cache`,
/// `fleetkey`, the provider's), so that a home that does not exist is not invented. A platform's folder of two
/// names, such as `~/.local/state`, counts as one.
fn base(path: &Path) -> Result<&Path, String> {
    let bases = [CACHE, CONFIG, STATE].map(|place| place.below_home.unwrap_or_default());
    let inner = |folder: &&Path| !bases.iter().any(|b| b.contains('/') && folder.ends_with(b));
    let is_near = path.ancestors().skip(1).filter(inner).take(3).any(Path::is_dir);
    let nearest = path.ancestors().skip(1).find(|folder| folder.is_dir());
    nearest
        .filter(|_| is_near)
        .ok_or_else(|| "there is no such folder, nor one to make it in".into())
}

fn write_new(folder: &File, name: &str, bytes: &[u8], is_durable: bool) -> std::io::Result<()> {
    crate::host::outlive_full_files();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(folder, name, flags, private())?);
    file.write_all(bytes)?;
    if is_durable { file.sync_all() } else { Ok(()) }
}

fn private() -> Mode {
    Mode::RUSR | Mode::WUSR
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "what others do to the folder is done the others' way"
)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        (home, folder)
    }

    fn secret(path: &Path) -> Result<Option<Vec<u8>>, String> {
        read(path, Trusted::Secret, 1 << 20)
    }

    #[test]
    fn whether_files_could_be_made_is_told_without_making_any() {
        let (home, folder) = folder();
        assert_eq!(may_write(&folder), Ok(()));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        replace(&folder, "f", b"one", true).unwrap();
        assert_eq!(may_write(&folder), Ok(()));
        fs::write(home.path().join("file"), "").unwrap();
        for nowhere in ["file/b", "file/b/c", "none/of/these/is/there"] {
            assert!(may_write(&home.path().join(nowhere)).is_err(), "{nowhere}");
        }
        fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
        assert!(may_write(&folder).is_err(), "others may write there");
        // root may write wherever the disk lets it
        fs::set_permissions(&folder, PermissionsExt::from_mode(0o500)).unwrap();
        assert_eq!(may_write(&folder).is_ok(), geteuid().is_root());
    }

    #[test]
    fn what_is_written_is_private_and_comes_back() {
        let (_home, folder) = folder();
        replace(&folder, "f", b"one", true).unwrap();
        replace(&folder, "f", b"two", true).unwrap();
        assert_eq!(secret(&folder.join("f")).unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(fs::metadata(folder.join("f")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_followed_and_nothing_strange_is_believed() {
        let (home, folder) = folder();
        replace(&folder, "f", b"x", true).unwrap();
        let target = home.path().join("target");
        fs::write(&target, b"theirs").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        let at = |name: &str| folder.join(name);

        std::os::unix::fs::symlink(&target, at("link")).unwrap();
        std::os::unix::fs::symlink(home.path().join("nowhere"), at("dangling")).unwrap();
        fs::hard_link(at("f"), at("hard")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for strange in ["link", "dangling", "hard", "folder", "pipe", "socket"] {
            assert!(secret(&at(strange)).is_err(), "{strange}");
        }
        for over in ["link", "dangling", "pipe"] {
            replace(&folder, over, b"new", true).unwrap();
            assert_eq!(secret(&at(over)).unwrap().as_deref(), Some(&b"new"[..]), "{over}");
        }
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        assert!(!home.path().join("nowhere").exists());
        assert!(replace(&folder, "folder", b"new", true).is_err());
    }

    #[test]
    fn what_others_may_read_or_write_is_refused() {
        let (_home, folder) = folder();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
            replace(&folder, "f", b"x", true).unwrap();
            fs::set_permissions(folder.join("f"), fs::Permissions::from_mode(mode)).unwrap();
            assert!(secret(&folder.join("f")).is_err(), "{mode:o}");
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(replace(&folder, "f", b"x", true).is_err());
        assert!(lock_file(&folder, "l").is_err());
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let (home, folder) = folder();
        replace(&folder, "f", b"x", true).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(replace(&link, "f", b"y", true).is_err());
        assert!(lock_file(&link, "l").is_err());
    }

    #[test]
    fn settings_may_be_read_by_others_and_linked_but_not_written_by_others() {
        let (home, folder) = folder();
        replace(&folder, "f", b"x", true).unwrap();
        fs::set_permissions(folder.join("f"), fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(folder.join("f"), home.path().join("link")).unwrap();
        assert!(read(&home.path().join("link"), Trusted::Settings, 1 << 20).unwrap().is_some());
        fs::set_permissions(folder.join("f"), fs::Permissions::from_mode(0o664)).unwrap();
        assert!(read(&folder.join("f"), Trusted::Settings, 1 << 20).is_err());
    }

    #[test]
    fn a_lock_that_is_in_use_is_not_swept_however_long_ago_it_was_made() {
        let (_home, folder) = folder();
        let name = format!("{}.lock", "0123456789abcdef".repeat(4));
        let made = lock_file(&folder, &name).unwrap();
        made.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let held = lock_file(&folder, &name).unwrap();
        held.lock().unwrap();
        replace(&folder, "f", b"x", true).unwrap();
        assert!(
            lock_file(&folder, &name).unwrap().try_lock().is_err(),
            "another file has its name"
        );
    }

    #[test]
    fn a_home_that_does_not_exist_is_not_invented() {
        let home = tempfile::tempdir().unwrap();
        let missing = home.path().join("missing");
        assert!(replace(&missing.join(".cache/fleetkey/cloud"), "f", b"x", true).is_err());
        assert!(!missing.exists());
        assert!(replace(&missing.join(".local/state/fleetkey/cloud"), "f", b"x", true).is_err());
        assert!(!missing.exists());
        replace(&home.path().join(".cache/fleetkey/cloud"), "f", b"x", true).unwrap();
        replace(
            &home.path().join(STATE.below_home.unwrap()).join("fleetkey/cloud"),
            "f",
            b"x",
            true,
        )
        .unwrap();
    }

    #[test]
    fn a_file_is_made_by_one_and_removed_once() {
        let (_home, folder) = folder();
        assert!(!remove(&folder, "f").unwrap() && !folder.exists());
        assert!(create(&folder, "f", b"one", true).unwrap());
        assert!(!create(&folder, "f", b"two", false).unwrap());
        assert_eq!(secret(&folder.join("f")).unwrap().as_deref(), Some(&b"one"[..]));
        std::os::unix::fs::symlink("/nowhere/at/all", folder.join("link")).unwrap();
        assert!(!create(&folder, "link", b"two", false).unwrap());
        assert!(remove(&folder, "f").unwrap() && !remove(&folder, "f").unwrap());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_sentence() {
        assert!(replace(Path::new("/dev/null/x"), "f", b"x", true).is_err());
        assert!(lock_file(Path::new("/proc/nothing/here"), "l").is_err());
        assert_eq!(secret(Path::new("/dev/null/x")).unwrap(), None);
    }
}
