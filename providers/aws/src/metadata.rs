//! The metadata service of EC2 (IMDSv2): whether this machine has one, and asking it.
//!
//! It is asked for a session first, by PUT, which no open proxy passes on; the older version, which
//! needs no session, is never spoken. A machine without the service may answer nothing at all, so
//! nothing waits for it longer than a second, and where the firmware says that the machine is
//! somebody else's it is not even tried. No proxy has a part in it. Its answers come by plain http,
//! so their date is no clock to sign by.

use std::path::Path;

use fleetkey_provider::{
    Endpoint, Error, ExposeSecret, Host, HttpRequest, HttpResponse, Kind, Method, Result, Retry,
    SecretString, shown,
};

use crate::{
    beside::beside,
    errors::{Asker, Call},
    profiles::Section,
    region::Region,
    shell::profile_flag,
    variables,
};

/// The metadata service of this machine, if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    endpoint: Endpoint,
    /// Whether somebody said where it is.
    is_configured: bool,
}

/// What the firmware says about the machine.
enum Maker {
    Amazon,
    Other(String),
    Unknown,
}

impl Metadata {
    /// Where environment and profile say it is, or at its own address; `None` if it is to be left
    /// alone.
    pub(crate) fn here(profile: Option<&Section<'_>>, host: &Host) -> Result<Option<Self>> {
        if is_disabled(host)? {
            return Ok(None);
        }
        if let Some((url, from)) = configured(ENDPOINT, profile, host)? {
            return Ok(Some(Self {
                endpoint: beside(&url, &from, &ADDRESSES, host)?,
                is_configured: true,
            }));
        }
        let address = match configured(MODE, profile, host)? {
            None => V4,
            Some((mode, _)) if mode.eq_ignore_ascii_case("ipv4") => V4,
            Some((mode, _)) if mode.eq_ignore_ascii_case("ipv6") => V6,
            Some((mode, from)) => {
                let [variable, key] = MODE;
                let profile = profile.filter(|_| host.path_var(variable).is_none());
                let next = match profile.map(Section::name) {
                    Some(name) => format!("aws configure get {key}{}", profile_flag(Some(name))),
                    None => format!("unset {variable}"),
                };
                return Err(Error::config(format!("{from} is neither `IPv4` nor `IPv6`"))
                    .because(format!("it is `{}`", shown(&mode)))
                    .next(next));
            }
        };
        Ok(Some(Self {
            endpoint: beside(address, "a constant", &ADDRESSES, host)?,
            is_configured: false,
        }))
    }

    /// Why it is not worth a second, if it is not: the machine is somebody else's.
    pub(crate) fn why_not(&self, host: &Host) -> Option<String> {
        match maker(host) {
            _ if self.is_configured => None,
            Maker::Other(vendor) => Some(format!("not asked: this machine is of `{vendor}`")),
            Maker::Amazon | Maker::Unknown => None,
        }
    }

    /// Whether this plainly is a machine of EC2.
    pub(crate) fn is_certain(&self, host: &Host) -> bool {
        self.is_configured || matches!(maker(host), Maker::Amazon)
    }

    /// Opens a session; in place of one, why there is none.
    pub(crate) async fn open(&self, host: &Host) -> Result<Session<'_>, String> {
        let request = HttpRequest {
            method: Method::Put,
            endpoint: self.endpoint.at("latest/api/token", &[]),
            headers: vec![("x-aws-ec2-metadata-token-ttl-seconds".into(), "21600".into())],
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Soon(|_| false),
        };
        let answer = match host.http.send(&request).await {
            Ok(answer) => answer,
            Err(error) => return Err(silence(&error, host)),
        };
        match answer.status {
            200 => {}
            403 => return Err("it is switched off for this machine".into()),
            status => return Err(format!("it answered {status}")),
        }
        // it goes into a header
        let token = std::str::from_utf8(&answer.body).ok().map(str::trim);
        match token.filter(|token| is_plain(token) && token.len() <= 1024) {
            Some(token) => Ok(Session { of: self, token: token.into() }),
            None => Err("what answered is something else".into()),
        }
    }

    /// The region of this machine.
    pub(crate) async fn region(&self, host: &Host) -> Result<Region> {
        let session = self.open(host).await.map_err(|why| no_region(&why))?;
        session.region(host).await
    }

    /// What tells it apart from that of others, where it is not the usual one.
    pub(crate) fn configured(&self) -> Option<&str> {
        self.is_configured.then(|| self.endpoint.as_str())
    }
}

