//! The whole binary against the sandbox: what only shows when all the parts stand together.
//!
//! Every test has a sandbox, a HOME and an environment of its own; none sees the network, the clock
//! of another, or the files of the person who runs it.
#![allow(
    clippy::disallowed_methods,
    reason = "tests own their world: its files, its clock and its programs"
)]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

mod aks_az;
#[cfg(target_os = "linux")]
mod aks_crowd;
mod aks_errors;
mod aks_modes;
mod aks_release;
mod aks_sessions;
#[cfg(unix)]
mod aws_cli;
#[cfg(target_os = "linux")]
mod aws_login_session;
#[cfg(target_os = "linux")]
mod aws_mfa;
#[cfg(unix)]
mod aws_sources;
#[cfg(target_os = "linux")]
mod aws_sso_login;
#[cfg(target_os = "linux")]
mod aws_sso_refresh;
mod conformance;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(unix)]
mod deadline;
#[cfg(unix)]
mod discover;
mod errors;
mod faults;
#[cfg(target_os = "linux")]
mod first_line;
mod house;
mod identity;
#[cfg(unix)]
mod kept_files;
#[cfg(unix)]
mod kubeconfig_add;
#[cfg(unix)]
mod kubeconfig_convert;
#[cfg(target_os = "linux")]
mod kubeconfig_fleet;
#[cfg(unix)]
mod kubeconfig_one_stanza;
#[cfg(unix)]
mod kubeconfig_property;
#[cfg(unix)]
mod kubeconfig_race;
mod kubeconfig_replay;
#[cfg(unix)]
mod kubeconfig_typed;
#[cfg(unix)]
mod kubeconfig_verbs;
#[cfg(unix)]
mod kubectl;
#[cfg(target_os = "linux")]
mod login_all;
#[cfg(target_os = "linux")]
mod login_hint;
#[cfg(target_os = "linux")]
mod login_losses;
#[cfg(target_os = "linux")]
mod logout;
#[cfg(target_os = "linux")]
mod logout_leaves_nothing;
#[cfg(unix)]
mod one_stanza;
mod protocol;
mod proxies;
#[cfg(target_os = "linux")]
mod renewal;
#[cfg(target_os = "linux")]
mod renewal_process;
#[cfg(unix)]
mod screens;
#[cfg(unix)]
mod snippet;
#[cfg(target_os = "linux")]
mod sso_ahead;
#[cfg(target_os = "linux")]
mod sso_crowd;
#[cfg(unix)]
mod stand_in;
#[cfg(unix)]
mod stand_in_convert;
#[cfg(target_os = "linux")]
mod status;
#[cfg(target_os = "linux")]
mod status_foresight;
