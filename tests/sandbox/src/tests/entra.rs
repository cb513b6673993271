//! What the tests of Entra share: a tenant with somebody in it, and a client that sends exactly what it is told.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::entra::{App, Entra, Person};
use crate::{Reply, Sandbox};

pub(super) const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// `AKS/.default` and what MSAL asks for besides.
pub(super) const SCOPE: &str =
    "6dae42f8-4368-4678-94ff-3960e28e3630/.default openid offline_access profile";
/// The client of AKS, which every tenant knows.
pub(super) const PUBLIC: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";
pub(super) const APP: &str = "33333333-3333-3333-3333-333333333333";
pub(super) const ALICE: &str = "alice@contoso.com";

/// Alice of Contoso, who is a guest of Fabrikam; and an app with a secret.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) contoso: String,
    pub(super) fabrikam: String,
}

impl Stage {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let entra = sandbox.entra();
        let [contoso, fabrikam] = ["contoso.com", "fabrikam.com"].map(|name| entra.tenant(name));
        entra.person(Person::new(ALICE, &[&contoso, &fabrikam]).password("pass word&+%"));
        entra.app(App::new(&contoso, APP).secret("s3cret~"));
        Self { sandbox, contoso, fabrikam }
    }

    pub(super) fn entra(&self) -> &Entra {
        self.sandbox.entra()
    }

    /// A POST of a form to a path of the authority.
    pub(super) fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let url = format!("{}{path}", self.entra().url());
        let headers = [("content-type", "application/x-www-form-urlencoded;charset=utf-8")];
        self.sandbox.client().unwrap().send("POST", &url, &headers, body.as_bytes()).unwrap()
    }

    /// The newer token endpoint of a tenant.
    pub(super) fn token(&self, tenant: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(&self.post(&format!("/{tenant}/oauth2/v2.0/token"), form))
    }

    /// The older one, as kubelogin's --legacy asks it.
    pub(super) fn token_v1(&self, tenant: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(&self.post(&format!("/{tenant}/oauth2/token?api-version=1.0"), form))
    }
}

/// What a token endpoint said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn of(reply: &Reply) -> Self {
        Self { status: reply.status, body: serde_json::from_slice(&reply.body).unwrap() }
    }

    /// A text that must be there.
    #[track_caller]
    pub(super) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    /// Status, `error` and number of a refusal.
    #[track_caller]
    pub(super) fn refusal(&self) -> (u16, String, u64) {
        assert!(self.body["access_token"].is_null(), "{}", self.body);
        let code = self.body["error_codes"][0].as_u64().unwrap();
        assert!(self.text("error_description").starts_with(&format!("AADSTS{code}: ")));
        (self.status, self.text("error"), code)
    }

    /// What the access token says.
    #[track_caller]
    pub(super) fn claims(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        claims(&self.text("access_token"))
    }
}

/// A form with some of its fields replaced, added, or, where they are empty, left out.
pub(super) fn changed<'a>(
    form: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = form.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

/// What a JWT says, believed or not.
pub(super) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A JWT with any header and claims, signed as its header says.
pub(super) fn sign(key_pem: &str, header: &Value, claims: &Value) -> String {
    let key = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
        if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    key.sign(padding, &SystemRandom::new(), unsigned.as_bytes(), &mut signature).unwrap();
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Recordings of other programs; none in a fresh clone, which is said.
pub(super) fn recording(name: &str) -> Option<String> {
    let folder = std::env::var_os("FLEETKEY_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        Into::into,
    );
    let text = std::fs::read_to_string(folder.join("azure").join(name)).ok();
    if text.is_none() {
        println!("skipped: there is no {name} among the fixtures");
    }
    text
}

#[test]
fn every_request_has_a_shape() {
    let stage = Stage::new();
    let contoso = &stage.contoso;
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", APP),
        ("client_secret", "s3cret~"),
        ("scope", SCOPE),
    ];
    let refusal = |tenant: &str, changes: &[(&str, &str)]| {
        stage.token(tenant, &changed(&good, changes)).refusal()
    };
    let expect = |error: &str, code| (400, error.to_owned(), code);
    let nowhere = "00000000-0000-0000-0000-00000000dead";
    for (tenant, changes, error, code) in [
        (nowhere, &[][..], "invalid_request", 90002),
        ("nonsense", &[], "invalid_request", 900_023),
        ("unknown.example.com", &[], "invalid_request", 90002),
        ("organizations", &[], "invalid_request", 50059),
        (contoso, &[("grant_type", "")], "invalid_request", 900_144),
        (contoso, &[("grant_type", "implicit")], "unsupported_grant_type", 70003),
        (contoso, &[("client_id", "")], "invalid_request", 900_144),
        (contoso, &[("client_id", nowhere)], "unauthorized_client", 700_016),
        (&stage.fabrikam, &[], "unauthorized_client", 700_016),
        (contoso, &[("scope", AKS)], "invalid_scope", 70011),
        (contoso, &[("scope", "")], "invalid_scope", 70011),
        (contoso, &[("claims", "x")], "invalid_request", 9_002_313),
    ] {
        assert_eq!(refusal(tenant, changes), expect(error, code), "{tenant} {changes:?}");
    }
    let unknown = format!("{nowhere}/.default");
    assert_eq!(refusal(contoso, &[("scope", &unknown)]), expect("invalid_resource", 500_011));
    stage.entra().server(contoso, nowhere);
    assert_eq!(
        stage.token(contoso, &changed(&good, &[("scope", &unknown)])).claims()["aud"],
        nowhere
    );

    assert_eq!(stage.token("contoso.com", &good).status, 200, "a tenant has a name, too");
    let mut twice = good.to_vec();
    twice.push(("client_id", APP));
    assert_eq!(stage.token(contoso, &twice).refusal(), expect("invalid_request", 9_002_313));

    let url = format!("{}/{contoso}/oauth2/v2.0/token", stage.entra().url());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(good).finish();
    let client = stage.sandbox.client().unwrap();
    let get = client.get(&format!("{url}?{body}"), &[]).unwrap();
    assert_eq!(Answer::of(&get).refusal(), expect("invalid_request", 900_561));
    for (kind, url) in [
        ("application/json", url.clone()),
        ("application/x-www-form-urlencoded", format!("{url}?{body}")),
    ] {
        let body = if kind == "application/json" { body.as_bytes() } else { b"" };
        let reply = client.send("POST", &url, &[("content-type", kind)], body).unwrap();
        assert_eq!(Answer::of(&reply).refusal(), expect("invalid_request", 900_144), "{url}");
    }
    let doubled = stage.post(&format!("//{contoso}/oauth2/v2.0/token"), &good);
    assert_eq!(doubled.status, 404);
    assert_eq!(stage.sandbox.count(crate::Route::Entra), 1);
}

