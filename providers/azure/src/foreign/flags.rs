//! Every flag of kubelogin's `get-token` and of ours, and for which ways to sign in it means anything.
//!
//! Two questions are answered by one line of the table: what of an entry still says something for the
//! way it signs in, and what is carried along when a person changes that way. The second follows what
//! kubelogin's `convert-kubeconfig` writes; where it does not, `DIFFERENCES` says why. The order is the
//! one in which flags are written.

use std::collections::BTreeMap;

use crate::login::Login::{
    self, Auto, Azd, AzureCli, AzurePipelines, DeviceCode, Interactive, Msi, Ropc, Spn,
    WorkloadIdentity,
};

/// Values by the long names of flags; a switch has `true` or `false`. No Debug: there are secrets in it.
pub(super) type Values = BTreeMap<&'static str, String>;

/// A flag.
pub(super) struct Flag {
    /// Its long name.
    pub(super) name: &'static str,
    /// Its short one.
    pub(super) short: Option<char>,
    /// What it takes.
    pub(super) takes: Takes,
    /// Whose it is.
    pub(super) owner: Owner,
    /// The ways to sign in that it says something for.
    pub(super) said_for: Ways,
    /// Those it is carried to when another way is chosen.
    pub(super) carried_to: Ways,
}

/// What stands behind a flag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Takes {
    /// Text.
    Text,
    /// Text that nobody may see.
    Secret,
    /// Nothing, or `=true` or `=false`.
    Switch,
}

/// Whose flag it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    /// kubelogin's, and ours by the same name.
    Both,
    /// kubelogin's alone, which is read and means nothing here.
    Kubelogin,
    /// Ours alone.
    Fleetkey,
}

/// Ways to sign in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ways {
    All,
    Only(&'static [Login]),
    But(&'static [Login]),
}

impl Ways {
    /// Whether that way is among them. Where none is named a person is meant, who is asked in a
    /// browser or with a code, so what either takes is taken.
    pub(super) fn has(self, login: Option<Login>) -> bool {
        match (self, login) {
            (Self::All, _) | (Self::But(_), None) => true,
            (Self::But(those), Some(login)) => !those.contains(&login),
            (Self::Only(those), Some(login)) => those.contains(&login),
            (Self::Only(those), None) => {
                those.contains(&DeviceCode) || those.contains(&Interactive)
            }
        }
    }
}

/// The flag of that long name.
pub(super) fn named(name: &str) -> Option<&'static Flag> {
    let name = if name == "token-cache-dir" { CACHE_DIR } else { name };
    FLAGS.iter().find(|flag| flag.name == name)
}

/// The flag of that short name.
pub(super) fn short(letter: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(letter))
}

/// Whether a switch is on.
pub(super) fn is_on(values: &Values, name: &str) -> bool {
    values.get(name).is_some_and(|value| value == "true")
}

/// A value that says something: an empty one is none, as in kubelogin.
pub(super) fn filled<'v>(values: &'v Values, name: &str) -> Option<&'v str> {
    values.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

pub(super) const LOGIN: &str = "login";
pub(super) const SERVER_ID: &str = "server-id";
pub(super) const CLIENT_ID: &str = "client-id";
pub(super) const CACHE_DIR: &str = "cache-dir";
pub(super) const TIMEOUT: &str = "timeout";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const IDENTITY_RESOURCE_ID: &str = "identity-resource-id";
pub(super) const OBJECT_ID: &str = "object-id";
pub(super) const POP_ENABLED: &str = "pop-enabled";
pub(super) const POP_CLAIMS: &str = "pop-claims";
pub(super) const DISABLE_ENVIRONMENT_OVERRIDE: &str = "disable-environment-override";
pub(super) const ENV_OVERRIDES_FLAGS: &str = "env-overrides-flags";
pub(super) const USE_AZURERM: &str = "use-azurerm-env-vars";
pub(super) const RUN_AZ: &str = "run-az";

const NONE: Ways = Ways::Only(&[]);
const BINDS: Ways = Ways::Only(&[Interactive, Ropc, Spn, Auto]);
const IDENTITY: Ways = Ways::Only(&[Msi, Auto]);
const APPLICATION: Ways = Ways::Only(&[Spn, Auto]);

