//! The SSO settings of a profile, in both of their forms.
//!
//! The newer form names an `[sso-session]`, which then holds the start URL and the region; the older
//! one has both in the profile. Where both places say something they have to agree, since different
//! tools would believe different ones.

use fleetkey_provider::{Error, Result, Rule, shown};

use super::{Session, Sso, listing, places};
use crate::{
    arguments::{AskedSso, Chosen, ROLE_NAME},
    profiles::{Profiles, Section},
    region::Region,
};

/// Whether the profile asks SSO for a role.
pub(super) fn is_meant(section: &Section<'_>) -> bool {
    ["sso_account_id", "sso_role_name"].iter().any(|key| section.get(key).is_some())
}

/// Whether the profile says anything that only SSO needs.
pub(super) fn is_begun(section: &Section<'_>) -> bool {
    is_meant(section)
        || ["sso_session", "sso_start_url"].iter().any(|key| section.get(key).is_some())
}

/// The settings, checked.
pub(super) fn settings(section: &Section<'_>, profiles: &Profiles) -> Result<Sso> {
    let profile = shown(section.name());
    let (session, start_url, region, scopes) = match section.get("sso_session") {
        Some(name) => {
            let session = profiles.sso_session(name).ok_or_else(|| {
                Error::config(format!("there is no `[sso-session {}]`", shown(name)))
                    .because(format!("profile `{profile}` names it, but it was not found"))
            })?;
            let value = |key| agreed(key, section, &session);
            let (start_url, region) = (value("sso_start_url")?, value("sso_region")?);
            (Some(name.to_owned()), start_url, region, scopes(&session))
        }
        None => (None, needed("sso_start_url", section)?, needed("sso_region", section)?, None),
    };
    let account = needed("sso_account_id", section)?;
    let role = needed("sso_role_name", section)?;
    ACCOUNT.check(&format!("`sso_account_id` of profile `{profile}`"), account)?;
    ROLE_NAME.check(&format!("`sso_role_name` of profile `{profile}`"), role)?;
    Ok(Sso {
        profile: Some(section.name().to_owned()),
        session,
        start_url: start_url.to_owned(),
        region: Region::parse(region, &format!("`sso_region` of profile `{profile}`"))?,
        scopes,
        account: account.to_owned(),
        role: role.to_owned(),
    })
}

/// The settings of a role that flags name.
pub(super) fn named(asked: &AskedSso, profiles: &Profiles) -> Result<Sso> {
    let AskedSso { session: name, account, role } = asked;
    Ok(session(name, profiles)?.lends(account, role))
}

/// The session of that name.
pub(super) fn session(name: &Chosen, profiles: &Profiles) -> Result<Session> {
    let Chosen { value: name, from } = name;
    let words = format!("`[sso-session {}]`", shown(name));
    let Some(section) = profiles.sso_session(name) else {
        let error = Error::config(format!("{from} names {words}, which is not there"));
        return Err(listing(error.because(format!("looked in {}", places(profiles))), profiles));
    };
    let value = |key| {
        section.get(key).ok_or_else(|| {
            Error::config(format!("{words} has no `{key}`"))
                .because(format!("{from} signs in through it"))
        })
    };
    Ok(Session {
        name: name.clone(),
        start_url: value("sso_start_url")?.to_owned(),
        region: Region::parse(value("sso_region")?, &format!("`sso_region` of {words}"))?,
        scopes: scopes(&section),
    })
}

/// What a sign-in to the session asks for, if it says so.
fn scopes(session: &Section<'_>) -> Option<Vec<String>> {
    let listed = session.get("sso_registration_scopes")?.split(',').map(str::trim);
    let scopes: Vec<String> = listed.filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    (!scopes.is_empty()).then_some(scopes)
}

/// A value the session must have and the profile may repeat.
fn agreed<'a>(key: &str, section: &Section<'_>, session: &Section<'a>) -> Result<&'a str> {
    let (profile, name) = (shown(section.name()), shown(session.name()));
    match (session.get(key), section.get(key)) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(repeated)) if value == repeated => Ok(value),
        (Some(_), Some(_)) => Err(Error::config(format!(
            "profile `{profile}` and `[sso-session {name}]` disagree about `{key}`"
        ))
        .because("the session's is the one that counts; take it out of the profile")),
        (None, Some(_)) => Err(Error::config(format!(
            "`{key}` stands in profile `{profile}` but not in `[sso-session {name}]`"
        ))
        .because("where a profile names a session, it can only be specified there")),
        (None, None) => Err(Error::config(format!("`[sso-session {name}]` has no `{key}`"))
            .because(format!("profile `{profile}` signs in through it"))),
    }
}

fn needed<'a>(key: &str, section: &Section<'a>) -> Result<&'a str> {
    section.get(key).ok_or_else(|| {
        let has = SETTINGS.iter().find(|other| section.get(other).is_some()).unwrap_or(&"sso");
        Error::config(format!("profile `{}` has no `{key}`", shown(section.name())))
            .because(format!("it has `{has}`, so `{key}` must also be set"))
    })
}

const SETTINGS: [&str; 5] =
    ["sso_role_name", "sso_account_id", "sso_session", "sso_start_url", "sso_region"];

const ACCOUNT: Rule =
    Rule { what: "an account", min: 1, max: 20, allows: |c| c.is_ascii_digit(), allowed: "digits" };

#[cfg(test)]
mod tests {
    use crate::testing::World;

    fn profile(lines: &str) -> Result<String, String> {
        let text = format!(
            "[profile x]\nsso_account_id = 1\nsso_role_name = R\n{lines}\n\
             [sso-session corp]\nsso_start_url = u\nsso_region = eu-west-1\n"
        );
        let world = World::new().env(&[("AWS_CONFIG_FILE", "/config")]).file("/config", &text);
        world.ask("--profile x").map(|request| request.describe()).map_err(|e| e.to_string())
    }

    #[test]
    fn both_forms_are_read_and_may_agree() {
        for lines in [
            "sso_session = corp",
            "sso_session = corp\nsso_region = eu-west-1\nsso_start_url = u",
            "sso_start_url = u\nsso_region = eu-west-1",
        ] {
            assert_eq!(profile(lines).as_deref(), Ok("role R in 1 (SSO of profile `x`)"));
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_is_named() {
        for (lines, words) in [
            ("sso_session = corp\nsso_region = us-east-1", "disagree about `sso_region`"),
            ("sso_session = other", "there is no `[sso-session other]`"),
            ("sso_start_url = u", "profile `x` has no `sso_region`"),
            ("sso_region = eu-west-1", "profile `x` has no `sso_start_url`"),
            ("sso_start_url = u\nsso_region = a/b", "`sso_region` of profile `x` is not a region"),
            ("sso_session = corp\nsso_account_id = a", "`sso_account_id` of profile `x`"),
            ("sso_session = corp\nsso_role_name = a/b", "`sso_role_name` of profile `x`"),
        ] {
            let error = profile(lines).unwrap_err();
            assert!(error.contains(words), "{lines}: {error}");
        }
    }
}
