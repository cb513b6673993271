//! The server application a token is for: what Entra calls the resource, and AKS `--server-id`.

use fleetkey_provider::{Result, Rule};

use crate::given::Chosen;

/// The application of AKS-managed Entra integration, the same in every tenant.
pub(crate) const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// The public application that every tenant lets ask for it: who people sign in to.
pub(crate) const AKS_CLIENT: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

/// An application id, or the URI of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerId(String);

impl ServerId {
    /// What a test says.
    #[cfg(test)]
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Self::read("`--server-id`", text)
    }

    /// One that is known.
    pub(crate) fn known(id: &'static str) -> Self {
        Self(id.to_owned())
    }

    /// Checks what a flag or the cluster's extension said; a trailing `/` and `/.default` are dropped,
    /// as kubelogin does.
    pub(crate) fn given(id: &Chosen) -> Result<Self> {
        Self::read(&id.from.to_string(), &id.value)
    }

    fn read(from: &str, text: &str) -> Result<Self> {
        let id = text.strip_suffix("/.default").unwrap_or(text).trim_end_matches('/');
        RULE.check(from, id)?;
        Ok(Self(id.to_owned()))
    }

    /// The id itself, as the v1 endpoint and the metadata services want it.
    pub(crate) fn resource(&self) -> &str {
        &self.0
    }

    /// Everything that was consented to for it, as the v2 endpoint wants it.
    pub(crate) fn scope(&self) -> String {
        format!("{}/.default", self.0)
    }

    /// Whether an access token's `aud` means this server: the id, with or without `spn:` and a
    /// trailing slash.
    pub(crate) fn is_audience(&self, audience: &str) -> bool {
        let plain = audience.strip_prefix("spn:").unwrap_or(audience).trim_end_matches('/');
        plain.eq_ignore_ascii_case(self.0.strip_prefix("spn:").unwrap_or(&self.0))
            || plain.eq_ignore_ascii_case(self.0.strip_prefix("api://").unwrap_or(&self.0))
    }
}

const RULE: Rule = Rule {
    what: "an application's id",
    min: 1,
    max: 256,
    allows: |c| c.is_ascii_alphanumeric() || "-._~:/".contains(c),
    allowed: "letters, digits and `-._~:/`",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_what_stands_before_the_scope() {
        for text in [AKS, &format!("{AKS}/"), &format!("{AKS}/.default")] {
            let id = ServerId::parse(text).unwrap();
            assert_eq!((id.resource(), id.scope()), (AKS, format!("{AKS}/.default")));
        }
        for bad in ["", "a b", "a&resource=b", "a\n"] {
            assert!(ServerId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_audience_is_compared_without_its_ornaments() {
        let id = ServerId::parse(AKS).unwrap();
        for good in [AKS, &format!("spn:{AKS}"), &AKS.to_uppercase(), &format!("{AKS}/")] {
            assert!(id.is_audience(good), "{good}");
        }
        assert!(!id.is_audience("https://management.azure.com/"));
        assert!(ServerId::parse("api://app").unwrap().is_audience("app"));
        let arm = ServerId::parse("https://management.azure.com/.default").unwrap();
        assert_eq!(arm, ServerId::known("https://management.azure.com"));
        assert!(arm.is_audience("https://management.azure.com/") && !arm.is_audience(AKS));
    }
}
