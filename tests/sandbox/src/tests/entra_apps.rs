//! Applications by themselves: secrets, certificates, other people's tokens, and keys that tokens are bound to.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};

use super::entra::{AKS, APP, Answer, PUBLIC, SCOPE, Stage, changed, sign};
use crate::entra::{App, ClientCertificate};
use crate::random;

const BASE: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("client_id", APP), ("scope", SCOPE)];
const ASSERTION: (&str, &str) =
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

#[test]
fn a_secret() {
    let stage = Stage::new();
    let ask = |form: &[(&str, &str)]| stage.token(&stage.contoso, &changed(&BASE, form));
    let answer = ask(&[("client_secret", "s3cret~")]);
    let claims = answer.claims();
    let now = stage.sandbox.now().as_second();
    assert_eq!(claims["aud"], AKS);
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", stage.contoso));
    assert_eq!((&claims["appid"], &claims["ver"]), (&json!(APP), &json!("1.0")));
    assert_eq!((&claims["idtyp"], &claims["appidacr"]), (&json!("app"), &json!("1")));
    assert_eq!(claims["oid"], stage.entra().object_id(APP, &stage.contoso));
    assert!((claims["exp"].as_i64().unwrap() - now - 75 * 60).abs() < 10, "{claims}");
    assert!(claims["nbf"].as_i64().unwrap() <= now - 290);
    assert_eq!(answer.body["expires_in"], 75 * 60 - 1);
    assert_eq!(answer.text("token_type"), "Bearer");
    // as recorded: four fields and no more
    assert_eq!(answer.body.as_object().unwrap().len(), 4, "{}", answer.body);

    let refusal = |form: &[(&str, &str)]| {
        let (status, error, code) = ask(form).refusal();
        assert_eq!(error, "invalid_client");
        (status, code)
    };
    assert_eq!(refusal(&[("client_secret", "s3cret")]), (401, 7_000_215));
    assert_eq!(refusal(&[]), (401, 7_000_218));
    stage.entra().app(App::new(&stage.contoso, APP).expired_secret("old").secret("new"));
    assert_eq!(refusal(&[("client_secret", "old")]), (401, 7_000_222));
    assert_eq!(ask(&[("client_secret", "new")]).status, 200);
    let public = |form: &[(&str, &str)]| refusal(&changed(&[("client_id", PUBLIC)], form));
    assert_eq!(public(&[("client_secret", "x")]), (401, 700_025));
    assert_eq!(public(&[]), (401, 7_000_218));
}

#[test]
fn the_older_endpoint_speaks_strings() {
    let stage = Stage::new();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", APP),
        ("client_secret", "s3cret~"),
        ("resource", AKS),
    ];
    let answer = stage.token_v1(&stage.contoso, &form);
    assert_eq!(
        answer.claims()["aud"],
        format!("spn:{AKS}"),
        "that is what kubelogin's --legacy is for"
    );
    assert_eq!(answer.text("expires_in"), (75 * 60 - 1).to_string());
    assert_eq!(answer.text("resource"), AKS);
    let on: i64 = answer.text("expires_on").parse().unwrap();
    assert!((answer.claims()["exp"].as_i64().unwrap() - on).abs() <= 1);
    let path = format!("/{}/oauth2/token", stage.contoso);
    assert_eq!(Answer::of(&stage.post(&path, &form)).claims()["aud"], AKS, "without the version");
    assert_eq!(
        stage.token_v1(&stage.contoso, &changed(&form, &[("resource", "")])).refusal().2,
        900_144
    );
    assert_eq!(
        stage.token_v1(&stage.contoso, &changed(&form, &[("resource", "x")])).refusal().2,
        500_011
    );
}

fn form(assertion: &str) -> Vec<(&str, &str)> {
    changed(&BASE, &[ASSERTION, ("client_assertion", assertion)])
}

/// A certificate that is registered for the app, and what MSAL would sign with it.
struct Signer<'a> {
    stage: &'a Stage,
    certificate: ClientCertificate,
}

impl<'a> Signer<'a> {
    fn new(stage: &'a Stage) -> Self {
        let certificate = ClientCertificate::new(30).unwrap();
        stage.entra().app(App::new(&stage.contoso, APP).certificate_pem(&certificate.pem()));
        Self { stage, certificate }
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.certificate_pem.as_bytes()).unwrap()
    }

    fn header(&self) -> Value {
        let print = URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der()));
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": print, "x5c": [STANDARD.encode(self.der())] })
    }

    fn claims(&self) -> Value {
        let now = self.stage.sandbox.now().as_second();
        let url = self.stage.entra().url();
        json!({
            "aud": format!("{url}/{}/oauth2/v2.0/token", self.stage.contoso),
            "iss": APP, "sub": APP, "jti": random::uuid(), "nbf": now, "exp": now + 600,
        })
    }

    /// What the newer endpoint says to the usual header and claims, changed so.
    fn ask(&self, header: &[(&str, Value)], claims: &[(&str, Value)]) -> Answer {
        let assertion = self.assertion(header, claims);
        self.stage.token(&self.stage.contoso, &form(&assertion))
    }

    fn assertion(&self, header: &[(&str, Value)], claims: &[(&str, Value)]) -> String {
        let change = |mut value: Value, changes: &[(&str, Value)]| {
            for (name, to) in changes {
                value[*name] = to.clone();
            }
            value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            value
        };
        let (header, claims) = (change(self.header(), header), change(self.claims(), claims));
        sign(&self.certificate.key_pem, &header, &claims)
    }
}

