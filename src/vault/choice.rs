//! Which place for the key a person chose: by a flag, else by a variable, else the best there is.

use std::ffi::OsString;

use clap::ValueEnum;
use fleetkey_provider::{Env, Error, Host, Result, shown};

use super::Kind;

/// Picks the place of the key, where no flag does.
pub(crate) const FLEETKEY_SESSION_STORE: &str = "FLEETKEY_SESSION_STORE";
/// The flag.
const SESSION_STORE: &str = "--session-store";

/// `--session-store`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Choice {
    /// The best there is
    #[value(skip)]
    Best,
    /// The system's secret store
    Os,
    /// The Linux kernel's keyring
    Keyring,
    /// A file that only its owner may read
    File,
}

/// An environment in which a flag stands beside the variables, under its own name. The vault asks for both
/// in one place, and an error can name the one that was meant.
pub(crate) struct WithFlag<E>(pub(crate) Option<Choice>, pub(crate) E);

impl<E: Env> Env for WithFlag<E> {
    fn var(&self, name: &str) -> Option<OsString> {
        if name == SESSION_STORE {
            self.0.map(|choice| choice.name().into())
        } else {
            self.1.var(name)
        }
    }
}

/// What was chosen, and by what. Both may come from a kubeconfig, and who is strict has no key moved by
/// one.
pub(super) fn chosen(host: &Host) -> Result<(Choice, &'static str)> {
    if host.trust.is_strict()? {
        return Ok((Choice::Best, FLEETKEY_SESSION_STORE));
    }
    for from in [SESSION_STORE, FLEETKEY_SESSION_STORE] {
        let Some(text) = host.text_var(from)? else { continue };
        let all = [Choice::Os, Choice::Keyring, Choice::File];
        let named = all.into_iter().find(|choice| choice.name() == text);
        return named.map(|choice| (choice, from)).ok_or_else(|| {
            let shown = shown(&text);
            Error::config(format!("`{from}` is `{shown}`, and neither `os`, `keyring` nor `file`"))
                .next(format!("unset {from}"))
        });
    }
    Ok((Choice::Best, FLEETKEY_SESSION_STORE))
}

/// The line with which another place is taken. A flag goes before the variable, and nothing can be
/// exported in its stead.
pub(super) fn another_line(from: &str) -> String {
    if from == SESSION_STORE {
        return "fleetkey login --help".to_owned();
    }
    format!("export {FLEETKEY_SESSION_STORE}=file")
}

impl Choice {
    pub(super) fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::SecretService | Kind::Keychain | Kind::CredentialManager => {
                matches!(self, Self::Best | Self::Os)
            }
            Kind::KernelKeyring => matches!(self, Self::Best | Self::Keyring),
            Kind::File => matches!(self, Self::Best | Self::File),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Best => "",
            Self::Os => "os",
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    fn host(flag: Option<Choice>, variable: &str) -> Host {
        let env = StaticEnv::new([(FLEETKEY_SESSION_STORE, variable)]);
        Host { env: Box::new(WithFlag(flag, env)), ..Host::refusing() }
    }

    #[test]
    fn the_flag_goes_before_the_variable_and_is_the_one_that_is_named() {
        for (flag, variable, wanted) in [
            (None, "", (Choice::Best, FLEETKEY_SESSION_STORE)),
            (None, "keyring", (Choice::Keyring, FLEETKEY_SESSION_STORE)),
            (Some(Choice::File), "keyring", (Choice::File, SESSION_STORE)),
            // what the variable says is not even looked at
            (Some(Choice::Os), "purse", (Choice::Os, SESSION_STORE)),
        ] {
            assert_eq!(chosen(&host(flag, variable)).unwrap(), wanted);
        }
        let error = chosen(&host(None, "purse")).unwrap_err();
        assert!(error.message().contains("`FLEETKEY_SESSION_STORE` is `purse`"), "{error}");
        assert_eq!(error.next_line(), Some("unset FLEETKEY_SESSION_STORE"));
        assert!(another_line(FLEETKEY_SESSION_STORE).ends_with("=file"));
        assert!(!another_line(SESSION_STORE).contains("export"), "a variable changes nothing");
    }
}
