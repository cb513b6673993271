//! What no flag says, as the cluster's exec extension in the kubeconfig has it, under the flag's name.

use fleetkey_provider::{Error, ExecInfo, Result};
use serde_json::Value;

use super::Chosen;

/// The flag's value, else the extension's.
pub(super) fn chosen(flag: Option<String>, name: &str, exec: &ExecInfo) -> Result<Option<Chosen>> {
    if let Some(value) = flag {
        return Ok(Some(Chosen { value, from: format!("`--{name}`") }));
    }
    let Some((value, from)) = found(name, exec) else { return Ok(None) };
    match value.as_str() {
        Some(value) => Ok(Some(Chosen { value: value.to_owned(), from })),
        None => Err(Error::config(format!("{from} is not text")).because("it has to be a string")),
    }
}

/// All values of the flag, else those in the extension's list. A flag takes the place of the list.
pub(super) fn all_chosen(flags: Vec<String>, name: &str, exec: &ExecInfo) -> Result<Vec<Chosen>> {
    if !flags.is_empty() {
        let flag = |value| Chosen { value, from: format!("`--{name}`") };
        return Ok(flags.into_iter().map(flag).collect());
    }
    let Some((value, from)) = found(name, exec) else { return Ok(Vec::new()) };
    let texts = value.as_array().and_then(|list| {
        let text = |item: &Value| Some(Chosen { value: item.as_str()?.into(), from: from.clone() });
        list.iter().map(text).collect::<Option<Vec<_>>>()
    });
    texts.ok_or_else(|| {
        Error::config(format!("{from} is not a list of texts"))
            .because("it has to be an array of strings")
    })
}

/// Who switched this on, if somebody did.
pub(super) fn switched(flag: bool, name: &str, exec: &ExecInfo) -> Result<Option<String>> {
    if flag {
        return Ok(Some(format!("`--{name}`")));
    }
    let Some((value, from)) = found(name, exec) else { return Ok(None) };
    match value.as_bool() {
        Some(is_on) => Ok(is_on.then_some(from)),
        None => Err(Error::config(format!("{from} is neither true nor false"))
            .because("it has to be a boolean")),
    }
}

/// What the extension has under that name, and what an error would call it.
fn found<'a>(name: &str, exec: &'a ExecInfo) -> Option<(&'a Value, String)> {
    let value = exec.cluster.as_ref()?.config.get(name)?;
    Some((value, format!("`spec.cluster.config.{name}`")))
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::ClusterInfo;
    use serde_json::json;

    use super::*;

    fn exec(config: &Value) -> ExecInfo {
        let config = config.as_object().cloned().unwrap_or_default();
        let cluster = Some(ClusterInfo { config, ..ClusterInfo::default() });
        ExecInfo { cluster, ..ExecInfo::default() }
    }

    #[test]
    fn a_flag_takes_the_place_of_the_whole_list() {
        let exec = exec(&json!({"via-role": ["a", "b"]}));
        let values = |flags: &[&str]| -> Vec<String> {
            let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
            let all = all_chosen(flags, "via-role", &exec).unwrap();
            all.into_iter().map(|one| one.value).collect()
        };
        assert_eq!(values(&[]), ["a", "b"]);
        assert_eq!(values(&["c"]), ["c"]);
        assert!(all_chosen(Vec::new(), "other", &exec).unwrap().is_empty());
    }

    #[test]
    fn a_switch_is_on_by_flag_or_by_true() {
        let from = |flag, config| switched(flag, "on", &exec(&config)).unwrap();
        assert_eq!(from(true, json!({"on": false})).as_deref(), Some("`--on`"));
        assert_eq!(from(false, json!({"on": true})).as_deref(), Some("`spec.cluster.config.on`"));
        assert_eq!(from(false, json!({"on": false})), None);
        assert_eq!(from(false, json!({})), None);
    }

    #[test]
    fn what_is_of_another_kind_is_named() {
        let exec = exec(&json!({"a": "x", "b": ["x", 7], "c": 1}));
        for (error, words) in [
            (all_chosen(Vec::new(), "a", &exec).unwrap_err(), "config.a` is not a list of texts"),
            (all_chosen(Vec::new(), "b", &exec).unwrap_err(), "config.b` is not a list of texts"),
            (switched(false, "a", &exec).unwrap_err(), "config.a` is neither true nor false"),
            (chosen(None, "c", &exec).unwrap_err(), "config.c` is not text"),
        ] {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
