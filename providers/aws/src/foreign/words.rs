//! A question in our own words: flags of `get-token aws`, by name.
//!
//! What other programs' command lines, variables and somebody's overrides say is put together here
//! and written out once. Values are text and stay what they are; only what could be no value at all
//! is refused, since it would end up in a kubeconfig and on terminals.

use fleetkey_provider::{Result, Rule};

/// Flags and their values; of a switch, none. In the order in which they are written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Words(Vec<(String, Option<String>)>);

impl Words {
    /// This flag has that value and no other, if there is one.
    pub(super) fn set(&mut self, name: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.remove(name);
            self.add(name, Some(value.into()));
        }
    }

    /// This switch is on.
    pub(super) fn switch_on(&mut self, name: &str) {
        self.remove(name);
        self.add(name, None);
    }

    /// One more of this flag.
    pub(super) fn add(&mut self, name: &str, value: Option<String>) {
        self.0.push((name.to_owned(), value));
    }

    /// This flag is not there.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(flag, _)| flag != name);
    }

    /// Whether this flag is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(flag, _)| flag == name)
    }

    /// And these.
    pub(super) fn append(&mut self, Self(mut more): Self) {
        self.0.append(&mut more);
    }

    /// The flags that are there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// In the order of these flags; what is not among them comes last.
    pub(super) fn sort_like(&mut self, names: &[&str]) {
        self.0.sort_by_key(|(flag, _)| {
            names.iter().position(|name| name == flag).unwrap_or(usize::MAX)
        });
    }

    /// As arguments. A value that would be taken for a flag is written into one word with its own.
    pub(super) fn into_args(self) -> Result<Vec<String>> {
        let mut args = Vec::with_capacity(self.0.len() * 2);
        for (name, value) in self.0 {
            let flag = format!("--{name}");
            match value {
                None => args.push(flag),
                Some(value) => {
                    TEXT.check(&format!("`{flag}`"), &value)?;
                    if value.starts_with('-') || value.is_empty() {
                        args.push(format!("{flag}={value}"));
                    } else {
                        args.extend([flag, value]);
                    }
                }
            }
        }
        Ok(args)
    }
}

/// Anything that is one line of text.
const TEXT: Rule = Rule {
    what: "text",
    min: 0,
    max: usize::MAX,
    allows: |_| true,
    allowed: "printable characters",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_written_in_one_order_and_the_last_value_counts() {
        let mut words = Words::default();
        words.set("region", Some("a"));
        words.set("cluster-name", Some("c"));
        words.set("region", Some("b"));
        words.set("region", None::<String>);
        words.switch_on("other");
        words.sort_like(&["cluster-name", "region"]);
        assert!(words.has("region") && !words.has("profile"));
        assert_eq!(words.into_args().unwrap(), ["--cluster-name", "c", "--region", "b", "--other"]);
    }

    #[test]
    fn a_value_never_becomes_a_flag() {
        let mut words = Words::default();
        words.set("profile", Some("--no-cache"));
        words.set("region", Some(""));
        assert_eq!(words.into_args().unwrap(), ["--profile=--no-cache", "--region="]);
    }

    #[test]
    fn what_moves_a_cursor_is_no_value() {
        for bad in ["a\nb", "\u{1b}[2J", "a\0", "\u{202e}"] {
            let mut words = Words::default();
            words.set("cluster-name", Some(bad));
            let error = words.into_args().unwrap_err().to_string();
            assert!(error.starts_with("`--cluster-name` is not text"), "{error}");
            assert!(!error.chars().any(|c| c.is_control() || c == '\u{202e}'), "{error:?}");
        }
    }
}
