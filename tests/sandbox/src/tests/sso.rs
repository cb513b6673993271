use jiff::SignedDuration;
use serde_json::Value;

use super::Signer;
use crate::clock::iso8601;
use crate::{Fault, Home, Route, Sandbox, SsoName, SsoSession};

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
fn whoever_signs_out_is_out() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.grant_sso("carol", "444455556666", "Developer");
    let (here, there) = (sandbox.sso_session("carol"), sandbox.sso_session("carol"));
    let client = sandbox.client().unwrap();
    let bearer = |session: &SsoSession| [("x-amz-sso_bearer_token", session.access_token.clone())];
    let send = |method: &str, path: &str, session: &SsoSession| {
        let headers = bearer(session);
        let headers = [(headers[0].0, headers[0].1.as_str())];
        client.send(method, &format!("{}{path}", sandbox.sso_url()), &headers, b"").unwrap()
    };
    let ask = |session: &SsoSession| send("GET", CREDENTIALS, session).status;
    assert_eq!(send("GET", "/logout", &here).status, 404);
    assert_eq!((ask(&here), ask(&there)), (200, 200));
    assert_eq!(send("POST", "/logout", &here).status, 200);
    assert_eq!((ask(&here), ask(&there)), (401, 200));
    assert_eq!(send("POST", "/logout", &here).status, 401);
    sandbox.sso_sign_out("carol");
    assert_eq!(ask(&there), 401);
    assert_eq!(sandbox.count(Route::SsoLogout), 3);

    sandbox.script(Route::SsoCredentials, [Fault::too_many_requests_after(7)]);
    let reply = send("GET", CREDENTIALS, &there);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    assert_eq!(reply.header("x-amzn-errortype"), Some("TooManyRequestsException"));
}

#[test]
fn the_token_file_is_what_the_cli_leaves() {
    let sandbox = Sandbox::start().unwrap();
    let home = Home::temporary().unwrap();
    let session = sandbox.sso_session("carol");
    let path = home.sso_token("corp", &session).unwrap();
    assert!(
        path.ends_with(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"),
        "{}",
        path.display()
    );
    let refresh = session.refresh_token.as_deref().unwrap();
    let before_refresh = format!(
        "{{\"startUrl\": \"{}\", \"region\": \"us-east-1\", \"accessToken\": \"{}\", \"expiresAt\": \"{}\", \
         \"clientId\": \"{}\", \"clientSecret\": \"{}\", \"registrationExpiresAt\": \"{}\"",
        session.start_url,
        session.access_token,
        iso8601(session.expires),
        session.client_id,
        session.client_secret,
        iso8601(session.registration_expires),
    );
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text, format!("{before_refresh}, \"refreshToken\": \"{refresh}\"}}"));
    // a profile without a session asks for no scopes, and is given nothing to renew with
    for path in [
        home.sso_token(&session.start_url, &session).unwrap(),
        home.sso_token("old", &sandbox.sso_sign_in("carol").legacy().done()).unwrap(),
    ] {
        let token: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(
            (token.get("refreshToken"), token["region"].as_str()),
            (None, Some("us-east-1"))
        );
    }
}

#[test]
fn a_kept_role_is_what_the_cli_leaves() {
    let sandbox = Sandbox::start().unwrap();
    let home = Home::temporary().unwrap();
    let lent = sandbox.sso_role_credentials(
        "carol",
        "444455556666",
        "Developer",
        SignedDuration::from_hours(1),
    );
    let name = SsoName::Session("corp");
    let path = home.aws_cli_cache(name, "444455556666", "Developer", &lent).unwrap();
    assert_eq!(path, home.aws_cli_cache_file(name, "444455556666", "Developer"));
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        text,
        format!(
            "{{\"ProviderType\": \"sso\", \"Credentials\": {{\"AccessKeyId\": \"{}\", \"SecretAccessKey\": \"{}\", \
             \"SessionToken\": \"{}\", \"Expiration\": \"{}\", \"AccountId\": \"444455556666\"}}}}",
            lent.access_key_id,
            lent.secret_access_key,
            lent.session_token,
            iso8601(lent.expires)
        )
    );
    let cluster = sandbox.cluster("demo").unwrap();
    let token = Signer::from(&lent).token("demo", sandbox.now());
    let who = cluster.verify(&token).unwrap().identity.arn;
    assert!(who.contains("assumed-role/AWSReservedSSO_Developer_") && who.ends_with("/carol"));
}

const CREDENTIALS: &str = "/federation/credentials?role_name=Developer&account_id=444455556666";
