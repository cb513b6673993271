use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::{ROLE, Signer};
use crate::{Cluster, Rejection, Route, Sandbox};

fn get(
    sandbox: &Sandbox,
    cluster: &Cluster,
    method: &str,
    path: &str,
    token: &str,
) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let reply = sandbox
        .client()
        .unwrap()
        .send(method, &format!("{}{path}", cluster.server), &headers, b"")
        .unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

#[test]
fn whoever_has_a_token_for_this_cluster_gets_in() {
    let sandbox = Sandbox::start().unwrap();
    let [demo, other] = ["demo", "other"].map(|name| sandbox.cluster(name).unwrap());
    let session = sandbox.session(ROLE, "me", Duration::from_hours(1));
    let token = Signer::from(&session).token("demo", sandbox.now());
    let review = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (status, body) = get(&sandbox, &demo, "POST", review, &token);
    let user = &body["status"]["userInfo"];
    assert_eq!((status, &user["username"]), (201, &"arn:aws:iam::444455556666:role/admin".into()));
    assert_eq!(user["extra"]["accessKeyId"][0], session.access_key_id);
    assert_eq!(user["extra"]["sessionName"][0], "me");
    assert_eq!(demo.identities()[0].access_key_id, session.access_key_id);

    let (status, body) = get(&sandbox, &other, "GET", "/version", &token);
    assert_eq!((status, body["reason"].as_str()), (401, Some("Unauthorized")));
    assert!(
        matches!(&other.rejections()[0], Rejection::Sts(words) if words.starts_with("SignatureDoesNotMatch"))
    );
    assert!(other.identities().is_empty());
    assert_eq!(sandbox.count(Route::Api), 2);
    assert!(
        sandbox
            .requests()
            .iter()
            .any(|request| request.service == "api:other" && request.status == Some(401))
    );
}

#[test]
fn nobody_else_does() {
    let sandbox = Sandbox::start().unwrap();
    let demo = sandbox.cluster("demo").unwrap();
    let session = sandbox.session(ROLE, "me", Duration::from_mins(20));
    let signer = Signer::from(&session);
    let rejected = |token: &str| demo.verify(token).unwrap_err();
    assert!(demo.verify(&signer.token("demo", sandbox.now())).is_ok());
    let stranger = Signer { token: Some("other".into()), ..signer.clone() };
    assert!(
        rejected(&stranger.token("demo", sandbox.now()))
            .to_string()
            .contains("InvalidClientTokenId")
    );
    let soon = sandbox.now().checked_add(SignedDuration::from_mins(16)).unwrap();
    assert!(rejected(&signer.token("demo", soon)).to_string().contains("not yet current"));
    let token = signer.token("demo", sandbox.now());
    sandbox.advance(SignedDuration::from_mins(16));
    assert_eq!(rejected(&token), Rejection::TooOld);
    sandbox.advance(SignedDuration::from_mins(5));
    assert!(rejected(&signer.token("demo", sandbox.now())).to_string().contains("ExpiredToken"));
    let reply = sandbox.client().unwrap().get(&format!("{}/api", demo.server), &[]).unwrap();
    assert_eq!((reply.status, demo.rejections()), (401, vec![Rejection::Anonymous]));
}

#[test]
fn there_is_something_to_look_at() {
    let sandbox = Sandbox::start().unwrap();
    let demo = sandbox.cluster("demo").unwrap();
    let token = Signer::from(&sandbox.user("alice")).token("demo", sandbox.now());
    for (path, kind) in [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/api/v1", "APIResourceList"),
        ("/apis/authentication.k8s.io/v1beta1", "APIResourceList"),
        ("/api/v1/namespaces?limit=500", "NamespaceList"),
        ("/api/v1/namespaces/default", "Namespace"),
        ("/api/v1/pods", "Status"),
    ] {
        assert_eq!(get(&sandbox, &demo, "GET", path, &token).1["kind"], kind, "{path}");
    }
}

#[test]
fn a_cluster_believes_the_hosts_of_its_own_partition() {
    let sandbox = Sandbox::start().unwrap();
    let china = sandbox.cluster_in("china", "cn-north-1").unwrap();
    let token = Signer::from(&sandbox.user("alice")).token("china", sandbox.now());
    assert!(matches!(china.verify(&token), Err(Rejection::Host(_))));
}
