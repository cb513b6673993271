//! Where calls go: the region's host, unless somebody configured another.
//!
//! This is about calls only; the host in a token is [`sts_host`]'s. A configured endpoint wins over
//! a wish for FIPS or dualstack, as in botocore: it names one host, and that host is asked. (AWS's
//! own rules refuse the pair where a program makes it; from two lines of a profile it is no
//! contradiction.) A strict person's calls always go to the region's host.

use std::path::PathBuf;

use fleetkey_provider::{Endpoint, Error, Host, Result, shown};

use crate::{
    own_host::own_host,
    partition::Partition,
    profiles::{self, Profiles, Section},
    region::Region,
    sts_host::{Mode, sts_host, switch},
    variables,
};

/// What is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Service {
    /// Lends keys for roles.
    Sts,
    /// The SSO portal: lends keys for SSO tokens.
    Sso,
    /// Issues SSO tokens.
    SsoOidc,
    /// Signs people in to the console, and tools with them.
    SignIn,
    /// Describes clusters.
    Eks,
    /// Knows the regions of an account.
    Ec2,
}

impl Service {
    /// Its variable, and its name in a `[services]` section.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Sts => (variables::AWS_ENDPOINT_URL_STS, "sts"),
            Self::Sso => (variables::AWS_ENDPOINT_URL_SSO, "sso"),
            Self::SsoOidc => (variables::AWS_ENDPOINT_URL_SSO_OIDC, "sso_oidc"),
            Self::SignIn => (variables::AWS_ENDPOINT_URL_SIGNIN, "signin"),
            Self::Eks => (variables::AWS_ENDPOINT_URL_EKS, "eks"),
            Self::Ec2 => (variables::AWS_ENDPOINT_URL_EC2, "ec2"),
        }
    }

    /// The name of its host in a region.
    fn host_name(self, region: &Region, mode: Mode) -> Result<String> {
        let mode = mode.in_region(region);
        let partition = region.partition();
        let fips = mode.names_fips(partition);
        let service = match self {
            Self::Sts => return Ok(sts_host(region, mode)?.name),
            Self::Sso if fips => "portal.sso-fips",
            Self::Sso => "portal.sso",
            Self::SsoOidc if fips => "oidc-fips",
            Self::SsoOidc => "oidc",
            Self::SignIn => return sign_in_host(region.concrete(), mode, partition),
            // older than the rule that the others follow
            Self::Eks if fips && partition.id == "aws" && !mode.dualstack => "fips.eks",
            Self::Eks if fips => "eks-fips",
            Self::Eks => "eks",
            Self::Ec2 if fips => "ec2-fips",
            Self::Ec2 => "ec2",
        };
        Ok(format!("{service}.{}.{}", region.concrete(), mode.suffix(partition)?))
    }
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The endpoint.
    pub(crate) endpoint: Endpoint,
    /// The region to sign for, where the call is signed.
    pub(crate) signing_region: String,
    /// Whether it is the region's own host. What is not belongs in a credential's key.
    pub(crate) is_default: bool,
}

/// What environment and profile say about endpoints.
pub(crate) struct Endpoints<'a> {
    profiles: &'a Profiles,
    profile: Option<Section<'a>>,
    host: &'a Host,
    mode: Mode,
    ignores_configured: bool,
}

impl<'a> Endpoints<'a> {
    /// Reads the switches; the endpoints themselves are read when they are asked for.
    pub(crate) fn new(
        profiles: &'a Profiles,
        profile: Option<Section<'a>>,
        host: &'a Host,
    ) -> Result<Self> {
        let mode = Mode::resolve(profile.as_ref(), host)?;
        let ignores_configured = switch(
            variables::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
            "ignore_configured_endpoint_urls",
            profile.as_ref(),
            host,
        )?;
        Ok(Self { profiles, profile, host, mode, ignores_configured })
    }

