use jiff::SignedDuration;
use serde_json::Value;

use super::Signer;
use crate::{Home, Route, Sandbox};

#[test]
fn a_granted_role_and_nothing_else() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.grant_sso("carol", "444455556666", "Developer");
    let session = sandbox.sso_session("carol");
    let client = sandbox.client().unwrap();
    let ask = |token: &str, role: &str| {
        let url = format!(
            "{}/federation/credentials?role_name={role}&account_id=444455556666",
            sandbox.sso_url()
        );
        let reply = client.get(&url, &[("x-amz-sso_bearer_token", token)]).unwrap();
        (reply.status, serde_json::from_slice::<Value>(&reply.body).unwrap())
    };
    let (status, body) = ask(&session.access_token, "Developer");
    assert_eq!(status, 200);
    let text = |name: &str| body["roleCredentials"][name].as_str().unwrap().to_owned();
    assert!(
        body["roleCredentials"]["expiration"].as_i64().unwrap() > sandbox.now().as_millisecond()
    );
    let signer = Signer {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
        token: Some(text("sessionToken")),
    };
    let cluster = sandbox.cluster("demo").unwrap();
    let who = cluster.verify(&signer.token("demo", sandbox.now())).unwrap().identity;
    assert!(
        who.arn.starts_with("arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Developer_"),
        "{}",
        who.arn
    );
    assert!(who.arn.ends_with("/carol"));

    let (status, body) = ask(&session.access_token, "Admin");
    assert_eq!((status, body["message"].as_str()), (403, Some("No access")));
    let (status, body) = ask("unknown", "Developer");
    assert_eq!(
        (status, body["message"].as_str()),
        (401, Some("Session token not found or invalid"))
    );
    sandbox.advance(SignedDuration::from_hours(9));
    assert_eq!(ask(&session.access_token, "Developer").0, 401);
    assert_eq!(sandbox.count(Route::SsoCredentials), 4);
    assert!(!format!("{:?}", sandbox.requests()).contains(&session.access_token));
}

#[test]
fn the_token_file_is_where_the_cli_puts_it() {
    let sandbox = Sandbox::start().unwrap();
    let home = Home::temporary().unwrap();
    let path = home.sso_token("corp", &sandbox.sso_session("carol")).unwrap();
    assert!(
        path.ends_with(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"),
        "{}",
        path.display()
    );
    let token: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(token["region"], "us-east-1");
}
