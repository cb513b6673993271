//! `fleetkey status`: how every context stands, and what the next `kubectl` will do.
//!
//! Nothing is asked: no network, no other program, no place where keys lie, and nobody. What is said is
//! what files say.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{Error, Request, Result, SessionState, Standing, one_line, shown};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::kubeconfig;
use crate::{
    World,
    broker::Obstacle,
    fleet::{
        Books, Column, Fleet, Identity, Next, Outlook, Question, Stranger, Tone, counted,
        only_look, span, steps, table,
    },
    host::{may_colour, stdout_width},
    options::Options,
};

pub(crate) fn grow(verb: Command) -> Command {
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    verb.subcommand_required(false)
        .arg(contexts("The contexts to look at [default: all]"))
        .arg(kubeconfig::kubeconfig())
        .arg(
            switch("identities").help("A line for each identity, in place of one for each context"),
        )
        .arg(switch("json").help("Print it as JSON, with all times"))
}

/// `CONTEXT…`
pub(super) fn contexts(help: &'static str) -> Arg {
    Arg::new("contexts").value_name("CONTEXT").num_args(0..).help(help)
}

/// What that and `--kubeconfig` say.
pub(super) fn meant(matches: &mut ArgMatches) -> (Option<PathBuf>, Vec<String>) {
    let names = matches.remove_many::<String>("contexts").into_iter().flatten().collect();
    (matches.remove_one("kubeconfig"), names)
}

pub(super) fn run(matches: &mut ArgMatches, options: &Options, world: &mut World) -> Result<()> {
    world.attend(options, None);
    only_look(&mut world.host);
    let (file, names) = meant(matches);
    let fleet = Fleet::read(file.as_deref(), &names, options, world)?;
    let world = &*world;
    let mut books = Books::new(world).with_memory();
    let mut seen = Vec::new();
    for identity in &fleet.identities {
        let mut contexts = Vec::new();
        for question in identity.meant() {
            fleet.surroundings.wear(&question.ours.env);
            contexts.push((question, books.outlook(question)));
        }
        seen.push((identity, contexts));
    }
    let view = View { fleet: &fleet, seen, now: world.host.clock.now() };
    if matches.get_flag("json") {
        return world.print(&format!("{:#}\n", view.json(matches.get_flag("identities"))));
    }
    let width = (world.stdout_is_terminal)().then(stdout_width).flatten();
    let coloured = (world.stdout_is_terminal)() && may_colour(&*world.host.env);
    let table = if matches.get_flag("identities") {
        view.identities(width, coloured)
    } else {
        view.contexts(width, coloured)
    };
    world.print_told(&table, &view.remarks())
}

type Seen<'f> = (&'f Identity, Vec<(&'f Question, Outlook)>);

/// What was seen.
struct View<'f> {
    fleet: &'f Fleet,
    seen: Vec<Seen<'f>>,
    now: Timestamp,
}

