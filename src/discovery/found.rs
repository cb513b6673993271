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
    /// The other cluster that the context of that name leads to.
    pub(crate) taken: Option<String>,
    /// Finds out how it is reached.
    pub(crate) detail: Box<dyn Errand>,
}

/// What the kubeconfigs have already.
#[derive(Debug, Default)]
pub(crate) struct Kubeconfigs {
    /// Contexts, and where each leads.
    contexts: BTreeMap<String, Way>,
}

/// Where a context leads, and as whom.
#[derive(Debug)]
struct Way {
    cluster: String,
    user: String,
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
            let text = |key| document.text(&context, key).unwrap_or_default().to_owned();
            let way = Way { cluster: text("cluster"), user: text("user") };
            self.contexts.entry(context.name.to_owned()).or_insert(way);
        }
        Ok(())
    }

    /// The context that leads to each of these, by the names that theirs are to have, or else the other
    /// cluster that the context of that name leads to.
    fn known(&self, listed: &[Listed], names: &[String]) -> Vec<(Option<String>, Option<String>)> {
        let one = |(listed_one, name): (&Listed, &String)| {
            let way = self.contexts.get(name);
            match way {
                Some(way) if way.cluster.is_empty() || way.is_own(listed_one, name) => {
                    return (Some(name.clone()), None);
                }
                _ => {}
            }
            // where two have the same names in their own accounts, neither is meant for sure
            let is_alone =
                listed.iter().filter(|other| are_called_alike(other, listed_one)).count() < 2;
            let known = self.contexts.iter().find(|(other, way)| {
                way.cluster == listed_one.id
                    || is_alone && !names.contains(other) && way.is_as_the_clouds(listed_one)
            });
            let known = known.map(|(name, _)| name.clone());
            let taken = way.filter(|_| known.is_none()).map(|way| way.cluster.clone());
            (known, taken)
        };
        listed.iter().zip(names).map(one).collect()
    }
}

impl Way {
    /// Whether a context of the name that it is to have leads to that cluster.
    fn is_own(&self, listed: &Listed, name: &str) -> bool {
        let user = listed.user.as_ref().unwrap_or(&listed.id);
        let is_its_user = self.user == name || self.user.eq_ignore_ascii_case(user);
        self.cluster == listed.id
            || is_its_user
                && (self.cluster == name || listed.user.is_some() && self.cluster == listed.cluster)
    }

    /// Whether it is as the cloud's own tool would write it for that cluster.
    fn is_as_the_clouds(&self, Listed { cluster, user, .. }: &Listed) -> bool {
        let is_user = |user: &String| self.user.eq_ignore_ascii_case(user);
        self.cluster == *cluster && user.as_ref().is_some_and(is_user)
    }
}

fn are_called_alike(one: &Listed, other: &Listed) -> bool {
    one.cluster == other.cluster
        && one
            .user
            .as_ref()
            .zip(other.user.as_ref())
            .is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
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
    let (clouds, listed): (Vec<_>, Vec<_>) = listed.into_iter().unzip();
    let known = kubeconfigs.known(&listed, &names);
    let all = clouds.into_iter().zip(listed).zip(names.into_iter().zip(known));
    let found = all.map(|((cloud, listed), (context, (known, taken)))| {
        let Listed { id, cluster, account, region, labels, user: _, detail } = listed;
        Found { cloud, id, cluster, account, region, labels, context, known, taken, detail }
    });
    (found.collect(), notes)
}

/// A name for each, no two the same. Those that the template names alike get something of their own
/// behind it, which does not depend on what else is found.
fn distinct(listed: &[(&'static str, Listed)], template: &Template) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<String> =
        listed.iter().map(|(cloud, listed)| template.name(cloud, listed)).collect();
    let mut notes = Vec::new();
    // a longer name may be another one's: then both are lengthened again
    for round in 1..=ROUNDS {
        if !lengthen(&mut names, listed, round, &mut notes) {
            break;
        }
    }
    (names, notes)
}

/// Puts something behind the names that are alike. Answers whether there were any.
fn lengthen(
    names: &mut [String],
    listed: &[(&'static str, Listed)],
    round: usize,
    notes: &mut Vec<String>,
) -> bool {
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        alike.entry(name.clone()).or_default().push(index);
    }
    alike.retain(|_, indices| indices.len() > 1);
    let is_any = !alike.is_empty();
    for (name, indices) in alike {
        let of = |index: &usize| &listed[*index].1;
        let label = LABELS.into_iter().find(|label| {
            let values: Vec<_> = indices.iter().map(|index| label_of(of(index), label)).collect();
            let is_alone = |at: usize| !values[at + 1..].contains(&values[at]);
            values.iter().all(Option::is_some) && (0..values.len()).all(is_alone)
        });
        for index in &indices {
            let own = label.and_then(|label| label_of(of(index), label)).map_or_else(
                || Fingerprint::of(of(index).id.as_bytes()).to_string()[..8 * round].to_owned(),
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
    is_any
}

/// How often names are lengthened at most; with the last one, a whole hash stands behind them.
const ROUNDS: usize = 8;

/// What tells two clusters of one account, region and name apart, the shortest first.
const LABELS: [&str; 6] =
    ["resource-group", "role", "profile", "account-id", "subscription-id", "tenant"];

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

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
            user: None,
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

    #[test]
    fn a_lengthened_name_that_was_anothers_is_lengthened_again() {
        let of =
            |cluster: &str, group: &str| listed(cluster, "1", "x", &[("resource-group", group)]);
        let (found, _) = all(vec![(0, of("a", "g")), (0, of("a", "h")), (0, of("a/g", "i"))], "");
        let names: BTreeSet<_> = found.iter().map(|found| found.context.as_str()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }

    fn called(account: &str, cluster: &str, user: &str) -> Listed {
        Listed { user: Some(user.into()), ..listed(cluster, account, "x", &[]) }
    }

    #[test]
    fn what_the_clouds_own_tool_added_is_known_but_not_if_two_may_be_meant() {
        let text = "contexts: [{name: mine, context: {cluster: a, user: U_a}}]";
        let (found, _) = all(vec![(0, called("1", "a", "u_a"))], text);
        assert_eq!(found[0].known.as_deref(), Some("mine"));
        let (found, _) = all(vec![(0, called("1", "a", "u_b"))], text);
        assert_eq!((&found[0].known, &found[0].taken), (&None, &None));
        let (found, _) =
            all(vec![(0, called("1", "a", "u_a")), (0, called("2", "a", "u_a"))], text);
        assert!(found.iter().all(|found| found.known.is_none()));
    }

    #[test]
    fn a_context_of_the_name_that_leads_elsewhere_is_a_taken_name_and_not_there_already() {
        let text = "contexts: [{name: mars/a, context: {cluster: other, user: u_a}}]";
        for listed in [called("1", "a", "u_a"), listed("a", "1", "x", &[])] {
            let (found, _) = all(vec![(0, listed)], text);
            assert_eq!(
                (found[0].known.as_deref(), found[0].taken.as_deref()),
                (None, Some("other"))
            );
        }
    }
}
