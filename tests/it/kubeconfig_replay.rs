//! The kubeconfigs of `aws eks update-kubeconfig`'s own tests, added to as it adds to them. The data is
//! not part of this repository: where it is absent, that is said.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use fleetkey::replay::{added, value};
use serde_json::Value;

use crate::support::say;

/// What is added to each, and what it has to mean then.
const WANTED: [(&str, &str); 6] = [
    ("valid_empty_existing", "output_single"),
    ("valid_existing", "output_combined"),
    ("valid_changed_ordering", "output_combined"),
    ("valid_old_api_version", "valid_old_api_version_updated"),
    ("output_single", "output_single"),
    ("output_combined", "output_combined"),
];
/// Those without an output of their own: what they say stays, and the entries come behind.
const BEHIND: [&str; 5] = [
    "valid_bad_cluster",
    "valid_no_cluster",
    "valid_no_context",
    "valid_no_current_context",
    "valid_null_user",
];
/// Refused, and where.
const REFUSED: [(&str, usize); 2] = [("invalid_string_clusters", 2), ("invalid_text", 1)];
/// An output alone.
const OUTPUT: &str = "valid_old_api_version_updated";

const NAME: &str = "arn:aws:eks:region:111222333444:cluster/ExampleCluster";

#[test]
fn clusters_are_added_as_aws_adds_them() {
    let Some(folder) = folder() else {
        return say("replayed update-kubeconfig: skipped, its data is not on this machine");
    };
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let [cluster, user] = ["clusters", "users"].map(|list| {
        let single = value(&read("output_single")).unwrap();
        let key = list.trim_end_matches('s');
        single[list][0][key].clone()
    });
    let add = |name: &str| added(&read(name), name, NAME, cluster.clone(), user.clone());
    let mut replayed = BTreeSet::from([OUTPUT]);
    for (input, output) in WANTED {
        let new = add(input).unwrap();
        assert_eq!(value(&new).unwrap(), value(&read(output)).unwrap(), "{input}");
        replayed.insert(input);
    }
    for input in BEHIND {
        let mut wanted = value(&read(input)).unwrap();
        let single = value(&read("output_single")).unwrap();
        for list in ["clusters", "contexts", "users"] {
            let mut items = wanted[list].as_array().cloned().unwrap_or_default();
            items.push(single[list][0].clone());
            wanted[list] = Value::Array(items);
        }
        wanted["current-context"] = NAME.into();
        let new = add(input).unwrap();
        assert_eq!(value(&new).unwrap(), wanted, "{input}");
        replayed.insert(input);
    }
    for (input, line) in REFUSED {
        let error = add(input).unwrap_err();
        assert_eq!(error.message(), format!("`{input}` is not a kubeconfig, line {line}"));
        replayed.insert(input);
    }
    let all = fs::read_dir(&folder).unwrap();
    let all: BTreeSet<String> =
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(all.iter().map(String::as_str).eq(replayed), "{all:?}");
    say(&format!("replayed update-kubeconfig: {}", all.len()));
}

fn folder() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = env::var_os("FLEETKEY_FIXTURES")
        .map_or_else(|| root.join("../shared/fixtures"), PathBuf::from);
    Some(folder.join("aws/update-kubeconfig")).filter(|folder| folder.is_dir())
}
