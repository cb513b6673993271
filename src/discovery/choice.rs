//! Which of the clusters that were found are meant: by patterns, or as a person types it.

use std::collections::BTreeSet;

use fleetkey_provider::{Error, Result, shown};

/// A pattern of a name: `*` stands for any text, `?` for one character.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<char>);

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// Whether that name is like this.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (&self.0, name.chars().collect::<Vec<_>>());
        let (mut at, mut of) = (0, 0);
        // where the last `*` was, and how much of the name it stands for
        let mut star: Option<(usize, usize)> = None;
        while of < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, of));
                    at += 1;
                }
                Some(c) if *c == '?' || *c == name[of] => {
                    at += 1;
                    of += 1;
                }
                _ => {
                    let Some((before, taken)) = star else { return false };
                    star = Some((before, taken + 1));
                    (at, of) = (before + 1, taken + 1);
                }
            }
        }
        pattern[at..].iter().all(|c| *c == '*')
    }
}

/// What a person typed.
#[derive(Debug)]
pub(crate) struct Choice {
    numbers: BTreeSet<usize>,
    patterns: Vec<Pattern>,
    is_all: bool,
}

impl Choice {
    /// Numbers up to that one, ranges of them (`1-3`), patterns and `all`, with commas or spaces in
    /// between. Errors on a number that nothing has.
    pub(crate) fn parse(line: &str, last: usize) -> Result<Self> {
        let mut choice = Self { numbers: BTreeSet::new(), patterns: Vec::new(), is_all: false };
        let words = line.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        for word in words {
            let number = |text: &str| text.parse::<usize>().ok();
            let range = match word.split_once('-') {
                Some((from, to)) => number(from).zip(number(to)),
                None => number(word).map(|number| (number, number)),
            };
            match range {
                _ if word == "all" => choice.is_all = true,
                Some((from, to)) if 1 <= from && from <= to && to <= last => {
                    choice.numbers.extend(from..=to);
                }
                Some(_) => {
                    return Err(Error::config(format!("there is no `{}`", shown(word)))
                        .because(format!("the clusters have the numbers 1 to {last}")));
                }
                None => choice.patterns.push(Pattern::new(word)),
            }
        }
        Ok(choice)
    }

    /// The patterns that none of these names is like.
    pub(crate) fn like_none_of(&self, names: &[&str]) -> impl Iterator<Item = String> {
        let is_like_none = |pattern: &&Pattern| !names.iter().any(|name| pattern.matches(name));
        self.patterns.iter().filter(is_like_none).map(|pattern| pattern.0.iter().collect())
    }

    /// Whether the one of that number and those names is meant.
    pub(crate) fn has(&self, number: usize, names: &[&str]) -> bool {
        let is_like = |pattern: &Pattern| names.iter().any(|name| pattern.matches(name));
        self.is_all || self.numbers.contains(&number) || self.patterns.iter().any(is_like)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, yes, no) in [
            ("prod", &["prod"][..], &["prods", "Prod", ""][..]),
            ("prod-*", &["prod-", "prod-a-b"], &["prod", "xprod-a"]),
            ("*", &["", "x"], &[]),
            ("*-*-b", &["a-c-b", "--b", "a-b-b-b"], &["a-b"]),
            ("a?c", &["abc", "aéc"], &["ac", "abbc"]),
            ("*a*a*", &["aa", "xaxax"], &["a"]),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(yes.iter().all(|name| pattern.matches(name)), "{pattern:?}");
            assert!(!no.iter().any(|name| pattern.matches(name)), "{pattern:?}");
        }
        let slow = Pattern::new(&"*a".repeat(50));
        assert!(!slow.matches(&"a".repeat(49)));
    }

    #[test]
    fn a_person_types_numbers_ranges_patterns_and_all() {
        let chosen = |line: &str| -> Vec<usize> {
            let choice = Choice::parse(line, 5).unwrap();
            let names = ["", "a-1", "a-2", "b", "2-4", "e"];
            (1..=5).filter(|number| choice.has(*number, &[names[*number]])).collect()
        };
        assert_eq!(chosen("1-3,5"), [1, 2, 3, 5]);
        assert_eq!(chosen(" 2  a-* "), [1, 2]);
        assert_eq!(chosen("all"), [1, 2, 3, 4, 5]);
        assert!(chosen("").is_empty());
        for wrong in ["0", "6", "3-2", "4-6"] {
            assert!(Choice::parse(wrong, 5).is_err(), "{wrong}");
        }
    }
}
