//! Where secrets stand in a kubeconfig: what is shown of it shows none of them.

use std::{collections::HashSet, ops::Range};

use serde_json::Value;

use super::{
    document::Document,
    yaml::{Id, Kind, Tree},
};
use crate::registry::PROVIDERS;

/// What stands in place of a secret.
const HIDDEN: &str = "REDACTED";

/// The places of secrets in a text, in order.
pub(crate) struct Hidden(Vec<Range<usize>>);

impl Hidden {
    /// Those of a kubeconfig: by their keys, by flags before them, by the variables they are set to.
    pub(crate) fn of(document: &Document<'_>) -> Self {
        let names = names();
        let mut places = Vec::new();
        for node in document.tree.ids() {
            find(&document.tree, node, &names, &mut places);
        }
        places.sort_by_key(|place| (place.start, place.end));
        places.dedup();
        Self(places)
    }

    /// Part of the text, without secrets.
    pub(crate) fn mask(&self, text: &str, part: Range<usize>) -> String {
        let mut out = String::new();
        let mut done = part.start;
        let first = self.0.partition_point(|place| place.end <= part.start);
        for place in self.0[first..].iter().take_while(|place| place.start < part.end) {
            if place.start >= done {
                out += &text[done..place.start];
                out += HIDDEN;
            }
            done = done.max(place.end.min(part.end));
        }
        out += &text[done..part.end];
        out
    }
}

/// The secrets in a value, wherever it is written.
pub(crate) fn secrets(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    gather(value, &names(), &mut found);
    found.retain(|secret| !secret.is_empty());
    found
}

fn gather<'v>(value: &'v Value, names: &HashSet<&str>, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            let text = |key| map.get(key).and_then(Value::as_str);
            let secret = map.iter().filter(|(key, _)| names.contains(key.as_str()));
            found.extend(secret.filter_map(|(_, value)| value.as_str()));
            if text("name").is_some_and(|name| names.contains(name) || is_secret(name)) {
                found.extend(text("value"));
            }
            map.values().for_each(|value| gather(value, names, found));
        }
        Value::Array(items) => {
            let mut follows = false;
            for item in items {
                let text = item.as_str().unwrap_or_default();
                let (secrets, announces) = secrets_of_word(text, follows, names);
                found.extend(secrets);
                follows = announces;
                gather(item, names, found);
            }
        }
        _ => {}
    }
}

/// What a provider, a client or a habit calls a secret.
fn names() -> HashSet<&'static str> {
    let theirs = PROVIDERS.iter().flat_map(|provider| provider.secrets());
    KEYS.iter().chain(theirs).copied().collect()
}

/// Keys of a user whose value is one, and those of variables that are named after what they are.
const KEYS: &[&str] = &[
    "token",
    "password",
    "client-key-data",
    "id-token",
    "refresh-token",
    "access-token",
    "client-secret",
];

fn find(tree: &Tree<'_>, id: Id, names: &HashSet<&str>, places: &mut Vec<Range<usize>>) {
    match &tree.node(id).kind {
        Kind::Map { pairs, .. } => {
            let value_of = |name| {
                let (_, value) = tree.pair(id, name)?;
                Some(value)
            };
            for (key, value) in pairs {
                if tree.text_of(*key).is_some_and(|key| names.contains(key)) {
                    hide(tree, *value, places);
                }
            }
            if let (Some(name), Some(value)) = (value_of("name"), value_of("value"))
                && tree.text_of(name).is_some_and(|name| names.contains(name) || is_secret(name))
            {
                hide(tree, value, places);
            }
        }
        Kind::Seq { items, .. } => {
            let mut follows = false;
            for item in items {
                let text = tree.text_of(*item).unwrap_or_default();
                let (secrets, announces) = secrets_of_word(text, follows, names);
                if follows || !secrets.is_empty() {
                    hide(tree, *item, places);
                }
                follows = announces;
            }
        }
        Kind::Scalar { .. } | Kind::Alias(_) => {}
    }
}

