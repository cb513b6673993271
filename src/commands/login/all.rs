//! `fleetkey login [CONTEXT…] [--all]`: everybody whom the contexts want, one after the other.
//!
//! What stands already is left as it is, what can be renewed is renewed without a question, and for the
//! rest one page is opened at a time, however many clusters it serves. Then what each role and tenant
//! lends is asked for too, so that the next `kubectl` has only to use it. One that fails does not stop the
//! others.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use clap::ArgMatches;
use fleetkey_provider::{
    Credential, Error, Kind, Lost, Result, SessionState, SignIn, one_line, quoted, shown,
};

use super::{
    losses::Losses,
    report::{Done, Outcome, Report},
};
use crate::{
    World,
    broker::Broker,
    commands::status,
    fleet::{Books, Column, Fleet, Hinted, Identity, Insists, Next, Question, Tone, hint, table},
    host::{may_colour, stdout_width},
    options::{CacheUse, Options},
    registry,
};

pub(super) fn run(
    matches: &mut ArgMatches,
    insists: Insists,
    options: &Options,
    world: &mut World,
) -> Result<()> {
    let (file, names) = status::meant(matches);
    if names.is_empty() && !matches.get_flag("all") {
        return Err(Error::config("nobody is named who is to sign in")
            .because("name contexts, or say `--all`; or a provider and its flags")
            .next("fleetkey login --all"));
    }
    world.attend(options, None);
    let asked = super::insist(insists, options, world);
    let losses = Losses::heard_from(world);
    let fleet = Fleet::read(file.as_deref(), &names, options, world)?;
    let plans = plans(&fleet, world);
    tell_plan(&plans, world);
    fleet.surroundings.hold_still(false);
    let by_a_code = by_a_code(file.as_deref(), &names);
    let hints = !matches.get_flag("no-hint");
    let sign_ins = SignIns { fleet: &fleet, asked, losses, options, hints, by_a_code };
    let mut report = Report::default();
    for (at, plan) in plans.iter().enumerate() {
        if plan.steps.iter().any(|step| *step != Step::Nothing) {
            let (who, will) = (one_line(&plan.identity.name), plan.words());
            world.warn(&format!("{} of {}: {who}: {will}", at + 1, plans.len()));
        }
        let before = sign_ins.asked.load(Ordering::Relaxed);
        report.outcomes.push(sign_ins.outcome(plan, world));
        // an address and a picture are long: what comes next stands apart
        if sign_ins.asked.load(Ordering::Relaxed) > before && (world.stderr_is_terminal)() {
            world.complain("\n");
        }
    }
    for stranger in &fleet.strangers {
        // who named it wants to hear of it
        if !names.is_empty() {
            let context = shown(&stranger.context);
            let error = Error::config(format!("context `{context}` does not run fleetkey"))
                .next(format!("fleetkey kubeconfig convert --context {}", quoted(&context)));
            report.failures.push((stranger.context.clone(), error));
        }
    }
    report.failures.extend(fleet.broken.clone());
    if matches.get_flag("json") {
        world.print(&report.json())?;
    } else {
        let is_seen = (world.stdout_is_terminal)();
        let width = is_seen.then(stdout_width).flatten();
        let coloured = is_seen && may_colour(&*world.host.env);
        let sentences = report.remarks() + &status::others(&fleet);
        world.print_told(&report.table(width, coloured), &sentences)?;
    }
    report.end(world)
}

/// What is to be done for an identity.
struct Plan<'f> {
    identity: &'f Identity,
    /// Each credential, how many contexts it serves, and what it takes.
    credentials: Vec<(&'f Question, usize)>,
    steps: Vec<Step>,
    /// The session is over, and what was lent for it still serves: the first credential is lent anew, so
    /// that somebody signs in.
    is_over: bool,
}

