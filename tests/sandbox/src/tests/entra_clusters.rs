//! Clusters that believe Entra: whose tokens get in, and whose do not.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::entra::{AKS, ALICE, APP, PUBLIC, SCOPE, Stage, changed, sign};
use crate::entra::{Caller, ClientCertificate, Person};
use crate::{AksCluster, AksRejection, Exec, Home, Route, random};

fn review(stage: &Stage, cluster: &AksCluster, token: &str) -> (u16, Value) {
    let url = format!("{}/apis/authentication.k8s.io/v1/selfsubjectreviews", cluster.server);
    let bearer = format!("Bearer {token}");
    let client = stage.sandbox.client().unwrap();
    let reply = client.send("POST", &url, &[("authorization", &bearer)], b"").unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

#[test]
fn whoever_has_a_token_of_the_tenant_gets_in() {
    let stage = Stage::new();
    let cluster = stage.sandbox.aks_cluster("demo", &stage.contoso).unwrap();
    let entra = stage.entra();
    entra.person(Person::new(ALICE, &[&stage.contoso, &stage.fabrikam]).group("g1"));
    let token = entra.access_token(&stage.contoso, AKS, &Caller::person(ALICE, PUBLIC));
    let (status, body) = review(&stage, &cluster, &token);
    let user = &body["status"]["userInfo"];
    assert_eq!((status, &user["username"]), (201, &json!(ALICE)));
    let oid = entra.object_id(ALICE, &stage.contoso);
    assert_eq!((&user["extra"]["oid"][0], &user["groups"][0]), (&json!(oid), &json!("g1")));
    let guest = &cluster.identities()[0];
    assert_eq!((guest.name.as_str(), guest.oid.as_str()), (ALICE, oid.as_str()));
    assert_eq!((guest.tid.as_str(), guest.appid.as_str()), (stage.contoso.as_str(), PUBLIC));

    let app = entra.access_token(&stage.contoso, AKS, &Caller::app(APP, "oid-7"));
    assert_eq!(cluster.verify(&app).unwrap().name, "oid-7");
    let abroad = stage.sandbox.aks_cluster("abroad", &stage.fabrikam).unwrap();
    let guest = entra.access_token(&stage.fabrikam, AKS, &Caller::person(ALICE, PUBLIC));
    assert_eq!(abroad.verify(&guest).unwrap().name, entra.object_id(ALICE, &stage.fabrikam));
    let log = stage.sandbox.requests();
    assert_eq!((log[0].service.as_str(), log[0].caller.as_deref()), ("api:demo", Some(ALICE)));
    assert_eq!(stage.sandbox.count(Route::Api), 1);
}

#[test]
fn nobody_else_does() {
    let stage = Stage::new();
    let cluster = stage.sandbox.aks_cluster("demo", "contoso.com").unwrap();
    let entra = stage.entra();
    let alice = Caller::person(ALICE, PUBLIC);
    let mint = |tenant: &str, server: &str| entra.access_token(tenant, server, &alice);
    let good = mint(&stage.contoso, AKS);
    let rejected = |token: &str| cluster.verify(token).unwrap_err();
    assert_eq!(
        rejected(&mint(&stage.fabrikam, AKS)),
        AksRejection::Issuer(format!("https://sts.windows.net/{}/", stage.fabrikam))
    );
    assert_eq!(rejected(&mint(&stage.contoso, "other")), AksRejection::Audience("other".into()));
    let old = mint(&stage.contoso, &format!("spn:{AKS}"));
    assert_eq!(rejected(&old), AksRejection::LegacyAudience);
    assert_eq!(rejected("k8s-aws-v1.aHR0cHM6Ly9zdHM"), AksRejection::Malformed);
    assert_eq!(rejected(&format!("{good}=")), AksRejection::Malformed);
    assert_eq!(rejected(&format!("{good}A")), AksRejection::Signature);
    let mut parts: Vec<&str> = good.split('.').collect();
    let other = mint(&stage.contoso, AKS);
    parts[1] = other.split('.').nth(1).unwrap();
    assert_eq!(rejected(&parts.join(".")), AksRejection::Signature);
    let stranger = Stage::new();
    let foreign = stranger.entra().access_token(&stage.contoso, AKS, &alice);
    assert_eq!(rejected(&foreign), AksRejection::UnknownKey);
    let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), parts[1]);
    assert_eq!(rejected(&none), AksRejection::Algorithm);
    stage.sandbox.advance(SignedDuration::from_mins(-6));
    assert_eq!(rejected(&good), AksRejection::NotYetValid);
    stage.sandbox.advance(SignedDuration::from_mins(6 + 76));
    assert_eq!(rejected(&good), AksRejection::Expired);
    entra.lifetime(Duration::from_hours(24));
    assert!(cluster.verify(&mint(&stage.contoso, AKS)).is_ok());

    let reply =
        stage.sandbox.client().unwrap().get(&format!("{}/api", cluster.server), &[]).unwrap();
    assert_eq!((reply.status, cluster.rejections()), (401, vec![AksRejection::Anonymous]));
    let legacy = stage.sandbox.aks_cluster("legacy", "contoso.com").unwrap().legacy();
    let old = mint(&stage.contoso, &format!("spn:{AKS}"));
    assert!(legacy.verify(&old).is_ok() && legacy.verify(&mint(&stage.contoso, AKS)).is_ok());
    let own = "55555555-5555-5555-5555-555555555555";
    let own_server = stage.sandbox.aks_cluster("own", "contoso.com").unwrap().with_server_id(own);
    assert!(own_server.verify(&mint(&stage.contoso, own)).is_ok());
    assert_eq!(
        own_server.verify(&mint(&stage.contoso, AKS)),
        Err(AksRejection::Audience(AKS.into()))
    );
    assert_eq!(review(&stage, &own_server, &mint(&stage.contoso, own)).0, 201);
}

