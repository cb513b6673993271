//! Whether an entry that has the name of a new one means the same, and what it becomes then.

use fleetkey_provider::{ApiVersion, Overrides, shown};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    addition::{Addition, Wanted},
    document::{Document, Section},
    foreign::{self, Found},
    stanza::Written,
    takeover::{Takeover, Wish},
};
use crate::registry::PROVIDERS;

/// What an entry is beside a new one.
pub(crate) enum Likeness {
    /// The same thing: what it is brought up to date to.
    Same(Value),
    /// Something else: what.
    Other(String),
}

/// What the entry with that value is beside one of the same name, which comes with the rest of a
/// cluster.
pub(crate) fn likeness(
    document: &Document<'_>,
    old: &Value,
    wanted: &Wanted,
    with: &Addition,
) -> Likeness {
    let (Value::Object(old), Value::Object(new)) = (old, &wanted.value) else {
        // without a value it means nothing yet
        return Likeness::Same(wanted.value.clone());
    };
    match wanted.section {
        Section::Clusters => cluster(old, new),
        Section::Contexts => context(old, new),
        Section::Users => match user(old, new) {
            Likeness::Same(value) if value != Value::Object(old.clone()) => {
                used_elsewhere(document, wanted, with)
                    .map_or(Likeness::Same(value), Likeness::Other)
            }
            likeness => likeness,
        },
    }
}

fn cluster(old: &Map<String, Value>, new: &Map<String, Value>) -> Likeness {
    let [there, wanted] = [old, new].map(|map| text(map, "server"));
    if !there.is_empty() && !is_same_server(there, wanted) {
        return Likeness::Other(format!(
            "its server is `{}`, not `{}`",
            shown(there),
            shown(wanted)
        ));
    }
    let mut both = old.clone();
    if new.contains_key("certificate-authority-data") {
        // clients take no authority without its check
        both.remove("insecure-skip-tls-verify");
    }
    both.extend(new.clone());
    if !there.is_empty() {
        both.insert("server".into(), there.into());
    }
    Likeness::Same(Value::Object(both))
}

/// Whether the cluster of that name, which is its id everywhere, was made anew elsewhere: there is
/// another server, but its user asks for the same cluster as the same identity.
pub(crate) fn is_recreated(document: &Document<'_>, with: &Addition) -> bool {
    let (cluster, user) = (with.cluster(), with.user());
    let Some(there) = document.entry(Section::Clusters, &cluster.name) else { return false };
    let server = document.text(&there, "server").unwrap_or_default();
    let wanted = cluster.value.get("server").and_then(Value::as_str).unwrap_or_default();
    if server.is_empty() || is_same_server(server, wanted) {
        return false;
    }
    let is_its = document.entries(Section::Contexts).iter().any(|context| {
        document.text(context, "cluster") == Some(&cluster.name)
            && document.text(context, "user") == Some(&user.name)
    });
    let args = |value: &Value| value.pointer("/exec/args").cloned();
    let old = document.entry(Section::Users, &user.name);
    let old = old.and_then(|old| document.value(&old).ok());
    let old_args = old.and_then(|old| match (foreign::of(&old), anybody().understood(&old, &[])) {
        (Found::Ours, _) => args(&old),
        (_, Takeover::New(new)) => args(&new.user),
        _ => None,
    });
    let wanted = args(&user.value);
    let (Some(old), Some(new)) = (&old_args, &wanted) else { return false };
    is_its && without_version(old) == without_version(new)
}

/// Arguments but for what a version of the client is spoken to in.
fn without_version(args: &Value) -> Vec<&str> {
    let args = args.as_array().into_iter().flatten().filter_map(Value::as_str);
    args.filter(|arg| !arg.starts_with("--exec-api-version")).collect()
}

/// What the entry of a cluster that was made anew becomes.
pub(crate) fn recreated(old: &Value, new: &Value) -> Value {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return new.clone() };
    let mut both = old.clone();
    both.remove("insecure-skip-tls-verify");
    both.extend(new.clone());
    Value::Object(both)
}

