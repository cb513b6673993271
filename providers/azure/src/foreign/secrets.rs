//! The names whose values are secrets: whoever shows a kubeconfig or a command line leaves those out.

use super::auth_provider::TOKENS;
use crate::{
    source::managed_identity::{IDENTITY_HEADER, MSI_SECRET},
    variables::{self, Names},
};

/// Flags, settings of `auth-provider`, and variables.
pub(crate) const SECRETS: &[&str] = &[
    "client-secret",
    "client-certificate-password",
    "password",
    TOKENS[0],
    TOKENS[1],
    variables::CLIENT_SECRET.azure[0],
    variables::CLIENT_SECRET.azure[1],
    terraforms(&variables::CLIENT_SECRET),
    variables::CLIENT_CERTIFICATE_PASSWORD.azure[0],
    variables::CLIENT_CERTIFICATE_PASSWORD.azure[1],
    terraforms(&variables::CLIENT_CERTIFICATE_PASSWORD),
    variables::PASSWORD.azure[0],
    variables::PASSWORD.azure[1],
    variables::ACTIONS_ID_TOKEN_REQUEST_TOKEN,
    variables::SYSTEM_ACCESSTOKEN,
    IDENTITY_HEADER,
    MSI_SECRET,
];

const fn terraforms(names: &Names) -> &'static str {
    match names.azurerm {
        Some([name, ..]) => name,
        _ => names.azure[0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::flags::{FLAGS, Takes};

    #[test]
    fn whatever_holds_a_secret_is_named() {
        for flag in FLAGS.iter().filter(|flag| flag.takes == Takes::Secret) {
            assert!(SECRETS.contains(&flag.name), "{}", flag.name);
        }
        let names = [
            &variables::CLIENT_SECRET,
            &variables::CLIENT_CERTIFICATE_PASSWORD,
            &variables::PASSWORD,
        ];
        for names in names {
            let all = names.azure.iter().chain(names.azurerm.unwrap_or_default());
            assert!(all.clone().all(|name| SECRETS.contains(name)), "{names:?}");
        }
        for name in ["AZURE_CLIENT_SECRET", "access-token", "refresh-token"] {
            assert!(SECRETS.contains(&name), "{name}");
        }
    }
}
