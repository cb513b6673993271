//! A command line as Go's pflag takes it apart: `--flag value`, `--flag=value`, `-f value`, `-fvalue`,
//! `-f=value`; switches, which take a value only behind `=`; and `--`, behind which are words alone.
//!
//! No value is in an error, since any of them may be a secret.

use fleetkey_provider::{Error, Result, shown};

use super::flags::{Takes, Values};
use crate::arguments::boolean;

/// A command line, taken apart. A flag given twice counts as it was given last.
#[derive(Default)]
pub(super) struct Line {
    /// What are no flags.
    pub(super) words: Vec<String>,
    /// What the flags say.
    pub(super) values: Values,
}

/// A flag as it stands on a command line.
#[derive(Clone, Copy)]
pub(super) enum Spelled<'a> {
    Long(&'a str),
    Short(char),
}

/// Which flags there are: the long name, and what stands behind it.
pub(super) type Known<'k> = &'k dyn Fn(Spelled<'_>) -> Option<(&'static str, Takes)>;

/// Takes it apart. `program` is whose it is, for errors.
pub(super) fn parse(program: &str, args: &[String], known: Known<'_>) -> Result<Line> {
    let mut line = Line::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            line.words.extend(rest.by_ref().cloned());
        } else if let Some(long) = arg.strip_prefix("--") {
            let (name, behind) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let spelled = format!("--{name}");
            let found = known(Spelled::Long(name));
            line.take(found.ok_or_else(|| unknown(program, &spelled))?, behind, &mut rest)?;
        } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            line.take_short(program, letters, known, &mut rest)?;
        } else {
            line.words.push(arg.clone());
        }
    }
    Ok(line)
}

impl Line {
    /// `-lmsi`, `-l=msi`, `-l msi`; of several letters all but the last are switches.
    fn take_short<'a>(
        &mut self,
        program: &str,
        letters: &str,
        known: Known<'_>,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<()> {
        let mut behind = letters;
        while let Some(letter) = behind.chars().next() {
            behind = &behind[letter.len_utf8()..];
            let found = known(Spelled::Short(letter));
            let found = found.ok_or_else(|| unknown(program, &format!("-{letter}")))?;
            let value = match behind.strip_prefix('=').filter(|value| !value.is_empty()) {
                Some(value) => Some(value),
                None if found.1 == Takes::Switch => {
                    self.take(found, None, rest)?;
                    continue;
                }
                None => Some(behind).filter(|behind| !behind.is_empty()),
            };
            return self.take(found, value.map(str::to_owned), rest);
        }
        Ok(())
    }

    /// One flag, with its value if that stands behind it without a gap.
    fn take<'a>(
        &mut self,
        (name, takes): (&'static str, Takes),
        behind: Option<String>,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<()> {
        let value = match (takes, behind) {
            (Takes::Switch, None) => "true".to_owned(),
            (Takes::Switch, Some(text)) => boolean(&text)
                .map_err(|why| Error::config(format!("`--{name}` is no switch")).because(why))?
                .to_string(),
            (_, Some(text)) => text,
            (_, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| Error::config(format!("`--{name}` has no value")))?,
        };
        self.values.insert(name, value);
        Ok(())
    }
}

fn unknown(program: &str, flag: &str) -> Error {
    Error::config(format!("`{program}` has no flag `{}`", shown(flag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(&str, char, Takes)] = &[
        ("login", 'l', Takes::Text),
        ("tenant-id", 't', Takes::Text),
        ("client-secret", 'S', Takes::Secret),
        ("legacy", 'L', Takes::Switch),
        ("quiet", 'q', Takes::Switch),
    ];

    fn known(spelled: Spelled<'_>) -> Option<(&'static str, Takes)> {
        KNOWN
            .iter()
            .find(|(long, short, _)| match spelled {
                Spelled::Long(name) => name == *long,
                Spelled::Short(letter) => letter == *short,
            })
            .map(|(long, _, takes)| (*long, *takes))
    }

    fn parsed(args: &[&str]) -> Result<Line> {
        parse("kubelogin", &args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>(), &known)
    }

    /// The line as `name=value`, joined by blanks, then the words.
    fn text(args: &[&str]) -> String {
        let Line { words, values } =
            parsed(args).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        let pairs = values.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.chain(words).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_are_spelled_as_go_lets_them() {
        for (args, expected) in [
            (&[][..], ""),
            (&["--login", "msi"], "login=msi"),
            (&["--login=msi"], "login=msi"),
            (&["--login="], "login="),
            (&["--login", ""], "login="),
            (&["--login=a=b"], "login=a=b"),
            (&["--login", "--legacy"], "login=--legacy"),
            (&["-l", "msi"], "login=msi"),
            (&["-lmsi"], "login=msi"),
            (&["-l=msi"], "login=msi"),
            (&["-l="], "login=="),
            (&["--legacy"], "legacy=true"),
            (&["--legacy=f"], "legacy=false"),
            (&["--legacy", "false"], "legacy=true false"),
            (&["-L=0"], "legacy=false"),
            (&["-Lqlmsi"], "legacy=true login=msi quiet=true"),
            (&["-qL"], "legacy=true quiet=true"),
            // the last counts
            (&["-l", "spn", "--login=msi", "--legacy", "--legacy=false"], "legacy=false login=msi"),
            // words may stand anywhere, and behind `--` there are no flags
            (
                &["get-token", "-l", "msi", "-", "--", "--login", "spn"],
                "login=msi get-token - --login spn",
            ),
        ] {
            assert_eq!(text(args), expected, "{args:?}");
        }
    }

    #[test]
    fn what_is_no_line_names_the_flag_and_shows_no_value() {
        for (args, message) in [
            (&["--nonsense=hunter2"][..], "`kubelogin` has no flag `--nonsense`"),
            (&["-xhunter2"], "`kubelogin` has no flag `-x`"),
            (&["-Lxhunter2"], "`kubelogin` has no flag `-x`"),
            (&["---login"], "`kubelogin` has no flag `---login`"),
            (&["--=hunter2"], "`kubelogin` has no flag `--`"),
            (&["--lo\u{1b}[2J=x"], "`kubelogin` has no flag `--lo\\u{1b}[2J`"),
            (&["--client-secret"], "`--client-secret` has no value"),
            (&["-S"], "`--client-secret` has no value"),
            (&["--legacy=hunter2"], "`--legacy` is no switch"),
            (&["-L=hunter2"], "`--legacy` is no switch"),
            (&["-Lé"], "`kubelogin` has no flag `-é`"),
        ] {
            let Err(error) = parsed(args) else { panic!("{args:?}") };
            assert_eq!(error.message(), message, "{args:?}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_long_line_is_read_in_one_go() {
        let long = "x".repeat(100_000);
        assert_eq!(text(&[&format!("--login={long}")]).len(), 100_006);
        let Err(error) = parsed(&[&format!("--{long}")]) else { panic!() };
        assert!(error.message().len() < 300, "{error}");
        let many = vec!["-L"; 100_000];
        assert_eq!(text(&many), "legacy=true");
        assert_eq!(text(&[&format!("-{}", "q".repeat(100_000))]), "quiet=true");
    }
}
