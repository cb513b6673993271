//! Putting back what a record says: all of a file, or what of it can be.

use std::{collections::HashMap, path::Path};

use fleetkey_provider::{Error, Fingerprint, Result, shown};
use serde_json::{Value, json};

use super::{
    diff,
    document::{Document, Entry, Section},
    edit::Editor,
    list, removal,
    splice::{Splice, apply},
    undo::{Kept, Layer, Record, meaning},
};

/// What came of it.
pub(crate) struct Restored {
    /// The text.
    pub(crate) text: String,
    /// Whether it is, byte for byte, what it was before the first conversion on record.
    pub(crate) whole: bool,
    /// Entries that were put back by themselves.
    pub(crate) entries: Vec<String>,
    /// Entries that stay, and why.
    pub(crate) left: Vec<(String, &'static str)>,
    /// What of the record is still of use.
    pub(crate) record: Record,
}

/// Puts back what can be, the last conversion first.
pub(crate) fn restore(path: &Path, text: &str, mut record: Record) -> Result<Restored> {
    let mut restored = Restored {
        text: text.to_owned(),
        whole: true,
        entries: Vec::new(),
        left: Vec::new(),
        record: Record::default(),
    };
    while let Some(layer) = record.layers.pop() {
        let now = Fingerprint::of(restored.text.as_bytes()).to_string();
        if now == layer.before {
            continue; // it was kept, and never written
        }
        let whole = (now == layer.after).then(|| apply(&restored.text, &layer.back())).flatten();
        match whole.filter(|text| Fingerprint::of(text.as_bytes()).to_string() == layer.before) {
            Some(text) => {
                restored.text = text;
                restored.entries.extend(layer.entries.into_iter().map(|kept| kept.name));
            }
            None => restored.by_entry(path, layer)?,
        }
    }
    // the first conversion is the last that is looked at
    restored.record.layers.reverse();
    Ok(restored)
}

impl Restored {
    /// The change as a diff.
    pub(crate) fn diff(&self, path: &Path, old: &str, coloured: bool) -> Result<String> {
        let name = path.to_string_lossy();
        let (before, after) = (Document::read(old, &name)?, Document::read(&self.text, &name)?);
        // put back in several steps: shown as one
        let same = old.bytes().zip(self.text.bytes()).take_while(|(a, b)| a == b).count();
        let line = old[..same.min(old.len())].rfind('\n').map_or(0, |at| at + 1);
        let rest = old.bytes().rev().zip(self.text.bytes().rev());
        let most = (old.len() - line).min(self.text.len() - line);
        let same = rest.take(most).take_while(|(a, b)| a == b).count();
        let tail = old[old.len() - same..].find('\n').map_or(0, |at| same - at - 1);
        let splice = Splice::new(line..old.len() - tail, &self.text[line..self.text.len() - tail]);
        if splice.place.is_empty() && splice.text.is_empty() {
            return Ok(String::new());
        }
        Ok(diff::unified(&shown(&name), (&before, &after), &[&splice], coloured))
    }

    /// Puts back each entry that still means what was written: contexts first, since clusters and what was
    /// added say what a context that stays still needs.
    fn by_entry(&mut self, path: &Path, layer: Layer) -> Result<()> {
        self.whole = false;
        let is_context = |kept: &Kept| kept.section == Section::Contexts.list();
        let (contexts, others): (Vec<_>, Vec<_>) = layer.entries.into_iter().partition(is_context);
        let mut kept = self.each(path, contexts, false)?;
        let is_needed = !kept.is_empty();
        let is_cluster = |kept: &Kept| kept.section == Section::Clusters.list();
        let (clusters, users): (Vec<_>, Vec<_>) = others.into_iter().partition(is_cluster);
        kept.extend(self.each(path, clusters, is_needed)?);
        let (added, users): (Vec<_>, Vec<_>) =
            users.into_iter().partition(|kept| kept.value.is_none());
        kept.extend(self.each(path, users, false)?);
        let stays = !kept.is_empty();
        kept.extend(self.each(path, added, stays)?);
        if !kept.is_empty() {
            self.record.layers.push(Layer { entries: kept, ..layer });
        }
        Ok(())
    }

