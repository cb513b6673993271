//! What entries share by anchors and aliases, as far as it decides whether one may change by itself.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    document::{Document, Section},
    plan::Edit,
};

/// The places of a kubeconfig that its anchors tie together, and the changes that are planned.
pub(crate) struct Shared<'p> {
    edits: &'p [Edit],
    /// What goes, and by which edit; by place.
    spliced: Vec<(Range<usize>, usize)>,
    /// Where entries are, and their names; by place.
    items: Vec<(Range<usize>, String)>,
    /// Aliases: where each is, and the anchored value that it means.
    ties: Vec<(usize, Range<usize>)>,
}

impl<'p> Shared<'p> {
    pub(crate) fn new(document: &Document<'_>, edits: &'p [Edit]) -> Self {
        let tree = &document.tree;
        let mut spliced: Vec<_> = edits
            .iter()
            .enumerate()
            .flat_map(|(index, edit)| edit.splices.iter().map(move |s| (s.place.clone(), index)))
            .collect();
        spliced.sort_by_key(|(place, _)| (place.start, place.end));
        let ties: Vec<_> = tree.ties().collect();
        let mut items = Vec::new();
        if !ties.is_empty() {
            for section in Section::ALL {
                items.extend(
                    document
                        .entries(section)
                        .iter()
                        .map(|entry| (tree.node(entry.item).whole(), entry.name.to_owned())),
                );
            }
            items.sort_by_key(|(place, _)| place.start);
        }
        Self { edits, spliced, items, ties }
    }

    /// Changes that would change another entry, which is not to change or loses what it means: each, and
    /// the entry's name.
    pub(crate) fn conflicts(&self) -> HashMap<usize, String> {
        let conflicts = self.ties.iter().filter_map(|(alias, anchored)| {
            if self.edit_at(*alias).is_some() {
                return None; // it goes itself
            }
            // what means the value, or part of it, goes with the anchor
            let gone = self.edit_at(anchored.start);
            let edit = gone.or_else(|| self.edit_within(anchored))?;
            let owner = self.item_at(*alias).map_or("the rest of the file", |(_, name)| name);
            (gone.is_some() || !self.is_edited(*alias)).then(|| (edit, owner.to_owned()))
        });
        conflicts.collect()
    }

    /// All changes of entries that share anything.
    pub(crate) fn all(&self) -> HashSet<usize> {
        let mut all = HashSet::new();
        for (index, edit) in self.edits.iter().enumerate() {
            let touches =
                |place: &Range<usize>| place.start < edit.item.end && edit.item.start <= place.end;
            if self
                .ties
                .iter()
                .any(|(alias, anchored)| edit.item.contains(alias) || touches(anchored))
            {
                all.insert(index);
            }
        }
        all
    }

    /// The change that takes that byte away.
    fn edit_at(&self, at: usize) -> Option<usize> {
        let behind = self.spliced.partition_point(|(place, _)| place.start <= at);
        let (place, edit) = self.spliced[..behind].last()?;
        place.contains(&at).then_some(*edit)
    }

    /// Whether that byte is within an entry that changes; changes are in the order of the text.
    fn is_edited(&self, at: usize) -> bool {
        let behind = self.edits.partition_point(|edit| edit.item.start <= at);
        self.edits[..behind].last().is_some_and(|edit| edit.item.contains(&at))
    }

    /// A change within that place.
    fn edit_within(&self, place: &Range<usize>) -> Option<usize> {
        let first = self.spliced.partition_point(|(spliced, _)| spliced.start < place.start);
        let (spliced, edit) = self.spliced.get(first)?;
        (spliced.start < place.end).then_some(*edit)
    }

    fn item_at(&self, at: usize) -> Option<&(Range<usize>, String)> {
        let behind = self.items.partition_point(|(place, _)| place.start <= at);
        self.items[..behind].last().filter(|(place, _)| at < place.end)
    }
}
