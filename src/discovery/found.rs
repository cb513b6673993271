//! The clusters that were found: each once, in order, with the name that its context is to have.

use std::{collections::BTreeMap, path::PathBuf};

use fleetkey_provider::{Errand, Fingerprint, Host, Listed, shown};

use super::{
    names::{Template, label_of},
    queue::Find,
};
use crate::kubeconfig::{
    document::{Document, Section},
    files,
};

/// One cluster.
pub(crate) struct Found {
    /// The provider that found it.
    pub(crate) cloud: &'static str,
    /// What it is called everywhere.
    pub(crate) id: String,
    /// Its name.
    pub(crate) cluster: String,
    /// The account it is in.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// What else is known of it.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// What its context is to be called.
    pub(crate) context: String,
    /// The context by which the kubeconfigs lead to it already.
    pub(crate) known: Option<String>,
    /// Finds out how it is reached.
    pub(crate) detail: Box<dyn Errand>,
}

/// What the kubeconfigs have already.
#[derive(Debug, Default)]
pub(crate) struct Kubeconfigs {
    /// Contexts, and the cluster of each.
    contexts: BTreeMap<String, String>,
}

impl Kubeconfigs {
    /// Reads those files, as far as they can be read: who adds to one hears of the rest.
    pub(crate) fn read(paths: &[PathBuf], host: &Host) -> Self {
        let mut all = Self::default();
        for path in paths {
            let done = files::read(path, host).and_then(|text| match text {
                Some(text) => all.add(&text, &path.to_string_lossy()),
                None => Ok(()),
            });
            if let Err(error) = done {
                host.notes.note(&error.to_string());
            }
        }
        all
    }

    fn add(&mut self, text: &str, path: &str) -> fleetkey_provider::Result<()> {
        let document = Document::read(text, path)?;
        for context in document.entries(Section::Contexts) {
            let cluster = document.text(&context, "cluster").unwrap_or_default().to_owned();
            self.contexts.entry(context.name.to_owned()).or_insert(cluster);
        }
        Ok(())
    }

    /// The context of that name, or else one that leads to the cluster by its id.
    fn known(&self, context: &str, id: &str) -> Option<String> {
        if self.contexts.contains_key(context) {
            return Some(context.to_owned());
        }
        let mut contexts = self.contexts.iter();
        contexts.find(|(_, cluster)| *cluster == id).map(|(name, _)| name.clone())
    }
}

