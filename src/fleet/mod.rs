//! All contexts of a kubeconfig at once: what each of them asks for, as whom, and how that stands.
//!
//! `login`, `status` and `logout` are about identities, and a kubeconfig is about clusters. Here the one
//! becomes the other: each context that runs fleetkey is understood as its client would run it
//! ([`Question`]), and those that sign in as the same are put together ([`Identity`]). What is there
//! already is looked up once, however many contexts share it ([`Books`]).

mod books;
mod contexts;
mod hint;
#[cfg(test)]
mod hot_path;
mod identity;
mod insisting;
mod question;
mod surroundings;
mod table;
mod words;

use std::path::Path;

use fleetkey_provider::{Error, Result};

pub(crate) use self::{
    books::{Books, Next, Outlook},
    contexts::{Ours, Stranger},
    hint::{Hinted, hint},
    identity::{Identity, steps},
    insisting::{Insisting, Insists},
    question::Question,
    surroundings::{Surroundings, only_look},
    table::{Column, Tone, table},
    words::{counted, moment, span},
};
use self::{contexts::Contexts, identity::identities};
use crate::{World, options::Options};

/// Whoever signs in for the contexts of a kubeconfig.
pub(crate) struct Fleet {
    /// Those of whom a context is meant.
    pub(crate) identities: Vec<Identity>,
    /// The others.
    others: Vec<Identity>,
    /// Contexts that are meant, and run something else.
    pub(crate) strangers: Vec<Stranger>,
    /// Contexts that are meant, and cannot be understood.
    pub(crate) broken: Vec<(String, Error)>,
    /// What the world looks like to each of them.
    pub(crate) surroundings: Surroundings,
}

impl Fleet {
    /// Reads the kubeconfigs and understands every context. `names` are those that are meant; all, if
    /// there are none. The world has surroundings from then on, with other tools' files held still.
    pub(crate) fn read(
        flag: Option<&Path>,
        names: &[String],
        typed: &Options,
        world: &mut World,
    ) -> Result<Self> {
        let Contexts { ours, strangers, mut broken } = Contexts::read(flag, names, &world.host)?;
        let surroundings = Surroundings::around(&mut world.host);
        surroundings.hold_still(true);
        let mut questions = Vec::new();
        for ours in ours {
            let (context, is_meant) = (ours.context.clone(), ours.is_meant);
            match Question::of(ours, typed, &surroundings, &world.host) {
                Ok(question) => questions.push(question),
                Err(why) if is_meant => broken.push((context, why)),
                Err(_) => {}
            }
        }
        let is_meant = |identity: &Identity| identity.meant().next().is_some();
        let (identities, others) = identities(questions).into_iter().partition(is_meant);
        Ok(Self { identities, others, strangers, broken, surroundings })
    }

    /// A user of that identity's contexts that another identity's have too.
    fn serves_others(&self, identity: &Identity) -> Option<&Ours> {
        let all = self.identities.iter().chain(&self.others);
        let others = all.filter(|other| !std::ptr::eq(*other, identity));
        let mut theirs = others.flat_map(|other| &other.questions).map(|question| &question.ours);
        theirs.find(|theirs| {
            let is_same = |ours: &Ours| ours.user == theirs.user && ours.file == theirs.file;
            identity.questions.iter().any(|question| is_same(&question.ours))
        })
    }
}
