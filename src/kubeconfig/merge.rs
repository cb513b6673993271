//! Further clusters in a kubeconfig, which keeps every byte that is not about them.
//!
//! An entry that is not there is put behind the others of its list. One that is there already, and
//! means the same cluster, is brought up to date field by field, so what somebody added to it stays. One
//! that means something else is left alone, and the whole merge is refused: the same name for two
//! things is what loses people's entries. What was written is read again, and has to mean exactly what
//! was meant.

use fleetkey_provider::{Error, Fingerprint, Result, shown};
use serde_json::{Map, Value};

use super::{
    addition::{Addition, Wanted},
    document::{Document, Section, digest},
    edit::{Editor, line_end},
    likeness::{Likeness, likeness, recreated},
    list::{Place, appended},
    splice::{Splice, apply},
    yaml::{Id, Kind, block, flow},
};

/// What is done with entries that mean something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Taken {
    /// They are left alone, and the merge is refused.
    Refused,
    /// They are replaced.
    Overwritten,
}

/// A text with further clusters in it.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The whole of it.
    pub(crate) text: String,
    /// What makes it of the text that was there, in order; nothing if that has all of them already.
    pub(crate) splices: Vec<Splice>,
}

/// The text with these clusters in it, and that context current, if one is named. `path` is for the
/// errors.
pub(crate) fn merge(
    text: &str,
    path: &str,
    additions: &[Addition],
    current: Option<&str>,
    taken: Taken,
) -> Result<Merged> {
    merge_with(text, path, additions, current, taken, &[])
}

/// The same; clusters of these names were made anew, and their entries follow them.
pub(crate) fn merge_with(
    text: &str,
    path: &str,
    additions: &[Addition],
    current: Option<&str>,
    taken: Taken,
    made_anew: &[String],
) -> Result<Merged> {
    let document = Document::read(text, path)?;
    let changes = Changes::plan(&document, path, additions, current, taken, made_anew)?;
    if changes.is_none() {
        return Ok(Merged { text: text.to_owned(), splices: Vec::new() });
    }
    let expected = changes.expected(&document, path)?;
    // a list may end in a text that would swallow what is put behind it
    for place in [Place::Behind, Place::Before] {
        let Some(mut splices) = changes.splices(&document, place) else { continue };
        splices.sort_by_key(|splice| (splice.place.start, splice.place.end));
        if let Some(text) = apply(text, &splices).filter(|new| means(new, path, &expected)) {
            return Ok(Merged { text, splices });
        }
    }
    Err(Error::failed(format!("`{}` cannot be added to", shown(path)))
        .because("it is written in a way that a change of one entry would change others, too")
        .next("kubectl config view --raw --flatten"))
}

/// What is to be changed.
struct Changes<'w> {
    /// Entries that are not there.
    new: Vec<&'w Wanted>,
    /// Entries that are, and what they are to mean.
    old: Vec<Change<'w>>,
    current: Option<&'w str>,
}

struct Change<'w> {
    section: Section,
    name: &'w str,
    value: Value,
}

impl<'w> Changes<'w> {
    fn plan(
        document: &Document<'_>,
        path: &str,
        additions: &'w [Addition],
        current: Option<&'w str>,
        taken: Taken,
        made_anew: &[String],
    ) -> Result<Self> {
        let current = current.filter(|name| document.current_context() != Some(name));
        let mut changes = Self { new: Vec::new(), old: Vec::new(), current };
        let mut seen: Vec<&Wanted> = Vec::new();
        let all = additions
            .iter()
            .flat_map(|addition| addition.entries.iter().map(move |e| (e, addition)));
        for (wanted, with) in all {
            let is_same =
                |other: &&&Wanted| other.section == wanted.section && other.name == wanted.name;
            if let Some(other) = seen.iter().find(is_same) {
                if other.value == wanted.value {
                    continue;
                }
                return Err(twice(wanted));
            }
            seen.push(wanted);
            let Some(entry) = document.entry(wanted.section, &wanted.name) else {
                changes.new.push(wanted);
                continue;
            };
            let old = document.value(&entry).map_err(|_| too_much(path))?;
            let value = match (likeness(document, &old, wanted, with), taken) {
                (Likeness::Same(value), _) => value,
                (Likeness::Other(_), _)
                    if wanted.section == Section::Clusters && made_anew.contains(&wanted.name) =>
                {
                    recreated(&old, &wanted.value)
                }
                (Likeness::Other(_), Taken::Overwritten) => wanted.value.clone(),
                (Likeness::Other(why), Taken::Refused) => return Err(is_taken(path, wanted, &why)),
            };
            if value != old {
                changes.old.push(Change { section: wanted.section, name: &wanted.name, value });
            }
        }
        Ok(changes)
    }

