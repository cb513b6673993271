//! What a client reads before it asks for anything: versions, groups and resources.

use serde_json::{Value, json};

/// The versions of `authentication.k8s.io`, the best first.
pub(super) const AUTHENTICATION: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

/// The document at a path, if there is one.
pub(super) fn document(path: &[&str]) -> Option<Value> {
    Some(match path {
        ["version"] => json!({
            "major": "1", "minor": "33", "gitVersion": "v1.33.0-fleetkey-sandbox", "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2025-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "sandbox/loopback",
        }),
        ["api"] => {
            json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
        }
        ["apis"] => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [group()] }),
        ["apis", "authentication.k8s.io"] => {
            let mut group = group();
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        ["api", "v1"] => resources(
            "v1",
            &json!({
                "name": "namespaces", "singularName": "namespace", "namespaced": false, "kind": "Namespace",
                "verbs": ["get", "list"], "shortNames": ["ns"],
            }),
        ),
        ["apis", "authentication.k8s.io", version] if AUTHENTICATION.contains(version) => {
            resources(
                &format!("authentication.k8s.io/{version}"),
                &json!({
                    "name": "selfsubjectreviews", "singularName": "selfsubjectreview", "namespaced": false,
                    "kind": "SelfSubjectReview", "verbs": ["create"],
                }),
            )
        }
        _ => return None,
    })
}

fn group() -> Value {
    let version = |version: &&str| json!({ "groupVersion": format!("authentication.k8s.io/{version}"), "version": version });
    let versions: Vec<Value> = AUTHENTICATION.iter().map(version).collect();
    json!({ "name": "authentication.k8s.io", "preferredVersion": versions[0], "versions": versions })
}

fn resources(version: &str, resource: &Value) -> Value {
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [resource] })
}
