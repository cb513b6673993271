//! The grammar of `aws-iam-authenticator token …`, which is that of Go's `pflag`.
//!
//! Flags stand before or behind the verb, `--flag=value` and `-fVALUE` are one word, a flag that
//! needs a value takes the next word whatever it looks like, and nothing may be shortened.

use fleetkey_provider::{Env, Error, Result, shown};

use crate::variables::{DEFAULT_ROLE, KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID};

/// A command line of the authenticator.
#[derive(Debug)]
pub(super) enum AuthenticatorLine<'a> {
    /// It asks for a token.
    Token(TokenVerb<'a>),
    /// It asks for the version; whether for nothing but the number.
    Version {
        /// `--short`
        short: bool,
    },
    /// It asks for help, or for nothing.
    Help,
    /// Another verb.
    Other(&'a str),
}

/// What `token` is told.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct TokenVerb<'a> {
    /// `-i`, `--cluster-id`: what EKS calls the cluster's name.
    pub(super) cluster: Option<&'a str>,
    /// `-r`, `--role`
    pub(super) role: Option<&'a str>,
    /// `-e`, `--external-id`
    pub(super) external_id: Option<&'a str>,
    /// `-s`, `--session-name`
    pub(super) session_name: Option<&'a str>,
    /// `--forward-session-name`
    pub(super) forward_session_name: bool,
    /// `--region`
    pub(super) region: Option<&'a str>,
    /// `--token-only`
    pub(super) token_only: bool,
}

/// What is asked of the environment where no flag says it.
#[derive(Debug, Default)]
pub(super) struct Fallbacks {
    /// The cluster.
    pub(super) cluster: Option<String>,
    /// The role.
    pub(super) role: Option<String>,
}

impl Fallbacks {
    /// Of these variables; an empty one is an unset one.
    pub(super) fn of(mut var: impl FnMut(&'static str) -> Option<String>) -> Self {
        let mut var = |name| var(name).filter(|text| !text.is_empty());
        Self { cluster: var(KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID), role: var(DEFAULT_ROLE) }
    }

    /// Of this environment. Errors if a variable is not UTF-8.
    pub(super) fn of_env(env: &dyn Env) -> Result<Self> {
        let mut wrong = None;
        let found = Self::of(|name| {
            let text = env.var(name)?.into_string();
            text.map_err(|_| wrong = Some(name)).ok()
        });
        match wrong {
            Some(name) => Err(Error::config(format!("the variable `{name}` is not UTF-8 text"))),
            None => Ok(found),
        }
    }
}

impl<'a> AuthenticatorLine<'a> {
    /// Reads the words behind the program's name. Errors if they ask for a token, and are wrong.
    pub(super) fn read(words: &'a [String]) -> Result<Self> {
        let Some((verb, at)) = verb(words) else { return Ok(Self::Help) };
        if words.iter().any(|word| word == "--help" || word == "-h") {
            return Ok(Self::Help);
        }
        match verb {
            "token" => TokenVerb::read(words, at).map(Self::Token),
            "version" => {
                Ok(Self::Version { short: words.iter().any(|w| w == "--short" || w == "-s") })
            }
            "help" => Ok(Self::Help),
            other => Ok(Self::Other(other)),
        }
    }
}

/// The verb and where it stands: the first word that is neither a flag nor a flag's value.
fn verb(words: &[String]) -> Option<(&str, usize)> {
    let mut at = 0;
    while let Some(word) = words.get(at).map(String::as_str) {
        match word {
            "--" => return words.get(at + 1).map(|word| (word.as_str(), at + 1)),
            "" | "-" => at += 1,
            _ if word.starts_with("--") => {
                let takes_next = !word.contains('=')
                    && Flag::by_name(&word[2..]).is_none_or(|flag| flag.takes_value);
                at += if takes_next { 2 } else { 1 };
            }
            _ if word.starts_with('-') => at += if word.len() == 2 && word != "-h" { 2 } else { 1 },
            _ => return Some((word, at)),
        }
    }
    None
}

impl<'a> TokenVerb<'a> {
    fn read(words: &'a [String], verb: usize) -> Result<Self> {
        let mut token = Self::default();
        let mut config = None;
        let mut words =
            words.iter().enumerate().filter(|(at, _)| *at != verb).map(|(_, word)| word.as_str());
        while let Some(word) = words.next() {
            let Some((flag, attached)) = Flag::find(word)? else {
                // the original has no use for further words, and says nothing about them
                continue;
            };
            if flag.takes_value {
                let Some(value) = attached.or_else(|| words.next()) else {
                    return Err(Error::config(format!("`--{}` needs a value", flag.name)));
                };
                match flag.name {
                    "cluster-id" => token.cluster = Some(value),
                    "role" => token.role = Some(value),
                    "external-id" => token.external_id = Some(value),
                    "session-name" => token.session_name = Some(value),
                    "region" => token.region = Some(value),
                    "config" => config = Some(value),
                    _ => {}
                }
            } else {
                let is_on = switched(flag.name, attached)?;
                match flag.name {
                    "forward-session-name" => token.forward_session_name = is_on,
                    "token-only" => token.token_only = is_on,
                    _ => {}
                }
            }
        }
        if let Some(file) = config.filter(|file| !file.is_empty()) {
            return Err(Error::config("`--config` of `aws-iam-authenticator` is not read here")
                .because(format!(
                    "the cluster, the role and the region may stand in `{}`: they have to be flags",
                    shown(file)
                )));
        }
        token.drop_empty();
        if token.forward_session_name && token.session_name.is_some() {
            return Err(Error::config(
                "`--session-name` and `--forward-session-name` both say what the session is called",
            ));
        }
        Ok(token)
    }

