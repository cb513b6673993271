//! `SelfSubjectReview`: what `kubectl auth whoami` asks.

use serde_json::json;

use super::Guest;
use crate::http::Response;

pub(super) fn who_am_i(version: &str, guest: &impl Guest) -> Response {
    let body = json!({
        "kind": "SelfSubjectReview",
        "apiVersion": format!("authentication.k8s.io/{version}"),
        "metadata": { "creationTimestamp": null },
        "status": { "userInfo": guest.user_info() },
    });
    Response::json(201, &body)
}
