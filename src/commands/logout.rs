//! `fleetkey logout [CONTEXT…] [--all]`: whoever signed in for contexts is signed out.
//!
//! First where the session was made, if that is heard there, and then here: the session, the credentials
//! that were lent for it to whichever question, and what was remembered about asking. What is another
//! program's is left and named. With `--all` goes what no context names, too ([`rest`]).

mod rest;

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{Error, Request, Result, SessionKey, SessionState, SignedOut, one_line};
use serde_json::json;

use self::rest::Rest;
use super::{kubeconfig, status};
use crate::{
    World,
    broker::Broker,
    cache::Cache,
    fleet::{Fleet, Identity, Question, counted, steps},
    options::Options,
};

pub(crate) fn grow(verb: Command) -> Command {
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    verb.subcommand_required(false)
        .arg(status::contexts("The contexts whose identities are to be signed out"))
        .arg(
            switch("all")
                .conflicts_with("contexts")
                .help("Those of all contexts, and whoever else is signed in here"),
        )
        .arg(kubeconfig::kubeconfig())
        .arg(switch("json").help("Print what was done as JSON"))
}

pub(super) fn run(matches: &mut ArgMatches, options: &Options, world: &mut World) -> Result<()> {
    let (file, names) = status::meant(matches);
    if names.is_empty() && !matches.get_flag("all") {
        return Err(Error::config("nobody is named who is to be signed out")
            .because("name contexts, or say `--all`")
            .next("fleetkey logout --all"));
    }
    world.attend(options, None);
    let fleet = Fleet::read(file.as_deref(), &names, options, world)?;
    fleet.surroundings.hold_still(false);
    let world = &*world;
    let mut all = Vec::new();
    for identity in &fleet.identities {
        all.push((identity, sign_out(identity, &fleet, options, world)));
    }
    fleet.surroundings.wear(&[]);
    let rest = names.is_empty().then(|| Rest::end(&fleet, options, world));
    if matches.get_flag("json") {
        world.print(&as_json(&all, rest.as_ref(), &fleet.broken))?;
    } else {
        let told = told(&all, rest.as_ref(), &fleet.broken);
        world.print_told("", &(told + &status::others(&fleet)))?;
    }
    let failed = all.into_iter().find_map(|(_, out)| out.failed);
    let left = rest.and_then(|rest| rest.failed);
    let broken = fleet.broken.into_iter().map(|(_, why)| why).next();
    failed.or(left).or(broken).map_or(Ok(()), Err)
}

/// Signs an identity out, and forgets what was lent to it.
fn sign_out(identity: &Identity, fleet: &Fleet, options: &Options, world: &World) -> SignedOut {
    let mut out = SignedOut::default();
    // by which keys it is known is not known afterwards
    let own = sessions(identity, fleet);
    let sessions: Vec<_> =
        own.iter().flat_map(|session| world.host.sessions.all_keys(*session)).collect();
    let mut seen = Vec::new();
    for question in &identity.questions {
        fleet.surroundings.wear(&question.ours.env);
        for step in steps(&*question.request) {
            // every role of a session ends with it, once
            let key = match step.session_state(&world.host) {
                SessionState::None => step.fingerprint(),
                _ => step
                    .session()
                    .map_or_else(|| step.fingerprint(), |session| session.fingerprint()),
            };
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            match world.wait(step.sign_out(&world.host), options.timeout) {
                Ok(more) => out.extend(more),
                Err(error) => {
                    out.left.push(format!("{}: {error}", step.describe()));
                    out.failed = out.failed.take().or(Some(error));
                }
            }
        }
    }
    // by a key that leads there it would live on, or be found again by whoever signs in next
    for led in sessions.iter().filter(|session| !own.contains(session)) {
        if let Err(error) = world.host.sessions.open_to_end(*led).map(|mut open| open.forget()) {
            out.left.push(error.to_string());
            out.failed = out.failed.take().or(Some(error));
        }
    }
    let mut removed = 0;
    for question in &identity.questions {
        fleet.surroundings.wear(&question.ours.env);
        match forget(question, options, world) {
            Ok(number) => removed += number,
            Err(error) => {
                // contexts of one role have one and the same
                if !out.left.contains(&error.to_string()) {
                    out.left.push(error.to_string());
                }
                out.failed = out.failed.take().or(Some(error));
            }
        }
    }
    fleet.surroundings.wear(&[]);
    for folder in rest::folders([identity], options, world) {
        let store = world.store(&folder.join(identity.provider));
        let cache = Cache { store: &*store, notes: &*world.host.notes };
        match cache.forget_lent(&sessions) {
            Ok(number) => removed += number,
            Err(why) => {
                let what = format!("what {} was lent could not be removed", identity.name);
                let error = Error::failed(what).because(why);
                out.left.push(error.to_string());
                out.failed = out.failed.take().or(Some(error));
            }
        }
    }
    if removed > 0 {
        let credentials = counted(removed, "credential", "credentials");
        out.done.push(format!("{}: {credentials} removed", identity.name));
    }
    out
}

