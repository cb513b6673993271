//! Where something secret may be sent.
//!
//! A kubeconfig's args, its env and the files they name are untrusted, and any of them can move an
//! endpoint. So an [`Endpoint`] can only be made of a URL whose host the provider owns, that is
//! loopback, or that a person named with `fleetkey trust add`.

use std::{fmt, net::IpAddr};

use url::{Host as UrlHost, Url};

use crate::{Error, Host, Result, quoted, shown};

/// A URL that may be given something secret: https, or http on loopback; no user info, no fragment.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    longest_answer: usize,
}

/// No answer is longer, unless it is a list of all that is there.
const LONGEST_ANSWER: usize = 1 << 20;

impl Endpoint {
    /// An endpoint somebody configured. `from` names the flag, variable or profile key it came
    /// from; `own` knows the provider's own host names.
    pub fn configured(text: &str, from: &str, own: fn(&str) -> bool, host: &Host) -> Result<Self> {
        let wrong = |cause: &str| {
            Error::config(format!(
                "{from} is not an endpoint: `{}`",
                shown(&without_user_info(text))
            ))
            .because(cause)
        };
        if text.contains('@') {
            return Err(wrong(
                "an endpoint is scheme, host and port, without a user name or password",
            ));
        }
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let Some(name) = url.host_str().map(str::to_owned) else {
            return Err(wrong("it names no host"));
        };
        if !name.chars().all(is_of_a_host) {
            return Err(wrong("no host has a name of such characters"));
        }
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(wrong("only https is allowed, and http on loopback")),
        }
        if url.fragment().is_some() || url.query().is_some() {
            return Err(wrong("a query or a fragment has no meaning here"));
        }
        if loopback || own(&name) || host.trust.allows(&name)? {
            return Ok(Self::of(url));
        }
        Err(untrusted(&name, from))
    }

    /// An endpoint from a provider's own table. A part of the name may have come from outside (a
    /// region), so it has to be one of the provider's own hosts all the same; `from` names that part.
    pub fn known(host_name: &str, from: &str, own: fn(&str) -> bool, host: &Host) -> Result<Self> {
        let broken = || Error::config(format!("`{}` is not a host name", shown(host_name)));
        let url = Url::parse(&format!("https://{host_name}/")).map_err(|_| broken())?;
        if url.host_str() != Some(host_name) || !host_name.chars().all(is_of_a_host) {
            return Err(broken());
        }
        if own(host_name) || host.trust.allows(host_name)? {
            return Ok(Self::of(url));
        }
        Err(untrusted(host_name, from))
    }

    /// A service of the machine this runs on, such as a metadata endpoint: loopback or an address on
    /// its link, by http too (RFC 3927: no router forwards it), or a host that a person trusts. On a
    /// network that is nobody's cloud, another machine of it may answer there: a provider that knows
    /// its service's exact addresses checks them first.
    pub fn nearby(text: &str, from: &str, host: &Host) -> Result<Self> {
        match Url::parse(text) {
            Ok(url) if url.scheme() == "http" && is_on_the_link(&url) && is_plain(&url) => {
                Ok(Self::of(url))
            }
            _ => Self::configured(text, from, |_| false, host),
        }
    }

    /// The same host with this path (joined to a configured one) and these query parameters.
    #[must_use]
    pub fn at(&self, path: &str, query: &[(&str, &str)]) -> Self {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Self { url, ..*self }
    }

    /// The same URL with these query parameters.
    #[must_use]
    pub fn with_query(&self, query: &[(&str, &str)]) -> Self {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(query);
        Self { url, ..*self }
    }

    /// The same for a question whose answer may be long: a list of all that is there.
    #[must_use]
    pub fn answering_up_to(self, bytes: usize) -> Self {
        Self { longest_answer: bytes, ..self }
    }

    /// How long an answer may be, in bytes.
    pub fn longest_answer(&self) -> usize {
        self.longest_answer
    }

    fn of(url: Url) -> Self {
        Self { url, longest_answer: LONGEST_ANSWER }
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it is this machine: what is sent there must not leave it, not even to a proxy.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether it is this machine or its link: no proxy has a part in it.
    pub fn is_nearby(&self) -> bool {
        self.is_loopback() || is_on_the_link(&self.url)
    }

    /// The whole URL, to tell two endpoints apart in a key.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port, for a person.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.url.path())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn untrusted(name: &str, from: &str) -> Error {
    Error::config(format!("{from} names `{}`, which is not trusted", shown(name)))
        .because("secrets go only to the cloud's own hosts, to loopback, and to hosts you named")
        .next(format!("fleetkey trust add {}", quoted(name)))
}

