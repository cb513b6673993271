//! The environment's say: what variables add to the flags, or change of them.

use fleetkey_provider::{Host, Result};

use crate::{
    arguments::{Arguments, Family, Precedence},
    given::{Chosen, Origin},
    login::Login,
    variables::{self, Names},
};

/// The environment, and how much it may say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment<'a> {
    pub(crate) precedence: Precedence,
    family: Family,
    host: &'a Host,
}

impl<'a> Environment<'a> {
    /// As the flags let it.
    pub(crate) fn new(arguments: &Arguments, host: &'a Host) -> Self {
        Self { precedence: arguments.precedence, family: arguments.family, host }
    }

    /// How to sign in; `None` where nobody says.
    pub(crate) fn login(&self, given: Option<&Chosen>) -> Result<Option<Login>> {
        const NAME: &str = variables::AAD_LOGIN_METHOD;
        let wins = self.precedence == Precedence::Overrides && self.is_set(NAME);
        let named = self.fill(given.filter(|_| !wins).cloned(), NAME, chosen)?;
        let login = named.as_ref().map(Login::parse).transpose()?;
        self.host.notes.note(&match (login, &named) {
            (Some(login), Some(named)) => format!("login `{}`, from {}", login.name(), named.from),
            _ => "no login is named: a person is meant".into(),
        });
        Ok(login)
    }

    /// The value that counts: what was given, or what the variables say.
    pub(crate) fn say<T>(
        &self,
        given: Option<T>,
        names: &Names,
        login: Option<Login>,
        read: fn(Origin, String) -> Result<T>,
    ) -> Result<Option<T>> {
        let variables = self.variables(names);
        let is_made_for = is_made_for(names, login);
        match self.precedence {
            Precedence::Fills if given.is_none() && is_made_for => {
                self.first(variables, names.moves, read)
            }
            Precedence::Ignored | Precedence::Fills => Ok(given),
            Precedence::Overrides => {
                // the five that Terraform's provider names too count in kubelogin whatever the way
                let has_a_say = is_made_for || names.azurerm.is_some();
                let set = variables.iter().copied().find(|name| has_a_say && self.is_set(name));
                match set {
                    Some(name) if !self.is_ignored(name, names.moves)? => {
                        self.host.notes.note(&format!("`{name}` wins over flags"));
                        self.first(&[name], false, read)
                    }
                    _ => Ok(given),
                }
            }
        }
    }

    /// Notes what is set and has no say, since other tools would let it.
    pub(crate) fn note_unheard(&self, names: &Names, login: Option<Login>) {
        if self.precedence == Precedence::Fills && !is_made_for(names, login) {
            for name in self.variables(names).iter().filter(|name| self.is_set(name)) {
                self.host.notes.note(&format!("`{name}` has no say in this way to sign in"));
            }
        }
    }

    /// What one variable says where nothing else does, whatever the order.
    pub(crate) fn fill(
        &self,
        given: Option<Chosen>,
        name: &'static str,
        read: fn(Origin, String) -> Result<Chosen>,
    ) -> Result<Option<Chosen>> {
        match given {
            None if self.precedence != Precedence::Ignored => self.first(&[name], false, read),
            given => Ok(given),
        }
    }

    /// A variable of `az`.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>> {
        match self.precedence {
            Precedence::Ignored => Ok(None),
            _ => self.host.text_var(name),
        }
    }

    /// Where a value was looked for, for the error that it is nowhere; `flags` goes before "given".
    pub(crate) fn places(&self, flags: &str, names: Option<&Names>) -> String {
        let negation = if flags.starts_with('`') { "is not given" } else { "is given" };
        let names = names.map(|names| self.variables(names)).unwrap_or_default();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let environment = match (self.precedence, names.as_slice()) {
            (_, []) => String::new(),
            (Precedence::Ignored, _) => {
                ", and the environment is not asked (`--disable-environment-override`)".into()
            }
            (_, [name]) => format!(", and the variable {name} is not set"),
            (_, names) => format!(", and no variable is set of {}", names.join(", ")),
        };
        format!("{flags} {negation}{environment}")
    }

    fn variables(&self, names: &Names) -> &'static [&'static str] {
        match (self.family, names.azurerm) {
            (Family::AzureRm, Some(azurerm)) => azurerm,
            _ => names.azure,
        }
    }

    /// The first of these that is set and not empty.
    fn first<T>(
        &self,
        names: &[&'static str],
        moves: bool,
        read: fn(Origin, String) -> Result<T>,
    ) -> Result<Option<T>> {
        for name in names.iter().copied() {
            if let Some(text) = self.host.text_var(name)?
                && !self.is_ignored(name, moves)?
            {
                return read(Origin::Variable(name), text).map(Some);
            }
        }
        Ok(None)
    }

    fn is_set(&self, name: &str) -> bool {
        self.host.env.var(name).is_some()
    }

    /// Whether a strict configuration keeps a variable that is set from having its say.
    fn is_ignored(&self, name: &str, moves: bool) -> Result<bool> {
        let is_ignored = moves && self.host.trust.is_strict()?;
        if is_ignored {
            self.host.notes.note(&format!("`{name}` is ignored: the configuration is strict"));
        }
        Ok(is_ignored)
    }
}

fn is_made_for(names: &Names, login: Option<Login>) -> bool {
    login.is_some_and(|login| names.made_for.contains(&login))
}

#[allow(clippy::unnecessary_wraps, reason = "a reader like the others, which can fail")]
fn chosen(from: Origin, value: String) -> Result<Chosen> {
    Ok(Chosen { value, from })
}
