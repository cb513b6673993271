//! One user for all clusters: what tells one cluster from another goes into the cluster's own extension,
//! which clients hand to the plugin.

use std::collections::{BTreeMap, HashMap, HashSet};

use fleetkey_provider::{Error, Extension, Result, shown};
use serde_json::{Value, json};

use super::{
    document::{Document, Entry, Section, digest},
    edit::{Editor, line_end},
    list,
    plan::{Edit, Left, Plan},
    reached::LARGEST_CA,
    removal,
    shared::Shared,
    splice::Splice,
    stanza::{NAME, Stanza},
    takeover::{Takeover, Wish},
    yaml::{block, flow},
};

/// The extension that clients hand to plugins (KEP-541).
pub(crate) const EXTENSION: &str = "client.authentication.k8s.io/exec";

impl Plan {
    /// Has the contexts that `is_meant` says use one user. `ca_size` is the size of a file of
    /// authorities that a cluster names.
    pub(crate) fn one_stanza(
        document: &Document<'_>,
        wish: &Wish,
        is_meant: impl Fn((&str, &str)) -> bool,
        ca_size: &dyn Fn(&str) -> Option<u64>,
        is_alone: bool,
    ) -> Result<Self> {
        let mut making = Making::new(document, wish, is_alone)?;
        for (index, context) in document.entries(Section::Contexts).iter().enumerate() {
            let user = document.text(context, "user").unwrap_or_default();
            if user == NAME || !is_meant((context.name, user)) {
                making.used.insert(user.to_owned());
            } else if let Err(left) = making.context(index, context, user, ca_size) {
                making.used.insert(user.to_owned());
                if let Some(why) = left {
                    making.plan.left.push(Left { user: user.to_owned(), why });
                }
            }
        }
        making.finish()
    }
}

struct Making<'m, 'a> {
    document: &'m Document<'a>,
    wish: &'m Wish,
    editor: Editor<'m, 'a>,
    plan: Plan,
    users: HashMap<&'m str, (usize, Entry<'m>)>,
    clusters: HashMap<&'m str, (usize, Entry<'m>)>,
    all_users: Vec<Entry<'m>>,
    all_clusters: Vec<Entry<'m>>,
    /// Whether no context of another file may have a user of this one.
    is_alone: bool,
    /// What each cluster says.
    extensions: BTreeMap<usize, (Extension, String)>,
    /// Users that some context still has.
    used: HashSet<String>,
    /// Users that some context had.
    freed: HashSet<String>,
}

impl<'m, 'a> Making<'m, 'a> {
    fn new(document: &'m Document<'a>, wish: &'m Wish, is_alone: bool) -> Result<Self> {
        let by_name = |section| {
            let mut out = HashMap::new();
            for (index, entry) in document.entries(section).into_iter().enumerate() {
                out.entry(entry.name).or_insert((index, entry));
            }
            out
        };
        let making = Self {
            document,
            wish,
            editor: Editor::new(&document.tree),
            plan: Plan::default(),
            users: by_name(Section::Users),
            clusters: by_name(Section::Clusters),
            all_users: document.entries(Section::Users),
            all_clusters: document.entries(Section::Clusters),
            is_alone,
            extensions: BTreeMap::new(),
            used: HashSet::new(),
            freed: HashSet::new(),
        };
        making.see_that_the_name_is_free()?;
        Ok(making)
    }

    fn see_that_the_name_is_free(&self) -> Result<()> {
        let Some((_, entry)) = self.users.get(NAME) else { return Ok(()) };
        let value = self.document.value(entry).unwrap_or_default();
        if value["exec"]["args"] == json!(["get-token"])
            && value["exec"]["provideClusterInfo"] == true
        {
            return Ok(());
        }
        Err(Error::config(format!("there is another user called `{NAME}`"))
            .because("the one user for all is to be called so")
            .next(format!("kubectl config delete-user {NAME}")))
    }