/// A key, and the envelopes it makes.
struct Envelopes<'a> {
    stage: &'a Stage,
    key_pem: String,
    jwk: Value,
    thumbprint: String,
}

impl<'a> Envelopes<'a> {
    fn new(stage: &'a Stage) -> Self {
        use aws_lc_rs::signature::KeyPair as _;
        use rustls::pki_types::pem::PemObject;
        let key_pem = ClientCertificate::new(1).unwrap().key_pem;
        let der =
            rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()).unwrap();
        let key = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        let public = key.public_key().as_ref();
        // RSAPublicKey of 2048 bits and exponent 65537 always looks like this
        let n = URL_SAFE_NO_PAD.encode(&public[9..9 + 256]);
        let canonical = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{n}"}}"#);
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        let jwk = json!({ "e": "AQAB", "kty": "RSA", "n": n, "alg": "RS256", "kid": thumbprint });
        Self { stage, key_pem, jwk, thumbprint }
    }

    /// An access token that is bound to the key.
    fn bound(&self) -> String {
        let confirmation = json!({ "kid": self.thumbprint, "xms_ksl": "sw" }).to_string();
        let confirmation = URL_SAFE_NO_PAD.encode(confirmation);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", APP),
            ("client_secret", "s3cret~"),
            ("scope", SCOPE),
            ("token_type", "pop"),
            ("req_cnf", &confirmation),
        ];
        self.stage.token(&self.stage.contoso, &changed(&form, &[])).text("access_token")
    }

    fn envelope(&self, header: &[(&str, Value)], claims: &[(&str, Value)]) -> String {
        let change = |mut value: Value, changes: &[(&str, Value)]| {
            for (name, to) in changes {
                value[*name] = to.clone();
            }
            value
        };
        let now = self.stage.sandbox.now().as_second();
        let usual = json!({ "typ": "pop", "alg": "RS256", "kid": self.thumbprint });
        let said = json!({
            "at": self.bound(), "ts": now, "u": "host.example", "cnf": { "jwk": self.jwk },
            "nonce": random::hex(&random::bytes(16)),
        });
        sign(&self.key_pem, &change(usual, header), &change(said, claims))
    }
}

