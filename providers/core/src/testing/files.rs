//! Files in memory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use super::guard;
use crate::{Error, Files, Result};

/// Files in memory. Everything else is absent. A clone sees what is written to the other.
#[derive(Clone, Debug, Default)]
pub struct StaticFiles(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Kept>,
    written: Vec<(PathBuf, Vec<u8>)>,
    /// How many files were made or written.
    count: u32,
    full: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    contents: Vec<u8>,
    /// How many writes there were when it was written; 0 if a test put it there.
    writes: usize,
    /// Which file of all it was; 0 for those that were there from the start.
    at: u32,
}

impl StaticFiles {
    /// From pairs of path and contents.
    pub fn new<P: Into<PathBuf>, C: Into<Vec<u8>>>(
        pairs: impl IntoIterator<Item = (P, C)>,
    ) -> Self {
        let kept = |contents: C| Kept { contents: contents.into(), writes: 0, at: 0 };
        let files = pairs.into_iter().map(|(path, contents)| (path.into(), kept(contents)));
        Self(Arc::new(Mutex::new(State { files: files.collect(), ..State::default() })))
    }

    /// A copy with one more file. What is written to the one is not seen by the other.
    #[must_use]
    pub fn with(&self, path: impl Into<PathBuf>, contents: impl Into<Vec<u8>>) -> Self {
        let mut state = guard(&self.0).clone();
        state.count += 1;
        let at = state.count;
        state.files.insert(path.into(), Kept { contents: contents.into(), writes: 0, at });
        Self(Arc::new(Mutex::new(state)))
    }

    /// From now on nothing can be written.
    pub fn fill(&self) {
        guard(&self.0).full = true;
    }

    /// What was written, in the order it was.
    pub fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        guard(&self.0).written.clone()
    }
}

impl Files for StaticFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        Ok(guard(&self.0).files.get(path).map(|kept| kept.contents.clone()))
    }
    fn stamp(&self, path: &Path) -> Option<i128> {
        let state = guard(&self.0);
        let Kept { contents, writes, at: _ } = state.files.get(path)?;
        Some(((*writes as i128) << 32) + contents.len() as i128)
    }
    fn is_newer(&self, path: &Path, than: &Path) -> bool {
        let state = guard(&self.0);
        let at = |path| state.files.get(path).map(|kept| kept.at);
        at(path).zip(at(than)).is_some_and(|(path, than)| path > than)
    }
    fn is_own(&self, _path: &Path) -> Result<bool> {
        Ok(true)
    }
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.rehearse(path, bytes.len())?;
        let mut state = guard(&self.0);
        state.written.push((path.to_owned(), bytes.to_owned()));
        state.count += 1;
        let kept =
            Kept { contents: bytes.to_owned(), writes: state.written.len(), at: state.count };
        state.files.insert(path.to_owned(), kept);
        Ok(())
    }
    fn rehearse(&self, path: &Path, _length: usize) -> Result<()> {
        if guard(&self.0).full {
            return Err(Error::failed(format!("`{}` cannot be written", path.display()))
                .because("the disk is full"));
        }
        Ok(())
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let state = guard(&self.0);
        let within = state.files.keys().filter(|path| path.parent() == Some(folder));
        Ok(within.cloned().collect())
    }
    fn remove(&self, path: &Path) -> Result<bool> {
        Ok(guard(&self.0).files.remove(path).is_some())
    }
}
