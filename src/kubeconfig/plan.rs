//! What is to change in one kubeconfig: for every user that is taken over, the splices, and what the
//! entry will mean.

use std::{collections::HashMap, ops::Range};

use fleetkey_provider::{Error, Fingerprint};
use serde_json::{Map, Value};

use super::{
    document::{Document, Entry, Section, digest},
    edit::Editor,
    hidden, reached,
    shared::Shared,
    splice::Splice,
    takeover::{New, Takeover, Wish},
    yaml::{Id, Kind},
};

/// What is to change in a file.
#[derive(Default)]
pub(crate) struct Plan {
    /// Entry by entry.
    pub(crate) edits: Vec<Edit>,
    /// Users we know, and leave.
    pub(crate) left: Vec<Left>,
    /// Users that run fleetkey already.
    pub(crate) ours: Vec<String>,
    /// Whether no edit is of use without the others.
    pub(crate) is_one: bool,
}

/// The change of one entry.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// Its list.
    pub(crate) section: Section,
    /// Which of the list it is; none if it is to come.
    pub(crate) index: Option<usize>,
    /// Its name.
    pub(crate) name: String,
    /// Where the entry is now; nowhere if it is to come, and then its beginning says where.
    pub(crate) item: Range<usize>,
    /// What changes; nothing where another entry's change is this one's, too.
    pub(crate) splices: Vec<Splice>,
    /// What its value meant, as JSON; nothing if it was not there.
    pub(crate) before: Option<String>,
    /// What the whole entry will mean; `None` if it goes.
    pub(crate) meaning: Option<Fingerprint>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

/// A user that stays as it is.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    /// Its name.
    pub(crate) user: String,
    /// Why.
    pub(crate) why: Error,
}

impl Plan {
    /// Takes over those users of a kubeconfig that `is_meant` says. Nothing is written.
    pub(crate) fn new(
        document: &Document<'_>,
        wish: &Wish,
        is_meant: impl Fn(&str) -> bool,
    ) -> Self {
        let mut plan = Self::default();
        // what became of the value at a place: another entry's may be the same, by an alias
        let mut done: HashMap<Id, Fingerprint> = HashMap::new();
        let users = document.entries(Section::Users);
        let clusters = reached::by_user(document);
        let aliases: Vec<usize> = document.tree.ties().map(|(at, _)| at).collect();
        for (index, entry) in users.iter().enumerate().filter(|(_, entry)| is_meant(entry.name)) {
            let Ok(user) = document.value(entry) else {
                plan.leave(entry, Error::config("it is larger than any user is"));
                continue;
            };
            let clusters = clusters.get(entry.name).map_or(&[][..], Vec::as_slice);
            match wish.take_over(&user, clusters) {
                Takeover::Nothing => {}
                Takeover::Ours => plan.ours.push(entry.name.to_owned()),
                Takeover::Left(why) => plan.leave(entry, why),
                Takeover::New(taken) => {
                    let meaning = digest(&taken.user);
                    let value = entry.value.map(|value| document.tree.target(value));
                    let is_done = value.and_then(|value| done.get(&value)) == Some(&meaning);
                    let splices = if is_done {
                        Ok(Vec::new())
                    } else {
                        splices(document, entry, &taken)
                            .and_then(|new| no_copies(document, &aliases, entry, new, &taken))
                    };
                    match splices {
                        Ok(splices) => {
                            let edit = edit(document, entry, splices, &user, *taken);
                            plan.edits.push(Edit { index: Some(index), ..edit });
                            done.extend(entry.value.map(|value| (value, meaning)));
                        }
                        Err(why) => plan.leave(entry, why),
                    }
                }
            }
        }
        plan.settle(document);
        plan
    }

    /// Takes out what would change others, by anchors.
    fn settle(&mut self, document: &Document<'_>) {
        loop {
            let with = Shared::new(document, &self.edits).conflicts();
            if with.is_empty() {
                return;
            }
            for (index, edit) in std::mem::take(&mut self.edits).into_iter().enumerate() {
                match with.get(&index) {
                    Some(with) => self.left.push(Left { user: edit.name, why: shared(with) }),
                    None => self.edits.push(edit),
                }
            }
        }
    }

    /// Takes out every change of an entry that shares something by an anchor.
    pub(crate) fn without_shared(&mut self, document: &Document<'_>) -> bool {
        if self.is_one {
            return false;
        }
        let shared_by = Shared::new(document, &self.edits).all();
        let mut index = 0;
        let (gone, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.edits).into_iter().partition(|_| {
                index += 1;
                shared_by.contains(&(index - 1))
            });
        self.edits = kept;
        let is_any = !gone.is_empty();
        self.left.extend(gone.into_iter().map(|e| Left { user: e.name, why: shared("others") }));
        is_any
    }