    /// An empty value is none, as in the original.
    fn drop_empty(&mut self) {
        let Self { cluster, role, external_id, session_name, region, .. } = self;
        for value in [cluster, role, external_id, session_name, region] {
            *value = value.filter(|text| !text.is_empty());
        }
    }
}

/// What hangs on a switch, as Go reads it.
fn switched(name: &str, value: Option<&str>) -> Result<bool> {
    match value {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(_) => Err(Error::config(format!("`--{name}` is either true or false"))),
    }
}

/// The error of a token for no cluster.
pub(super) fn no_cluster() -> Error {
    Error::config("no cluster is named").because(
        "`aws-iam-authenticator token` needs `-i` or `KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID`",
    )
}

/// A flag of `token`.
#[derive(Clone, Copy)]
struct Flag {
    name: &'static str,
    short: Option<char>,
    takes_value: bool,
}

impl Flag {
    fn by_name(name: &str) -> Option<Self> {
        FLAGS.iter().copied().find(|flag| flag.name == name)
    }

    /// The flag that a word is, and the value that hangs on it. `None` for what is no flag.
    fn find(word: &str) -> Result<Option<(Self, Option<&str>)>> {
        let unknown =
            || Error::config(format!("`aws-iam-authenticator token` knows no `{}`", shown(word)));
        if let Some(text) = word.strip_prefix("--") {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text, None),
            };
            return if text.is_empty() {
                Ok(None)
            } else {
                Ok(Some((Self::by_name(name).ok_or_else(unknown)?, value)))
            };
        }
        let mut letters = word.strip_prefix('-').unwrap_or_default().chars();
        let Some(letter) = letters.next() else { return Ok(None) };
        let flag = FLAGS.iter().copied().find(|flag| flag.short == Some(letter));
        let rest = letters.as_str();
        let value =
            if rest.is_empty() { None } else { Some(rest.strip_prefix('=').unwrap_or(rest)) };
        Ok(Some((flag.ok_or_else(unknown)?, value)))
    }
}

const fn value(name: &'static str, short: Option<char>) -> Flag {
    Flag { name, short, takes_value: true }
}

const fn switch(name: &'static str) -> Flag {
    Flag { name, short: None, takes_value: false }
}

