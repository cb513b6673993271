use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::Signer;
use super::azure::value;
use crate::client::Reply;
use crate::{ContainerToken, Fault, Home, Route, Sandbox};

const ROLE: &str = "arn:aws:iam::444455556666:role/team/node";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

fn get(sandbox: &Sandbox, url: &str, headers: &[(&str, &str)]) -> Reply {
    sandbox.client().unwrap().get(url, headers).unwrap()
}

/// Who a cluster says the credentials of an answer are.
fn who(sandbox: &Sandbox, reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let signer = Signer {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("Token")),
    };
    let expires: jiff::Timestamp = text("Expiration").parse().unwrap();
    assert!(expires > sandbox.now());
    let token = signer.token("demo", sandbox.now());
    sandbox.cluster("demo").unwrap().verify(&token).unwrap().identity.arn
}

/// An instance, reached as a client of its metadata service would.
struct Instance {
    sandbox: Sandbox,
    url: String,
}

impl Instance {
    fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let env = sandbox.instance_environment().unwrap();
        assert_eq!(value(&env, "AWS_EC2_METADATA_DISABLED"), "false");
        let url = value(&env, "AWS_EC2_METADATA_SERVICE_ENDPOINT").to_owned();
        Self { sandbox, url }
    }

    fn put(&self, headers: &[(&str, &str)]) -> Reply {
        let url = format!("{}/latest/api/token", self.url);
        self.sandbox.client().unwrap().send("PUT", &url, headers, b"").unwrap()
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        get(&self.sandbox, &format!("{}/latest/{path}", self.url), headers)
    }

    fn ask(&self, path: &str) -> Reply {
        let token = self.put(&[(TTL, "21600")]).text();
        self.get(path, &[("x-aws-ec2-metadata-token", &token)])
    }
}

const ROLES: &str = "meta-data/iam/security-credentials/";

#[test]
fn an_instance_has_a_role_and_a_place() {
    let instance = Instance::new();
    instance.sandbox.instance(ROLE);
    instance.sandbox.instance_region("eu-west-3");
    assert_eq!(instance.ask(ROLES).text(), "node");
    let path = format!("{ROLES}node");
    let first = instance.ask(&path);
    assert_eq!(first.header("content-type"), Some("text/plain"));
    let body: Value = serde_json::from_slice(&first.body).unwrap();
    assert_eq!((&body["Code"], &body["Type"]), (&"Success".into(), &"AWS-HMAC".into()));
    assert_eq!(
        who(&instance.sandbox, &first),
        "arn:aws:sts::444455556666:assumed-role/node/i-0123456789abcdef0"
    );
    let key = |reply: &Reply| {
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["AccessKeyId"].as_str().unwrap().to_owned()
    };
    assert_eq!(key(&instance.ask(&path)), key(&first));
    instance.sandbox.advance(SignedDuration::from_mins(356));
    assert_ne!(key(&instance.ask(&path)), key(&first));

    assert_eq!(instance.ask("meta-data/placement/region").text(), "eu-west-3");
    assert_eq!(instance.ask("meta-data/placement/availability-zone/").text(), "eu-west-3a");
    let document: Value =
        serde_json::from_slice(&instance.ask("dynamic/instance-identity/document").body).unwrap();
    assert_eq!(document["region"], "eu-west-3");
    let count = |route| instance.sandbox.count(route);
    assert_eq!((count(Route::InstanceRole), count(Route::InstanceCredentials)), (1, 3));
    assert_eq!((count(Route::InstanceToken), count(Route::Instance)), (7, 3));
}

#[test]
fn an_instance_without_a_role_says_so() {
    let instance = Instance::new();
    assert_eq!(instance.ask(ROLES).status, 404);
    assert_eq!(instance.ask(&format!("{ROLES}node")).status, 404);
    instance.sandbox.instance(ROLE);
    assert_eq!(instance.ask(&format!("{ROLES}other")).status, 404);
    instance.sandbox.instance_without_role();
    assert_eq!(instance.ask(ROLES).status, 404);
    assert_eq!(instance.ask("meta-data/placement/region").text(), "us-east-1");
    assert_eq!(instance.ask("meta-data/ami-id").status, 404);
}

#[test]
fn an_instance_wants_a_session_and_no_proxy() {
    let instance = Instance::new();
    instance.sandbox.instance(ROLE);
    let token = instance.put(&[(TTL, "60")]);
    assert_eq!((token.status, token.header(TTL)), (200, Some("60")));
    let token = token.text();
    let held = [("x-aws-ec2-metadata-token", token.as_str())];
    assert_eq!(instance.get(ROLES, &held).status, 200);
    for headers in
        [&[][..], &[("x-aws-ec2-metadata-token", "")], &[("x-aws-ec2-metadata-token", "x")]]
    {
        assert_eq!(instance.get(ROLES, headers).status, 401);
    }
    for lifetime in ["0", "21601", "-1", "soon", ""] {
        assert_eq!(instance.put(&[(TTL, lifetime)]).status, 400, "{lifetime}");
    }
    assert_eq!(instance.put(&[]).status, 400);
    assert_eq!(instance.put(&[(TTL, "60"), ("X-Forwarded-For", "10.0.0.1")]).status, 403);
    assert_eq!(instance.get(ROLES, &[held[0], ("X-Forwarded-For", "10.0.0.1")]).status, 403);
    assert_eq!(instance.get("api/token", &held).status, 405);
    instance.sandbox.advance(SignedDuration::from_secs(60));
    assert_eq!(instance.get(ROLES, &held).status, 401);
    instance.sandbox.script(Route::InstanceToken, [Fault::status(403, "")]);
    assert_eq!(instance.put(&[(TTL, "60")]).status, 403);
    assert!(!format!("{:?}", instance.sandbox.requests()).contains(&token));
}

