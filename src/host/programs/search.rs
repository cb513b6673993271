//! Where a program is looked for: on the PATH's absolute folders. A relative one, or an empty one,
//! would mean wherever the client happens to stand, which may be somebody else's folder.

use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

use fleetkey_provider::Env;

use super::system;

/// Where programs are looked for.
pub(super) const PATH: &str = "PATH";
/// The endings of programs on Windows.
pub(super) const PATHEXT: &str = "PATHEXT";
/// What a search depends on.
pub(in crate::host) const VARIABLES: [&str; 2] = [PATH, PATHEXT];

/// The folders of the PATH, and the endings that make a file a program.
pub(in crate::host) struct SearchPath {
    folders: Vec<PathBuf>,
    endings: Vec<OsString>,
}

impl SearchPath {
    /// That of the environment.
    pub(in crate::host) fn new(env: &dyn Env) -> Self {
        let folders = env.var(PATH).unwrap_or_default();
        let folders = std::env::split_paths(&folders).filter(|folder| folder.is_absolute());
        Self { folders: folders.collect(), endings: system::endings(env.var(PATHEXT)) }
    }

    /// The program of that name; if it is a path, only an absolute one.
    pub(in crate::host) fn find(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        if path.is_absolute() {
            return self.program(path);
        }
        let mut parts = path.components();
        let (Some(Component::Normal(part)), None) = (parts.next(), parts.next()) else {
            return None;
        };
        // `name/` and `name/.` have one component too
        if part != path.as_os_str() {
            return None;
        }
        self.folders.iter().find_map(|folder| self.program(&folder.join(name)))
    }

    /// The path, with the first ending that makes it a program.
    fn program(&self, path: &Path) -> Option<PathBuf> {
        self.endings.iter().find_map(|ending| {
            let mut whole = path.as_os_str().to_owned();
            whole.push(ending);
            let whole = PathBuf::from(whole);
            system::is_program(&whole).then_some(whole)
        })
    }
}
