//! What the flags of `get-token azure` mean once they are checked.
//!
//! What a flag does not say, the cluster's exec extension in the kubeconfig may ([`FROM_CLUSTER`]), so
//! that one stanza serves many clusters. It names no secret, no file and no host: those are not for a
//! cluster to choose. An empty value is no value, as in kubelogin. Where neither names the server
//! application, and the API server's name is one of AKS's, it is that of AKS.

mod flags;
mod from_cluster;
mod pop_claims;
mod redirect_url;
pub(crate) mod rules;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::{ArgMatches, FromArgMatches};
use fleetkey_provider::{Error, ExecInfo, Result};

pub(crate) use self::flags::{augment, boolean};
pub(crate) use self::from_cluster::FROM_CLUSTER;
use self::{
    flags::Flags,
    from_cluster::{filled, switched},
    redirect_url::Redirect,
};
use crate::{
    authority::{self, Discovery},
    given::{Chosen, File, Hidden, Origin},
    pop::PopClaims,
};

/// What was asked for, before the environment has its say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) login: Option<Chosen>,
    pub(crate) server_id: Option<Chosen>,
    pub(crate) client_id: Option<Chosen>,
    pub(crate) tenant_id: Option<Chosen>,
    pub(crate) environment: Option<Chosen>,
    pub(crate) subscription: Option<Chosen>,
    pub(crate) authority_host: Option<Chosen>,
    pub(crate) secret: Option<Secret>,
    pub(crate) certificate: Option<File>,
    pub(crate) certificate_password: Option<Hidden>,
    pub(crate) username: Option<Chosen>,
    pub(crate) password: Option<Secret>,
    pub(crate) resource_id: Option<Chosen>,
    pub(crate) object_id: Option<Chosen>,
    pub(crate) token_file: Option<File>,
    pub(crate) connection: Option<Chosen>,
    pub(crate) redirect: Option<Redirect>,
    pub(crate) login_hint: Option<Chosen>,
    pub(crate) pop: Option<PopClaims>,
    pub(crate) is_legacy: bool,
    /// Whether `az` is to be run for every token; `None` if no flag says.
    pub(crate) run_az: Option<bool>,
    pub(crate) family: Family,
    pub(crate) precedence: Precedence,
    pub(crate) discovery: Discovery,
}

/// A secret, or the file it is in.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    Typed(Hidden),
    In(File),
}

/// Which variables name an application.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Family {
    /// `AZURE_…` and `AAD_…`.
    #[default]
    Azure,
    /// `ARM_…` (`--use-azurerm-env-vars`).
    AzureRm,
}

/// What the environment may say.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Precedence {
    /// What nothing else does.
    #[default]
    Fills,
    /// The last word, even where a variable is empty (`--env-overrides-flags`).
    Overrides,
    /// Nothing (`--disable-environment-override`).
    Ignored,
}

impl Arguments {
    /// Checks the flags, and what the kubeconfig adds to them.
    pub(crate) fn read(matches: &mut ArgMatches, exec: &ExecInfo) -> Result<Self> {
        let flags = Flags::from_arg_matches_mut(matches)
            .map_err(|_| Error::failed("the flags of `get-token azure` could not be read"))?;
        Self::check(flags, exec)
    }

    /// The same for flags that others stand beside: of two that are one wish, either may be missing.
    pub(crate) fn of_part(matches: &mut ArgMatches) -> Result<Self> {
        let mut flags = Flags::from_arg_matches_mut(matches)
            .map_err(|_| Error::failed("the flags of `get-token azure` could not be read"))?;
        if flags.pop_claims.as_ref().is_some_and(|claims| !claims.is_empty()) {
            flags.pop_enabled.get_or_insert(true);
        } else if flags.pop_enabled == Some(true) {
            flags.pop_claims = Some("u=none".into());
        }
        Self::check(flags, &ExecInfo::default())
    }

