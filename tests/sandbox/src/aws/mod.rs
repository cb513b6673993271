//! The Amazon side: who exists, how requests are signed, and the services that check it.

pub(crate) mod accounts;
pub(crate) mod authentication;
pub(crate) mod hosts;
pub(crate) mod issuer;
pub(crate) mod rejection;
pub(crate) mod role;
pub(crate) mod sigv4;
pub(crate) mod sso;
pub(crate) mod sts;
pub(crate) mod verifier;