    /// Puts back what can be of these. What cannot be comes back.
    fn each(&mut self, path: &Path, entries: Vec<Kept>, stays: bool) -> Result<Vec<Kept>> {
        let name = path.to_string_lossy();
        let document = Document::read(&self.text, &name)?;
        let lists = Section::ALL.map(|section| List::new(&document, section));
        let (mut splices, mut left) = (Vec::new(), Vec::new());
        for entry in entries {
            let done = if stays {
                Back::Left("others still need it")
            } else {
                back(&document, &lists, &entry)
            };
            match done {
                Back::Splices(more) => {
                    splices.extend(more);
                    self.entries.push(entry.name);
                }
                Back::Gone => {}
                Back::Left(why) => {
                    self.left.push((entry.name.clone(), why));
                    left.push(entry);
                }
            }
        }
        let text = apply(&self.text, &splices).filter(|text| Document::read(text, &name).is_ok());
        let text = text.ok_or_else(|| {
            Error::failed(format!("`{}` could not be put back", shown(&name)))
                .because("what is kept does not fit what stands there now; nothing is written")
        })?;
        drop(document);
        self.text = text;
        Ok(left)
    }
}

/// A list, and where in it each name is.
struct List<'d> {
    section: Section,
    entries: Vec<Entry<'d>>,
    by_name: HashMap<&'d str, Vec<usize>>,
}

impl<'d> List<'d> {
    fn new(document: &'d Document<'_>, section: Section) -> Self {
        let entries = document.entries(section);
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            by_name.entry(entry.name).or_default().push(index);
        }
        Self { section, entries, by_name }
    }
}

/// What becomes of one entry.
enum Back {
    Splices(Vec<Splice>),
    /// It is not there any more.
    Gone,
    Left(&'static str),
}

fn value(kept: &Kept) -> Value {
    let text = kept.value.as_deref().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// An entry that went comes again, behind the others.
fn again(document: &Document<'_>, section: Section, kept: &Kept) -> Back {
    let entry = json!({"name": kept.name, section.one(): value(kept)});
    let editor = Editor::new(&document.tree);
    let splice = document
        .list(section)
        .and_then(|of| list::appended(&document.tree, &editor, of, &[entry], list::Place::Behind));
    splice.map_or(Back::Left("there is no list to put it in"), |splice| Back::Splices(vec![splice]))
}

fn back(document: &Document<'_>, lists: &[List<'_>], kept: &Kept) -> Back {
    let Some(list) = lists.iter().find(|list| list.section.list() == kept.section) else {
        return Back::Gone;
    };
    let section = list.section;
    let is_same_text = |index: &&usize| {
        let place = document.tree.node(list.entries[**index].item).place();
        Fingerprint::of(document.tree.text[place].as_bytes()).to_string() == kept.text
    };
    // of two of one name it is the one that was written
    let named = list.by_name.get(kept.name.as_str()).map_or(&[][..], Vec::as_slice);
    let same = named.iter().find(is_same_text);
    let Some(index) = same.or(named.first()).copied() else {
        return if kept.meaning.is_empty() { again(document, section, kept) } else { Back::Gone };
    };
    if kept.meaning.is_empty() {
        return Back::Gone; // somebody else put it there again
    }
    let entry = &list.entries[index];
    let place = document.tree.node(entry.item).place();
    if same.is_some() && kept.value.is_some() {
        return Back::Splices(kept.back(place.start));
    }
    if document.value(entry).map(|value| meaning(&value)) != Ok(kept.meaning.clone()) {
        return Back::Left("it was changed since");
    }
    let editor = Editor::new(&document.tree);
    if kept.value.is_none() {
        return document
            .list(section)
            .and_then(|of| removal::remove(&document.tree, of, index))
            .map_or(Back::Left("it cannot be taken out by itself"), |splice| {
                Back::Splices(vec![splice])
            });
    }
    match document.tree.pair(entry.item, section.one()) {
        Some(pair) => Back::Splices(vec![editor.replace(entry.item, pair, &value(kept))]),
        None => Back::Left("its value stands elsewhere"),
    }
}