    fn check(flags: Flags, exec: &ExecInfo) -> Result<Self> {
        let Flags {
            login,
            server_id,
            client_id,
            tenant_id,
            subscription,
            environment,
            authority_host,
            client_secret,
            client_secret_file,
            client_certificate,
            client_certificate_password,
            username,
            password,
            password_file,
            identity_resource_id,
            object_id,
            federated_token_file,
            azure_pipelines_service_connection_id: connection,
            run_az,
            redirect_url,
            login_hint,
            pop_enabled,
            pop_claims,
            legacy,
            use_azurerm_env_vars,
            disable_environment_override,
            environment_wins,
            disable_instance_discovery,
            klog_level: _,
            logtostderr: _,
        } = flags;
        let is_on = |switch: Option<bool>| switch == Some(true);
        let text = |name, value: Option<String>, rule| {
            typed(name, value).map(|chosen| chosen.checked(rule)).transpose()
        };
        let client_id = filled("client-id", client_id, exec)?;
        let tenant_id = filled("tenant-id", tenant_id, exec)?;
        tenant_id.as_ref().map(authority::check_tenant).transpose()?;
        let redirect_url = typed("redirect-url", redirect_url);
        let pop_enabled = switched("pop-enabled", pop_enabled, exec)?;
        let pop_claims = filled("pop-claims", pop_claims, exec)?;
        let subscription = filled("subscription", subscription, exec)?;
        let login_hint = filled("login-hint", login_hint, exec)?;
        Ok(Self {
            login: filled("login", login, exec)?,
            server_id: filled("server-id", server_id, exec)?
                .or_else(|| from_cluster::server_id(exec)),
            client_id: client_id.map(|id| id.checked(&rules::ID)).transpose()?,
            tenant_id,
            environment: filled("environment", environment, exec)?,
            subscription: subscription.map(|name| name.checked(&rules::NAME)).transpose()?,
            authority_host: typed("authority-host", authority_host),
            secret: secret(
                ("client-secret", client_secret),
                ("client-secret-file", client_secret_file),
            )?,
            certificate: file("client-certificate", client_certificate)?,
            certificate_password: hidden(
                "client-certificate-password",
                client_certificate_password,
            )?,
            username: text("username", username, &rules::NAME)?,
            password: secret(("password", password), ("password-file", password_file))?,
            resource_id: text("identity-resource-id", identity_resource_id, &rules::RESOURCE_ID)?,
            object_id: text("object-id", object_id, &rules::ID)?,
            token_file: file("federated-token-file", federated_token_file)?,
            connection: text("azure-pipelines-service-connection-id", connection, &rules::ID)?,
            redirect: redirect_url.as_ref().map(Redirect::read).transpose()?,
            login_hint: login_hint.map(|name| name.checked(&rules::NAME)).transpose()?,
            pop: pop_claims::read(pop_enabled, pop_claims.as_ref())?,
            is_legacy: switched("legacy", legacy, exec)?,
            run_az,
            family: if is_on(use_azurerm_env_vars) { Family::AzureRm } else { Family::Azure },
            precedence: match (is_on(disable_environment_override), is_on(environment_wins)) {
                (true, true) => {
                    return Err(exclude("disable-environment-override", "env-overrides-flags"));
                }
                (true, false) => Precedence::Ignored,
                (false, true) => Precedence::Overrides,
                (false, false) => Precedence::Fills,
            },
            discovery: if is_on(disable_instance_discovery) {
                Discovery::Disabled
            } else {
                Discovery::Allowed
            },
        })
    }
}

/// What a flag says.
fn typed(name: &'static str, value: Option<String>) -> Option<Chosen> {
    let value = value.filter(|value| !value.is_empty());
    value.map(|value| Chosen { value, from: Origin::Flag(name) })
}

fn file(name: &'static str, value: Option<OsString>) -> Result<Option<File>> {
    let value = value.filter(|path| !path.is_empty());
    value.map(|path| File::path(Origin::Flag(name), path.into())).transpose()
}

fn hidden(name: &'static str, value: Option<String>) -> Result<Option<Hidden>> {
    let value = value.filter(|value| !value.is_empty());
    value.map(|value| Hidden::secret(Origin::Flag(name), value)).transpose()
}

/// A secret, from one of two flags.
fn secret(
    typed: (&'static str, Option<String>),
    in_file: (&'static str, Option<OsString>),
) -> Result<Option<Secret>> {
    match (hidden(typed.0, typed.1)?, file(in_file.0, in_file.1)?) {
        (Some(_), Some(_)) => Err(exclude(typed.0, in_file.0)),
        (secret, path) => Ok(secret.map(Secret::Typed).or(path.map(Secret::In))),
    }
}

fn exclude(one: &str, other: &str) -> Error {
    Error::config(format!("`--{one}` and `--{other}` exclude each other"))
        .next("fleetkey get-token azure --help")
}
