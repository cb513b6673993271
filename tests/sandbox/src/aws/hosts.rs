//! Which STS hosts a cluster believes: those of its own partition, regional, FIPS and dualstack.

/// A partition and its two domains.
struct Partition {
    regions: &'static [&'static str],
    domain: &'static str,
    dualstack: Option<&'static str>,
}

/// Whether a cluster in `server_region` lets a token name this host.
pub(crate) fn believed(host: &str, server_region: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    if labels.len() < 3 {
        return false;
    }
    let own = partition(server_region);
    if host == "sts.amazonaws.com" {
        return own.domain == "amazonaws.com" && own.regions.is_empty();
    }
    let (region, domain) = (labels[1], labels[2..].join("."));
    if !is_label(region) {
        return false;
    }
    let own_domain = domain == own.domain || own.dualstack == Some(domain.as_str());
    own_domain
        && (endpoints(region).iter().any(|endpoint| endpoint == host)
            || host == format!("sts.{server_region}.{domain}"))
}

/// What an endpoint resolver can answer for a region: each of plain, FIPS, dualstack, both.
fn endpoints(region: &str) -> Vec<String> {
    if region == "aws-global" {
        return vec!["sts.amazonaws.com".to_owned()];
    }
    let Partition { domain, dualstack, .. } = partition(region);
    let fips = if region.starts_with("us-gov-") { "sts" } else { "sts-fips" };
    let mut endpoints = vec![format!("sts.{region}.{domain}"), format!("{fips}.{region}.{domain}")];
    if let Some(dualstack) = dualstack {
        endpoints.extend([
            format!("sts.{region}.{dualstack}"),
            format!("sts-fips.{region}.{dualstack}"),
        ]);
    }
    endpoints
}

/// A region nobody has heard of counts as commercial.
fn partition(region: &str) -> &'static Partition {
    let named =
        |partition: &&Partition| partition.regions.iter().any(|prefix| region.starts_with(prefix));
    PARTITIONS.iter().find(named).unwrap_or(&COMMERCIAL)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

const COMMERCIAL: Partition =
    Partition { regions: &[], domain: "amazonaws.com", dualstack: Some("api.aws") };

const PARTITIONS: &[Partition] = &[
    Partition {
        regions: &["cn-"],
        domain: "amazonaws.com.cn",
        dualstack: Some("api.amazonwebservices.com.cn"),
    },
    Partition { regions: &["us-gov-"], domain: "amazonaws.com", dualstack: Some("api.aws") },
    Partition { regions: &["us-isob-"], domain: "sc2s.sgov.gov", dualstack: None },
    Partition { regions: &["us-isof-"], domain: "csp.hci.ic.gov", dualstack: None },
    Partition { regions: &["us-iso-"], domain: "c2s.ic.gov", dualstack: None },
    Partition { regions: &["eu-isoe-"], domain: "cloud.adc-e.uk", dualstack: None },
    Partition {
        regions: &["eusc-"],
        domain: "amazonaws.eu",
        dualstack: Some("api.amazonwebservices.eu"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believed_hosts() {
        for (host, server) in [
            ("sts.amazonaws.com", "eu-west-1"),
            ("sts.us-east-2.amazonaws.com", "us-east-1"),
            ("sts.ap-northeast-2.amazonaws.com", "us-east-1"),
            ("sts.ca-central-1.amazonaws.com", "us-east-1"),
            ("sts.eu-west-1.amazonaws.com", "us-east-1"),
            ("sts.sa-east-1.amazonaws.com", "us-east-1"),
            ("sts-fips.us-east-1.amazonaws.com", "us-east-1"),
            ("sts.eu-west-1.api.aws", "us-east-1"),
            ("sts-fips.us-east-1.api.aws", "us-east-1"),
            ("sts.not-a-region.amazonaws.com", "us-east-1"),
            ("sts.cn-north-1.amazonaws.com.cn", "cn-northwest-1"),
            ("sts.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"),
            ("sts.us-gov-west-1.amazonaws.com", "us-gov-east-1"),
            ("sts.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
            ("sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
            ("sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ] {
            assert!(believed(host, server), "{host} in {server}");
        }
    }

    #[test]
    fn disbelieved_hosts() {
        for (host, server) in [
            ("google.com", "us-east-1"),
            ("sts.google.com", "us-east-1"),
            ("sts.us-east-1.amazonaws.com:443", "us-east-1"),
            ("sts.us-east-1.amazonaws.com.evil.example", "us-east-1"),
            ("evil.us-east-1.amazonaws.com", "us-east-1"),
            ("sts.-x.amazonaws.com", "us-east-1"),
            ("sts.cn-north-1.amazonaws.com.cn", "us-east-1"),
            ("sts.amazonaws.com", "cn-north-1"),
            ("sts.amazonaws.com", "us-gov-west-1"),
            ("vpce-1234-abcd.sts.us-east-1.vpce.amazonaws.com", "us-east-1"),
            ("127.0.0.1", "us-east-1"),
            ("sts.aws-global.amazonaws.com", "us-east-1"),
            ("", "us-east-1"),
        ] {
            assert!(!believed(host, server), "{host} in {server}");
        }
    }
}
