//! The flags as they are typed: kubelogin's, name for name, and a few of ours.

use std::ffi::OsString;

use clap::{Args, Command};

/// The flags, on that command. A flag given twice counts as it was given last.
pub(crate) fn augment(command: Command) -> Command {
    Flags::augment_args(command.args_override_self(true))
}

// Not a doc comment: clap would make it the help of the command it is grafted onto. No Debug: there
// are secrets in it.
#[derive(Args, Default)]
pub(super) struct Flags {
    /// How to sign in: devicecode, interactive, spn, ropc, msi, azurecli, azd, workloadidentity,
    /// azurepipelines, or auto for what this machine offers [default: a person, in a browser or
    /// else with a code]
    #[arg(short, long, value_name = "WAY")]
    pub(super) login: Option<String>,

    /// The server application the token is for; AKS: 6dae42f8-4368-4678-94ff-3960e28e3630
    #[arg(long, value_name = "ID")]
    pub(super) server_id: Option<String>,

    /// The application that signs in, or a managed identity's client id [default for people: the
    /// one that AKS or Arc has for them]
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,

    /// The tenant, as a GUID or a domain [default for people: `organizations`]
    #[arg(short, long, value_name = "TENANT")]
    pub(super) tenant_id: Option<String>,

    /// The subscription whose account is meant, by id or name (azurecli)
    #[arg(short, long, value_name = "NAME")]
    pub(super) subscription: Option<String>,

    /// Azure's cloud: `AzurePublicCloud`, `AzureUSGovernment` or `AzureChinaCloud` [default:
    /// `AzurePublicCloud`]
    #[arg(short, long, value_name = "CLOUD")]
    pub(super) environment: Option<String>,

    /// The host to sign in at, in place of the cloud's
    #[arg(long, value_name = "URL")]
    pub(super) authority_host: Option<String>,

    /// The application's secret (spn); other users of this machine can see it: better name a file,
    /// or set `AZURE_CLIENT_SECRET`
    #[arg(long, value_name = "SECRET")]
    pub(super) client_secret: Option<String>,

    /// A file with the application's secret (spn)
    #[arg(long, value_name = "PATH")]
    pub(super) client_secret_file: Option<OsString>,

    /// A file with the application's certificate and key, as PEM or PKCS #12 (spn)
    #[arg(long, value_name = "PATH")]
    pub(super) client_certificate: Option<OsString>,

    /// The password of that file; other users of this machine can see it: better set
    /// `AZURE_CLIENT_CERTIFICATE_PASSWORD`
    #[arg(long, value_name = "SECRET")]
    pub(super) client_certificate_password: Option<String>,

    /// The person's name (ropc)
    #[arg(long, value_name = "NAME")]
    pub(super) username: Option<String>,

    /// The person's password (ropc); other users of this machine can see it: better name a file, or
    /// set `AZURE_PASSWORD`
    #[arg(long, value_name = "SECRET")]
    pub(super) password: Option<String>,

    /// A file with the person's password (ropc)
    #[arg(long, value_name = "PATH")]
    pub(super) password_file: Option<OsString>,

    /// The managed identity's resource id, in place of its client id (msi)
    #[arg(long, value_name = "ID")]
    pub(super) identity_resource_id: Option<String>,

    /// The managed identity's object id, in place of its client id (msi)
    #[arg(long, value_name = "ID")]
    pub(super) object_id: Option<String>,

    /// The file with the token that speaks for the application (workloadidentity)
    #[arg(long, value_name = "PATH")]
    pub(super) federated_token_file: Option<OsString>,

    /// The service connection that speaks for the application (azurepipelines)
    #[arg(long, value_name = "ID")]
    pub(super) azure_pipelines_service_connection_id: Option<String>,

    /// Run `az` for every token, in place of reading what it keeps (azurecli) [env:
    /// `FLEETKEY_RUN_AZ`]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) run_az: Option<bool>,

    /// Where the browser comes back to: `http://localhost:PORT` [default: any port that is free]
    #[arg(long, value_name = "URL")]
    pub(super) redirect_url: Option<String>,

    /// Whom the sign-in page proposes
    #[arg(long, value_name = "NAME")]
    pub(super) login_hint: Option<String>,

    /// Bind the token to a key (interactive, ropc, spn); wants `--pop-claims`
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) pop_enabled: Option<bool>,

    /// What the bound token says: `u=` and the cluster's resource id
    #[arg(long, value_name = "CLAIMS")]
    pub(super) pop_claims: Option<String>,

    /// Ask the v1 endpoint, whose tokens are for `spn:` and the server's id (devicecode, spn)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) legacy: Option<bool>,

    /// Read `ARM_CLIENT_ID` and the others of Terraform's provider, in place of `AZURE_…` and `AAD_…`
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) use_azurerm_env_vars: Option<bool>,

    /// Read nothing of all this from the environment
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) disable_environment_override: Option<bool>,

    /// Let the environment win over flags, as it does in kubelogin
    #[arg(long = "env-overrides-flags", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) environment_wins: Option<bool>,

    /// Take a host that is not Microsoft's for an authority without asking it for its endpoints
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL")]
    pub(super) disable_instance_discovery: Option<bool>,

    /// How much kubelogin logs; kubeconfigs carry it, and it is ignored
    #[arg(long = "v", value_name = "LEVEL", hide = true)]
    pub(super) klog_level: Option<i32>,

    /// Where kubelogin logs to; the same
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = boolean, value_name = "BOOL", hide = true)]
    pub(super) logtostderr: Option<bool>,
}

/// A switch as Go's flag packages read it: `--legacy`, `--legacy=1`, `--legacy=False`.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is `true` or `false`".into()),
    }
}