    /// Where calls to a service in a region go. `from` names where the region came from: a region
    /// of no known shape makes a host that has to be trusted.
    pub(crate) fn of(&self, service: Service, region: &Region, from: &str) -> Result<Target> {
        let signing_region = region.concrete().to_owned();
        let configured = self.configured(service)?;
        let (endpoint, is_default) = match configured {
            Some((url, from)) if !is_ignored(&from, self.host)? => {
                if url.len() > LONGEST {
                    // not shown: a password may stand in it
                    return Err(Error::config(format!("{from} is not an endpoint"))
                        .because(format!("it is longer than {LONGEST} characters")));
                }
                (Endpoint::configured(&url, &from, own_host, self.host)?, false)
            }
            _ => return in_region(service, region, from, self.mode, self.host),
        };
        Ok(Target { endpoint, signing_region, is_default })
    }

    /// Which kind of host is wanted.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The URL somebody configured, and where.
    fn configured(&self, service: Service) -> Result<Option<(String, String)>> {
        if self.ignores_configured {
            return Ok(None);
        }
        let (variable, key) = service.names();
        for variable in [variable, variables::AWS_ENDPOINT_URL] {
            if let Some(url) = self.host.text_var(variable)? {
                return Ok(Some((url, format!("`{variable}`"))));
            }
        }
        let Some(profile) = &self.profile else { return Ok(None) };
        let of_service = profile.get("services").and_then(|services| {
            let url = self.profiles.service_endpoint(services, key)?;
            Some((url.to_owned(), format!("`{key}` in section `services {}`", shown(services))))
        });
        Ok(of_service.or_else(|| {
            let url = profile.get("endpoint_url")?;
            let from = format!("`endpoint_url` of profile `{}`", shown(profile.name()));
            Some((url.to_owned(), from))
        }))
    }
}

/// A region's own host; `from` names where the region came from.
pub(crate) fn in_region(
    service: Service,
    region: &Region,
    from: &str,
    mode: Mode,
    host: &Host,
) -> Result<Target> {
    let name = service.host_name(region, mode)?;
    let endpoint = Endpoint::known(&name, from, own_host, host)?;
    Ok(Target { endpoint, signing_region: region.concrete().to_owned(), is_default: true })
}

/// Where people sign in: the region stands first in the plain names, and in its place in the others.
fn sign_in_host(region: &str, mode: Mode, partition: &Partition) -> Result<String> {
    let suffix = partition.signin_suffix;
    Ok(match mode {
        Mode { fips: false, dualstack: false } => format!("{region}.signin.{suffix}"),
        Mode { fips: true, dualstack: false } if partition.id == "aws-us-gov" => {
            let whose = if region == partition.global_region { "" } else { &format!("{region}.") };
            format!("{whose}signin-fips.{suffix}")
        }
        Mode { fips, .. } => {
            let service = if fips { "signin-fips" } else { "signin" };
            format!("{service}.{region}.{}", mode.suffix(partition)?)
        }
    })
}

/// The PEM file of the only authorities to believe, if somebody named one.
pub(crate) fn ca_bundle(profile: Option<&Section<'_>>, host: &Host) -> Result<Option<PathBuf>> {
    let variable = variables::AWS_CA_BUNDLE;
    let of_variable = host.path_var(variable).map(|path| (path, format!("`{variable}`")));
    let named = of_variable.or_else(|| {
        let (name, path) = profile.and_then(|p| Some((p.name(), p.get("ca_bundle")?)))?;
        Some((path.into(), format!("`ca_bundle` of profile `{}`", shown(name))))
    });
    let Some((path, from)) = named else { return Ok(None) };
    if is_ignored(&from, host)? {
        return Ok(None);
    }
    match profiles::expand(&path, host) {
        Some(path) => Ok(Some(path)),
        // to believe the system's authorities instead would be more than was asked for
        None => Err(Error::config(format!("{from} names a file that cannot be found"))
            .because("its path begins in a home folder, and there is none")),
    }
}

/// The longest URL that is called. The signer answers one of 64 KiB with a panic.
const LONGEST: usize = 2048;

