//! Which host names are AWS's, and nobody else's.
//!
//! Ending in `amazonaws.com` is not enough, since customers are given names there too: buckets
//! (`sts.s3.amazonaws.com` is a bucket called `sts`, `sts.s3-us-west-2.amazonaws.com` as well),
//! functions and gateways (`x.execute-api.us-east-1.amazonaws.com`), load balancers
//! (`x.us-east-1.elb.amazonaws.com`), machines (`x.compute-1.amazonaws.com`), and services behind
//! private links (`vpce-x.vpce-svc-y.us-east-1.vpce.amazonaws.com`).
//!
//! So a name is read whole: one of the services called here, a region of a known shape, a suffix of
//! that region's own partition; before it at most the label of a VPC endpoint, which leads to the
//! same service by a private way. In all names that customers get, a service's own label (`s3`,
//! `elb`, `vpce-svc-…`) stands where the region or the service has to be. A region of a shape not
//! yet known, as an endpoint somebody configured, has to be trusted by hand.

use crate::partition::Partition;

/// The services, as they stand before the region.
const SERVICES: &[&str] = &[
    "sts",
    "sts-fips",
    "portal.sso",
    "portal.sso-fips",
    "oidc",
    "oidc-fips",
    "eks",
    "eks-fips",
    "fips.eks",
    "ec2",
    "ec2-fips",
    "signin",
    "signin-fips",
];

/// Whether the name is one of AWS's own hosts for the services called here.
pub(crate) fn own_host(name: &str) -> bool {
    if name == "sts.amazonaws.com" || is_of_sign_in(name) {
        return true;
    }
    let (name, is_private) = match name.split_once('.') {
        Some((label, rest)) if label.starts_with("vpce-") => (rest, true),
        _ => (name, false),
    };
    SERVICES.iter().any(|service| {
        name.strip_prefix(service)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(region, suffix)| is_suffix(region, suffix, is_private))
    })
}

/// Whether people sign in to the console there: the region stands first. So does the alias of an
/// account, which is shaped otherwise and leads to the same service.
fn is_of_sign_in(name: &str) -> bool {
    let Some((region, rest)) = name.split_once('.') else { return false };
    if name == "signin-fips.amazonaws-us-gov.com" {
        return true;
    }
    let Some(partition) = Partition::known_by(region) else { return false };
    let fips = (partition.id == "aws-us-gov").then_some("signin-fips");
    rest.split_once('.').is_some_and(|(service, suffix)| {
        (service == "signin" || Some(service) == fips) && suffix == partition.signin_suffix
    })
}

fn is_suffix(region: &str, suffix: &str, is_private: bool) -> bool {
    let Some(partition) = Partition::known_by(region) else { return false };
    if is_private {
        suffix.strip_prefix("vpce.") == Some(partition.dns_suffix)
    } else {
        suffix == partition.dns_suffix || partition.dualstack_suffix == Some(suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_own_names_are_known() {
        for own in [
            "sts.amazonaws.com",
            "sts.eu-west-1.amazonaws.com",
            "sts-fips.us-east-1.api.aws",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts.us-isob-east-1.sc2s.sgov.gov",
            "sts.eusc-de-east-1.api.amazonwebservices.eu",
            "oidc.us-gov-west-1.amazonaws.com",
            "portal.sso.ap-southeast-2.amazonaws.com",
            "fips.eks.us-east-1.amazonaws.com",
            "ec2.eu-west-1.amazonaws.com",
            "ec2.eu-west-1.api.aws",
            "eu-west-1.signin.aws.amazon.com",
            "cn-north-1.signin.amazonaws.cn",
            "us-gov-west-1.signin.amazonaws-us-gov.com",
            "us-gov-west-1.signin-fips.amazonaws-us-gov.com",
            "signin-fips.us-east-1.amazonaws.com",
            "vpce-0a1b.ec2.us-east-1.vpce.amazonaws.com",
            "vpce-0a1b-2c3d.sts.us-east-1.vpce.amazonaws.com",
            "vpce-0a1b-2c3d-us-east-1a.sts.us-east-1.vpce.amazonaws.com",
            "vpce-0a1b.eks.cn-north-1.vpce.amazonaws.com.cn",
        ] {
            assert!(own_host(own), "{own}");
        }
    }

    #[test]
    fn names_that_anybody_can_have_are_not() {
        for foreign in [
            // customers' own
            "sts.s3.amazonaws.com",
            "eks.s3.us-east-1.amazonaws.com",
            "sts.s3-us-west-2.amazonaws.com",
            "sts.s3-website-us-east-1.amazonaws.com",
            "portal.sso.s3.amazonaws.com",
            "x.execute-api.us-east-1.amazonaws.com",
            "sts.us-east-1.elb.amazonaws.com",
            "sts.compute-1.amazonaws.com",
            "ec2.s3.amazonaws.com",
            "ec2.compute-1.amazonaws.com",
            "ec2-1-2-3-4.us-west-2.compute.amazonaws.com",
            "sts.lambda-url.us-east-1.on.aws",
            "vpce-x.vpce-svc-y.us-east-1.vpce.amazonaws.com",
            "vpce-x.execute-api.us-east-1.vpce.amazonaws.com",
            "vpce-x.s3.us-east-1.vpce.amazonaws.com",
            // nearly right
            "signin.aws.amazon.com",
            "mine.signin.aws.amazon.com",
            "mars-1.signin.aws.amazon.com",
            "eu-west-1.signin.amazonaws.cn",
            "eu-west-1.signin-fips.aws.amazon.com",
            "x.eu-west-1.signin.aws.amazon.com",
            "eu-west-1.console.aws.amazon.com",
            "vpce-x.y.sts.us-east-1.vpce.amazonaws.com",
            "vpce-x.sts.us-east-1.amazonaws.com",
            "sts.us-east-1.vpce.amazonaws.com",
            "x.sts.us-east-1.amazonaws.com",
            "sts.us-east-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com",
            "sts.mars-1.amazonaws.com",
            "iam.us-east-1.amazonaws.com",
            // somebody else's
            "sts.us-east-1.amazonaws.com.evil.example",
            "sts.us-east-1.evilamazonaws.com",
            "evilsts.us-east-1.amazonaws.com",
            "sts.us-east-1.amazonaws.com.",
            "amazonaws.com",
            "",
        ] {
            assert!(!own_host(foreign), "{foreign}");
        }
    }
}
