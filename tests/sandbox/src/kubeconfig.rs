//! The exec stanza of a kubeconfig, and the file around it.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cluster::Endpoint;

/// How a kubeconfig starts the plugin.
#[derive(Clone, Debug)]
pub struct Exec {
    /// The program.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables the kubeconfig sets for it.
    pub env: Vec<(String, String)>,
    /// `client.authentication.k8s.io/v1beta1`, or `v1`.
    pub api_version: String,
    /// `Never`, `IfAvailable` or `Always`.
    pub interactive_mode: String,
    /// Whether it is told of the cluster in `KUBERNETES_EXEC_INFO`.
    pub provide_cluster_info: bool,
}

impl Exec {
    /// This command line, `v1beta1`, `IfAvailable`, told nothing of the cluster.
    pub fn new<A: Into<String>>(
        command: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            command: command.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
            interactive_mode: "IfAvailable".to_owned(),
            provide_cluster_info: false,
        }
    }

    /// With these variables.
    #[must_use]
    pub fn with_env(mut self, env: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(env);
        self
    }

    /// In API version `v1`.
    #[must_use]
    pub fn v1(mut self) -> Self {
        "client.authentication.k8s.io/v1".clone_into(&mut self.api_version);
        self
    }

    /// Told of the cluster.
    #[must_use]
    pub fn with_cluster_info(mut self) -> Self {
        self.provide_cluster_info = true;
        self
    }
}

/// A kubeconfig with these contexts, the first of them current. JSON is YAML, so nothing needs quoting by hand.
pub(crate) fn text<C: Endpoint + ?Sized>(contexts: &[(&str, &C, &Exec)]) -> String {
    let clusters = contexts.iter().map(|(name, cluster, _)| {
        json!({ "name": name, "cluster": {
            "server": cluster.server(),
            "certificate-authority-data": STANDARD.encode(cluster.ca_pem()),
        }})
    });
    let users = contexts
        .iter()
        .map(|(name, _, exec)| json!({ "name": name, "user": { "exec": stanza(exec) } }));
    let named = contexts
        .iter()
        .map(|(name, ..)| json!({ "name": name, "context": { "cluster": name, "user": name } }));
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters.collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>(),
        "contexts": named.collect::<Vec<_>>(),
        "current-context": contexts.first().map_or("", |(name, ..)| name),
    });
    format!("{config:#}\n")
}

fn stanza(exec: &Exec) -> Value {
    let Exec { command, args, env, api_version, interactive_mode, provide_cluster_info } = exec;
    let env: Vec<_> =
        env.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "apiVersion": api_version, "command": command.to_string_lossy(), "args": args, "env": env,
        "interactiveMode": interactive_mode, "provideClusterInfo": provide_cluster_info,
    })
}
