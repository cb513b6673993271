//! The clouds there are. One line each; the only place in the host that names them.

use fleetkey_provider::Provider;

/// Every provider, in the order the help shows them.
pub const PROVIDERS: &[&dyn Provider] = &[fleetkey_aws::PROVIDER, fleetkey_azure::PROVIDER];

/// The provider with that name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.name() == name)
}
