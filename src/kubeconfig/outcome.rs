//! A change of one file, before it is made: proven, and to be looked at.

use std::path::{Path, PathBuf};

use fleetkey_provider::{Error, Result, shown};

use super::{
    diff,
    document::Document,
    plan::{Edit, Left, Plan},
    proof::Before,
    splice::{Splice, apply},
    undo::Layer,
};

/// What is to be written into a file.
pub(crate) struct Outcome {
    /// The file.
    pub(crate) path: PathBuf,
    /// What was read.
    pub(crate) old: String,
    /// What is to be written; the same if nothing changes.
    pub(crate) new: String,
    /// Entry by entry.
    pub(crate) edits: Vec<Edit>,
    /// Users that stay.
    pub(crate) left: Vec<Left>,
    /// Users that run fleetkey already.
    pub(crate) ours: Vec<String>,
}

impl Outcome {
    /// Does what a plan says to the text it was made for, and proves it.
    pub(crate) fn of(
        path: &Path,
        old: String,
        plan: impl Fn(&Document<'_>) -> Result<Plan>,
    ) -> Result<Self> {
        let name = path.to_string_lossy();
        let document = Document::read(&old, &name)?;
        let mut plan = plan(&document)?;
        let unproven = || {
            Error::failed(format!("the change of `{}` could not be proven", shown(&name)))
                .because("read again, it would differ in more than was meant; nothing is written")
        };
        let before = Before::of(&document);
        let mut new = done(&old, &plan.edits).ok_or_else(unproven)?;
        if !is_proven(&before, &plan.edits, &new, &name) {
            // what anchors tie together is not changed then
            if !plan.without_shared(&document) {
                return Err(unproven());
            }
            new = done(&old, &plan.edits).ok_or_else(unproven)?;
            if !is_proven(&before, &plan.edits, &new, &name) {
                return Err(unproven());
            }
        }
        drop(document);
        let Plan { edits, left, ours, is_one: _ } = plan;
        Ok(Self { path: path.to_owned(), old, new, edits, left, ours })
    }

    /// Whether there is anything to write.
    pub(crate) fn is_change(&self) -> bool {
        self.old != self.new
    }

    /// The change as a diff.
    pub(crate) fn diff(&self, coloured: bool) -> Result<String> {
        let name = self.path.to_string_lossy();
        let (old, new) = (Document::read(&self.old, &name)?, Document::read(&self.new, &name)?);
        let mut splices: Vec<&Splice> = self.edits.iter().flat_map(|edit| &edit.splices).collect();
        splices.sort_by_key(|splice| (splice.place.start, splice.place.end));
        Ok(diff::unified(&shown(&name), (&old, &new), &splices, coloured))
    }

    /// What `revert` has to know.
    pub(crate) fn layer(&self) -> Result<Layer> {
        let new = Document::read(&self.new, &self.path.to_string_lossy())?;
        Ok(Layer::new(&self.old, &new, &self.edits))
    }
}

fn done(old: &str, edits: &[Edit]) -> Option<String> {
    apply(old, edits.iter().flat_map(|edit| &edit.splices))
}

fn is_proven(before: &Before, edits: &[Edit], new: &str, name: &str) -> bool {
    Document::read(new, name).is_ok_and(|after| before.proves(edits, &after))
}
