//! Clouds and an API server on loopback that check like the real ones.
//!
//! A credential plugin is right only if somebody strict says so. [`Sandbox`] is that somebody: an STS, an SSO portal, an AWS Sign-In, an
//! Entra ID, the control planes that know of clusters (EKS, EC2, Azure's Resource Manager), the metadata services of machines and any number of Kubernetes API servers, each on its own port of 127.0.0.1, that recompute every signature
//! from the secrets they know, refuse what their originals refuse, count every request, and can be told to misbehave.
//!
//! ```
//! use fleetkey_sandbox::{Fault, Home, Role, Route, Sandbox};
//!
//! # fn main() -> std::io::Result<()> {
//! let sandbox = Sandbox::start()?;
//! let alice = sandbox.user("alice");
//! sandbox.role(Role::new("arn:aws:iam::444455556666:role/admin").external_id("7").trusts(&alice.arn));
//! let cluster = sandbox.cluster("demo")?;
//! let home = Home::temporary()?;
//! home.aws_credentials(&[("default", &alice)])?;
//!
//! // The next AssumeRole is throttled, the one after it is answered.
//! sandbox.script(Route::AssumeRole, [Fault::throttling()]);
//! // ... run the plugin with `home.environment()` and `sandbox.environment()` ...
//! assert_eq!(sandbox.count(Route::AssumeRole), 0);
//! assert!(cluster.identities().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here asks the network, a configuration file or a cloud's own library: a mistake in the plugin's signer is
//! not repeated by its judge.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the sandbox is the outside world: it owns its files, its clock and its sockets"
)]

mod aws;
mod azure;
mod canary;
mod certificates;
mod client;
mod clock;
mod cluster;
mod connection;
mod control_plane;
mod entra;
mod fault;
mod gate;
mod home;
mod http;
mod kubeconfig;
mod kubernetes;
mod paging;
mod random;
mod requests;
mod route;
mod sandbox;
mod server;
#[cfg(test)]
mod tests;
mod world;

pub use aws::accounts::{Credentials, Identity, User};
pub use aws::container::ContainerToken;
pub use aws::eks::clusters::EksCluster;
pub use aws::files::SsoName;
pub use aws::rejection::Rejection;
pub use aws::role::Role;
pub use aws::signin::LoginSession;
pub use aws::sso::{SsoSession, SsoSignIn};
pub use aws::verifier::{Inspected, Verified, inspect};
pub use azure::arc::ArcKey;
pub use azure::arm::cluster::ManagedCluster;
pub use azure::arm::subscription::Subscription;
pub use azure::cli::{AksToken, AzAccount, AzLogin, AzSecret};
pub use azure::federation::EXCHANGE_AUDIENCE;
pub use azure::identities::ManagedIdentity;
pub use azure::programs::FakeRun;
pub use canary::Canary;
pub use certificates::Certificate;
pub use client::{Client, Reply};
pub use cluster::{AksCluster, Cluster, Endpoint};
pub use entra::verifier::{AksGuest, AksRejection};
pub use entra::{
    App, Callback, Caller, ClientCertificate, Device, Entra, Landed, Person, Rotation,
};
pub use fault::Fault;
pub use gate::Gate;
pub use home::Home;
pub use kubeconfig::Exec;
pub use requests::Recorded;
pub use route::{Route, Service};
pub use sandbox::Sandbox;
