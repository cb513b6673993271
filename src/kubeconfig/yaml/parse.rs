//! From text to a tree, by the events of a parser that knows where each byte is.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options};

use super::tree::{Id, Kind, Node, Style, Tree};

/// Why a text is not YAML, or not one document, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BadYaml {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) why: String,
}

/// Reads one document; JSON is one, too. Errors if there are two, or if it nests too deep.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, BadYaml> {
    if u32::try_from(text.len()).is_err() {
        return Err(BadYaml { line: 1, why: "it is too large".into() });
    }
    let options = options! { emit_anchor_events: true };
    let mut builder = Builder::new(text);
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| bad(&error))?;
        builder.take(event, &span)?;
    }
    Ok(builder.tree)
}

fn bad(error: &ScanError) -> BadYaml {
    BadYaml { line: error.marker().line(), why: error.info().clone() }
}

struct Builder<'a> {
    tree: Tree<'a>,
    /// Collections that have not ended, outermost first.
    open: Vec<Open>,
    documents: usize,
}

/// A collection, and for a mapping the key that waits for its value.
struct Open {
    id: Id,
    key: Option<Id>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let tree = Tree {
            text,
            // as many as there are where keys and values are short
            nodes: Vec::with_capacity(text.len() / 48),
            root: None,
            comments: Vec::new(),
            anchors: HashMap::new(),
        };
        Self { tree, open: Vec::new(), documents: 0 }
    }

    fn take(&mut self, event: Event<'a>, span: &Span) -> Result<(), BadYaml> {
        let place = span.byte_range().unwrap_or_default();
        let (start, end) = (number(place.start), number(place.end));
        let whole = span.tag_start().and_then(|tag| tag.byte_offset()).map_or(start, number);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(BadYaml {
                        line: span.start.line(),
                        why: "a second document begins here".into(),
                    });
                }
            }
            Event::Scalar(value, style, ..) => {
                let style = style_of(style);
                let (start, end, value) = match style {
                    Style::Block => {
                        let end = start + trimmed(&self.tree.text[place]);
                        (self.header_before(start), end, value)
                    }
                    // what was left out is `~` to the parser
                    Style::Plain if start == end => {
                        let behind = self.behind_the_colon().unwrap_or(start).max(start);
                        (behind, behind, "".into())
                    }
                    _ => (start, end, value),
                };
                let is_tagged = span.tag_start().is_some();
                let whole = if is_tagged { whole.min(start) } else { start };
                self.add(Node { whole, start, end, kind: Kind::Scalar { value, style } });
            }
            Event::MappingStart(style, ..) => {
                let kind = Kind::Map { pairs: Vec::new(), flow: is_flow(style) };
                self.begin(Node { whole, start, end, kind });
            }
            Event::SequenceStart(style, ..) => {
                let kind = Kind::Seq { items: Vec::new(), flow: is_flow(style) };
                self.begin(Node { whole, start, end, kind });
            }
            Event::MappingEnd | Event::SequenceEnd => self.end(end),
            Event::Alias(anchor) => {
                let kind = Kind::Alias(number(anchor));
                self.add(Node { whole, start, end, kind });
            }
            Event::Anchor(anchor, _) => self.anchored(number(anchor), start, end),
            Event::Comment(..) => self.tree.comments.push(start..end),
            _ => {}
        }
        Ok(())
    }

    /// Behind the colon of the key that waits for its value.
    fn behind_the_colon(&self) -> Option<u32> {
        let key = self.tree.node(self.open.last()?.key?).end;
        let colon = self.tree.text[key as usize..].find(':')?;
        Some(key + number(colon) + 1)
    }

    /// A node that has no end of its own to come.
    fn add(&mut self, node: Node<'a>) -> Id {
        let id = Id(number(self.tree.nodes.len()));
        self.tree.nodes.push(node);
        let Some(open) = self.open.last_mut() else {
            self.tree.root.get_or_insert(id);
            return id;
        };
        match &mut self.tree.nodes[open.id.0 as usize].kind {
            Kind::Seq { items, .. } => items.push(id),
            Kind::Map { pairs, .. } => match open.key.take() {
                None => open.key = Some(id),
                Some(key) => pairs.push((key, id)),
            },
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
        id
    }

    fn begin(&mut self, node: Node<'a>) {
        let id = self.add(node);
        self.open.push(Open { id, key: None });
    }

    fn end(&mut self, end: u32) {
        let Some(Open { id, .. }) = self.open.pop() else { return };
        let node = self.tree.node(id);
        let (start, end) = match &node.kind {
            Kind::Map { pairs, flow: false } => {
                let last = pairs.last().map_or(node.end, |(key, value)| {
                    self.tree.node(*value).end.max(self.tree.node(*key).end)
                });
                (node.start, last)
            }
            Kind::Seq { items, flow: false } => {
                let first = items.first().map_or(node.start, |item| self.tree.node(*item).whole);
                let last = items.last().map_or(node.end, |item| self.tree.node(*item).end);
                (dash_before(self.tree.text, first).unwrap_or(first), last)
            }
            _ => (node.start, end),
        };
        let node = &mut self.tree.nodes[id.0 as usize];
        node.whole = if node.whole == node.start { start } else { node.whole };
        (node.start, node.end) = (start, end);
    }

    /// Where the `|` or `>` is that a block scalar's text follows. A comment may stand in between.
    fn header_before(&self, start: u32) -> u32 {
        let mut before = start;
        while let Some(at) = self.tree.text[..before as usize].rfind(['|', '>']).map(number) {
            let nearest = self.tree.comments.iter().rev().find(|comment| comment.start <= at);
            match nearest {
                Some(comment) if at < comment.end => before = comment.start,
                _ => return at,
            }
        }
        start
    }

    /// Follows the node that it belongs to.
    fn anchored(&mut self, anchor: u32, at: u32, end: u32) {
        if let Some(node) = self.tree.nodes.last_mut() {
            if node.start == node.end && matches!(node.kind, Kind::Scalar { .. }) {
                // nothing, behind its anchor
                (node.whole, node.start, node.end) = (at, end, end);
            }
            node.whole = node.whole.min(at);
            self.tree.anchors.insert(anchor, Id(number(self.tree.nodes.len() - 1)));
        }
    }
}

