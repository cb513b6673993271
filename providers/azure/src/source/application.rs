//! What the sources of an application have in common: who it is, and what of it is in the key.

use fleetkey_provider::{CredentialKey, shown};

use crate::{
    authority::{Authority, is_guid},
    entra::{Client, Version},
};

/// As a person would say it.
pub(super) fn describe(client: &Client) -> String {
    let Client { authority: Authority { tenant, .. }, id, .. } = client;
    format!("application {} of tenant {}", shown(id), shown(tenant))
}

/// Where, in which tenant, as which application and at which endpoint. Entra reads names and ids
/// without regard to case.
pub(super) fn key(client: &Client, key: &mut CredentialKey) {
    let Client { authority: Authority { endpoint, tenant, is_known }, id, version } = client;
    key.field("authority", endpoint.as_str());
    key.field("tenant", &tenant.to_ascii_lowercase());
    key.field("client", &id.to_ascii_lowercase());
    if !is_known {
        key.field("endpoints", "discovered");
    }
    if *version == Version::V1 {
        key.field("version", "1");
    }
}

/// The tenant, if it is a GUID: a token names its tenant so, and a domain cannot be compared to it.
pub(super) fn tenant(client: &Client) -> Option<&str> {
    let tenant = client.authority.tenant.as_str();
    is_guid(tenant).then_some(tenant)
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::Fingerprint;

    use super::*;
    use crate::testing::{CLIENT, TENANT, client};

    fn fingerprint(client: &Client) -> Fingerprint {
        let mut key = CredentialKey::new("azure");
        super::key(client, &mut key);
        key.finish()
    }

    #[test]
    fn whatever_leads_to_another_token_is_in_the_key() {
        let same = fingerprint(&client());
        let but = |change: fn(&mut Client)| {
            let mut client = client();
            change(&mut client);
            fingerprint(&client)
        };
        assert_eq!(same, but(|client| client.id.make_ascii_uppercase()));
        assert_eq!(same, but(|client| client.authority.tenant.make_ascii_uppercase()));
        assert_ne!(same, but(|client| client.id.push('1')));
        assert_ne!(same, but(|client| client.authority.tenant.push('1')));
        assert_ne!(same, but(|client| client.version = Version::V1));
        assert_ne!(same, but(|client| client.authority.is_known = false));
        assert_ne!(
            same,
            but(|client| client.authority.endpoint = client.authority.endpoint.at("x", &[]))
        );
    }

    #[test]
    fn a_tenant_is_known_by_its_guid_alone() {
        let mut client = client();
        assert_eq!(tenant(&client), Some(TENANT));
        assert_eq!(describe(&client), format!("application {CLIENT} of tenant {TENANT}"));
        client.authority.tenant = "contoso.onmicrosoft.com".into();
        assert_eq!(tenant(&client), None);
    }
}
