//! Which users of which files a command is about: those of named contexts, those that are named, or all.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use clap::ArgMatches;
use fleetkey_provider::{Error, Host, Result, quoted, shown};

use crate::kubeconfig::{
    document::{Document, Section},
    files,
};

/// What was named on the command line.
pub(super) struct Meant {
    /// The files there are, with their texts.
    pub(super) files: Vec<(PathBuf, String)>,
    /// Whether contexts or users were named.
    pub(super) is_named: bool,
    contexts: HashSet<String>,
    /// Those that were named, and those of the contexts.
    users: HashSet<String>,
    named_users: HashSet<String>,
}

impl Meant {
    /// Reads the files. Errors if there is none, or if something that is named is in none of them.
    pub(super) fn read(matches: &ArgMatches, host: &Host) -> Result<Self> {
        let paths =
            files::named(matches.get_one::<PathBuf>("kubeconfig").map(PathBuf::as_path), host)?;
        let mut texts = Vec::new();
        for path in &paths {
            if let Some(text) = files::read(path, host)? {
                texts.push((path.clone(), text));
            }
        }
        if texts.is_empty() {
            return Err(no_file(&paths));
        }
        let named = |flag: &str| -> Vec<String> {
            let values = matches.try_get_many::<String>(flag).ok().flatten();
            values.into_iter().flatten().cloned().collect()
        };
        let mut meant = Self {
            files: texts,
            is_named: false,
            contexts: named("context").into_iter().collect(),
            users: named("user").into_iter().collect(),
            named_users: named("user").into_iter().collect(),
        };
        meant.is_named = !(meant.contexts.is_empty() && meant.users.is_empty());
        if meant.is_named {
            meant.find()?;
        }
        Ok(meant)
    }

    /// Whether that user is meant.
    pub(super) fn has_user(&self, name: &str) -> bool {
        !self.is_named || self.users.contains(name)
    }

    /// Whether that context is meant, by its name or by its user's.
    pub(super) fn has_context(&self, (name, user): (&str, &str)) -> bool {
        !self.is_named || self.contexts.contains(name) || self.named_users.contains(user)
    }

    /// Finds the users of the contexts, and sees that everything is there.
    fn find(&mut self) -> Result<()> {
        let (mut contexts, mut users) = (HashMap::new(), HashSet::new());
        for (path, text) in &self.files {
            let document = Document::read(text, &path.to_string_lossy())?;
            for context in document.entries(Section::Contexts) {
                let user = document.text(&context, "user").unwrap_or_default().to_owned();
                // of two files the first counts, as for clients
                contexts.entry(context.name.to_owned()).or_insert(user);
            }
            users.extend(document.entries(Section::Users).iter().map(|user| user.name.to_owned()));
        }
        let missing = |what: &str, name: &str, next: &str| {
            Error::config(format!("no {what} is called `{}`", shown(name)))
                .because("it is in none of the kubeconfigs that were looked at")
                .next(next)
        };
        for context in &self.contexts {
            let user = contexts
                .get(context)
                .ok_or_else(|| missing("context", context, "kubectl config get-contexts"))?;
            self.users.insert(user.clone());
        }
        for user in &self.users {
            if !users.contains(user) {
                return Err(missing("user", user, "kubectl config get-users"));
            }
        }
        Ok(())
    }
}

fn no_file(paths: &[PathBuf]) -> Error {
    let shown_paths: Vec<String> =
        paths.iter().map(|path| format!("`{}`", shown(&path.to_string_lossy()))).collect();
    let next = paths.first().map_or_else(String::new, |path| quoted(&path.to_string_lossy()));
    Error::config("there is no kubeconfig")
        .because(format!("looked for {}", shown_paths.join(", ")))
        .next(format!("ls -l {next}"))
}
