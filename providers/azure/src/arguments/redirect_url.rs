//! `--redirect-url`: where the browser comes back to, of which only the port is used.

use fleetkey_provider::{Error, Result, shown};
use url::{Host, Url};

use crate::given::Chosen;

/// Its port; `None` for any that is free. Entra lets a loopback address have any port (RFC 8252,
/// section 7.3), but compares the rest with what was registered, which is `http://localhost`.
pub(crate) fn port(given: &Chosen) -> Result<Option<u16>> {
    let url = Url::parse(&given.value).ok().filter(|url| {
        url.scheme() == "http"
            && url.host() == Some(Host::Domain("localhost"))
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    });
    match url {
        Some(url) => Ok(url.port().filter(|port| *port != 0)),
        None => Err(Error::config(format!("{} is nowhere to come back to", given.from))
            .because(format!("`{}` is not `http://localhost:PORT`", shown(&given.value)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_port_of_this_machine_is_one() {
        let port = |url| port(&Chosen::flag("redirect-url", url));
        for (good, found) in [
            ("http://localhost:8080", Some(8080)),
            ("http://localhost:8080/", Some(8080)),
            ("http://localhost", None),
            ("http://localhost:0", None),
        ] {
            assert_eq!(port(good).unwrap(), found, "{good}");
        }
        for bad in [
            "",
            "localhost:8080",
            "https://localhost:8080",
            "http://localhost.evil.example:8080",
            "http://evil.example",
            "http://localhost@evil.example",
            "http://localhost:99999",
            "http://localhost:8080/path",
            "http://localhost:8080/?a=b",
            "a\u{1b}[2J",
        ] {
            assert!(port(bad).is_err(), "{bad}");
        }
    }
}