    fn is_none(&self) -> bool {
        self.new.is_empty() && self.old.is_empty() && self.current.is_none()
    }

    /// What all of the document means once they are done.
    fn expected(&self, document: &Document<'_>, path: &str) -> Result<Vec<Line>> {
        let summary = document.summary();
        let mut lines: Vec<Line> = summary
            .into_iter()
            .filter(|line| line.section.is_some() || Some(&*line.name) != self.current_key())
            .map(|line| (line.section, line.name, line.meaning))
            .collect();
        for Change { section, name, value } in &self.old {
            let Some(entry) = document.entry(*section, name) else { continue };
            let item = document.tree.value(entry.item).map_err(|_| too_much(path))?;
            let Value::Object(mut item) = item else { continue };
            let old = digest(&Value::Object(item.clone()));
            item.insert(section.one().to_owned(), value.clone());
            let changed = (Some(*section), (*name).to_owned(), digest(&Value::Object(item)));
            let at = lines
                .iter()
                .position(|line| (line.0, &*line.1, &line.2) == (Some(*section), *name, &old));
            if let Some(at) = at {
                lines[at] = changed;
            }
        }
        lines.extend(
            self.new
                .iter()
                .map(|wanted| (Some(wanted.section), wanted.name.clone(), digest(&wanted.item()))),
        );
        if let Some(current) = self.current {
            lines.push((None, CURRENT.to_owned(), digest(&Value::from(current))));
        }
        if is_empty(document) {
            lines.retain(|line| line.0.is_some());
            lines.extend(self.skeleton().into_iter().filter_map(|(key, value)| {
                let is_list = Section::parse(&key).is_some();
                (!is_list).then(|| (None, key, digest(&value)))
            }));
        }
        lines.sort_by(order);
        Ok(lines)
    }

