//! A search: credentials first, one after the other, and then all that is to ask.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fleetkey_provider::{Errand, Error, Result};
use jiff::Timestamp;

use super::{
    progress::Progress,
    queue::{Failure, Job, Outcome, run},
};
use crate::{
    World,
    broker::{Broker, Folders},
    options::Options,
};

/// How long bringing credentials may take, and the questions after that; each request has a limit of
/// its own.
const LONGEST: Duration = Duration::from_mins(10);

/// Runs errands.
pub(crate) struct Search<'a> {
    /// Where.
    pub(crate) world: &'a World,
    /// As the command line says.
    pub(crate) options: &'a Options,
    /// Where credentials are kept.
    pub(crate) folders: Folders,
    /// How many at a time.
    pub(crate) most: usize,
}

impl Search<'_> {
    /// Runs these and all that comes of them. A person may be asked for a credential, so these are
    /// brought before anything else runs; one whose turn comes after the longest time of a search is not.
    pub(crate) fn run(&self, errands: Vec<Box<dyn Errand>>) -> Outcome {
        let outcome = Mutex::new(Outcome::default());
        let mut jobs = Vec::new();
        let clock = &self.world.host.clock;
        let limit = self.limit();
        let end = clock.now().checked_add(limit).unwrap_or(Timestamp::MAX);
        let progress = Progress::new(self.world);
        let count = errands.iter().filter(|errand| errand.request().is_some()).count();
        let mut brought = 0;
        for (number, errand) in errands.into_iter().enumerate() {
            let path = vec![number];
            let credential = errand.request().map(|request| {
                brought += 1;
                if clock.now() >= end {
                    return Err(Error::unavailable("the time for the search was up")
                        .because("signing in for the others took all of it"));
                }
                progress.bring(brought, count);
                // each has the whole time
                let broker = Broker::new(self.world, self.options, self.folders.clone());
                broker.credential(request)
            });
            match credential.transpose() {
                Ok(credential) => jobs.push(Job { errand, credential, path }),
                Err(why) => {
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    outcome.failures.insert(path, Failure { what: errand.describe(), why });
                }
            }
        }
        drop(progress);
        if !jobs.is_empty() {
            self.ask(jobs, &outcome);
        }
        outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn limit(&self) -> Duration {
        LONGEST.max(self.options.timeout)
    }

    fn ask(&self, jobs: Vec<Job>, outcome: &Mutex<Outcome>) {
        let progress = Progress::new(self.world);
        let limit = self.limit();
        let done: Result<()> = self.world.wait(
            Box::pin(async {
                let tell = |outcome: &Outcome| progress.show(outcome);
                run(jobs, self.most, &self.world.host, outcome, &tell).await;
                Ok(())
            }),
            limit,
        );
        drop(progress);
        if let Err(why) = done {
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            let left = outcome.known.saturating_sub(outcome.asked);
            let what = format!("{left} questions that were left");
            outcome.failures.insert(vec![usize::MAX], Failure { what, why });
        }
    }
}
