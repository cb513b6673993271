//! `--redirect-url`: where the browser comes back to, of which only the port is used, as in kubelogin.

use fleetkey_provider::{Error, Host, Result, shown};
use url::Url;

use crate::given::Chosen;

/// What it says.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    port: Option<u16>,
    /// What else was said, if that is not what is done.
    ignored: Option<String>,
}

/// Names of this machine.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Redirect {
    /// From a URL of this machine, whatever stands behind it. One of another machine is refused: no
    /// browser would come back.
    pub(super) fn read(given: &Chosen) -> Result<Self> {
        let wrong = |cause: String| {
            Error::config(format!("{} is nowhere to come back to", given.from))
                .because(cause)
                .next("fleetkey get-token azure --redirect-url http://localhost:8400")
        };
        let web = |url: &Url| ["http", "https"].contains(&url.scheme());
        let Some(url) = Url::parse(&given.value).ok().filter(web) else {
            let cause = format!("`{}` is no URL like `http://localhost:PORT`", shown(&given.value));
            return Err(wrong(cause));
        };
        let name = url.host_str().unwrap_or_default();
        if !HERE.contains(&name) {
            let cause = format!(
                "`{}` is another machine, and the browser comes back to this one: `localhost`",
                shown(name)
            );
            return Err(wrong(cause));
        }
        let is_plain = url.scheme() == "http"
            && name == "localhost"
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        let port = url.port().filter(|port| *port != 0);
        Ok(Self { port, ignored: (!is_plain).then(|| given.from.to_string()) })
    }

    /// Its port; `None` for any that is free. Entra lets a loopback address have any port (RFC 8252,
    /// section 7.3), but compares the rest with what was registered, which is `http://localhost`.
    pub(crate) fn port(&self, host: &Host) -> Option<u16> {
        if let Some(from) = &self.ignored {
            let port = self.port.map_or("any port".to_owned(), |port| format!("port {port}"));
            host.notes.note(&format!(
                "the browser comes back to http://localhost, {port}; what else {from} says is ignored"
            ));
        }
        self.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn read(url: &str) -> Result<Redirect> {
        Redirect::read(&Chosen::flag("redirect-url", url))
    }

    #[test]
    fn the_port_counts_and_the_rest_is_noted() {
        for (url, port, is_plain) in [
            ("http://localhost:8080", Some(8080), true),
            ("http://localhost:8080/", Some(8080), true),
            ("http://localhost", None, true),
            ("http://localhost:0", None, true),
            ("https://localhost:8080", Some(8080), false),
            ("https://localhost", None, false),
            ("http://127.0.0.1:8080", Some(8080), false),
            ("http://[::1]:8080/", Some(8080), false),
            ("http://LOCALHOST:8080/callback", Some(8080), false),
            ("http://localhost:8080/?a=b", Some(8080), false),
            ("http://localhost:8080/#a", Some(8080), false),
            ("http://hunter2@localhost:8080/", Some(8080), false),
        ] {
            let world = World::default();
            assert_eq!(read(url).unwrap().port(&world.host()), port, "{url}");
            let notes = world.notes.lines().join("\n");
            assert_eq!(notes.is_empty(), is_plain, "{url}: {notes}");
            assert!(is_plain || notes.contains("`--redirect-url` says is ignored"), "{notes}");
            assert!(!notes.contains("hunter2"), "{notes}");
        }
    }

    #[test]
    fn what_is_no_url_or_of_another_machine_is_refused() {
        for (bad, words) in [
            ("", "is no URL"),
            ("localhost:8080", "is no URL"),
            ("ftp://localhost:8080", "is no URL"),
            ("http://localhost:99999", "is no URL"),
            ("a\u{1b}[2J", "is no URL"),
            ("http://localhost.evil.example:8080", "`localhost.evil.example` is another machine"),
            ("http://localhost@evil.example", "`evil.example` is another machine"),
            ("http://192.0.2.1:8080", "`192.0.2.1` is another machine"),
        ] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.starts_with("`--redirect-url` is nowhere to come back to"), "{error}");
            assert!(error.contains(words) && !error.contains('\u{1b}'), "{bad}: {error}");
        }
    }
}
