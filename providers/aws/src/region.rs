//! Which region: of the STS host that a token is made for, and of the calls that get it there.

use fleetkey_provider::{ClusterInfo, Error, ExecInfo, Host, Result, Rule, shown};
use url::Url;

use crate::{partition::Partition, profiles::Section, variables};

/// A region's name, fit to stand in a host name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Region {
    name: String,
    /// Whether it was written as a pseudo region that asks for FIPS hosts.
    fips: bool,
}

impl Region {
    /// A region of that name, known or new. `from` names where it came from.
    ///
    /// A name of another shape than regions have is refused, since the host that is made of it could
    /// be a customer's: `sts.s3.amazonaws.com` is a bucket called `sts`.
    pub(crate) fn parse(text: &str, from: &str) -> Result<Self> {
        RULE.check(from, text)?;
        let stripped = text.strip_prefix("fips-").or_else(|| text.strip_suffix("-fips"));
        let name = stripped.unwrap_or(text);
        if Partition::known_by(name).is_none() && !is_shaped_like_one(name) {
            return Err(Error::config(format!("{from} is not a region: `{text}`"))
                .because("a region's name is words of letters and then a number, joined by `-`"));
        }
        Ok(Self { name: name.to_owned(), fips: stripped.is_some() })
    }

    /// Its name.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether its name asked for FIPS hosts, as `fips-us-east-1` and `us-east-1-fips` do.
    pub(crate) fn wants_fips(&self) -> bool {
        self.fips
    }

    /// Its name or, for a name of a whole partition, that of the region which answers for it.
    pub(crate) fn concrete(&self) -> &str {
        let partition = self.partition();
        if partition.is_pseudo_region(&self.name) { partition.global_region } else { &self.name }
    }

    /// Its partition.
    pub(crate) fn partition(&self) -> &'static Partition {
        Partition::of_region(&self.name)
    }
}