#[test]
fn a_refusal_names_the_request() {
    let stage = Stage::new();
    let url = format!("{}/{}/oauth2/v2.0/token", stage.entra().url(), stage.contoso);
    let ask = |id: &str| {
        let client = stage.sandbox.client().unwrap();
        client.send("POST", &url, &[("client-request-id", id)], b"").unwrap()
    };
    let id = "01234567-89ab-cdef-0123-456789abcdef";
    let reply = ask(id);
    assert_eq!(Answer::of(&reply).text("correlation_id"), id);
    assert_eq!(reply.header("client-request-id"), Some(id));
    assert_eq!(reply.header("cache-control"), Some("no-store, no-cache"));
    assert_ne!(Answer::of(&ask("mine")).text("correlation_id"), "mine");
    let recorded = stage.sandbox.requests();
    assert_eq!(recorded[0].error.as_deref(), Some("AADSTS900144"));
}

#[test]
fn no_secret_is_in_the_log() {
    let stage = Stage::new();
    let secrets = [
        "client_secret",
        "client_assertion",
        "password",
        "refresh_token",
        "code",
        "device_code",
        "code_verifier",
    ];
    let form = secrets.map(|name| (name, "hunter2"));
    stage.token(&stage.contoso, &form);
    let log = format!("{:?}", stage.sandbox.requests());
    assert!(log.contains("code_verifier") && !log.contains("hunter2"), "{log}");
}

#[test]
fn where_everything_is() {
    let stage = Stage::new();
    let (url, contoso) = (stage.entra().url(), &stage.contoso);
    let client = stage.sandbox.client().unwrap();
    let get = |url: &str| Answer::of(&client.get(url, &[]).unwrap());
    let found = get(&format!("{url}/{contoso}/v2.0/.well-known/openid-configuration"));
    assert_eq!(found.text("token_endpoint"), format!("{url}/{contoso}/oauth2/v2.0/token"));
    assert_eq!(found.text("issuer"), format!("{url}/{contoso}/v2.0"));
    if let Some(recorded) = recording("kubelogin_client_secret_credential.yaml") {
        let recorded = recorded.lines().find(|line| line.contains("\"token_endpoint\"")).unwrap();
        let recorded = recorded.trim().trim_start_matches("body: '").trim_end_matches('\'');
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        for (name, value) in found.body.as_object().unwrap() {
            let here = value.to_string().replace(&url, "https://login.microsoftonline.com");
            let here = here.replace(contoso.as_str(), "00000000-0000-0000-0000-000000000000");
            assert_eq!(here, recorded[name].to_string(), "{name}");
        }
    }
    let keys = get(&found.text("jwks_uri"));
    let key = &keys.body["keys"][0];
    assert_eq!((&key["kty"], &key["e"]), (&json!("RSA"), &json!("AQAB")));
    assert_eq!(URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap().len(), 256);

    let organizations = get(&format!("{url}/organizations/v2.0/.well-known/openid-configuration"));
    assert_eq!(organizations.text("issuer"), format!("{url}/{{tenantid}}/v2.0"));
    let missing = get(&format!("{url}/nowhere.example.com/v2.0/.well-known/openid-configuration"));
    assert_eq!(missing.refusal().2, 90002);

    let instance = |host: &str| {
        get(&format!(
            "{url}/common/discovery/instance?api-version=1.1&authorization_endpoint={host}%2F{contoso}%2Foauth2%2Fv2.0%2Fauthorize"
        ))
    };
    let known = instance("https%3A%2F%2Flogin.microsoftonline.com");
    assert!(
        known
            .text("tenant_discovery_endpoint")
            .ends_with(&format!("/{contoso}/v2.0/.well-known/openid-configuration"))
    );
    assert_eq!(instance(&url.replace('/', "%2F").replace(':', "%3A")).status, 200);
    assert_eq!(
        instance("https%3A%2F%2Fevil.example.com").refusal(),
        (400, "invalid_instance".into(), 50049)
    );

    stage.entra().person(Person::new("bob@corp.example", &[contoso]).federated());
    let realm = |user: &str| get(&format!("{url}/common/UserRealm/{user}?api-version=1.0"));
    assert_eq!(realm("alice%40contoso.com").text("account_type"), "Managed");
    assert_eq!(realm("bob@corp.example").text("account_type"), "Federated");
    assert_eq!(realm("nobody@contoso.com").text("account_type"), "Unknown");
    assert_eq!(stage.sandbox.count(crate::Route::EntraRealm), 3);
    assert_eq!(stage.sandbox.count(crate::Route::EntraDiscovery), 7);
}
