//! Azure's clouds, and the hosts of Entra and of Azure Resource Manager in each.
//!
//! The names are those kubelogin takes for `--environment`, in any case. An unknown one is an error:
//! kubelogin silently takes the public cloud for it, and sends its secrets there.

use fleetkey_provider::{Error, Result, shown};

use crate::given::Chosen;

/// A cloud of Azure.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Cloud {
    /// The one that is meant where none is named.
    #[default]
    Public,
    /// Azure Government.
    UsGovernment,
    /// Azure operated by 21Vianet.
    China,
}

impl Cloud {
    /// The cloud that `--environment` names.
    pub(crate) fn parse(name: &Chosen) -> Result<Self> {
        Self::named(&name.value).ok_or_else(|| unknown(name))
    }

    /// The cloud of that name, in any case; `az` knows them by the same names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, cloud)| *cloud)
    }

    /// Its name in az, which has one for each.
    pub(crate) fn az_name(self) -> &'static str {
        match self {
            Self::Public => "AzureCloud",
            Self::UsGovernment => "AzureUSGovernment",
            Self::China => "AzureChinaCloud",
        }
    }

    /// The host that its people and programs sign in at.
    pub(crate) fn authority_host(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::UsGovernment => "login.microsoftonline.us",
            Self::China => "login.chinacloudapi.cn",
        }
    }

    /// The host of its Azure Resource Manager.
    pub(crate) fn resource_manager_host(self) -> &'static str {
        match self {
            Self::Public => "management.azure.com",
            Self::UsGovernment => "management.usgovcloudapi.net",
            Self::China => "management.chinacloudapi.cn",
        }
    }

    /// What tokens for it are for, as Microsoft's SDKs ask for them.
    pub(crate) fn resource_manager_id(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com",
            Self::UsGovernment => "https://management.core.usgovcloudapi.net",
            Self::China => "https://management.chinacloudapi.cn",
        }
    }

    /// Whether it is the Azure Resource Manager of some cloud that a token is for.
    pub(crate) fn is_resource_manager(id: &str) -> bool {
        ALL.iter().any(|cloud| cloud.resource_manager_id().eq_ignore_ascii_case(id))
    }
}

const ALL: [Cloud; 3] = [Cloud::Public, Cloud::UsGovernment, Cloud::China];

const NAMES: &[(&str, Cloud)] = &[
    ("AzurePublicCloud", Cloud::Public),
    ("AzureCloud", Cloud::Public),
    ("AzurePublic", Cloud::Public),
    ("AzureUSGovernmentCloud", Cloud::UsGovernment),
    ("AzureUSGovernment", Cloud::UsGovernment),
    ("AzureChinaCloud", Cloud::China),
];

/// Hosts of Azure Resource Manager.
pub(crate) const RESOURCE_MANAGERS: &[&str] =
    &["management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"];

/// Hosts of Entra that MSAL trusts without asking, older names of each cloud among them.
pub(crate) const AUTHORITIES: &[&str] = &[
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.usgovcloudapi.net",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login.microsoftonline.de",
    "login-us.microsoftonline.com",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
];

fn unknown(name: &Chosen) -> Error {
    let known: Vec<String> = NAMES.iter().map(|(name, _)| format!("`{name}`")).collect();
    Error::config(format!("{} names no cloud: `{}`", name.from, shown(&name.value)))
        .because(format!(
            "the clouds are {}; another one is named by its host, with `--authority-host`",
            known.join(", ")
        ))
        .next("fleetkey get-token azure --help")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_host;

    #[test]
    fn each_name_is_a_cloud_in_any_case() {
        for (name, host) in [
            ("AzurePublicCloud", "login.microsoftonline.com"),
            ("azurecloud", "login.microsoftonline.com"),
            ("AZUREPUBLIC", "login.microsoftonline.com"),
            ("AzureUSGovernment", "login.microsoftonline.us"),
            ("AzureUSGovernmentCloud", "login.microsoftonline.us"),
            ("azurechinacloud", "login.chinacloudapi.cn"),
        ] {
            let cloud = Cloud::parse(&Chosen::flag("environment", name)).unwrap();
            assert_eq!(cloud.authority_host(), host, "{name}");
            assert!(own_host::is_entra(host));
        }
    }

    #[test]
    fn each_cloud_has_a_resource_manager() {
        for cloud in ALL {
            assert!(own_host::is_resource_manager(cloud.resource_manager_host()), "{cloud:?}");
            assert!(Cloud::is_resource_manager(cloud.resource_manager_id()), "{cloud:?}");
        }
        assert!(!Cloud::is_resource_manager("https://management.evil.example"));
    }

    #[test]
    fn an_unknown_name_is_not_the_public_cloud() {
        for name in ["AzureStackCloud", "AzureGermanCloud", "foo", ""] {
            let error = Cloud::parse(&Chosen::flag("environment", name)).unwrap_err();
            assert!(error.message().starts_with("`--environment` names no cloud"), "{error}");
            assert!(error.to_string().contains("AzureUSGovernmentCloud"), "{error}");
        }
    }
}
