//! A client for where there is no kubectl: reads the kubeconfig, runs the plugin as clients do, asks the server.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetkey_sandbox::Client;
use serde_json::{Value, json};

/// The names of the namespaces in a context's cluster, which is named as the context is, and its user too.
pub(super) fn namespaces(
    kubeconfig: &Path,
    context: &str,
    env: &[(String, String)],
) -> Result<Vec<String>, String> {
    let config = fs::read(kubeconfig).map_err(|error| error.to_string())?;
    let config: Value = serde_json::from_slice(&config).map_err(|error| error.to_string())?;
    let (cluster, exec) = (
        &named(&config["clusters"], context)?["cluster"],
        &named(&config["users"], context)?["user"]["exec"],
    );
    let token = token(exec, env)?;
    let ca = STANDARD
        .decode(text(cluster, "certificate-authority-data")?)
        .map_err(|error| error.to_string())?;
    let client =
        Client::trusting(&String::from_utf8_lossy(&ca)).map_err(|error| error.to_string())?;
    let url = format!("{}/api/v1/namespaces", text(cluster, "server")?);
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Accept", "application/json")];
    let reply = client.get(&url, &headers).map_err(|error| error.to_string())?;
    let body: Value = serde_json::from_slice(&reply.body).map_err(|error| error.to_string())?;
    if reply.status != 200 {
        return Err(format!("{} {}", reply.status, text(&body, "message").unwrap_or("no message")));
    }
    let items = body["items"].as_array().ok_or("no list of namespaces")?;
    items.iter().map(|item| text(&item["metadata"], "name").map(str::to_owned)).collect()
}

/// Runs the plugin and reads its `ExecCredential`.
fn token(exec: &Value, env: &[(String, String)]) -> Result<String, String> {
    let version = text(exec, "apiVersion")?;
    let info = json!({ "kind": "ExecCredential", "apiVersion": version, "spec": { "interactive": false } });
    let args = exec["args"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut command = Command::new(text(exec, "command")?);
    command.args(args.iter().filter_map(Value::as_str)).env_clear().envs(env.iter().cloned());
    for variable in exec["env"].as_array().into_iter().flatten() {
        command.env(text(variable, "name")?, text(variable, "value")?);
    }
    command.env("KUBERNETES_EXEC_INFO", format!("{info}\n")).stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().map(str::trim).collect();
        return Err(format!(
            "the plugin failed ({}): {}",
            output.status,
            said.join("\n             ")
        ));
    }
    let credential: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no credential: {error}"))?;
    if text(&credential, "apiVersion")? != version || text(&credential, "kind")? != "ExecCredential"
    {
        return Err("a credential of another version".to_owned());
    }
    text(&credential["status"], "token").map(str::to_owned)
}

fn named<'a>(list: &'a Value, name: &str) -> Result<&'a Value, String> {
    let found = list.as_array().into_iter().flatten().find(|entry| entry["name"] == name);
    found.ok_or_else(|| format!("nothing is named {name}"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name].as_str().ok_or_else(|| format!("no {name}"))
}