#[test]
fn a_container_proves_which_it_is() {
    let sandbox = Sandbox::start().unwrap();
    let home = Home::temporary().unwrap();
    let file = home.join("token");
    let mut sent = Vec::new();
    for token in
        [ContainerToken::Variable, ContainerToken::File(file.clone()), ContainerToken::None]
    {
        let env = sandbox.container_environment(ROLE, &token).unwrap();
        let url = value(&env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let secret = match token {
            ContainerToken::None => None,
            ContainerToken::Variable => {
                Some(value(&env, "AWS_CONTAINER_AUTHORIZATION_TOKEN").to_owned())
            }
            ContainerToken::File(path) => {
                assert_eq!(
                    value(&env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
                    path.to_str().unwrap()
                );
                Some(std::fs::read_to_string(path).unwrap())
            }
        };
        let headers: Vec<_> =
            secret.iter().map(|secret| ("Authorization", secret.as_str())).collect();
        let reply = get(&sandbox, url, &headers);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((&body["RoleArn"], &body["AccountId"]), (&ROLE.into(), &"444455556666".into()));
        assert!(who(&sandbox, &reply).starts_with("arn:aws:sts::444455556666:assumed-role/node/"));
        assert_eq!(get(&sandbox, &format!("{url}0"), &headers).status, 400);
        assert_eq!(get(&sandbox, url, &[("Authorization", "guess")]).status, 401);
        if secret.is_some() {
            assert_eq!(get(&sandbox, url, &[]).status, 401);
        }
        sent.extend(secret);
    }
    assert_ne!(sent[0], sent[1]);
    assert_eq!(sandbox.count(Route::Container), 11);
    assert!(!format!("{:?}", sandbox.requests()).contains(&sent[0]));
}

#[test]
fn a_pod_is_what_its_service_account_is() {
    let sandbox = Sandbox::start().unwrap();
    let home = Home::temporary().unwrap();
    sandbox.pod_identity(SUBJECT, ROLE);
    let token = |subject, minutes| {
        sandbox.pod_identity_token(subject, SignedDuration::from_mins(minutes)).unwrap()
    };
    let good = token(SUBJECT, 10);
    let path = home.pod_identity_token(&good).unwrap();
    let env = sandbox.pod_identity_environment(&path).unwrap();
    assert_eq!(value(&env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), path.to_str().unwrap());
    let url = value(&env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/v1/credentials"));
    let ask = |token: &str| get(&sandbox, url, &[("Authorization", token)]);
    let lent = who(&sandbox, &ask(&good));
    assert!(lent.starts_with("arn:aws:sts::444455556666:assumed-role/node/eks-sandbox-"), "{lent}");

    let refused = |token: &str| {
        let reply = ask(token);
        assert_eq!(reply.header("content-type"), Some("text/plain"));
        (reply.status, reply.text())
    };
    assert_eq!(refused("").0, 400);
    assert_eq!(refused("no.token").0, 400);
    assert_eq!(refused(&format!("Bearer {good}")).0, 400);
    let (status, words) = refused(&token("system:serviceaccount:ci:other", 10));
    assert!(status == 404 && words.contains("(ResourceNotFoundException)"), "{words}");
    let elsewhere = sandbox.web_identity_token(SUBJECT, SignedDuration::from_mins(10)).unwrap();
    assert!(refused(&elsewhere).1.contains("(InvalidTokenException)"));
    let stranger = Sandbox::start().unwrap();
    let stranger = stranger.pod_identity_token(SUBJECT, SignedDuration::from_mins(10)).unwrap();
    assert_eq!(refused(&stranger).0, 400);
    let unknown = url.replace("/v1/", "/v2/");
    assert_eq!(get(&sandbox, &unknown, &[("Authorization", &good)]).status, 404);
    let localhost = url.replace("127.0.0.1", "localhost");
    assert_eq!(get(&sandbox, &localhost, &[("Authorization", &good)]).status, 403);

    sandbox.advance(SignedDuration::from_mins(10));
    let (status, words) = refused(&good);
    assert!(status == 400 && words.contains("token is expired"), "{words}");
    let rotated = token(SUBJECT, 10);
    home.pod_identity_token(&rotated).unwrap();
    assert_eq!(ask(&std::fs::read_to_string(path).unwrap()).status, 200);
    assert_eq!(sandbox.count(Route::PodIdentity), 11);
}

#[test]
fn credentials_of_machines_end_when_the_test_says() {
    let instance = Instance::new();
    instance.sandbox.instance(ROLE);
    instance.sandbox.credential_lifetime(Some(Duration::from_mins(20)));
    let body: Value = serde_json::from_slice(&instance.ask(&format!("{ROLES}node")).body).unwrap();
    let expires: jiff::Timestamp = body["Expiration"].as_str().unwrap().parse().unwrap();
    assert!(expires.duration_since(instance.sandbox.now()) <= SignedDuration::from_mins(20));
}
