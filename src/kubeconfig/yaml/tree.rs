//! The tree of one document: nodes that know where in the text they are.

use std::{borrow::Cow, collections::HashMap, ops::Range};

/// A node, by its number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Id(pub(super) u32);

/// One document.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    /// What it was read from.
    pub(crate) text: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) root: Option<Id>,
    /// Where comments are, from the `#` to the end of the line, in order.
    pub(super) comments: Vec<Range<u32>>,
    /// The node of each anchor.
    pub(super) anchors: HashMap<u32, Id>,
}

/// A value, and where it is.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Where it begins, with its anchor and its tag.
    pub(super) whole: u32,
    /// Where its content begins: a block sequence's with its first dash.
    pub(super) start: u32,
    /// Where its content ends: a block's with that of its last value.
    pub(super) end: u32,
    /// What it is.
    pub(crate) kind: Kind<'a>,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind<'a> {
    /// Text.
    Scalar {
        /// Without quotes and escapes.
        value: Cow<'a, str>,
        /// How it is written.
        style: Style,
    },
    /// Keys and values, in order.
    Map {
        /// In order.
        pairs: Vec<(Id, Id)>,
        /// In braces.
        flow: bool,
    },
    /// Values, in order.
    Seq {
        /// In order.
        items: Vec<Id>,
        /// In brackets.
        flow: bool,
    },
    /// The node of the anchor of that number.
    Alias(u32),
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// Below `|` or `>`.
    Block,
}

impl<'a> Tree<'a> {
    /// The outermost value; `None` for an empty document.
    pub(crate) fn root(&self) -> Option<Id> {
        self.root
    }

    /// That node.
    pub(crate) fn node(&self, id: Id) -> &Node<'a> {
        &self.nodes[id.0 as usize]
    }

    /// All nodes, in the order of the text.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(Id)
    }

    /// The node that an alias leads to, or the node itself.
    pub(crate) fn target(&self, id: Id) -> Id {
        match self.node(id).kind {
            // an alias of an alias cannot be written
            Kind::Alias(anchor) => self.anchors.get(&anchor).copied().unwrap_or(id),
            _ => id,
        }
    }

    /// Where comments are within that part of the text.
    pub(crate) fn comments_in(&self, part: &Range<usize>) -> impl Iterator<Item = &'a str> {
        let (start, text) = (part.start, self.text);
        let from = self.comments.partition_point(|comment| (comment.start as usize) < start);
        let end = part.end;
        self.comments[from..]
            .iter()
            .take_while(move |comment| (comment.start as usize) < end)
            .map(move |comment| text[comment.start as usize..comment.end as usize].trim_end())
    }

    /// Where aliases are, and the whole of what each means.
    pub(crate) fn ties(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        // nearly no kubeconfig has any, and then nothing is looked at
        let nodes = if self.anchors.is_empty() { &[][..] } else { &self.nodes };
        nodes.iter().filter_map(|node| match node.kind {
            Kind::Alias(anchor) => {
                let target = self.node(*self.anchors.get(&anchor)?);
                Some((node.start as usize, target.whole()))
            }
            _ => None,
        })
    }

    /// Whether a key in it is written behind `?`, as hardly anybody does: the editor knows no such keys.
    pub(crate) fn has_complex_keys(&self, id: Id) -> bool {
        match &self.node(id).kind {
            Kind::Map { pairs, .. } => pairs.iter().any(|(key, value)| {
                self.is_complex(*key) || [*key, *value].iter().any(|id| self.has_complex_keys(*id))
            }),
            Kind::Seq { items, .. } => items.iter().any(|item| self.has_complex_keys(*item)),
            Kind::Scalar { .. } | Kind::Alias(_) => false,
        }
    }

    fn is_complex(&self, key: Id) -> bool {
        let before = self.text[..self.node(key).whole().start].trim_end_matches([' ', '\t']);
        let before = before.strip_suffix('?');
        before.is_some_and(|before| before.is_empty() || before.ends_with(is_gap))
    }

    /// The line of that byte, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// How far a byte is from the beginning of its line.
    pub(crate) fn column(&self, at: usize) -> usize {
        at - self.text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1)
    }
}

/// What may stand before the `?` of a key.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '{' || c == ','
}

impl Node<'_> {
    /// Its content.
    pub(crate) fn place(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Its content, its anchor and its tag.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.whole as usize..self.end as usize
    }

    /// Whether it is written over lines, by indentation.
    pub(crate) fn is_block(&self) -> bool {
        matches!(self.kind, Kind::Map { flow: false, .. } | Kind::Seq { flow: false, .. })
    }
}
