//! `service_principal_entries.json`: what applications signed in to az with.

use fleetkey_provider::SecretString;
use serde_json::Value;

/// An application that signed in.
#[derive(Clone, Debug)]
pub(crate) struct ServicePrincipal {
    /// In which tenant.
    pub(crate) tenant: String,
    /// As which application.
    pub(crate) client_id: String,
    /// With what.
    pub(crate) proof: Proof,
}

/// What an application signed in with.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// Its secret.
    Secret(SecretString),
    /// The path of its certificate, which lies there with its key.
    Certificate(String),
    /// A federated token, as it was then.
    Assertion(SecretString),
}

impl ServicePrincipal {
    /// That application's entry: the one of the tenant, or else its first, as az chooses.
    pub(crate) fn choose(entries: Vec<Self>, client_id: &str, tenant: &str) -> Option<Self> {
        let mut own: Vec<_> = entries
            .into_iter()
            .filter(|entry| entry.client_id.eq_ignore_ascii_case(client_id))
            .collect();
        let exact = own.iter().position(|entry| entry.tenant.eq_ignore_ascii_case(tenant));
        (!own.is_empty()).then(|| own.swap_remove(exact.unwrap_or(0)))
    }
}

/// Entries of another shape are skipped.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<ServicePrincipal>> {
    let list: Vec<Value> = serde_json::from_slice(bytes).ok()?;
    Some(list.iter().filter_map(entry).collect())
}

fn entry(value: &Value) -> Option<ServicePrincipal> {
    let text = |name: &str| {
        let text = value.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let proof = text("client_secret")
        .map(|secret| Proof::Secret(secret.into()))
        .or_else(|| text("certificate").map(Proof::Certificate))
        .or_else(|| text("client_assertion").map(|token| Proof::Assertion(token.into())))?;
    Some(ServicePrincipal { tenant: text("tenant")?, client_id: text("client_id")?, proof })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::az::data;

    #[test]
    fn each_kind_of_entry_is_read() {
        let entries = parse(data::SERVICE_PRINCIPALS.as_bytes()).unwrap();
        assert!(matches!(
            &entries[..],
            [
                ServicePrincipal { proof: Proof::Secret(_), .. },
                ServicePrincipal { proof: Proof::Certificate(path), .. },
                ServicePrincipal { proof: Proof::Assertion(_), .. },
            ] if path == "/some/cert.pem"
        ));
        assert!(!format!("{entries:?}").contains("not-a-secret"));
    }

    #[test]
    fn the_tenants_own_entry_is_chosen_else_the_first() {
        let list = r#"[
            {"tenant":"A","client_id":"c","client_secret":"1"},
            {"tenant":"B","client_id":"C","client_secret":"2"},
            {"tenant":"B","client_id":"d","client_secret":"3"}]"#;
        for (client, tenant, found) in
            [("c", "b", Some("B")), ("C", "a", Some("A")), ("c", "z", Some("A")), ("e", "a", None)]
        {
            let entries = parse(list.as_bytes()).unwrap();
            let chosen = ServicePrincipal::choose(entries, client, tenant);
            assert_eq!(chosen.map(|entry| entry.tenant).as_deref(), found, "{client} {tenant}");
        }
    }

    #[test]
    fn other_shapes_are_skipped_or_no_list() {
        let odd = r#"[1, null, {}, [], {"tenant":1,"client_id":"c","client_secret":"s"},
            {"tenant":"t","client_id":"c","client_secret":""}, {"tenant":"t","client_id":"c"}]"#;
        assert!(parse(odd.as_bytes()).unwrap().is_empty());
        for none in ["", "{}", "null", "[", "1"] {
            assert!(parse(none.as_bytes()).is_none(), "{none}");
        }
    }
}
