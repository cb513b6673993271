//! A profile, followed to where its keys come from.
//!
//! A profile with a role names a source profile, which may have a role again; the walk ends at the
//! first source that holds keys itself.

use std::path::PathBuf;

use fleetkey_provider::{Error, Host, Notes, Result, Rule, shown};

use super::{
    Base, Plan, Process, Role, WebIdentity, environment::WebIdentityVariables, listing,
    login_session, machine, places, sso,
};
use crate::{
    arguments::{EXTERNAL_ID, SESSION_NAME},
    keys::Keys,
    profiles::{Profiles, Section},
    role_arn::RoleArn,
    shell::profile_flag,
    source::SessionName,
};

/// The plan of a profile; `None` if nothing in it leads to keys. `variables` are those of the
/// environment, unless it has no say.
pub(super) fn plan(
    first: Option<Section<'_>>,
    variables: Option<&WebIdentityVariables>,
    profiles: &Profiles,
    host: &Host,
) -> Result<Option<Plan>> {
    let Some(mut section) = first else {
        let base = web_identity(None, variables)?;
        return Ok(base.map(|base| Plan { base: Base::WebIdentity(base), roles: Vec::new() }));
    };
    let mut passed: Vec<Section<'_>> = Vec::new();
    loop {
        // keys of its own end the walk, but not in the profile asked for: there the role is meant
        if !has_role(&section) || (!passed.is_empty() && has_keys(&section)) {
            break;
        }
        let source = match source(&section, profiles)? {
            From::Profile(source) => source,
            From::Named(source) => {
                let base = machine::named(&section, source, host)?;
                passed.push(section);
                return Ok(Some(Plan { base, roles: roles(&passed, host)? }));
            }
        };
        passed.push(section);
        if source.name() == section.name() && has_keys(&section) {
            break;
        }
        if passed.iter().any(|section| section.name() == source.name()) {
            return Err(looped(&passed, source.name()));
        }
        section = source;
    }
    let base = base(&section, variables.filter(|_| passed.is_empty()), profiles)?;
    let Some(base) = base else {
        let Some(last) = passed.last() else { return Ok(None) };
        return Err(Error::config(format!(
            "profile `{}` did not contain credentials",
            shown(section.name())
        ))
        .because(format!("profile `{}` names it as its `source_profile`", shown(last.name())))
        .next(format!("aws configure list{}", profile_flag(Some(section.name())))));
    };
    Ok(Some(Plan { base, roles: roles(&passed, host)? }))
}

