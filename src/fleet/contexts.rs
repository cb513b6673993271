//! The contexts of all kubeconfigs, as clients see them: of two entries of one name the first counts.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use fleetkey_provider::{ClusterInfo, Error, Foreign, Host, Result, quoted, shown};
use serde_json::Value;

use crate::{
    kubeconfig::{
        document::{Document, Section},
        files,
        foreign::{self, Found, name_of},
        stanza::NAME,
    },
    recognise,
};

/// The contexts of a kubeconfig.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    /// Those that run fleetkey, whether they are meant or not: who signs in for one signs in for others.
    pub(crate) ours: Vec<Ours>,
    /// Those that are meant and run something else, or sign in by something that runs nothing.
    pub(crate) strangers: Vec<Stranger>,
    /// Those that are meant and cannot be understood, and why.
    pub(crate) broken: Vec<(String, Error)>,
}

/// A context whose user runs fleetkey.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    /// Its name.
    pub(crate) context: String,
    /// Whether it was named, or all are meant.
    pub(crate) is_meant: bool,
    /// The user's name.
    pub(crate) user: String,
    /// The file that the user stands in.
    pub(crate) file: PathBuf,
    /// The user's arguments.
    pub(crate) args: Vec<String>,
    /// The variables that the user sets.
    pub(crate) env: Vec<(String, String)>,
    /// What the client tells of the cluster, if it does.
    pub(crate) cluster: Option<ClusterInfo>,
}

/// A context that is none of ours.
#[derive(Clone, Debug)]
pub(crate) struct Stranger {
    /// Its name.
    pub(crate) context: String,
    /// The program that it runs, or the plugin of old that it names; `None` for a token or a certificate.
    pub(crate) program: Option<String>,
}

impl Contexts {
    /// Reads the files. `names` are the contexts that are meant; all, if there are none. Errors if there
    /// is no file, or a name is in none of them.
    pub(crate) fn read(flag: Option<&Path>, names: &[String], host: &Host) -> Result<Self> {
        let paths = files::named(flag, host)
            .map_err(|error| error.next("fleetkey status --kubeconfig FILE"))?;
        let mut texts = Vec::new();
        for path in &paths {
            if let Some(text) = files::read(path, host)? {
                texts.push((path, text));
            }
        }
        if texts.is_empty() {
            return Err(no_file(&paths, flag));
        }
        let mut entries = Entries::default();
        for (path, text) in &texts {
            entries.add(path, &Document::read(text, &path.to_string_lossy())?);
        }
        entries.meant(names, flag)
    }
}

/// Entries by their names.
#[derive(Default)]
struct Entries {
    /// In the order they stand.
    contexts: Vec<(String, [String; 2])>,
    users: HashMap<String, (PathBuf, Option<Value>)>,
    clusters: HashMap<String, Option<Value>>,
}

impl Entries {
    fn add(&mut self, path: &Path, document: &Document<'_>) {
        let known: HashSet<&String> = self.contexts.iter().map(|(name, _)| name).collect();
        let mut more: Vec<(String, [String; 2])> = Vec::new();
        let mut here = HashSet::new();
        for entry in document.entries(Section::Contexts) {
            let name = entry.name.to_owned();
            if known.contains(&name) || !here.insert(entry.name) {
                continue;
            }
            let text = |key| document.text(&entry, key).unwrap_or_default().to_owned();
            more.push((name, [text("user"), text("cluster")]));
        }
        drop(known);
        self.contexts.extend(more);
        for entry in document.entries(Section::Users) {
            let value = || (path.to_owned(), document.value(&entry).ok());
            self.users.entry(entry.name.to_owned()).or_insert_with(value);
        }
        for entry in document.entries(Section::Clusters) {
            let value = || document.value(&entry).ok();
            self.clusters.entry(entry.name.to_owned()).or_insert_with(value);
        }
    }

