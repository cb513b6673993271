//! An application that signs with its certificate.
//!
//! An assertion has an id (`jti`), and a server may refuse to see it twice (RFC 7523, section 3). An
//! answer can be lost though, so what is sent again here is never the same request but one with an
//! assertion of its own.

use std::{fmt, path::PathBuf, time::Duration};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, ExposeSecret, Fingerprint, Host, Kind, Result, Retry,
    SecretString, shown,
};

use super::{Granted, Source, Wanted, application};
use crate::{
    assertion,
    certificate::Certificate,
    entra::{Client, Endpoints, Purpose, Tokens},
    errors::Asker,
};

/// An application and its certificate.
pub(crate) struct ClientCertificate {
    client: Client,
    path: PathBuf,
    file: Vec<u8>,
    password: Option<SecretString>,
}

impl ClientCertificate {
    /// Reads the file, and nothing in it yet. `from` names the flag or variable that names it.
    pub(crate) fn open(
        client: Client,
        path: PathBuf,
        from: &str,
        password: Option<SecretString>,
        host: &Host,
    ) -> Result<Self> {
        let Some(file) = host.files.read(&path)? else {
            let name = path.to_string_lossy();
            return Err(Error::config(format!("there is no certificate file `{}`", shown(&name)))
                .because(format!("{from} names it")));
        };
        Ok(Self { client, path, file, password })
    }

    async fn ask(
        &self,
        certificate: &Certificate,
        endpoints: &Endpoints,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Tokens> {
        let assertion = assertion::sign(&self.client, &endpoints.token, certificate, host)?;
        let form = assertion::form(&assertion);
        let purpose = Purpose { asker: &Asker::Application, wanted };
        Ok(self.client.redeem(endpoints, form, purpose, Retry::Never, host).await?)
    }
}

impl Source for ClientCertificate {
    fn describe(&self) -> String {
        application::describe(&self.client)
    }