/// What it allows to read from it.
pub(crate) struct Session<'a> {
    of: &'a Metadata,
    token: SecretString,
}

impl Session<'_> {
    /// What stands there; `None` if nothing does. `task` goes behind "could not".
    pub(crate) async fn read(&self, path: &str, task: &str, host: &Host) -> Result<Option<String>> {
        let asker = Asker { who: "this machine".into(), ..Asker::default() };
        let call = Call {
            service: SERVICE,
            endpoint: &self.of.endpoint,
            task,
            asker: &asker,
            secrets: &[self.token.expose_secret()],
        };
        let request = HttpRequest {
            method: Method::Get,
            endpoint: self.of.endpoint.at(path, &[]),
            headers: vec![(
                "x-aws-ec2-metadata-token".into(),
                self.token.expose_secret().to_owned(),
            )],
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Soon(|_| false),
        };
        let answer: HttpResponse = host.http.send(&request).await?;
        match answer.status {
            200 => String::from_utf8(answer.body)
                .map(Some)
                .map_err(|_| call.not_understood("something that is no text")),
            404 => Ok(None),
            _ => Err(call.error(&answer, None, host.clock.now())),
        }
    }

    /// The region of this machine.
    pub(crate) async fn region(&self, host: &Host) -> Result<Region> {
        let task = "tell the region of this machine";
        match self.read("latest/meta-data/placement/region", task, host).await? {
            Some(text) => Region::parse(text.trim(), "the region that the metadata service names"),
            None => Err(no_region("it does not know it")),
        }
    }
}

fn no_region(why: &str) -> Error {
    Error::config("no AWS region is named")
        .because(format!("no other place names one, and EC2's metadata service does not: {why}"))
        .next("aws configure get region")
}

/// Why nobody answered, in a phrase.
fn silence(error: &Error, host: &Host) -> String {
    host.notes.note(&format!("the metadata service: {error}"));
    match (error.kind(), error.cause()) {
        (Kind::Unavailable, Some(cause)) => format!("nobody answers: {cause}"),
        (Kind::Unavailable, None) => "nobody answers".into(),
        _ => error.message().to_owned(),
    }
}

/// Only the environment says it, and `true` in any case, as in botocore.
fn is_disabled(host: &Host) -> Result<bool> {
    let said = host.text_var(variables::AWS_EC2_METADATA_DISABLED)?;
    Ok(said.is_some_and(|said| said.trim().eq_ignore_ascii_case("true")))
}

/// What a variable says, else the profile, and where it was found. A strict person's variable has no
/// say: it moves an endpoint.
fn configured(
    [variable, key]: [&str; 2],
    profile: Option<&Section<'_>>,
    host: &Host,
) -> Result<Option<(String, String)>> {
    if let Some(value) = host.text_var(variable)? {
        if !host.trust.is_strict()? {
            return Ok(Some((value, format!("`{variable}`"))));
        }
        host.notes.note(&format!("`{variable}` is ignored: the configuration is strict"));
    }
    Ok(profile.and_then(|profile| {
        let value = profile.get(key)?.to_owned();
        Some((value, format!("`{key}` of profile `{}`", shown(profile.name()))))
    }))
}