/// What it takes to have a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// It is there.
    Nothing,
    /// No person signs in for it.
    Machine,
    /// The session stands.
    Silent,
    /// A page is opened.
    Page,
    /// Something is typed.
    Typed,
    /// It will fail.
    Vain,
}

impl Plan<'_> {
    fn words(&self) -> &'static str {
        match self.steps.iter().max_by_key(|step| **step as u8) {
            None | Some(Step::Nothing) => "nothing, it is good",
            Some(Step::Machine) => "nothing, it is no person",
            Some(Step::Silent) => "renewed without a question",
            Some(Step::Page) => "a page in the browser",
            Some(Step::Typed) => "a code",
            Some(Step::Vain) => "nobody can be asked here",
        }
    }
}

fn plans<'f>(fleet: &'f Fleet, world: &World) -> Vec<Plan<'f>> {
    let mut books = Books::new(world);
    let mut plans = Vec::new();
    for identity in &fleet.identities {
        let credentials = identity.credentials();
        let mut step = |(question, _): &(&Question, usize)| {
            fleet.surroundings.wear(&question.ours.env);
            match books.outlook(question).next {
                _ if identity.session.is_none() => Step::Machine,
                Next::Kept | Next::AtHand => Step::Nothing,
                Next::Machine => Step::Machine,
                Next::Renew => Step::Silent,
                Next::Cannot(_) => Step::Vain,
                Next::Ask(SignIn::Browser) => Step::Page,
                Next::Ask(SignIn::Terminal) => Step::Typed,
            }
        };
        let mut steps: Vec<Step> = credentials.iter().map(&mut step).collect();
        let mut is_over = false;
        if let ([first, ..], Some((question, _))) = (&mut *steps, credentials.first())
            && *first == Step::Nothing
        {
            fleet.surroundings.wear(&question.ours.env);
            if let Some(how) = books.signs_in_anew(question) {
                is_over = true;
                *first = if how == SignIn::Browser { Step::Page } else { Step::Typed };
            }
        }
        plans.push(Plan { identity, credentials, steps, is_over });
    }
    fleet.surroundings.wear(&[]);
    plans
}

/// What is about to happen, for who sits there.
fn tell_plan(plans: &[Plan<'_>], world: &World) {
    if !(world.stderr_is_terminal)() || plans.is_empty() {
        return;
    }
    let columns = [
        Column::wide("IDENTITY", 16),
        Column::fixed("CLUSTERS"),
        Column::wide("WHAT WILL HAPPEN", 16),
    ];
    let row = |plan: &Plan<'_>| {
        let clusters = plan.identity.meant().count().to_string();
        (Tone::Plain, vec![one_line(&plan.identity.name), clusters, plan.words().to_owned()])
    };
    let rows: Vec<_> = plans.iter().map(row).collect();
    let width = stdout_width();
    world.complain(&(table(&columns, &rows, width, false) + "\n"));
}

/// What asks for the same by codes.
fn by_a_code(file: Option<&Path>, names: &[String]) -> String {
    let mut line = format!("fleetkey login --{}", super::DEVICE_CODE);
    if let Some(file) = file {
        line = line + " --kubeconfig " + &quoted(&file.to_string_lossy());
    }
    if names.is_empty() {
        return line + " --all";
    }
    if names.iter().any(|name| name.starts_with('-') || registry::find(name).is_some()) {
        line += " --";
    }
    names.iter().fold(line, |line, name| line + " " + &quoted(name))
}

/// How people sign in during this run.
struct SignIns<'f> {
    fleet: &'f Fleet,
    /// How often somebody was asked so far.
    asked: Arc<AtomicUsize>,
    /// What could not be kept so far.
    losses: Losses,
    options: &'f Options,
    /// Whether it is written down who signed in.
    hints: bool,
    /// What asks for all of it by codes.
    by_a_code: String,
}