    /// The password is in it, so that a new one is tried at once where a wrong one was remembered.
    fn key(&self, key: &mut CredentialKey) {
        let Self { client, path: _, file, password } = self;
        application::key(client, key);
        key.field("certificate", &Fingerprint::of(file).to_string());
        let password = password.as_ref().map(|password| password.expose_secret().as_bytes());
        key.maybe("password", password.map(|bytes| Fingerprint::of(bytes).to_string()).as_deref());
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    /// One POST; one more, with a new assertion, if there was no answer or Entra was not well.
    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let certificate = Certificate::read(&self.file, self.password.as_ref(), &self.path)?;
            host.notes.note(&format!("signing with {certificate}"));
            let endpoints = self.client.endpoints(host).await?;
            let mut outcome = self.ask(&certificate, &endpoints, wanted, host).await;
            if outcome.as_ref().is_err_and(|error| error.kind() == Kind::Unavailable) {
                host.clock.pause(PAUSE);
                host.notes.note("asking once more, with a new assertion");
                outcome = self.ask(&certificate, &endpoints, wanted, host).await;
            }
            Ok(Granted { access_token: outcome?.access_token })
        })
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({}, {})", self.describe(), self.path.display())
    }
}

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use fleetkey_provider::HttpRequest;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{CLIENT, World, access_token, client, form, now, wanted},
    };

    const PEM: &str = include_str!("../../tests/data/pkcs8.pem");
    const PFX: &[u8] = include_bytes!("../../tests/data/aes.pfx");

    fn open(world: &World, path: &str, password: Option<&str>) -> Result<ClientCertificate> {
        let password = password.map(Into::into);
        let from = "`--client-certificate`";
        ClientCertificate::open(client(), path.into(), from, password, &world.host())
    }

    fn fingerprint(source: &ClientCertificate) -> Fingerprint {
        let mut key = CredentialKey::new("azure");
        source.key(&mut key);
        key.finish()
    }

    /// The id of the assertion that was sent.
    fn jti(request: &HttpRequest) -> String {
        let form = form(request);
        let (_, assertion) = form.split_once("client_assertion=").unwrap();
        let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        claims["jti"].as_str().unwrap().to_owned()
    }

    #[test]
    fn one_post_with_a_signed_assertion_gets_a_token() {
        for (name, file, password) in
            [("/c.pem", PEM.as_bytes(), None), ("/named.pem", PFX, Some("hunter2"))]
        {
            let world = World::default().file(name, file);
            world.entra_grants(&access_token(&json!({})), None);
            let source = open(&world, name, password).unwrap();
            let granted = now(source.obtain(&wanted(), &world.host())).unwrap();
            assert_eq!(granted.access_token.expose_secret(), access_token(&json!({})));
            let forms = world.forms();
            let [form] = &forms[..] else { panic!("{forms:?}") };
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let start = format!(
                "grant_type=client_credentials client_assertion_type={kind} client_assertion=ey"
            );
            assert!(form.starts_with(&start), "{form}");
            assert!(form.ends_with(&format!(" client_id={CLIENT} scope={AKS}/.default")), "{form}");
            assert!(matches!(world.http.requests()[0].retry, Retry::Never));
            let shown = format!("{source:?} {:?}", world.notes.lines());
            assert!(shown.contains("20F5C874A0191C8E8B24154403096007CA774BC9"), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("MII"), "{shown}");
        }
    }

    #[test]
    fn what_is_sent_again_has_an_assertion_of_its_own() {
        let world = World::default().file("/c.pem", PEM);
        world.http.answer(503, &[], "");
        world.entra_grants(&access_token(&json!({})), None);
        now(open(&world, "/c.pem", None).unwrap().obtain(&wanted(), &world.host())).unwrap();
        let requests = world.http.requests();
        assert_eq!(requests.len(), 2);
        assert_ne!(jti(&requests[0]), jti(&requests[1]));

        let world = World::default().file("/c.pem", PEM);
        world.http.answer(503, &[], "");
        world.http.answer(503, &[], "");
        let failed = now(open(&world, "/c.pem", None).unwrap().obtain(&wanted(), &world.host()));
        assert_eq!(failed.unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(world.http.requests().len(), 2);
    }

    #[test]
    fn a_refusal_is_not_asked_for_twice() {
        let world = World::default().file("/c.pem", PEM);
        let body = json!({ "error": "invalid_client", "error_codes": [700_027],
            "error_description": "AADSTS700027: The certificate is not registered." });
        world.http.answer(401, &[], &body.to_string());
        let refused = now(open(&world, "/c.pem", None).unwrap().obtain(&wanted(), &world.host()));
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(world.http.requests().len(), 1);
        // ours, as `openssl x509 -fingerprint` has it
        let thumbprint = "with thumbprint 20F5C874A0191C8E8B24154403096007CA774BC9";
        assert!(error.message().ends_with(thumbprint), "{error}");
        let advice = format!("; upload this certificate to application {CLIENT}");
        assert!(error.cause().unwrap().ends_with(&advice), "{error}");
    }

    #[test]
    fn the_key_is_of_the_bytes_and_the_password() {
        let world = World::default().file("/a", PEM).file("/b", PEM).file("/c", PFX);
        let of = |path, password| fingerprint(&open(&world, path, password).unwrap());
        assert_eq!(of("/a", None), of("/b", None));
        assert_ne!(of("/a", None), of("/c", None));
        assert_ne!(of("/c", Some("hunter2")), of("/c", Some("hunter3")));
    }

    #[test]
    fn a_file_that_is_missing_or_cannot_sign_costs_no_request() {
        let world = World::default().file("/c.pfx", PFX);
        let error = open(&world, "/missing.pem", None).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert_eq!(
            error.to_string(),
            "there is no certificate file `/missing.pem`: `--client-certificate` names it"
        );
        let source = open(&world, "/c.pfx", Some("hunter3")).unwrap();
        let error = now(source.obtain(&wanted(), &world.host())).unwrap_err();
        assert!(error.is_once() && error.kind() == Kind::Config, "{error}");
        assert!(world.http.requests().is_empty());
    }
}
