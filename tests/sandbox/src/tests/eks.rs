use std::time::Duration;

use serde_json::{Value, json};

use super::{ROLE, Signer};
use crate::client::Reply;
use crate::{EksCluster, Fault, Route, Sandbox};

fn list(sandbox: &Sandbox, signer: &Signer, region: &str, query: &str) -> Reply {
    signer.ask(sandbox, ("eks", region), &format!("{}/clusters{query}", sandbox.eks_url()), "")
}

fn describe(sandbox: &Sandbox, signer: &Signer, region: &str, name: &str) -> Reply {
    list(sandbox, signer, region, &format!("/{name}"))
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

/// Status, exception and message; the exception has no tail.
fn refusal(reply: &Reply) -> (u16, String, String) {
    let kind = reply.header("x-amzn-errortype").unwrap().split(':').next().unwrap().to_owned();
    (reply.status, kind, json_of(reply)["message"].as_str().unwrap().to_owned())
}

#[test]
fn an_account_sees_its_own_clusters_of_one_region() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let cluster = sandbox.cluster_in("prod", "eu-west-1").unwrap();
    sandbox.eks_cluster(EksCluster::new("other", "eu-west-1"));
    sandbox.eks_cluster(EksCluster::new("theirs", "eu-west-1").account("444455556666"));
    let names = |signer: &Signer, region: &str| json_of(&list(&sandbox, signer, region, ""));
    let (prod, none) = (json!(["other", "prod"]), json!([]));
    assert_eq!(names(&alice, "eu-west-1"), json!({ "clusters": prod, "nextToken": null }));
    assert_eq!(names(&alice, "us-east-1")["clusters"], none);
    let role = Signer::from(&sandbox.session(ROLE, "me", Duration::from_hours(1)));
    assert_eq!(names(&role, "eu-west-1")["clusters"], json!(["theirs"]));

    let reply = describe(&sandbox, &alice, "eu-west-1", "prod");
    let body = json_of(&reply);
    let found = &body["cluster"];
    assert_eq!(reply.status, 200);
    assert_eq!(found["arn"], "arn:aws:eks:eu-west-1:111122223333:cluster/prod");
    assert_eq!((&found["endpoint"], &found["status"]), (&json!(cluster.server), &json!("ACTIVE")));
    let ca = found["certificateAuthority"]["data"].as_str().unwrap();
    let ca = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, ca).unwrap();
    assert_eq!(String::from_utf8(ca).unwrap(), sandbox.ca_pem());
    assert!(found.get("id").is_none() && found.get("outpostConfig").is_none());
    let light = &json_of(&describe(&sandbox, &alice, "eu-west-1", "other"))["cluster"];
    assert!(light["endpoint"].as_str().unwrap().ends_with(".gr7.eu-west-1.eks.amazonaws.com"));
    for (region, name) in [("us-east-1", "prod"), ("eu-west-1", "theirs"), ("eu-west-1", "a%20b")] {
        let (status, kind, _) = refusal(&describe(&sandbox, &alice, region, name));
        assert_eq!((status, kind.as_str()), (404, "ResourceNotFoundException"), "{name}");
    }
    assert_eq!((sandbox.count(Route::EksList), sandbox.count(Route::EksDescribe)), (3, 5));
    let asked = &sandbox.requests()[0];
    assert_eq!((asked.region.as_deref(), asked.service.as_str()), (Some("eu-west-1"), "eks"));
    assert_eq!(asked.caller.as_deref(), Some("arn:aws:iam::111122223333:user/alice"));

    let _moved = cluster.in_account("444455556666");
    assert_eq!(names(&alice, "eu-west-1")["clusters"], json!(["other"]));
    assert_eq!(names(&role, "eu-west-1")["clusters"], json!(["prod", "theirs"]));
}

#[test]
fn clusters_that_are_not_as_others() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let outpost = EksCluster::new("edge", "us-east-1").outpost("0f8a1c6e").version("1.31");
    sandbox.eks_cluster(outpost);
    sandbox.eks_cluster(EksCluster::new("new", "us-east-1").status("CREATING"));
    sandbox.eks_cluster(EksCluster::new("china", "cn-north-1"));
    let show = |region: &str, name: &str| {
        json_of(&describe(&sandbox, &alice, region, name))["cluster"].clone()
    };
    let edge = show("us-east-1", "edge");
    assert_eq!((&edge["id"], &edge["version"]), (&json!("0f8a1c6e"), &json!("1.31")));
    assert_eq!(edge["outpostConfig"]["outpostArns"].as_array().unwrap().len(), 1);
    let new = show("us-east-1", "new");
    assert_eq!((&new["status"], &new["certificateAuthority"]), (&json!("CREATING"), &json!({})));
    assert!(new.get("endpoint").is_none());
    let china = show("cn-north-1", "china");
    assert_eq!(china["arn"], "arn:aws-cn:eks:cn-north-1:111122223333:cluster/china");
    assert!(china["endpoint"].as_str().unwrap().ends_with(".cn-north-1.eks.amazonaws.com.cn"));
}

