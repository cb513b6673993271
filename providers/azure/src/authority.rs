//! Which Entra, and which tenant of it.

use fleetkey_provider::{Endpoint, Error, Host, Result, Rule, quoted, shown};

use crate::{cloud::Cloud, given::Chosen, own_host};

/// An authority: a host that may be given secrets, and a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// `https://login.microsoftonline.com/`, or another that is trusted.
    pub(crate) endpoint: Endpoint,
    /// A GUID or a domain; `organizations` where a person was not told which.
    pub(crate) tenant: String,
    /// Whether its endpoints are those of Entra (`/{tenant}/oauth2/v2.0/…`), which they are unless
    /// the host is a stranger's and discovery was not disabled.
    pub(crate) is_known: bool,
}

/// The tenant of any person who is not told which.
pub(crate) const ORGANIZATIONS: &str = "organizations";

impl Authority {
    /// `named` is the host somebody named, which wins over the cloud's.
    pub(crate) fn new(
        named: Option<&Chosen>,
        cloud: Cloud,
        tenant: String,
        discovery: Discovery,
        host: &Host,
    ) -> Result<Self> {
        let endpoint = match named {
            Some(named) => endpoint(named, host)?,
            None => Endpoint::known(cloud.authority_host(), "the cloud", own_host::is_entra, host)?,
        };
        // loopback counts as known: what is sent there does not leave the machine, and asking it first
        // would tell nothing of who listens
        let is_known = discovery == Discovery::Disabled
            || endpoint.is_loopback()
            || endpoint.url().host_str().is_some_and(own_host::is_entra);
        Ok(Self { endpoint, tenant, is_known })
    }
}

/// Whether an authority that is a stranger's is asked for its endpoints.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Discovery {
    /// It is asked.
    #[default]
    Allowed,
    /// Its endpoints are taken to be those of Entra (`--disable-instance-discovery`).
    Disabled,
}

/// The host that was named: scheme and host, and nothing behind them.
pub(crate) fn endpoint(named: &Chosen, host: &Host) -> Result<Endpoint> {
    let Chosen { value, from } = named;
    let endpoint = Endpoint::configured(value, &from.to_string(), own_host::is_entra, host)?;
    let path = endpoint.url().path().trim_matches('/');
    if path.is_empty() {
        return Ok(endpoint);
    }
    let error = Error::config(format!("{from} is not only a host: `{}`", shown(value)));
    if path.eq_ignore_ascii_case("adfs") {
        return Err(error.because("AD FS is not supported: AKS takes tokens of Entra alone"));
    }
    let origin = endpoint.origin();
    let error = error.because(format!("it has a path behind `{origin}`"));
    if path.contains('/') {
        return Err(error);
    }
    Err(error.next(format!(
        "fleetkey get-token azure --authority-host {} --tenant-id {}",
        quoted(&format!("{origin}/")),
        quoted(path)
    )))
}

/// Checks what names a tenant: a GUID, a domain, or a word for more than one.
pub(crate) fn check_tenant(tenant: &Chosen) -> Result<()> {
    let Chosen { value, from } = tenant;
    TENANT.check(&from.to_string(), value)?;
    let is_domain = value.contains('.')
        && value.split('.').all(|label| !label.is_empty() && !label.starts_with('-'));
    if is_guid(value) || is_domain || is_for_many(value) {
        return Ok(());
    }
    Err(Error::config(format!("{from} is not a tenant: `{}`", shown(value)))
        .because("it is neither a GUID, nor a domain, nor `organizations`")
        .next("az account list --query '[].tenantId' --output tsv"))
}

/// Whether people of many tenants are meant. No application signs in there.
pub(crate) fn is_for_many(tenant: &str) -> bool {
    [ORGANIZATIONS, "common", "consumers"].iter().any(|word| word.eq_ignore_ascii_case(tenant))
}

/// Whether it has the shape of a GUID.
pub(crate) fn is_guid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

