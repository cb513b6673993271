//! What a client says of itself when it runs a credential plugin (`KUBERNETES_EXEC_INFO`).
//!
//! The whole of it is somebody else's text: a kubeconfig can set every field.

use serde_json::{Map, Value};

/// The versions of `client.authentication.k8s.io` that clients still accept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ApiVersion {
    /// Since Kubernetes 1.22.
    V1,
    /// Since Kubernetes 1.11, and the answer where a client names none.
    #[default]
    V1Beta1,
}

impl ApiVersion {
    /// As it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }

    /// From JSON, or from the short form people type.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("client.authentication.k8s.io/").unwrap_or(text) {
            "v1" => Some(Self::V1),
            "v1beta1" => Some(Self::V1Beta1),
            _ => None,
        }
    }
}

/// A client's question.
#[derive(Clone, Debug, Default)]
pub struct ExecInfo {
    /// The version the client configured; `None` if it said none.
    pub api_version: Option<ApiVersion>,
    /// Whether the client lets the plugin use its standard input.
    pub interactive: Option<bool>,
    /// The cluster, if the kubeconfig has `provideClusterInfo: true`.
    pub cluster: Option<ClusterInfo>,
}

/// The cluster a token is wanted for.
#[derive(Clone, Debug, Default)]
pub struct ClusterInfo {
    /// Its API server's URL.
    pub server: String,
    /// The proxy by which clients reach it, if the kubeconfig names one.
    pub proxy_url: Option<String>,
    /// The cluster's extension named `client.authentication.k8s.io/exec`.
    pub config: Map<String, Value>,
}