/// All of them, those of every verb among them.
const FLAGS: &[Flag] = &[
    value("cluster-id", Some('i')),
    value("role", Some('r')),
    value("external-id", Some('e')),
    value("session-name", Some('s')),
    switch("forward-session-name"),
    value("region", None),
    switch("token-only"),
    switch("cache"),
    value("config", Some('c')),
    value("log-format", Some('l')),
    value("log-verbosity", Some('v')),
    value("feature-gates", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn every_spelling_of_a_flag_is_understood() {
        for line in [
            "token -i c -r a --cache",
            "token --cluster-id c --role a",
            "token -ic -r=a --token-only=false",
            "token -i=c --role=a --log-verbosity 4 -l json -v9",
            "-i c token -r a",
            "--feature-gates X=true -r a -i c token",
            "--cache token -i x -i c -r a more",
        ] {
            let words = words(line);
            let AuthenticatorLine::Token(token) = AuthenticatorLine::read(&words).unwrap() else {
                panic!("{line}: not understood")
            };
            let expected =
                TokenVerb { cluster: Some("c"), role: Some("a"), ..TokenVerb::default() };
            assert_eq!(token, expected, "{line}");
        }
    }

    #[test]
    fn everything_that_token_is_told_is_read() {
        let words =
            words("token -i c -r a -e x -s me --region r --token-only --forward-session-name=f");
        let AuthenticatorLine::Token(token) = AuthenticatorLine::read(&words).unwrap() else {
            panic!("not understood")
        };
        assert_eq!(
            token,
            TokenVerb {
                cluster: Some("c"),
                role: Some("a"),
                external_id: Some("x"),
                session_name: Some("me"),
                forward_session_name: false,
                region: Some("r"),
                token_only: true,
            }
        );
    }

    #[test]
    fn a_value_may_look_like_a_flag_and_an_empty_one_is_none() {
        let words = ["token", "-i", "-r", "--role", "", "--region="].map(str::to_owned);
        let AuthenticatorLine::Token(token) = AuthenticatorLine::read(&words).unwrap() else {
            panic!("not understood")
        };
        assert_eq!((token.cluster, token.role, token.region), (Some("-r"), None, None));
    }

    #[test]
    fn other_verbs_are_told_apart() {
        use AuthenticatorLine::{Help, Other, Version};
        let read = |line: &str| format!("{:?}", AuthenticatorLine::read(&words(line)).unwrap());
        for (line, expected) in [
            ("version", Version { short: false }),
            ("version -s", Version { short: true }),
            ("", Help),
            ("help token", Help),
            ("--help", Help),
            ("token --help", Help),
            ("-i c", Help),
            ("verify -t x", Other("verify")),
            ("-i c server", Other("server")),
        ] {
            assert_eq!(read(line), format!("{expected:?}"), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, text) in [
            ("token -i", "`--cluster-id` needs a value"),
            ("token --clust c", "knows no `--clust`"),
            ("token -x", "knows no `-x`"),
            ("token --cache=maybe", "`--cache` is either true or false"),
            ("token -i c -c /etc/x", "`--config` of `aws-iam-authenticator` is not read here"),
            ("token -i c -r a -s me --forward-session-name", "both say what the session is called"),
        ] {
            let error = AuthenticatorLine::read(&words(line)).unwrap_err().to_string();
            assert!(error.contains(text), "{line}: {error}");
        }
    }

    #[test]
    fn hostile_words_do_no_harm() {
        let long = "x".repeat(100_000);
        for word in
            [format!("--{long}"), format!("-{long}"), "-é\u{1b}[2J".into(), "--\u{202e}".into()]
        {
            let error = AuthenticatorLine::read(&["token".into(), word]).unwrap_err().to_string();
            assert!(error.len() < 1000, "{}", error.len());
            assert!(!error.chars().any(|c| c.is_control() || c == '\u{202e}'), "{error:?}");
        }
    }
}
