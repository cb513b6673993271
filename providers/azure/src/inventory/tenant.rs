//! The tenants that are looked in, and the subscriptions of each.

use std::sync::{Arc, Mutex, PoisonError};

use fleetkey_provider::{
    BoxFuture, Credential, Errand, Error, Find, Host, Request, Result, Wanted, shown,
};

use super::{
    arm::Arm,
    az_session::AzSession,
    clusters::{Clusters, region},
    flags::DiscoverFlags,
    refusal::LIST,
    subscription::{self, Subscription, Subscriptions},
    who::{Known, Who, is_of_many_tenants},
};
use crate::{
    arguments::Arguments,
    environment::Environment,
    given::{Chosen, Origin},
};

/// The tenants that `discover` looks in: those that are named, else those of az, else, if somebody
/// said how to sign in, the one that whoever signs in is of (`None`).
pub(super) fn to_look_in(
    flags: &DiscoverFlags,
    az: Option<&AzSession>,
    host: &Host,
) -> Result<Vec<Option<Chosen>>> {
    if !flags.tenants.is_empty() {
        return Ok(flags.tenants.iter().cloned().map(Some).collect());
    }
    let login = Environment::new(&flags.arguments, host).login(flags.arguments.login.as_ref());
    // a variable alone is no wish to look into Azure
    let login = login.or_else(|error| if flags.is_typed { Err(error) } else { Ok(None) })?;
    let of_az = az.filter(|_| is_of_many_tenants(login)).map(AzSession::tenants);
    let of_az: Vec<_> = of_az
        .unwrap_or_default()
        .into_iter()
        .map(|value| Some(Chosen { value, from: Origin::Flag("tenant-id") }))
        .collect();
    if !of_az.is_empty() {
        return Ok(of_az);
    }
    match (&flags.arguments.login, flags.is_typed) {
        (Some(_), _) => Ok(vec![None]),
        (None, false) => Ok(Vec::new()),
        (None, true) => Err(Error::config("there is no tenant of Azure to look in")
            .because(
                "nobody is signed in to az there, and neither `--tenant-id` nor `--login` is given",
            )
            .next("fleetkey kubeconfig discover --login interactive")),
    }
}

/// What is looked for, in all tenants together.
pub(super) struct Sought {
    regions: Vec<String>,
    subscriptions: Vec<String>,
    open: Mutex<Open>,
}

/// What is not answered yet.
struct Open {
    tenants: usize,
    missing: Vec<String>,
}

impl Sought {
    /// In so many tenants.
    pub(super) fn new(wanted: &Wanted, subscriptions: Vec<String>, tenants: usize) -> Self {
        let regions = wanted.regions.iter().map(|name| region(name)).collect();
        let open = Mutex::new(Open { tenants, missing: subscriptions.clone() });
        Self { regions, subscriptions, open }
    }

    /// Whether clusters of that region are wanted.
    pub(super) fn is_in(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|wanted| wanted == region)
    }

    fn is_wanted(&self, subscription: &Subscription) -> bool {
        self.subscriptions.is_empty()
            || self.subscriptions.iter().any(|wanted| subscription.is_called(wanted))
    }

    /// What one tenant has. Answers what none has, if that was the last.
    fn seen(&self, all: &[Subscription]) -> Vec<String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.missing.retain(|wanted| !all.iter().any(|s| s.is_called(wanted)));
        open.tenants = open.tenants.saturating_sub(1);
        if open.tenants == 0 { std::mem::take(&mut open.missing) } else { Vec::new() }
    }
}

/// The question for a tenant's subscriptions.
pub(super) struct Tenant {
    /// As it was named.
    name: Option<String>,
    /// Who asks, or why nobody can.
    who: Result<Who>,
    sought: Arc<Sought>,
}

impl Tenant {
    /// What is wrong with one tenant is said when it is looked in: others may be well.
    pub(super) fn new(
        tenant: Option<Chosen>,
        flags: &DiscoverFlags,
        az: Option<&AzSession>,
        sought: Arc<Sought>,
        host: &Host,
    ) -> Self {
        let name = tenant.as_ref().map(|tenant| tenant.value.clone());
        let arguments = Arguments { tenant_id: tenant, ..flags.arguments.clone() };
        let who = Known::new(arguments, az, host)
            .and_then(|known| known.decide(None, flags.manager.as_ref(), host));
        Self { name, who, sought }
    }
}

impl Errand for Tenant {
    fn describe(&self) -> String {
        match (&self.name, &self.who) {
            (Some(name), _) => format!("the subscriptions of tenant {}", shown(name)),
            (None, Ok(who)) => format!("the subscriptions of {}", who.ask.describe()),
            (None, Err(_)) => "the subscriptions of Azure".into(),
        }
    }

    fn request(&self) -> Option<&dyn Request> {
        self.who.as_ref().ok().map(|who| -> &dyn Request { &who.ask })
    }

    fn run<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let who = self.who.as_ref().map_err(Error::clone)?;
            let arm = Arm::new(&who.manager, credential, who.ask.sign_in_line())?;
            let Subscriptions { all, failure, odd } = subscription::list(&arm, host).await?;
            let mut found: Vec<Find> = Vec::new();
            let is_whole = failure.is_none() && odd.is_none();
            for name in if is_whole { self.sought.seen(&all) } else { Vec::new() } {
                let error = Error::config("no tenant that was looked in has it").next(LIST);
                found.push(Find::Failure(format!("subscription `{}`", shown(&name)), error));
            }
            let failures = failure.into_iter().chain(odd);
            found.extend(failures.map(|error| Find::Failure(self.describe(), error)));
            for subscription in all.into_iter().filter(|s| s.is_enabled) {
                if self.sought.is_wanted(&subscription) {
                    found.push(Find::Errand(Box::new(Clusters {
                        arm: arm.clone(),
                        subscription,
                        tenant: self.name.clone(),
                        sought: Arc::clone(&self.sought),
                        overrides: who.overrides.clone(),
                    })));
                }
            }
            Ok(found)
        })
    }
}
