//! Writing down who signed in, so that the next sign-in page proposes them: as flags of the users whose
//! contexts they signed in for.
//!
//! Who is named has a session of their own, by that name. So the session and the credentials that are
//! there are kept under it first; then the users are changed; and then the session without a name leads
//! there, for programs that run and kubeconfigs that know no name. A run that is cut short leaves both or
//! one, and either serves. Where a context of that identity cannot say a name by itself, such as one whose
//! user serves many, nothing is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use fleetkey_provider::{Credential, Error, Result, SecretString, SessionKey, shown};
use serde_json::{Value, json};

use super::{Fleet, Identity, Ours, Question, Surroundings};
use crate::{
    World,
    cache::Cache,
    kubeconfig::{
        document::{Document, Section, digest},
        edit::Editor,
        files, list,
        outcome::Outcome,
        plan::{Edit, Plan},
        undo::Undo,
        yaml::Kind,
    },
    options::{CacheUse, Options},
};

/// What came of it: a line for a person.
pub(crate) enum Hinted {
    /// Written.
    Written(String),
    /// Left as it was, and why.
    Left(String),
}

/// Names whoever signed in, in the users of all contexts of their identity. `None` if there is nothing to
/// name. `lent` are the credentials that came, each with its question; `options` were typed.
pub(crate) fn hint(
    identity: &Identity,
    lent: &[(&Question, Credential)],
    options: &Options,
    fleet: &Fleet,
    world: &World,
) -> Option<Hinted> {
    let mut names = lent.iter().map(|(question, credential)| question.request.hint(credential));
    let flags = names.next().flatten()?;
    if names.any(|other| other.as_ref() != Some(&flags)) {
        return None;
    }
    let who = flags.last().map(|name| shown(name)).unwrap_or_default();
    Some(match name(identity, lent, &flags, options, fleet, world) {
        Ok(users) => {
            let flag = flags.first().map(|flag| shown(flag)).unwrap_or_default();
            Hinted::Written(format!("{who} is written into {users}, as `{flag}`"))
        }
        Err(why) => Hinted::Left(format!("{who} is not written into the kubeconfig: {why}")),
    })
}

fn name(
    identity: &Identity,
    lent: &[(&Question, Credential)],
    flags: &[String],
    options: &Options,
    fleet: &Fleet,
    world: &World,
) -> Result<String> {
    if let Some(Ours { user, .. }) = fleet.serves_others(identity) {
        return Err(Error::config(format!(
            "user `{}` serves clusters of other identities too",
            shown(user)
        )));
    }
    let old = identity.session.ok_or_else(|| Error::failed("nobody signs in"))?;
    let mut named = Vec::new();
    for question in &identity.questions {
        named.push(with_flags(question, flags, &fleet.surroundings, world)?);
    }
    let new = named.first().and_then(|question| question.request.session());
    let new = new.filter(|new| named.iter().all(|other| other.request.session() == Some(*new)));
    let new = new.ok_or_else(|| Error::failed("their contexts would not be one identity"))?;
    if new == old {
        return Err(Error::failed("it changes nothing"));
    }
    let had_one = world.host.sessions.stamp(new).is_some();
    let secret = keep_too(old, new, world)?;
    let mut kept = Vec::new();
    for (question, credential) in lent {
        let same = |(other, _): &(&Question, &Question)| {
            other.request.fingerprint() == question.request.fingerprint()
                && other.folders.cache == question.folders.cache
        };
        let mut pairs = identity.questions.iter().zip(&named);
        if let Some((_, named)) = pairs.find(same) {
            keep(named, credential, options, world);
            kept.push(named);
        }
    }
    let mut number = 0;
    if let Err(why) = write_all(identity, flags, &mut number, world) {
        // nobody says that name, and nobody would sign out of what is kept by it
        if number == 0 && !had_one {
            world.host.sessions.open_to_end(new)?.forget();
            for question in kept {
                forget(question, world);
            }
        }
        return Err(why);
    }
    // who still asks without a name means the same person: a program that runs, another kubeconfig
    world.host.sessions.open(old)?.name(new, &secret)?;
    for (question, _) in lent {
        forget(question, world);
    }
    Ok(super::counted(number, "user of the kubeconfig", "users of the kubeconfig"))
}

/// Adds the flags to the users of all contexts, and counts them.
fn write_all(
    identity: &Identity,
    flags: &[String],
    number: &mut usize,
    world: &World,
) -> Result<()> {
    let mut users: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
    for Ours { user, file, .. } in identity.questions.iter().map(|question| &question.ours) {
        users.entry(file).or_default().insert(user);
    }
    for (file, users) in users {
        *number += write(file, &users, flags, world)?;
    }
    Ok(())
}

