//! Splices for a mapping: a value in place of another one, and keys that were not there, in the manner
//! of what stands around them. Comments within what is replaced are put before what comes instead.

use std::ops::Range;

use serde_json::{Map, Value};

use super::{
    splice::Splice,
    yaml::{Id, Kind, Style, Tree, block, flow, scalar},
};

/// Edits one tree.
pub(crate) struct Editor<'t, 'a> {
    tree: &'t Tree<'a>,
    line_end: &'static str,
}

impl<'t, 'a> Editor<'t, 'a> {
    /// Writes line ends as the first one is.
    pub(crate) fn new(tree: &'t Tree<'a>) -> Self {
        Self { tree, line_end: line_end(tree.text) }
    }

    /// Has a key of the mapping mean that value, whether it is there or not. `None` if it does already.
    pub(crate) fn set(&self, map: Id, key: &str, value: &Value) -> Option<Splice> {
        match self.tree.pair(map, key) {
            Some((_, old)) if self.tree.value(old).as_ref() == Ok(value) => None,
            Some(pair) => Some(self.replace(map, pair, value)),
            None => Some(self.add(map, &[(key, value.clone())])),
        }
    }

    /// A value in place of the one of a pair.
    pub(crate) fn replace(&self, map: Id, (key, old): (Id, Id), new: &Value) -> Splice {
        let (node, key) = (self.tree.node(old), self.tree.node(key));
        if self.is_flow(map) {
            let before = &self.tree.text[..node.whole().start];
            let space = if before.ends_with([' ', '\n', '\t']) { "" } else { " " };
            let place = node.place();
            let comments: Vec<&str> = self.tree.comments_in(&place).collect();
            // a whole kubeconfig may be on one line: its beginning is looked for only where it counts
            let comments = if comments.is_empty() {
                String::new()
            } else {
                let line = self.new_line(self.tree.column(key.place().start));
                comments.into_iter().flat_map(|comment| [comment, &line]).collect()
            };
            let space = if node.place().is_empty() || !comments.is_empty() { space } else { "" };
            return Splice::new(
                node.whole(),
                space.to_owned() + &comments + &self.inline(old, new),
            );
        }
        let comments = |place: &Range<usize>| self.tree.comments_in(place).collect::<Vec<_>>();
        let is_list = |value: &Value| matches!(value, Value::Array(items) if !items.is_empty());
        let is_map = |value: &Value| matches!(value, Value::Object(map) if !map.is_empty());
        let is_same_kind = match node.kind {
            Kind::Seq { flow: false, .. } => is_list(new),
            Kind::Map { flow: false, .. } => is_map(new),
            _ => false,
        };
        if is_same_kind {
            // an anchor before it stays
            let column = self.tree.column(node.place().start);
            let text = self.below(&comments(&node.place()), new, column);
            return Splice::new(node.place(), text);
        }
        let column = self.tree.column(key.place().start);
        let behind = self.colon_after(key.place().end)..node.whole().end;
        let comments = comments(&behind);
        if is_list(new) || is_map(new) {
            let column = if is_map(new) { column + 2 } else { column };
            let text = format!("{}{}", self.new_line(column), self.below(&comments, new, column));
            return Splice::new(behind, text);
        }
        if node.is_block() || node.place().is_empty() || !comments.is_empty() {
            let mut text = format!(" {}", self.inline(old, new));
            for comment in comments {
                text += &self.new_line(column);
                text += comment;
            }
            return Splice::new(behind, text);
        }
        Splice::new(node.whole(), self.inline(old, new))
    }

    /// Another key, and its value.
    pub(crate) fn rename(
        &self,
        (key, old): (Id, Id),
        map: Id,
        name: &str,
        new: &Value,
    ) -> [Splice; 2] {
        let style = match self.tree.node(key).kind {
            Kind::Scalar { style, .. } => style,
            _ => Style::Plain,
        };
        let named = Splice::new(self.tree.node(key).place(), scalar(name, style));
        [named, self.replace(map, (key, old), new)]
    }

