//! What a tree means: keys looked up, aliases followed, merges (`<<`) resolved.

use serde_json::{Map, Number, Value};

use super::tree::{Id, Kind, Style, Tree};

/// A value that is larger, or nests deeper, than any entry of a kubeconfig does: aliases of aliases can
/// make a small text mean a very large value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TooMuch;

/// How many values an entry may have, aliases followed.
const MOST_VALUES: usize = 20_000;
const DEEPEST: usize = 64;
const MERGE: &str = "<<";

impl Tree<'_> {
    /// The key and the value of that name which are written in the mapping itself.
    pub(crate) fn pair(&self, map: Id, name: &str) -> Option<(Id, Id)> {
        let Kind::Map { pairs, .. } = &self.node(map).kind else { return None };
        // the last of two counts, as for clients
        pairs.iter().rev().find(|(key, _)| self.text_of(*key) == Some(name)).copied()
    }

    /// The value of that name, written in the mapping or merged into it; an alias as it stands.
    pub(crate) fn get(&self, map: Id, name: &str) -> Option<Id> {
        self.get_within(map, name, 0)
    }

    /// The text of a scalar; `None` for what is none, or nothing.
    pub(crate) fn text_of(&self, id: Id) -> Option<&str> {
        match &self.node(self.target(id)).kind {
            Kind::Scalar { value, style } if !is_null(value, *style) => Some(value),
            _ => None,
        }
    }

    /// The items of a list; none of what is none.
    pub(crate) fn items(&self, id: Id) -> &[Id] {
        match &self.node(self.target(id)).kind {
            Kind::Seq { items, .. } => items,
            _ => &[],
        }
    }

    /// The keys and values of a mapping as written; none of what is none.
    pub(crate) fn pairs(&self, id: Id) -> &[(Id, Id)] {
        match &self.node(self.target(id)).kind {
            Kind::Map { pairs, .. } => pairs,
            _ => &[],
        }
    }

    /// Whether it is left out, `null` or `~`.
    pub(crate) fn is_null(&self, id: Id) -> bool {
        matches!(&self.node(self.target(id)).kind,
            Kind::Scalar { value, style } if is_null(value, *style))
    }

    /// The whole value. A number that JSON would write otherwise is text.
    pub(crate) fn value(&self, id: Id) -> Result<Value, TooMuch> {
        self.value_within(id, DEEPEST, &mut { MOST_VALUES })
    }

    fn get_within(&self, map: Id, name: &str, depth: usize) -> Option<Id> {
        if let Some((_, value)) = self.pair(map, name) {
            return Some(value);
        }
        if depth == DEEPEST {
            return None;
        }
        self.merged(map).into_iter().find_map(|other| self.get_within(other, name, depth + 1))
    }

    /// The mappings that are merged into one; the first wins.
    fn merged(&self, map: Id) -> Vec<Id> {
        let Some((_, value)) = self.pair(map, MERGE) else { return Vec::new() };
        let value = self.target(value);
        match &self.node(value).kind {
            Kind::Map { .. } => vec![value],
            Kind::Seq { items, .. } => items.iter().map(|item| self.target(*item)).collect(),
            _ => Vec::new(),
        }
    }

    fn value_within(&self, id: Id, depth: usize, left: &mut usize) -> Result<Value, TooMuch> {
        let id = self.target(id);
        let deeper = depth.checked_sub(1).ok_or(TooMuch)?;
        *left = left.checked_sub(1).ok_or(TooMuch)?;
        Ok(match &self.node(id).kind {
            Kind::Scalar { value, style } if is_null(value, *style) => Value::Null,
            Kind::Scalar { value, style: Style::Plain } if value == "true" => Value::Bool(true),
            Kind::Scalar { value, style: Style::Plain } if value == "false" => Value::Bool(false),
            Kind::Scalar { value, style } => match number(value, *style) {
                Some(number) => Value::Number(number),
                None => Value::String(value.clone().into_owned()),
            },
            Kind::Seq { items, .. } => {
                let items = items.iter().map(|item| self.value_within(*item, deeper, left));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Kind::Map { pairs, .. } => {
                let mut out = Map::new();
                for other in self.merged(id).into_iter().rev() {
                    if let Value::Object(more) = self.value_within(other, deeper, left)? {
                        out.extend(more);
                    }
                }
                for (key, value) in pairs {
                    let name = self.text_of(*key).unwrap_or_default();
                    if name != MERGE {
                        out.insert(name.to_owned(), self.value_within(*value, deeper, left)?);
                    }
                }
                Value::Object(out)
            }
            // an alias that leads nowhere is no YAML
            Kind::Alias(_) => Value::Null,
        })
    }
}

/// A number that JSON writes the same.
fn number(value: &str, style: Style) -> Option<Number> {
    let may_be =
        style == Style::Plain && value.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let number: Number = may_be.then(|| serde_json::from_str(value).ok()).flatten()?;
    (number.to_string() == value).then_some(number)
}

fn is_null(value: &str, style: Style) -> bool {
    style == Style::Plain && matches!(value, "" | "~" | "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::parse, *};

    #[test]
    fn aliases_and_merges_are_followed_and_the_nearest_wins() {
        let tree = parse(
            "base: &b {command: mars, env: null, args: [x]}\n\
             one: *b\ntwo:\n  <<: *b\n  args: [y]\nthree: {<<: [{command: z}, *b], on: true}\n",
        )
        .unwrap();
        let root = tree.root().unwrap();
        let of = |name| tree.value(tree.get(root, name).unwrap()).unwrap();
        assert_eq!(of("one"), json!({"command": "mars", "env": null, "args": ["x"]}));
        assert_eq!(of("two"), json!({"command": "mars", "env": null, "args": ["y"]}));
        assert_eq!(of("three"), json!({"command": "z", "env": null, "args": ["x"], "on": true}));
        let two = tree.get(root, "two").unwrap();
        assert!(tree.pair(two, "command").is_none());
        assert_eq!(tree.text_of(tree.get(two, "command").unwrap()), Some("mars"));
    }

    #[test]
    fn a_small_text_that_means_a_very_large_value_is_too_much() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            let line = format!("a{level}: &a{level} [{below}]\n");
            text += &line;
        }
        let tree = parse(&text).unwrap();
        let root = tree.root().unwrap();
        assert_eq!(tree.value(root), Err(TooMuch));
        let circle = parse("a: &a\n  <<: *a\n");
        assert!(circle.is_ok_and(|tree| {
            let a = tree.get(tree.root().unwrap(), "a").unwrap();
            tree.get(a, "x").is_none() && tree.value(a) == Err(TooMuch)
        }));
    }
}