#[test]
fn an_assertion_of_its_own() {
    let stage = Stage::new();
    let signer = Signer::new(&stage);
    assert_eq!(signer.ask(&[], &[]).claims()["appidacr"], "2");
    let (sha1, sha256) =
        (digest(&SHA1_FOR_LEGACY_USE_ONLY, &signer.der()), digest(&SHA256, &signer.der()));
    let x5t = json!(URL_SAFE_NO_PAD.encode(sha1));
    let mine = || ("x5t", x5t.clone());
    for header in [
        &[("x5t#S256", json!(STANDARD.encode(sha256)))][..], // MSAL for Go
        &[("x5c", Value::Null)],
        &[("alg", json!("RS256"))],
        &[("x5t#S256", Value::Null), mine(), ("alg", json!("RS256"))],
        &[("x5t#S256", Value::Null), mine()],
        &[mine()],
    ] {
        assert_eq!(signer.ask(header, &[]).status, 200, "{header:?}");
    }
    let code = |header: &[(&str, Value)], claims: &[(&str, Value)]| {
        let (status, error, code) = signer.ask(header, claims).refusal();
        assert_eq!((status, error.as_str()), (401, "invalid_client"));
        code
    };
    let other = Signer { stage: &stage, certificate: ClientCertificate::new(30).unwrap() };
    let another = other.header();
    for header in [
        &[("x5t#S256", another["x5t#S256"].clone())][..],
        &[("x5t#S256", Value::Null)],
        &[("x5c", another["x5c"].clone())],
        &[("x5c", json!([]))],
        &[("alg", json!("RS512"))],
        &[("alg", json!("none"))],
        &[("x5t", json!(URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, b""))))],
    ] {
        assert_eq!(code(header, &[]), 700_027, "{header:?}");
    }
    let unknown = other.ask(&[], &[]);
    assert_eq!(unknown.refusal().2, 700_027);
    let print = random::hex(digest(&SHA256, &other.der()).as_ref()).to_ascii_uppercase();
    assert!(unknown.text("error_description").contains(&format!("'{print}'")), "{}", unknown.body);
    // the right thumbprint and the wrong key
    let right = signer.header();
    let forged = sign(&other.certificate.key_pem, &right, &signer.claims());
    assert_eq!(stage.token(&stage.contoso, &form(&forged)).refusal().2, 700_027);
    assert_eq!(code(&[("x5t#S256", json!("?"))], &[]), 50027);
}

#[test]
fn what_an_assertion_must_say() {
    let stage = Stage::new();
    let signer = Signer::new(&stage);
    let now = stage.sandbox.now().as_second();
    let url = format!("{}/{}", stage.entra().url(), stage.contoso);
    for claims in [
        &[("aud", json!(format!("{url}/oauth2/token")))][..],
        &[("nbf", json!(now + 240))],
        &[("nbf", json!(now - 60)), ("exp", json!(now + 86_000))],
        &[("nbf", Value::Null), ("iat", json!(now))],
    ] {
        assert_eq!(signer.ask(&[], claims).status, 200, "{claims:?}");
    }
    for (claims, code) in [
        (&[("aud", json!(url))][..], 700_023),
        (&[("aud", json!("https://login.microsoftonline.com/x/oauth2/v2.0/token"))], 700_023),
        (&[("aud", Value::Null)], 700_023),
        (&[("sub", json!(PUBLIC))], 700_021),
        (&[("iss", json!(PUBLIC))], 700_021),
        (&[("iss", Value::Null)], 700_021),
        (&[("exp", json!(now - 1))], 700_024),
        (&[("exp", json!(now + 86_500))], 700_024),
        (&[("nbf", json!(now + 400))], 700_024),
        (&[("exp", Value::Null)], 50027),
        (&[("exp", json!((now + 600).to_string()))], 50027),
        (&[("nbf", Value::Null)], 50027),
        (&[("jti", Value::Null)], 50027),
    ] {
        let refusal = signer.ask(&[], claims).refusal();
        assert_eq!(refusal, (401, "invalid_client".to_owned(), code), "{claims:?}");
    }
    let once = signer.assertion(&[], &[]);
    assert_eq!(stage.token(&stage.contoso, &form(&once)).status, 200);
    assert_eq!(stage.token(&stage.contoso, &form(&once)).refusal().2, 50013);

    let fresh = signer.assertion(&[], &[]);
    let form = form(&fresh);
    for (change, code) in [
        (("client_assertion_type", "jwt"), 9_002_313),
        (("client_assertion_type", ""), 900_144),
        (("client_secret", "s3cret~"), 9_002_313),
        (("client_assertion", "a.b.c"), 50027),
    ] {
        assert_eq!(
            stage.token(&stage.contoso, &changed(&form, &[change])).refusal().2,
            code,
            "{change:?}"
        );
    }
    stage.sandbox.advance(SignedDuration::from_hours(24 * 31));
    assert!(signer.ask(&[], &[]).text("error_description").contains("is expired"));
}

