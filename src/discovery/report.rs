//! What a search comes to: a table for people, JSON for programs, and what failed.

use fleetkey_provider::{Error, Kind, one_line, shown};
use serde_json::{Map, Value, json};

use super::{found::Found, queue::Failure, table::table};

/// The table, with numbers to choose by if they are wanted.
pub(crate) fn overview(found: &[Found], is_numbered: bool, width: Option<usize>) -> String {
    let mut heading = vec!["CLOUD", "ACCOUNT", "REGION", "CLUSTER", "CONTEXT", "KUBECONFIG"];
    if is_numbered {
        heading.insert(0, "#");
    }
    let row = |(number, found): (usize, &Found)| {
        let Found { cloud, account, region, cluster, context, known, taken, .. } = found;
        let there = match known {
            None if taken.is_some() => "name is taken".into(),
            None => String::new(),
            Some(name) if name == context => "there".into(),
            Some(name) => format!("there as {name}"),
        };
        let mut row: Vec<String> =
            [*cloud, account, region, cluster, context, &there].map(cell).into();
        if is_numbered {
            row.insert(0, (number + 1).to_string());
        }
        row
    };
    let rows: Vec<_> = found.iter().enumerate().map(row).collect();
    table(&heading, &rows, width)
}

/// The same for programs, and what would change, where only that was asked.
pub(crate) fn json(clusters: &[Value], failures: &[Failure], diff: Option<&str>) -> String {
    let failure = |Failure { what, why }: &Failure| json!({ "what": what, "why": why.to_string(), "next": why.next_line() });
    let mut all = json!({
        "clusters": clusters,
        "failures": failures.iter().map(failure).collect::<Vec<_>>(),
    });
    if let Some(diff) = diff {
        all["diff"] = diff.into();
    }
    format!("{all:#}\n")
}

/// Clusters, for programs.
pub(crate) fn for_programs(found: &[Found]) -> Vec<Value> {
    let cluster = |found: &Found| {
        let Found { cloud, id, cluster, account, region, labels, context, known, .. } = found;
        let labels: Map<String, Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        json!({
            "id": id, "cloud": cloud, "account": account, "region": region, "cluster": cluster,
            "context": context, "labels": labels, "known": known,
        })
    };
    found.iter().map(cluster).collect()
}

/// What failed, a line for each and one to type next.
pub(crate) fn failed(failures: &[Failure]) -> String {
    let line = |Failure { what, why }: &Failure| {
        let what = format!("not looked at: {what}: {why}");
        let next = why.next_line().map(|next| format!("  next, type: {next}"));
        [Some(what), next].into_iter().flatten().map(|line| one_line(&line) + "\n")
    };
    failures.iter().flat_map(line).collect()
}

/// What to fail with where nothing came of it and not all was well; none if there is nothing that failed.
/// Whether all of it is of one kind decides who has to act.
pub(crate) fn nothing(what: &str, failures: &[Failure]) -> Option<Error> {
    let first = failures.first()?;
    if failures.len() == 1 {
        return Some(first.why.clone());
    }
    let kind = first.why.kind();
    let is_one = failures.iter().all(|failure| failure.why.kind() == kind);
    let kind = if is_one { kind } else { Kind::Failed };
    let error = Error::new(kind, format!("{what}, and {} questions failed", failures.len()))
        .because("each of them is said above");
    Some(match failures.iter().find_map(|failure| failure.why.next_line()) {
        Some(next) => error.next(next),
        None => error,
    })
}

fn cell(text: &str) -> String {
    shown(text)
}