/// The same question, asked with these flags.
fn with_flags(
    question: &Question,
    flags: &[String],
    surroundings: &Surroundings,
    world: &World,
) -> Result<Question> {
    let Ours { context, args, .. } = &question.ours;
    let is_for_many = args.get(1).is_none_or(|word| word.starts_with('-'));
    if is_for_many {
        return Err(Error::config(format!(
            "the user of context `{}` serves clusters of every cloud",
            shown(context)
        )));
    }
    let ours = Ours { args: with(args, flags), ..question.ours.clone() };
    Question::of(ours, &question.options, surroundings, &world.host)
}

/// The flags behind those there are.
fn with(args: &[String], flags: &[String]) -> Vec<String> {
    args.iter().chain(flags).cloned().collect()
}

/// Keeps a session under another name too. What it is.
fn keep_too(old: SessionKey, new: SessionKey, world: &World) -> Result<SecretString> {
    let sessions = &world.host.sessions;
    // one that is somebody else's is led to where this one could not be kept
    if sessions.all_keys(old).iter().any(|key| ![old, new].contains(key)) {
        return Err(Error::failed("their session is not kept"));
    }
    let secret = match sessions.open(old)?.read()? {
        Some(kept) if !kept.interrupted => kept.secret,
        _ => return Err(Error::failed("their session is not kept")),
    };
    sessions.open(new)?.keep(&secret)?;
    Ok(secret)
}

fn keep(question: &Question, credential: &Credential, typed: &Options, world: &World) {
    let is_kept = question.options(typed).cache != CacheUse::None;
    let Some(folder) = question.folders.cache.as_ref().filter(|_| is_kept) else { return };
    let (request, notes) = (&question.request, &*world.host.notes);
    let store = world.store(&folder.join(request.provider()));
    Cache { store: &*store, notes }.keep(&**request, credential);
}

fn forget(question: &Question, world: &World) {
    let Some(folder) = &question.folders.cache else { return };
    let store = world.store(&folder.join(question.request.provider()));
    let cache = Cache { store: &*store, notes: &*world.host.notes };
    // what stays is over within the hour
    drop(cache.forget(question.request.fingerprint()));
}

/// Adds the flags to users of a file. How many there were.
fn write(path: &Path, users: &BTreeSet<&str>, flags: &[String], world: &World) -> Result<usize> {
    let undo = Undo::open(world)?;
    files::change(path, &world.host, |now| {
        let old = now.unwrap_or_default();
        let mut outcome = Outcome::of(path, old, |document| plan(document, users, flags))?;
        if outcome.edits.len() != users.len() {
            return Err(Error::failed("another program changed its users meanwhile"));
        }
        undo.push(&real(path, world), outcome.layer()?)?;
        let number = outcome.edits.len();
        Ok((Some(std::mem::take(&mut outcome.new)), number))
    })
}

fn real(path: &Path, world: &World) -> PathBuf {
    world.host.files.real(path)
}

fn plan(document: &Document<'_>, users: &BTreeSet<&str>, flags: &[String]) -> Result<Plan> {
    let tree = &document.tree;
    let editor = Editor::new(tree);
    let mut plan = Plan::default();
    let mut seen = BTreeSet::new();
    for (index, entry) in document.entries(Section::Users).iter().enumerate() {
        if !users.contains(entry.name) || !seen.insert(entry.name) {
            continue;
        }
        let cannot = |why: &str| Error::config(format!("user `{}` {why}", shown(entry.name)));
        let value = document.value(entry).map_err(|_| cannot("is larger than any user is"))?;
        let exec = entry.value.and_then(|user| tree.get(tree.target(user), "exec"));
        let exec = exec.map(|exec| tree.target(exec));
        let exec = exec.filter(|exec| matches!(tree.node(*exec).kind, Kind::Map { .. }));
        let exec = exec.ok_or_else(|| cannot("is not written as it was"))?;
        let args: Vec<String> = value
            .pointer("/exec/args")
            .and_then(Value::as_array)
            .map(|args| args.iter().filter_map(|arg| arg.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        let more: Vec<Value> = flags.iter().map(|flag| json!(flag)).collect();
        let args = json!(with(&args, flags));
        // behind those there are, however each of them is written
        let behind = tree
            .pair(exec, "args")
            .and_then(|(_, list)| list::appended(tree, &editor, list, &more, list::Place::Behind));
        let splice = behind.or_else(|| editor.set(exec, "args", &args));
        let mut whole = tree.value(entry.item).unwrap_or_default();
        if let Some(place) = whole.pointer_mut("/user/exec/args") {
            *place = args.clone();
        }
        plan.edits.push(Edit {
            section: Section::Users,
            index: Some(index),
            name: entry.name.to_owned(),
            item: tree.node(entry.item).place(),
            splices: splice.into_iter().collect(),
            before: Some(value.to_string()),
            meaning: Some(digest(&whole)),
            notes: Vec::new(),
        });
    }
    Ok(plan)
}
