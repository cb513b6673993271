//! Whose keys: those of a profile, or of a role that an SSO session lends without one.
//!
//! A person who is signed in may have hundreds of roles and a profile for none of them. Three flags
//! say what such a profile would: the session, the account, the role.

use clap::Args;
use fleetkey_provider::{Error, ExecInfo, Result, Rule, shown};

use super::{Chosen, PROFILE, chosen, written};

// As typed. Not a doc comment: clap would make it the help of the command it is grafted onto.
#[derive(Args, Debug, Default)]
pub(crate) struct SsoFlags {
    /// The `[sso-session]` to ask for a role, in place of a profile
    #[arg(id = SESSION, long = SESSION, value_name = "NAME")]
    session: Option<String>,

    /// The account of that role
    #[arg(id = ACCOUNT, long = ACCOUNT, value_name = "ID")]
    account: Option<String>,

    /// The name of that role
    #[arg(id = ROLE, long = ROLE, value_name = "NAME")]
    role: Option<String>,
}

impl SsoFlags {
    /// The session, if it is named and no role of it is.
    pub(crate) fn only_session(&self) -> Result<Option<Chosen>> {
        let Self { session: Some(session), account: None, role: None } = self else {
            return Ok(None);
        };
        let session = Chosen { value: session.clone(), from: format!("`--{SESSION}`") };
        SESSION_RULE.check(&session.from, &session.value)?;
        Ok(Some(session))
    }
}

/// A role of an SSO session, named without a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AskedSso {
    /// The session's name.
    pub(crate) session: Chosen,
    /// The account.
    pub(crate) account: String,
    /// The role in it.
    pub(crate) role: String,
}

impl AskedSso {
    /// The flags that say the same.
    pub(crate) fn flags(session: &str, account: &str, role: &str) -> Vec<String> {
        [(SESSION, session), (ACCOUNT, account), (ROLE, role)]
            .into_iter()
            .flat_map(|(flag, value)| written(flag, value))
            .collect()
    }
}

/// The one that is named, if one is: the flags are asked before the kubeconfig is.
pub(crate) fn whose(
    profile: Option<String>,
    sso: SsoFlags,
    exec: &ExecInfo,
) -> Result<(Option<Chosen>, Option<AskedSso>)> {
    let SsoFlags { session, account, role } = sso;
    let is_sso = [&session, &account, &role].iter().any(|flag| flag.is_some());
    let none = ExecInfo::default();
    // who typed the one means nothing of the other, even if the kubeconfig does
    let of_profile = if is_sso { &none } else { exec };
    let of_sso = if profile.is_some() { &none } else { exec };
    let profile = chosen(profile, "profile", of_profile)?;
    let parts = [
        chosen(session, SESSION, of_sso)?,
        chosen(account, ACCOUNT, of_sso)?,
        chosen(role, ROLE, of_sso)?,
    ];
    if let Some(profile) = &profile {
        PROFILE.check(&profile.from, &profile.value)?;
        if let Some(part) = parts.iter().flatten().next() {
            return Err(Error::config(format!(
                "{} and {} exclude each other",
                profile.from, part.from
            ))
            .because("a profile says by itself whose keys are meant"));
        }
        return Ok((Some(profile.clone()), None));
    }
    let [session, account, role] = match parts {
        [None, None, None] => return Ok((None, None)),
        [Some(session), Some(account), Some(role)] => [session, account, role],
        parts => return Err(incomplete(&parts)),
    };
    SESSION_RULE.check(&session.from, &session.value)?;
    ACCOUNT_ID.check(&account.from, &account.value)?;
    ROLE_NAME.check(&role.from, &role.value)?;
    Ok((None, Some(AskedSso { session, account: account.value, role: role.value })))
}

fn incomplete(parts: &[Option<Chosen>; 3]) -> Error {
    let names = [SESSION, ACCOUNT, ROLE];
    let missing: Vec<_> = names
        .iter()
        .zip(parts)
        .filter(|(_, part)| part.is_none())
        .map(|(name, _)| format!("`--{name}`"))
        .collect();
    let given = parts.iter().flatten().next().map(|part| shown(&part.from)).unwrap_or_default();
    Error::config(format!("{given} needs {} too", missing.join(" and ")))
        .because("a role that SSO lends is named by session, account and role")
}

