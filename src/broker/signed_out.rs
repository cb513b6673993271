//! Whoever signs out ends what is under way, too: what is lent to a call that asked before that is
//! answered, and kept nowhere.
//!
//! Signing out removes the session first and then what was lent from it, and here it is the other way round:
//! what is kept comes first and then a last look at the session. So whichever is faster, nothing stays.

use fleetkey_provider::{Credential, Request, SessionState};

use super::{Broker, chain};
use crate::cache::Cache;

/// How it stood before something was asked.
pub(super) struct Before {
    /// Of each step of the chain, whether somebody was signed in.
    signed_in: Vec<bool>,
    /// Whether a credential was kept.
    is_kept: bool,
}

impl Broker<'_> {
    /// How it stands now.
    pub(super) fn before(&self, request: &dyn Request, cache: Option<&Cache<'_>>) -> Before {
        let is_kept = cache.is_some_and(|cache| cache.read(request.fingerprint()).is_some());
        Before { signed_in: self.signed_in(request), is_kept }
    }

    /// Whether somebody signed out since.
    pub(super) fn is_signed_out(&self, request: &dyn Request, before: &Before) -> bool {
        let now = self.signed_in(request);
        before.signed_in.iter().zip(now).any(|(before, now)| *before && !now)
    }

    /// Keeps what was lent, unless somebody signed out since it was asked for. Whether it is kept.
    pub(super) fn keep(
        &self,
        request: &dyn Request,
        cache: &Cache<'_>,
        before: &Before,
        credential: &Credential,
    ) -> bool {
        let key = request.fingerprint();
        let is_removed = before.is_kept && cache.read(key).is_none();
        if !is_removed && !self.is_signed_out(request, before) {
            cache.keep(request, credential);
            if !self.is_signed_out(request, before) {
                return true;
            }
            // one that stays is noted by whoever signs out
            drop(cache.forget(key));
        }
        self.note(&format!("{} is not kept: somebody signed out meanwhile", request.describe()));
        false
    }

    /// Somebody signed in for that step: what was lent to whoever was signed in before is not theirs. Whose a
    /// session in another tool's file is its stamps say, and a code is typed by the device's owner.
    pub(super) fn forget_predecessor(&self, signer: &dyn Request) {
        let (host, own) = (&self.world.host, signer.lent_from());
        let is_kept = own.is_some_and(|session| host.sessions.stamp(session).is_some());
        // it could not be kept, and what was lent before serves nobody the more
        let is_lost = || matches!(signer.session_state(host), SessionState::SignedOut(_));
        let session = own.filter(|_| signer.source().is_none() && (is_kept || is_lost()));
        let (Some(session), Some(folder)) = (session, &self.folders.cache) else { return };
        let store = self.world.store(&folder.join(signer.provider()));
        if let Err(why) = self.cache(&*store).forget_lent(&[session]) {
            self.note(&format!("what was lent before is still there: {why}"));
        }
    }

    fn signed_in(&self, request: &dyn Request) -> Vec<bool> {
        let host = &self.world.host;
        chain(request)
            .map(|step| matches!(step.session_state(host), SessionState::SignedIn(_)))
            .collect()
    }
}
