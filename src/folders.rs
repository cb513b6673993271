//! Where fleetkey's own files are: credentials in the cache folder, what a person decided in the
//! configuration folder, sessions in the state folder. The rules are the XDG base directory specification's on Linux and the
//! platform's on macOS and Windows.

use std::path::PathBuf;

use fleetkey_provider::{Error, Host, Result, shown};

use crate::host::{CACHE, CONFIG, Place, STATE};

/// Moves the cache folder for every command.
pub(crate) const FLEETKEY_CACHE_DIR: &str = "FLEETKEY_CACHE_DIR";
const HOME: &str = "HOME";

/// The folder of kept credentials: `--cache-dir`, `FLEETKEY_CACHE_DIR`, or the platform's. `None`
/// where there is no home: then nothing is kept. Errors if the one that is named is relative: clients
/// run plugins from anywhere, and credentials would lie about.
pub(crate) fn cache(flag: Option<&PathBuf>, host: &Host) -> Result<Option<PathBuf>> {
    let flag = flag.cloned().map(|path| (path, "`--cache-dir`"));
    let named = flag.or_else(|| Some((host.path_var(FLEETKEY_CACHE_DIR)?, "`FLEETKEY_CACHE_DIR`")));
    match named {
        Some((path, _)) if path.is_absolute() => Ok(Some(path)),
        Some((path, from)) => {
            let text = shown(&path.to_string_lossy());
            Err(Error::config(format!("{from} is not an absolute path: `{text}`")))
        }
        None => Ok(platform(host, &CACHE)),
    }
}

/// The folder of `config.toml`. No variable of fleetkey's own moves it.
pub(crate) fn config(host: &Host) -> Option<PathBuf> {
    platform(host, &CONFIG)
}

/// The folder of sessions and of all that is about asking a person. What moves the cache does not
/// move it: whoever looks at another cache is still the same person.
pub(crate) fn state(host: &Host) -> Option<PathBuf> {
    platform(host, &STATE)
}

fn platform(host: &Host, place: &Place) -> Option<PathBuf> {
    let folder = |name: &str| host.path_var(name).filter(|path| path.is_absolute());
    let base = folder(place.variable).or_else(|| Some(folder(HOME)?.join(place.below_home?)));
    base.map(|base| base.join("fleetkey"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    fn host(pairs: &[(&str, &str)]) -> Host {
        Host { env: Box::new(StaticEnv::new(pairs.iter().copied())), ..Host::refusing() }
    }

    #[test]
    fn the_flag_wins_then_our_variable_then_xdg_then_home() {
        let env = [("FLEETKEY_CACHE_DIR", "/f"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        let path = |flag: Option<&str>, skip: usize| {
            cache(flag.map(PathBuf::from).as_ref(), &host(&env[skip..]))
                .unwrap()
                .map(|p| p.display().to_string())
        };
        assert_eq!(path(Some("/c"), 0).as_deref(), Some("/c"));
        assert_eq!(path(None, 0).as_deref(), Some("/f"));
        assert_eq!(path(None, 1).as_deref(), Some("/x/fleetkey"));
        assert_eq!(path(None, 2).as_deref(), Some("/h/.cache/fleetkey"));
        assert_eq!(path(None, 3), None);
    }

    #[test]
    fn what_moves_the_cache_does_not_move_sessions() {
        let env = [("FLEETKEY_CACHE_DIR", "/f"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(state(&host(&env)), Some("/x/fleetkey".into()));
        let env = [("FLEETKEY_CACHE_DIR", "/f"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(state(&host(&env)), Some("/h/.local/state/fleetkey".into()));
        assert_eq!(state(&host(&env[..2])), None);
    }

    #[test]
    fn a_relative_xdg_folder_is_no_folder() {
        assert_eq!(
            cache(None, &host(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")])).unwrap(),
            Some("/h/.cache/fleetkey".into())
        );
        assert_eq!(config(&host(&[("HOME", "")])), None);
    }

    #[test]
    fn a_relative_folder_that_somebody_named_is_a_mistake() {
        let flag = PathBuf::from("x");
        assert!(cache(Some(&flag), &host(&[])).unwrap_err().message().contains("`--cache-dir`"));
        assert!(cache(None, &host(&[("FLEETKEY_CACHE_DIR", ".")])).is_err());
    }
}
