//! Adding the clusters that were chosen: how each is reached is asked, and all are written at once.

use std::path::PathBuf;

use fleetkey_provider::{Error, ExposeSecret, Result, shown};

use super::{Asked, is_attended};
use crate::{
    discovery::{Failure, Found, Search, described, failed, nothing, settled},
    host::{may_colour, this_program},
    kubeconfig::{
        addition::Described, document::Document, merge::Taken, stanza::Written, target::Target,
    },
    registry,
};

/// What a program is told at the end.
#[derive(Default)]
pub(super) struct Said {
    /// What failed.
    pub(super) failures: Vec<Failure>,
    /// What would change, if only that was asked.
    pub(super) diff: Option<String>,
}

/// Adds clusters to a kubeconfig.
pub(super) struct Adding<'a> {
    pub(super) search: Search<'a>,
    pub(super) asked: &'a Asked,
    pub(super) path: PathBuf,
    /// Whether somebody is asked once more.
    pub(super) asks: bool,
    pub(super) again: String,
}

impl Adding<'_> {
    /// Adds them.
    pub(super) fn add(&self, chosen: Vec<Found>, said: &mut Said) -> Result<()> {
        let Self { search, asked, path, .. } = self;
        let (world, path) = (search.world, shown(&path.to_string_lossy()));
        let (new, there): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|one| asked.is_new(one));
        if new.is_empty() {
            return self.say(&format!("{} there already; nothing was changed\n", are(there.len())));
        }
        if self.asks && !asked.yes && !asked.dry_run && is_attended(search.options, world) {
            let question = format!("add {} to {path}? [y/N] ", clusters(new.len()));
            let answer = world.host.person.ask(&question);
            if !answer
                .is_ok_and(|text| ["y", "yes"].contains(&&*text.expose_secret().to_lowercase()))
            {
                return Err(Error::failed("nothing was added, as you said")
                    .next(format!("{} --yes", self.again)));
            }
        }
        let (new, mut failures) = self.free(new);
        let (described, others) = self.describe(new);
        failures.extend(others);
        // one that is the end of it all is said as that
        if !asked.json && (failures.len() > 1 || !described.is_empty()) {
            world.complain(&failed(&failures));
        }
        let end = nothing("nothing was added", &failures);
        said.failures.extend(failures);
        if described.is_empty() {
            return end.map_or(Ok(()), Err);
        }
        let count = described.len();
        let target = Target {
            path: self.path.clone(),
            taken: asked.taken,
            dry_run: asked.dry_run,
            coloured: !asked.json && (world.stdout_is_terminal)() && may_colour(&*world.host.env),
            ids: described.iter().map(|(_, id)| id.clone()).collect(),
        };
        let make = |document: &Document<'_>| {
            settled(described, document, asked.taken == Taken::Overwritten)
        };
        let added = target
            .add(make, None, world)
            .map_err(|error| error.or_next(|| format!("{} --overwrite", self.again)))?;
        for note in added.notes {
            world.host.notes.note(&note);
        }
        match added.diff {
            Some(diff) if asked.json => said.diff = Some(diff),
            Some(diff) => world.print(&diff)?,
            None => {}
        }
        match (asked.dry_run, added.is_change) {
            (true, true) => Ok(()),
            (_, false) => self.say(&format!("{} there already; nothing was changed\n", are(count))),
            (false, true) => self.say(&format!("added {} to {path}\n", clusters(count))),
        }
    }

    /// Those whose names are free, and why the others are not added.
    fn free(&self, new: Vec<Found>) -> (Vec<Found>, Vec<Failure>) {
        let (mut free, mut failures) = (Vec::new(), Vec::new());
        for one in new {
            match &one.taken {
                Some(other) if self.asked.taken == Taken::Refused => {
                    let what = one.context.clone();
                    let why = Error::config(format!("context `{}` is another one's", shown(&what)))
                        .because(format!("it leads to cluster `{}`", shown(other)))
                        .next(format!("{} --overwrite", self.again));
                    failures.push(Failure { what, why });
                }
                _ => free.push(one),
            }
        }
        (free, failures)
    }

    /// Asks how they are reached.
    fn describe(&self, chosen: Vec<Found>) -> (Vec<(Described, String)>, Vec<Failure>) {
        let Self { search, asked, .. } = self;
        let program = if asked.bare_command { None } else { this_program(&search.world.host) };
        let written = Written::new(program.as_deref(), search.options.api_version);
        let (mut errands, mut about) = (Vec::new(), Vec::new());
        for Found { cloud, id, context, detail, .. } in chosen {
            errands.push(detail);
            about.push((cloud, id, context));
        }
        let outcome = search.run(errands);
        let mut failures: Vec<_> = outcome.failures.into_values().collect();
        let mut all = Vec::new();
        for (at, find) in outcome.found {
            let Some((cloud, id, context)) = at.first().and_then(|at| about.get(*at)) else {
                continue;
            };
            let Some(provider) = registry::find(cloud) else { continue };
            match described(find, provider, &written) {
                Ok(mut described) => {
                    described.context.clone_from(context);
                    all.push((described, id.clone()));
                }
                Err(why) => {
                    let why = why.or_next(|| format!("{} --verbose", self.again));
                    failures.push(Failure { what: context.clone(), why });
                }
            }
        }
        (all, failures)
    }

    /// A line for a person, unless a program listens.
    fn say(&self, line: &str) -> Result<()> {
        if self.asked.json { Ok(()) } else { self.search.world.print(line) }
    }
}

fn clusters(number: usize) -> String {
    format!("{number} {}", if number == 1 { "cluster" } else { "clusters" })
}

fn are(number: usize) -> String {
    format!("{} {}", clusters(number), if number == 1 { "is" } else { "are" })
}
