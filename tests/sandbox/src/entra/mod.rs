//! Microsoft Entra ID: one authority host that knows tenants, applications, servers and people, and refuses what the real
//! one refuses.
//!
//! [`Entra`] is a test's handle on it. What the code rests on is either recorded (the fixtures of kubelogin and the Azure
//! CLI), or written in Microsoft's documentation of its OAuth endpoints and AADSTS numbers; where neither says what the
//! real one does, the stricter answer was taken.

mod app;
mod assertion;
mod authorize;
mod browser;
mod certificate;
mod client_auth;
mod codes;
mod der;
mod device;
mod directory;
mod discovery;
mod errors;
mod form;
mod grants;
pub(crate) mod jwt;
mod keys;
mod person;
mod pop;
mod refresh;
mod scope;
mod service;
mod tenancy;
mod token_endpoint;
mod tokens;
pub(crate) mod verifier;

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use self::app::App;
pub use self::browser::{Callback, Landed};
pub use self::certificate::ClientCertificate;
pub use self::device::Device;
pub(crate) use self::directory::{AKS_SERVER, Directory, is_guid};
pub(crate) use self::errors::Refusal;
pub use self::person::Person;
pub use self::refresh::Rotation;
use self::service::Authority;
pub(crate) use self::tokens::Access;
pub use self::tokens::Caller;
use crate::route::Service;
use crate::server::Server;
use crate::world::World;

/// The authority host of a sandbox.
pub struct Entra {
    world: Arc<World>,
    _server: Server,
}

impl Entra {
    pub(crate) fn start(world: &Arc<World>) -> io::Result<Self> {
        let handler = Arc::new(Authority(Arc::clone(world)));
        let server = Server::start(world, Some(Service::Entra), handler)?;
        drop(world.entra.url.set(format!("https://{}", server.address())));
        Ok(Self { world: Arc::clone(world), _server: server })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.directory().url().to_owned()
    }

    /// The GUID of the tenant of that name, made on first use; the same in every sandbox. A GUID is its own name, and
    /// requests may use the name too if it has a dot.
    pub fn tenant(&self, name: &str) -> String {
        self.directory().state().add_tenant(name)
    }

    /// Registers an application, replacing one of the same tenant and client id. Microsoft's own (the clients of AKS and
    /// Arc, the Azure CLI) are public applications of every tenant, registered or not.
    pub fn app(&self, app: App) {
        self.directory().state().add_app(app);
    }

    /// Makes a server known in a tenant. Those of AKS, Arc, Azure's management and Graph are known in all.
    pub fn server(&self, tenant: &str, app_id: &str) {
        self.directory().state().add_server(tenant, app_id);
    }

    /// Registers a person, replacing one of the same name.
    pub fn person(&self, person: Person) {
        self.directory().state().add_person(person);
    }

    /// The object id of a person (by user name) or of an application's service principal (by client id) in a tenant.
    pub fn object_id(&self, name: &str, tenant: &str) -> String {
        let mut state = self.directory().state();
        let tenant = state.add_tenant(tenant);
        state.object_id(name, &tenant)
    }

    /// An access token as a metadata endpoint or an earlier sign-in would have got it. The audience is the resource as it
    /// is given here.
    pub fn access_token(&self, tenant: &str, resource: &str, caller: &Caller) -> String {
        let tenant = self.tenant(tenant);
        let proof = if matches!(caller, Caller::App { .. }) { "2" } else { "0" };
        let access = Access { tenant: &tenant, audience: resource, proof, confirmation: None };
        self.directory().access_token(&access, caller, self.world.clock.now())
    }

    /// A refresh token as an earlier sign-in would have left it.
    pub fn refresh_token(&self, tenant: &str, client_id: &str, username: &str) -> String {
        let mut state = self.directory().state();
        state.add_tenant(tenant);
        state.refresh.issue(username, client_id, None, self.world.clock.now())
    }

    /// What becomes of refresh tokens when they are redeemed, from now on.
    pub fn rotation(&self, rotation: Rotation) {
        self.directory().state().refresh.rotation = rotation;
    }

    /// How often a refresh token was redeemed that had been spent already.
    pub fn reuses(&self) -> usize {
        self.directory().state().refresh.reuses
    }

    /// Ends all sessions of a person, as a new password does.
    pub fn revoke_sessions(&self, username: &str) {
        self.directory().state().refresh.revoke(username, self.world.clock.now());
    }

    /// How long access tokens last from now on; 75 minutes if nothing is said.
    pub fn lifetime(&self, lifetime: Duration) {
        self.directory().state().lifetime = Some(lifetime);
    }

    /// The device codes that wait for somebody, oldest first.
    pub fn devices(&self) -> Vec<Device> {
        self.directory().state().devices.waiting(self.world.clock.now())
    }

    /// The first device code that waits; none if there is none before the limit has passed.
    pub fn wait_for_device(&self, limit: Duration) -> Option<Device> {
        let now = || self.world.clock.now();
        let (state, _) = self
            .directory()
            .device_made
            .wait_timeout_while(self.directory().state(), limit, |state| {
                state.devices.waiting(now()).is_empty()
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.devices.waiting(now()).into_iter().next()
    }

    /// Somebody types a code and signs in. False if no such code waits, or they may not sign in where it was asked for.
    pub fn approve(&self, user_code: &str, username: &str) -> bool {
        let mut state = self.directory().state();
        let Some(waiting) = state.devices.find(user_code, self.world.clock.now()) else {
            return false;
        };
        let Some(person) = state.person(username) else { return false };
        if waiting.tenancy.of(&person, &waiting.device.client_id).is_err() {
            return false;
        }
        state.signed_in(username, waiting.claims.as_ref());
        state.devices.approve(user_code, &person.username);
        true
    }

    /// Somebody types a code and says no.
    pub fn decline(&self, user_code: &str) {
        self.directory().state().devices.decline(user_code);
    }

    /// Ends a device code before its time.
    pub fn expire(&self, user_code: &str) {
        self.directory().state().devices.expire(user_code);
    }

    /// The next poll of a device code is told to slow down, however slow it is.
    pub fn slow_down(&self, user_code: &str) {
        self.directory().state().devices.slow_down(user_code);
    }

    /// How many seconds device codes want between two polls from now on; one if nothing is said.
    pub fn device_interval(&self, seconds: u32) {
        self.directory().state().devices.interval = Some(seconds);
    }

    /// A person gets no more tokens until they signed in, in a browser or with a device code, for a request that sent
    /// these claims.
    pub fn require_claims(&self, username: &str, claims: &str) {
        let claims = serde_json::from_str(claims).unwrap_or_else(|_| Value::from(claims));
        self.directory().state().claims.insert(username.to_lowercase(), claims);
    }

    /// Believes federated assertions of an issuer if `verify` says that it signed them; their claims and times are looked
    /// at here.
    pub fn trust_issuer(
        &self,
        issuer: &str,
        verify: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) {
        self.directory().trust_issuer(issuer, Arc::new(verify));
    }

    fn directory(&self) -> &Directory {
        &self.world.entra
    }
}