    /// Errors with nothing where a context is not ours to change, and with why where it is.
    fn context(
        &mut self,
        index: usize,
        context: &Entry<'_>,
        user: &str,
        ca_size: &dyn Fn(&str) -> Option<u64>,
    ) -> Result<(), Option<Error>> {
        let (_, entry) = self.users.get(user).ok_or_else(|| {
            (!user.is_empty()).then(|| Error::config("it is in another file than its context"))
        })?;
        let value = self.document.value(entry).map_err(|_| None)?;
        let taken = match self.wish.take_over(&value, &[]) {
            Takeover::Nothing => return Err(None),
            Takeover::Ours => {
                self.plan.ours.push(user.to_owned());
                return Err(None);
            }
            Takeover::Left(why) => return Err(Some(why)),
            Takeover::New(taken) => taken,
        };
        if let Some((name, _)) = taken.adoption.env.first() {
            return Err(Some(
                Error::config(format!("it sets the variable `{}`", shown(name)))
                    .because("a user for all clusters cannot set what is for one"),
            ));
        }
        let extension = taken.provider.extension(&taken.adoption.args).map_err(Some)?;
        let name = self.document.text(context, "cluster").unwrap_or_default();
        let (at, cluster) = self.clusters.get(name).ok_or_else(|| {
            Some(Error::config(format!("its cluster `{}` is in another file", shown(name))))
        })?;
        check_ca(self.document, cluster, ca_size).map_err(Some)?;
        if let Some(known) = extension_of(self.document, cluster)
            && known != Value::Object(extension.clone())
        {
            return Err(Some(
                Error::config(format!("its cluster `{}` says something else already", shown(name)))
                    .because(format!(
                        "its extension `{EXTENSION}` is for another identity or plugin"
                    )),
            ));
        }
        if let Some((other, first)) = self.extensions.get(at)
            && *other != extension
        {
            return Err(Some(
                Error::config(format!("its cluster `{}` is for two identities", shown(name)))
                    .because(format!("context `{}` goes there as another one", shown(first))),
            ));
        }
        let splices = self.repointed(context).ok_or(None)?;
        self.extensions.entry(*at).or_insert_with(|| (extension, context.name.to_owned()));
        let before = self.document.value(context).unwrap_or_default().to_string();
        let mut after = self.document.tree.value(context.item).unwrap_or_default();
        after[Section::Contexts.one()]["user"] = NAME.into();
        self.freed.insert(user.to_owned());
        self.plan.edits.push(Edit {
            section: Section::Contexts,
            index: Some(index),
            name: context.name.to_owned(),
            item: self.document.tree.node(context.item).place(),
            splices,
            before: Some(before),
            meaning: Some(digest(&after)),
            notes: taken.adoption.notes,
        });
        Ok(())
    }

    fn repointed(&self, context: &Entry<'_>) -> Option<Vec<Splice>> {
        let (_, value) = self.document.tree.pair(context.item, Section::Contexts.one())?;
        Some(self.editor.set(value, "user", &NAME.into()).into_iter().collect())
    }

    fn finish(mut self) -> Result<Plan> {
        if self.extensions.is_empty() {
            return Ok(self.plan);
        }
        let extensions = std::mem::take(&mut self.extensions);
        for (index, (extension, _)) in extensions {
            self.extend(index, &extension).ok_or_else(tied)?;
        }
        self.add_user().ok_or_else(tied)?;
        self.remove_users();
        self.plan.edits.sort_by_key(|edit| edit.item.start);
        self.plan.is_one = true;
        // one part without another would leave contexts that lead nowhere
        if !Shared::new(self.document, &self.plan.edits).conflicts().is_empty() {
            return Err(tied());
        }
        Ok(self.plan)
    }

    /// Nothing where a cluster's value stands elsewhere.
    fn extend(&mut self, index: usize, extension: &Extension) -> Option<()> {
        let cluster = self.all_clusters.get(index)?.clone();
        let cluster = &cluster;
        let before = self.document.value(cluster).unwrap_or_default();
        let mut others = before["extensions"].as_array().cloned().unwrap_or_default();
        others.retain(|known| known["name"] != EXTENSION);
        others.push(json!({"name": EXTENSION, "extension": extension}));
        let new = Value::Array(others);
        let (_, value) = self.document.tree.pair(cluster.item, Section::Clusters.one())?;
        if self.document.tree.target(value) != value {
            return None;
        }
        let mut after = self.document.tree.value(cluster.item).unwrap_or_default();
        after[Section::Clusters.one()]["extensions"] = new.clone();
        self.plan.edits.push(Edit {
            section: Section::Clusters,
            index: Some(index),
            name: cluster.name.to_owned(),
            item: self.document.tree.node(cluster.item).place(),
            splices: self.editor.set(value, "extensions", &new).into_iter().collect(),
            before: Some(before.to_string()),
            meaning: Some(digest(&after)),
            notes: Vec::new(),
        });
        Some(())
    }