/// What is known without asking anybody. Machines on Nitro name their maker; older ones are of Xen
/// and have Amazon's firmware, or an id that begins with `ec2` (Amazon EC2 User Guide, "Detect
/// whether a host is an EC2 instance").
fn maker(host: &Host) -> Maker {
    let read = |path: &str| {
        let bytes = host.files.read(Path::new(path)).ok().flatten()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let of = |name: &str| read(&format!("/sys/devices/virtual/dmi/id/{name}"));
    let vendor = of("sys_vendor");
    let is_amazons = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| text.to_ascii_lowercase().contains("amazon"))
    };
    if is_amazons(&vendor) || is_amazons(&of("bios_vendor")) || is_amazons(&of("bios_version")) {
        return Maker::Amazon;
    }
    if read("/sys/hypervisor/uuid").is_some_and(|id| id.to_ascii_lowercase().starts_with("ec2")) {
        return Maker::Amazon;
    }
    match vendor {
        // an id would tell, and only the administrator may read it
        Some(vendor) if vendor.eq_ignore_ascii_case("xen") => Maker::Unknown,
        Some(vendor) => Maker::Other(shown(&vendor)),
        None => Maker::Unknown,
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

const SERVICE: &str = "EC2's metadata service";
const V4: &str = "http://169.254.169.254";
const V6: &str = "http://[fd00:ec2::254]";
/// The addresses of both, by plain http.
const ADDRESSES: [&str; 2] = ["169.254.169.254", "[fd00:ec2::254]"];
const ENDPOINT: [&str; 2] =
    [variables::AWS_EC2_METADATA_SERVICE_ENDPOINT, "ec2_metadata_service_endpoint"];
const MODE: [&str; 2] =
    [variables::AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, "ec2_metadata_service_endpoint_mode"];

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::{StaticEnv, StaticFiles, StaticTrust};

    use super::*;

    fn host(env: &[(&str, &str)], files: &[(&str, &str)]) -> Host {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        Host {
            env: Box::new(StaticEnv::new(env.iter().copied())),
            files: Box::new(StaticFiles::new(files)),
            ..Host::refusing()
        }
    }

    fn here(env: &[(&str, &str)]) -> Option<String> {
        Metadata::here(None, &host(env, &[])).unwrap().map(|found| found.endpoint.origin())
    }

    #[test]
    fn it_is_at_its_address_or_where_somebody_says() {
        let v4 = Some("http://169.254.169.254".to_owned());
        let v6 = Some("http://[fd00:ec2::254]".to_owned());
        let moved = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/");
        let mode = |mode| ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", mode);
        assert_eq!(here(&[]), v4);
        assert_eq!(here(&[mode("ipv4")]), v4);
        assert_eq!(here(&[mode("IPv6")]), v6);
        assert_eq!(here(&[moved, mode("IPv6")]).as_deref(), Some("http://127.0.0.1:1338"));
        for said in ["true", "True", " TRUE"] {
            assert_eq!(here(&[("AWS_EC2_METADATA_DISABLED", said)]), None);
        }
        assert_eq!(here(&[("AWS_EC2_METADATA_DISABLED", "1")]), v4, "as in botocore");
        let error = Metadata::here(None, &host(&[mode("6")], &[])).unwrap_err();
        assert_eq!(error.next_line(), Some("unset AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"));
        let stranger = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://10.0.0.1/");
        assert!(Metadata::here(None, &host(&[stranger], &[])).is_err());
        for other in ["http://169.254.169.253", "http://169.254.170.2", "http://[fd00:ec2::23]"] {
            let other = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", other);
            assert!(Metadata::here(None, &host(&[other], &[])).is_err(), "{other:?}");
        }
        let strict = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
        let host = Host { trust: strict, ..host(&[moved], &[]) };
        assert_eq!(Metadata::here(None, &host).unwrap().map(|found| found.endpoint.origin()), v4);
    }

    #[test]
    fn the_firmware_says_whose_machine_it_is() {
        let dmi = |name: &'static str| format!("/sys/devices/virtual/dmi/id/{name}");
        for (files, is_certain, is_tried) in [
            (&[][..], false, true),
            (&[(dmi("sys_vendor"), "Amazon EC2\n")][..], true, true),
            (&[(dmi("sys_vendor"), "LENOVO\n")][..], false, false),
            (&[(dmi("sys_vendor"), "Google\n")][..], false, false),
            (&[(dmi("sys_vendor"), "Xen\n")][..], false, true),
            (&[(dmi("sys_vendor"), "Xen"), (dmi("bios_version"), "4.11.amazon")][..], true, true),
            (
                &[(dmi("sys_vendor"), "Xen"), ("/sys/hypervisor/uuid".to_owned(), "EC2E1916-x")][..],
                true,
                true,
            ),
        ] {
            let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
            let host = host(&[], &files);
            let found = Metadata::here(None, &host).unwrap().unwrap();
            let found = (found.is_certain(&host), found.why_not(&host).is_none());
            assert_eq!(found, (is_certain, is_tried), "{files:?}");
        }
        // who says where it is wants it asked
        let moved = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/");
        let host = host(&[moved], &[("/sys/devices/virtual/dmi/id/sys_vendor", "LENOVO")]);
        assert_eq!(Metadata::here(None, &host).unwrap().unwrap().why_not(&host), None);
    }
}