/// The sessions that an identity's questions are lent from.
fn sessions(identity: &Identity, fleet: &Fleet) -> Vec<SessionKey> {
    let mut all = Vec::new();
    for question in &identity.questions {
        fleet.surroundings.wear(&question.ours.env);
        for session in steps(&*question.request).filter_map(Request::lent_from) {
            if !all.contains(&session) {
                all.push(session);
            }
        }
    }
    all
}

/// Forgets the credentials of a question's chain, and what was remembered about asking. How many
/// credentials there were.
fn forget(question: &Question, options: &Options, world: &World) -> Result<usize> {
    let options = question.options(options);
    Broker::new(world, &options, question.folders.clone()).by_hand(&*question.request);
    let Some(folder) = &question.folders.cache else { return Ok(0) };
    let mut removed = 0;
    for step in steps(&*question.request) {
        let store = world.store(&folder.join(step.provider()));
        let cache = Cache { store: &*store, notes: &*world.host.notes };
        let is_there = cache.forget(step.fingerprint()).map_err(|why| {
            Error::failed(format!("what {} was lent could not be removed", step.describe()))
                .because(why)
        })?;
        removed += usize::from(is_there);
    }
    Ok(removed)
}

fn told(all: &[(&Identity, SignedOut)], rest: Option<&Rest>, broken: &[(String, Error)]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (identity, SignedOut { done, left, .. }) in all {
        lines.extend(done.iter().cloned());
        if done.is_empty() && left.is_empty() {
            lines.push(format!("{}: there was nothing to remove", identity.name));
        }
    }
    lines.extend(rest.and_then(Rest::told));
    lines.extend(all.iter().flat_map(|(_, out)| &out.left).map(|line| format!("left: {line}")));
    lines.extend(rest.and_then(Rest::left));
    // nobody knows whose these are
    lines.extend(broken.iter().map(|(context, why)| format!("left: context `{context}`: {why}")));
    lines.iter().map(|line| one_line(line) + "\n").collect()
}

fn as_json(
    all: &[(&Identity, SignedOut)],
    rest: Option<&Rest>,
    broken: &[(String, Error)],
) -> String {
    let one = |(identity, out): &(&Identity, SignedOut)| {
        let contexts: Vec<_> = identity.questions.iter().map(|one| &one.ours.context).collect();
        json!({
            "identity": identity.name, "provider": identity.provider, "contexts": contexts,
            "done": out.done, "left": out.left,
            "failed": out.failed.as_ref().map(ToString::to_string),
        })
    };
    let failure = |(context, why): &(String, Error)| json!({ "context": context, "why": why.to_string(), "command": why.next_line() });
    let mut all = json!({
        "identities": all.iter().map(one).collect::<Vec<_>>(),
        "failures": broken.iter().map(failure).collect::<Vec<_>>(),
    });
    if let Some(rest) = rest {
        all["rest"] = rest.json();
    }
    format!("{all:#}\n")
}
