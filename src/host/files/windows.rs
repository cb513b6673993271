//! Opening somebody else's file on Windows, where a path that opens does not wait.

use std::{
    fs::{File, OpenOptions},
    io::Result,
    path::Path,
};

/// Opens for reading.
pub(super) fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).open(path)
}
