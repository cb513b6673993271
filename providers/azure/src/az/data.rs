//! What az and MSAL Python 1.39.0 wrote, for tests.

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/", $name))
    };
}

/// `azureProfile.json`.
pub(crate) const PROFILE: &str = file!("azureProfile.synthetic.json");
/// `service_principal_entries.json`.
pub(crate) const SERVICE_PRINCIPALS: &str = file!("service_principal_entries.synthetic.json");
/// `msal_token_cache.json`, as it is since 2026.
pub(crate) const CACHE: &str = file!("az_msal_token_cache_nofoci.json");
/// The same from before, when az was one of Microsoft's family of clients.
pub(crate) const CACHE_FOCI: &str = file!("az_msal_token_cache_foci.json");
/// Every request that led to [`CACHE`].
pub(crate) const WIRE_LOG: &str = file!("az_msal_wire_log_nofoci.json");
/// Every request that led to [`CACHE_FOCI`].
pub(crate) const WIRE_LOG_FOCI: &str = file!("az_msal_wire_log_foci.json");
