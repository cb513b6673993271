//! A value, and where it came from: errors and `-v` name the flag or variable somebody has to change.

use std::{fmt, path::PathBuf};

use fleetkey_provider::{Error, Result, Rule, SecretString};

/// A value and where it came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Given<T> {
    /// The value.
    pub(crate) value: T,
    /// Its place; shown as an error would call it.
    pub(crate) from: Origin,
}

/// Some text.
pub(crate) type Chosen = Given<String>;
/// Something nobody may see.
pub(crate) type Hidden = Given<SecretString>;
/// A file.
pub(crate) type File = Given<PathBuf>;

/// Where a value came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// A flag.
    Flag(&'static str),
    /// The cluster's exec extension in the kubeconfig.
    Cluster(&'static str),
    /// The name of the cluster's API server.
    Server,
    /// The environment.
    Variable(&'static str),
}

impl Origin {
    /// Whether somebody typed it, which says more than a variable that happens to be set.
    pub(crate) fn is_flag(self) -> bool {
        matches!(self, Self::Flag(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "`--{name}`"),
            Self::Cluster(name) => write!(f, "`spec.cluster.config.{name}`"),
            Self::Server => f.write_str("the cluster's `server`"),
            Self::Variable(name) => write!(f, "the variable `{name}`"),
        }
    }
}

impl Chosen {
    /// What that flag said.
    #[cfg(test)]
    pub(crate) fn flag(name: &'static str, value: &str) -> Self {
        Self { value: value.into(), from: Origin::Flag(name) }
    }

    /// The value, if it is one.
    pub(crate) fn checked(self, rule: &Rule) -> Result<Self> {
        rule.check(&self.from.to_string(), &self.value)?;
        Ok(self)
    }
}

impl File {
    /// A path that can be one.
    pub(crate) fn path(from: Origin, value: PathBuf) -> Result<Self> {
        PATH.check(&from.to_string(), &value.to_string_lossy())?;
        Ok(Self { value, from })
    }
}

const PATH: Rule =
    Rule { what: "a path", min: 1, max: 4096, allows: |_| true, allowed: "printable characters" };

/// The longest secret that is one; client secrets have about 40 characters.
const LONGEST_SECRET: usize = 4096;

impl Hidden {
    /// A secret, if it can be one; the error does not show it.
    pub(crate) fn secret(from: Origin, value: String) -> Result<Self> {
        let cause = if value.is_empty() {
            "it is empty"
        } else if value.len() > LONGEST_SECRET {
            "it is longer than 4096 bytes"
        } else if value.chars().any(char::is_control) {
            "there are control characters in it"
        } else {
            return Ok(Self { value: value.into(), from });
        };
        Err(Error::config(format!("{from} holds no secret")).because(cause))
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::ExposeSecret;

    use super::*;

    #[test]
    fn no_secret_is_shown_not_even_a_wrong_one() {
        for bad in ["", "hunter2\n", "hunter2\u{1b}[2J", &"hunter2".repeat(1000)] {
            let error = Hidden::secret(Origin::Flag("client-secret"), bad.into()).unwrap_err();
            assert!(error.message().starts_with("`--client-secret` holds no secret"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let good = Hidden::secret(Origin::Variable("X"), "pässword 1".into()).unwrap();
        assert_eq!(good.value.expose_secret(), "pässword 1");
        assert!(!format!("{good:?}").contains("ssword 1"));
    }
}
