//! Opening somebody else's file on Linux and macOS.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::Result,
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::OFlags;

/// Opens without waiting for a pipe's other end, and without taking a terminal over.
pub(super) fn open(path: &Path) -> Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).map_err(std::io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Whether it is `/dev/null`, under whatever name: that is how people say "no file".
pub(super) fn is_null(is: &Metadata) -> bool {
    let null = std::fs::metadata("/dev/null");
    is.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == is.rdev())
}

/// What is new when a file is. The time of the last change of its inode cannot be put back.
pub(super) fn facts(is: &Metadata) -> String {
    let (modified, changed) = ((is.mtime(), is.mtime_nsec()), (is.ctime(), is.ctime_nsec()));
    format!("{modified:?} {changed:?} {} {}", is.size(), is.ino())
}

/// Whether it is in more than one place.
pub(super) fn has_other_names(is: &Metadata) -> bool {
    is.nlink() > 1
}

/// Whether it is this user's, or root's, who could do anything anyway, and nobody else may write to
/// it. Whether a group has other members cannot be told, so none may.
pub(super) fn is_own(is: &Metadata) -> bool {
    let is_theirs = is.uid() == 0 || is.uid() == rustix::process::geteuid().as_raw();
    is_theirs && is.mode() & 0o022 == 0
}
