//! What is answered at once although it will soon be over, and who sees to its successor.
//!
//! For a person, from four fifths of a credential's life on: the call answers with what is kept, and
//! one of all callers starts a process that renews it ([`renewal`]). Nobody waits for a machine, so its
//! credentials are renewed by whoever finds them stale. So are those of a command line with a secret in
//! it: that process has the same one, for as long as a request takes.

use std::ffi::OsString;

use fleetkey_provider::{Credential, Fingerprint, Request, Result};

use super::{Broker, chain};
use crate::{
    World,
    host::Store,
    options::{CacheUse, Options},
    renewal::{self, FLEETKEY_NO_RENEW_AHEAD, Turn},
    world::StartRenewal,
};

/// Why a line with a secret in it is not started again.
const SHOWN: &str = "the command line has a secret in it, which would be seen for longer";

impl Broker<'_> {
    /// This run prints a token, and whoever waits for it has work to do: successors are fetched by
    /// another process, if one can be started.
    pub(crate) fn ahead(mut self) -> Self {
        self.ahead = self.options.renew_ahead;
        self
    }

    /// What is at hand and needs no successor yet, or what is at hand at all.
    pub(super) fn at_hand(&self, request: &dyn Request) -> Result<AtHand> {
        // with `--fresh` or `--no-cache` what lies in another tool's cache will not do either; keys
        // that are just there, and stand on nobody's session, are all there is
        if self.options.cache != CacheUse::Normal && request.session().is_some() {
            return Ok(AtHand::Nothing);
        }
        Ok(match request.at_hand(&self.world.host)? {
            None => AtHand::Nothing,
            Some(credential)
                if self.sees_to_successors()
                    && credential.is_due(self.now(), || request.fingerprint())
                    && request.session().is_some() =>
            {
                AtHand::Due(credential)
            }
            Some(credential) => AtHand::Enough(credential),
        })
    }

    /// Whether it is answered at once. If its successor is due, somebody sees to that.
    pub(super) fn is_enough(
        &self,
        request: &dyn Request,
        store: &dyn Store,
        key: Fingerprint,
        kept: &Credential,
    ) -> bool {
        let now = self.now();
        let is_fresh = kept.is_fresh(now);
        if !self.sees_to_successors() || !kept.is_due(now, || key) || !is_of_a_person(request) {
            return is_fresh;
        }
        if self.world.is_renewal {
            return false; // it is what this run is for
        }
        match self.start_renewal(request, store, key, kept) {
            Ok(()) => kept.serves(now),
            Err(why) => {
                self.note(&format!("nobody renews {} ahead: {why}", request.describe()));
                is_fresh
            }
        }
    }

    /// Whether somebody has kept a successor meanwhile.
    pub(super) fn is_new_enough(&self, key: Fingerprint, found: &Credential) -> bool {
        let now = self.now();
        found.is_fresh(now) && !(self.world.is_renewal && found.is_due(now, || key))
    }

    /// Whether a successor that is due is anything to this run.
    fn sees_to_successors(&self) -> bool {
        self.ahead || self.world.is_renewal
    }

    /// Has the successor fetched, unless somebody does so already. Errors if nobody will.
    fn start_renewal(
        &self,
        request: &dyn Request,
        store: &dyn Store,
        key: Fingerprint,
        kept: &Credential,
    ) -> Result<(), String> {
        let start = starter(self.world)?;
        if (self.world.shows_secret)() {
            return Err(SHOWN.into());
        }
        match renewal::turn(store, key, kept.issued(), self.now())? {
            Turn::Nobodys => Ok(()),
            Turn::Ours => {
                self.note(&format!("another process renews {}", request.describe()));
                start()
            }
        }
    }
}

/// Whether a call of that command line answers with what is stale, since another process fetches its
/// successor: the same rule, for who only looks.
pub(crate) fn serves_on(
    args: &[String],
    options: &Options,
    request: &dyn Request,
    kept: &Credential,
    world: &World,
) -> bool {
    options.renew_ahead
        && kept.serves(world.host.clock.now())
        && is_of_a_person(request)
        && starter(world).is_ok()
        && !renewal::shows_secret(args.iter().map(OsString::from))
}

/// What starts the process. Errors where nobody may.
fn starter(world: &World) -> Result<&StartRenewal, String> {
    let off = world.host.env.var(FLEETKEY_NO_RENEW_AHEAD).filter(|value| !value.is_empty());
    if off.is_some_and(|value| value != "false" && value != "0") {
        return Err(format!("`{FLEETKEY_NO_RENEW_AHEAD}` says so"));
    }
    let start = world.start_renewal.as_ref();
    start.ok_or_else(|| "this program is part of another".to_owned())
}

/// What needs neither the network nor keeping.
pub(super) enum AtHand {
    Nothing,
    /// It is answered.
    Enough(Credential),
    /// It serves, and its successor is due.
    Due(Credential),
}

/// The one of two that ends later, if there are two.
pub(super) fn longest(one: Option<Credential>, other: Option<Credential>) -> Option<Credential> {
    match (one, other) {
        (Some(one), Some(other)) if other.expires() > one.expires() => Some(other),
        (one, other) => one.or(other),
    }
}

/// Whether somebody signed in for it, at any step of its chain.
fn is_of_a_person(request: &dyn Request) -> bool {
    chain(request).any(|step| step.session().is_some())
}
