//! Conversions of kubeconfigs that another program would have made: of all users that are meant, or of
//! none, each written where it stands, without a question and without a word.
//!
//! What becomes of a user is the provider's to say. Here it is put there with no other byte changed, and
//! proven, as every change of a kubeconfig is.

use std::{collections::BTreeMap, path::Path};

use fleetkey_provider::{Conversion, Error, Foreign, Result, WrittenExec, quoted, shown};
use serde_json::{Map, Value, json};

use crate::{
    World,
    kubeconfig::{
        document::{Document, Entry, Section, digest},
        edit::Editor,
        files,
        foreign::name_of,
        outcome::Outcome,
        plan::{Edit, Left, Plan},
        splice::Splice,
        yaml::Kind,
    },
};

/// Converts, as the other program would.
pub(super) fn as_the_original(conversion: &dyn Conversion, world: &World) -> Result<()> {
    let named = conversion.kubeconfig().map(Path::new);
    let mut texts = Vec::new();
    for path in files::named(named, &world.host)? {
        match files::read(&path, &world.host)? {
            Some(text) => texts.push((path, text)),
            None if named.is_some() => return Err(no_file(&path)),
            None => {}
        }
    }
    let owners = owners(&texts, conversion)?;
    let plan = |index: usize, document: &Document<'_>| {
        plan(document, conversion, &|user| owners.get(user) == Some(&index))
    };
    let mut outcomes = Vec::new();
    for (index, (path, text)) in texts.iter().enumerate() {
        outcomes.push(whole(Outcome::of(path, text.clone(), |document| plan(index, document))?)?);
    }
    for (index, outcome) in outcomes.into_iter().enumerate().filter(|(_, one)| one.is_change()) {
        files::change(&outcome.path, &world.host, |now| {
            let now = now.unwrap_or_default();
            if now == outcome.old {
                return Ok((Some(outcome.new), ()));
            }
            // another program changed it meanwhile
            let again = Outcome::of(&outcome.path, now, |document| plan(index, document))?;
            Ok((Some(whole(again)?.new), ()))
        })?;
    }
    Ok(())
}

/// The users that are meant, each with the file that it is read from: of two files the first counts.
fn owners(
    texts: &[(std::path::PathBuf, String)],
    conversion: &dyn Conversion,
) -> Result<BTreeMap<String, usize>> {
    let (mut owners, mut only) = (BTreeMap::new(), None);
    for (index, (path, text)) in texts.iter().enumerate() {
        let document = Document::read(text, &path.to_string_lossy())?;
        for user in document.entries(Section::Users) {
            owners.entry(user.name.to_owned()).or_insert(index);
        }
        if let Some(context) = conversion.context().filter(|_| only.is_none())
            && let Some(entry) = document.entry(Section::Contexts, context)
        {
            only = Some(document.text(&entry, "user").unwrap_or_default().to_owned());
        }
    }
    match (conversion.context(), only) {
        (Some(context), None) => {
            Err(Error::failed(format!("no context exists with the name: \"{}\"", shown(context)))
                .next("kubectl config get-contexts"))
        }
        (_, Some(user)) => {
            owners.retain(|name, _| *name == user);
            Ok(owners)
        }
        (None, None) => Ok(owners),
    }
}

fn plan(
    document: &Document<'_>,
    conversion: &dyn Conversion,
    is_meant: &dyn Fn(&str) -> bool,
) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut seen = Vec::new();
    for (index, entry) in document.entries(Section::Users).into_iter().enumerate() {
        if !is_meant(entry.name) || seen.contains(&entry.name) {
            continue;
        }
        seen.push(entry.name);
        let user = document.value(&entry).map_err(|_| {
            Error::failed(format!("user `{}` is larger than any user is", shown(entry.name)))
        })?;
        let Some((foreign, hint)) = foreign(&user) else { continue };
        let Some(exec) = conversion.convert(&foreign, hint) else { continue };
        plan.edits.push(edit(document, &entry, index, &user, &written(&exec?))?);
    }
    Ok(plan)
}

