//! `SelfSubjectReview`: what `kubectl auth whoami` asks.

use serde_json::json;

use crate::aws::verifier::Verified;
use crate::http::Response;

pub(super) fn who_am_i(version: &str, guest: &Verified) -> Response {
    let Verified { identity, access_key_id, .. } = guest;
    let body = json!({
        "kind": "SelfSubjectReview",
        "apiVersion": format!("authentication.k8s.io/{version}"),
        "metadata": { "creationTimestamp": null },
        "status": { "userInfo": {
            "username": identity.canonical_arn,
            "uid": format!("aws-iam-authenticator:{}:{}", identity.account, identity.user_id),
            "groups": ["system:authenticated"],
            "extra": {
                "accessKeyId": [access_key_id],
                "arn": [identity.arn],
                "canonicalArn": [identity.canonical_arn],
                "sessionName": [identity.session_name.as_deref().unwrap_or_default()],
            },
        }},
    });
    Response::json(201, &body)
}
