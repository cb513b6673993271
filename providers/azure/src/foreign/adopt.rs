//! From what an entry says to what stands behind `get-token azure`.
//!
//! The sign-in stays what it was, unless a person chose another way; then what means something there
//! is carried along, and the rest is left behind. What is left out and could be missed is a note.

use fleetkey_provider::{Adoption, Overrides, Result};

use super::{
    flags::{self, Takes, Values},
    kubelogin_line::{self, no_server_id},
    overrides, tidy, variables_win,
};
use crate::login::Login;

/// What an entry says, by the names of our flags, its login among them. No Debug: there may be
/// secrets in it.
pub(super) struct Found {
    pub(super) values: Values,
    pub(super) env: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
}

impl Found {
    /// The same in our words, with what somebody typed in place of it.
    pub(super) fn adopted(self, typed: &Overrides) -> Result<Adoption> {
        let Self { mut values, env, mut notes } = self;
        let was = login(&values)?;
        let login = match typed.value(flags::LOGIN) {
            None => was,
            Some("") => None,
            Some(name) => Some(kubelogin_line::login(name)?),
        };
        let is_changed = login != was;
        match login {
            Some(login) => values.insert(flags::LOGIN, login.name().to_owned()),
            None => values.remove(flags::LOGIN),
        };
        notes.extend(keep(&mut values, login, is_changed));
        notes.extend(overrides::apply(&mut values, typed, login)?);
        notes.extend(tidy::tidy(&mut values, login)?);
        if flags::filled(&values, flags::SERVER_ID).is_none() {
            return Err(no_server_id());
        }
        let env = if is_changed { still_heard(env, login, &values, &mut notes) } else { env };
        notes.extend(better_places(&values));
        Ok(Adoption { args: written(&values), env, notes, wants_cluster: true })
    }
}

/// How a way to sign in is called in a note.
pub(super) fn spelled(login: Option<Login>) -> String {
    login.map_or("a person's sign-in".to_owned(), |login| format!("`--login {}`", login.name()))
}

fn login(values: &Values) -> Result<Option<Login>> {
    flags::filled(values, flags::LOGIN).map(kubelogin_line::login).transpose()
}

/// Keeps what says something for that way, and of another way's what is carried along. Notes what
/// somebody could miss.
fn keep(values: &mut Values, login: Option<Login>, is_changed: bool) -> Vec<String> {
    let mut notes = Vec::new();
    values.retain(|name, value| {
        let Some(flag) = flags::named(name) else { return false };
        let ways = if is_changed { flag.carried_to } else { flag.said_for };
        let is_kept = ways.has(login);
        let is_missed = flag.takes == Takes::Secret && !value.is_empty()
            || flag.name == flags::POP_ENABLED && value == "true";
        if !is_kept && is_missed {
            notes.push(format!("`--{name}` is left out: it is not for {}", spelled(login)));
        }
        is_kept
    });
    notes
}

/// The variables that are not another way's alone.
fn still_heard(
    env: Vec<(String, String)>,
    login: Option<Login>,
    values: &Values,
    notes: &mut Vec<String>,
) -> Vec<(String, String)> {
    let is_of_another = |name: &str| {
        let var = |asked: &str| (asked == name).then(String::new);
        let of = |login| {
            variables_win::FLAGS.into_iter().any(|flag| {
                flags::named(flag).is_some_and(|flag| flag.said_for.has(login))
                    && variables_win::over(flag, login, values, &var).is_some()
            })
        };
        login != Some(Login::Auto)
            && !of(login)
            && crate::login::ALL.into_iter().any(|login| of(Some(login)))
    };
    env.into_iter()
        .filter(|(name, _)| {
            let is_kept = !is_of_another(name);
            if !is_kept {
                notes.push(format!("`{name}` is left out: it is not for {}", spelled(login)));
            }
            is_kept
        })
        .collect()
}

/// Where secrets would be better kept than in a file that is passed around.
fn better_places(values: &Values) -> Vec<String> {
    let places = [
        ("client-secret", "name a file with `--client-secret-file`, or set `AZURE_CLIENT_SECRET`"),
        ("client-certificate-password", "set `AZURE_CLIENT_CERTIFICATE_PASSWORD`"),
        ("password", "name a file with `--password-file`, or set `AZURE_PASSWORD`"),
    ];
    let stands = |name| flags::filled(values, name).is_some();
    places
        .into_iter()
        .filter(|(name, _)| stands(name))
        .map(|(name, better)| {
            format!(
                "`--{name}` stays readable in the kubeconfig and in the list of processes: {better}"
            )
        })
        .collect()
}

/// The flags, in the order of the table.
pub(super) fn written(values: &Values) -> Vec<String> {
    let mut args = Vec::new();
    for flag in flags::FLAGS {
        let name = format!("--{}", flag.name);
        match (flag.takes, values.get(flag.name).map(String::as_str)) {
            (_, None | Some("")) => {}
            (Takes::Switch, Some("true")) => args.push(name),
            // only this one says something if it is off: a variable may have it on
            (Takes::Switch, Some(_)) if flag.name == flags::RUN_AZ => {
                args.push(format!("{name}=false"));
            }
            (Takes::Switch, Some(_)) => {}
            (_, Some(value)) if value.starts_with('-') => args.push(format!("{name}={value}")),
            (_, Some(value)) => args.extend([name, value.to_owned()]),
        }
    }
    args
}
