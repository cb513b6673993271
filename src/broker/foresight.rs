//! What is remembered about asking, for who only looks: `status` says what the next call will do, and
//! that is nothing where somebody declined a moment ago.
//!
//! Whatever the broker would read is read here, each file once and only those there are, and nothing is
//! written or locked. So whether somebody is being asked at this very moment is not known here.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use fleetkey_provider::{Error, Fingerprint, Kind, Request, SessionKey};
use jiff::Timestamp;

use super::{
    Folders,
    asking::{NO_MEMORY, not_again, with_line},
    memory::{Asked, Memory, asked_file, own_session, refused_file},
};
use crate::World;

/// Why the next call will fail.
#[derive(Clone, Debug)]
pub(crate) struct Obstacle {
    /// What it will say.
    pub(crate) why: Error,
    /// Until when that is so, if it passes by itself.
    pub(crate) until: Option<Timestamp>,
    /// The same in a few words, where the message says less.
    words: Option<&'static str>,
}

impl Obstacle {
    /// Whether it would be none if a person signed in.
    pub(crate) fn is_for_a_person(&self) -> bool {
        self.why.kind() == Kind::SignInNeeded
    }

    /// In a few words.
    pub(crate) fn words(&self) -> &str {
        self.words.unwrap_or_else(|| self.why.message())
    }
}

impl From<Error> for Obstacle {
    fn from(why: Error) -> Self {
        Self { why, until: None, words: None }
    }
}

/// What was looked up so far.
pub(crate) struct Foresight<'a> {
    world: &'a World,
    now: Timestamp,
    /// The files of each folder.
    names: HashMap<PathBuf, HashSet<String>>,
    /// Whether that can be written to each.
    writable: HashMap<PathBuf, Result<(), String>>,
    asked: HashMap<(PathBuf, Fingerprint), Option<Asked>>,
    /// By the proof, too: it takes a while to compare.
    refused: HashMap<(PathBuf, Fingerprint, Option<Fingerprint>), Option<Obstacle>>,
}

impl<'a> Foresight<'a> {
    /// Nothing is looked up yet.
    pub(crate) fn new(world: &'a World) -> Self {
        Self {
            world,
            now: world.host.clock.now(),
            names: HashMap::new(),
            writable: HashMap::new(),
            asked: HashMap::new(),
            refused: HashMap::new(),
        }
    }

    /// What is answered in place of the cloud.
    pub(crate) fn in_place_of_the_cloud(
        &mut self,
        step: &dyn Request,
        folders: &Folders,
    ) -> Option<Obstacle> {
        let folder = folder(folders)?;
        if let Some(refused) = self.refused(step, &folder) {
            return Some(refused);
        }
        let session = own_session(step)?;
        let asked = self.asked(session, &folder)?;
        if !asked.was_for(step.fingerprint()) {
            return None;
        }
        let stamp = self.world.host.sessions.stamp(session);
        (!asked.is_outlived_by(stamp)).then(|| unfinished(step, &asked))
    }

    /// Why nobody is asked, although somebody could be.
    pub(crate) fn in_place_of_asking(
        &mut self,
        step: &dyn Request,
        folders: &Folders,
    ) -> Option<Obstacle> {
        let session = step.session()?;
        let Some(folder) = folder(folders) else {
            return Some(without_memory(step, "there is no folder for it"));
        };
        if let Some(asked) = self.asked(session, &folder) {
            return Some(unfinished(step, &asked));
        }
        let look = || self.world.store(&folder).may_write();
        let writable = self.writable.entry(folder.clone()).or_insert_with(look);
        writable.as_ref().err().map(|why| without_memory(step, why))
    }

    fn refused(&mut self, step: &dyn Request, folder: &Path) -> Option<Obstacle> {
        let name = refused_file(step);
        if !self.is_there(folder, &name) {
            return None;
        }
        let key = (folder.to_owned(), step.fingerprint(), step.proof());
        let (world, now) = (self.world, self.now);
        let look = || {
            let store = world.store(folder);
            let (why, until) = Memory { store: &*store, now }.refusal(step)?;
            Some(Obstacle { why, until: Some(until), words: None })
        };
        self.refused.entry(key).or_insert_with(look).clone()
    }

    fn asked(&mut self, session: SessionKey, folder: &Path) -> Option<Asked> {
        if !self.is_there(folder, &asked_file(session)) {
            return None;
        }
        let key = (folder.to_owned(), session.fingerprint());
        let (world, now) = (self.world, self.now);
        let look = || Memory { store: &*world.store(folder), now }.asked(session);
        self.asked.entry(key).or_insert_with(look).clone()
    }

    /// Most are not, and one look at the folder says it of all.
    fn is_there(&mut self, folder: &Path, name: &str) -> bool {
        let files = &self.world.host.files;
        let list = || {
            let paths = files.list(folder).unwrap_or_default().into_iter();
            paths.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
        };
        self.names.entry(folder.to_owned()).or_insert_with(list).contains(name)
    }
}

fn folder(folders: &Folders) -> Option<PathBuf> {
    Some(folders.state.as_ref()?.join(super::ASKED))
}

/// Only who signs in by hand is asked.
fn without_memory(step: &dyn Request, why: &str) -> Obstacle {
    let what = format!("nobody is signed in: {}", step.describe());
    let error = Error::sign_in_needed(what).because(format!("{NO_MEMORY}: {why}"));
    Obstacle { words: Some(NO_MEMORY), ..with_line(error, step).into() }
}

fn unfinished(step: &dyn Request, asked: &Asked) -> Obstacle {
    let (why, until) = (not_again(step, asked), Some(asked.until()));
    Obstacle { why, until, words: Some("a sign-in was begun and not finished") }
}
