//! The `exec` of a user that is ours.

use std::path::Path;

use fleetkey_provider::{Adoption, ApiVersion};
use serde_json::{Map, Value, json};

/// How users are written, for a whole run.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// `command`
    pub(crate) command: String,
    /// `apiVersion`
    pub(crate) api_version: ApiVersion,
}

impl Written {
    /// By the path of this program, or by its bare name.
    pub(crate) fn new(program: Option<&Path>, api_version: Option<ApiVersion>) -> Self {
        let command =
            program.map_or_else(|| NAME.into(), |path| path.to_string_lossy().into_owned());
        Self { command, api_version: api_version.unwrap_or(ApiVersion::V1) }
    }
}

/// One `exec`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stanza {
    api_version: &'static str,
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// Whether clients hand over which cluster it is.
    knows_cluster: bool,
}

impl Stanza {
    /// For one identity.
    pub(crate) fn new(provider: &str, adoption: &Adoption, written: &Written) -> Self {
        let Adoption { args, env, notes: _, wants_cluster: _ } = adoption;
        let mut line = vec!["get-token".to_owned(), provider.to_owned()];
        line.extend_from_slice(args);
        // for clients that do not say which version they want
        line.push(match written.api_version {
            ApiVersion::V1 => "--exec-api-version=v1".into(),
            ApiVersion::V1Beta1 => "--exec-api-version=v1beta1".into(),
        });
        Self {
            api_version: written.api_version.as_str(),
            command: written.command.clone(),
            args: line,
            env: env.clone(),
            knows_cluster: false,
        }
    }

    /// Told which cluster it is.
    #[must_use]
    pub(crate) fn knowing_the_cluster(mut self, knows: bool) -> Self {
        self.knows_cluster |= knows;
        self
    }

    /// For whatever the cluster says of itself.
    pub(crate) fn for_all(written: &Written) -> Self {
        Self {
            api_version: written.api_version.as_str(),
            command: written.command.clone(),
            args: vec!["get-token".into()],
            env: Vec::new(),
            knows_cluster: true,
        }
    }

    /// The whole of it.
    pub(crate) fn value(&self) -> Value {
        self.over(&Map::new(), None)
    }

    /// What becomes of an `exec` that was there: whatever it says beside how to run the other program
    /// stays. `other` is that program's name: a hint to install it says nothing any more.
    pub(crate) fn over(&self, old: &Map<String, Value>, other: Option<&str>) -> Value {
        let mut new = old.clone();
        new.insert("apiVersion".into(), self.api_version.into());
        new.insert("command".into(), self.command.as_str().into());
        new.insert("args".into(), json!(self.args));
        let is_empty = |value: Option<&Value>| match value {
            Some(Value::Array(items)) => items.is_empty(),
            value => value.is_none_or(Value::is_null),
        };
        let env = json!(
            self.env
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect::<Vec<_>>()
        );
        match (self.env.is_empty(), is_empty(old.get("env"))) {
            (true, true) => {}
            (true, false) => drop(new.insert("env".into(), Value::Null)),
            (false, _) => drop(new.insert("env".into(), env)),
        }
        let hint = old.get("installHint").and_then(Value::as_str).unwrap_or_default();
        let is_theirs = other.is_some_and(|other| hint.to_lowercase().contains(other));
        if hint.is_empty() || is_theirs {
            new.insert("installHint".into(), INSTALL_HINT.into());
        }
        if is_empty(old.get("interactiveMode")) {
            new.insert("interactiveMode".into(), "IfAvailable".into());
        }
        if self.knows_cluster {
            new.insert("provideClusterInfo".into(), true.into());
        }
        Value::Object(new)
    }
}

/// The name this program goes by.
pub(crate) const NAME: &str = "fleetkey";

const INSTALL_HINT: &str = concat!(
    "fleetkey signs in to this cluster, and is not where this kubeconfig says; to install it: ",
    "cargo install --locked --git ",
    env!("CARGO_PKG_REPOSITORY"),
    " fleetkey"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(env: &[(&str, &str)]) -> Stanza {
        let env = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let adoption = Adoption { args: vec!["--a".into()], env, ..Adoption::default() };
        Stanza::new("mars", &adoption, &Written::new(Some(Path::new("/bin/fleetkey")), None))
    }

    fn over(old: &Value, env: &[(&str, &str)]) -> Value {
        stanza(env).over(old.as_object().unwrap(), Some("marsctl"))
    }

    #[test]
    fn it_has_what_clients_want() {
        let value = stanza(&[]).value();
        assert_eq!(value["apiVersion"], "client.authentication.k8s.io/v1");
        assert_eq!(value["command"], "/bin/fleetkey");
        assert_eq!(value["args"], json!(["get-token", "mars", "--a", "--exec-api-version=v1"]));
        assert_eq!(value["interactiveMode"], "IfAvailable");
        assert!(value["installHint"].as_str().unwrap().contains("cargo install"));
        assert!(value.get("env").is_none() && value.get("provideClusterInfo").is_none());
        let all = Stanza::for_all(&Written::new(None, Some(ApiVersion::V1Beta1))).value();
        assert_eq!(all["command"], "fleetkey");
        assert_eq!(all["args"], json!(["get-token"]));
        assert_eq!(all["provideClusterInfo"], true);
    }

    #[test]
    fn what_was_said_beside_the_other_program_stays() {
        let value = over(
            &json!({"installHint": "ask the platform team", "interactiveMode": "Never", "x": 1, "env": null}),
            &[],
        );
        assert_eq!(value["installHint"], "ask the platform team");
        assert_eq!((&value["interactiveMode"], &value["x"]), (&json!("Never"), &json!(1)));
        assert_eq!(value["env"], Value::Null);
        let value =
            over(&json!({"installHint": "get MarsCtl", "env": [{"name": "A", "value": "b"}]}), &[]);
        assert!(value["installHint"].as_str().unwrap().starts_with("fleetkey "));
        assert_eq!(value["env"], Value::Null);
        let value = over(&json!({}), &[("A", "b")]);
        assert_eq!(value["env"], json!([{"name": "A", "value": "b"}]));
    }
}