impl View<'_> {
    fn contexts(&self, width: Option<usize>, coloured: bool) -> String {
        let columns = [
            Column::wide("CONTEXT", 12),
            Column::fixed("CLOUD"),
            Column::wide("IDENTITY", 12),
            Column::wide("SOURCE", 10),
            Column::fixed("SESSION"),
            Column::fixed("CREDENTIAL"),
            Column::wide("NEXT", 16),
        ];
        let mut rows = Vec::new();
        for (question, outlook) in self.seen.iter().flat_map(|(_, questions)| questions) {
            let request = &*question.request;
            let row = vec![
                shown(&question.ours.context),
                request.provider().to_owned(),
                one_line(&request.describe()),
                own_source(question).as_deref().map_or_else(|| "-".into(), one_line),
                self.session(&outlook.session),
                outlook.credential.map_or_else(|| "-".into(), |until| span(self.now, until)),
                self.next(&outlook.next),
            ];
            rows.push((tone(&outlook.next), row));
        }
        for (context, _) in &self.fleet.broken {
            let mut row = vec![shown(context)];
            row.extend(["-"; 5].map(str::to_owned));
            row.push("cannot".into());
            rows.push((Tone::Wrong, row));
        }
        // a narrow terminal has no room for all of it, and what comes next is said last
        let left_out = match width.unwrap_or(usize::MAX) {
            110.. => &[][..],
            75..110 => &[SOURCE],
            55..75 => &[SOURCE, CREDENTIAL, CLOUD],
            _ => &[SOURCE, CREDENTIAL, CLOUD, IDENTITY],
        };
        without(left_out, &columns, rows, width, coloured)
    }

    fn identities(&self, width: Option<usize>, coloured: bool) -> String {
        let columns = [
            Column::wide("IDENTITY", 16),
            Column::fixed("CLOUD"),
            Column::fixed("CONTEXTS"),
            Column::fixed("SESSION"),
            Column::fixed("CREDENTIALS"),
            Column::wide("NEXT", 16),
        ];
        let row = |(identity, questions): &Seen<'_>| {
            let worst = worst(questions)?;
            let credentials = identity.credentials();
            let is_there = |(one, _): &&(&Question, usize)| {
                let outlook = questions.iter().find(|(question, _)| std::ptr::eq(*question, *one));
                outlook.is_some_and(|(_, outlook)| outlook.credential.is_some())
            };
            let kept = credentials.iter().filter(is_there).count();
            let row = vec![
                one_line(&identity.name),
                identity.provider.to_owned(),
                questions.len().to_string(),
                self.session(&worst.session),
                format!("{kept} of {}", credentials.len()),
                self.next(&worst.next),
            ];
            Some((tone(&worst.next), row))
        };
        let rows: Vec<_> = self.seen.iter().filter_map(row).collect();
        let left_out = match width.unwrap_or(usize::MAX) {
            80.. => &[][..],
            65..80 => &[CREDENTIALS],
            _ => &[CREDENTIALS, CONTEXTS, CLOUD],
        };
        without(left_out, &columns, rows, width, coloured)
    }

    fn session(&self, state: &SessionState) -> String {
        match state {
            SessionState::None => "-".into(),
            SessionState::SignedOut(_) => "none".into(),
            SessionState::SignedIn(Standing { until: Some(end), renews, .. }) => {
                if *renews && *end <= self.now { "renews".into() } else { span(self.now, *end) }
            }
            SessionState::SignedIn(Standing { keeper: Some(keeper), .. }) => (*keeper).into(),
            SessionState::SignedIn(_) => "kept".into(),
        }
    }

    fn next(&self, next: &Next) -> String {
        match next {
            Next::Kept => "use what is kept".into(),
            Next::AtHand => "use keys at hand".into(),
            Next::Renew => "renew silently".into(),
            Next::Ask(_) => "ask a person".into(),
            Next::Machine => "machine: ask the cloud".into(),
            Next::Cannot(Obstacle { until: Some(until), .. }) => {
                format!("cannot for {}", span(self.now, *until))
            }
            Next::Cannot(_) => "cannot".into(),
        }
    }

    /// Why what cannot cannot, and what to type: once for all that have one reason.
    fn reasons(&self) -> String {
        let mut reasons: Vec<(&str, Option<&str>, Vec<&str>)> = Vec::new();
        let mut add = |context, words, line| match reasons
            .iter_mut()
            .find(|(known, next, _)| (*known, *next) == (words, line))
        {
            Some((_, _, contexts)) => contexts.push(context),
            None => reasons.push((words, line, vec![context])),
        };
        for (question, outlook) in self.seen.iter().flat_map(|(_, questions)| questions) {
            if let Next::Cannot(obstacle) = &outlook.next {
                add(&*question.ours.context, obstacle.words(), obstacle.why.next_line());
            }
        }
        for (context, why) in &self.fleet.broken {
            add(context, why.message(), why.next_line());
        }
        let line = |(words, next, contexts): &(&str, Option<&str>, Vec<&str>)| {
            let more = match contexts.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let next = next.map(|next| format!("; type:\n{}", one_line(next)));
            let next = next.unwrap_or_default();
            format!("`{}`{more} cannot: {}{next}\n", shown(contexts[0]), one_line(words))
        };
        reasons.iter().map(line).collect()
    }

    /// What does not fit into a table.
    fn remarks(&self) -> String {
        let mut lines = self.reasons();
        let outlooks = || self.seen.iter().flat_map(|(_, all)| all).map(|(_, outlook)| outlook);
        let is_plain = |outlook: &Outlook| match &outlook.session {
            SessionState::SignedIn(standing) => standing.is_plain,
            _ => false,
        };
        if outlooks().any(is_plain) {
            lines += "kept sessions are protected by file permissions only\n";
        }
        lines + &others(self.fleet)
    }

    fn json(&self, by_identity: bool) -> Value {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let session = |state: &SessionState| match state {
            SessionState::None => Value::Null,
            SessionState::SignedOut(why) => json!({ "state": "signed-out", "why": why }),
            SessionState::SignedIn(Standing { until, renews, since, keeper, is_plain }) => json!({
                "state": "signed-in", "until": time(*until), "renews": renews,
                "since": time(*since), "keeper": keeper.unwrap_or("fleetkey"),
                "protection": is_plain.then_some("file permissions only"),
            }),
        };
        let verdict = |outlook: &Outlook| {
            let mut facts = json!({
                "session": session(&outlook.session), "credentialUntil": time(outlook.credential),
                "next": outlook.next.word(),
            });
            if let Next::Cannot(Obstacle { why, until, .. }) = &outlook.next {
                facts["cannotUntil"] = time(*until).into();
                facts["why"] = why.to_string().into();
                facts["command"] = why.next_line().into();
            }
            facts
        };
        let merged = |mut one: Value, other: Value| {
            if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
                one.extend(other);
            }
            one
        };
        let context = |(question, outlook): &(&Question, Outlook)| {
            let request = &*question.request;
            let facts = json!({
                "context": question.ours.context, "user": question.ours.user,
                "provider": request.provider(), "identity": request.describe(),
                "source": source(question),
            });
            merged(facts, verdict(outlook))
        };
        let identity = |(identity, questions): &Seen<'_>| {
            let contexts: Vec<_> = questions.iter().map(|(one, _)| &one.ours.context).collect();
            let facts = json!({
                "identity": identity.name, "provider": identity.provider, "contexts": contexts,
                "credentials": identity.credentials().len(),
            });
            Some(merged(facts, verdict(worst(questions)?)))
        };
        let failure = |(context, why): &(String, Error)| json!({ "context": context, "next": "cannot", "why": why.to_string(), "command": why.next_line() });
        let other = |Stranger { context, program }: &Stranger| json!({ "context": context, "program": program });
        let mut all = json!({
            "failures": self.fleet.broken.iter().map(failure).collect::<Vec<_>>(),
            "others": self.fleet.strangers.iter().map(other).collect::<Vec<_>>(),
        });
        if by_identity {
            all["identities"] = self.seen.iter().filter_map(identity).collect();
        } else {
            all["contexts"] = self.seen.iter().flat_map(|(_, all)| all).map(context).collect();
        }
        all
    }
}