#[test]
fn the_older_endpoint_wants_an_older_assertion() {
    let stage = Stage::new();
    let signer = Signer::new(&stage);
    let x5t = json!(URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &signer.der())));
    let v1 = format!("{}/{}/oauth2/token?api-version=1.0", stage.entra().url(), stage.contoso);
    let ask = |header: &[(&str, Value)]| {
        let assertion = signer.assertion(header, &[("aud", json!(v1))]);
        let form = changed(&form(&assertion), &[("scope", ""), ("resource", AKS)]);
        stage.token_v1(&stage.contoso, &form)
    };
    let older = ("alg", json!("RS256"));
    assert_eq!(ask(&[older.clone(), ("x5t", x5t.clone())]).status, 200);
    assert_eq!(ask(&[older, ("x5c", Value::Null)]).refusal().2, 700_027);
    assert_eq!(ask(&[("x5t", x5t)]).refusal().2, 700_027);
}

#[test]
fn somebody_else_s_assertion() {
    let stage = Stage::new();
    let (issuer, subject, audience) =
        ("https://issuer.example", "repo:a/b:ref:main", "api://AzureADTokenExchange");
    stage.entra().app(App::new(&stage.contoso, APP).federated(issuer, subject, audience));
    let key = ClientCertificate::new(1).unwrap().key_pem;
    let now = stage.sandbox.now().as_second();
    let token = |changes: &[(&str, Value)]| {
        let mut claims = json!({ "iss": issuer, "sub": subject, "aud": [audience], "iat": now, "exp": now + 300 });
        for (name, to) in changes {
            claims[*name] = to.clone();
        }
        sign(&key, &json!({ "alg": "RS256", "kid": "1" }), &claims)
    };
    let ask = |assertion: &str| {
        stage.token(&stage.contoso, &changed(&BASE, &[ASSERTION, ("client_assertion", assertion)]))
    };
    let refusal = |changes: &[(&str, Value)]| ask(&token(changes)).refusal();
    let client = |code| (401, "invalid_client".to_owned(), code);
    assert_eq!(refusal(&[]), client(50013), "nobody vouches for that issuer");
    let known = token(&[("nbf", json!(now))]);
    stage.entra().trust_issuer(issuer, move |token| token != known);
    assert_eq!(ask(&token(&[])).claims()["appidacr"], "2");
    assert_eq!(ask(&token(&[])).status, 200, "it may be shown again");
    assert_eq!(ask(&token(&[("aud", json!(audience))])).status, 200);
    assert_eq!(refusal(&[("nbf", json!(now))]), client(50013));
    assert_eq!(refusal(&[("iss", json!("https://issuer.example/"))]), client(700_211));
    assert_eq!(refusal(&[("sub", json!("repo:a/b:ref:Main"))]), client(700_213));
    assert_eq!(refusal(&[("aud", json!("sts.amazonaws.com"))]), client(700_212));
    assert_eq!(refusal(&[("exp", json!(now - 1))]), client(700_024));
    assert_eq!(refusal(&[("iat", json!(now + 600))]), client(700_024));
    stage.entra().app(App::new(&stage.contoso, APP).secret("x"));
    assert_eq!(refusal(&[]), (400, "invalid_request".to_owned(), 70021));
}

#[test]
fn a_token_for_one_key() {
    let stage = Stage::new();
    let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"key"));
    let ask = |kind: &str, confirmation: &Value| {
        let confirmation = URL_SAFE_NO_PAD.encode(confirmation.to_string());
        let form =
            [("client_secret", "s3cret~"), ("token_type", kind), ("req_cnf", &*confirmation)];
        stage.token(&stage.contoso, &changed(&BASE, &form))
    };
    let good = json!({ "kid": kid, "xms_ksl": "sw" });
    let answer = ask("pop", &good);
    assert_eq!(answer.claims()["cnf"], good);
    assert_eq!(answer.text("token_type"), "Bearer", "as recorded");
    assert_eq!(ask("pop", &json!({ "kid": kid })).status, 200);
    assert!(ask("", &good).claims()["cnf"].is_null());
    for bad in
        [json!({}), json!("x"), json!({ "kid": "short" }), json!({ "kid": kid, "xms_ksl": "hw" })]
    {
        assert_eq!(ask("pop", &bad).refusal().2, 9_002_313, "{bad}");
    }
    assert_eq!(ask("mac", &good).refusal().2, 9_002_313);
    let form = [("client_secret", "s3cret~"), ("token_type", "pop")];
    assert_eq!(stage.token(&stage.contoso, &changed(&BASE, &form)).refusal().2, 900_144);
}