/// The number of an account.
pub(crate) const ACCOUNT_ID: Rule = Rule {
    what: "an account's id",
    min: 12,
    max: 12,
    allows: |c| c.is_ascii_digit(),
    allowed: "12 digits",
};

/// The name of a role that SSO lends.
pub(crate) const ROLE_NAME: Rule = Rule {
    what: "a role's name",
    min: 1,
    max: 64,
    allows: |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c),
    allowed: "letters, digits and `_+=,.@-`",
};

/// The name of an `[sso-session]`; the files themselves allow nearly everything.
pub(crate) const SESSION_RULE: Rule = Rule { what: "an SSO session's name", ..PROFILE };

const SESSION: &str = "sso-session";
const ACCOUNT: &str = "sso-account-id";
const ROLE: &str = "sso-role-name";

#[cfg(test)]
mod tests {
    use fleetkey_provider::ClusterInfo;
    use serde_json::{Value, json};

    use super::*;

    fn read(
        flags: [Option<&str>; 4],
        config: &Value,
    ) -> Result<(Option<Chosen>, Option<AskedSso>)> {
        let [profile, session, account, role] = flags.map(|flag| flag.map(str::to_owned));
        let config = config.as_object().cloned().unwrap_or_default();
        let cluster = Some(ClusterInfo { config, ..ClusterInfo::default() });
        whose(
            profile,
            SsoFlags { session, account, role },
            &ExecInfo { cluster, ..ExecInfo::default() },
        )
    }

    const ID: &str = "123456789012";

    #[test]
    fn three_flags_or_three_keys_name_a_role() {
        let keys = json!({"sso-session": "corp", "sso-account-id": ID, "sso-role-name": "Admin"});
        let typed = [None, Some("corp"), Some(ID), Some("Admin")];
        for (flags, config) in [(typed, &Value::Null), ([None; 4], &keys)] {
            let sso = read(flags, config).unwrap().1.unwrap();
            let AskedSso { session, account, role } = sso;
            assert_eq!((&*session.value, &*account, &*role), ("corp", ID, "Admin"));
        }
        // a flag fills in for one of the keys
        let sso = read([None, None, None, Some("Reader")], &keys).unwrap().1.unwrap();
        assert_eq!((&*sso.session.value, &*sso.role), ("corp", "Reader"));
    }

    #[test]
    fn what_is_typed_wins_over_the_other_kind_of_the_kubeconfig() {
        let keys = json!({"sso-session": "corp", "sso-account-id": ID, "sso-role-name": "Admin"});
        let (profile, sso) = read([Some("p"), None, None, None], &keys).unwrap();
        assert_eq!((profile.unwrap().value.as_str(), sso), ("p", None));
        let typed = [None, Some("corp"), Some(ID), Some("Admin")];
        let (profile, sso) = read(typed, &json!({"profile": "p"})).unwrap();
        assert!(profile.is_none() && sso.is_some());
    }

    #[test]
    fn half_a_role_or_two_identities_are_refused_by_name() {
        let all =
            json!({"sso-session": "c", "sso-account-id": ID, "sso-role-name": "R", "profile": "p"});
        for (flags, config, words) in [
            (
                [None, Some("corp"), None, None],
                &Value::Null,
                "`--sso-session` needs `--sso-account-id` and `--sso-role-name` too",
            ),
            (
                [Some("p"), None, Some(ID), None],
                &Value::Null,
                "`--profile` and `--sso-account-id` exclude each other",
            ),
            ([None; 4], &all, "exclude each other"),
            ([None, Some("c"), Some("1"), Some("R")], &Value::Null, "not an account's id"),
            ([None, Some("c"), Some(ID), Some("a/b")], &Value::Null, "not a role's name"),
            ([None, Some("c\n"), Some(ID), Some("R")], &Value::Null, "not an SSO session's name"),
        ] {
            let error = read(flags, config).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
