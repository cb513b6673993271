//! Errands on their way: so many at a time and no more, and what came of them so far.
//!
//! What is found lies in the order in which it would have been found one by one, however the answers
//! came: a search that is made twice shows the same twice. It is kept outside of the future, so it is
//! still there if the time is up.

use std::{
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    sync::{Mutex, PoisonError},
    task::Poll,
};

use fleetkey_provider::{
    BoxFuture, Credential, Entry, Errand, Error, Host, Listed, Overrides, Result, SecretString,
};

/// An errand, and the credential that was brought for it.
pub(crate) struct Job {
    /// What is asked.
    pub(crate) errand: Box<dyn Errand>,
    /// As whom, if the errand wants to know.
    pub(crate) credential: Option<Credential>,
    /// Its number among those a search began with, and below it among what came of each.
    pub(crate) path: Vec<usize>,
}

/// What came of errands.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What was found, by the path of the errand and its number there.
    pub(crate) found: BTreeMap<Vec<usize>, Find>,
    /// What failed.
    pub(crate) failures: BTreeMap<Vec<usize>, Failure>,
    /// How many errands there were so far.
    pub(crate) known: usize,
    /// How many of them are over.
    pub(crate) asked: usize,
    /// How many clusters were found.
    pub(crate) clusters: usize,
}

/// What was found.
pub(crate) enum Find {
    /// A cluster.
    Cluster(Listed),
    /// How a cluster is reached.
    Entry(Box<Entry>),
    /// The same as a kubeconfig, and what comes behind its context's name.
    Kubeconfig(SecretString, Overrides, &'static str),
}

impl Find {
    /// What the cloud knows the cluster by everywhere, if its entry is called so.
    pub(crate) fn id(&self) -> Option<String> {
        match self {
            Self::Entry(entry) => Some(entry.names.cluster.clone()),
            Self::Cluster(_) | Self::Kubeconfig(..) => None,
        }
    }

    /// What comes behind the name of its context, whoever chose that.
    pub(crate) fn context_suffix(&self) -> &'static str {
        match self {
            Self::Kubeconfig(.., suffix) => suffix,
            Self::Cluster(_) | Self::Entry(_) => "",
        }
    }
}

/// What failed.
pub(crate) struct Failure {
    /// What was asked.
    pub(crate) what: String,
    /// Why it was not answered.
    pub(crate) why: Error,
}

/// Runs them, and all that comes of them. `tell` hears of every step.
pub(crate) async fn run(
    jobs: Vec<Job>,
    most: usize,
    host: &Host,
    outcome: &Mutex<Outcome>,
    tell: &(dyn Fn(&Outcome) + Sync),
) {
    let mut waiting = VecDeque::from(jobs);
    let mut on_the_way: Vec<BoxFuture<'_, Done>> = Vec::new();
    look(outcome, |outcome| outcome.known += waiting.len());
    loop {
        while on_the_way.len() < most
            && let Some(job) = waiting.pop_front()
        {
            on_the_way.push(Box::pin(asked(job, host)));
        }
        if on_the_way.is_empty() {
            return;
        }
        for done in some_of(&mut on_the_way).await {
            look(outcome, |outcome| {
                let next = outcome.take(done);
                outcome.known += next.len();
                waiting.extend(next);
                tell(outcome);
            });
        }
    }
}

/// An errand that is over.
struct Done {
    path: Vec<usize>,
    what: String,
    finds: Result<Vec<fleetkey_provider::Find>>,
}

async fn asked(job: Job, host: &Host) -> Done {
    let Job { errand, credential, path } = job;
    let finds = errand.run(credential.as_ref(), host).await;
    Done { path, what: errand.describe(), finds }
}

/// Those that are over, once there are any.
async fn some_of(on_the_way: &mut Vec<BoxFuture<'_, Done>>) -> Vec<Done> {
    poll_fn(|context| {
        let mut over = Vec::new();
        on_the_way.retain_mut(|work| match work.as_mut().poll(context) {
            Poll::Ready(done) => {
                over.push(done);
                false
            }
            Poll::Pending => true,
        });
        if over.is_empty() { Poll::Pending } else { Poll::Ready(over) }
    })
    .await
}

