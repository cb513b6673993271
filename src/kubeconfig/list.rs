//! Further items of a list, in the manner of those that are there.

use serde_json::Value;

use super::{
    edit::{Editor, line_end},
    splice::Splice,
    yaml::{Id, Tree, block, flow},
};

/// Where they are put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Behind those that are there.
    Behind,
    /// Before them.
    Before,
}

/// The splice that puts them there; `None` if the list has no items, or is an alias of another one.
pub(crate) fn appended(
    tree: &Tree<'_>,
    editor: &Editor<'_, '_>,
    list: Id,
    more: &[Value],
    place: Place,
) -> Option<Splice> {
    if tree.target(list) != list {
        return None;
    }
    let items = tree.items(list);
    let end_of = *items.last()?;
    if editor.is_flow(list) {
        return Some(in_brackets(tree, list, items, more));
    }
    let dash = tree.node(list).place().start;
    let column = tree.column(dash);
    let written = |value: &Value| format!("- {}", block(value, column + 2, line_end(tree.text)));
    match place {
        Place::Before => {
            let text: String =
                more.iter().map(|value| written(value) + &editor.new_line(column)).collect();
            Some(Splice::new(dash..dash, text))
        }
        Place::Behind => {
            let end = tree.node(end_of).whole().end;
            let rest = &tree.text[end..];
            let line = rest.find('\n').map_or(rest, |at| rest[..at].trim_end_matches('\r'));
            let at = end + line.len();
            let text: String =
                more.iter().map(|value| editor.new_line(column) + &written(value)).collect();
            Some(Splice::new(at..at, text))
        }
    }
}

fn in_brackets(tree: &Tree<'_>, list: Id, items: &[Id], new: &[Value]) -> Splice {
    let end = items.last().map_or(0, |last| tree.node(*last).whole().end);
    // as the first one is set off from the bracket
    let open = tree.node(list).place().start + 1;
    let first = items.first().map_or(open, |first| tree.node(*first).whole().start);
    let before = tree.text.get(open..first).unwrap_or_default();
    let is_blank = before.chars().all(char::is_whitespace);
    let space = if is_blank && before.contains('\n') { before } else { " " };
    let written = new.iter().map(flow).map(|item| [",", space, &item].concat());
    let text: String = written.collect();
    Splice::new(end..end, text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubeconfig::{splice::apply, yaml::parse};

    fn with(text: &str, place: Place) -> String {
        let tree = parse(text).unwrap();
        let list = tree.get(tree.root().unwrap(), "a").unwrap();
        let new = [json!({"k": "x", "v": {"w": "u"}}), json!({"k": "z"})];
        let splice = appended(&tree, &Editor::new(&tree), list, &new, place).unwrap();
        let new = apply(text, &[splice]).unwrap();
        let tree = parse(&new).unwrap_or_else(|bad| panic!("{bad:?}:\n{new}"));
        let list = tree.get(tree.root().unwrap(), "a").unwrap();
        assert_eq!(tree.items(list).len(), 3, "{new}");
        new
    }

    #[test]
    fn items_come_behind_the_others_in_their_manner() {
        for (text, written) in [
            (
                "a:\n- k: i # c\n# d\nb: 1\n",
                "a:\n- k: i # c\n- k: x\n  v:\n    w: u\n- k: z\n# d\nb: 1\n",
            ),
            ("a:\r\n  - k: i", "a:\r\n  - k: i\r\n  - k: x\r\n    v:\r\n      w: u\r\n  - k: z"),
            (
                "{\"a\": [{\"k\": \"i\"}]}",
                "{\"a\": [{\"k\": \"i\"}, {\"k\": \"x\", \"v\": {\"w\": \"u\"}}, {\"k\": \"z\"}]}",
            ),
            (
                "{\n \"a\": [\n  {\"k\": 1}\n ]\n}\n",
                "{\n \"a\": [\n  {\"k\": 1},\n  {\"k\": \"x\", \"v\": {\"w\": \"u\"}},\n  {\"k\": \"z\"}\n ]\n}\n",
            ),
        ] {
            assert_eq!(with(text, Place::Behind), written);
        }
        assert_eq!(
            with("a:\n  # c\n  - k: i\n", Place::Before),
            "a:\n  # c\n  - k: x\n    v:\n      w: u\n  - k: z\n  - k: i\n"
        );
    }
}
