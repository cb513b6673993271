//! Handles on the API servers of the sandbox: [`Cluster`] believes AWS, [`AksCluster`] believes Entra.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::aws::rejection::Rejection;
use crate::aws::verifier::{self, Verified};
use crate::entra::verifier::{self as entra, AksGuest, AksRejection, Nonces, Rules};
use crate::kubernetes::{Gatekeeper, Guest, Guests};
use crate::world::World;

/// What a kubeconfig says of a cluster, whatever cloud it is in.
pub trait Endpoint {
    /// Its name.
    fn name(&self) -> &str;
    /// `https://127.0.0.1:PORT`.
    fn server(&self) -> &str;
    /// The authority to trust, in PEM.
    fn ca_pem(&self) -> &str;
}

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
    pub(crate) guests: Arc<Guests<Verified, Rejection>>,
    pub(crate) world: Arc<World>,
}

impl Cluster {
    /// Who got in, one entry per accepted request, oldest first.
    pub fn identities(&self) -> Vec<Verified> {
        self.guests.admitted()
    }

    /// Why others did not, oldest first. Clients are told `Unauthorized` and no more.
    pub fn rejections(&self) -> Vec<Rejection> {
        self.guests.turned_away()
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

/// One cluster: an AKS cluster, or one of Azure Arc, as its clients see it.
#[derive(Clone)]
pub struct AksCluster {
    /// Its name.
    pub name: String,
    /// The GUID of the tenant whose tokens it believes.
    pub tenant: String,
    /// `https://127.0.0.1:PORT`.
    pub server: String,
    /// The authority to trust, in PEM.
    pub ca_pem: String,
    pub(crate) guests: Arc<Guests<AksGuest, AksRejection>>,
    pub(crate) rules: Arc<Mutex<(Rules, Nonces)>>,
    pub(crate) world: Arc<World>,
}

impl AksCluster {
    /// From now on a cluster whose server application is this one, and not that of AKS; the tenant gets to know it.
    #[must_use]
    pub fn with_server_id(self, id: &str) -> Self {
        self.world.entra.state().add_server(&self.tenant, id);
        id.clone_into(&mut self.rules().0.server_id);
        self
    }

    /// From now on one that believes the audience `spn:` its server, too.
    #[must_use]
    pub fn legacy(self) -> Self {
        self.rules().0.legacy = true;
        self
    }

    /// From now on one that wants tokens bound to a key and signed for this host, which is the `u` of an envelope.
    #[must_use]
    pub fn pop_host(self, host: &str) -> Self {
        self.rules().0.pop_host = Some(host.to_owned());
        self
    }

    /// The application that tokens must be for.
    pub fn server_id(&self) -> String {
        self.rules().0.server_id.clone()
    }

    /// Who got in, one entry per accepted request, oldest first.
    pub fn identities(&self) -> Vec<AksGuest> {
        self.guests.admitted()
    }

    /// Why others did not, oldest first. Clients are told `Unauthorized` and no more.
    pub fn rejections(&self) -> Vec<AksRejection> {
        self.guests.turned_away()
    }

    /// What this cluster thinks of a token, without a request. The nonce of an envelope counts as seen.
    pub fn verify(&self, token: &str) -> Result<AksGuest, AksRejection> {
        let (rules, nonces) = &mut *self.rules();
        entra::verify(token, rules, nonces, &self.world.entra, self.world.clock.now())
    }

    fn rules(&self) -> MutexGuard<'_, (Rules, Nonces)> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gatekeeper for Cluster {
    type Guest = Verified;
    type Rejection = Rejection;
    const ANONYMOUS: Rejection = Rejection::Anonymous;

    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&self, token: &str) -> Result<Verified, Rejection> {
        self.verify(token)
    }

    fn guests(&self) -> &Guests<Verified, Rejection> {
        &self.guests
    }
}

impl Gatekeeper for AksCluster {
    type Guest = AksGuest;
    type Rejection = AksRejection;
    const ANONYMOUS: AksRejection = AksRejection::Anonymous;

    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&self, token: &str) -> Result<AksGuest, AksRejection> {
        self.verify(token)
    }

    fn guests(&self) -> &Guests<AksGuest, AksRejection> {
        &self.guests
    }
}

impl Guest for Verified {
    fn caller(&self) -> String {
        self.identity.arn.clone()
    }

    fn user_info(&self) -> Value {
        let Self { identity, access_key_id, .. } = self;
        json!({
            "username": identity.canonical_arn,
            "uid": format!("aws-iam-authenticator:{}:{}", identity.account, identity.user_id),
            "groups": ["system:authenticated"],
            "extra": {
                "accessKeyId": [access_key_id],
                "arn": [identity.arn],
                "canonicalArn": [identity.canonical_arn],
                "sessionName": [identity.session_name.as_deref().unwrap_or_default()],
            },
        })
    }
}

impl Guest for AksGuest {
    fn caller(&self) -> String {
        self.name.clone()
    }

    fn user_info(&self) -> Value {
        let Self { name, oid, groups, .. } = self;
        let groups: Vec<&str> =
            groups.iter().map(String::as_str).chain(["system:authenticated"]).collect();
        json!({ "username": name, "groups": groups, "extra": { "oid": [oid] } })
    }
}

impl Endpoint for Cluster {
    fn name(&self) -> &str {
        &self.name
    }

    fn server(&self) -> &str {
        &self.server
    }

    fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

impl Endpoint for AksCluster {
    fn name(&self) -> &str {
        &self.name
    }

    fn server(&self) -> &str {
        &self.server
    }

    fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}