/// Whether a strict person's calls pass over it. Asked last, since the answer may lie in a file.
fn is_ignored(from: &str, host: &Host) -> Result<bool> {
    let is_strict = host.trust.is_strict()?;
    if is_strict {
        host.notes.note(&format!("{from} is ignored: the configuration is strict"));
    }
    Ok(is_strict)
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{StaticEnv, StaticFiles, StaticTrust};

    use super::*;

    const CONFIG: &str = "[profile p]\nendpoint_url = http://localhost:1\nservices = s\n\
        ca_bundle = ~/ca.pem\n[services s]\nsts =\n  endpoint_url = http://localhost:2\n\
        [profile quiet]\nendpoint_url = http://localhost:1\nignore_configured_endpoint_urls = true\n";

    fn host(env: &[(&str, &str)], strict: bool) -> Host {
        Host {
            env: Box::new(StaticEnv::new(env.iter().copied().chain([("HOME", "/h")]))),
            files: Box::new(StaticFiles::new([("/h/.aws/config", CONFIG)])),
            trust: Box::new(StaticTrust { strict, ..StaticTrust::default() }),
            ..Host::refusing()
        }
    }

    fn target(service: Service, profile: &str, host: &Host) -> Result<(String, bool)> {
        let profiles = Profiles::load(host)?;
        let target = Endpoints::new(&profiles, profiles.profile(profile), host)?.of(
            service,
            &Region::parse("eu-west-1", "a test")?,
            "a test",
        )?;
        assert_eq!(target.signing_region, "eu-west-1");
        Ok((target.endpoint.origin(), target.is_default))
    }

    #[test]
    fn the_order_is_variables_then_profile_the_narrower_first() {
        let env = [
            ("AWS_ENDPOINT_URL_STS", "http://localhost:4"),
            ("AWS_ENDPOINT_URL", "http://localhost:3"),
        ];
        let port = |service, env: &[(&str, &str)]| {
            let (origin, is_default) = target(service, "p", &host(env, false)).unwrap();
            assert!(!is_default);
            origin.rsplit(':').next().unwrap().to_owned()
        };
        assert_eq!(port(Service::Sts, &env), "4");
        assert_eq!(port(Service::Eks, &env), "3");
        assert_eq!(port(Service::Sts, &env[1..]), "3");
        assert_eq!(port(Service::Sts, &[("AWS_ENDPOINT_URL_STS", "")]), "2");
        assert_eq!(port(Service::SsoOidc, &[]), "1");
    }

    #[test]
    fn what_is_configured_can_be_ignored() {
        let regional = ("https://sts.eu-west-1.amazonaws.com".to_owned(), true);
        let env = [("AWS_ENDPOINT_URL", "http://localhost:3")];
        let ignoring = [env[0], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        let found = |profile, host| target(Service::Sts, profile, &host).unwrap();
        assert_eq!(found("none", host(&[], false)), regional);
        assert_eq!(found("p", host(&ignoring, false)), regional);
        assert_eq!(found("quiet", host(&env, false)), regional);
        assert_eq!(found("p", host(&env, true)), regional, "a strict person's");
    }

    #[test]
    fn a_strange_host_is_refused_by_the_name_of_its_source() {
        let env = [("AWS_ENDPOINT_URL_SSO", "https://evil.example")];
        let error = target(Service::Sso, "none", &host(&env, false)).unwrap_err();
        assert!(error.message().contains("`AWS_ENDPOINT_URL_SSO`"), "{error}");
    }

    #[test]
    fn a_region_of_no_known_shape_is_called_only_where_it_is_trusted() {
        let of = |trusted: &[&str]| {
            let hosts = trusted.iter().map(|host| (*host).to_owned()).collect();
            let trust = Box::new(StaticTrust { hosts, ..StaticTrust::default() });
            let host = Host { trust, ..host(&[], false) };
            let region = Region::parse("mars-1", "`--region`")?;
            Endpoints::new(&Profiles::default(), None, &host)?
                .of(Service::Sts, &region, "`--region`")
                .map(|target| target.endpoint.origin())
        };
        let error = of(&[]).unwrap_err();
        assert!(error.message().starts_with("`--region` names"), "{error}");
        assert_eq!(error.next_line(), Some("fleetkey trust add sts.mars-1.amazonaws.com"));
        let trusted = of(&["sts.mars-1.amazonaws.com"]).unwrap();
        assert_eq!(trusted, "https://sts.mars-1.amazonaws.com");
    }

    #[test]
    fn an_endpoint_longer_than_the_signer_takes_is_refused() {
        let long = format!("http://localhost/{}", "x".repeat(70_000));
        let error = target(Service::Sts, "none", &host(&[("AWS_ENDPOINT_URL", &long)], false));
        assert!(error.unwrap_err().to_string().contains("longer than 2048"));
    }

    #[test]
    fn a_configured_endpoint_wins_over_fips() {
        let env = [
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_ENDPOINT_URL", "https://sts.us-east-1.amazonaws.com"),
        ];
        let found = target(Service::Sts, "none", &host(&env, false)).unwrap();
        assert_eq!(found, ("https://sts.us-east-1.amazonaws.com".to_owned(), false));
    }

    #[test]
    fn every_service_has_its_hosts() {
        use Service::{Ec2, Eks, SignIn, Sso, SsoOidc, Sts};
        for (service, region, fips, dualstack, expected) in [
            (Sts, "us-east-1", true, false, "sts-fips.us-east-1.amazonaws.com"),
            (Sso, "eu-west-1", false, false, "portal.sso.eu-west-1.amazonaws.com"),
            (Sso, "us-east-2", true, true, "portal.sso-fips.us-east-2.api.aws"),
            (Sso, "us-gov-west-1", true, false, "portal.sso.us-gov-west-1.amazonaws.com"),
            (SsoOidc, "cn-north-1", false, false, "oidc.cn-north-1.amazonaws.com.cn"),
            (SsoOidc, "us-east-2", true, false, "oidc-fips.us-east-2.amazonaws.com"),
            (SsoOidc, "us-east-2", false, true, "oidc.us-east-2.api.aws"),
            (Eks, "us-east-1", false, false, "eks.us-east-1.amazonaws.com"),
            (Eks, "us-east-1", true, false, "fips.eks.us-east-1.amazonaws.com"),
            (Eks, "us-east-1", true, true, "eks-fips.us-east-1.api.aws"),
            (Eks, "us-gov-west-1", true, false, "eks.us-gov-west-1.amazonaws.com"),
            (Eks, "cn-north-1", true, false, "eks-fips.cn-north-1.amazonaws.com.cn"),
            (SignIn, "eu-west-1", false, false, "eu-west-1.signin.aws.amazon.com"),
            (SignIn, "us-east-1", true, false, "signin-fips.us-east-1.amazonaws.com"),
            (SignIn, "us-east-1", false, true, "signin.us-east-1.api.aws"),
            (SignIn, "us-east-1", true, true, "signin-fips.us-east-1.api.aws"),
            (SignIn, "cn-north-1", false, false, "cn-north-1.signin.amazonaws.cn"),
            (SignIn, "us-gov-west-1", true, false, "signin-fips.amazonaws-us-gov.com"),
            (
                SignIn,
                "us-gov-east-1",
                true,
                false,
                "us-gov-east-1.signin-fips.amazonaws-us-gov.com",
            ),
            (SignIn, "eusc-de-east-1", false, false, "eusc-de-east-1.signin.amazonaws-eusc.eu"),
            (Ec2, "eu-west-1", false, false, "ec2.eu-west-1.amazonaws.com"),
            (Ec2, "eu-west-1", false, true, "ec2.eu-west-1.api.aws"),
            (Ec2, "us-east-1", true, false, "ec2-fips.us-east-1.amazonaws.com"),
            (Ec2, "us-gov-west-1", true, false, "ec2.us-gov-west-1.amazonaws.com"),
        ] {
            let region = Region::parse(region, "a test").unwrap();
            let name = service.host_name(&region, Mode { fips, dualstack }).unwrap();
            assert_eq!(name, expected);
            assert!(own_host(&name), "{name}");
        }
    }

    #[test]
    fn authorities_come_from_the_variable_then_the_profile() {
        let found = |env: &[(&str, &str)], strict| {
            let host = host(env, strict);
            ca_bundle(Profiles::load(&host).unwrap().profile("p").as_ref(), &host).unwrap()
        };
        assert_eq!(found(&[("AWS_CA_BUNDLE", "/x.pem")], false), Some("/x.pem".into()));
        assert_eq!(found(&[], false), Some("/h/ca.pem".into()));
        assert_eq!(found(&[("AWS_CA_BUNDLE", "/x.pem")], true), None);
        assert_eq!(ca_bundle(None, &host(&[], false)).unwrap(), None);
    }
}