/// Letters of names and addresses. A URL allows more, `;` and `$` among them, which a shell would
/// take for its own when an error is pasted.
fn is_of_a_host(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_:[]".contains(c)
}

/// The text without what stands before the last `@`: a password, if it is meant as a URL.
fn without_user_info(text: &str) -> String {
    text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, rest)| format!("…@{rest}"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Domain(name)) => name == "localhost",
        Some(UrlHost::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(UrlHost::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// 169.254.0.0/16 and `fe80::/10`; and `fd00:ec2::/32`, which is unique local (RFC 4193) and whose
/// addresses the hosts of EC2 answer themselves, as they do the link-local ones (Amazon EC2 User
/// Guide, "Use instance metadata"; Amazon EKS User Guide, "Pod Identity").
fn is_on_the_link(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Ipv4(ip)) => ip.is_link_local(),
        Some(UrlHost::Ipv6(ip)) => {
            ip.is_unicast_link_local() || ip.segments()[..2] == [0xfd00, 0xec2]
        }
        _ => false,
    }
}

/// Nothing but scheme, host, port and path.
fn is_plain(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Result<Endpoint> {
        Endpoint::configured(text, "`X_URL`", |name| name == "own.example", &Host::refusing())
    }

    #[test]
    fn the_providers_own_hosts_and_loopback_are_endpoints() {
        for good in [
            "https://own.example",
            "https://own.example:8443/p",
            "http://127.0.0.1:1",
            "https://[::1]:1",
            "http://localhost",
        ] {
            assert!(configured(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn other_hosts_are_refused_with_the_line_that_trusts_them() {
        let error = configured("https://evil.example/x").unwrap_err();
        assert_eq!(error.next_line(), Some("fleetkey trust add evil.example"));
        assert_eq!(error.kind(), crate::Kind::Config);
    }

    #[test]
    fn tricks_are_refused() {
        for bad in [
            "http://own.example",
            "https://own.example@evil.example",
            "https://user:pw@own.example",
            "https://own.example#@evil.example",
            "https://own.example?x=1",
            "https://own.example.evil.example",
            "https://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "ftp://own.example",
            "own.example",
            "https://",
            "",
            "\u{0}",
        ] {
            assert!(configured(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nearby_is_this_machine_and_its_link_and_nothing_else() {
        let nearby = |text| Endpoint::nearby(text, "`X`", &Host::refusing());
        for good in [
            "http://169.254.169.254/m",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/latest",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://localhost:40342/m",
        ] {
            assert!(nearby(good).unwrap().is_nearby(), "{good}");
        }
        for bad in [
            "http://10.0.0.1/",
            "http://[fd00:ec3::254]/",
            "http://[fd00::ec2]/",
            "http://169.254.169.254@evil.example/",
            "http://u:p@169.254.169.254/",
            "http://169.254.169.254/?a=b",
            "https://169.254.169.254.nip.example/",
            "https://own.example/",
        ] {
            assert!(nearby(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_password_stands_in_the_error() {
        for url in [
            "https://user:hunter2@own.example",
            "http://user:hunter2@own.example",
            "https://user:hunter2@bad host/",
            "https://user:hunter2@host:99999/",
        ] {
            let error = configured(url).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_hostile_host_name_is_nothing_to_paste() {
        for host in ["x;id;$(id)`id`&'", "x$(id)", "x|sh", "x'y"] {
            let error = configured(&format!("https://{host}")).unwrap_err();
            assert_eq!(error.next_line(), None, "{host}");
        }
    }

    #[test]
    fn a_table_entry_cannot_be_bent() {
        let known = |name| {
            Endpoint::known(name, "a region", |name| name == "own.example", &Host::refusing())
        };
        assert!(known("own.example").is_ok());
        let bucket = known("own.bucket.example").unwrap_err();
        assert_eq!(bucket.next_line(), Some("fleetkey trust add own.bucket.example"));
        for bad in ["a.b/c", "a.b:1", "a@b", "a b", "A.b", "", "a.b?c"] {
            assert!(known(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_join_and_queries_are_encoded() {
        let endpoint = configured("https://own.example/base/").unwrap().at("/x", &[("a", "b c&d")]);
        assert_eq!(endpoint.url().as_str(), "https://own.example/base/x?a=b+c%26d");
        assert_eq!(endpoint.to_string(), "https://own.example/base/x");
    }
}
