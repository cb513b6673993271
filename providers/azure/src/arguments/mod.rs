//! What the flags of `get-token azure` mean once they are checked.
//!
//! What a flag does not say, the cluster's exec extension in the kubeconfig may: `login`,
//! `server-id`, `client-id`, `tenant-id` and `environment`, so that one stanza serves many clusters.
//! It names no secret, no file and no host: those are not for a cluster to choose. An empty value is
//! no value, as in kubelogin.

mod flags;
mod pop_claims;
mod redirect_url;
pub(crate) mod rules;

use std::ffi::OsString;

use clap::{ArgMatches, FromArgMatches};
use fleetkey_provider::{Error, ExecInfo, Result};

pub(crate) use self::flags::{augment, boolean};
use self::{flags::Flags, redirect_url::Redirect};
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
        let pop_claims = typed("pop-claims", pop_claims);
        Ok(Self {
            login: filled("login", login, exec)?,
            server_id: filled("server-id", server_id, exec)?,
            client_id: client_id.map(|id| id.checked(&rules::ID)).transpose()?,
            tenant_id,
            environment: filled("environment", environment, exec)?,
            subscription: text("subscription", subscription, &rules::NAME)?,
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
            login_hint: text("login-hint", login_hint, &rules::NAME)?,
            pop: pop_claims::read(is_on(pop_enabled), pop_claims.as_ref())?,
            is_legacy: is_on(legacy),
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

/// What a flag says, else the cluster's extension under the same name.
fn filled(name: &'static str, flag: Option<String>, exec: &ExecInfo) -> Result<Option<Chosen>> {
    if let Some(chosen) = typed(name, flag) {
        return Ok(Some(chosen));
    }
    let Some(value) = exec.cluster.as_ref().and_then(|cluster| cluster.config.get(name)) else {
        return Ok(None);
    };
    let from = Origin::Cluster(name);
    match value.as_str() {
        Some("") => Ok(None),
        Some(value) => Ok(Some(Chosen { value: value.to_owned(), from })),
        None => Err(Error::config(format!("{from} is not text")).because("it has to be a string")),
    }
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

#[cfg(test)]
mod tests {
    use clap::Command;
    use fleetkey_provider::{ClusterInfo, Kind};
    use serde_json::{Value, json};

    use super::*;

    fn read(args: &[&str], config: &Value) -> Result<Arguments> {
        let command = augment(Command::new("azure").no_binary_name(true));
        let mut matches = command.try_get_matches_from(args).unwrap();
        let config = config.as_object().cloned().unwrap_or_default();
        let cluster = Some(ClusterInfo { config, ..ClusterInfo::default() });
        Arguments::read(&mut matches, &ExecInfo { cluster, ..ExecInfo::default() })
    }

    fn typed(line: &str) -> Arguments {
        read(&line.split_whitespace().collect::<Vec<_>>(), &Value::Null).unwrap()
    }

    #[test]
    fn short_and_long_names_are_kubelogins_and_the_last_counts() {
        let short = typed("-l spn -t contoso.com -s sub -e AzureChinaCloud");
        let long = typed(
            "--login=msi --login=spn --tenant-id a.b --tenant-id=contoso.com --subscription=sub \
             --environment foo --environment=AzureChinaCloud",
        );
        assert_eq!(format!("{short:?}"), format!("{long:?}"));
        assert_eq!(short.tenant_id, Some(Chosen::flag("tenant-id", "contoso.com")));
    }

    #[test]
    fn switches_are_given_as_go_has_them() {
        for (line, is_legacy) in [
            ("", false),
            ("--legacy", true),
            ("--legacy=true", true),
            ("--legacy=1", true),
            ("--legacy=False", false),
            ("--legacy --legacy=false", false),
            ("--legacy=f --legacy", true),
        ] {
            assert_eq!(typed(line).is_legacy, is_legacy, "{line}");
        }
        let command = || augment(Command::new("azure").no_binary_name(true));
        assert!(command().try_get_matches_from(["--legacy=maybe"]).is_err());
        assert!(command().try_get_matches_from(["--legacy", "false"]).is_err());
        assert_eq!(typed("--env-overrides-flags").precedence, Precedence::Overrides);
        assert_eq!(typed("--disable-environment-override").precedence, Precedence::Ignored);
        assert_eq!(typed("--disable-instance-discovery").discovery, Discovery::Disabled);
        assert_eq!(typed("--use-azurerm-env-vars").family, Family::AzureRm);
    }

    #[test]
    fn kubelogins_flags_for_its_log_are_taken_and_ignored() {
        let plain = format!("{:?}", typed("-l msi"));
        for flags in ["--v 5", "--v=5", "--v=0 --v 10", "--logtostderr", "--logtostderr=false"] {
            assert_eq!(format!("{:?}", typed(&format!("{flags} -l msi"))), plain, "{flags}");
        }
        let mut command = augment(Command::new("azure").no_binary_name(true));
        let help = command.render_long_help().to_string();
        assert!(!help.contains("--v ") && !help.contains("logtostderr"), "{help}");
    }

    #[test]
    fn the_cluster_fills_in_what_no_flag_says_and_nothing_secret() {
        let config = json!({
            "login": "msi", "server-id": "s", "client-id": "c", "tenant-id": "t.example",
            "environment": "AzureCloud", "authority-host": "https://evil.example",
            "client-secret": "x", "client-certificate": "/x", "federated-token-file": "/x",
            "region": "another cloud's",
        });
        let arguments = read(&["--client-id", "ours", "-t", ""], &config).unwrap();
        assert_eq!(arguments.client_id, Some(Chosen::flag("client-id", "ours")));
        let tenant = arguments.tenant_id.unwrap();
        assert_eq!(tenant.value, "t.example");
        assert_eq!(tenant.from.to_string(), "`spec.cluster.config.tenant-id`");
        assert!(arguments.login.is_some() && arguments.environment.is_some());
        assert!(arguments.authority_host.is_none() && arguments.secret.is_none());
        assert!(arguments.certificate.is_none() && arguments.token_file.is_none());
    }

    #[test]
    fn errors_name_the_flag_or_the_key() {
        let long = "x".repeat(5000);
        for (args, config, words) in [
            (&["--client-id", "a b"][..], Value::Null, "`--client-id` is not an id"),
            (&[], json!({"client-id": "a b"}), "`spec.cluster.config.client-id` is not an id"),
            (&[], json!({"login": 7}), "`spec.cluster.config.login` is not text"),
            (&["--tenant-id", "a/b"], Value::Null, "`--tenant-id` is not a tenant"),
            (&["--username", "a\n"], Value::Null, "`--username` is not a name"),
            (&["--login-hint", &long], Value::Null, "longer than 256"),
            (&["--federated-token-file", "/a\u{1b}"], Value::Null, "is not a path"),
            (&["--identity-resource-id", "/a b"], Value::Null, "is not a resource id"),
            (&["--client-secret", &long], Value::Null, "`--client-secret` holds no secret"),
            (&["--password", "a\u{1b}"], Value::Null, "`--password` holds no secret"),
            (&["--redirect-url", "x"], Value::Null, "`--redirect-url` is nowhere"),
            (
                &["--client-secret", "x", "--client-secret-file", "/x"],
                Value::Null,
                "`--client-secret` and `--client-secret-file` exclude each other",
            ),
            (
                &["--disable-environment-override", "--env-overrides-flags"],
                Value::Null,
                "exclude each other",
            ),
        ] {
            let error = read(args, &config).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{args:?}");
            assert!(error.to_string().contains(words), "{args:?}: {error}");
        }
    }
}
