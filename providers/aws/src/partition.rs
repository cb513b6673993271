//! AWS's partitions: separate worlds with their own regions, names and accounts.
//!
//! The names are those that AWS publishes with its SDKs. Every partition has FIPS hosts. The
//! isolated ones are listed without dualstack names, since EKS believes none there.

/// One world.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Partition {
    /// The second field of its ARNs.
    pub(crate) id: &'static str,
    /// What its host names end in.
    pub(crate) dns_suffix: &'static str,
    /// What the names end in that are reached by IPv4 and IPv6.
    pub(crate) dualstack_suffix: Option<&'static str>,
    /// What the names end in of the hosts on which people sign in to the console.
    pub(crate) signin_suffix: &'static str,
    /// The region that answers for its global services.
    pub(crate) global_region: &'static str,
    /// The name of a region that is none: all of it.
    pseudo_region: Option<&'static str>,
    /// What its regions start with, before `-<word>-<number>`.
    prefixes: &'static [&'static str],
}

impl Partition {
    /// The partition of a region. A region of no known shape is taken for a new one of `aws`, as
    /// AWS's own tools do.
    pub(crate) fn of_region(region: &str) -> &'static Self {
        Self::known_by(region).unwrap_or(&AWS)
    }

    /// The partition whose regions are shaped like this one, if there is one.
    pub(crate) fn known_by(region: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|partition| partition.is_home_of(region))
    }

    /// The partition an ARN names.
    pub(crate) fn of_arn(arn: &str) -> Option<&'static Self> {
        let id = arn.strip_prefix("arn:")?.split(':').next()?;
        ALL.iter().copied().find(|partition| partition.id == id)
    }

    /// Whether this names the whole partition instead of a region, like `aws-global`.
    pub(crate) fn is_pseudo_region(&self, region: &str) -> bool {
        self.pseudo_region == Some(region)
    }

    fn is_home_of(&self, region: &str) -> bool {
        self.is_pseudo_region(region)
            || self.prefixes.iter().any(|prefix| {
                region
                    .strip_prefix(prefix)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .and_then(|rest| rest.split_once('-'))
                    .is_some_and(|(word, number)| is_word(word) && is_number(number))
            })
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

static AWS: Partition = Partition {
    id: "aws",
    dns_suffix: "amazonaws.com",
    dualstack_suffix: Some("api.aws"),
    signin_suffix: "aws.amazon.com",
    global_region: "us-east-1",
    pseudo_region: Some("aws-global"),
    prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
};

static AWS_CN: Partition = Partition {
    id: "aws-cn",
    dns_suffix: "amazonaws.com.cn",
    dualstack_suffix: Some("api.amazonwebservices.com.cn"),
    signin_suffix: "amazonaws.cn",
    global_region: "cn-northwest-1",
    pseudo_region: Some("aws-cn-global"),
    prefixes: &["cn"],
};

static AWS_US_GOV: Partition = Partition {
    id: "aws-us-gov",
    dns_suffix: "amazonaws.com",
    dualstack_suffix: Some("api.aws"),
    signin_suffix: "amazonaws-us-gov.com",
    global_region: "us-gov-west-1",
    pseudo_region: Some("aws-us-gov-global"),
    prefixes: &["us-gov"],
};

static AWS_ISO: Partition = Partition {
    id: "aws-iso",
    dns_suffix: "c2s.ic.gov",
    dualstack_suffix: None,
    signin_suffix: "c2shome.ic.gov",
    global_region: "us-iso-east-1",
    pseudo_region: Some("aws-iso-global"),
    prefixes: &["us-iso"],
};

static AWS_ISO_B: Partition = Partition {
    id: "aws-iso-b",
    dns_suffix: "sc2s.sgov.gov",
    dualstack_suffix: None,
    signin_suffix: "sc2shome.sgov.gov",
    global_region: "us-isob-east-1",
    pseudo_region: Some("aws-iso-b-global"),
    prefixes: &["us-isob"],
};

static AWS_ISO_E: Partition = Partition {
    id: "aws-iso-e",
    dns_suffix: "cloud.adc-e.uk",
    dualstack_suffix: None,
    signin_suffix: "csphome.adc-e.uk",
    global_region: "eu-isoe-west-1",
    pseudo_region: Some("aws-iso-e-global"),
    prefixes: &["eu-isoe"],
};

static AWS_ISO_F: Partition = Partition {
    id: "aws-iso-f",
    dns_suffix: "csp.hci.ic.gov",
    dualstack_suffix: None,
    signin_suffix: "csphome.hci.ic.gov",
    global_region: "us-isof-south-1",
    pseudo_region: Some("aws-iso-f-global"),
    prefixes: &["us-isof"],
};

static AWS_EUSC: Partition = Partition {
    id: "aws-eusc",
    dns_suffix: "amazonaws.eu",
    dualstack_suffix: Some("api.amazonwebservices.eu"),
    signin_suffix: "amazonaws-eusc.eu",
    global_region: "eusc-de-east-1",
    pseudo_region: None,
    prefixes: &["eusc-de"],
};

static ALL: &[&Partition] =
    &[&AWS, &AWS_CN, &AWS_US_GOV, &AWS_ISO, &AWS_ISO_B, &AWS_ISO_E, &AWS_ISO_F, &AWS_EUSC];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_find_their_partition() {
        for (region, id) in [
            ("us-east-1", "aws"),
            ("mx-central-1", "aws"),
            ("ap-southeast-12", "aws"),
            ("aws-global", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Partition::known_by(region).map(|p| p.id), Some(id), "{region}");
            assert!(Partition::known_by(Partition::of_region(region).global_region).is_some());
        }
    }

    #[test]
    fn the_unknown_is_taken_for_a_new_region_of_aws() {
        for region in ["mars-1", "", "us", "us-", "us-east", "us-east-", "us--1", "us-east-1a"] {
            assert_eq!(Partition::known_by(region), None, "{region}");
            assert_eq!(Partition::of_region(region).id, "aws", "{region}");
        }
    }

    #[test]
    fn arns_find_their_partition() {
        let id = |arn| Partition::of_arn(arn).map(|p| p.id);
        assert_eq!(id("arn:aws:iam::123456789012:role/R"), Some("aws"));
        assert_eq!(id("arn:aws-us-gov:eks:us-gov-west-1:1:cluster/c"), Some("aws-us-gov"));
        assert_eq!(id("arn:aws-mars:iam::1:role/R"), None);
        assert_eq!(id("aws:iam"), None);
    }
}