fn context(old: &Map<String, Value>, new: &Map<String, Value>) -> Likeness {
    let [there, wanted] = [old, new].map(|map| text(map, "cluster"));
    if !there.is_empty() && there != wanted {
        return Likeness::Other(format!("it leads to cluster `{}`", shown(there)));
    }
    let [there, wanted] = [old, new].map(|map| text(map, "user"));
    if !there.is_empty() && there != wanted {
        return Likeness::Other(format!("its user is `{}`, not `{}`", shown(there), shown(wanted)));
    }
    let mut both = old.clone();
    both.extend(new.clone());
    Likeness::Same(Value::Object(both))
}

fn user(old: &Map<String, Value>, new: &Map<String, Value>) -> Likeness {
    let value = Value::Object(old.clone());
    let known = match foreign::of(&value) {
        Found::Nothing => None,
        Found::Ours => {
            let env = value.pointer("/exec/env").and_then(Value::as_array);
            Some(env.cloned().unwrap_or_default())
        }
        Found::Foreign(_) | Found::Wrapped(..) => match anybody().understood(&value, &[]) {
            Takeover::New(new) => {
                let env = new.adoption.env.into_iter();
                Some(env.map(|(name, value)| json!({ "name": name, "value": value })).collect())
            }
            _ => return Likeness::Other(format!("it runs `{}`", shown(program(&value)))),
        },
    };
    match (new.get("exec").and_then(Value::as_object), known) {
        (Some(exec), Some(env)) => Likeness::Same(renewed(old, exec, env)),
        (Some(_), None) if !old.is_empty() => {
            Likeness::Other("it has a certificate, a token or a password of its own".into())
        }
        (None, Some(_)) => {
            Likeness::Other("it runs a plugin, and the new one has a certificate or a token".into())
        }
        _ => {
            let mut both = old.clone();
            both.extend(new.clone());
            Likeness::Same(Value::Object(both))
        }
    }
}

/// A user that runs a plugin of ours from now on: what was said beside how stays, and of the variables
/// those that are still needed.
fn renewed(old: &Map<String, Value>, exec: &Map<String, Value>, env: Vec<Value>) -> Value {
    let mut written = old.get("exec").and_then(Value::as_object).cloned().unwrap_or_default();
    let had_env = written.contains_key("env");
    written.extend(exec.clone());
    let env = united(env, exec.get("env"));
    if !env.is_empty() {
        written.insert("env".into(), Value::Array(env));
    } else if had_env {
        written.insert("env".into(), Value::Null);
    }
    let mut all = old.clone();
    all.remove("auth-provider");
    all.insert("exec".into(), Value::Object(written));
    Value::Object(all)
}

/// Those of old that the new ones do not set, and the new ones.
fn united(old: Vec<Value>, new: Option<&Value>) -> Vec<Value> {
    let new = new.and_then(Value::as_array).cloned().unwrap_or_default();
    let is_set = |variable: &Value| new.iter().any(|other| other["name"] == variable["name"]);
    let mut all: Vec<_> = old.into_iter().filter(|variable| !is_set(variable)).collect();
    all.extend(new);
    all
}

/// Another cluster that is reached as this user, by the context that says so.
fn used_elsewhere(document: &Document<'_>, user: &Wanted, with: &Addition) -> Option<String> {
    let cluster = &with.cluster().name;
    let contexts = document.entries(Section::Contexts);
    let other = contexts.iter().find(|context| {
        document.text(context, "user") == Some(&user.name)
            && document.text(context, "cluster").is_some_and(|name| name != cluster)
    })?;
    Some(format!("context `{}` reaches another cluster as it", shown(other.name)))
}

fn anybody() -> Wish {
    let providers = PROVIDERS.iter().map(|provider| (*provider, Overrides::default())).collect();
    Wish::new(providers, Written::new(None, Some(ApiVersion::V1)))
}

fn program(user: &Value) -> &str {
    let command = user.pointer("/exec/command").or_else(|| user.pointer("/auth-provider/name"));
    command.and_then(Value::as_str).unwrap_or("another program")
}

/// Whether both are one server, however they are written.
pub(crate) fn is_same_server(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => {
            let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
            one.origin() == other.origin() && path(&one) == path(&other)
        }
        _ => one == other,
    }
}

fn text<'m>(map: &'m Map<String, Value>, key: &str) -> &'m str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}
