//! kubelogin's order: what is set in the environment wins over flags, even where it is empty.
//!
//! Which variables those are stands in `variables`; here is which flag each of them wins over, and when.

use super::flags::{self, Values};
use crate::{
    login::Login,
    variables::{self, Names},
};

/// What a variable says in place of a flag.
pub(super) struct Winner {
    /// The variable.
    pub(super) variable: &'static str,
    /// What it says, which may be nothing.
    pub(super) value: String,
    /// Every variable that says the same; those that are set beside it say nothing.
    pub(super) family: &'static [&'static str],
}

/// The variable that wins over that flag; `None` if none is set. `var` is the environment.
pub(super) fn over(
    flag: &str,
    login: Option<Login>,
    values: &Values,
    var: &dyn Fn(&str) -> Option<String>,
) -> Option<Winner> {
    let names = names(flag, login)?;
    // the five that Terraform's provider names too count whatever the way
    let has_a_say =
        names.azurerm.is_some() || login.is_some_and(|login| names.made_for.contains(&login));
    if !has_a_say {
        return None;
    }
    let family = match names.azurerm {
        Some(azurerm) if flags::is_on(values, flags::USE_AZURERM) => azurerm,
        _ => names.azure,
    };
    let found = family.iter().find_map(|&variable| Some((variable, var(variable)?)));
    found.map(|(variable, value)| Winner { variable, value, family })
}

/// The flags that a variable wins over, the login apart.
pub(super) const FLAGS: [&str; 9] = [
    flags::CLIENT_ID,
    "tenant-id",
    "client-certificate",
    "client-certificate-password",
    "client-secret",
    "username",
    "password",
    "federated-token-file",
    "authority-host",
];

fn names(flag: &str, login: Option<Login>) -> Option<&'static Names> {
    Some(match flag {
        flags::CLIENT_ID if login == Some(Login::WorkloadIdentity) => {
            &variables::WORKLOAD_CLIENT_ID
        }
        flags::CLIENT_ID => &variables::CLIENT_ID,
        "tenant-id" => &variables::TENANT_ID,
        "client-certificate" => &variables::CLIENT_CERTIFICATE,
        "client-certificate-password" => &variables::CLIENT_CERTIFICATE_PASSWORD,
        "client-secret" => &variables::CLIENT_SECRET,
        "username" => &variables::USERNAME,
        "password" => &variables::PASSWORD,
        "federated-token-file" => &variables::FEDERATED_TOKEN_FILE,
        "authority-host" => &variables::AUTHORITY_HOST,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn winner(flag: &str, login: Login, is_azurerm: bool, env: &[(&str, &str)]) -> Option<String> {
        let values = Values::from([(flags::USE_AZURERM, is_azurerm.to_string())]);
        let var = |name: &str| {
            env.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).into())
        };
        over(flag, Some(login), &values, &var)
            .map(|winner| format!("{}={}", winner.variable, winner.value))
    }

    #[test]
    fn each_flag_has_its_variables_and_the_last_that_kubelogin_reads_counts() {
        let both = [("AAD_SERVICE_PRINCIPAL_CLIENT_ID", "a"), ("AZURE_CLIENT_ID", "b")];
        let arm = [("ARM_CLIENT_ID", "arm"), ("AZURE_CLIENT_ID", "azure")];
        let empty = [("AZURE_CLIENT_ID", "")];
        let workload = [("AZURE_AUTHORITY_HOST", "h"), ("AZURE_FEDERATED_TOKEN_FILE", "/f")];
        for (flag, login, is_azurerm, env, expected) in [
            ("client-id", Login::Spn, false, &both[..], Some("AZURE_CLIENT_ID=b")),
            (
                "client-id",
                Login::AzureCli,
                false,
                &both[..1],
                Some("AAD_SERVICE_PRINCIPAL_CLIENT_ID=a"),
            ),
            ("client-id", Login::Spn, true, &both, None),
            ("client-id", Login::Spn, true, &arm, Some("ARM_CLIENT_ID=arm")),
            ("client-id", Login::WorkloadIdentity, true, &arm, Some("AZURE_CLIENT_ID=azure")),
            ("client-id", Login::Msi, false, &empty, Some("AZURE_CLIENT_ID=")),
            (
                "authority-host",
                Login::WorkloadIdentity,
                false,
                &workload,
                Some("AZURE_AUTHORITY_HOST=h"),
            ),
            ("authority-host", Login::Spn, false, &workload, None),
            ("federated-token-file", Login::Spn, false, &workload, None),
            ("server-id", Login::Spn, false, &both, None),
        ] {
            assert_eq!(
                winner(flag, login, is_azurerm, env).as_deref(),
                expected,
                "{flag} {login:?}"
            );
        }
        for flag in FLAGS {
            assert!(names(flag, None).is_some() && flags::named(flag).is_some(), "{flag}");
        }
    }
}