    /// The one user, behind the others, or in place of the last one if that goes.
    fn add_user(&mut self) -> Option<()> {
        if self.users.contains_key(NAME) {
            return Some(());
        }
        let user =
            json!({"name": NAME, "user": {"exec": Stanza::for_all(&self.wish.written).value()}});
        let tree = &self.document.tree;
        let users = self.document.list(Section::Users)?;
        let last = tree.items(users).last().filter(|_| self.goes(tree.items(users).len() - 1));
        let splice = match last {
            Some(last) => {
                let place = tree.node(*last).whole();
                let text = if self.editor.is_flow(users) {
                    flow(&user)
                } else {
                    block(&user, tree.column(place.start), line_end(tree.text))
                };
                Some(Splice::new(place, text))
            }
            None => list::appended(
                tree,
                &self.editor,
                users,
                std::slice::from_ref(&user),
                list::Place::Behind,
            ),
        };
        let splice = splice?;
        self.plan.edits.push(Edit {
            section: Section::Users,
            index: None,
            name: NAME.into(),
            item: splice.place.clone(),
            splices: vec![splice],
            before: None,
            meaning: Some(digest(&user)),
            notes: Vec::new(),
        });
        Some(())
    }

    /// Users that no context has any more, where nothing else goes with them.
    fn remove_users(&mut self) {
        let Some(list) = self.document.list(Section::Users) else { return };
        let count = self.document.tree.items(list).len();
        let is_new = !self.users.contains_key(NAME);
        for (index, entry) in self.all_users.clone().iter().enumerate() {
            if !self.goes(index) {
                continue;
            }
            let is_last = index + 1 == count;
            let splice = match removal::remove(&self.document.tree, list, index) {
                // the new one came in its place
                _ if is_last && is_new => None,
                Some(splice) => Some(splice),
                None => continue,
            };
            self.plan.edits.push(Edit {
                section: Section::Users,
                index: Some(index),
                name: entry.name.to_owned(),
                item: self.document.tree.node(entry.item).place(),
                splices: splice.into_iter().collect(),
                before: Some(self.document.value(entry).unwrap_or_default().to_string()),
                meaning: None,
                notes: Vec::new(),
            });
        }
    }

    /// Whether a user goes: no context has it any more, and nothing else goes with it.
    fn goes(&self, index: usize) -> bool {
        let list = self.document.list(Section::Users);
        let Some((entry, list)) = self.all_users.get(index).zip(list) else { return false };
        self.is_alone
            && self.freed.contains(entry.name)
            && !self.used.contains(entry.name)
            && self.users.get(entry.name).is_some_and(|(first, _)| *first == index)
            && removal::is_by_itself(&self.document.tree, list, index)
    }
}

/// What a cluster says to plugins already.
fn extension_of(document: &Document<'_>, cluster: &Entry<'_>) -> Option<Value> {
    let value = document.value(cluster).ok()?;
    let known = value["extensions"].as_array()?.iter().find(|known| known["name"] == EXTENSION)?;
    Some(known["extension"].clone())
}

fn tied() -> Error {
    Error::config("the kubeconfig cannot be brought to one user")
        .because("by anchors its entries share parts that would have to differ")
        .next("fleetkey kubeconfig convert --dry-run")
}

fn check_ca(
    document: &Document<'_>,
    cluster: &Entry<'_>,
    ca_size: &dyn Fn(&str) -> Option<u64>,
) -> Result<()> {
    let data = document.text(cluster, "certificate-authority-data").map(|data| data.len() as u64);
    // a file is handed over as base64
    let file = || Some(ca_size(document.text(cluster, "certificate-authority")?)? / 3 * 4);
    let size = data.or_else(file).unwrap_or_default();
    if size <= LARGEST_CA {
        return Ok(());
    }
    Err(Error::config(format!(
        "its cluster `{}` has authorities of {} KB",
        shown(cluster.name),
        size >> 10
    ))
    .because(
        "clients hand the cluster over in a variable, which ends at 96 KB of them: a user of its own needs no \
         cluster, or `certificate-authority-data` can be cut down to the one that signs",
    ))
}