/// Whether it could be a region that opens tomorrow. No service's label that customers get names
/// below has this shape: `s3` and all that begins with it has a digit in its first word.
fn is_shaped_like_one(name: &str) -> bool {
    let Some((words, number)) = name.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    words.split('-').all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// The region and where it was found: flag, cluster, environment, profile, in this order. What is
/// left is the machine's own, for whoever asks.
pub(crate) fn resolve(
    flag: Option<&str>,
    exec: &ExecInfo,
    profile: Option<&Section<'_>>,
    host: &Host,
) -> Result<Option<(Region, String)>> {
    let found = |text: &str, from: String| Ok(Some((Region::parse(text, &from)?, from)));
    if let Some(text) = flag {
        return found(text, "`--region`".into());
    }
    if let Some(cluster) = &exec.cluster {
        if let Some(value) = cluster.config.get("region") {
            let from = "`config.region` of the kubeconfig's cluster";
            let Some(text) = value.as_str() else {
                return Err(
                    Error::config(format!("{from} is not a region")).because("it is not a string")
                );
            };
            return found(text, from.into());
        }
        if let Some(region) = of_server(cluster) {
            return Ok(Some((region, "the cluster's host name".into())));
        }
    }
    for name in [variables::AWS_REGION, variables::AWS_DEFAULT_REGION] {
        if let Some(text) = host.text_var(name)? {
            return found(&text, format!("`{name}`"));
        }
    }
    if let Some((profile, text)) = profile.and_then(|p| Some((p, p.get("region")?))) {
        return found(text, format!("`region` of profile `{}`", shown(profile.name())));
    }
    Ok(None)
}

/// The region in the name of an EKS API server, `<id>.<shard>.<region>.eks.<suffix>` or, reached by
/// IPv4 and IPv6, `<id>.<shard>.eks-cluster.<region>.<suffix>`; some have no shard, and some the
/// region behind `eks`. Anything else is some other host.
pub(crate) fn of_server(cluster: &ClusterInfo) -> Option<Region> {
    let url = Url::parse(&cluster.server).ok()?;
    let (_id, rest) = url.host_str()?.split_once('.')?;
    let behind_shard = || rest.split_once('.').and_then(|(_shard, rest)| of_domain(rest));
    of_domain(rest).or_else(behind_shard)
}

/// The region in a domain of API servers.
fn of_domain(domain: &str) -> Option<Region> {
    let (region, suffix, is_dualstack) = match domain.split_once('.')? {
        ("eks-cluster", rest) => rest.split_once('.').map(|(region, rest)| (region, rest, true))?,
        ("eks", rest) => rest.split_once('.').map(|(region, rest)| (region, rest, false))?,
        (region, rest) => (region, rest.strip_prefix("eks.")?, false),
    };
    // a name alone, which anybody may have written, opens no new regions
    let partition = Partition::known_by(region)?;
    let expected =
        if is_dualstack { partition.dualstack_suffix } else { Some(partition.dns_suffix) };
    if expected != Some(suffix) {
        return None;
    }
    Region::parse(region, "the cluster's host name").ok()
}

const RULE: Rule = Rule {
    what: "a region",
    min: 1,
    max: 63,
    allows: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    allowed: "lower-case letters, digits and `-`",
};

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{StaticEnv, StaticFiles};
    use serde_json::json;

    use super::*;
    use crate::profiles::Profiles;

    fn cluster(server: &str, config: &serde_json::Value) -> ExecInfo {
        let config = config.as_object().cloned().unwrap_or_default();
        let cluster = ClusterInfo { server: server.to_owned(), config, ..ClusterInfo::default() };
        ExecInfo { cluster: Some(cluster), ..ExecInfo::default() }
    }

    fn host(pairs: &[(&str, &str)]) -> Host {
        let config = "[profile p]\nregion = from-profile-1\n";
        Host {
            env: Box::new(StaticEnv::new(pairs.iter().copied().chain([("HOME", "/h")]))),
            files: Box::new(StaticFiles::new([("/h/.aws/config", config)])),
            ..Host::refusing()
        }
    }

    fn find(flag: Option<&str>, exec: &ExecInfo, env: &[(&str, &str)]) -> Option<String> {
        let host = host(env);
        let profiles = Profiles::load(&host).unwrap();
        let found = resolve(flag, exec, profiles.profile("p").as_ref(), &host).unwrap();
        found.map(|(region, _)| region.name)
    }

    #[test]
    fn the_order_is_flag_cluster_environment_profile() {
        let server = "https://ID.gr7.eu-west-1.eks.amazonaws.com";
        let both = [("AWS_REGION", "from-env-1"), ("AWS_DEFAULT_REGION", "from-old-env-1")];
        let extension = cluster(server, &json!({"region": "from-extension-1"}));
        let name_only = cluster(server, &json!({}));
        let none = ExecInfo::default();
        let expect = |found: Option<String>, region| assert_eq!(found.as_deref(), Some(region));
        expect(find(Some("from-flag-1"), &extension, &both), "from-flag-1");
        expect(find(None, &extension, &both), "from-extension-1");
        expect(find(None, &name_only, &both), "eu-west-1");
        expect(find(None, &none, &both), "from-env-1");
        expect(find(None, &none, &both[1..]), "from-old-env-1");
        expect(find(None, &none, &[("AWS_REGION", "")]), "from-profile-1");
        assert!(resolve(None, &none, None, &Host::refusing()).unwrap().is_none());
    }

    #[test]
    fn a_cluster_tells_its_region_by_its_whole_name() {
        for (server, region) in [
            ("https://ID.gr7.us-east-1.eks.amazonaws.com", Some("us-east-1")),
            ("https://ID.gr7.us-east-1.eks.amazonaws.com:443/x", Some("us-east-1")),
            ("https://ID.gr7.us-gov-west-1.eks.amazonaws.com", Some("us-gov-west-1")),
            ("https://ID.sk1.cn-north-1.eks.amazonaws.com.cn", Some("cn-north-1")),
            ("https://ID.x.us-iso-east-1.eks.c2s.ic.gov", Some("us-iso-east-1")),
            ("https://ID.x.eusc-de-east-1.eks.amazonaws.eu", Some("eusc-de-east-1")),
            ("https://ID.x.eks-cluster.us-west-2.api.aws", Some("us-west-2")),
            (
                "https://ID.x.eks-cluster.cn-north-1.api.amazonwebservices.com.cn",
                Some("cn-north-1"),
            ),
            ("https://ID.us-east-1.eks.amazonaws.com", Some("us-east-1")),
            ("https://ID.x.eks.us-east-1.amazonaws.com", Some("us-east-1")),
            ("https://ID.x.cn-north-1.eks.amazonaws.com", None),
            ("https://ID.x.eks.cn-north-1.amazonaws.com", None),
            ("https://ID.x.eks.s3.amazonaws.com", None),
            ("https://eks.us-east-1.amazonaws.com", None),
            ("https://ID.x.us-east-1.eks.amazonaws.com.evil.example", None),
            ("https://ID.x.us-east-1.eks.evil.example", None),
            ("https://x.ID.x.us-east-1.eks.amazonaws.com", None),
            ("https://us-east-1.eks.amazonaws.com", None),
            ("https://ID.x.-.eks.amazonaws.com", None),
            ("https://ID.x.s3.eks.amazonaws.com", None),
            ("https://ID.x.mars-1.eks.amazonaws.com", None),
            ("https://10.0.0.1:6443", None),
            ("", None),
        ] {
            let ExecInfo { cluster: Some(cluster), .. } = cluster(server, &json!({})) else {
                panic!("it has a cluster")
            };
            assert_eq!(of_server(&cluster).as_ref().map(Region::as_str), region, "{server}");
        }
    }

    #[test]
    fn what_is_no_region_is_refused_by_name() {
        for bad in
            ["", "bad/region", "us east", "US-EAST-1", "-a", "a-", "a.b", "fips", &"x".repeat(64)]
        {
            let error = Region::parse(bad, "`AWS_REGION`").unwrap_err();
            assert!(error.message().starts_with("`AWS_REGION` is not a region"), "{error}");
        }
        let exec = cluster("", &json!({"region": 1}));
        assert!(resolve(None, &exec, None, &Host::refusing()).is_err());
        assert!(resolve(Some(""), &ExecInfo::default(), None, &Host::refusing()).is_err());
    }

    #[test]
    fn a_region_that_would_name_somebodys_bucket_is_none() {
        for bad in [
            "s3",
            "s3-us-west-2",
            "s3-external-1",
            "s3-website-us-east-1",
            "fips-s3",
            "elb",
            "us-west-2-lax-1",
        ] {
            let error = Region::parse(bad, "`--region`").unwrap_err();
            assert!(error.message().starts_with("`--region` is not a region"), "{error}");
        }
        for good in ["mars-1", "us-moon-east-1", "us-east-1", "aws-cn-global"] {
            assert!(Region::parse(good, "`--region`").is_ok(), "{good}");
        }
    }

    #[test]
    fn a_pseudo_region_is_its_region_with_fips() {
        for (text, name, fips) in [
            ("fips-us-east-1", "us-east-1", true),
            ("us-east-1-fips", "us-east-1", true),
            ("us-east-1", "us-east-1", false),
        ] {
            let region = Region::parse(text, "a test").unwrap();
            assert_eq!((region.as_str(), region.wants_fips()), (name, fips));
        }
    }
}