    fn current_key(&self) -> Option<&'static str> {
        self.current.map(|_| CURRENT)
    }

    /// What does all of it; `None` if that cannot be.
    fn splices(&self, document: &Document<'_>, place: Place) -> Option<Vec<Splice>> {
        let tree = &document.tree;
        let editor = Editor::new(tree);
        if is_empty(document) {
            return Some(vec![self.begun(document)]);
        }
        let root = tree.root()?;
        let (mut splices, mut missing) = (Vec::new(), Vec::new());
        for section in Section::ALL {
            let of_it = self.new.iter().filter(|wanted| wanted.section == section);
            let items: Vec<Value> = of_it.map(|wanted| wanted.item()).collect();
            if items.is_empty() {
                continue;
            }
            match tree.pair(root, section.list()) {
                None => missing.push((section.list(), Value::Array(items))),
                Some(pair) if tree.items(pair.1).is_empty() => {
                    splices.push(editor.replace(root, pair, &Value::Array(items)));
                }
                Some((_, list)) => splices.push(appended(tree, &editor, list, &items, place)?),
            }
        }
        if let Some(current) = self.current {
            let value = Value::from(current);
            match tree.pair(root, CURRENT) {
                Some(pair) => splices.push(editor.replace(root, pair, &value)),
                None => missing.push((CURRENT, value)),
            }
        }
        if !missing.is_empty() {
            splices.push(editor.add(root, &missing));
        }
        for Change { section, name, value } in &self.old {
            let entry = document.entry(*section, name)?;
            splices.extend(changed(document, &editor, entry.item, *section, value)?);
        }
        Some(splices)
    }

    /// A kubeconfig where there was none; comments stay.
    fn begun(&self, document: &Document<'_>) -> Splice {
        let (text, line_end) = (document.tree.text, line_end(document.tree.text));
        let new = block(&Value::Object(self.skeleton()), 0, line_end);
        let root = document.tree.root().map(|root| document.tree.node(root).place());
        if let Some(place) = root.filter(|place| !place.is_empty()) {
            return Splice::new(place, new);
        }
        let is_whole = text.is_empty() || text.ends_with('\n');
        let before = if is_whole { "" } else { line_end };
        Splice::new(text.len()..text.len(), format!("{before}{new}{line_end}"))
    }

    /// As clients write a new one.
    fn skeleton(&self) -> Map<String, Value> {
        let list = |section| {
            let of_it = self.new.iter().filter(|wanted| wanted.section == section);
            Value::Array(of_it.map(|wanted| wanted.item()).collect())
        };
        let rest = [
            ("apiVersion", Value::from("v1")),
            (CURRENT, Value::from(self.current.unwrap_or_default())),
            ("kind", Value::from("Config")),
            ("preferences", Value::Object(Map::new())),
        ];
        let lists = Section::ALL.map(|section| (section.list(), list(section)));
        lists.into_iter().chain(rest).map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// What has another value in an entry that is there.
fn changed(
    document: &Document<'_>,
    editor: &Editor<'_, '_>,
    item: Id,
    section: Section,
    new: &Value,
) -> Option<Vec<Splice>> {
    let tree = &document.tree;
    let key = section.one();
    if !matches!(tree.node(item).kind, Kind::Map { .. }) {
        // an alias: from now on it is an entry of its own
        let Value::Object(mut whole) = tree.value(item).ok()? else { return None };
        whole.insert(key.to_owned(), new.clone());
        return Some(vec![Splice::new(tree.node(item).whole(), flow(&Value::Object(whole)))]);
    }
    match tree.pair(item, key) {
        None => Some(vec![editor.add(item, &[(key, new.clone())])]),
        Some(pair) => Some(within(document, editor, item, pair, new)),
    }
}

/// The same for a value: key by key where all that is there stays.
fn within(
    document: &Document<'_>,
    editor: &Editor<'_, '_>,
    map: Id,
    pair: (Id, Id),
    new: &Value,
) -> Vec<Splice> {
    let tree = &document.tree;
    let written = tree.pairs(pair.1);
    let is_written_here = matches!(tree.node(pair.1).kind, Kind::Map { .. });
    let Value::Object(fields) = new else { return vec![editor.replace(map, pair, new)] };
    let stays =
        |(key, _): &(Id, Id)| tree.text_of(*key).is_some_and(|key| fields.contains_key(key));
    if !is_written_here || !written.iter().all(stays) {
        return vec![editor.replace(map, pair, new)];
    }
    let (mut splices, mut missing) = (Vec::new(), Vec::new());
    for (key, value) in fields {
        match tree.pair(pair.1, key) {
            None => missing.push((key.as_str(), value.clone())),
            Some(old) if tree.value(old.1).as_ref() == Ok(value) => {}
            Some(old) => splices.extend(within(document, editor, pair.1, old, value)),
        }
    }
    if !missing.is_empty() {
        splices.push(editor.add(pair.1, &missing));
    }
    splices
}

/// A line of a summary.
type Line = (Option<Section>, String, Fingerprint);

fn means(text: &str, path: &str, expected: &[Line]) -> bool {
    let Ok(document) = Document::read(text, path) else { return false };
    let summary = document.summary();
    let mut lines: Vec<Line> =
        summary.into_iter().map(|line| (line.section, line.name, line.meaning)).collect();
    lines.sort_by(order);
    lines == expected
}

fn order(one: &Line, other: &Line) -> std::cmp::Ordering {
    let key = |line: &Line| (line.0.map(Section::list), line.1.clone(), line.2.to_string());
    key(one).cmp(&key(other))
}

/// Whether there is nothing in it, or nothing but comments.
fn is_empty(document: &Document<'_>) -> bool {
    document.tree.root().is_none_or(|root| document.tree.is_null(root))
}

fn is_taken(path: &str, wanted: &Wanted, why: &str) -> Error {
    Error::config(format!(
        "`{}` has another {} `{}`",
        shown(path),
        wanted.section.one(),
        shown(&wanted.name)
    ))
    .because(why.to_owned())
}

fn twice(wanted: &Wanted) -> Error {
    Error::config(format!(
        "two clusters want one {} `{}`",
        wanted.section.one(),
        shown(&wanted.name)
    ))
    .because("they have the same name and mean different things")
    .next(format!("fleetkey kubeconfig discover --name-template '{DISTINCT}'"))
}

fn too_much(path: &str) -> Error {
    Error::config(format!("`{}` is not a kubeconfig", shown(path)))
        .because("an entry of it is larger, or nests deeper, than one can be")
}

/// A template of names with all in it that tells clusters apart.
const DISTINCT: &str =
    "{cloud}/{account-id}/{subscription-id}/{region}/{resource-group}/{cluster}/{role}";
const CURRENT: &str = "current-context";

#[cfg(test)]
mod tests;
