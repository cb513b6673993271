//! An item out of a list, with its line and nothing else.

use std::ops::Range;

use super::{
    edit::Editor,
    splice::Splice,
    yaml::{Id, Tree},
};

/// The splice that takes it out. `None` where more would go with it: see [`is_by_itself`]; or the list, if it
/// is the only one.
pub(crate) fn remove(tree: &Tree<'_>, list: Id, index: usize) -> Option<Splice> {
    let items = tree.items(list);
    if items.len() < 2 || !is_by_itself(tree, list, index) {
        return None;
    }
    let place = tree.node(items[index]).whole();
    if Editor::new(tree).is_flow(list) {
        let place = match items.get(index + 1) {
            Some(next) => place.start..tree.node(*next).whole().start,
            None => tree.node(items[index - 1]).whole().end..place.end,
        };
        return Some(Splice::new(place, ""));
    }
    Some(Splice::new(lines(tree, &place)?, ""))
}

/// Whether nothing that others need goes with an item: no comment, no anchor, nothing on its lines.
pub(crate) fn is_by_itself(tree: &Tree<'_>, list: Id, index: usize) -> bool {
    let Some(item) = tree.items(list).get(index).filter(|_| tree.target(list) == list) else {
        return false;
    };
    let place = tree.node(*item).whole();
    if tree.ties().any(|(_, anchored)| place.contains(&anchored.start)) {
        return false;
    }
    if Editor::new(tree).is_flow(list) {
        return tree.comments_in(&place).next().is_none();
    }
    lines(tree, &place).is_some_and(|lines| {
        let before = tree.text[lines.start..place.start].trim();
        let behind = tree.text[place.end..lines.end].trim();
        before == "-" && behind.is_empty() && tree.comments_in(&lines).next().is_none()
    })
}

/// The lines of an item, from its dash on.
fn lines(tree: &Tree<'_>, place: &Range<usize>) -> Option<Range<usize>> {
    let dash = tree.text[..place.start].rfind('-')?;
    let end = tree.text[place.end..].find('\n').map_or(tree.text.len(), |at| place.end + at + 1);
    Some(dash - tree.column(dash)..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubeconfig::{splice::apply, yaml::parse};

    fn without(text: &str, index: usize) -> Option<String> {
        let tree = parse(text).unwrap();
        let list = tree.get(tree.root().unwrap(), "l").unwrap();
        apply(text, &[remove(&tree, list, index)?])
    }

    #[test]
    fn one_item_goes_and_the_others_stay_as_they_are() {
        let text = "l:\n- a: 1\n  b: 2\n# of c\n- c: 3\n- d: |\n    x\n\nz: 1\n";
        assert_eq!(without(text, 0).unwrap(), "l:\n# of c\n- c: 3\n- d: |\n    x\n\nz: 1\n");
        assert_eq!(without(text, 2).unwrap(), "l:\n- a: 1\n  b: 2\n# of c\n- c: 3\n\nz: 1\n");
        assert_eq!(without("l: [1, 2, 3]", 0).unwrap(), "l: [2, 3]");
        assert_eq!(without("l: [1, 2, 3]", 2).unwrap(), "l: [1, 2]");
        assert_eq!(without("l:\r\n  - a\r\n  - b", 1).unwrap(), "l:\r\n  - a\r\n");
    }

    #[test]
    fn nothing_goes_with_it() {
        for text in [
            "l:\n- a\n",
            "l:\n- a: 1 # c\n- b\n",
            "l:\n- a: 1\n  # c\n  b: 2\n- b\n",
            "l:\n- &a x\n- *a\n",
            "l: [1]\n",
        ] {
            assert_eq!(without(text, 0), None, "{text}");
        }
    }
}
