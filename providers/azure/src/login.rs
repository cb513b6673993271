//! The ways to sign in, by the names kubelogin gave them, and one more.

use fleetkey_provider::{Error, Result, shown};

use crate::given::Chosen;

/// A way to sign in. Where none is named a person is meant, who is asked in the best way there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Login {
    /// A person, with a code to type elsewhere.
    DeviceCode,
    /// A person, with a browser.
    Interactive,
    /// An application with a secret or a certificate.
    Spn,
    /// A person's name and password.
    Ropc,
    /// The identity of this machine.
    Msi,
    /// Whoever is signed in to `az`.
    AzureCli,
    /// Whoever is signed in to `azd`.
    Azd,
    /// An application that a federated token speaks for.
    WorkloadIdentity,
    /// An application that a service connection speaks for.
    AzurePipelines,
    /// Whichever of them this machine offers.
    Auto,
}

impl Login {
    /// The way of that name.
    pub(crate) fn parse(name: &Chosen) -> Result<Self> {
        let known = ALL.iter().find(|login| login.name().eq_ignore_ascii_case(&name.value));
        known.copied().ok_or_else(|| unknown(name))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => "devicecode",
            Self::Interactive => "interactive",
            Self::Spn => "spn",
            Self::Ropc => "ropc",
            Self::Msi => "msi",
            Self::AzureCli => "azurecli",
            Self::Azd => "azd",
            Self::WorkloadIdentity => "workloadidentity",
            Self::AzurePipelines => "azurepipelines",
            Self::Auto => "auto",
        }
    }
}

/// All of them.
pub(crate) const ALL: [Login; 10] = [
    Login::DeviceCode,
    Login::Interactive,
    Login::Spn,
    Login::Ropc,
    Login::Msi,
    Login::AzureCli,
    Login::Azd,
    Login::WorkloadIdentity,
    Login::AzurePipelines,
    Login::Auto,
];

fn unknown(name: &Chosen) -> Error {
    let all: Vec<String> = ALL.iter().map(|login| format!("`{}`", login.name())).collect();
    Error::config(format!("{} names no way to sign in: `{}`", name.from, shown(&name.value)))
        .because(format!("there are {}; without any a person is asked", all.join(", ")))
        .next("fleetkey get-token azure --help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_name_and_others_are_told_them() {
        for login in ALL {
            assert_eq!(Login::parse(&Chosen::flag("login", login.name())).unwrap(), login);
        }
        for bad in ["", "github", "device-code", "spn ", "a\u{1b}"] {
            let error = Login::parse(&Chosen::flag("login", bad)).unwrap_err().to_string();
            assert!(error.starts_with("`--login` names no way to sign in"), "{error}");
            assert!(ALL.iter().all(|login| error.contains(login.name())), "{error}");
        }
    }
}