impl Outcome {
    /// Takes down what came of an errand; answers what is further to ask.
    fn take(&mut self, done: Done) -> Vec<Job> {
        let Done { path, what, finds } = done;
        self.asked += 1;
        let finds = match finds {
            Ok(finds) => finds,
            Err(why) => {
                self.failures.insert(path, Failure { what, why });
                return Vec::new();
            }
        };
        let mut next = Vec::new();
        for (number, find) in finds.into_iter().enumerate() {
            let path: Vec<usize> = path.iter().copied().chain([number]).collect();
            let find = match find {
                fleetkey_provider::Find::Errand(errand) => {
                    next.push(Job { errand, credential: None, path });
                    continue;
                }
                fleetkey_provider::Find::Failure(what, why) => {
                    self.failures.insert(path, Failure { what, why });
                    continue;
                }
                fleetkey_provider::Find::Cluster(listed) => {
                    self.clusters += 1;
                    Find::Cluster(listed)
                }
                fleetkey_provider::Find::Entry(entry) => Find::Entry(entry),
                fleetkey_provider::Find::Kubeconfig { text, overrides, context_suffix } => {
                    Find::Kubeconfig(text, overrides, context_suffix)
                }
            };
            self.found.insert(path, find);
        }
        next
    }
}

/// Nobody else looks at the same time: there is one thread.
fn look<T>(outcome: &Mutex<Outcome>, with: impl FnOnce(&mut Outcome) -> T) -> T {
    with(&mut outcome.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Waker},
    };

    use super::*;

    /// Takes so many polls, counts how many of its kind do, and answers.
    struct Slow {
        name: String,
        polls: usize,
        busy: Arc<Busy>,
        below: usize,
    }

    #[derive(Default)]
    struct Busy {
        now: AtomicUsize,
        most: AtomicUsize,
        runs: AtomicUsize,
    }

    impl Errand for Slow {
        fn describe(&self) -> String {
            self.name.clone()
        }

        fn run<'a>(
            &'a self,
            _credential: Option<&'a Credential>,
            _host: &'a Host,
        ) -> BoxFuture<'a, Result<Vec<fleetkey_provider::Find>>> {
            Box::pin(async move {
                let Busy { now, most, runs } = &*self.busy;
                runs.fetch_add(1, Ordering::SeqCst);
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let mut left = self.polls;
                poll_fn(|context| {
                    context.waker().wake_by_ref();
                    left = left.saturating_sub(1);
                    if left == 0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                now.fetch_sub(1, Ordering::SeqCst);
                if self.name.ends_with('7') {
                    return Err(Error::refused("no"));
                }
                let below = |number| -> fleetkey_provider::Find {
                    fleetkey_provider::Find::Errand(Box::new(Self {
                        name: format!("{}.{number}", self.name),
                        polls: 9 - number,
                        busy: Arc::clone(&self.busy),
                        below: 0,
                    }))
                };
                Ok((0..self.below).map(below).collect())
            })
        }
    }

    #[test]
    fn so_many_are_on_their_way_and_no_more_and_each_runs_once() {
        for most in [1, 3, 8] {
            let busy = Arc::<Busy>::default();
            let jobs = (0..10).map(|number| Job {
                errand: Box::new(Slow {
                    name: number.to_string(),
                    polls: 1 + number % 4,
                    busy: Arc::clone(&busy),
                    below: 9,
                }),
                credential: None,
                path: vec![number],
            });
            let (host, outcome, heard) = (Host::refusing(), Mutex::default(), AtomicUsize::new(0));
            let tell = |outcome: &Outcome| {
                assert!(outcome.asked <= outcome.known);
                heard.fetch_add(1, Ordering::SeqCst);
            };
            {
                let mut work = pin!(run(jobs.collect(), most, &host, &outcome, &tell));
                let mut context = Context::from_waker(Waker::noop());
                while work.as_mut().poll(&mut context).is_pending() {}
            }
            let Outcome { failures, asked, known, .. } = outcome.into_inner().unwrap();
            // one of ten fails, and so does one of nine below each of the others
            assert_eq!((asked, known, failures.len()), (91, 91, 10));
            assert_eq!(failures.values().next().unwrap().what, "0.7");
            assert_eq!(busy.most.load(Ordering::SeqCst), most);
            assert_eq!((busy.runs.load(Ordering::SeqCst), heard.load(Ordering::SeqCst)), (91, 91));
        }
    }
}
