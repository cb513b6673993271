//! One user: whose it is, and what becomes of it.

use fleetkey_provider::{Adoption, Error, Foreign, Overrides, Provider, Result, shown};
use serde_json::{Map, Value};

use super::{
    flags::Reader,
    foreign::{self, Found},
    reached::Reached,
    stanza::{Stanza, Written},
};

/// How users are taken over, for a whole run.
pub(crate) struct Wish {
    providers: Vec<(&'static dyn Provider, Overrides)>,
    /// How they are written.
    pub(crate) written: Written,
    reader: Reader,
}

/// What a user is to us.
pub(crate) enum Takeover {
    /// Nothing we know.
    Nothing,
    /// It runs fleetkey already.
    Ours,
    /// Known, and it cannot be taken over.
    Left(Error),
    /// Taken over.
    New(Box<New>),
}

/// A user that was taken over.
pub(crate) struct New {
    /// By whom.
    pub(crate) provider: &'static dyn Provider,
    /// What it is in our words.
    pub(crate) adoption: Adoption,
    /// The whole `exec`.
    pub(crate) exec: Value,
    /// The whole user.
    pub(crate) user: Value,
}

impl Wish {
    /// By these providers, each with the flags that were typed for it.
    pub(crate) fn new(
        providers: Vec<(&'static dyn Provider, Overrides)>,
        written: Written,
    ) -> Self {
        Self { providers, written, reader: Reader::default() }
    }

    /// Takes over the value of a user, if it is one of those we know, and comes to what `get-token` takes.
    pub(crate) fn take_over(&self, user: &Value, clusters: &[Reached]) -> Takeover {
        match self.understood(user, clusters) {
            Takeover::New(new) => match self.reader.check(new.provider, &new.adoption.args) {
                Ok(()) => Takeover::New(new),
                Err(error) => Takeover::Left(error),
            },
            other => other,
        }
    }

    /// The same for what is not written down: whatever it comes to.
    pub(crate) fn understood(&self, user: &Value, clusters: &[Reached]) -> Takeover {
        let foreign = match foreign::of(user) {
            Found::Nothing => return Takeover::Nothing,
            Found::Ours => return Takeover::Ours,
            Found::Foreign(foreign) => foreign,
            Found::Wrapped(name, words) => {
                return if self.knows_one_of(&words) {
                    Takeover::Left(wrapped(&name))
                } else {
                    Takeover::Nothing
                };
            }
        };
        let Some((provider, adopted)) = self.adopt(&foreign) else {
            return match &foreign {
                Foreign::Program { name, args, .. } if self.knows_one_of(args) => {
                    Takeover::Left(wrapped(name))
                }
                _ => Takeover::Nothing,
            };
        };
        match adopted {
            Err(error) => Takeover::Left(error),
            Ok(_) if user.get("exec").is_some() && user.get("auth-provider").is_some() => {
                Takeover::Left(Error::config("it has `exec` and `auth-provider`"))
            }
            Ok(adoption) => {
                Takeover::New(Box::new(self.new_user(provider, adoption, &foreign, user, clusters)))
            }
        }
    }

    /// The first provider that knows it.
    fn adopt(&self, foreign: &Foreign) -> Option<(&'static dyn Provider, Result<Adoption>)> {
        self.providers.iter().find_map(|(provider, overrides)| {
            Some((*provider, provider.adopt(foreign, overrides)?))
        })
    }

    fn new_user(
        &self,
        provider: &'static dyn Provider,
        adoption: Adoption,
        foreign: &Foreign,
        user: &Value,
        clusters: &[Reached],
    ) -> New {
        let knows = adoption.wants_cluster
            && !clusters.is_empty()
            && clusters.iter().all(|cluster| cluster.may_be_told(provider));
        let stanza =
            Stanza::new(provider.name(), &adoption, &self.written).knowing_the_cluster(knows);
        let other = match foreign {
            Foreign::Program { name, .. } | Foreign::AuthProvider { name, .. } => name.as_str(),
        };
        let nothing = Map::new();
        let old = user.get("exec").and_then(Value::as_object).unwrap_or(&nothing);
        let exec = stanza.over(old, Some(other));
        let mut new = user.as_object().cloned().unwrap_or_default();
        new.remove("auth-provider");
        new.insert("exec".into(), exec.clone());
        New { provider, adoption, exec, user: Value::Object(new) }
    }

    /// Whether a program that a provider knows stands among the words, with what follows it.
    fn knows_one_of(&self, words: &[String]) -> bool {
        // a line for a shell is one word
        let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
        (0..words.len()).any(|at| {
            let program = Foreign::Program {
                name: foreign::name_of(words[at].trim_matches(['\'', '"', ';', '(', ')'])),
                args: words[at + 1..].iter().map(|word| (*word).to_owned()).collect(),
                env: Vec::new(),
            };
            self.adopt(&program).is_some()
        })
    }
}

fn wrapped(name: &str) -> Error {
    Error::config(format!("it is run by `{}`", shown(name)))
        .because("what a wrapper runs, and with whose credentials, is not certain")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::PROVIDERS;

    fn wish() -> Wish {
        let providers = PROVIDERS.iter().map(|p| (*p, Overrides::default())).collect();
        Wish::new(providers, Written::new(None, None))
    }

    #[test]
    fn what_nobody_knows_is_left_alone_silently() {
        for user in [
            json!({"token": "x"}),
            json!({"exec": {"command": "mars", "args": ["get"]}}),
            json!({"exec": {"command": "sh", "args": ["-c", "mars | x"]}}),
            json!({"auth-provider": {"name": "mars"}}),
            Value::Null,
        ] {
            assert!(matches!(wish().take_over(&user, &[]), Takeover::Nothing), "{user}");
        }
        let ours = json!({"exec": {"command": "fleetkey", "args": ["get-token"]}});
        assert!(matches!(wish().take_over(&ours, &[]), Takeover::Ours));
    }
}
