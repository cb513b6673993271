//! Four namespaces, as every new cluster has them: something for `kubectl get` to get.

use serde_json::{Value, json};

use super::not_found;
use crate::http::{Request, Response};

pub(super) fn list(request: &Request) -> Response {
    let found: Vec<Value> = NAMES.iter().map(|name| namespace(name)).collect();
    if wants_table(request) {
        return Response::json(200, &table(&found));
    }
    let list = json!({
        "kind": "NamespaceList", "apiVersion": "v1", "metadata": { "resourceVersion": "1" }, "items": found,
    });
    Response::json(200, &list)
}

pub(super) fn one(name: &str, request: &Request) -> Response {
    if !NAMES.contains(&name) {
        return not_found();
    }
    let found = namespace(name);
    if wants_table(request) {
        return Response::json(200, &table(&[found]));
    }
    Response::json(200, &found)
}

/// Clients that print ask for a table first; it must be in the version they named.
fn wants_table(request: &Request) -> bool {
    request
        .header("accept")
        .is_some_and(|accept| accept.contains("as=Table") && accept.contains("v=v1;"))
}

fn table(namespaces: &[Value]) -> Value {
    let rows: Vec<Value> = namespaces
        .iter()
        .map(|found| json!({ "cells": [found["metadata"]["name"], "Active", "1y"], "object": {
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": found["metadata"],
        }}))
        .collect();
    let column = |name: &str| json!({ "name": name, "type": "string", "format": "", "description": "", "priority": 0 });
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": "1" },
        "columnDefinitions": [column("Name"), column("Status"), column("Age")], "rows": rows,
    })
}

fn namespace(name: &str) -> Value {
    json!({
        "kind": "Namespace", "apiVersion": "v1",
        "metadata": {
            "name": name, "uid": format!("00000000-0000-0000-0000-{:012}", name.len()), "resourceVersion": "1",
            "creationTimestamp": "2025-01-01T00:00:00Z",
        },
        "spec": { "finalizers": ["kubernetes"] },
        "status": { "phase": "Active" },
    })
}

const NAMES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