    /// Keys that are not there, and their values, behind those that are.
    pub(crate) fn add(&self, map: Id, more: &[(&str, Value)]) -> Splice {
        let pairs = self.tree.pairs(map);
        let (Some((first, _)), Some((last_key, last))) = (pairs.first(), pairs.last()) else {
            // `{}`
            let at = self.tree.node(map).place().start + 1;
            let all: Map<_, _> =
                more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
            let text = flow(&Value::Object(all));
            return Splice::new(at..at, &text[1..text.len() - 1]);
        };
        if self.is_flow(map) {
            let end = self.tree.node(*last).whole().end.max(self.tree.node(*last_key).whole().end);
            let separator = self.separator(pairs);
            let pair = |(key, value): &(&str, Value)| {
                format!("{separator}{}: {}", Value::from(*key), flow(value))
            };
            return Splice::new(end..end, more.iter().map(pair).collect::<String>());
        }
        let column = self.tree.column(self.tree.node(*first).whole().start);
        let pair = |(key, value): &(&str, Value)| {
            let pair: Map<_, _> = [((*key).to_owned(), value.clone())].into_iter().collect();
            block(&Value::Object(pair), column, self.line_end)
        };
        let lines = more.iter().map(pair);
        if let Some(at) = self.line_end_after(*last_key, *last) {
            let lines = lines.map(|line| self.new_line(column) + &line);
            Splice::new(at..at, lines.collect::<String>())
        } else {
            let at = self.tree.node(*last_key).whole().start;
            let lines = lines.map(|line| line + &self.new_line(column));
            Splice::new(at..at, lines.collect::<String>())
        }
    }

    /// Whether a mapping or list is in braces or brackets.
    pub(crate) fn is_flow(&self, id: Id) -> bool {
        matches!(
            self.tree.node(id).kind,
            Kind::Map { flow: true, .. } | Kind::Seq { flow: true, .. }
        )
    }

    /// A line end, and the spaces up to that column.
    pub(crate) fn new_line(&self, column: usize) -> String {
        format!("{}{}", self.line_end, " ".repeat(column))
    }

    /// A value over lines, the comments before it.
    fn below(&self, comments: &[&str], value: &Value, column: usize) -> String {
        let comments = comments.iter().map(|comment| format!("{comment}{}", self.new_line(column)));
        comments.collect::<String>() + &block(value, column, self.line_end)
    }

    /// A value on one line, in the quotes that the old one had.
    fn inline(&self, old: Id, new: &Value) -> String {
        match (new, &self.tree.node(old).kind) {
            (Value::String(text), Kind::Scalar { style, .. }) => scalar(text, *style).into_owned(),
            (Value::String(text), _) => scalar(text, Style::Double).into_owned(),
            _ => flow(new),
        }
    }

    /// Behind the colon that follows a key.
    fn colon_after(&self, key_end: usize) -> usize {
        self.tree.text[key_end..].find(':').map_or(key_end, |at| key_end + at + 1)
    }

    /// What stands between two pairs in braces: a comma, and how the next one is set off.
    fn separator(&self, pairs: &[(Id, Id)]) -> String {
        let [.., (_, before), (next, _)] = pairs else { return ", ".into() };
        let between = self.tree.node(*before).whole().end..self.tree.node(*next).whole().start;
        let text = self.tree.text.get(between).unwrap_or_default();
        let is_one = text.starts_with(',') && text[1..].chars().all(char::is_whitespace);
        if is_one { text.to_owned() } else { ", ".into() }
    }

    /// Where the line ends on which a pair does; `None` if a line put there would not be below it.
    fn line_end_after(&self, key: Id, value: Id) -> Option<usize> {
        if matches!(self.last_of(value), Kind::Scalar { style: Style::Block, .. }) {
            return None;
        }
        let end = self.tree.node(value).whole().end.max(self.tree.node(key).whole().end);
        let end = if self.tree.node(value).place().is_empty() {
            self.colon_after(end).max(end)
        } else {
            end
        };
        let rest = &self.tree.text[end..];
        let line = rest.find('\n').map_or(rest, |at| rest[..at].trim_end_matches('\r'));
        let is_over = line.trim().is_empty() || line.trim_start().starts_with('#');
        is_over.then_some(end + line.len())
    }

    /// What the text of a value ends with.
    fn last_of(&self, id: Id) -> &Kind<'a> {
        let node = self.tree.node(id);
        match &node.kind {
            Kind::Map { pairs, flow: false } => {
                pairs.last().map_or(&node.kind, |(_, value)| self.last_of(*value))
            }
            Kind::Seq { items, flow: false } => {
                items.last().map_or(&node.kind, |item| self.last_of(*item))
            }
            kind => kind,
        }
    }
}