/// The table.
#[rustfmt::skip]
pub(super) const FLAGS: &[Flag] = &[
    text(LOGIN, Some('l'), Ways::All, Ways::All),
    text(SERVER_ID, None, Ways::All, Ways::All),
    text("tenant-id", Some('t'), Ways::But(&[Msi]), Ways::But(&[Msi, WorkloadIdentity])),
    text(CLIENT_ID, None, Ways::But(&[AzureCli, Azd]), Ways::Only(&[DeviceCode, Interactive, Spn, Ropc])),
    text(ENVIRONMENT, Some('e'), Ways::But(&[Msi, AzureCli, Azd]), Ways::But(&[Msi, AzureCli, Azd])),
    text("authority-host", None, Ways::All, Ways::All),
    text("subscription", Some('s'), Ways::Only(&[AzureCli, Auto]), NONE),
    text("username", None, Ways::Only(&[Ropc]), NONE),
    // kubelogin gives it no meaning with a code; here it tells whose session is meant
    text("login-hint", None, Ways::Only(&[DeviceCode, Interactive, Auto]), Ways::Only(&[Interactive, Auto])),
    text("redirect-url", None, Ways::Only(&[Interactive, Auto]), Ways::Only(&[Interactive, Auto])),
    text(IDENTITY_RESOURCE_ID, None, IDENTITY, NONE),
    ours(OBJECT_ID, Takes::Text, IDENTITY),
    text("federated-token-file", None, Ways::Only(&[WorkloadIdentity, Auto]), NONE),
    text("azure-pipelines-service-connection-id", None, Ways::Only(&[AzurePipelines, Auto]), NONE),
    text("client-certificate", None, APPLICATION, NONE),
    secret("client-certificate-password", APPLICATION),
    ours("client-secret-file", Takes::Text, APPLICATION),
    secret("client-secret", APPLICATION),
    ours("password-file", Takes::Text, Ways::Only(&[Ropc])),
    secret("password", Ways::Only(&[Ropc])),
    switch("legacy", Ways::Only(&[DeviceCode, Spn, Ropc, Auto]), Ways::Only(&[DeviceCode, Spn, Ropc, Auto])),
    switch(POP_ENABLED, BINDS, BINDS),
    text(POP_CLAIMS, None, BINDS, BINDS),
    ours(RUN_AZ, Takes::Switch, Ways::Only(&[AzureCli, Auto])),
    switch(USE_AZURERM, Ways::All, Ways::All),
    // `az` and `azd` read their own variables in kubelogin whatever it says, and no other is read here
    switch(DISABLE_ENVIRONMENT_OVERRIDE, Ways::But(&[AzureCli, Azd]), Ways::But(&[AzureCli, Azd])),
    ours(ENV_OVERRIDES_FLAGS, Takes::Switch, Ways::All),
    switch("disable-instance-discovery", Ways::All, Ways::All),
    text(TIMEOUT, None, Ways::All, Ways::All),
    text(CACHE_DIR, None, Ways::All, Ways::All),
    Flag { owner: Owner::Kubelogin, ..text("v", Some('v'), NONE, NONE) },
    Flag { owner: Owner::Kubelogin, ..switch("logtostderr", NONE, NONE) },
];

const fn text(name: &'static str, short: Option<char>, said_for: Ways, carried_to: Ways) -> Flag {
    Flag { name, short, takes: Takes::Text, owner: Owner::Both, said_for, carried_to }
}

const fn secret(name: &'static str, said_for: Ways) -> Flag {
    Flag { takes: Takes::Secret, ..text(name, None, said_for, NONE) }
}

const fn switch(name: &'static str, said_for: Ways, carried_to: Ways) -> Flag {
    Flag { takes: Takes::Switch, ..text(name, None, said_for, carried_to) }
}

const fn ours(name: &'static str, takes: Takes, said_for: Ways) -> Flag {
    Flag { takes, owner: Owner::Fleetkey, ..text(name, None, said_for, NONE) }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;
    use crate::arguments::augment;

    #[test]
    fn the_table_has_every_flag_of_ours_and_no_other() {
        let command = augment(Command::new("azure"));
        let mut clap: Vec<(&str, Option<char>)> = command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .filter_map(|arg| Some((arg.get_long()?, arg.get_short())))
            .collect();
        let every_command = [TIMEOUT, CACHE_DIR];
        let mut table: Vec<(&str, Option<char>)> = FLAGS
            .iter()
            .filter(|flag| flag.owner != Owner::Kubelogin && !every_command.contains(&flag.name))
            .map(|flag| (flag.name, flag.short))
            .collect();
        clap.sort_unstable();
        table.sort_unstable();
        assert_eq!(clap, table);
    }

    #[test]
    fn what_is_carried_says_something_where_it_is_carried_to() {
        for flag in FLAGS {
            for login in [None].into_iter().chain(crate::login::ALL.map(Some)) {
                let (carried, said) = (flag.carried_to.has(login), flag.said_for.has(login));
                assert!(said || !carried, "--{} and {login:?}", flag.name);
                assert!(!carried || flag.takes != Takes::Secret, "--{}", flag.name);
            }
        }
    }
}