/// Where a profile's role gets its keys.
enum From<'a> {
    /// From another profile.
    Profile(Section<'a>),
    /// From what `credential_source` names.
    Named(&'a str),
}

/// The roles on the way, base first. Looked at last: where no keys are, nobody needs to hear of a
/// wrong ARN.
fn roles(passed: &[Section<'_>], host: &Host) -> Result<Vec<Role>> {
    passed.iter().rev().map(|section| role(section, &*host.notes)).collect()
}

fn has_keys(section: &Section<'_>) -> bool {
    [ID, SECRET].iter().any(|key| section.get(key).is_some())
}

/// Whether it assumes a role with another's keys; with a token file it does so with its own.
fn has_role(section: &Section<'_>) -> bool {
    section.get("role_arn").is_some() && section.get(TOKEN_FILE).is_none()
}

/// Where a profile with a role gets its keys.
fn source<'a>(section: &Section<'a>, profiles: &'a Profiles) -> Result<From<'a>> {
    let name = shown(section.name());
    match (section.get("source_profile"), section.get("credential_source")) {
        (Some(_), Some(_)) => Err(Error::config(format!(
            "profile `{name}` has both `source_profile` and `credential_source`"
        ))
        .because("a role is assumed with the keys of one of them")),
        (None, Some(source)) => Ok(From::Named(source)),
        (None, None) => Err(Error::config(format!(
            "profile `{name}` has a `role_arn`, but no `source_profile`"
        ))
        .because("a role is assumed with keys, and nothing says whose")),
        (Some(source), None) => profiles.profile(source).map(From::Profile).ok_or_else(|| {
            let error = Error::config(format!("there is no profile `{}`", shown(source)));
            let cause = format!(
                "profile `{name}` names it as its `source_profile`, and it could not be found in {}",
                places(profiles)
            );
            listing(error.because(cause), profiles)
        }),
    }
}

fn looped(passed: &[Section<'_>], again: &str) -> Error {
    let names = passed.iter().map(Section::name).chain([again]);
    let way: Vec<_> = names.map(|name| format!("`{}`", shown(name))).collect();
    Error::config(format!("the profiles formed a loop at `{}`", shown(again)))
        .because(format!("each is the `source_profile` of the one before: {}", way.join(", ")))
}

/// The role of a profile, without its source.
fn role(section: &Section<'_>, notes: &dyn Notes) -> Result<Role> {
    let of = |key: &str| format!("`{key}` of profile `{}`", shown(section.name()));
    let external_id = section.get("external_id");
    if let Some(id) = external_id {
        EXTERNAL_ID.check(&of("external_id"), id)?;
    }
    let mfa_serial = section.get("mfa_serial");
    if let Some(serial) = mfa_serial {
        MFA_SERIAL.check(&of("mfa_serial"), serial)?;
    }
    let arn = section.get("role_arn").unwrap_or_default();
    Ok(Role {
        arn: RoleArn::new(&of("role_arn"), arn)?,
        external_id: external_id.map(str::to_owned),
        session_name: session_name(section.get("role_session_name"), &of("role_session_name"))?,
        duration: duration(section, notes)?,
        mfa_serial: mfa_serial.map(str::to_owned),
        profile: Some(section.name().to_owned()),
    })
}

fn duration(section: &Section<'_>, notes: &dyn Notes) -> Result<Option<u32>> {
    let Some(text) = section.get("duration_seconds") else { return Ok(None) };
    let from = format!("`duration_seconds` of profile `{}`", shown(section.name()));
    let Ok(seconds) = text.trim().parse::<i64>() else {
        notes.note(&format!("{from} is not a whole number and is ignored, as by the AWS CLI"));
        return Ok(None);
    };
    match u32::try_from(seconds) {
        Ok(seconds @ 900..=43_200) => Ok(Some(seconds)),
        _ => Err(Error::config(format!("{from} is out of range: {seconds}"))
            .because("AWS lends roles for 900 to 43200 seconds")),
    }
}

fn session_name(name: Option<&str>, from: &str) -> Result<SessionName> {
    match name {
        Some(name) => {
            SESSION_NAME.check(from, name)?;
            Ok(SessionName::Fixed(name.to_owned()))
        }
        None => Ok(SessionName::Automatic),
    }
}

/// The keys a profile holds itself, or gets without another profile's.
fn base(
    section: &Section<'_>,
    variables: Option<&WebIdentityVariables>,
    profiles: &Profiles,
) -> Result<Option<Base>> {
    if let Some(found) = web_identity(Some(section), variables)? {
        return Ok(Some(Base::WebIdentity(found)));
    }
    if sso::is_meant(section) || (sso::is_begun(section) && !has_keys(section)) {
        return Ok(Some(Base::Sso(sso::settings(section, profiles)?)));
    }
    // keys of the credentials file come before what the config file says, its own keys after
    let is_first = |key| profiles.is_in_credentials_file(section.name(), key);
    if has_keys(section) && (is_first(ID)? || is_first(SECRET)?) {
        return static_keys(section);
    }
    if let Some(arn) = section.get("login_session") {
        return Ok(Some(Base::LoginSession(login_session::settings(section, arn)?)));
    }
    if let Some(line) = section.get("credential_process") {
        let (profile, line) = (section.name().to_owned(), line.to_owned());
        return Ok(Some(Base::Process(Process { profile, line })));
    }
    static_keys(section)
}

/// The variables win over the profile's keys, one by one.
fn web_identity(
    section: Option<&Section<'_>>,
    variables: Option<&WebIdentityVariables>,
) -> Result<Option<WebIdentity>> {
    let of = |key: &str| section.and_then(|section| section.get(key));
    let named = |key: &str, variable: &str, from_variable: bool| match section {
        Some(section) if !from_variable => {
            format!("`{key}` of profile `{}`", shown(section.name()))
        }
        _ => format!("`{variable}`"),
    };
    let from_variable = variables.and_then(|variables| variables.token_file.clone());
    let is_variable = from_variable.is_some();
    let Some(token_file) = from_variable.or_else(|| of(TOKEN_FILE).map(PathBuf::from)) else {
        return Ok(None);
    };
    let role_variable = variables.and_then(|variables| variables.role_arn.as_deref());
    let Some(role) = role_variable.or_else(|| of("role_arn")) else {
        let file = named(TOKEN_FILE, "AWS_WEB_IDENTITY_TOKEN_FILE", is_variable);
        let role = named("role_arn", "AWS_ROLE_ARN", is_variable);
        return Err(Error::config(format!("{file} is set, but {role} was missing"))
            .because("a federated token is exchanged for a role"));
    };
    let role = RoleArn::new(&named("role_arn", "AWS_ROLE_ARN", role_variable.is_some()), role)?;
    let name_variable = variables.and_then(|variables| variables.session_name.as_deref());
    let name_from = named("role_session_name", "AWS_ROLE_SESSION_NAME", name_variable.is_some());
    let name = session_name(name_variable.or_else(|| of("role_session_name")), &name_from)?;
    let profile = section.filter(|_| !is_variable).map(|section| section.name().to_owned());
    Ok(Some(WebIdentity { role, token_file, session_name: name, profile }))
}

fn static_keys(section: &Section<'_>) -> Result<Option<Base>> {
    let profile = shown(section.name());
    let missing = |key: &str| {
        Err(Error::config(format!("profile `{profile}` is missing `{key}`"))
            .because("access keys come in pairs")
            .next(format!("aws configure{}", profile_flag(Some(section.name())))))
    };
    match (section.get(ID), section.get(SECRET)) {
        (None, None) => Ok(None),
        (Some(_), None) => missing(SECRET),
        (None, Some(_)) => missing(ID),
        (Some(id), Some(secret)) => {
            // in botocore's order, the older name first
            let token = section
                .get("aws_security_token")
                .or_else(|| section.get("aws_session_token"))
                .map(str::to_owned);
            let mut keys = Keys::new(&format!("profile `{profile}`"), id, secret, token)?;
            keys.account = section.get("aws_account_id").map(str::to_owned);
            Ok(Some(Base::StaticKeys { keys, profile: section.name().to_owned() }))
        }
    }
}

/// What STS takes as `SerialNumber`: the ARN of a device in software, or the number on one of metal.
const MFA_SERIAL: Rule = Rule {
    what: "an MFA device's ARN or serial number",
    min: 9,
    max: 256,
    allows: |c| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c),
    allowed: "letters, digits and `_+=/:,.@-`",
};

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const TOKEN_FILE: &str = "web_identity_token_file";

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use crate::testing::{ROLE, World};

    /// The error of profile `x` with these lines.
    fn wrong(lines: &str) -> fleetkey_provider::Error {
        let world = World::new().file("/home/.aws/credentials", &format!("[x]\n{lines}\n"));
        let error = world.ask("--profile x").unwrap_err();
        assert_eq!(error.kind(), Kind::Config, "{error}");
        error
    }

    #[test]
    fn keys_of_the_credentials_file_come_before_a_program_and_those_of_the_config_file_after() {
        let keys = "aws_access_key_id = A\naws_secret_access_key = s\n";
        let process = "credential_process = /bin/lend\n";
        for (config, credentials, from) in [
            (process, keys, "access keys of profile `p`"),
            (keys, process, "`credential_process` of profile `p`"),
            (&format!("{keys}{process}"), "", "`credential_process` of profile `p`"),
            ("", &format!("{keys}{process}"), "access keys of profile `p`"),
        ] {
            let config = format!("[profile p]\n{config}");
            let world = World::new()
                .file("/home/.aws/config", &config)
                .file("/home/.aws/credentials", &format!("[p]\n{credentials}"));
            assert_eq!(world.ask("--profile p").unwrap().describe(), from, "{config}");
        }
    }

    #[test]
    fn what_sts_would_refuse_is_refused_with_the_keys_name() {
        let role = format!("role_arn = {ROLE}\nsource_profile = keys\n");
        for (line, words) in [
            ("duration_seconds = 899", "`duration_seconds` of profile `x` is out of range: 899"),
            ("duration_seconds = -1", "out of range"),
            ("duration_seconds = 43201", "out of range"),
            ("external_id = x", "`external_id` of profile `x`"),
            ("role_session_name = a b", "`role_session_name` of profile `x`"),
            ("mfa_serial = 123", "`mfa_serial` of profile `x`"),
            ("mfa_serial = arn:aws:iam::1:mfa/a b", "`mfa_serial` of profile `x`"),
        ] {
            let error = wrong(&format!("{role}{line}")).to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
        let error = wrong("role_arn = R\nsource_profile = keys").to_string();
        assert!(error.contains("`role_arn` of profile `x` is not a role's ARN"), "{error}");
    }

    #[test]
    fn a_session_token_of_a_profile_is_read_under_both_names_the_older_first() {
        let token = |lines: &str| {
            let keys = format!("[x]\naws_access_key_id = A\naws_secret_access_key = s\n{lines}\n");
            let world = World::new().file("/home/.aws/credentials", &keys);
            let credential = world.lend(world.ask("--profile x").unwrap().as_ref()).unwrap();
            let kept: serde_json::Value = serde_json::from_str(credential.expose()).unwrap();
            kept["token"].as_str().map(str::to_owned)
        };
        assert_eq!(token("").as_deref(), None);
        assert_eq!(token("aws_session_token = new").as_deref(), Some("new"));
        assert_eq!(token("aws_security_token = old").as_deref(), Some("old"));
        let both = "aws_session_token = new\naws_security_token = old";
        assert_eq!(token(both).as_deref(), Some("old"));
    }

    #[test]
    fn a_duration_that_is_no_number_is_noted_and_ignored() {
        let role = format!("[x]\nrole_arn = {ROLE}\nsource_profile = keys\nduration_seconds = 1h");
        let world = World::new().file("/home/.aws/credentials", &role);
        assert!(world.ask("--profile x").is_ok());
        assert!(world.notes.lines().iter().any(|line| line.contains("`duration_seconds`")));
    }

    #[test]
    fn a_token_of_the_environment_serves_no_source_and_no_explicit_profile() {
        let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", ROLE)];
        let world = World::new().env(&web).file("/t", "e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.bmV3");
        let description = world.ask("").unwrap().describe();
        assert_eq!(description, "role eks-prod in 123456789012 (web identity of the environment)");
        for profile in ["keys", "prod", "over-sso"] {
            let request = world.ask(&format!("--profile {profile}")).unwrap();
            assert!(!request.describe().contains("web identity"), "{profile}");
        }
        // a role of the profile goes before it, as in botocore
        let named = world.env(&[("AWS_PROFILE", "prod")]).ask("").unwrap();
        assert_eq!(named.describe(), "role eks-prod in 123456789012 (via profile prod)");
    }
}