/// As the first line of a text ends.
pub(crate) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubeconfig::{splice::apply, yaml::parse};

    fn set(text: &str, key: &str, value: &Value) -> String {
        let tree = parse(text).unwrap();
        let exec = tree.get(tree.root().unwrap(), "exec").unwrap();
        let splice = Editor::new(&tree).set(exec, key, value);
        let new = apply(text, &splice).unwrap_or_else(|| panic!("{splice:?} in {text:?}"));
        let tree = parse(&new).unwrap_or_else(|bad| panic!("{bad:?}:\n{new}"));
        let exec = tree.get(tree.root().unwrap(), "exec").unwrap();
        let got = tree.get(exec, key).map(|value| tree.value(value).unwrap());
        assert_eq!(got.as_ref(), Some(value), "{new}");
        new
    }

    #[test]
    fn a_value_is_written_in_the_manner_of_the_old_one() {
        let args = json!(["a", "b"]);
        for (text, key, value, written) in [
            ("exec:\n  command: 'x' # c\n", "command", json!("yy"), "exec:\n  command: 'yy' # c\n"),
            ("exec: {command: x}\n", "command", json!("yy"), "exec: {command: yy}\n"),
            (
                "exec:\n  args:\n  - x # c\n  # d\n  - y # e\n  z: 1\n",
                "args",
                args.clone(),
                "exec:\n  args:\n  # c\n  # d\n  - a\n  - b # e\n  z: 1\n",
            ),
            (
                "exec:\n  args:\n    - x\n",
                "args",
                args.clone(),
                "exec:\n  args:\n    - a\n    - b\n",
            ),
            (
                "exec:\r\n  args: [x] # c\r\n",
                "args",
                args.clone(),
                "exec:\r\n  args:\r\n  - a\r\n  - b # c\r\n",
            ),
            (
                "exec:\n  args:\n  z: 1\n",
                "args",
                args.clone(),
                "exec:\n  args:\n  - a\n  - b\n  z: 1\n",
            ),
            (
                "{\"exec\": {\"args\": [\"x\"], \"z\": 1}}",
                "args",
                args,
                "{\"exec\": {\"args\": [\"a\", \"b\"], \"z\": 1}}",
            ),
            (
                "exec: {args: [x, # c\n  y], z: 1}\n",
                "args",
                json!(["a", "b"]),
                "exec: {args: # c\n       [\"a\", \"b\"], z: 1}\n",
            ),
            (
                "exec:\n  env: [ # c\n    ]\n  z: 1\n",
                "env",
                Value::Null,
                "exec:\n  env: null\n  # c\n  z: 1\n",
            ),
            (
                "exec:\n  env:\n  - name: A # c\n    value: B\n  z: 1\n",
                "env",
                Value::Null,
                "exec:\n  env: null\n  # c\n  z: 1\n",
            ),
            (
                "exec:\n  hint: |\n    a\n    b\n\n  z: 1\n",
                "hint",
                json!("c: d"),
                "exec:\n  hint: \"c: d\"\n\n  z: 1\n",
            ),
            ("exec:\n  hint:\n  z: 1\n", "hint", json!("c"), "exec:\n  hint: c\n  z: 1\n"),
        ] {
            assert_eq!(set(text, key, &value), written);
        }
    }

    #[test]
    fn a_key_that_is_not_there_comes_behind_the_others() {
        let v = json!("v");
        for (text, written) in [
            ("exec:\n  a: 1\n  b: 2 # c\nz: 3\n", "exec:\n  a: 1\n  b: 2 # c\n  k: v\nz: 3\n"),
            ("exec:\n  a: 1", "exec:\n  a: 1\n  k: v"),
            ("exec:\n  a:\n", "exec:\n  a:\n  k: v\n"),
            ("exec:\r\n  a:\r\n  - x\r\nz: 3\r\n", "exec:\r\n  a:\r\n  - x\r\n  k: v\r\nz: 3\r\n"),
            (
                "exec:\n  a: 1\n  b: |\n    x\n\nz: 3\n",
                "exec:\n  a: 1\n  k: v\n  b: |\n    x\n\nz: 3\n",
            ),
            ("exec: {a: 1}\n", "exec: {a: 1, \"k\": \"v\"}\n"),
            ("exec: {}\n", "exec: {\"k\": \"v\"}\n"),
            (
                "{\n  \"exec\": {\n    \"a\": 1,\n    \"b\": 2\n  }\n}\n",
                "{\n  \"exec\": {\n    \"a\": 1,\n    \"b\": 2,\n    \"k\": \"v\"\n  }\n}\n",
            ),
        ] {
            assert_eq!(set(text, "k", &v), written);
        }
        let deep = set("exec:\n  a: 1\n", "k", &json!([{"name": "A", "value": "B"}]));
        assert_eq!(deep, "exec:\n  a: 1\n  k:\n  - name: A\n    value: B\n");
    }

    #[test]
    fn what_means_the_same_already_is_left_as_it_is() {
        let text = "exec:\n  args: [ 'a',  b ]\n";
        assert_eq!(set(text, "args", &json!(["a", "b"])), text);
    }
}