/// The secrets in a word of a command line, which is one itself if it `follows` a flag for one; and whether the
/// next word is one. A line for a shell is one word of many.
fn secrets_of_word<'t>(
    text: &'t str,
    follows: bool,
    names: &HashSet<&str>,
) -> (Vec<&'t str>, bool) {
    let is_named = |name: &str| names.contains(name) || is_secret(name);
    let mut secrets: Vec<&str> = follows.then_some(text).into_iter().collect();
    let mut announces = false;
    for one in text.split_whitespace() {
        let one = one.trim_matches(['\'', '"']);
        if announces {
            secrets.push(one);
        }
        let name = one.trim_start_matches('-');
        let (name, value) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v)));
        secrets.extend(value.filter(|_| is_named(name)));
        announces = value.is_none() && one.starts_with('-') && is_named(name);
    }
    (secrets, announces)
}

/// A flag or variable of a program that no provider knows.
fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase().replace('-', "_");
    ["SECRET", "PASSWORD", "TOKEN", "_KEY"].iter().any(|word| name.contains(word))
        && !["_FILE", "_DIR", "_ID", "_URL", "_PATH"].iter().any(|end| name.ends_with(end))
}

fn hide(tree: &Tree<'_>, id: Id, places: &mut Vec<Range<usize>>) {
    let node = tree.node(id);
    if matches!(node.kind, Kind::Scalar { .. }) && !node.place().is_empty() && !tree.is_null(id) {
        places.push(node.place());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_wrapped_lines_are_found_too() {
        for (item, is_hidden) in [
            ("get --login spn --client-secret hunter2", true),
            ("AAD_CLIENT_SECRET=hunter2", true),
            ("--vault-token=hunter2", true),
            ("A=b get --password 'hunter2'", true),
            ("get --login spn", false),
            ("--token-cache-dir", false),
            ("--federated-token-file", false),
        ] {
            let text = format!("users: [{{args: [{}]}}]", Value::from(item));
            let document = Document::read(&text, "f").unwrap();
            let shown = Hidden::of(&document).mask(&text, 0..text.len());
            assert_eq!(shown.contains(HIDDEN), is_hidden, "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let two = "users: [{args: [get, --vault-token, hunter2, x]}]";
        let document = Document::read(two, "f").unwrap();
        let shown = Hidden::of(&document).mask(two, 0..two.len());
        assert!(!shown.contains("hunter2") && shown.contains("x]"), "{shown}");
    }

    #[test]
    fn secrets_of_a_value_are_told_from_the_rest() {
        let user = serde_json::json!({"token": "a", "client-secret": "", "x": "y", "exec": {
            "args": ["--password", "b", "--client-secret=c", "-c", "get --vault-token d e"],
            "env": [{"name": "MY_SECRET", "value": "f"}, {"name": "A", "value": "g"}],
        }});
        let mut found = secrets(&user);
        found.sort_unstable();
        assert_eq!(found, ["a", "b", "c", "d", "f"]);
    }

    #[test]
    fn secrets_are_found_by_key_by_flag_and_by_variable() {
        let text = "users:\n- user:\n    token: hunter2a\n    client-key-data: \"hunter2b\"\n    exec:\n      \
                    args: [--password, hunter2c, --password=hunter2d, get]\n      env:\n      - {name: MY_SECRET, value: 'hunter2e'}\n      \
                    - name: MY_TOKEN_FILE\n        value: path\n- user: {auth-provider: {config: {refresh-token: |-\n   hunter2f\n  }}}\n".replace("{auth-provider: {config: {refresh-token: |-\n   hunter2f\n  }}}", "{auth-provider: {config: {refresh-token: hunter2f}}}");
        let document = Document::read(&text, "f").unwrap();
        let shown = Hidden::of(&document).mask(&text, 0..text.len());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(shown.matches(HIDDEN).count(), 6, "{shown}");
        assert!(shown.contains("path") && shown.contains("get]"));
        let part = text.find("hunter2a").unwrap();
        assert_eq!(Hidden::of(&document).mask(&text, part - 7..part + 3), "token: REDACTED");
    }
}
