//! How wide the terminal is.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

/// How many columns there are behind stdout; `None` if that cannot be told.
pub(crate) fn stdout_width() -> Option<usize> {
    system::stdout_width().filter(|width| *width > 0)
}
