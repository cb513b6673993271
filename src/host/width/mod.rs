//! How wide the terminal is.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

/// How many columns there are behind stdout; `None` if that cannot be told.
pub(crate) fn stdout_width() -> Option<usize> {
    system::width(&std::io::stdout()).filter(|width| *width > 0)
}

/// The same of stderr.
pub(crate) fn stderr_width() -> Option<usize> {
    system::width(&std::io::stderr()).filter(|width| *width > 0)
}
