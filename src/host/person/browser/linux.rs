//! Linux, and the Windows it may be running in (WSL).

use std::path::Path;

use fleetkey_provider::{Env, Files};

use super::Usual;
use crate::host::files::OtherPeoplesFiles;

/// What the way to a browser depends on, beside `BROWSER` and the PATH.
pub(in super::super) const VARIABLES: &[&str] = &[WSL_DISTRO_NAME];
/// Set by WSL for whatever it starts (Microsoft, "Set up a WSL development environment").
const WSL_DISTRO_NAME: &str = "WSL_DISTRO_NAME";
/// Says `microsoft` where a service or `sudo` dropped the variable.
const KERNEL: &str = "/proc/version";

const XDG_OPEN: Usual = Usual { program: "xdg-open", args: &["%s"], tells: true };
const WSLVIEW: Usual = Usual { program: "wslview", args: &["%s"], tells: true };
const POWERSHELL: Usual = Usual {
    program: "powershell.exe",
    args: &["-NoProfile", "-NonInteractive", "-Command", "Start-Process '%s'"],
    tells: true,
};
/// Ends with 1 however it went.
const EXPLORER: Usual = Usual { program: "explorer.exe", args: &["%s"], tells: false };

/// What opens pages here.
pub(super) fn usual(env: &dyn Env) -> Vec<Usual> {
    if is_wsl(env) { vec![WSLVIEW, POWERSHELL, XDG_OPEN, EXPLORER] } else { vec![XDG_OPEN] }
}

/// What opens pages on the Windows around us.
pub(super) fn next_door(env: &dyn Env) -> Vec<Usual> {
    if is_wsl(env) { vec![WSLVIEW, POWERSHELL, EXPLORER] } else { Vec::new() }
}

fn is_wsl(env: &dyn Env) -> bool {
    env.var(WSL_DISTRO_NAME).is_some_and(|name| !name.is_empty()) || {
        let kernel = OtherPeoplesFiles.read(Path::new(KERNEL)).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&kernel).to_ascii_lowercase().contains("microsoft")
    }
}
