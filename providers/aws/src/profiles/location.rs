//! Where the two files of profiles are, as every tool of AWS finds them.
//!
//! A pure function, so that the rules of one system can be tested on another. `~user` is not
//! expanded, and without a home the user database is not asked: then there is no file.

use std::{ffi::OsString, path::PathBuf};

use crate::variables;

/// Whose rules about homes and separators hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum System {
    /// Linux and its like.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// The one this was built for.
    pub(crate) const fn here() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }

    fn separator(self) -> &'static str {
        if self == Self::Windows { "\\" } else { "/" }
    }
}

/// The two files; `None` where no variable names one and there is no home.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Location {
    /// The config file.
    pub(crate) config: Option<PathBuf>,
    /// The credentials file.
    pub(crate) credentials: Option<PathBuf>,
}

impl Location {
    /// Finds them. `var` is the environment; a strict person's is not asked for files.
    pub(crate) fn find(
        var: &dyn Fn(&str) -> Option<OsString>,
        system: System,
        strict: bool,
    ) -> Self {
        let file = |variable, default| {
            let named = if strict { None } else { var(variable).filter(|v| !v.is_empty()) };
            match named {
                Some(path) => expand(path, var, system),
                None => Some(join(home(var, system)?, &[".aws", default], system).into()),
            }
        };
        Self {
            config: file(variables::AWS_CONFIG_FILE, "config"),
            credentials: file(variables::AWS_SHARED_CREDENTIALS_FILE, "credentials"),
        }
    }
}

/// The home folder.
pub(crate) fn home(var: &dyn Fn(&str) -> Option<OsString>, system: System) -> Option<OsString> {
    let var = |name| var(name).filter(|value| !value.is_empty());
    let home = var(variables::HOME);
    if system != System::Windows {
        return home;
    }
    home.or_else(|| var(variables::USERPROFILE)).or_else(|| {
        let mut drive = var(variables::HOMEDRIVE)?;
        drive.push(var(variables::HOMEPATH)?);
        Some(drive)
    })
}

/// The path with a leading `~` replaced; `None` if there is no home to replace it with.
pub(crate) fn expand(
    path: OsString,
    var: &dyn Fn(&str) -> Option<OsString>,
    system: System,
) -> Option<PathBuf> {
    let Some(rest) = path.to_str().and_then(|text| text.strip_prefix('~')) else {
        return Some(path.into());
    };
    let is_separator = |c| c == '/' || (c == '\\' && system == System::Windows);
    if !rest.is_empty() && !rest.starts_with(is_separator) {
        return Some(path.into());
    }
    let parts: Vec<&str> = rest.split(is_separator).filter(|part| !part.is_empty()).collect();
    Some(join(home(var, system)?, &parts, system).into())
}

/// Not `Path::join`, which knows only the system it was built for.
fn join(mut path: OsString, parts: &[&str], system: System) -> OsString {
    for part in parts {
        if !path.to_string_lossy().ends_with(system.separator()) {
            path.push(system.separator());
        }
        path.push(part);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pairs: &[(&str, &str)], system: System, strict: bool) -> [Option<String>; 2] {
        let var = |name: &str| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let Location { config, credentials } = Location::find(&var, system, strict);
        [config, credentials].map(|path| path.map(|path| path.to_str().unwrap().to_owned()))
    }

    fn both(config: &str, credentials: &str) -> [Option<String>; 2] {
        [Some(config.to_owned()), Some(credentials.to_owned())]
    }

    #[test]
    fn without_a_home_there_is_no_file() {
        for system in [System::Linux, System::MacOs, System::Windows] {
            assert_eq!(find(&[], system, false), [None, None]);
            assert_eq!(find(&[("HOME", "")], system, false), [None, None]);
            assert_eq!(find(&[("AWS_CONFIG_FILE", "~/c")], system, false), [None, None]);
        }
        assert_eq!(find(&[("USERPROFILE", "/u")], System::Linux, false), [None, None]);
        assert_eq!(find(&[("HOMEPATH", "\\u")], System::Windows, false), [None, None]);
    }

    #[test]
    fn a_named_file_needs_no_home() {
        let pairs = [("AWS_CONFIG_FILE", "/c"), ("AWS_SHARED_CREDENTIALS_FILE", "d")];
        assert_eq!(find(&pairs, System::Linux, false), both("/c", "d"));
    }

    #[test]
    fn a_tilde_is_the_home() {
        let pairs = [
            ("HOME", "/h/"),
            ("AWS_CONFIG_FILE", "~/a//b"),
            ("AWS_SHARED_CREDENTIALS_FILE", "~u/c"),
        ];
        assert_eq!(find(&pairs, System::Linux, false), both("/h/a/b", "~u/c"));
        let pairs = [
            ("HOME", "C:\\h"),
            ("AWS_CONFIG_FILE", "~/a\\b"),
            ("AWS_SHARED_CREDENTIALS_FILE", "~"),
        ];
        assert_eq!(find(&pairs, System::Windows, false), both("C:\\h\\a\\b", "C:\\h"));
    }

    #[test]
    fn an_empty_variable_names_no_file() {
        let pairs = [("HOME", "/h"), ("AWS_CONFIG_FILE", "")];
        assert_eq!(
            find(&pairs, System::Linux, false),
            both("/h/.aws/config", "/h/.aws/credentials")
        );
    }

    #[test]
    fn a_strict_person_is_not_led_elsewhere() {
        let pairs = [
            ("HOME", "/h"),
            ("AWS_CONFIG_FILE", "/evil"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/evil"),
        ];
        assert_eq!(
            find(&pairs, System::Linux, true),
            both("/h/.aws/config", "/h/.aws/credentials")
        );
    }
}