/// Where the dash is that an item of a block sequence follows.
fn dash_before(text: &str, item: u32) -> Option<u32> {
    let before = text[..item as usize].trim_end_matches([' ', '\t', '\n', '\r']);
    before.ends_with('-').then(|| number(before.len() - 1))
}

/// How long a block scalar is without the line ends behind it.
fn trimmed(text: &str) -> u32 {
    number(text.trim_end().len())
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

fn is_flow(style: StructureStyle) -> bool {
    matches!(style, StructureStyle::Flow)
}

/// The text is shorter than that, so there are fewer nodes and anchors, too.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(text: &str) -> Vec<String> {
        let tree = parse(text).unwrap();
        tree.nodes.iter().map(|node| text[node.whole()].to_owned()).collect()
    }

    #[test]
    fn every_value_knows_its_bytes() {
        assert_eq!(
            slices("a: &x\n- 'b'   # c\n- *x2\nd: {e: \"f\"}\n".replace("*x2", "g").as_str()),
            [
                "a: &x\n- 'b'   # c\n- g\nd: {e: \"f\"}",
                "a",
                "&x\n- 'b'   # c\n- g",
                "'b'",
                "g",
                "d",
                "{e: \"f\"}",
                "e",
                "\"f\"",
            ]
        );
        assert_eq!(slices("a:\nb: |\n  x\n\nc: 1\n")[2..5], ["", "b", "|\n  x"]);
        assert_eq!(slices("a: &x\nb: !!str\n")[2], "&x");
        assert_eq!(slices("b: &x > # a | b\n\n  x\n\n# z\nc: 1\n")[2], "&x > # a | b\n\n  x");
        assert_eq!(slices("- - a\n  - b\n- c\n")[1], "- a\n  - b");
    }

    #[test]
    fn comments_and_crlf_have_their_places() {
        let text = "a: 1 # one\r\n# two\r\nb:\r\n  - x\r\n";
        let tree = parse(text).unwrap();
        assert_eq!(tree.comments_in(&(0..text.len())).collect::<Vec<_>>(), ["# one", "# two"]);
        let root = tree.node(tree.root().unwrap());
        assert_eq!(&text[root.place()], "a: 1 # one\r\n# two\r\nb:\r\n  - x");
    }

    #[test]
    fn what_is_no_single_document_is_refused_with_its_line() {
        for (text, line) in
            [("a: 1\n---\nb: 2\n", 2), ("a: [1\n", 1), ("a: *b\n", 1), ("a:\n\t- b: c\n d\n", 2)]
        {
            assert_eq!(parse(text).map(|_| ()).unwrap_err().line, line, "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse("").unwrap().root().is_none());
    }
}
