use std::time::Duration;

use jiff::SignedDuration;

use super::{ROLE, Signer, element, form, refusal};
use crate::client::Reply;
use crate::{Role, Route, Sandbox};

pub(super) fn assume(sandbox: &Sandbox, signer: &Signer, more: &[(&str, &str)]) -> Reply {
    let mut parameters = vec![("Action", "AssumeRole"), ("RoleArn", ROLE)];
    if !more.iter().any(|(name, _)| *name == "RoleSessionName") {
        parameters.push(("RoleSessionName", "me"));
    }
    parameters.extend(more);
    signer.post(sandbox, &parameters, sandbox.now())
}

pub(super) fn credentials(reply: &Reply) -> Signer {
    let [id, secret, token] =
        ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|name| element(reply, name));
    Signer { id, secret, token: Some(token) }
}

fn who(sandbox: &Sandbox, signer: &Signer) -> Reply {
    signer.post(sandbox, &[("Action", "GetCallerIdentity")], sandbox.now())
}

#[test]
fn a_role_is_assumed_and_its_credentials_work() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    sandbox.role(Role::new(ROLE));
    let reply = assume(&sandbox, &alice, &[]);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/xml"));
    assert!(reply.header("date").is_some_and(|date| date.ends_with("GMT")));
    assert_eq!(element(&reply, "Arn"), "arn:aws:sts::444455556666:assumed-role/admin/me");
    let role = credentials(&reply);
    assert!(role.id.starts_with("ASIA"));
    let reply = who(&sandbox, &role);
    assert_eq!(element(&reply, "Arn"), "arn:aws:sts::444455556666:assumed-role/admin/me");
    assert_eq!(element(&reply, "Account"), "444455556666");

    assert_eq!(sandbox.count(Route::AssumeRole), 1);
    let request = &sandbox.requests()[0];
    assert_eq!(request.caller.as_deref(), Some("arn:aws:iam::111122223333:user/alice"));
    assert_eq!(
        (request.access_key_id.as_deref(), request.region.as_deref()),
        (Some(&*alice.id), Some("us-east-1"))
    );
    assert_eq!(
        (request.parameter("RoleArn"), request.header("authorization")),
        (Some(ROLE), Some("(secret)"))
    );
    assert!(!format!("{:?}", sandbox.requests()).contains(role.token.as_ref().unwrap()));
}

#[test]
fn trust_external_id_and_unknown_roles() {
    let sandbox = Sandbox::start().unwrap();
    let [alice, bob] = ["alice", "bob"].map(|name| Signer::from(&sandbox.user(name)));
    let denied = (403, "AccessDenied".to_owned());
    assert_eq!(refusal(&assume(&sandbox, &alice, &[])), denied);
    sandbox
        .role(Role::new(ROLE).external_id("id-7").trusts("arn:aws:iam::111122223333:user/alice"));
    let reply = assume(&sandbox, &bob, &[("ExternalId", "id-7")]);
    assert_eq!(
        element(&reply, "Message"),
        format!(
            "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
        )
    );
    for wrong in [&[][..], &[("ExternalId", "other")]] {
        assert_eq!(refusal(&assume(&sandbox, &alice, wrong)), denied);
    }
    assert_eq!(assume(&sandbox, &alice, &[("ExternalId", "id-7")]).status, 200);
}

#[test]
fn parameters_within_their_bounds() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    sandbox.role(Role::new(ROLE).max_session(Duration::from_hours(2)));
    let long = "x".repeat(65);
    for wrong in [
        ("DurationSeconds", "899"),
        ("DurationSeconds", "43201"),
        ("DurationSeconds", "7201"),
        ("RoleSessionName", "a"),
        ("RoleSessionName", "a b"),
        ("RoleSessionName", "é="),
        ("RoleSessionName", &long),
    ] {
        assert_eq!(
            refusal(&assume(&sandbox, &alice, &[wrong])),
            (400, "ValidationError".into()),
            "{wrong:?}"
        );
    }
    let reply =
        assume(&sandbox, &alice, &[("DurationSeconds", "7200"), ("RoleSessionName", "a_+=,.@-9")]);
    assert_eq!(reply.status, 200);
    let role = credentials(&reply);
    let chained = assume(&sandbox, &role, &[("DurationSeconds", "3601")]);
    assert_eq!(refusal(&chained), (400, "ValidationError".into()));
    assert!(element(&chained, "Message").ends_with("role chaining"));
    assert_eq!(assume(&sandbox, &role, &[("DurationSeconds", "3600")]).status, 200);
    for (action, code) in [("AssumeRoot2", "InvalidAction"), ("", "MissingAction")] {
        let reply = alice.post(&sandbox, &[("Action", action)], sandbox.now());
        assert_eq!(refusal(&reply), (400, code.into()));
    }
    assert_eq!(sandbox.count(Route::Sts), 2);
}

