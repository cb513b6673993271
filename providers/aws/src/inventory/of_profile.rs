//! What a profile leads to: the one account that its keys belong to.
//!
//! The keys are the host's to bring, with its cache and its locks, as for a token.

use std::sync::Arc;

use fleetkey_provider::{
    BoxFuture, Credential, Errand, Error, ExecInfo, Find, Host, Request, Result, shown,
};

use super::{
    add::keys,
    caller::{Caller, Settings},
    viewer::{Home, Viewer, Wanted, errand},
};
use crate::{
    arguments::{ACCOUNT_ID, Arguments, Chosen, written},
    endpoints::{Service, Target},
    errors::Asker,
    keys::Keys,
    partition::Partition,
    plan::{Base, Plan},
    profiles::Profiles,
    region::{self, Region},
    request::{Understood, understand},
    source::Account,
    step::Step,
    sts::Sts,
    token::ClusterId,
};

/// Looks with a profile.
pub(super) struct OfProfile {
    step: Step,
    whose: Arc<Whose>,
}

/// What is known of a profile before its keys are.
struct Whose {
    profile: String,
    labels: Vec<(&'static str, String)>,
    asker: Asker,
    settings: Settings,
    home: Home,
    wanted: Wanted,
}

impl OfProfile {
    /// Understands it. `plan` is what the profile itself says, if it leads to keys.
    pub(super) fn new(
        profile: Chosen,
        plan: Option<&Plan>,
        profiles: &Arc<Profiles>,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Self> {
        let name = profile.value.clone();
        let home = home(&name, plan, profiles, host)?;
        let arguments = Arguments {
            // none is meant, and none is signed for
            cluster: ClusterId::parse("CLUSTER", "a constant")?,
            region: Some(home.region.as_str().to_owned()),
            profile: Some(profile),
            sso: None,
            roles: Vec::new(),
        };
        let Understood { step, profile, region: _, named: _ } =
            understand(arguments, &ExecInfo::default(), profiles, host)?;
        let mut labels = Vec::new();
        let (role, session) = plan.map(of_plan).unwrap_or_default();
        labels.extend(role.map(|role| ("role", role)));
        labels.push(("profile", name.clone()));
        labels.extend(session.map(|session| ("sso-session", session)));
        let settings = Settings { profiles: Arc::clone(profiles), profile };
        let (asker, wanted) = (step.asker(), wanted.clone());
        let whose = Whose { profile: name, labels, asker, settings, home, wanted };
        Ok(Self { step, whose: Arc::new(whose) })
    }
}

impl OfProfile {
    /// The same, with nobody who is asked to sign in.
    pub(super) fn asking_nobody(self) -> Self {
        Self { step: self.step.asking_nobody(), ..self }
    }
}

impl Errand for OfProfile {
    fn describe(&self) -> String {
        format!("keys of profile `{}`", shown(&self.whose.profile))
    }

    fn request(&self) -> Option<&dyn Request> {
        Some(&self.step)
    }

    fn run<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let (keys, whose) = (keys(credential)?, &self.whose);
            let is_account = |id: &&String| ACCOUNT_ID.check("an account", id).is_ok();
            match keys.account.as_ref().filter(is_account).cloned() {
                Some(account) => Ok(whose.looks(keys, account, host)),
                None => Ok(vec![errand(WhoAmI { keys, whose: Arc::clone(whose) })]),
            }
        })
    }
}

/// Asks which account keys belong to.
struct WhoAmI {
    keys: Keys,
    whose: Arc<Whose>,
}

impl Errand for WhoAmI {
    fn describe(&self) -> String {
        format!("account of profile `{}`", shown(&self.whose.profile))
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let Self { keys, whose } = self;
            let Whose { settings, asker, home, .. } = &**whose;
            let Target { endpoint, signing_region, is_default } =
                settings.target(Service::Sts, &home.region, &home.from, host)?;
            let ca_bundle = settings.ca_bundle(host)?;
            let sts = Sts { endpoint, is_default, signing_region, ca_bundle };
            let account = sts.account(keys, asker, host).await?;
            Ok(whose.looks(keys.clone(), account, host))
        })
    }
}

impl Whose {
    fn looks(&self, keys: Keys, account: String, host: &Host) -> Vec<Find> {
        let Self { profile, labels, asker, settings, home, wanted } = self;
        let account_id = [("account-id", account.clone())];
        let viewer = Viewer {
            caller: Arc::new(Caller { keys, asker: asker.clone(), settings: settings.clone() }),
            account: Account { id: account, name: None },
            labels: account_id.into_iter().chain(labels.iter().cloned()).collect(),
            flags: written("profile", profile),
            home: home.clone(),
        };
        viewer.looks(wanted, None, host).into_iter().collect()
    }
}

/// The region to ask about others: what environment and profile say, if accounts of the plan's
/// partition can have it.
fn home(name: &str, plan: Option<&Plan>, profiles: &Profiles, host: &Host) -> Result<Home> {
    let section = profiles.profile(name);
    let said = region::resolve(None, &ExecInfo::default(), section.as_ref(), host)?;
    let partition = plan.and_then(partition);
    if let Some((region, from)) = said
        && partition.is_none_or(|partition| partition == region.partition())
    {
        return Ok(Home { region, from });
    }
    let region = partition.unwrap_or(Partition::of_region("")).global_region;
    let from = "a constant";
    Ok(Home { region: Region::parse(region, from)?, from: from.into() })
}

fn partition(plan: &Plan) -> Option<&'static Partition> {
    match (plan.roles.last(), &plan.base) {
        (Some(role), _) => Partition::of_arn(role.arn.as_str()),
        (None, Base::WebIdentity(token)) => Partition::of_arn(token.role.as_str()),
        (None, Base::Sso(sso)) => Some(sso.region.partition()),
        (None, Base::LoginSession(login)) => Partition::of_arn(&login.arn),
        (None, _) => None,
    }
}

/// The role that a plan ends in, and the session that it begins with.
fn of_plan(plan: &Plan) -> (Option<String>, Option<String>) {
    let role = match (plan.roles.last(), &plan.base) {
        (Some(role), _) => Some(role.arn.name().to_owned()),
        (None, Base::WebIdentity(token)) => Some(token.role.name().to_owned()),
        (None, Base::Sso(sso)) => Some(sso.role.clone()),
        (None, _) => None,
    };
    let session = match &plan.base {
        Base::Sso(sso) => sso.session.clone(),
        _ => None,
    };
    (role, session)
}

/// What cannot be looked at, and why: a line among what failed.
pub(super) struct Failing {
    /// What would have been asked.
    pub(super) what: String,
    /// Why it was not.
    pub(super) why: Error,
}

impl Errand for Failing {
    fn describe(&self) -> String {
        self.what.clone()
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        _host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move { Err(self.why.clone()) })
    }
}
