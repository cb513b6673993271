//! Where fleetkey's own files are: credentials in the cache folder, what a person decided in the
//! configuration folder. The rules are the XDG base directory specification's on Linux and the
//! platform's on macOS and Windows.

use std::path::PathBuf;

use fleetkey_provider::Host;

/// Moves the cache folder for every command.
pub(crate) const FLEETKEY_CACHE_DIR: &str = "FLEETKEY_CACHE_DIR";
const APPDATA: &str = "APPDATA";
const HOME: &str = "HOME";
const LOCALAPPDATA: &str = "LOCALAPPDATA";
const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// The folder of kept credentials: `--cache-dir`, `FLEETKEY_CACHE_DIR`, or the platform's. `None`
/// where there is no home: then nothing is kept.
pub(crate) fn cache(flag: Option<&PathBuf>, host: &Host) -> Option<PathBuf> {
    let named = flag.cloned().or_else(|| host.path_var(FLEETKEY_CACHE_DIR));
    named.or_else(|| platform(host, XDG_CACHE_HOME, ".cache", "Library/Caches", LOCALAPPDATA))
}

/// The folder of `config.toml`. No variable of fleetkey's own moves it.
pub(crate) fn config(host: &Host) -> Option<PathBuf> {
    platform(host, XDG_CONFIG_HOME, ".config", "Library/Application Support", APPDATA)
}

fn platform(host: &Host, xdg: &str, unix: &str, mac: &str, windows: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let base = if cfg!(windows) {
        host.path_var(windows).and_then(absolute)
    } else {
        // XDG_* is honoured on macOS too: who sets it there means it
        host.path_var(xdg).and_then(absolute).or_else(|| {
            let home = host.path_var(HOME).and_then(absolute)?;
            Some(home.join(if cfg!(target_os = "macos") { mac } else { unix }))
        })
    };
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
                .map(|p| p.display().to_string())
        };
        assert_eq!(path(Some("/c"), 0).as_deref(), Some("/c"));
        assert_eq!(path(None, 0).as_deref(), Some("/f"));
        assert_eq!(path(None, 1).as_deref(), Some("/x/fleetkey"));
        assert_eq!(path(None, 2).as_deref(), Some("/h/.cache/fleetkey"));
        assert_eq!(path(None, 3), None);
    }

    #[test]
    fn a_relative_xdg_folder_is_no_folder() {
        assert_eq!(
            cache(None, &host(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")])),
            Some("/h/.cache/fleetkey".into())
        );
        assert_eq!(config(&host(&[("HOME", "")])), None);
    }
}
