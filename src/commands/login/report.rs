//! What came of signing in: a table for people, JSON for programs, and the first failure for the exit code.

use fleetkey_provider::{Error, Result, SessionState, Standing, one_line, shown};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    World,
    fleet::{Column, Identity, Question, Tone, moment, table},
    report,
};

/// What came of all of it.
#[derive(Default)]
pub(super) struct Report {
    pub(super) outcomes: Vec<Outcome>,
    /// Contexts that nobody could be found out for.
    pub(super) failures: Vec<(String, Error)>,
}

/// What came of an identity.
pub(super) struct Outcome {
    name: String,
    provider: &'static str,
    contexts: Vec<String>,
    /// How many contexts it serves now.
    pub(super) served: usize,
    pub(super) done: Done,
    pub(super) session: SessionState,
    /// The first end of what was lent now.
    pub(super) until: Option<Timestamp>,
    /// What failed, by what it was for.
    pub(super) failures: Vec<(String, Error)>,
    pub(super) remarks: Vec<String>,
}

/// What was done for an identity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Done {
    /// Nothing had to be.
    Good,
    /// Nobody signs in for it.
    NoPerson,
    /// It was renewed.
    Renewed,
    /// Somebody signed in.
    SignedIn,
}

impl Outcome {
    /// Nothing came of it yet.
    pub(super) fn of(identity: &Identity) -> Self {
        Self {
            name: identity.name.clone(),
            provider: identity.provider,
            contexts: identity.meant().map(|question| question.ours.context.clone()).collect(),
            served: 0,
            done: Done::Good,
            session: SessionState::None,
            until: None,
            failures: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// A credential did not come.
    pub(super) fn failed(&mut self, question: &Question, error: Error) {
        self.failures.push((question.request.describe(), error));
    }

    fn good_until(&self) -> String {
        let until = match &self.session {
            SessionState::SignedIn(Standing { until: Some(end), renews: false, .. }) => {
                moment(*end)
            }
            SessionState::SignedIn(_) => "renews by itself".into(),
            _ => self.until.map_or_else(|| "-".into(), moment),
        };
        match (self.done, self.failures.first()) {
            (_, Some((_, error))) if self.served == 0 => {
                format!("failed: {}", one_line(error.message()))
            }
            (_, Some(_)) => format!("{until}, but not for all"),
            (Done::NoPerson, None) => "no person signs in".into(),
            (_, None) => until,
        }
    }
}

impl Done {
    fn words(self) -> &'static str {
        match self {
            Self::Good | Self::NoPerson => "-",
            Self::Renewed => "renewed",
            Self::SignedIn => "signed in",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NoPerson => "no-person",
            Self::Renewed => "renewed",
            Self::SignedIn => "signed-in",
        }
    }
}

impl Report {
    pub(super) fn table(&self, width: Option<usize>, coloured: bool) -> String {
        let columns = [
            Column::wide("IDENTITY", 16),
            Column::fixed("CLUSTERS"),
            Column::fixed("DONE"),
            Column::wide("GOOD UNTIL", 20),
        ];
        let mut rows = Vec::new();
        for outcome in &self.outcomes {
            let clusters = match (outcome.served, outcome.contexts.len()) {
                (served, all) if served == all => all.to_string(),
                (served, all) => format!("{served} of {all}"),
            };
            let tone = if outcome.failures.is_empty() { Tone::Plain } else { Tone::Wrong };
            let done =
                if outcome.served == 0 && tone == Tone::Wrong { "-" } else { outcome.done.words() };
            let row = [one_line(&outcome.name), clusters, done.to_owned(), outcome.good_until()];
            rows.push((tone, row.into()));
        }
        for (context, why) in &self.failures {
            let what = format!("context `{}`", shown(context));
            let failed = format!("failed: {}", one_line(why.message()));
            rows.push((Tone::Wrong, [what, "0 of 1".into(), "-".into(), failed].into()));
        }
        if rows.is_empty() {
            return String::new();
        }
        table(&columns, &rows, width, coloured)
    }

    /// What is to be told besides, a line each.
    pub(super) fn remarks(&self) -> String {
        let remarks = self.outcomes.iter().flat_map(|outcome| {
            outcome.remarks.iter().map(|remark| format!("{}: {remark}\n", one_line(&outcome.name)))
        });
        remarks.collect()
    }

    pub(super) fn json(&self) -> String {
        let failure = |(what, why): &(String, Error)| json!({ "what": what, "why": why.to_string(), "next": why.next_line() });
        let outcome = |outcome: &Outcome| {
            let (until, renews) = match &outcome.session {
                SessionState::SignedIn(Standing { until, renews, .. }) => (*until, *renews),
                _ => (outcome.until, false),
            };
            json!({
                "identity": outcome.name, "provider": outcome.provider,
                "contexts": outcome.contexts, "served": outcome.served,
                "done": outcome.done.word(), "renews": renews,
                "until": until.map(|until| until.to_string()),
                "remarks": outcome.remarks,
                "failures": outcome.failures.iter().map(failure).collect::<Vec<_>>(),
            })
        };
        let all = json!({
            "identities": self.outcomes.iter().map(outcome).collect::<Vec<_>>(),
            "failures": self.failures.iter().map(failure).collect::<Vec<_>>(),
        });
        format!("{all:#}\n")
    }

    /// The first failure, after the others were told.
    pub(super) fn end(self, world: &World) -> Result<()> {
        let mut failures = self.outcomes.into_iter().flat_map(|outcome| outcome.failures);
        let mut all = failures.by_ref().chain(self.failures);
        let Some((_, first)) = all.next() else { return Ok(()) };
        let mut told = vec![first.to_string()];
        for (what, why) in all {
            if told.contains(&why.to_string()) {
                continue;
            }
            report::also_failed(&what, &why, world);
            told.push(why.to_string());
        }
        Err(first)
    }
}
