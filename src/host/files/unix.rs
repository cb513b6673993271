//! Opening somebody else's file on Linux and macOS.

use std::{
    fs::{File, OpenOptions},
    io::Result,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

/// Opens without waiting for a pipe's other end, and without taking a terminal over.
pub(super) fn open(path: &Path) -> Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).map_err(std::io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
