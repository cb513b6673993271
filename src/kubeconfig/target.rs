//! The kubeconfig that clusters are added to, and adding them: in one write, or as a diff alone.

use std::path::{Path, PathBuf};

use fleetkey_provider::{Host, Result};

use super::{
    addition::Addition,
    diff,
    document::{Document, Section},
    files,
    likeness::is_recreated,
    merge::{Merged, Taken, merge_with},
};
use crate::World;

/// Where clusters are added, and how.
pub(crate) struct Target {
    /// The file.
    pub(crate) path: PathBuf,
    /// What is done with entries that mean something else.
    pub(crate) taken: Taken,
    /// Whether nothing is written, and a diff says what would be.
    pub(crate) dry_run: bool,
    /// Whether that is coloured.
    pub(crate) coloured: bool,
    /// The names of clusters that are ids everywhere: an entry of that name is of that cluster.
    pub(crate) ids: Vec<String>,
}

/// What became of it.
pub(crate) struct Added {
    /// Whether anything was changed.
    pub(crate) is_change: bool,
    /// What would be, where nothing is to be.
    pub(crate) diff: Option<String>,
    /// Clusters that were made anew, and whose entries followed them.
    pub(crate) made_anew: Vec<String>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

/// The first of these files that has a cluster of that name, or the first of all.
pub(crate) fn choose(paths: &[PathBuf], cluster: &str, host: &Host) -> Option<PathBuf> {
    let has_it = |path: &&PathBuf| {
        let has = files::read(path, host).and_then(|text| {
            let text = text.unwrap_or_default();
            let document = Document::read(&text, &path.to_string_lossy())?;
            Ok(document.entry(Section::Clusters, cluster).is_some())
        });
        has.unwrap_or_else(|error| {
            host.notes.note(&format!("passed over: {error}"));
            false
        })
    };
    let found = if paths.len() > 1 { paths.iter().find(has_it) } else { None };
    found.or(paths.first()).cloned()
}

impl Target {
    /// Adds what `make` makes for the file as it is now, and has that context current, if one is named.
    pub(crate) fn add(
        &self,
        make: impl FnOnce(&Document<'_>) -> Vec<Addition>,
        current: Option<&str>,
        world: &World,
    ) -> Result<Added> {
        let merged = |text: &str| -> Result<(Merged, Added)> {
            let shown_path = self.path.to_string_lossy();
            let additions = make(&Document::read(text, &shown_path)?);
            let made_anew = self.made_anew(text, &shown_path, &additions)?;
            let merged =
                merge_with(text, &shown_path, &additions, current, self.taken, &made_anew)?;
            let notes = additions.into_iter().flat_map(|addition| addition.notes).collect();
            let is_change = !merged.splices.is_empty();
            Ok((merged, Added { is_change, diff: None, made_anew, notes }))
        };
        if self.dry_run {
            let text = files::read(&self.path, &world.host)?.unwrap_or_default();
            let (Merged { text: new, splices }, mut added) = merged(&text)?;
            if added.is_change {
                added.diff = Some(self.diff(&text, &new, &splices)?);
            }
            return Ok(added);
        }
        make_folder(&self.path, world)?;
        files::change(&self.path, &world.host, |text| {
            let (Merged { text, .. }, added) = merged(&text.unwrap_or_default())?;
            Ok((added.is_change.then_some(text), added))
        })
    }

    /// The names of those among them that were made anew.
    fn made_anew(&self, text: &str, path: &str, additions: &[Addition]) -> Result<Vec<String>> {
        let document = Document::read(text, path)?;
        let is_it = |one: &&Addition| {
            self.ids.contains(&one.cluster().name) && is_recreated(&document, one)
        };
        Ok(additions.iter().filter(is_it).map(|one| one.cluster().name.clone()).collect())
    }

    fn diff(&self, old: &str, new: &str, splices: &[super::splice::Splice]) -> Result<String> {
        let path = self.path.to_string_lossy();
        let documents = (&Document::read(old, &path)?, &Document::read(new, &path)?);
        let splices: Vec<_> = splices.iter().collect();
        Ok(diff::unified(&path, documents, &splices, self.coloured))
    }
}

/// A lock needs the folder, too.
fn make_folder(path: &Path, world: &World) -> Result<()> {
    let files = &world.host.files;
    if files.stamp(path).is_none() { files.rehearse(path, 0) } else { Ok(()) }
}
