//! The proof of a change: what was read again differs in the entries that were meant, in the way that was
//! meant, and in nothing else.

use std::collections::BTreeMap;

use fleetkey_provider::Fingerprint;

use super::{
    document::{Document, Section, Summary},
    plan::Edit,
};

/// What a kubeconfig meant before.
pub(crate) struct Before(Vec<Summary>);

impl Before {
    pub(crate) fn of(document: &Document<'_>) -> Self {
        Self(document.summary())
    }

    /// Whether that is the same but for the edits.
    pub(crate) fn proves(&self, edits: &[Edit], after: &Document<'_>) -> bool {
        self.expected(edits) == after.summary()
    }

    fn expected(&self, edits: &[Edit]) -> Vec<Summary> {
        let mut changes: BTreeMap<(&str, usize), Option<Fingerprint>> = BTreeMap::new();
        for edit in edits {
            if let Some(index) = edit.index {
                changes.insert((edit.section.list(), index), edit.meaning);
            }
        }
        let mut out: Vec<Summary> =
            self.0.iter().filter(|line| line.section.is_none()).cloned().collect();
        for section in Section::ALL {
            let lines = self.0.iter().filter(|line| line.section == Some(section));
            for (index, line) in lines.enumerate() {
                match changes.get(&(section.list(), index)) {
                    None => out.push(line.clone()),
                    Some(Some(meaning)) => {
                        out.push(Summary { meaning: *meaning, ..line.clone() });
                    }
                    Some(None) => {}
                }
            }
            let new = edits.iter().filter(|edit| edit.section == section && edit.index.is_none());
            out.extend(new.filter_map(|edit| {
                let (section, name) = (Some(section), edit.name.clone());
                Some(Summary { section, name, meaning: edit.meaning? })
            }));
        }
        out
    }
}
