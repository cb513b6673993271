//! How the two files of profiles are read: the cases that all of AWS's SDKs share.
//!
//! An empty value is recorded as empty, and is one that is not there for us.

use std::collections::BTreeSet;

use fleetkey_aws::replay::{profile_names, profile_value, sso_session_value};
use fleetkey_provider::{
    Host, Result,
    testing::{StaticEnv, StaticFiles},
};
use serde_json::{Map, Value};

use crate::Set;

#[test]
fn grammar() {
    let Some((mut set, data)) = Set::open("grammar", "aws/profile-parser-tests.json") else {
        return;
    };
    for case in data["tests"].as_array().unwrap() {
        check(case);
        set.ran();
    }
    set.finish();
}

fn check(case: &Value) {
    let input = case["input"].as_object().unwrap();
    let file = |key: &str, path: &str| {
        input.get(key).map(|text| (path.to_owned(), text.as_str().unwrap().to_owned()))
    };
    let files = [
        file("configFile", "/home/.aws/config"),
        file("credentialsFile", "/home/.aws/credentials"),
    ];
    let host = Host {
        env: Box::new(StaticEnv::new([("HOME", "/home")])),
        files: Box::new(StaticFiles::new(files.into_iter().flatten())),
        ..Host::refusing()
    };
    let found = profile_names(&host);
    if let Some(expected) = case["output"].get("errorContaining") {
        let error = found.expect_err(&case.to_string()).to_string();
        let expected = expected.as_str().unwrap();
        assert!(error.to_lowercase().contains(&expected.to_lowercase()), "{error}\n{case}");
        return;
    }
    let config = &case["output"]["config"];
    let none = Map::new();
    let profiles = config["profiles"].as_object().unwrap();
    let sessions = config["sso_sessions"].as_object().unwrap_or(&none);
    let found: BTreeSet<String> = found.unwrap().into_iter().collect();
    assert_eq!(found, profiles.keys().cloned().collect(), "{case}");
    for (name, expected) in profiles {
        values(case, expected, |key| profile_value(&host, name, key));
    }
    for (name, expected) in sessions {
        values(case, expected, |key| Ok(sso_session_value(&host, name, key)?.expect(name)));
    }
    for name in names(case).filter(|name| !sessions.contains_key(*name)) {
        assert_eq!(sso_session_value(&host, name, "name").unwrap(), None, "{case}");
    }
}

/// Every key that stands anywhere in the case has the value it should, or none.
fn values(case: &Value, expected: &Value, found: impl Fn(&str) -> Result<Option<String>>) {
    for key in keys(case).chain(expected.as_object().unwrap().keys().map(String::as_str)) {
        let expected = expected.get(key.to_lowercase()).map(|value| value.as_str().unwrap());
        let found = found(key).unwrap();
        assert_eq!(found.as_deref(), expected.filter(|value| !value.is_empty()), "{key}: {case}");
    }
}

fn keys(case: &Value) -> impl Iterator<Item = &str> {
    lines(case).filter_map(|line| Some(line.split_once('=')?.0.trim()))
}

fn names(case: &Value) -> impl Iterator<Item = &str> {
    lines(case).filter_map(|line| line.trim().strip_suffix(']')?.split_whitespace().last())
}

fn lines(case: &Value) -> impl Iterator<Item = &str> {
    case["input"].as_object().unwrap().values().flat_map(|text| text.as_str().unwrap().lines())
}
