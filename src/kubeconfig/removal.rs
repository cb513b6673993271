//! An item out of a list, with its line and nothing else.

use super::{
    edit::Editor,
    splice::Splice,
    yaml::{Id, Tree},
};

/// The splice that takes it out. `None` where more would go with it: a comment, an anchor, or the list
/// itself, if it is the only one.
pub(crate) fn remove(tree: &Tree<'_>, list: Id, index: usize) -> Option<Splice> {
    let items = tree.items(list);
    if items.len() < 2 || tree.target(list) != list {
        return None;
    }
    let place = tree.node(*items.get(index)?).whole();
    if tree.ties().any(|(_, anchored)| place.contains(&anchored.start)) {
        return None;
    }
    if Editor::new(tree).is_flow(list) {
        let place = match items.get(index + 1) {
            Some(next) => place.start..tree.node(*next).whole().start,
            None => tree.node(items[index - 1]).whole().end..place.end,
        };
        return Some(Splice::new(place, ""));
    }
    let dash = tree.text[..place.start].rfind('-')?;
    let line = dash - tree.column(dash);
    let is_first_on_its_line = tree.text[line..dash].trim().is_empty();
    let end = tree.text[place.end..].find('\n').map_or(tree.text.len(), |at| place.end + at + 1);
    let is_alone = is_first_on_its_line
        && tree.text[place.end..end].trim().is_empty()
        && tree.comments_in(&(line..end)).next().is_none();
    is_alone.then(|| Splice::new(line..end, ""))
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
