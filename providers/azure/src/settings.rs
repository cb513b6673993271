//! What is known of whoever signs in: flags, the cluster's extension and the environment, put
//! together for one way to sign in.
//!
//! Each value carries where it came from. Nothing is missed here: what a way needs is asked for where
//! its source is made.

use fleetkey_provider::Result;

use crate::{
    arguments::{Arguments, Precedence, Secret, rules},
    authority,
    environment::Environment,
    given::{Chosen, File, Hidden, Origin},
    login::Login,
    variables,
};

/// The settings of one way to sign in.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) client_id: Option<Chosen>,
    pub(crate) tenant_id: Option<Chosen>,
    pub(crate) secret: Option<Secret>,
    pub(crate) certificate: Option<File>,
    pub(crate) certificate_password: Option<Hidden>,
    pub(crate) username: Option<Chosen>,
    pub(crate) password: Option<Secret>,
    pub(crate) token_file: Option<File>,
    pub(crate) connection: Option<Chosen>,
    pub(crate) authority_host: Option<Chosen>,
}

impl Settings {
    /// Puts them together.
    pub(crate) fn new(
        arguments: &Arguments,
        login: Option<Login>,
        environment: Environment<'_>,
    ) -> Result<Self> {
        let env = environment;
        let client_ids = match login {
            Some(Login::WorkloadIdentity) => &variables::WORKLOAD_CLIENT_ID,
            _ => &variables::CLIENT_ID,
        };
        let (mut client_id, mut tenant_id) =
            (arguments.client_id.clone(), arguments.tenant_id.clone());
        let mut connection = arguments.connection.clone();
        let fill = |client_id, tenant_id| -> Result<_> {
            Ok((
                env.fill(client_id, variables::CONNECTION_CLIENT_ID, id)?,
                env.fill(tenant_id, variables::CONNECTION_TENANT_ID, tenant)?,
            ))
        };
        let is_connection = login == Some(Login::AzurePipelines);
        // what the connection's task sets is closer than what anybody may have set, except in
        // kubelogin's order
        if is_connection && env.precedence != Precedence::Overrides {
            (client_id, tenant_id) = fill(client_id, tenant_id)?;
        }
        client_id = env.say(client_id, client_ids, login, id)?;
        tenant_id = env.say(tenant_id, &variables::TENANT_ID, login, tenant)?;
        if is_connection {
            (client_id, tenant_id) = fill(client_id, tenant_id)?;
            connection = env.fill(connection, variables::CONNECTION_ID, id)?;
        }
        let arguments = arguments.clone();
        Ok(Self {
            client_id,
            tenant_id,
            secret: env.say(arguments.secret, &variables::CLIENT_SECRET, login, secret)?,
            certificate: env.say(
                arguments.certificate,
                &variables::CLIENT_CERTIFICATE,
                login,
                file,
            )?,
            certificate_password: env.say(
                arguments.certificate_password,
                &variables::CLIENT_CERTIFICATE_PASSWORD,
                login,
                Hidden::secret,
            )?,
            username: env.say(arguments.username, &variables::USERNAME, login, name)?,
            password: env.say(arguments.password, &variables::PASSWORD, login, secret)?,
            token_file: env.say(
                arguments.token_file,
                &variables::FEDERATED_TOKEN_FILE,
                login,
                file,
            )?,
            connection,
            authority_host: env.say(
                arguments.authority_host,
                &variables::AUTHORITY_HOST,
                login,
                host,
            )?,
        })
    }
}

fn id(from: Origin, value: String) -> Result<Chosen> {
    Chosen { value, from }.checked(&rules::ID)
}

fn name(from: Origin, value: String) -> Result<Chosen> {
    Chosen { value, from }.checked(&rules::NAME)
}

fn tenant(from: Origin, value: String) -> Result<Chosen> {
    let tenant = Chosen { value, from };
    authority::check_tenant(&tenant)?;
    Ok(tenant)
}

fn secret(from: Origin, value: String) -> Result<Secret> {
    Hidden::secret(from, value).map(Secret::Typed)
}

fn file(from: Origin, value: String) -> Result<File> {
    File::path(from, value.into())
}

