//! A form as the token endpoint takes it.

use std::fmt;

use url::form_urlencoded::Serializer;

/// Fields, each once, in the order they were added. Debug shows their names alone.
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<(&'static str, String)>, Option<String>);

impl Form {
    /// One with that grant.
    pub(crate) fn grant(grant_type: &str) -> Self {
        Self::default().with("grant_type", grant_type)
    }

    /// With that field, in place of one of the same name.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
        self
    }

    /// With that field, if there is a value.
    #[must_use]
    pub(crate) fn maybe(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With the mailbox of whoever asks. It is a header, by which Entra finds the region that knows
    /// them (as MSAL sends it with each refresh token).
    #[must_use]
    pub(crate) fn anchored(mut self, mailbox: String) -> Self {
        self.1 = Some(mailbox);
        self
    }

    /// The mailbox of whoever asks.
    pub(super) fn mailbox(&self) -> Option<&str> {
        self.1.as_deref()
    }

    /// A field's value.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The values that nobody may see.
    pub(super) fn secrets(&self) -> Vec<&str> {
        SECRET.iter().filter_map(|name| self.value(name)).collect()
    }

    /// What it is for, for a note.
    pub(super) fn purpose(&self) -> &str {
        self.value("grant_type").unwrap_or("a code")
    }

    /// The fields.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// As it goes over the wire.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        let mut out = Serializer::new(String::new());
        for (name, value) in &self.0 {
            out.append_pair(name, value);
        }
        out.finish().into_bytes()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Every field that carries what is worth stealing.
const SECRET: &[&str] = &[
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "password",
    "refresh_token",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stands_once_and_is_encoded() {
        let form = Form::grant("a").with("scope", "x y").with("grant_type", "b&c");
        assert_eq!(form.encoded(), b"scope=x+y&grant_type=b%26c");
        assert_eq!(form.clone().maybe("z", None).encoded(), form.encoded());
    }

    #[test]
    fn no_value_shows_in_debug_and_secrets_are_known() {
        let form = Form::grant("password").with("password", "hunter2").with("username", "me");
        assert_eq!(format!("{form:?}"), r#"["grant_type", "password", "username"]"#);
        assert_eq!(form.secrets(), ["hunter2"]);
        for name in [
            "client_assertion",
            "client_secret",
            "code",
            "code_verifier",
            "device_code",
            "password",
            "refresh_token",
        ] {
            assert_eq!(Form::default().with(name, "hunter2").secrets(), ["hunter2"], "{name}");
        }
    }
}
