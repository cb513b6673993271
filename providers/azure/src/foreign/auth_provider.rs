//! Users with `auth-provider: azure`, which kubectl has not known since 1.26.
//!
//! The tokens that it kept there are left behind: somebody signs in once more, and what comes of
//! that is sealed.

use std::collections::BTreeMap;

use super::{
    adopt::Found,
    flags::{self, Values},
    kubelogin_line::DEFAULT_LOGIN,
};

/// The provider's name.
pub(super) const NAME: &str = "azure";

/// Its settings that are flags under another name, or the same.
pub(super) const SETTINGS: [(&str, &str); 4] = [
    ("apiserver-id", flags::SERVER_ID),
    ("tenant-id", "tenant-id"),
    ("client-id", flags::CLIENT_ID),
    ("environment", flags::ENVIRONMENT),
];

/// Its settings that were tokens.
pub(super) const TOKENS: [&str; 2] = ["access-token", "refresh-token"];

/// Understands one.
pub(super) fn read(config: &BTreeMap<String, String>) -> Found {
    let mut values = Values::from([(flags::LOGIN, DEFAULT_LOGIN.to_owned())]);
    for (setting, flag) in SETTINGS {
        if let Some(value) = config.get(setting) {
            values.insert(flag, value.clone());
        }
    }
    if is_legacy(config) {
        values.insert("legacy", "true".to_owned());
    }
    let mut notes = Vec::new();
    if TOKENS.iter().any(|token| config.get(*token).is_some_and(|token| !token.is_empty())) {
        notes.push("the tokens in `auth-provider` are not taken over: sign in once".to_owned());
    }
    Found { values, env: Vec::new(), notes }
}

/// Whether tokens of the v1 endpoint are wanted, whose audience begins with `spn:`.
pub(super) fn is_legacy(config: &BTreeMap<String, String>) -> bool {
    config.get("config-mode").is_none_or(|mode| mode.is_empty() || mode == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &[(&str, &str)]) -> Found {
        read(&config.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn the_mode_says_which_endpoint_is_asked() {
        for (config, is_legacy) in [
            (&[][..], true),
            (&[("config-mode", "")], true),
            (&[("config-mode", "0")], true),
            (&[("config-mode", "1")], false),
        ] {
            assert_eq!(flags::is_on(&found(config).values, "legacy"), is_legacy, "{config:?}");
        }
    }

    #[test]
    fn no_token_is_copied_anywhere() {
        let found = found(&[
            ("apiserver-id", "s"),
            ("access-token", "hunter2"),
            ("refresh-token", "hunter2"),
            ("expires-on", "1"),
        ]);
        assert_eq!(flags::filled(&found.values, flags::SERVER_ID), Some("s"));
        assert!(found.values.values().chain(&found.notes).all(|text| !text.contains("hunter2")));
        assert_eq!((found.notes.len(), found.env.len()), (1, 0));
    }
}
