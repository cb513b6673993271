//! A scripted world for the tests of providers.

mod files;
mod person;
mod programs;
mod sessions;

use std::{
    collections::{HashMap, VecDeque},
    ffi::OsString,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

pub use self::{
    files::StaticFiles,
    person::{Answer, ScriptedPerson},
    programs::ScriptedPrograms,
    sessions::StaticSessions,
};
use crate::{BoxFuture, Clock, Env, Error, Http, HttpRequest, HttpResponse, Notes, Result, Trust};

/// An environment of these variables and no others.
#[derive(Clone, Debug, Default)]
pub struct StaticEnv(HashMap<String, OsString>);

impl StaticEnv {
    /// From pairs.
    pub fn new<N: Into<String>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Env for StaticEnv {
    fn var(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }
}

/// A clock that stands, until a test or a wait moves it.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// Standing at that time (RFC 3339).
    ///
    /// # Panics
    /// If that is no time.
    #[allow(clippy::expect_used, reason = "a test's own text")]
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(time.parse().expect("a time in RFC 3339"))))
    }

    /// Moves the clock.
    pub fn set(&self, time: Timestamp) {
        *guard(&self.0) = time;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *guard(&self.0)
    }
    fn pause(&self, duration: Duration) {
        let mut now = guard(&self.0);
        *now = now.checked_add(duration).unwrap_or(Timestamp::MAX);
    }
}

/// A network that answers from a queue and remembers what it was asked.
#[derive(Clone, Default)]
pub struct ScriptedHttp {
    answers: Arc<Mutex<VecDeque<HttpResponse>>>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl ScriptedHttp {
    /// Adds an answer.
    pub fn answer(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        guard(&self.answers).push_back(HttpResponse {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
        });
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<HttpRequest> {
        guard(&self.requests).clone()
    }
}

impl Http for ScriptedHttp {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        guard(&self.requests).push(request.clone());
        let answer = guard(&self.answers).pop_front();
        Box::pin(async move {
            answer.ok_or_else(|| Error::failed(format!("no answer was scripted for {request:?}")))
        })
    }
}

/// Trusts these hosts.
#[derive(Clone, Debug, Default)]
pub struct StaticTrust {
    /// The hosts.
    pub hosts: Vec<String>,
    /// Whether it is strict.
    pub strict: bool,
}

impl Trust for StaticTrust {
    fn allows(&self, host_name: &str) -> Result<bool> {
        Ok(self.hosts.iter().any(|host| host == host_name))
    }
    fn is_strict(&self) -> Result<bool> {
        Ok(self.strict)
    }
}

/// Notes kept for a test to read.
#[derive(Clone, Debug, Default)]
pub struct KeptNotes(Arc<Mutex<Vec<String>>>);

impl KeptNotes {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        guard(&self.0).clone()
    }
}

impl Notes for KeptNotes {
    fn note(&self, line: &str) {
        guard(&self.0).push(line.to_owned());
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Chance that is none: 0, 1, 2 and so on, from call to call.
#[derive(Clone, Debug, Default)]
pub struct CountingEntropy(Arc<Mutex<u8>>);

impl crate::Entropy for CountingEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<()> {
        let mut next = guard(&self.0);
        for byte in buffer {
            *byte = *next;
            *next = next.wrapping_add(1);
        }
        Ok(())
    }
}
