//! `config` and `clouds.config`: which cloud is active, and where it is.

use std::fmt::Write as _;
use std::io;

use super::{AzLogin, folder};
use crate::home::Home;
use crate::sandbox::Sandbox;

pub(super) fn write(
    home: &Home,
    sandbox: &Sandbox,
    login: &AzLogin,
    subscription_id: &str,
) -> io::Result<()> {
    let AzLogin { cloud, at_sandbox, .. } = login;
    let mut clouds = other_clouds(home, cloud);
    let _ = writeln!(clouds, "[{cloud}]\nsubscription = {subscription_id}");
    if *at_sandbox {
        let _ = writeln!(clouds, "endpoint_active_directory = {}", sandbox.entra().url());
    }
    home.write(folder("clouds.config"), clouds)?;
    // Without this file the public cloud is the active one.
    let config = folder("config");
    if cloud != "AzureCloud" || home.join(&config).exists() {
        home.write(config, format!("[cloud]\nname = {cloud}\n"))?;
    }
    Ok(())
}

/// The sections of other clouds, as they are.
fn other_clouds(home: &Home, cloud: &str) -> String {
    let text = std::fs::read_to_string(home.join(folder("clouds.config"))).unwrap_or_default();
    let section = format!("[{cloud}]");
    let mut ours = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            ours = line == section;
        }
        if !ours {
            let _ = writeln!(kept, "{line}");
        }
    }
    kept
}