    fn leave(&mut self, entry: &Entry<'_>, why: Error) {
        self.left.push(Left { user: entry.name.to_owned(), why });
    }
}

fn edit(
    document: &Document<'_>,
    entry: &Entry<'_>,
    splices: Vec<Splice>,
    before: &Value,
    taken: New,
) -> Edit {
    let item = document.tree.node(entry.item);
    let mut whole = document.tree.value(entry.item).unwrap_or_default();
    if let Value::Object(whole) = &mut whole {
        whole.insert(Section::Users.one().into(), taken.user);
    }
    Edit {
        section: Section::Users,
        index: None,
        name: entry.name.to_owned(),
        item: item.place(),
        splices,
        before: Some(before.to_string()),
        meaning: Some(digest(&whole)),
        notes: taken.adoption.notes,
    }
}

fn splices(document: &Document<'_>, entry: &Entry<'_>, new: &New) -> Result<Vec<Splice>, Error> {
    let tree = &document.tree;
    let editor = Editor::new(tree);
    if tree.has_complex_keys(entry.item) {
        return Err(Error::config("it has a key behind `?`")
            .because("YAML has two ways to write a key, and this one is not changed"));
    }
    if matches!(tree.node(entry.item).kind, Kind::Alias(_)) {
        return Err(Error::config("its entry is an alias of another one"));
    }
    let Some(pair) = tree.pair(entry.item, Section::Users.one()) else {
        // merged from elsewhere
        return Ok(vec![editor.add(entry.item, &[(Section::Users.one(), new.user.clone())])]);
    };
    let user = pair.1;
    if !matches!(tree.node(user).kind, Kind::Map { .. }) {
        return Ok(vec![editor.replace(entry.item, pair, &new.user)]);
    }
    if let Some(old) = tree.pair(user, "auth-provider") {
        return Ok(editor.rename(old, user, "exec", &new.exec).into());
    }
    let Some(exec) = tree.pair(user, "exec") else {
        return match tree.get(user, "auth-provider") {
            Some(_) => Err(Error::config("its `auth-provider` is merged from elsewhere")),
            None => Ok(vec![editor.add(user, &[("exec", new.exec.clone())])]),
        };
    };
    if !matches!(tree.node(exec.1).kind, Kind::Map { .. }) {
        return Ok(vec![editor.replace(user, exec, &new.exec)]);
    }
    let nothing = Map::new();
    Ok(fields(&editor, document, exec.1, new.exec.as_object().unwrap_or(&nothing)))
}

/// Field by field: those that are the same stay as they are written.
fn fields(
    editor: &Editor<'_, '_>,
    document: &Document<'_>,
    map: Id,
    new: &Map<String, Value>,
) -> Vec<Splice> {
    let (mut splices, mut more) = (Vec::new(), Vec::new());
    for (key, value) in new {
        if document.tree.pair(map, key).is_some() {
            splices.extend(editor.set(map, key, value));
            continue;
        }
        let merged = document.tree.get(map, key).map(|id| document.tree.value(id));
        if merged.is_none_or(|old| old.as_ref() != Ok(value)) {
            more.push((key.as_str(), value.clone()));
        }
    }
    if !more.is_empty() {
        splices.push(editor.add(map, &more));
    }
    splices
}

/// The same splices, unless they write down a secret that stood elsewhere: an entry may have it by an alias.
fn no_copies(
    document: &Document<'_>,
    aliases: &[usize],
    entry: &Entry<'_>,
    splices: Vec<Splice>,
    new: &New,
) -> Result<Vec<Splice>, Error> {
    let item = document.tree.node(entry.item).whole();
    let first = aliases.partition_point(|at| *at < item.start);
    if aliases.get(first).is_none_or(|at| *at >= item.end) {
        return Ok(splices);
    }
    let there = &document.tree.text[item];
    let is_in = |text: &str, secret: &str| {
        let escaped = Value::from(secret).to_string();
        let escaped = escaped.trim_matches('"');
        [secret, escaped, &secret.replace('\'', "''")].iter().any(|way| text.contains(way))
    };
    let is_copied = |secret: &&str| {
        !is_in(there, secret) && splices.iter().any(|splice| is_in(&splice.text, secret))
    };
    if hidden::secrets(&new.user).iter().any(is_copied) {
        return Err(Error::config("a secret of it stands elsewhere")
            .because("it comes by an alias, and would be written down a second time"));
    }
    Ok(splices)
}

fn shared(with: &str) -> Error {
    Error::config(format!(
        "by an anchor it shares a part with `{}`",
        fleetkey_provider::shown(with)
    ))
    .because("that one would change, too, and is not to be converted, or not to the same")
}