impl SignIns<'_> {
    /// Does what is to be done for an identity.
    fn outcome(&self, plan: &Plan<'_>, world: &mut World) -> Outcome {
        let Plan { identity, credentials, steps, is_over } = plan;
        let mut outcome = Outcome::of(identity);
        let before = self.asked.load(Ordering::Relaxed);
        let (mut lent, mut stop): (Vec<(&Question, Credential)>, Option<Error>) =
            (Vec::new(), None);
        // what is there comes last: a sign-in for another may have ended it
        let mut all: Vec<_> = credentials.iter().zip(steps).enumerate().collect();
        all.sort_by_key(|(_, (_, step))| **step == Step::Nothing);
        for (at, ((question, contexts), step)) in all {
            let was_asked = self.asked.load(Ordering::Relaxed) > before;
            let is_kept = self.options.cache == CacheUse::Normal && !was_asked;
            let is_there = *step == Step::Nothing && is_kept;
            if is_there || *step == Step::Machine {
                outcome.served += contexts;
                continue;
            }
            if let Some(error) = &stop {
                outcome.failed(question, error.clone());
                continue;
            }
            match self.lend(question, at == 0 && *is_over, world) {
                Ok(credential) => {
                    outcome.served += contexts;
                    outcome.until = outcome.until.into_iter().chain(credential.expires()).min();
                    lent.push((question, credential));
                }
                Err(error) => {
                    let line = Some(self.by_a_code.clone());
                    let (request, options) = (&*question.request, self.options);
                    let error = super::or_by_a_code(error, request, line, options, world);
                    // nobody is asked for the next role what they did not do for this one
                    if error.kind() == Kind::SignInNeeded {
                        stop = Some(error.clone());
                    }
                    outcome.failed(question, error);
                }
            }
        }
        let was_asked = self.asked.load(Ordering::Relaxed) > before;
        outcome.done = match (was_asked, lent.is_empty()) {
            _ if steps.iter().all(|step| *step == Step::Machine) => Done::NoPerson,
            (true, _) => Done::SignedIn,
            (false, false) => Done::Renewed,
            (false, true) => Done::Good,
        };
        // who is named from now on has another one
        outcome.session = self.session(identity, world);
        let is_lost = matches!(outcome.session, SessionState::SignedOut(_));
        let losses = self.losses.take();
        let is_told = losses.iter().any(|(what, _)| *what == Lost::Session);
        outcome.remarks.extend(losses.into_iter().map(|(_, line)| line));
        if was_asked
            && is_lost
            && !is_told
            && !lent.is_empty()
            && self.options.cache == CacheUse::Normal
        {
            let line = "the session could not be kept; what it lent serves until it is over";
            outcome.remarks.push(line.into());
        }
        if was_asked && self.hints && outcome.failures.is_empty() {
            match hint(identity, &lent, self.options, self.fleet, world) {
                Some(Hinted::Written(line) | Hinted::Left(line)) => outcome.remarks.push(line),
                None => {}
            }
        }
        outcome
    }

    /// Has a credential lent, and somebody sign in for it if they have to.
    fn lend(&self, question: &Question, is_anew: bool, world: &mut World) -> Result<Credential> {
        self.fleet.surroundings.wear(&question.ours.env);
        let (mut options, world) = (question.options(self.options), &*world);
        if is_anew && options.cache == CacheUse::Normal {
            options.cache = CacheUse::Fresh;
        }
        let broker = Broker::new(world, &options, question.folders.clone());
        broker.by_hand(&*question.request);
        let lent = broker.credential(&*question.request);
        self.fleet.surroundings.wear(&[]);
        lent
    }

    /// How the session stands now.
    fn session(&self, identity: &Identity, world: &World) -> SessionState {
        let Some(question) = identity.meant().next() else { return SessionState::None };
        // looked up anew: a session was made or renewed meanwhile
        self.fleet.surroundings.wear(&question.ours.env);
        let state = Books::new(world).outlook(question).session;
        self.fleet.surroundings.wear(&[]);
        state
    }
}
