//! One cluster that is named: in which subscription it is, and how it is reached.

use fleetkey_provider::{
    BoxFuture, Credential, Endpoint, Errand, Find, Host, Overrides, Request, Result,
};

use super::{
    arm::Arm,
    az_session::AzSession,
    cluster::{Access, Cluster},
    credential::ClusterCredential,
    flags::AddFlags,
    refusal::add_line,
    subscription::{self, is_id},
    who::{Known, Who},
};
use crate::ask::Ask;

/// The errand of `kubeconfig add`.
pub(super) struct Add {
    ask: Ask,
    manager: Endpoint,
    overrides: Overrides,
    place: Place,
    group: String,
    name: String,
    access: Access,
}

/// The subscription that the cluster is in.
enum Place {
    /// The one of that id.
    Known(String),
    /// The one of that name, or the only one there is.
    Sought(Option<String>),
}

impl Add {
    /// What the flags ask for.
    pub(super) fn new(flags: AddFlags, host: &Host) -> Result<Self> {
        let AddFlags { group, name, subscription, access, manager, arguments } = flags;
        let az = AzSession::find(&arguments, host);
        let known = Known::new(arguments, az.as_ref(), host)?;
        let found = match &az {
            Some(az) => az.subscription(subscription.as_deref(), known.tenant.as_deref())?,
            None => None,
        };
        if let (Some(found), None) = (found, &subscription) {
            host.notes.note(&format!("the default subscription of az is {}", found.id));
        }
        let place = match (found, subscription) {
            (Some(found), _) => Place::Known(found.id.clone()),
            (None, Some(id)) if is_id(&id) => Place::Known(id),
            (None, name) => Place::Sought(name),
        };
        let Who { ask, manager, overrides } = known.decide(found, manager.as_ref(), host)?;
        Ok(Self { ask, manager, overrides, place, group, name, access })
    }
}

impl Errand for Add {
    fn describe(&self) -> String {
        self.cluster(String::new()).shown()
    }

    fn request(&self) -> Option<&dyn Request> {
        Some(&self.ask)
    }

    fn run<'a>(
        &'a self,
        credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let arm = Arm::new(&self.manager, credential, self.ask.sign_in_line())?;
            let id = match &self.place {
                Place::Known(id) => id.clone(),
                Place::Sought(name) => {
                    let again = add_line(&self.group, &self.name);
                    let all = subscription::list(&arm, host).await?;
                    all.choose(name.as_deref(), &again)?.id
                }
            };
            let question = ClusterCredential {
                arm,
                cluster: self.cluster(id),
                access: self.access,
                overrides: self.overrides.clone(),
            };
            Ok(vec![question.ask(host).await?])
        })
    }
}

impl Add {
    fn cluster(&self, subscription: String) -> Cluster {
        Cluster { subscription, group: self.group.clone(), name: self.name.clone() }
    }
}
