//! The grammar of Python's `argparse`, as far as `aws` makes use of it.
//!
//! `aws` has one parser behind the other: each takes the flags it knows, wherever they stand, and
//! leaves the rest to the next. A flag may be shortened to any prefix that only one flag *of that
//! parser* has, which is how `aws eks update-kubeconfig` itself comes to write `--role`.

use fleetkey_provider::{Error, Result, shown};

/// A flag that a parser knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    /// Its name, without dashes.
    pub(super) name: &'static str,
    /// Whether a value follows.
    pub(super) takes_value: bool,
}

/// What a parser made of its words.
#[derive(Debug, Default)]
pub(super) struct Parsed<'a> {
    /// The flags it knows, in order; without a value where none is taken.
    pub(super) flags: Vec<(&'static str, Option<&'a str>)>,
    /// The words it does not know, in order.
    pub(super) rest: Vec<&'a str>,
}

impl<'a> Parsed<'a> {
    /// The last value of that flag.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.flags.iter().rev().find(|(flag, _)| *flag == name).and_then(|(_, value)| *value)
    }

    /// Whether that flag was there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == name)
    }

    /// Takes the first word that is no flag out of the rest.
    pub(super) fn take_word(&mut self) -> Option<&'a str> {
        let at = self.rest.iter().position(|word| !is_like_a_flag(word))?;
        Some(self.rest.remove(at))
    }
}

/// Parses words with that parser.
pub(super) fn parse<'a>(
    words: impl IntoIterator<Item = &'a str>,
    known: &[Flag],
) -> Result<Parsed<'a>> {
    let mut parsed = Parsed::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.rest.extend(words);
            break;
        }
        let Some((flag, attached)) = find(word, known)? else {
            parsed.rest.push(word);
            continue;
        };
        let value = match (flag.takes_value, attached) {
            (false, None) => None,
            (false, Some(_)) => {
                return Err(Error::config(format!("`--{}` takes no value", flag.name)));
            }
            (true, Some(value)) => Some(value),
            (true, None) => match words.next_if(|word| !is_like_a_flag(word)) {
                Some(value) => Some(value),
                None => return Err(Error::config(format!("`--{}` needs a value", flag.name))),
            },
        };
        parsed.flags.push((flag.name, value));
    }
    Ok(parsed)
}

/// The flag that a word is, by its name or a prefix, and the value that hangs on it.
fn find<'a>(word: &'a str, known: &[Flag]) -> Result<Option<(Flag, Option<&'a str>)>> {
    let Some(text) = word.strip_prefix("--") else { return Ok(None) };
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let found: Vec<Flag> = match known.iter().find(|flag| flag.name == name) {
        Some(flag) => vec![*flag],
        None => known.iter().copied().filter(|flag| flag.name.starts_with(name)).collect(),
    };
    match found[..] {
        [] => Ok(None),
        [flag] => Ok(Some((flag, value))),
        _ => {
            let names: Vec<_> = found.iter().map(|flag| format!("`--{}`", flag.name)).collect();
            Err(Error::config(format!("`--{}` is ambiguous", shown(name)))
                .because(format!("it could mean {}", names.join(" or "))))
        }
    }
}

/// Whether `argparse` would take a word for a flag that it may not know.
fn is_like_a_flag(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else { return false };
    let is_number = || {
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(fraction) && !fraction.is_empty()
    };
    !rest.is_empty() && !word.contains(' ') && !is_number()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Flag] = &[
        Flag { name: "region", takes_value: true },
        Flag { name: "cluster-name", takes_value: true },
        Flag { name: "cluster-id", takes_value: true },
        Flag { name: "debug", takes_value: false },
        Flag { name: "debug-more", takes_value: false },
    ];

    fn parsed(line: &[&'static str]) -> Parsed<'static> {
        parse(line.iter().copied(), KNOWN).unwrap()
    }

    #[test]
    fn flags_stand_anywhere_and_in_every_spelling() {
        let all = parsed(&["--re", "a", "eks", "--cluster-n=b=c", "--debug", "-x", "y", "--other"]);
        assert_eq!(all.value("region"), Some("a"));
        assert_eq!(all.value("cluster-name"), Some("b=c"));
        assert!(all.has("debug") && !all.has("debug-more"));
        assert_eq!(all.rest, ["eks", "-x", "y", "--other"]);
        assert_eq!(parsed(&["--region", "a", "--region=b"]).value("region"), Some("b"));
    }

    #[test]
    fn what_begins_with_a_dash_is_a_value_only_where_it_can_be_no_flag() {
        for (word, is_value) in [
            ("-1", true),
            ("-1.5", true),
            ("-", true),
            ("-a b", true),
            ("-a", false),
            ("--x", false),
            ("-1.", false),
        ] {
            let taken = parse(["--region", word], KNOWN);
            assert_eq!(taken.is_ok(), is_value, "{word}");
        }
        assert_eq!(parsed(&["--region=-a"]).value("region"), Some("-a"));
    }

    #[test]
    fn the_first_word_that_is_no_flag_is_the_command() {
        let mut all = parsed(&["--other", "eks", "get-token"]);
        assert_eq!(all.take_word(), Some("eks"));
        assert_eq!(all.rest, ["--other", "get-token"]);
        assert_eq!(parsed(&["--", "--region", "a"]).rest, ["--region", "a"]);
    }

    #[test]
    fn mistakes_name_the_flag() {
        for (line, words) in [
            (&["--cluster", "c"][..], "`--cluster` is ambiguous"),
            (&["--c", "c"], "`--cluster-name` or `--cluster-id`"),
            (&["--region"], "`--region` needs a value"),
            (&["--region", "--debug"], "`--region` needs a value"),
            (&["--debug=x"], "`--debug` takes no value"),
            (&["--d\u{1b}=x", "--d"], "is ambiguous"),
        ] {
            let error = parse(line.iter().copied(), KNOWN).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn words_without_end_do_no_harm() {
        let long = format!("--{}", "x".repeat(100_000));
        assert_eq!(parse([long.as_str()], KNOWN).unwrap().rest.len(), 1);
        let many = vec!["--nothing"; 100_000];
        assert_eq!(parse(many, KNOWN).unwrap().rest.len(), 100_000);
    }
}
