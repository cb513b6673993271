//! What differs between operating systems and is not a file: folders, desktops, authorities.

#[cfg(not(any(target_os = "macos", windows)))]
#[path = "linux.rs"]
mod this;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod this;
#[cfg(windows)]
#[path = "windows.rs"]
mod this;

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::{is_alive, leave_no_core, machine};

/// There are no core files.
#[cfg(windows)]
pub(crate) fn leave_no_core() {}

#[cfg(windows)]
pub(crate) use this::{is_alive, machine};

pub(crate) use this::{AUTHORITIES, CACHE, CONFIG, DESKTOP, STATE};

/// A folder of the platform's: below a variable, or below the home folder.
pub(crate) struct Place {
    /// The variable that names the base; on Windows the only way to it.
    pub(crate) variable: &'static str,
    /// The base below `HOME` where the variable is not set.
    pub(crate) below_home: Option<&'static str>,
}

/// How a desktop shows.
pub(crate) enum Desktop {
    /// There always is one.
    #[cfg_attr(
        not(any(target_os = "macos", windows)),
        expect(dead_code, reason = "of other systems")
    )]
    Always,
    /// One of these variables is set.
    #[cfg_attr(any(target_os = "macos", windows), expect(dead_code, reason = "of other systems"))]
    Variables(&'static [&'static str]),
}