/// Lines about contexts that run something else, if there are any, or where nothing runs fleetkey.
pub(super) fn others(fleet: &Fleet) -> String {
    let strangers = &fleet.strangers;
    let mut programs: Vec<String> = Vec::new();
    let mut silent = 0;
    for Stranger { program, .. } in strangers {
        match program.as_ref().map(|program| format!("`{}`", shown(program))) {
            None => silent += 1,
            Some(program) if programs.contains(&program) => {}
            Some(program) => programs.push(program),
        }
    }
    let mut lines = Vec::new();
    let others = strangers.len() - silent;
    if fleet.identities.is_empty() && fleet.broken.is_empty() && others == 0 {
        let next = "to look for clusters: fleetkey kubeconfig discover";
        lines.push(format!("nothing here runs fleetkey; {next}\n"));
    }
    if others > 0 {
        let (run, programs) =
            (counted(others, "context runs", "contexts run"), programs.join(", "));
        lines.push(format!("{run} {programs}; for fleetkey there: fleetkey kubeconfig convert\n"));
    }
    if silent > 0 {
        let sign_in = counted(silent, "context signs in", "contexts sign in");
        lines.push(format!("{sign_in} by a token or a certificate\n"));
    }
    lines.concat()
}

/// The same, where it is not just who one is.
fn own_source(question: &Question) -> Option<String> {
    let source = source(question);
    (source != question.request.describe()).then_some(source)
}

/// What its credential stands on, as a person would say it.
fn source(question: &Question) -> String {
    let request = &*question.request;
    match request.session() {
        Some(_) => request.signer(),
        None => steps(request).last().map(Request::describe).unwrap_or_default(),
    }
}

/// A table without some of its columns; nothing if there are no rows.
fn without(
    left_out: &[usize],
    columns: &[Column],
    rows: Vec<(Tone, Vec<String>)>,
    width: Option<usize>,
    coloured: bool,
) -> String {
    let stays = |at: &usize| !left_out.contains(at);
    let columns: Vec<Column> = (0..columns.len()).filter(stays).map(|at| columns[at]).collect();
    let kept = |row: Vec<String>| {
        row.into_iter().enumerate().filter(|(at, _)| stays(at)).map(|(_, cell)| cell).collect()
    };
    let rows: Vec<_> = rows.into_iter().map(|(tone, row)| (tone, kept(row))).collect();
    if rows.is_empty() { String::new() } else { table(&columns, &rows, width, coloured) }
}

/// The one of an identity's contexts that has the most before it.
fn worst<'o>(questions: &'o [(&Question, Outlook)]) -> Option<&'o Outlook> {
    let rank = |outlook: &&Outlook| match outlook.next {
        Next::Kept | Next::AtHand => 0,
        Next::Machine => 1,
        Next::Renew => 2,
        Next::Ask(_) => 3,
        Next::Cannot(_) => 4,
    };
    questions.iter().map(|(_, outlook)| outlook).max_by_key(rank)
}

fn tone(next: &Next) -> Tone {
    match next {
        Next::Ask(_) => Tone::Due,
        Next::Cannot(_) => Tone::Wrong,
        Next::Kept | Next::AtHand | Next::Renew | Next::Machine => Tone::Plain,
    }
}

// places in a row: of contexts, and of identities
const CLOUD: usize = 1;
const IDENTITY: usize = 2;
const SOURCE: usize = 3;
const CREDENTIAL: usize = 5;
const CONTEXTS: usize = 2;
const CREDENTIALS: usize = 4;