#[test]
fn signatures_keys_and_clocks() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let refused = |signer: &Signer| refusal(&who(&sandbox, signer)).1;
    assert_eq!(who(&sandbox, &alice).status, 200);
    assert_eq!(
        refused(&Signer { secret: "wrong".into(), ..alice.clone() }),
        "SignatureDoesNotMatch"
    );
    assert_eq!(
        refused(&Signer { id: "AKIAUNKNOWN".into(), ..alice.clone() }),
        "InvalidClientTokenId"
    );
    assert_eq!(
        refused(&Signer { token: Some("uncalled for".into()), ..alice.clone() }),
        "InvalidClientTokenId"
    );
    let session = sandbox.session(ROLE, "me", Duration::from_hours(1));
    let role = Signer::from(&session);
    assert_eq!(refused(&Signer { token: None, ..role.clone() }), "InvalidClientTokenId");

    for (minutes, words) in [(-16, "Signature expired: "), (16, "Signature not yet current: ")] {
        let at = sandbox.now().checked_add(SignedDuration::from_mins(minutes)).unwrap();
        let reply = alice.post(&sandbox, &[("Action", "GetCallerIdentity")], at);
        assert_eq!(refusal(&reply), (403, "SignatureDoesNotMatch".into()));
        assert!(element(&reply, "Message").starts_with(words));
    }
    assert_eq!(who(&sandbox, &role).status, 200);
    sandbox.advance(SignedDuration::from_mins(61));
    assert_eq!(refused(&role), "ExpiredToken");
    assert_eq!(who(&sandbox, &alice).status, 200);

    let fresh = sandbox.session(ROLE, "me", Duration::from_hours(1));
    sandbox.revoke(&fresh.access_key_id);
    assert_eq!(refused(&Signer::from(&fresh)), "InvalidClientTokenId");
    let unsigned = sandbox
        .client()
        .unwrap()
        .get(&format!("{}/?Action=GetCallerIdentity", sandbox.sts_url()), &[]);
    assert_eq!(refusal(&unsigned.unwrap()), (403, "MissingAuthenticationToken".into()));
}

#[test]
fn a_changed_body_breaks_the_signature() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let (body, headers) = alice.signed(&sandbox, &[("Action", "GetCallerIdentity")], sandbox.now());
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let send = |body: &str| {
        sandbox
            .client()
            .unwrap()
            .send("POST", &sandbox.sts_url(), &headers, body.as_bytes())
            .unwrap()
    };
    assert_eq!(send(&body).status, 200);
    assert_eq!(refusal(&send(&format!("{body}&x=1"))).1, "SignatureDoesNotMatch");
}

#[test]
fn a_lifetime_set_by_the_test_wins() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    sandbox.role(Role::new(ROLE));
    sandbox.credential_lifetime(Some(Duration::from_mins(20)));
    let role = credentials(&assume(&sandbox, &alice, &[]));
    sandbox.advance(SignedDuration::from_mins(19));
    assert_eq!(who(&sandbox, &role).status, 200);
    sandbox.advance(SignedDuration::from_mins(2));
    assert_eq!(refusal(&who(&sandbox, &role)).1, "ExpiredToken");
}

#[test]
fn a_web_identity_is_proven_by_its_token() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.role(Role::new(ROLE).trusts_subject("system:serviceaccount:a:b"));
    let client = sandbox.client().unwrap();
    let ask = |token: &str| {
        let parameters = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("RoleArn", ROLE),
            ("RoleSessionName", "me"),
            ("WebIdentityToken", token),
        ];
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        client.send("POST", &sandbox.sts_url(), &headers, form(&parameters).as_bytes()).unwrap()
    };
    let token =
        |subject| sandbox.web_identity_token(subject, SignedDuration::from_mins(10)).unwrap();
    let good = token("system:serviceaccount:a:b");
    let reply = ask(&good);
    assert_eq!(reply.status, 200);
    assert_eq!(who(&sandbox, &credentials(&reply)).status, 200);
    assert_eq!(refusal(&ask(&token("system:serviceaccount:a:c"))), (403, "AccessDenied".into()));
    assert_eq!(refusal(&ask(&format!("{good}x"))), (400, "InvalidIdentityToken".into()));
    let stranger = Sandbox::start()
        .unwrap()
        .web_identity_token("system:serviceaccount:a:b", SignedDuration::from_mins(10));
    assert_eq!(refusal(&ask(&stranger.unwrap())), (400, "InvalidIdentityToken".into()));
    sandbox.advance(SignedDuration::from_mins(10));
    assert_eq!(refusal(&ask(&good)), (400, "ExpiredTokenException".into()));
    assert_eq!(sandbox.requests()[0].parameter("WebIdentityToken"), Some("(secret)"));
}
