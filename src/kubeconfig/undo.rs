//! What stood in a kubeconfig before it was converted, so that it can be put back: sealed, as sessions
//! are, since what stood there may have been a secret.
//!
//! Each conversion is a layer. A file that is still what the last layer left is put back byte for byte;
//! of one that was changed since, each entry that still means what we wrote.

use std::{path::Path, sync::Arc};

use fleetkey_provider::{Error, ExposeSecret, Fingerprint, Result, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    document::{Document, Section},
    plan::Edit,
    splice::Splice,
};
use crate::{
    World, folders,
    host::Store,
    sessions::sealed::{Sealed, seal},
    vault::{Sealer, Vault},
};

/// The layers of one file, the last one on top.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Record {
    pub(crate) layers: Vec<Layer>,
}

/// One conversion.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Layer {
    /// What the file was.
    pub(crate) before: String,
    /// What it became.
    pub(crate) after: String,
    pub(crate) entries: Vec<Kept>,
}

/// One entry that was changed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Kept {
    /// Its list.
    pub(crate) section: String,
    /// Its name.
    pub(crate) name: String,
    /// Where its text began, in the new file.
    pub(crate) start: usize,
    /// What its text became.
    pub(crate) text: String,
    /// What it came to mean, however it is written.
    pub(crate) meaning: String,
    /// What its value meant before, as JSON; nothing if it was not there.
    pub(crate) value: Option<String>,
    /// In the new file: where, how many bytes, and what stood there.
    pub(crate) splices: Vec<(usize, usize, String)>,
}

/// How many conversions of one file can be taken back.
const MOST_LAYERS: usize = 500;

impl Layer {
    /// Of a change that was made.
    pub(crate) fn new(before: &str, after: &Document<'_>, edits: &[Edit]) -> Self {
        let mut order: Vec<(&Splice, usize)> = edits
            .iter()
            .enumerate()
            .flat_map(|(index, edit)| edit.splices.iter().map(move |splice| (splice, index)))
            .collect();
        order.sort_by_key(|(splice, _)| (splice.place.start, splice.place.end));
        let mut splices: Vec<Vec<(usize, usize, String)>> =
            edits.iter().map(|_| Vec::new()).collect();
        let (mut more, mut less) = (0, 0);
        for (Splice { place, text }, index) in order {
            let was = before[place.clone()].to_owned();
            splices[index].push((place.start + more - less, text.len(), was));
            more += text.len();
            less += place.len();
        }
        let lists = Section::ALL.map(|section| after.entries(section));
        let gone = Section::ALL.map(|section| gone(edits, section));
        let kept = edits.iter().zip(splices).map(|(edit, splices)| {
            let list = Section::ALL.iter().position(|s| *s == edit.section).unwrap_or(0);
            let found = match (edit.index, edit.meaning) {
                (_, None) => None,
                (Some(index), _) => {
                    let before = gone[list].partition_point(|gone| *gone < index);
                    lists[list].get(index - before)
                }
                (None, _) => lists[list].iter().find(|entry| entry.name == edit.name),
            };
            let place = found.map_or(0..0, |entry| after.tree.node(entry.item).place());
            Kept {
                section: edit.section.list().into(),
                name: edit.name.clone(),
                start: place.start,
                text: Fingerprint::of(after.tree.text[place].as_bytes()).to_string(),
                meaning: found.map_or_else(String::new, |entry| {
                    meaning(&after.value(entry).unwrap_or_default())
                }),
                value: edit.before.clone(),
                splices,
            }
        });
        Self {
            before: Fingerprint::of(before.as_bytes()).to_string(),
            after: Fingerprint::of(after.tree.text.as_bytes()).to_string(),
            entries: kept.collect(),
        }
    }

    /// What puts back all of it, byte for byte.
    pub(crate) fn back(&self) -> Vec<Splice> {
        self.entries.iter().flat_map(|kept| kept.back(kept.start)).collect()
    }
}

impl Kept {
    /// What puts back the text of an entry that begins there now.
    pub(crate) fn back(&self, start: usize) -> Vec<Splice> {
        let now = |at: usize| (at + start).checked_sub(self.start);
        let splice = |(at, length, was): &(usize, usize, String)| {
            let at = now(*at)?;
            Some(Splice::new(at..at + length, was.clone()))
        };
        self.splices.iter().filter_map(splice).collect()
    }
}