#[test]
fn two_hundred_in_pages() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    for number in 0..200 {
        sandbox.eks_cluster(EksCluster::new(&format!("c{number:03}"), "us-east-1"));
    }
    let walk = |first: &str| {
        let (mut query, mut seen, mut pages) = (first.to_owned(), Vec::new(), Vec::new());
        loop {
            let body = json_of(&list(&sandbox, &alice, "us-east-1", &query));
            let names = body["clusters"].as_array().unwrap().clone();
            pages.push(names.len());
            seen.extend(names);
            let Some(token) = body["nextToken"].as_str() else { break };
            let token = crate::aws::sigv4::encode(token);
            query = if first.is_empty() {
                format!("?nextToken={token}")
            } else {
                format!("{first}&nextToken={token}")
            };
        }
        assert_eq!((seen[0].as_str(), seen.len()), (Some("c000"), 200));
        pages
    };
    assert_eq!(walk(""), [100, 100]);
    assert_eq!(walk("?maxResults=90"), [90, 90, 20]);
    sandbox.page_size(Some(60));
    assert_eq!(walk("?maxResults=100"), [60, 60, 60, 20]);
    let token = json_of(&list(&sandbox, &alice, "us-east-1", ""))["nextToken"].clone();
    let token = token.as_str().unwrap();
    let elsewhere = format!("?nextToken={}", crate::aws::sigv4::encode(token));
    for (region, query) in [
        ("us-east-1", "?maxResults=0"),
        ("us-east-1", "?maxResults=101"),
        ("us-east-1", "?nextToken=x"),
        ("us-east-1", "?next_token=x"),
        ("eu-west-1", &elsewhere),
    ] {
        let (status, kind, _) = refusal(&list(&sandbox, &alice, region, query));
        assert_eq!((status, kind.as_str()), (400, "InvalidParameterException"), "{query}");
    }
}

#[test]
fn signatures_are_for_this_service() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.cluster("prod").unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let url = format!("{}/clusters/prod", sandbox.eks_url());
    let kind = |signer: &Signer, scope: (&str, &str)| {
        let (status, kind, _) = refusal(&signer.ask(&sandbox, scope, &url, ""));
        (status, kind)
    };
    let eks = ("eks", "us-east-1");
    assert_eq!(alice.ask(&sandbox, eks, &url, "").status, 200);
    let invalid = (403, "InvalidSignatureException".to_owned());
    assert_eq!(kind(&Signer { secret: "wrong".into(), ..alice.clone() }, eks), invalid);
    assert_eq!(kind(&alice, ("sts", "us-east-1")), invalid);
    assert_eq!(kind(&alice, ("eks", "US East")), invalid);
    let stranger = Signer { id: "AKIASTRANGER".into(), ..alice.clone() };
    assert_eq!(kind(&stranger, eks), (403, "UnrecognizedClientException".to_owned()));
    let role = Signer::from(&sandbox.session(ROLE, "me", Duration::from_mins(5)));
    sandbox.advance(jiff::SignedDuration::from_mins(6));
    assert_eq!(kind(&role, eks), (403, "ExpiredTokenException".to_owned()));

    let send = |headers: &[(String, String)], url: &str| {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sandbox.client().unwrap().get(url, &headers).unwrap()
    };
    let (_, mut headers) = alice.headers(eks, &url, "", sandbox.now());
    assert_eq!(send(&headers, &url).status, 200);
    let other = format!("{}/clusters/other", sandbox.eks_url());
    assert_eq!(refusal(&send(&headers, &other)).1, "InvalidSignatureException");
    assert_eq!(refusal(&send(&headers, &format!("{url}?a=b"))).1, "InvalidSignatureException");
    headers.push(("x-amz-security-token".to_owned(), "unsigned".to_owned()));
    assert!(refusal(&send(&headers, &url)).2.contains("not signed: x-amz-security-token"));
    let (status, kind, _) = refusal(&send(&[], &url));
    assert_eq!((status, kind.as_str()), (403, "MissingAuthenticationTokenException"));
    let presigned = format!("{url}?X-Amz-Signature=0");
    assert_eq!(refusal(&send(&[], &presigned)).1, "MissingAuthenticationTokenException");
}

#[test]
fn denied_and_throttled() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.cluster("prod").unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let role = Signer::from(&sandbox.session(ROLE, "me", Duration::from_hours(1)));
    sandbox.deny(Route::EksList, "444455556666");
    let (status, kind, message) = refusal(&list(&sandbox, &role, "us-east-1", ""));
    assert_eq!((status, kind.as_str()), (403, "AccessDeniedException"));
    assert_eq!(
        message,
        "User: arn:aws:sts::444455556666:assumed-role/admin/me is not authorized to perform: eks:ListClusters on \
         resource: arn:aws:eks:us-east-1:444455556666:cluster/*"
    );
    assert_eq!(list(&sandbox, &alice, "us-east-1", "").status, 200);
    sandbox.deny(Route::EksDescribe, "cluster/prod");
    assert_eq!(describe(&sandbox, &alice, "us-east-1", "prod").status, 403);

    sandbox.throttle("eu-west-1", Some(1));
    sandbox.throttle("eu-west-2", None);
    for (region, retry_after) in [("eu-west-1", Some("1")), ("eu-west-2", None)] {
        let reply = list(&sandbox, &alice, region, "");
        assert_eq!(reply.header("retry-after"), retry_after);
        assert_eq!(refusal(&reply).1, "TooManyRequestsException");
    }
    sandbox.throttle_no_more("eu-west-1");
    assert_eq!(list(&sandbox, &alice, "eu-west-1", "").status, 200);
    sandbox.regions("111122223333", &["eu-west-1"]);
    assert_eq!(list(&sandbox, &alice, "eu-west-1", "").status, 200);
    let elsewhere = refusal(&list(&sandbox, &alice, "us-east-1", ""));
    assert_eq!((elsewhere.0, elsewhere.1.as_str()), (403, "UnrecognizedClientException"));
    sandbox.script(Route::EksList, [Fault::eks_error(500, "ServerException", "no")]);
    assert_eq!(refusal(&list(&sandbox, &alice, "eu-west-1", "")).0, 500);
}
