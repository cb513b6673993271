//! A handle on one API server of the sandbox.

use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::rejection::Rejection;
use crate::aws::verifier::{self, Verified};
use crate::world::World;

/// One cluster: an EKS cluster as its clients see it.
#[derive(Clone)]
pub struct Cluster {
    /// Its name, which is what a token must have been signed for.
    pub name: String,
    /// The region it says it is in.
    pub region: String,
    /// `https://127.0.0.1:PORT`.
    pub server: String,
    /// The authority to trust, in PEM.
    pub ca_pem: String,
    pub(crate) guests: Arc<Guests>,
    pub(crate) world: Arc<World>,
}

impl Cluster {
    /// Who got in, one entry per accepted request, oldest first.
    pub fn identities(&self) -> Vec<Verified> {
        self.guests.0.lock().unwrap_or_else(PoisonError::into_inner).admitted.clone()
    }

    /// Why others did not, oldest first. Clients are told `Unauthorized` and no more.
    pub fn rejections(&self) -> Vec<Rejection> {
        self.guests.0.lock().unwrap_or_else(PoisonError::into_inner).turned_away.clone()
    }

    /// What this cluster thinks of a token, without a request.
    pub fn verify(&self, token: &str) -> Result<Verified, Rejection> {
        verifier::verify(
            token,
            &self.name,
            &self.region,
            self.world.clock.now(),
            &self.world.accounts,
        )
    }
}

/// Who came to a cluster.
#[derive(Default)]
pub(crate) struct Guests(Mutex<State>);

#[derive(Default)]
struct State {
    admitted: Vec<Verified>,
    turned_away: Vec<Rejection>,
}

impl Guests {
    pub(crate) fn admit(&self, guest: Verified) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).admitted.push(guest);
    }

    pub(crate) fn turn_away(&self, rejection: Rejection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).turned_away.push(rejection);
    }
}
