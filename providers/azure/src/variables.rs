//! Every variable that has a say in who signs in, spelled once, and for which way to sign in it has.
//!
//! kubelogin lets each of them win over flags. Here a variable fills in what neither a flag nor the
//! cluster says, and only for the ways that are named here, so that what is set for one program does
//! not change who another one is. Where no way to sign in is named, a person is meant, and nothing
//! that was set for an application has a say:
//!
//! | variable | for |
//! |---|---|
//! | `AAD_LOGIN_METHOD` | where no way to sign in is named |
//! | `AZURE_CLIENT_ID`, `AAD_SERVICE_PRINCIPAL_CLIENT_ID`, or `ARM_CLIENT_ID` | spn, ropc, msi, workloadidentity, azurepipelines, devicecode, interactive |
//! | `AZURE_TENANT_ID`, or `ARM_TENANT_ID` | spn, ropc, workloadidentity, azurepipelines, devicecode, interactive |
//! | `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH`, `AZURE_CLIENT_CERTIFICATE_PASSWORD`, and their `AAD_…` and `ARM_…` | spn |
//! | `AZURE_USERNAME`, `AZURE_PASSWORD`, and their `AAD_…` | ropc |
//! | `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_AUTHORITY_HOST` | workloadidentity |
//! | `AZURESUBSCRIPTION_…` | azurepipelines, before `AZURE_…` |
//!
//! Of two names the one further left wins. `ARM_…` is read in place of the others if
//! `--use-azurerm-env-vars` says so. With `--env-overrides-flags` the order is kubelogin's: whatever
//! is set wins over flags, for every way to sign in. `auto` reads each for the way it tries.

use crate::login::Login;

/// One value that variables may say, by its names.
#[derive(Debug)]
pub(crate) struct Names {
    /// The usual names; of two that are set the first counts.
    pub(crate) azure: &'static [&'static str],
    /// Those of Terraform's provider; `None` if it has none of its own.
    pub(crate) azurerm: Option<&'static [&'static str]>,
    /// The ways to sign in it was made for.
    pub(crate) made_for: &'static [Login],
    /// Whether it moves a file or a host, which a strict configuration does not let a variable do.
    pub(crate) moves: bool,
}

pub(crate) const AAD_LOGIN_METHOD: &str = "AAD_LOGIN_METHOD";

pub(crate) const CLIENT_ID: Names = Names {
    azure: &["AZURE_CLIENT_ID", "AAD_SERVICE_PRINCIPAL_CLIENT_ID"],
    azurerm: Some(&["ARM_CLIENT_ID"]),
    made_for: &[
        Login::Spn,
        Login::Ropc,
        Login::Msi,
        Login::AzurePipelines,
        Login::DeviceCode,
        Login::Interactive,
    ],
    moves: false,
};

/// The same for workload identity, whose webhook sets `AZURE_CLIENT_ID` whatever Terraform reads.
pub(crate) const WORKLOAD_CLIENT_ID: Names = Names {
    azure: CLIENT_ID.azure,
    azurerm: Some(&["AZURE_CLIENT_ID", "ARM_CLIENT_ID"]),
    made_for: &[Login::WorkloadIdentity],
    moves: false,
};

pub(crate) const TENANT_ID: Names = Names {
    azure: &["AZURE_TENANT_ID"],
    azurerm: Some(&["ARM_TENANT_ID"]),
    made_for: &[
        Login::Spn,
        Login::Ropc,
        Login::WorkloadIdentity,
        Login::AzurePipelines,
        Login::DeviceCode,
        Login::Interactive,
    ],
    moves: false,
};

pub(crate) const CLIENT_SECRET: Names = Names {
    azure: &["AZURE_CLIENT_SECRET", "AAD_SERVICE_PRINCIPAL_CLIENT_SECRET"],
    azurerm: Some(&["ARM_CLIENT_SECRET"]),
    made_for: &[Login::Spn],
    moves: false,
};

pub(crate) const CLIENT_CERTIFICATE: Names = Names {
    azure: &["AZURE_CLIENT_CERTIFICATE_PATH", "AAD_SERVICE_PRINCIPAL_CLIENT_CERTIFICATE"],
    azurerm: Some(&["ARM_CLIENT_CERTIFICATE_PATH"]),
    made_for: &[Login::Spn],
    moves: true,
};

pub(crate) const CLIENT_CERTIFICATE_PASSWORD: Names = Names {
    azure: &[
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AAD_SERVICE_PRINCIPAL_CLIENT_CERTIFICATE_PASSWORD",
    ],
    azurerm: Some(&["ARM_CLIENT_CERTIFICATE_PASSWORD"]),
    made_for: &[Login::Spn],
    moves: false,
};

pub(crate) const USERNAME: Names = Names {
    azure: &["AZURE_USERNAME", "AAD_USER_PRINCIPAL_NAME"],
    azurerm: None,
    made_for: &[Login::Ropc],
    moves: false,
};

pub(crate) const PASSWORD: Names = Names {
    azure: &["AZURE_PASSWORD", "AAD_USER_PRINCIPAL_PASSWORD"],
    azurerm: None,
    made_for: &[Login::Ropc],
    moves: false,
};

pub(crate) const FEDERATED_TOKEN_FILE: Names = Names {
    azure: &["AZURE_FEDERATED_TOKEN_FILE"],
    azurerm: None,
    made_for: &[Login::WorkloadIdentity],
    moves: true,
};

pub(crate) const AUTHORITY_HOST: Names = Names {
    azure: &["AZURE_AUTHORITY_HOST"],
    azurerm: None,
    made_for: &[Login::WorkloadIdentity],
    moves: true,
};

/// What a service connection's task of Azure Pipelines sets; these never win over flags.
pub(crate) const CONNECTION_CLIENT_ID: &str = "AZURESUBSCRIPTION_CLIENT_ID";
pub(crate) const CONNECTION_TENANT_ID: &str = "AZURESUBSCRIPTION_TENANT_ID";
pub(crate) const CONNECTION_ID: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";

/// How long `az` may take, as Go writes durations.
pub(crate) const AZURE_CLI_TIMEOUT: &str = "AZURE_CLI_TIMEOUT";
/// Where `az` keeps its files, if not in `~/.azure`.
pub(crate) const AZURE_CONFIG_DIR: &str = "AZURE_CONFIG_DIR";
/// Which cloud is the active one of `az`, if not the one that its `config` names.
pub(crate) const AZURE_CLOUD_NAME: &str = "AZURE_CLOUD_NAME";
/// Whether `az` is to be run for every token.
pub(crate) const FLEETKEY_RUN_AZ: &str = "FLEETKEY_RUN_AZ";

/// Where kubelogin keeps its cache, whatever else it is told of the environment. Read only where a
/// command line or a user of kubelogin's is understood.
pub(crate) const KUBECACHEDIR: &str = "KUBECACHEDIR";

/// A job of GitHub Actions that may ask for a token has both.
pub(crate) const ACTIONS_ID_TOKEN_REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
pub(crate) const ACTIONS_ID_TOKEN_REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
/// A job of Azure Pipelines has this one, and the next if its step maps it.
pub(crate) const SYSTEM_OIDCREQUESTURI: &str = "SYSTEM_OIDCREQUESTURI";
pub(crate) const SYSTEM_ACCESSTOKEN: &str = "SYSTEM_ACCESSTOKEN";
