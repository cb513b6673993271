//! `kubeconfig discover`: where to look first.
//!
//! At what flags name; or at every session that somebody is signed in to, and every profile that
//! stands for nothing of these. Who typed nothing about AWS is asked nothing and hears of no mistake
//! but as a line among what failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{Errand, Error, Host, Request, Result, quoted, shown};

use super::{
    caller::Settings,
    of_profile::{Failing, OfProfile},
    of_session::{Accounts, Search},
    signed_in::SignedIn,
    viewer::Wanted,
};
use crate::{
    arguments::{Chosen, PROFILE, ROLE_NAME, SESSION_RULE},
    plan::{self, Base, Plan},
    profiles::Profiles,
    region::Region,
    shell::files_prefix,
    signing_in,
    source::Catalogue,
};

const SESSION_ID: &str = "aws-sso-session";
const PROFILE_ID: &str = "aws-profile";
const ROLE_ID: &str = "aws-role-name";

/// The flags, on a command that other clouds put theirs on too.
pub(super) fn augment(command: Command) -> Command {
    let flag = |id, long, name, help| {
        Arg::new(id).long(long).value_name(name).action(ArgAction::Append).help(help)
    };
    command
        .arg(flag(PROFILE_ID, "profile", "NAME", "An AWS profile to look with; may be repeated"))
        .arg(flag(
            SESSION_ID,
            "sso-session",
            "NAME",
            "An AWS SSO session whose accounts to look in; may be repeated",
        ))
        .arg(flag(
            ROLE_ID,
            "role-name",
            "NAME",
            "The role to look with in the accounts of an SSO session; the first that an account has \
             counts; may be repeated [default: each role until one sees clusters]",
        ))
}

/// Understands them.
pub(super) fn errands(
    matches: &mut ArgMatches,
    wanted: &fleetkey_provider::Wanted,
    host: &Host,
) -> Result<Vec<Box<dyn Errand>>> {
    let mut typed =
        |id| matches.remove_many::<String>(id).into_iter().flatten().collect::<Vec<_>>();
    let (sessions, profiles, roles) = (typed(SESSION_ID), typed(PROFILE_ID), typed(ROLE_ID));
    for role in &roles {
        ROLE_NAME.check("`--role-name`", role)?;
    }
    let is_named = !sessions.is_empty() || !profiles.is_empty();
    if sessions.is_empty() && is_named && !roles.is_empty() {
        return Err(Error::config("`--role-name` needs an SSO session").because(
            "it says which roles of a session to look with, and only profiles are named",
        ));
    }
    let wanted = match regions(wanted, host) {
        Ok(wanted) => wanted,
        Err(error) if is_named => return Err(error),
        Err(_) => return Ok(Vec::new()),
    };
    let loaded = match Profiles::load(host) {
        Ok(loaded) => Arc::new(loaded),
        Err(error) if is_named => return Err(error),
        Err(why) => return Ok(vec![failing("AWS's profiles".into(), why)]),
    };
    let look = Look { plans: plans(&loaded, host), profiles: loaded, roles, wanted, host };
    if is_named { look.named(sessions, profiles) } else { Ok(look.everywhere()) }
}

/// The regions to look in. Errors if they are all of other clouds.
fn regions(wanted: &fleetkey_provider::Wanted, host: &Host) -> Result<Wanted> {
    if wanted.regions.is_empty() {
        return Ok(Wanted(None));
    }
    let mut ours = Vec::new();
    let mut flaw = None;
    for name in &wanted.regions {
        match Region::parse(name, "`--region`") {
            Ok(region) if ours.contains(&region) => {}
            Ok(region) => ours.push(region),
            Err(error) => {
                host.notes.note(&format!("no region of AWS: {error}"));
                flaw = Some(error);
            }
        }
    }
    match flaw {
        Some(flaw) if ours.is_empty() => Err(flaw),
        _ => Ok(Wanted(Some(ours))),
    }
}

/// What each profile leads to by itself, by name.
type Plans = BTreeMap<String, Result<Plan>>;

fn plans(profiles: &Profiles, host: &Host) -> Plans {
    let plan = |name: &str| {
        let plan = plan::of_profile(name, profiles, host).transpose()?;
        Some((name.to_owned(), plan))
    };
    profiles.names().filter_map(plan).collect()
}

/// Looks for where to look.
struct Look<'a> {
    profiles: Arc<Profiles>,
    plans: Plans,
    roles: Vec<String>,
    wanted: Wanted,
    host: &'a Host,
}

