//! Opening somebody else's file on Windows. A path of a pipe would wait for its other end, so device
//! paths are refused.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{Error, ErrorKind, Result},
    os::windows::fs::MetadataExt,
    path::{Component, Path, Prefix},
};

/// Opens for reading.
pub(super) fn open(path: &Path) -> Result<File> {
    if let Some(Component::Prefix(prefix)) = path.components().next()
        && matches!(prefix.kind(), Prefix::DeviceNS(_))
    {
        return Err(Error::new(ErrorKind::InvalidInput, "it is a device"));
    }
    OpenOptions::new().read(true).open(path)
}

/// `NUL` opens as an empty file by itself.
pub(super) fn is_null(_is: &Metadata) -> bool {
    false
}

/// What is new when a file is.
pub(super) fn facts(is: &Metadata) -> String {
    format!("{} {} {}", is.creation_time(), is.last_write_time(), is.file_size())
}

/// Not told there by what is stable.
pub(super) fn has_other_names(_is: &Metadata) -> bool {
    false
}

/// Access there goes by lists and not by owners or modes, and nobody else can write below a user's
/// folder. A file elsewhere, or one whose list was widened, is not told from those: nothing is looked
/// at here.
pub(super) fn is_own(_is: &Metadata) -> bool {
    true
}