/// Puts what was found in order. `clouds` are the providers by the numbers of the errands that the search
/// began with. Further answers what a person should know about names.
pub(crate) fn gathered(
    found: BTreeMap<Vec<usize>, Find>,
    clouds: &[&'static str],
    template: &Template,
    kubeconfigs: &Kubeconfigs,
) -> (Vec<Found>, Vec<String>) {
    let mut all: BTreeMap<_, Listed> = BTreeMap::new();
    for (path, find) in found {
        let Find::Cluster(listed) = find else { continue };
        let cloud = path.first().and_then(|at| clouds.get(*at)).copied().unwrap_or_default();
        let Listed { id, cluster, account, region, .. } = &listed;
        // the same cluster is seen with other eyes: the first count
        if all.keys().any(|(_, _, _, _, known)| known == id) {
            continue;
        }
        all.insert((cloud, account.clone(), region.clone(), cluster.clone(), id.clone()), listed);
    }
    let listed: Vec<(&'static str, Listed)> =
        all.into_iter().map(|((cloud, ..), listed)| (cloud, listed)).collect();
    let (names, notes) = distinct(&listed, template);
    let found = listed.into_iter().zip(names).map(|((cloud, listed), context)| {
        let Listed { id, cluster, account, region, labels, detail } = listed;
        let known = kubeconfigs.known(&context, &id);
        Found { cloud, id, cluster, account, region, labels, context, known, detail }
    });
    (found.collect(), notes)
}

/// A name for each, no two the same. Those that the template names alike get something of their own
/// behind it, which does not depend on what else is found.
fn distinct(listed: &[(&'static str, Listed)], template: &Template) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<String> =
        listed.iter().map(|(cloud, listed)| template.name(cloud, listed)).collect();
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        alike.entry(name.clone()).or_default().push(index);
    }
    let mut notes = Vec::new();
    for (name, indices) in alike.into_iter().filter(|(_, indices)| indices.len() > 1) {
        let of = |index: &usize| &listed[*index].1;
        let label = LABELS.into_iter().find(|label| {
            let values: Vec<_> = indices.iter().map(|index| label_of(of(index), label)).collect();
            let is_alone = |at: usize| !values[at + 1..].contains(&values[at]);
            values.iter().all(Option::is_some) && (0..values.len()).all(is_alone)
        });
        for index in &indices {
            let own = label.and_then(|label| label_of(of(index), label)).map_or_else(
                || Fingerprint::of(of(index).id.as_bytes()).to_string()[..8].to_owned(),
                fleetkey_provider::one_line,
            );
            names[*index] = format!("{name}/{own}");
        }
        let behind =
            label.map_or("a part of a hash of its id".into(), |label| format!("`{{{label}}}`"));
        notes.push(format!(
            "{} clusters would be called `{}`; behind it stands {behind}",
            indices.len(),
            shown(&name)
        ));
    }
    (names, notes)
}

/// What tells two clusters of one account, region and name apart, the shortest first.
const LABELS: [&str; 6] =
    ["resource-group", "role", "profile", "account-id", "subscription-id", "tenant"];

#[cfg(test)]
pub(super) mod tests {
    use fleetkey_provider::{BoxFuture, Credential, Result};

    use super::*;

    struct Nothing;

    impl Errand for Nothing {
        fn describe(&self) -> String {
            String::new()
        }
        fn run<'a>(
            &'a self,
            _credential: Option<&'a Credential>,
            _host: &'a Host,
        ) -> BoxFuture<'a, Result<Vec<fleetkey_provider::Find>>> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }

    /// A cluster.
    pub(in super::super) fn listed(
        cluster: &str,
        account: &str,
        region: &str,
        labels: &[(&'static str, &str)],
    ) -> Listed {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let own: Vec<_> = labels.iter().map(|(_, value)| value.as_str()).collect();
        Listed {
            id: format!("{account}/{region}/{cluster}/{}", own.join("/")),
            cluster: cluster.into(),
            account: account.into(),
            region: region.into(),
            labels,
            detail: Box::new(Nothing),
        }
    }

    fn all(found: Vec<(usize, Listed)>, text: &str) -> (Vec<Found>, Vec<String>) {
        let mut kubeconfigs = Kubeconfigs::default();
        kubeconfigs.add(text, "").unwrap();
        let found = found.into_iter().enumerate();
        let found = found.map(|(number, (of, listed))| (vec![of, number], Find::Cluster(listed)));
        let template = Template::parse("{cloud}/{cluster}").unwrap();
        gathered(found.collect(), &["mars", "venus"], &template, &kubeconfigs)
    }

    #[test]
    fn each_is_there_once_and_in_order() {
        let (found, notes) = all(
            vec![
                (1, listed("a", "1", "x", &[])),
                (0, listed("b", "2", "x", &[])),
                (0, listed("c", "1", "y", &[])),
                (1, listed("c", "1", "y", &[])),
            ],
            "contexts: [{name: venus/a, context: {}}, {name: mine, context: {cluster: 2/x/b/}}]",
        );
        let names: Vec<_> = found.iter().map(|found| found.context.as_str()).collect();
        assert_eq!(names, ["mars/c", "mars/b", "venus/a"]);
        let known: Vec<_> = found.iter().map(|found| found.known.as_deref()).collect();
        assert_eq!(known, [None, Some("mine"), Some("venus/a")]);
        assert!(notes.is_empty());
    }

    #[test]
    fn clusters_of_one_name_are_told_apart() {
        let with = |group: &str, role: &str| {
            listed("a", "1", "x", &[("role", role), ("resource-group", group)])
        };
        let (found, notes) = all(vec![(0, with("g", "r")), (0, with("h", "r"))], "");
        let names: Vec<_> = found.iter().map(|found| found.context.as_str()).collect();
        assert_eq!(names, ["mars/a/g", "mars/a/h"]);
        assert_eq!(
            notes,
            ["2 clusters would be called `mars/a`; behind it stands `{resource-group}`"]
        );
        let (found, _) =
            all(vec![(0, listed("a", "1", "x", &[])), (0, listed("a", "2", "x", &[]))], "");
        assert_eq!(
            found.iter().filter(|found| found.context.len() == "mars/a/12345678".len()).count(),
            2
        );
        assert_ne!(found[0].context, found[1].context);
    }
}
