//! Where AWS's services beside a machine or a container are.
//!
//! An address on the link is not the cloud's merely by its range: whoever shares the link may answer
//! at any that is free, and in a foreign network that is anybody. So the list is exact, of those that
//! the hosts of AWS answer themselves.

use fleetkey_provider::{Endpoint, Host, Result};
use url::Url;

/// The service at that URL: by plain http only at these addresses (an IPv6 one in brackets) and on
/// loopback, by https also where a person trusts it. `from` names what the URL came from.
pub(crate) fn beside(text: &str, from: &str, addresses: &[&str], host: &Host) -> Result<Endpoint> {
    let is_listed = Url::parse(text).is_ok_and(|url| {
        url.scheme() == "http" && url.host_str().is_some_and(|name| addresses.contains(&name))
    });
    if is_listed {
        Endpoint::nearby(text, from, host)
    } else {
        Endpoint::configured(text, from, |_| false, host)
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticTrust;

    use super::*;

    #[test]
    fn only_the_list_and_loopback_go_by_http_and_only_the_trusted_by_https() {
        let trusted = StaticTrust { hosts: vec!["own.example".into()], ..StaticTrust::default() };
        let host = Host { trust: Box::new(trusted), ..Host::refusing() };
        let at = |text| beside(text, "`X`", &["169.254.170.2", "[fd00:ec2::23]"], &host);
        for good in [
            "http://169.254.170.2/x",
            "http://[fd00:ec2::23]/x",
            "http://[fd00:ec2:0::23]:8080/x",
            "http://127.0.0.1:1/",
            "http://localhost:1/",
            "https://own.example/",
        ] {
            assert!(at(good).is_ok(), "{good}");
        }
        for bad in [
            "http://169.254.170.3/",
            "http://169.254.169.254/",
            "http://[fd00:ec2::24]/",
            "http://[fe80::1]/",
            "http://own.example/",
            "http://169.254.170.2@evil.example/",
            "http://u:p@169.254.170.2/",
            "https://169.254.170.2/",
            "https://evil.example/",
            "x",
        ] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }
}
