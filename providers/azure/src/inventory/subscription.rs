//! The subscriptions an account sees.

use fleetkey_provider::{Error, Host, Result, shown};
use serde_json::Value;

use super::{
    arm::{Arm, Pages},
    refusal::{LIST, Question},
};
use crate::authority::is_guid;

/// One of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Subscription {
    /// Its id, a GUID.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// The tenant it is in.
    pub(super) tenant: Option<String>,
    /// Whether it is in use.
    pub(super) is_enabled: bool,
}

/// Those that could be read.
pub(super) struct Subscriptions {
    pub(super) all: Vec<Subscription>,
    /// Why there may be others.
    pub(super) failure: Option<Error>,
    /// Those that are not as Azure writes them.
    pub(super) odd: Option<Error>,
}

/// Asks for all.
pub(super) async fn list(arm: &Arm, host: &Host) -> Result<Subscriptions> {
    let question = Question::Subscriptions;
    let Pages { values, failure } = arm.list("/subscriptions", VERSION, &question, host).await?;
    let all: Vec<_> = values.iter().filter_map(Subscription::read).collect();
    let count = values.len() - all.len();
    let odd = (count > 0).then(|| {
        Error::failed("a subscription was not understood").because(format!(
            "{count} of {} in the answer have no id as Azure writes them",
            values.len()
        ))
    });
    Ok(Subscriptions { all, failure, odd })
}

impl Subscription {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let id = text("subscriptionId").filter(|id| is_id(id))?;
        Some(Self {
            name: text("displayName").filter(|n| !n.is_empty()).unwrap_or_else(|| id.clone()),
            tenant: text("tenantId").filter(|tenant| is_id(tenant)),
            is_enabled: text("state").is_some_and(|state| state.eq_ignore_ascii_case("enabled")),
            id,
        })
    }

    /// Whether that is its id or its name.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        [&self.id, &self.name].iter().any(|text| text.to_lowercase() == wanted.to_lowercase())
    }
}

impl Subscriptions {
    /// The one of that id or name, or the only one that is in use. `again` is the line that was typed,
    /// without a subscription.
    pub(super) fn choose(self, wanted: Option<&str>, again: &str) -> Result<Subscription> {
        let Self { all, failure, odd } = self;
        let (mut found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| match wanted {
            Some(wanted) => s.is_called(wanted),
            None => s.is_enabled,
        });
        if found.len() == 1
            && let Some(only) = found.pop()
        {
            return Ok(only);
        }
        if let Some(error) = failure.or(odd) {
            return Err(error); // the one that is meant may be on a page that did not come
        }
        Err(match (wanted, found.as_slice()) {
            (Some(wanted), []) => {
                Error::config(format!("this account sees no subscription `{}`", shown(wanted)))
                    .because(format!("it sees {}", listed(&others)))
                    .next(LIST)
            }
            (None, []) => Error::config("this account sees no subscription that is in use")
                .because(format!("it sees {}", listed(&others)))
                .next(LIST),
            (_, [first, ..]) => Error::config("several subscriptions may be meant")
                .because(format!("`--subscription` names one of {}", listed(&found)))
                .next(format!("{again} --subscription {}", first.id)),
        })
    }
}

/// Names and ids, as far as a line has room.
fn listed(all: &[Subscription]) -> String {
    const MOST: usize = 8;
    let mut names: Vec<_> =
        all.iter().take(MOST).map(|s| format!("`{}` ({})", shown(&s.name), s.id)).collect();
    if all.len() > MOST {
        names.push(format!("{} more", all.len() - MOST));
    }
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Whether it is an id of a subscription or tenant.
pub(super) fn is_id(text: &str) -> bool {
    is_guid(text)
}

/// A version of the question that stays as it is ("Subscriptions - List").
const VERSION: &str = "2022-12-01";