impl Look<'_> {
    /// At what flags name.
    fn named(&self, sessions: Vec<String>, profiles: Vec<String>) -> Result<Vec<Box<dyn Errand>>> {
        let mut errands: Vec<Box<dyn Errand>> = Vec::new();
        for name in once(sessions) {
            let from = "`--sso-session`".to_owned();
            SESSION_RULE.check(&from, &name)?;
            errands.push(self.session(self.catalogue(&Chosen { value: name, from })?, true));
        }
        for name in once(profiles) {
            let from = "`--profile`".to_owned();
            PROFILE.check(&from, &name)?;
            let plan = self.plans.get(&name).and_then(|plan| plan.as_ref().ok());
            errands.push(Box::new(self.profile(Chosen { value: name, from }, plan)?));
        }
        Ok(errands)
    }

    /// At everything that nobody has to be asked for.
    fn everywhere(&self) -> Vec<Box<dyn Errand>> {
        let used: BTreeSet<&str> = self.plans.values().flatten().filter_map(session).collect();
        let mut errands: Vec<Box<dyn Errand>> = Vec::new();
        let (mut looked_at, mut signed_in) = (BTreeSet::new(), BTreeSet::new());
        let mut names: Vec<&str> = self.profiles.sso_sessions().collect();
        names.sort_unstable();
        for name in names {
            let from = "the config file".to_owned();
            let catalogue = match self.catalogue(&Chosen { value: name.to_owned(), from }) {
                Ok(catalogue) => catalogue,
                Err(why) => {
                    errands.push(failing(format!("SSO session `{}`", shown(name)), why));
                    continue;
                }
            };
            let is_signed_in = catalogue.is_signed_in(self.host);
            if is_signed_in {
                signed_in.insert(name);
            }
            // one that profiles want is told of, once, with the line to sign in by
            if is_signed_in || used.contains(name) {
                looked_at.insert(name);
                errands.push(self.session(catalogue, false));
            }
        }
        let mut identities = BTreeSet::new();
        for (name, plan) in &self.plans {
            let what = || format!("clusters of profile `{}`", shown(name));
            let plan = match plan {
                Ok(plan) => plan,
                Err(why) => {
                    errands.push(failing(what(), why.clone()));
                    continue;
                }
            };
            let session = session(plan);
            let is_covered = session.is_some_and(|name| {
                looked_at.contains(name) && (plan.roles.is_empty() || !signed_in.contains(name))
            });
            if is_covered {
                continue;
            }
            if plan.roles.iter().any(|role| role.mfa_serial.is_some()) {
                errands.push(failing(what(), self.needs_a_person(name)));
                continue;
            }
            let from = "the config file".to_owned();
            match self.profile(Chosen { value: name.clone(), from }, Some(plan)) {
                Ok(errand) => {
                    let errand = errand.asking_nobody();
                    let identity = errand.request().map(Request::fingerprint);
                    if identities.insert(identity.map(|print| print.to_string())) {
                        errands.push(Box::new(errand));
                    }
                }
                Err(why) => errands.push(failing(what(), why)),
            }
        }
        errands
    }

    fn catalogue(&self, name: &Chosen) -> Result<Catalogue> {
        signing_in::catalogue(name, &self.profiles, self.host)
    }

    /// `may_ask` if somebody named it, and so is there to sign in to it.
    fn session(&self, catalogue: Catalogue, may_ask: bool) -> Box<dyn Errand> {
        let name = catalogue.settings().name.clone();
        let stands_for = |(profile, plan): (&String, &Result<Plan>)| match plan {
            Ok(Plan { base: Base::Sso(sso), roles }) if roles.is_empty() => {
                let is_of_it = sso.session.as_ref() == Some(&name);
                is_of_it.then(|| ((sso.account.clone(), sso.role.clone()), profile.clone()))
            }
            _ => None,
        };
        // the first of those that stand for the same
        let profiles = self.plans.iter().rev().filter_map(stands_for).collect();
        let settings = Settings { profiles: Arc::clone(&self.profiles), profile: None };
        let signed_in = may_ask.then(|| SignedIn(catalogue.clone()));
        let (role_names, wanted) = (self.roles.clone(), self.wanted.clone());
        let search = Search { catalogue, role_names, wanted, settings, profiles };
        Box::new(Accounts { search: Arc::new(search), signed_in })
    }

    fn profile(&self, name: Chosen, plan: Option<&Plan>) -> Result<OfProfile> {
        OfProfile::new(name, plan, &self.profiles, &self.wanted, self.host)
    }

    fn needs_a_person(&self, profile: &str) -> Error {
        Error::sign_in_needed(format!("profile `{}` needs an MFA code", shown(profile)))
            .because("nobody is asked for one but for a profile that a flag names")
            .next(format!(
                "{}fleetkey kubeconfig discover --profile {}",
                files_prefix(self.host),
                quoted(profile)
            ))
    }
}

/// The session that a plan begins with.
fn session(plan: &Plan) -> Option<&str> {
    match &plan.base {
        Base::Sso(sso) => sso.session.as_deref(),
        _ => None,
    }
}

/// Each once, in the order they were typed.
fn once(names: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}

fn failing(what: String, why: Error) -> Box<dyn Errand> {
    Box::new(Failing { what, why })
}

#[cfg(test)]
mod tests;