/// Checked where it is used.
#[allow(clippy::unnecessary_wraps, reason = "a reader like the others, which can fail")]
fn host(from: Origin, value: String) -> Result<Chosen> {
    Ok(Chosen { value, from })
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        ExposeSecret, Host, Kind,
        testing::{KeptNotes, StaticEnv, StaticTrust},
    };

    use super::*;
    use crate::testing::arguments;

    const PEOPLE: [Option<Login>; 3] = [None, Some(Login::AzureCli), Some(Login::Azd)];

    fn host(env: &[(&str, &str)], strict: bool) -> Host {
        Host {
            env: Box::new(StaticEnv::new(env.iter().copied())),
            trust: Box::new(StaticTrust { hosts: Vec::new(), strict }),
            ..Host::refusing()
        }
    }

    fn read(line: &str, login: Option<Login>, host: &Host) -> Result<Settings> {
        let arguments = arguments(line);
        Settings::new(&arguments, login, Environment::new(&arguments, host))
    }

    fn of(line: &str, login: Option<Login>, env: &[(&str, &str)]) -> Settings {
        read(line, login, &host(env, false)).unwrap()
    }

    fn secret(secret: Option<&Secret>) -> String {
        match secret {
            Some(Secret::Typed(secret)) => secret.value.expose_secret().to_owned(),
            Some(Secret::In(file)) => file.value.to_string_lossy().into_owned(),
            None => "-".into(),
        }
    }

    /// The values, in the order of the table below.
    fn shown(settings: &Settings) -> [String; 9] {
        let text =
            |chosen: &Option<Chosen>| chosen.as_ref().map_or("-".into(), |c| c.value.clone());
        let path = |file: &Option<File>| {
            file.as_ref().map_or("-".into(), |f| f.value.to_string_lossy().into_owned())
        };
        let password = settings.certificate_password.as_ref();
        [
            text(&settings.client_id),
            text(&settings.tenant_id),
            secret(settings.secret.as_ref()),
            path(&settings.certificate),
            password.map_or("-".into(), |p| p.value.expose_secret().to_owned()),
            text(&settings.username),
            secret(settings.password.as_ref()),
            path(&settings.token_file),
            text(&settings.authority_host),
        ]
    }

    /// Flag, then the variables that say the same, first to last, and a login they are made for.
    const TABLE: [(&str, &[&str], Login); 9] = [
        ("client-id", &["AZURE_CLIENT_ID", "AAD_SERVICE_PRINCIPAL_CLIENT_ID"], Login::Spn),
        ("tenant-id", &["AZURE_TENANT_ID"], Login::Spn),
        (
            "client-secret",
            &["AZURE_CLIENT_SECRET", "AAD_SERVICE_PRINCIPAL_CLIENT_SECRET"],
            Login::Spn,
        ),
        (
            "client-certificate",
            &["AZURE_CLIENT_CERTIFICATE_PATH", "AAD_SERVICE_PRINCIPAL_CLIENT_CERTIFICATE"],
            Login::Spn,
        ),
        (
            "client-certificate-password",
            &[
                "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                "AAD_SERVICE_PRINCIPAL_CLIENT_CERTIFICATE_PASSWORD",
            ],
            Login::Spn,
        ),
        ("username", &["AZURE_USERNAME", "AAD_USER_PRINCIPAL_NAME"], Login::Ropc),
        ("password", &["AZURE_PASSWORD", "AAD_USER_PRINCIPAL_PASSWORD"], Login::Ropc),
        ("federated-token-file", &["AZURE_FEDERATED_TOKEN_FILE"], Login::WorkloadIdentity),
        ("authority-host", &["AZURE_AUTHORITY_HOST"], Login::WorkloadIdentity),
    ];

    #[test]
    fn a_flag_wins_over_a_variable_unless_kubelogins_order_is_asked_for() {
        for (index, (flag, variables, login)) in TABLE.into_iter().enumerate() {
            let value = |line: &str, env: &[(&str, &str)]| {
                shown(&of(line, Some(login), env))[index].clone()
            };
            let flagged = format!("--{flag} flag.x");
            let overriding = format!("{flagged} --env-overrides-flags");
            let ignoring = format!("{flagged} --disable-environment-override");
            for (position, variable) in variables.iter().copied().enumerate() {
                let env = [(variable, "env.x")];
                assert_eq!(value(&flagged, &env), "flag.x", "{variable}");
                assert_eq!(value("", &env), "env.x", "{variable}");
                assert_eq!(value(&format!("--{flag}="), &env), "env.x", "an empty flag is none");
                assert_eq!(value(&overriding, &env), "env.x", "{variable}");
                assert_eq!(value(&ignoring, &env), "flag.x", "{variable}");
                assert_eq!(value("--disable-environment-override", &env), "-", "{variable}");
                // empty is unset, but in kubelogin's order
                let empty = [(variable, "")];
                assert_eq!(value("", &empty), "-", "{variable}");
                assert_eq!(value(&flagged, &empty), "flag.x", "{variable}");
                assert_eq!(value(&overriding, &empty), "-", "{variable}");
                // of two names the first counts
                for later in &variables[position + 1..] {
                    let both = [(variable, "env.x"), (*later, "later.x")];
                    assert_eq!(value("", &both), "env.x", "{later}");
                    assert_eq!(value(&overriding, &both), "env.x", "{later}");
                }
            }
        }
    }

    #[test]
    fn a_variable_says_who_an_application_is_and_nothing_of_people() {
        let env: Vec<(&str, &str)> =
            TABLE.iter().flat_map(|(_, names, _)| *names).map(|name| (*name, "env.x")).collect();
        for login in PEOPLE {
            assert_eq!(shown(&of("", login, &env)), ["-"; 9].map(String::from), "{login:?}");
        }
        // in kubelogin's order they change everybody
        for login in PEOPLE {
            let settings = shown(&of("--env-overrides-flags -t a.b", login, &env));
            assert_eq!(settings[..2], ["env.x", "env.x"], "{login:?}");
            assert_eq!(settings[8], "-", "an authority is for workload identity alone");
        }
        let msi = shown(&of("", Some(Login::Msi), &env));
        assert_eq!((&*msi[0], &*msi[1], &*msi[2]), ("env.x", "-", "-"));
    }

    #[test]
    fn terraforms_variables_are_read_where_they_are_asked_for() {
        let env = [
            ("ARM_CLIENT_ID", "arm"),
            ("ARM_CLIENT_SECRET", "arm"),
            ("ARM_CLIENT_CERTIFICATE_PATH", "arm"),
            ("ARM_CLIENT_CERTIFICATE_PASSWORD", "arm"),
            ("ARM_TENANT_ID", "arm.x"),
            ("AZURE_TENANT_ID", "azure.x"),
            ("AAD_SERVICE_PRINCIPAL_CLIENT_ID", "aad"),
        ];
        let spn = shown(&of("--use-azurerm-env-vars", Some(Login::Spn), &env));
        assert_eq!(spn[..5], ["arm", "arm.x", "arm", "arm", "arm"]);
        let spn = shown(&of("", Some(Login::Spn), &env));
        assert_eq!(spn[..5], ["aad", "azure.x", "-", "-", "-"]);
        // what the webhook sets counts for workload identity all the same
        let both = [("ARM_CLIENT_ID", "arm"), ("AZURE_CLIENT_ID", "azure")];
        let workload = of("--use-azurerm-env-vars", Some(Login::WorkloadIdentity), &both);
        assert_eq!(workload.client_id.unwrap().value, "azure");
    }

    #[test]
    fn a_service_connections_variables_fill_what_is_left_open() {
        let env = [
            ("AZURESUBSCRIPTION_CLIENT_ID", "connection"),
            ("AZURESUBSCRIPTION_TENANT_ID", "connection.x"),
            ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection"),
            ("AZURE_CLIENT_ID", "azure"),
        ];
        let login = Some(Login::AzurePipelines);
        let settings = of("", login, &env);
        assert_eq!(shown(&settings)[..2], ["connection", "connection.x"]);
        assert_eq!(settings.connection.unwrap().value, "connection");
        let flags = "--client-id flag --azure-pipelines-service-connection-id flag";
        let settings = of(flags, login, &env);
        assert_eq!(shown(&settings)[..2], ["flag", "connection.x"]);
        assert_eq!(settings.connection.unwrap().value, "flag");
        let settings = of("--client-id flag --env-overrides-flags", login, &env);
        assert_eq!(shown(&settings)[..2], ["azure", "connection.x"]);
        assert!(of("", Some(Login::Spn), &env).connection.is_none());
    }

    #[test]
    fn a_strict_configuration_lets_no_variable_move_a_file_or_a_host() {
        let env = [
            ("AZURE_CLIENT_CERTIFICATE_PATH", "env.x"),
            ("AZURE_CLIENT_SECRET", "env.x"),
            ("AZURE_FEDERATED_TOKEN_FILE", "env.x"),
            ("AZURE_AUTHORITY_HOST", "env.x"),
        ];
        for line in ["", "--env-overrides-flags"] {
            let notes = KeptNotes::default();
            let host = Host { notes: Box::new(notes.clone()), ..host(&env, true) };
            let spn = shown(&read(line, Some(Login::Spn), &host).unwrap());
            assert_eq!(spn[2..4], ["env.x", "-"]);
            let workload = shown(&read(line, Some(Login::WorkloadIdentity), &host).unwrap());
            assert_eq!(workload[7..], ["-", "-"]);
            assert!(notes.lines().iter().any(|line| line.contains("configuration is strict")));
        }
    }

    #[test]
    fn a_variable_that_cannot_be_is_named_and_no_secret_is_shown() {
        for (name, value, login) in [
            ("AZURE_CLIENT_ID", "a b", Login::Spn),
            ("AZURE_TENANT_ID", "x/../y", Login::Spn),
            ("AZURE_CLIENT_SECRET", "hunter2\n", Login::Spn),
            ("AZURE_USERNAME", "a\u{1b}[2J", Login::Ropc),
            ("AZURE_PASSWORD", "hunter2\u{1b}", Login::Ropc),
            ("AZURE_FEDERATED_TOKEN_FILE", "/a\n", Login::WorkloadIdentity),
        ] {
            let error = read("", Some(login), &host(&[(name, value)], false)).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.message().contains(name), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
            // who is not meant by it does not stumble over it
            assert!(read("", None, &host(&[(name, value)], false)).is_ok(), "{name}");
        }
    }
}