/// Which entries of a list go, in order.
fn gone(edits: &[Edit], section: Section) -> Vec<usize> {
    let of_list = edits.iter().filter(|edit| edit.section == section && edit.meaning.is_none());
    let mut gone: Vec<usize> = of_list.filter_map(|edit| edit.index).collect();
    gone.sort_unstable();
    gone
}

/// A value, however clients write it: what they add when they write a file again says nothing.
pub(crate) fn meaning(value: &Value) -> String {
    Fingerprint::of(plain(value).to_string().as_bytes()).to_string()
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let says_nothing = |key: &str, value: &Value| {
                value.is_null()
                    || (key == "provideClusterInfo" && *value == Value::Bool(false))
                    || matches!(value, Value::Array(items) if items.is_empty())
            };
            let pairs = map.iter().filter(|(key, value)| !says_nothing(key, value));
            Value::Object(pairs.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        simple => simple.clone(),
    }
}

/// Where records are kept.
pub(crate) struct Undo<'w> {
    world: &'w World,
    store: Box<dyn Store>,
    vault: Vault,
}

impl<'w> Undo<'w> {
    /// Errors where nothing can be kept.
    pub(crate) fn open(world: &'w World) -> Result<Self> {
        let state = folders::state(&world.host)
            .ok_or_else(|| not_kept("there is no folder for it: `HOME` is not set"))?;
        let vault = Vault::new(&state, world.open_store, &world.host);
        Ok(Self { world, store: world.store(&state), vault })
    }

    /// Sees to it that keeping will not have to wait for anything.
    pub(crate) fn prepare(&self) -> Result<Arc<Sealer>> {
        self.vault.sealing(&self.world.host)
    }

    /// The record of a file.
    pub(crate) fn read(&self, file: &Path) -> Result<Record> {
        let bytes = self.store.read_large(&name(file)).map_err(|why| not_kept(&why))?;
        let Some(bytes) = bytes else { return Ok(Record::default()) };
        let damaged = || not_kept("what was kept is damaged, or its key is gone");
        let sealed = Sealed::parse(&bytes).ok_or_else(damaged)?;
        let found = self.vault.opening(sealed.kind, sealed.id, &self.world.host)?;
        let text =
            found.and_then(|found| sealed.open(&found.key, key(file))).ok_or_else(damaged)?;
        serde_json::from_str(text.expose_secret()).map_err(|_| damaged())
    }

    /// Adds a layer, durably.
    pub(crate) fn push(&self, file: &Path, layer: Layer) -> Result<()> {
        // a record that cannot be read any more is of no use to anybody
        let mut record = self.read(file).unwrap_or_else(|why| {
            self.world.warn(&format!("earlier conversions cannot be put back any more: {why}"));
            Record::default()
        });
        // one that was never written, or was put back by hand
        record.layers.retain(|known| known.after != layer.after);
        record.layers.push(layer);
        let old = record.layers.len().saturating_sub(MOST_LAYERS);
        record.layers.drain(..old);
        self.keep(file, &record)
    }

    /// Keeps what is left of a record, or removes it.
    pub(crate) fn keep(&self, file: &Path, record: &Record) -> Result<()> {
        if record.layers.is_empty() {
            return self.store.remove(&name(file)).map(drop).map_err(|why| not_kept(&why));
        }
        let text = serde_json::to_string(record).map_err(|error| not_kept(&error.to_string()))?;
        let sealer = self.prepare()?;
        let bytes = seal(&sealer, key(file), &SecretString::from(text))
            .ok_or_else(|| not_kept("it could not be sealed"))?;
        self.store.replace(&name(file), &bytes).map_err(|why| not_kept(&why))
    }
}

fn key(file: &Path) -> Fingerprint {
    Fingerprint::of(&[b"undo ", file.as_os_str().as_encoded_bytes()].concat())
}

fn name(file: &Path) -> String {
    format!("{}.undo", key(file))
}

fn not_kept(why: &str) -> Error {
    Error::failed("what the kubeconfig says now cannot be kept for `revert`").because(why)
}