const TENANT: Rule = Rule {
    what: "a tenant",
    min: 1,
    max: 253,
    allows: |c| c.is_ascii_alphanumeric() || c == '-' || c == '.',
    allowed: "letters, digits and `-.`",
};

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Kind, testing::StaticTrust};

    use super::*;

    fn trusting() -> Host {
        let trust = StaticTrust { hosts: vec!["login.own.example".into()], strict: false };
        Host { trust: Box::new(trust), ..Host::refusing() }
    }

    fn authority(named: Option<&str>, cloud: Cloud, discovery: Discovery) -> Result<Authority> {
        let named = named.map(|named| Chosen::flag("authority-host", named));
        Authority::new(named.as_ref(), cloud, "contoso.com".into(), discovery, &trusting())
    }

    #[test]
    fn the_host_that_is_named_wins_over_the_clouds() {
        for (named, cloud, endpoint, is_known) in [
            (None, Cloud::Public, "https://login.microsoftonline.com/", true),
            (None, Cloud::China, "https://login.chinacloudapi.cn/", true),
            (
                Some("https://login.microsoftonline.us"),
                Cloud::China,
                "https://login.microsoftonline.us/",
                true,
            ),
            (Some("https://login.windows.net/"), Cloud::Public, "https://login.windows.net/", true),
            (Some("https://LOGIN.windows.net"), Cloud::Public, "https://login.windows.net/", true),
            (Some("http://127.0.0.1:8080/"), Cloud::Public, "http://127.0.0.1:8080/", true),
            (Some("https://login.own.example"), Cloud::Public, "https://login.own.example/", false),
        ] {
            let found = authority(named, cloud, Discovery::Allowed).unwrap();
            assert_eq!((found.endpoint.as_str(), found.is_known), (endpoint, is_known));
        }
        let told = authority(Some("https://login.own.example"), Cloud::Public, Discovery::Disabled);
        assert!(told.unwrap().is_known);
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for (named, words) in [
            ("https://login.evil.example/", "which is not trusted"),
            ("http://login.microsoftonline.com/", "only https"),
            ("https://login.microsoftonline.com@evil.example/", "without a user name"),
            ("https://login.microsoftonline.com/?x=https://evil.example", "a query"),
            ("https://login.microsoftonline.com/contoso.com", "is not only a host"),
            ("https://login.microsoftonline.com/a/b", "is not only a host"),
            ("https://login.own.example/adfs/", "AD FS is not supported"),
            ("login.microsoftonline.com", "is not an endpoint"),
            ("a\u{1b}[2J", "is not an endpoint"),
            ("", "is not an endpoint"),
        ] {
            let error = authority(Some(named), Cloud::Public, Discovery::Disabled).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.to_string().contains(words), "{named}: {error}");
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
        }
        let error = authority(
            Some("https://sts.windows.net/t.example/"),
            Cloud::Public,
            Discovery::Disabled,
        );
        let next = "fleetkey get-token azure --authority-host https://sts.windows.net/ --tenant-id t.example";
        assert_eq!(error.unwrap_err().next_line(), Some(next));
    }

    #[test]
    fn a_tenant_is_a_guid_a_domain_or_a_word_for_many() {
        for good in [
            "11111111-1111-1111-1111-111111111111",
            "contoso.com",
            "contoso.onmicrosoft.com",
            "organizations",
            "common",
            "Consumers",
        ] {
            check_tenant(&Chosen::flag("tenant-id", good)).unwrap();
        }
        for bad in
            ["", "contoso", "adfs", ".", "..", "a..b", "a/b", "a b.c", "a\n.b", "x.y?", "%2e.x"]
        {
            let error = check_tenant(&Chosen::flag("tenant-id", bad)).unwrap_err();
            assert!(error.message().starts_with("`--tenant-id` is not a tenant"), "{error}");
        }
    }
}
