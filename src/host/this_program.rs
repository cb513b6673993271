//! Where this program is, as it should stand in a kubeconfig.

use std::path::{Path, PathBuf};

use fleetkey_provider::Host;

const NAME: &str = if cfg!(windows) { "fleetkey.exe" } else { "fleetkey" };

/// The absolute path of this program. Where `PATH` finds the same one by a link, it is the link's: a
/// package manager's own folders have versions in their names, and go with the next one.
pub(crate) fn this_program(host: &Host) -> Option<PathBuf> {
    let real = std::env::current_exe().ok()?;
    let path = host.env.var("PATH").unwrap_or_default();
    Some(by_path(std::env::split_paths(&path), &real).unwrap_or(real))
}

fn by_path(folders: impl Iterator<Item = PathBuf>, real: &Path) -> Option<PathBuf> {
    let real = real.canonicalize().ok()?;
    let found = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(NAME));
    let mut found = found.filter(|file| file.is_file());
    // the first one is what a bare name would run; another one behind it would not be this
    found.next().filter(|file| file.canonicalize().is_ok_and(|file| file == real))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "another program's files")]
    fn a_link_on_the_path_stands_for_what_it_leads_to() {
        let home = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = home.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            folder
        };
        let (cellar, bin, other) = (folder("cellar"), folder("bin"), folder("other"));
        let real = cellar.join("fleetkey-1.2.3");
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, bin.join("fleetkey")).unwrap();
        std::fs::write(other.join("fleetkey"), "").unwrap();
        let of = |folders: &[&PathBuf]| by_path(folders.iter().map(|f| (*f).clone()), &real);
        assert_eq!(of(&[&cellar, &bin]), Some(bin.join("fleetkey")));
        assert_eq!(of(&[&other, &bin]), None);
        assert_eq!(of(&[]), None);
    }
}
