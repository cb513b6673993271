//! The STS host a token is made for.
//!
//! It is always computed, never configured: the cluster's verifier believes only AWS's own names,
//! so an endpoint meant for our calls would make tokens nobody accepts. It is regional, as in every
//! current tool, but for `aws-global`.

use fleetkey_provider::{Error, Host, Result, shown};

use crate::{partition::Partition, profiles::Section, region::Region, variables};

/// Which kind of host is wanted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Mode {
    /// One with FIPS 140 cryptography.
    pub(crate) fips: bool,
    /// One that is reached by IPv4 and IPv6.
    pub(crate) dualstack: bool,
}

impl Mode {
    /// What the environment says, else the profile.
    pub(crate) fn resolve(profile: Option<&Section<'_>>, host: &Host) -> Result<Self> {
        Ok(Self {
            fips: switch(variables::AWS_USE_FIPS_ENDPOINT, "use_fips_endpoint", profile, host)?,
            dualstack: switch(
                variables::AWS_USE_DUALSTACK_ENDPOINT,
                "use_dualstack_endpoint",
                profile,
                host,
            )?,
        })
    }

    /// The same for a region, whose name may ask for FIPS by itself.
    pub(crate) fn in_region(self, region: &Region) -> Self {
        Self { fips: self.fips || region.wants_fips(), ..self }
    }

    /// What the names of such hosts end in.
    pub(crate) fn suffix(self, partition: &Partition) -> Result<&'static str> {
        if !self.dualstack {
            return Ok(partition.dns_suffix);
        }
        partition.dualstack_suffix.ok_or_else(|| {
            Error::config(format!("partition `{}` has no dualstack hosts", partition.id)).because(
                format!(
                    "`{}` or the profile's `use_dualstack_endpoint` asks for one",
                    variables::AWS_USE_DUALSTACK_ENDPOINT
                ),
            )
        })
    }

    /// Whether the host has a name of its own for FIPS. In the government's partition every host
    /// is a FIPS host under its plain name, but for the dualstack ones.
    pub(crate) fn names_fips(self, partition: &Partition) -> bool {
        self.fips && (partition.id != "aws-us-gov" || self.dualstack)
    }
}

/// A host of STS, and the region that requests to it are signed for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StsHost {
    /// Its name.
    pub(crate) name: String,
    /// The region to sign for.
    pub(crate) signing_region: String,
}

/// The host of a region.
pub(crate) fn sts_host(region: &Region, mode: Mode) -> Result<StsHost> {
    let mode = mode.in_region(region);
    let (partition, signing_region) = (region.partition(), region.concrete());
    let name = if region.as_str() == "aws-global" && mode == Mode::default() {
        format!("sts.{}", partition.dns_suffix)
    } else {
        let service = if mode.names_fips(partition) { "sts-fips" } else { "sts" };
        format!("{service}.{signing_region}.{}", mode.suffix(partition)?)
    };
    Ok(StsHost { name, signing_region: signing_region.to_owned() })
}

/// Whether a variable, or else the profile, turns something on.
pub(crate) fn switch(
    variable: &str,
    key: &str,
    profile: Option<&Section<'_>>,
    host: &Host,
) -> Result<bool> {
    if let Some(text) = host.text_var(variable)? {
        return truth(&text, || format!("`{variable}`"));
    }
    match profile.and_then(|profile| Some((profile.name(), profile.get(key)?))) {
        Some((name, text)) => truth(text, || format!("`{key}` of profile `{}`", shown(name))),
        None => Ok(false),
    }
}

fn truth(text: &str, from: impl Fn() -> String) -> Result<bool> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(Error::config(format!("{} is neither `true` nor `false`: `{}`", from(), shown(text))))
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{StaticEnv, StaticFiles};

    use super::*;
    use crate::profiles::Profiles;

    const PLAIN: Mode = Mode { fips: false, dualstack: false };
    const FIPS: Mode = Mode { fips: true, dualstack: false };
    const DUALSTACK: Mode = Mode { fips: false, dualstack: true };
    const BOTH: Mode = Mode { fips: true, dualstack: true };

    #[test]
    fn hosts_follow_region_partition_and_mode() {
        for (region, mode, name, signing_region) in [
            ("eu-west-1", PLAIN, "sts.eu-west-1.amazonaws.com", "eu-west-1"),
            ("mars-1", PLAIN, "sts.mars-1.amazonaws.com", "mars-1"),
            ("fips-us-east-1", PLAIN, "sts-fips.us-east-1.amazonaws.com", "us-east-1"),
            ("us-west-2-fips", DUALSTACK, "sts-fips.us-west-2.api.aws", "us-west-2"),
            ("aws-global", PLAIN, "sts.amazonaws.com", "us-east-1"),
            ("aws-global", FIPS, "sts-fips.us-east-1.amazonaws.com", "us-east-1"),
            ("aws-global", DUALSTACK, "sts.us-east-1.api.aws", "us-east-1"),
            ("aws-cn-global", PLAIN, "sts.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
            ("us-gov-west-1", FIPS, "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("us-gov-west-1", BOTH, "sts-fips.us-gov-west-1.api.aws", "us-gov-west-1"),
            ("cn-north-1", BOTH, "sts-fips.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"),
            ("eu-isoe-west-1", FIPS, "sts-fips.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
            ("eusc-de-east-1", PLAIN, "sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
            (
                "eusc-de-east-1",
                DUALSTACK,
                "sts.eusc-de-east-1.api.amazonwebservices.eu",
                "eusc-de-east-1",
            ),
        ] {
            let host = sts_host(&Region::parse(region, "a test").unwrap(), mode).unwrap();
            assert_eq!((&*host.name, &*host.signing_region), (name, signing_region));
        }
    }

    #[test]
    fn a_partition_without_such_hosts_says_so() {
        let region = Region::parse("us-iso-east-1", "a test").unwrap();
        let error = sts_host(&region, DUALSTACK).unwrap_err();
        assert_eq!(error.message(), "partition `aws-iso` has no dualstack hosts");
    }

    #[test]
    fn the_environment_goes_before_the_profile() {
        let mode = |env: &[(&str, &str)], config: &str| {
            let host = Host {
                env: Box::new(StaticEnv::new(env.iter().copied().chain([("HOME", "/h")]))),
                files: Box::new(StaticFiles::new([("/h/.aws/config", config)])),
                ..Host::refusing()
            };
            Mode::resolve(Profiles::load(&host).unwrap().profile("p").as_ref(), &host)
        };
        let config = "[profile p]\nuse_fips_endpoint = TRUE\nuse_dualstack_endpoint = false\n";
        assert_eq!(mode(&[], "").unwrap(), PLAIN);
        assert_eq!(mode(&[], config).unwrap(), FIPS);
        assert_eq!(mode(&[("AWS_USE_FIPS_ENDPOINT", "False")], config).unwrap(), PLAIN);
        assert_eq!(mode(&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], config).unwrap(), BOTH);
        let error = mode(&[("AWS_USE_FIPS_ENDPOINT", "1")], config).unwrap_err();
        assert!(error.message().starts_with("`AWS_USE_FIPS_ENDPOINT` is neither"), "{error}");
        let error = mode(&[], "[profile p]\nuse_fips_endpoint = yes").unwrap_err();
        assert!(error.message().starts_with("`use_fips_endpoint` of profile `p`"), "{error}");
    }
}
