//! The Amazon side: who exists, how requests are signed, and the services that check it.

pub(crate) mod accounts;
pub(crate) mod authentication;
pub(crate) mod container;
pub(crate) mod ec2;
pub(crate) mod eks;
pub(crate) mod files;
pub(crate) mod hosts;
mod instance;
pub(crate) mod issuer;
pub(crate) mod machine;
pub(crate) mod pod_identity;
pub(crate) mod regions;
pub(crate) mod rejection;
pub(crate) mod role;
pub(crate) mod signin;
pub(crate) mod sigv4;
pub(crate) mod sso;
pub(crate) mod sts;
pub(crate) mod verifier;
