//! The terminal is asked.

use std::os::fd::AsFd;

pub(super) fn width(stream: &impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(size.ws_col.into())
}
