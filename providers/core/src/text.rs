//! Text from outside: what may pass into a key, a header, a file name or a terminal.

use crate::{Error, Result};

/// What a value may look like, checked once, where it enters; the error names where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What the value is, for the error: `a region`, `a role's ARN`.
    pub what: &'static str,
    /// The shortest value, in bytes.
    pub min: usize,
    /// The longest value, in bytes.
    pub max: usize,
    /// Which characters may stand in it.
    pub allows: fn(char) -> bool,
    /// The same in words, for the error.
    pub allowed: &'static str,
}

impl Rule {
    /// The value, if it is one. `from` names the flag, variable or file it came from.
    pub fn check(&self, from: &str, value: &str) -> Result<()> {
        let cause = if value.len() < self.min {
            format!("it is shorter than {}", characters(self.min))
        } else if value.len() > self.max {
            format!("it is longer than {}", characters(self.max))
        } else if let Some(bad) = value.chars().find(|c| is_control(*c) || !(self.allows)(*c)) {
            format!("`{}` may not stand in it, only {}", bad.escape_debug(), self.allowed)
        } else {
            return Ok(());
        };
        Err(Error::config(format!("{from} is not {}: `{}`", self.what, shown(value)))
            .because(cause))
    }
}

/// Text as it may be put on a terminal: control and bidirectional characters escaped, long text cut.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| {
            let escaped: Box<dyn Iterator<Item = char>> = if is_control(c) {
                Box::new(c.escape_unicode())
            } else {
                Box::new(std::iter::once(c))
            };
            escaped
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

/// Text on one line that moves no cursor, whatever it was made of; nothing is cut.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_control(c) { ' ' } else { c }).collect()
}

/// A word as it can be pasted into a shell: quoted if a shell would read more into it than its
/// letters. Control characters are escaped first, so what is pasted does nothing unseen.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        word.to_owned()
    } else {
        let visible: String = word.chars().map(|c| if is_control(c) { '?' } else { c }).collect();
        format!("'{}'", visible.replace('\'', r"'\''"))
    }
}

/// C0, DEL, C1, line and paragraph separators, and the characters that turn text around.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

fn characters(n: usize) -> String {
    if n == 1 { "1 character".into() } else { format!("{n} characters") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Rule = Rule {
        what: "a name",
        min: 1,
        max: 4,
        allows: |c| c.is_ascii_alphanumeric() || c == '\n',
        allowed: "letters and digits",
    };

    #[test]
    fn the_error_names_the_flag_and_the_reason() {
        let error = NAME.check("`--name`", "a b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--name` is not a name: `a b`: ` ` may not stand in it, only letters and digits"
        );
        assert!(
            NAME.check("`--name`", "")
                .unwrap_err()
                .to_string()
                .contains("shorter than 1 character")
        );
        assert!(
            NAME.check("`--name`", "abcde")
                .unwrap_err()
                .to_string()
                .contains("longer than 4 characters")
        );
        assert!(NAME.check("`--name`", "abcd").is_ok());
    }

    #[test]
    fn control_characters_never_pass_and_never_reach_a_terminal() {
        for bad in ["a\n", "a\u{1b}", "a\u{7f}", "a\u{85}", "a\u{202e}", "a\0"] {
            let error = NAME.check("`--name`", bad).unwrap_err().to_string();
            assert!(!error.chars().any(is_control), "{error:?}");
        }
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 201);
    }

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(quoted("prod/eu.1"), "prod/eu.1");
        assert_eq!(quoted("my prod"), "'my prod'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted("-x"), "'-x'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\nrm"), "'a?rm'");
    }
}
