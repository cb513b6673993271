//! An application as a tenant knows it: whether it has a secret to keep, and how it proves that it is itself.

use jiff::Timestamp;

/// An application in a tenant, confidential unless it says otherwise.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) object_id: Option<String>,
    pub(crate) public: bool,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) certificates: Vec<String>,
    pub(crate) federated: Vec<Federated>,
    redirects: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) value: String,
    pub(crate) expires: Option<Timestamp>,
}

/// Whose tokens stand for the application, compared letter by letter.
#[derive(Clone, Debug)]
pub(crate) struct Federated {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
}

impl App {
    /// An application that can prove nothing yet.
    pub fn new(tenant: &str, client_id: &str) -> Self {
        Self {
            tenant: tenant.to_ascii_lowercase(),
            client_id: client_id.to_ascii_lowercase(),
            object_id: None,
            public: false,
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated: Vec::new(),
            redirects: Vec::new(),
        }
    }

    /// A program on somebody's machine: no secret, and `http://localhost` unless redirects are named.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// With this secret.
    #[must_use]
    pub fn secret(mut self, value: &str) -> Self {
        self.secrets.push(Secret { value: value.to_owned(), expires: None });
        self
    }

    /// With a secret that is good until then.
    #[must_use]
    pub fn secret_until(mut self, value: &str, expires: Timestamp) -> Self {
        self.secrets.push(Secret { value: value.to_owned(), expires: Some(expires) });
        self
    }

    /// With a secret that has long expired.
    #[must_use]
    pub fn expired_secret(self, value: &str) -> Self {
        self.secret_until(value, Timestamp::UNIX_EPOCH)
    }

    /// With the first certificate of this PEM text.
    #[must_use]
    pub fn certificate_pem(mut self, pem: &str) -> Self {
        self.certificates.push(pem.to_owned());
        self
    }

    /// With a federated credential: tokens of this issuer, for this subject and audience, stand for the app.
    #[must_use]
    pub fn federated(mut self, issuer: &str, subject: &str, audience: &str) -> Self {
        self.federated.push(Federated {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: audience.to_owned(),
        });
        self
    }

    /// Where a browser may be sent back to.
    #[must_use]
    pub fn redirect(mut self, uri: &str) -> Self {
        self.redirects.push(uri.to_owned());
        self
    }

    /// With this object id of its service principal, instead of one made up.
    #[must_use]
    pub fn object_id(mut self, oid: &str) -> Self {
        self.object_id = Some(oid.to_owned());
        self
    }

    /// Whether a browser may be sent to this address: as registered, but for the port of this machine, which RFC 8252
    /// (7.3) and Entra leave open. The path is not.
    pub(crate) fn may_redirect_to(&self, uri: &str) -> bool {
        let default = ["http://localhost".to_owned()];
        let registered: &[String] =
            if self.public && self.redirects.is_empty() { &default } else { &self.redirects };
        registered
            .iter()
            .any(|registered| registered == uri || same_but_for_the_port(registered, uri))
    }
}

fn same_but_for_the_port(registered: &str, uri: &str) -> bool {
    let (Ok(registered), Ok(uri)) = (url::Url::parse(registered), url::Url::parse(uri)) else {
        return false;
    };
    let here = matches!(registered.host_str(), Some("localhost" | "127.0.0.1"));
    here && registered.scheme() == "http"
        && uri.scheme() == "http"
        && registered.host_str() == uri.host_str()
        && registered.path() == uri.path()
        && registered.query() == uri.query()
        && uri.fragment().is_none()
        && uri.username().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_this_machine_is_free_and_nothing_else() {
        let app = App::new("t", "c").public();
        for good in ["http://localhost", "http://localhost:1", "http://localhost:65535/"] {
            assert!(app.may_redirect_to(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "https://localhost:1",
            "http://localhost:1/callback",
            "http://localhost:1/?a=b",
            "http://localhost:1/#a",
            "http://localhost.example.com",
            "http://me@localhost:1",
            "localhost",
        ] {
            assert!(!app.may_redirect_to(bad), "{bad}");
        }
        let app = app.redirect("https://example.com/in").redirect("http://localhost/in");
        assert!(app.may_redirect_to("https://example.com/in"));
        assert!(app.may_redirect_to("http://localhost:7/in"));
        assert!(!app.may_redirect_to("https://example.com:7/in"));
        assert!(!app.may_redirect_to("http://localhost:7"));
        assert!(!App::new("t", "c").may_redirect_to("http://localhost"));
    }
}
