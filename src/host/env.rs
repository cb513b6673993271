//! The process environment.

use std::ffi::OsString;

use fleetkey_provider::Env;

/// The environment of this process: the client's own, and what the kubeconfig put over it.
pub(crate) struct ProcessEnv;

impl Env for ProcessEnv {
    #[allow(clippy::disallowed_methods, reason = "this is the host, the one place that may")]
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}