    fn meant(self, names: &[String], flag: Option<&Path>) -> Result<Contexts> {
        let wanted: HashSet<&str> = names.iter().map(String::as_str).collect();
        let there: HashSet<&str> = self.contexts.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(missing) = names.iter().find(|name| !there.contains(name.as_str())) {
            let list =
                flag.map(|path| format!(" --kubeconfig {}", quoted(&path.to_string_lossy())));
            return Err(Error::config(format!("no context is called `{}`", shown(missing)))
                .because("it is in none of the kubeconfigs that were looked at")
                .next(format!("kubectl config get-contexts{}", list.unwrap_or_default())));
        }
        let mut contexts = Contexts::default();
        for (name, [user, cluster]) in &self.contexts {
            let is_meant = wanted.is_empty() || wanted.contains(name.as_str());
            match self.sort(name, user, cluster) {
                Sorted::Ours(ours) => contexts.ours.push(Ours { is_meant, ..*ours }),
                _ if !is_meant => {}
                Sorted::Stranger(stranger) => contexts.strangers.push(stranger),
                Sorted::Broken(error) => contexts.broken.push((name.clone(), error)),
            }
        }
        Ok(contexts)
    }

    /// What a context is.
    fn sort(&self, context: &str, user: &str, cluster: &str) -> Sorted {
        let nowhere = |why: String| {
            let error = Error::config(format!("context `{}` leads nowhere", shown(context)));
            Sorted::Broken(error.because(why).next("kubectl config view"))
        };
        let Some((file, value)) = self.users.get(user) else {
            return nowhere(format!("there is no user `{}`", shown(user)));
        };
        let Some(value) = value else {
            return nowhere(format!("user `{}` is larger than any user is", shown(user)));
        };
        let program = match foreign::of(value) {
            Found::Ours => None,
            Found::Nothing => Some(None),
            Found::Foreign(Foreign::Program { name, .. } | Foreign::AuthProvider { name, .. })
            | Found::Wrapped(name, _) => Some(Some(name)),
        };
        if let Some(program) = program {
            return Sorted::Stranger(Stranger { context: context.to_owned(), program });
        }
        let exec = value.get("exec").unwrap_or(&Value::Null);
        let command = exec.get("command").and_then(Value::as_str).unwrap_or_default();
        if name_of(command) != NAME {
            let what = format!("what context `{}` asks for is not certain", shown(context));
            let why = format!("user `{}` runs fleetkey by `{}`", shown(user), shown(command));
            return Sorted::Broken(Error::config(what).because(why).next("kubectl config view"));
        }
        let list = |key| exec.get(key).and_then(Value::as_array).into_iter().flatten();
        let text = |value: &Value, key| Some(value.get(key)?.as_str()?.to_owned());
        let pair = |pair| Some((text(pair, "name")?, text(pair, "value")?));
        let is_told = exec.get("provideClusterInfo").and_then(Value::as_bool) == Some(true);
        let told = || {
            let value = self.clusters.get(cluster).and_then(Option::as_ref);
            value.map(recognise::told).unwrap_or_default()
        };
        Sorted::Ours(Box::new(Ours {
            context: context.to_owned(),
            is_meant: true,
            user: user.to_owned(),
            file: file.clone(),
            args: list("args").filter_map(|word| word.as_str().map(str::to_owned)).collect(),
            env: list("env").filter_map(pair).collect(),
            cluster: is_told.then(told),
        }))
    }
}

/// What a context is.
enum Sorted {
    Ours(Box<Ours>),
    Stranger(Stranger),
    Broken(Error),
}

fn no_file(paths: &[PathBuf], flag: Option<&Path>) -> Error {
    let looked: Vec<String> =
        paths.iter().map(|path| format!("`{}`", shown(&path.to_string_lossy()))).collect();
    let next = match paths {
        // nobody has said that there is one
        [path] if flag.is_none() && path.ends_with(".kube/config") => {
            "fleetkey kubeconfig discover".to_owned()
        }
        [path, ..] => format!("ls -l {}", quoted(&path.to_string_lossy())),
        [] => "kubectl config view".to_owned(),
    };
    Error::config("there is no kubeconfig")
        .because(format!("looked for {}", looked.join(", ")))
        .next(next)
}