/// The change of one user: its `exec` is another one, and an `auth-provider` is none any more.
fn edit(
    document: &Document<'_>,
    entry: &Entry<'_>,
    index: usize,
    before: &Value,
    exec: &Value,
) -> Result<Edit> {
    let mut user = before.as_object().cloned().unwrap_or_default();
    user.remove(AUTH_PROVIDER);
    user.insert(EXEC.into(), exec.clone());
    let user = Value::Object(user);
    let splices = splices(document, entry, &user, exec)?;
    let mut whole = document.tree.value(entry.item).unwrap_or_default();
    if let Value::Object(whole) = &mut whole {
        whole.insert(Section::Users.one().into(), user);
    }
    Ok(Edit {
        section: Section::Users,
        index: Some(index),
        name: entry.name.to_owned(),
        item: document.tree.node(entry.item).place(),
        splices,
        before: Some(before.to_string()),
        meaning: Some(digest(&whole)),
        notes: Vec::new(),
    })
}

fn splices(
    document: &Document<'_>,
    entry: &Entry<'_>,
    user: &Value,
    exec: &Value,
) -> Result<Vec<Splice>> {
    let (tree, key) = (&document.tree, Section::Users.one());
    let editor = Editor::new(tree);
    if matches!(tree.node(entry.item).kind, Kind::Alias(_)) {
        return Err(Error::failed(format!("user `{}` is an alias of another", shown(entry.name))));
    }
    let Some(pair) = tree.pair(entry.item, key) else {
        return Ok(vec![editor.add(entry.item, &[(key, user.clone())])]);
    };
    if !matches!(tree.node(pair.1).kind, Kind::Map { .. }) {
        return Ok(vec![editor.replace(entry.item, pair, user)]);
    }
    Ok(match (tree.pair(pair.1, EXEC), tree.pair(pair.1, AUTH_PROVIDER)) {
        (None, Some(old)) => editor.rename(old, pair.1, EXEC, exec).into(),
        (Some(old), None) if tree.value(old.1).as_ref() == Ok(exec) => Vec::new(),
        (Some(old), None) => vec![editor.replace(pair.1, old, exec)],
        // both, or merged from elsewhere
        _ => vec![editor.replace(entry.item, pair, user)],
    })
}

/// A user as providers know it, and what it tells people who lack its program. A program that runs
/// another one is not seen through: the original does not either.
fn foreign(user: &Value) -> Option<(Foreign, Option<&str>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let Some(exec) = user.get(EXEC).and_then(Value::as_object) else {
        let provider = user.get(AUTH_PROVIDER)?;
        let config = provider.get("config").and_then(Value::as_object).into_iter().flatten();
        let config = config.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect();
        let name = provider.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Some((Foreign::AuthProvider { name, config }, None));
    };
    let list = |key| exec.get(key).and_then(Value::as_array).into_iter().flatten();
    let foreign = Foreign::Program {
        name: name_of(exec.get("command").and_then(Value::as_str).unwrap_or_default()),
        args: list("args").filter_map(text).collect(),
        env: list("env")
            .filter_map(|pair| Some((text(pair.get("name")?)?, text(pair.get("value")?)?)))
            .collect(),
    };
    Some((foreign, exec.get("installHint").and_then(Value::as_str)))
}

/// The `exec` as clients write it.
fn written(exec: &WrittenExec) -> Value {
    let WrittenExec { api_version, command, args, env, install_hint } = exec;
    let env: Vec<_> =
        env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let mut out = Map::new();
    out.insert("apiVersion".into(), json!(api_version));
    out.insert("args".into(), json!(args));
    out.insert("command".into(), json!(command));
    out.insert("env".into(), if env.is_empty() { Value::Null } else { json!(env) });
    if let Some(hint) = install_hint {
        out.insert("installHint".into(), json!(hint));
    }
    out.insert("provideClusterInfo".into(), json!(false));
    Value::Object(out)
}

/// All that was meant, or an error.
fn whole(outcome: Outcome) -> Result<Outcome> {
    match outcome.left.first() {
        None => Ok(outcome),
        Some(Left { user, why }) => {
            let error = Error::failed(format!("user `{}` cannot be converted", shown(user)));
            Err(error.because(why.message()).next("fleetkey kubeconfig convert --dry-run"))
        }
    }
}

fn no_file(path: &Path) -> Error {
    let path = path.to_string_lossy();
    Error::failed(format!("there is no kubeconfig `{}`", shown(&path)))
        .next(format!("ls -l {}", quoted(&path)))
}

const EXEC: &str = "exec";
const AUTH_PROVIDER: &str = "auth-provider";