#[test]
fn an_envelope_for_a_cluster_that_wants_one() {
    let stage = Stage::new();
    let cluster =
        stage.sandbox.aks_cluster("arc", &stage.contoso).unwrap().pop_host("host.example");
    let (mine, other) = (Envelopes::new(&stage), Envelopes::new(&stage));
    let token = mine.envelope(&[], &[("nonce", json!("n1"))]);
    assert_eq!(review(&stage, &cluster, &token).0, 201);
    assert_eq!(review(&stage, &cluster, &token).0, 201, "kubectl shows one token many times");
    let wrong = |header: &[(&str, Value)], claims: &[(&str, Value)]| match cluster
        .verify(&mine.envelope(header, claims))
        .unwrap_err()
    {
        AksRejection::BadEnvelope(why) => why,
        rejection => panic!("{rejection}"),
    };
    let now = stage.sandbox.now().as_second();
    for (claims, why) in [
        (("nonce", json!("n1")), "its nonce came in another envelope before"),
        (("nonce", json!("")), "no nonce"),
        (("u", json!("other.example")), "u is another host"),
        (("u", Value::Null), "no u"),
        (("at", Value::Null), "no at"),
        (("at", json!(other.bound())), "the token within is bound to another key"),
        (("ts", json!(now - 16 * 60)), "ts is not within 15 minutes of now"),
        (("ts", json!(now + 16 * 60)), "ts is not within 15 minutes of now"),
        (("ts", json!(now.to_string())), "no ts"),
        (("cnf", json!({ "jwk": other.jwk })), "kid is not the thumbprint of cnf.jwk"),
        (("cnf", json!({ "kid": mine.thumbprint })), "cnf.jwk is no RSA key"),
    ] {
        assert_eq!(wrong(&[], &[claims]), why);
    }
    assert_eq!(wrong(&[("kid", json!("x"))], &[]), "kid is not the thumbprint of cnf.jwk");
    assert_eq!(wrong(&[("alg", json!("PS256"))], &[]), "alg is not RS256");
    let theirs = [("cnf", json!({ "jwk": other.jwk }))];
    assert_eq!(wrong(&[("kid", json!(other.thumbprint))], &theirs), "cnf.jwk did not sign it");
    let unbound = stage.entra().access_token(&stage.contoso, AKS, &Caller::app(APP, "o"));
    let inside = wrong(&[], &[("at", json!(unbound))]);
    assert_eq!(inside, "the token within is bound to another key");

    assert_eq!(cluster.verify(&mine.bound()), Err(AksRejection::NoEnvelope));
    let plain = stage.sandbox.aks_cluster("plain", &stage.contoso).unwrap();
    assert_eq!(plain.verify(&token), Err(AksRejection::Envelope));
    stage.sandbox.advance(SignedDuration::from_mins(16));
    assert!(matches!(cluster.verify(&token), Err(AksRejection::BadEnvelope(_))));
}

#[test]
fn one_kubeconfig_for_both_clouds() {
    let stage = Stage::new();
    let home = Home::temporary().unwrap();
    let (aks, eks) = (
        stage.sandbox.aks_cluster("a", &stage.contoso).unwrap(),
        stage.sandbox.cluster("e").unwrap(),
    );
    let exec = Exec::new("fleetkey", ["get-token"]);
    let contexts: [(&str, &dyn crate::Endpoint, &Exec); 2] =
        [("a", &aks, &exec), ("e", &eks, &exec)];
    let path = home.kubeconfig_at(".kube/config", &contexts).unwrap();
    let config: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(config["clusters"][0]["cluster"]["server"], aks.server);
    assert_eq!(config["clusters"][1]["cluster"]["server"], eks.server);
    home.kubeconfig(&aks, &exec).unwrap();
}
