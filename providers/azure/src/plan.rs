//! The plan: which source a token comes from, and with what.
//!
//! A way to sign in that is named is taken. `auto` takes the first that this machine offers, from
//! what was set up for this very job to what is there for everybody:
//!
//! 1. a federated token, if an application and a tenant are known: of GitHub Actions, of a file, of
//!    a service connection of Azure Pipelines;
//! 2. an application's certificate or secret, with the same two known;
//! 3. the machine's identity;
//! 4. whoever is signed in to `az`;
//! 5. a person, with a browser or else with a code.
//!
//! Nothing is tried: what is offered is read from variables and files, and what is taken then fails
//! or not.

use std::path::PathBuf;

use fleetkey_provider::{Host, Result};

use crate::{
    arguments::{Arguments, Precedence, Secret},
    environment::Environment,
    given::Origin,
    login::Login,
    settings::Settings,
    source::{Asks, azure_cli, managed_identity},
    variables,
};

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where the token comes from.
    pub(crate) way: Way,
    /// What is known of whoever signs in.
    pub(crate) settings: Settings,
}

/// Where the token comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Person(Asks),
    Password,
    Secret,
    Certificate,
    TokenFile,
    GitHub,
    Pipelines,
    Machine,
    AzureCli,
    Azd,
}

impl Way {
    /// The login it belongs to.
    pub(crate) fn login(self) -> Option<Login> {
        match self {
            Self::Person(Asks::Best) => None,
            Self::Person(Asks::Browser) => Some(Login::Interactive),
            Self::Person(Asks::DeviceCode) => Some(Login::DeviceCode),
            Self::Password => Some(Login::Ropc),
            Self::Secret | Self::Certificate => Some(Login::Spn),
            Self::TokenFile | Self::GitHub => Some(Login::WorkloadIdentity),
            Self::Pipelines => Some(Login::AzurePipelines),
            Self::Machine => Some(Login::Msi),
            Self::AzureCli => Some(Login::AzureCli),
            Self::Azd => Some(Login::Azd),
        }
    }
}

/// Makes the plan.
pub(crate) fn plan(
    arguments: &Arguments,
    environment: Environment<'_>,
    host: &Host,
) -> Result<Plan> {
    let machine = Machine { host };
    let plan = match environment.login(arguments.login.as_ref())? {
        Some(Login::Auto) => auto(arguments, environment, &machine)?,
        login => {
            let settings = Settings::new(arguments, login, environment)?;
            Plan { way: way(login, &settings, environment, &machine), settings }
        }
    };
    for names in [&variables::CLIENT_ID, &variables::TENANT_ID] {
        environment.note_unheard(names, plan.way.login());
    }
    Ok(plan)
}

/// What this machine offers.
struct Machine<'a> {
    host: &'a Host,
}

impl Machine<'_> {
    /// Whether this is a job of GitHub Actions that may ask for a token.
    fn is_github(&self) -> bool {
        self.has(variables::ACTIONS_ID_TOKEN_REQUEST_URL)
            && self.has(variables::ACTIONS_ID_TOKEN_REQUEST_TOKEN)
    }

    /// Whether this is a job of Azure Pipelines that may ask for a token.
    fn is_pipelines(&self) -> bool {
        self.has(variables::SYSTEM_OIDCREQUESTURI) && self.has(variables::SYSTEM_ACCESSTOKEN)
    }

    fn has(&self, variable: &str) -> bool {
        self.host.env.var(variable).is_some_and(|value| !value.is_empty())
    }
}

/// The source of a way that was named; what it lacks is said where it is made.
fn way(
    login: Option<Login>,
    settings: &Settings,
    environment: Environment<'_>,
    machine: &Machine<'_>,
) -> Way {
    match login {
        None | Some(Login::Auto) => Way::Person(Asks::Best),
        Some(Login::DeviceCode) => Way::Person(Asks::DeviceCode),
        Some(Login::Interactive) => Way::Person(Asks::Browser),
        Some(Login::Spn) => application(settings, environment, machine.host),
        Some(Login::Ropc) => Way::Password,
        Some(Login::Msi) => Way::Machine,
        Some(Login::AzureCli) => Way::AzureCli,
        Some(Login::Azd) => Way::Azd,
        Some(Login::WorkloadIdentity) => federated(settings, machine).unwrap_or(Way::TokenFile),
        Some(Login::AzurePipelines) => Way::Pipelines,
    }
}

/// A certificate comes before a secret, as in kubelogin, unless only the secret is a flag's.
fn application(settings: &Settings, environment: Environment<'_>, host: &Host) -> Way {
    match (&settings.secret, &settings.certificate) {
        (None, Some(_)) => Way::Certificate,
        (Some(secret), Some(certificate)) => {
            let is_secret_closer = environment.precedence != Precedence::Overrides
                && origin(secret).is_flag()
                && !certificate.from.is_flag();
            let (way, from) = if is_secret_closer {
                (Way::Secret, origin(secret))
            } else {
                (Way::Certificate, certificate.from)
            };
            host.notes.note(&format!("a secret and a certificate are given: {from} is used"));
            way
        }
        _ => Way::Secret,
    }
}

fn origin(secret: &Secret) -> Origin {
    match secret {
        Secret::Typed(secret) => secret.from,
        Secret::In(file) => file.from,
    }
}

/// A job's own token comes before a file, as in kubelogin, unless a flag names the file.
fn federated(settings: &Settings, machine: &Machine<'_>) -> Option<Way> {
    match &settings.token_file {
        Some(file) if file.from.is_flag() => Some(Way::TokenFile),
        _ if machine.is_github() => Some(Way::GitHub),
        Some(_) => Some(Way::TokenFile),
        None => None,
    }
}

fn auto(
    arguments: &Arguments,
    environment: Environment<'_>,
    machine: &Machine<'_>,
) -> Result<Plan> {
    let host = machine.host;
    let settings = |login| Settings::new(arguments, login, environment);
    let found = |way, settings, why: &str| {
        host.notes.note(&format!("auto: {why}"));
        Ok(Plan { way, settings })
    };
    let is_application =
        |settings: &Settings| settings.client_id.is_some() && settings.tenant_id.is_some();

    let workload = settings(Some(Login::WorkloadIdentity))?;
    if is_application(&workload)
        && let Some(way) = federated(&workload, machine)
    {
        let why = match way {
            Way::GitHub => "GitHub Actions gives this job a token",
            _ => "there is a federated token file",
        };
        return found(way, workload, why);
    }
    let pipelines = settings(Some(Login::AzurePipelines))?;
    if is_application(&pipelines) && pipelines.connection.is_some() && machine.is_pipelines() {
        return found(Way::Pipelines, pipelines, "Azure Pipelines gives this job a token");
    }
    let spn = settings(Some(Login::Spn))?;
    if is_application(&spn) && (spn.secret.is_some() || spn.certificate.is_some()) {
        let way = application(&spn, environment, host);
        return found(way, spn, "an application's secret or certificate is given");
    }
    if let Some(why) = managed_identity::is_offered(host) {
        return found(Way::Machine, settings(Some(Login::Msi))?, why);
    }
    if azure_cli::is_offered(config_dir(host)?.as_deref(), host) {
        return found(Way::AzureCli, settings(Some(Login::AzureCli))?, "`az` is signed in");
    }
    found(Way::Person(Asks::Best), settings(None)?, "nothing else is offered: a person is meant")
}

/// Where `az` keeps its files, if not where it usually does.
pub(crate) fn config_dir(host: &Host) -> Result<Option<PathBuf>> {
    let folder = host.path_var(variables::AZURE_CONFIG_DIR);
    if folder.is_some() && host.trust.is_strict()? {
        host.notes.note("`AZURE_CONFIG_DIR` is ignored: the configuration is strict");
        return Ok(None);
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, arguments};

    const APPLICATION: [(&str, &str); 2] =
        [("AZURE_CLIENT_ID", "app"), ("AZURE_TENANT_ID", "contoso.com")];
    const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "s");
    const CERTIFICATE: (&str, &str) = ("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem");
    const FILE: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/t");
    const GITHUB: [(&str, &str); 2] = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.actions.githubusercontent.com/"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
    ];
    const PIPELINES: [(&str, &str); 3] = [
        ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/x"),
        ("SYSTEM_ACCESSTOKEN", "t"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "c"),
    ];
    const MSI: (&str, &str) = ("MSI_ENDPOINT", "http://localhost:50342/oauth2/token");
    const PROFILE: &str = r#"{"subscriptions":[{"id":"s","name":"n","state":"Enabled",
        "isDefault":true,"tenantId":"t","environmentName":"AzureCloud",
        "user":{"name":"u","type":"user"}}]}"#;

    fn plan(line: &str, world: &World) -> Plan {
        let (arguments, host) = (arguments(line), world.host());
        super::plan(&arguments, Environment::new(&arguments, &host), &host).unwrap()
    }

    fn way(line: &str, env: &[(&str, &str)]) -> Way {
        plan(line, &World::default().env(env)).way
    }

    #[test]
    fn a_way_that_is_named_is_taken_whatever_the_machine_offers() {
        let offers: Vec<_> = [&APPLICATION[..], &[SECRET, FILE, MSI], &PIPELINES].concat();
        for (line, expected) in [
            ("", Way::Person(Asks::Best)),
            ("-l devicecode", Way::Person(Asks::DeviceCode)),
            ("-l interactive", Way::Person(Asks::Browser)),
            ("-l spn", Way::Secret),
            ("-l ropc", Way::Password),
            ("-l msi", Way::Machine),
            ("-l azurecli", Way::AzureCli),
            ("-l azd", Way::Azd),
            ("-l workloadidentity", Way::TokenFile),
            ("-l azurepipelines", Way::Pipelines),
        ] {
            assert_eq!(way(line, &offers), expected, "{line}");
            assert_eq!(way(line, &[]), expected, "{line}, with nothing offered");
        }
    }

    #[test]
    fn the_environment_names_a_way_where_nobody_else_does() {
        let env = [("AAD_LOGIN_METHOD", "msi")];
        assert_eq!(way("", &env), Way::Machine);
        assert_eq!(way("-l spn", &env), Way::Secret);
        assert_eq!(way("-l spn --env-overrides-flags", &env), Way::Machine);
        assert_eq!(way("--disable-environment-override", &env), Way::Person(Asks::Best));
        assert_eq!(way("-l spn", &[("AAD_LOGIN_METHOD", "nonsense")]), Way::Secret);
    }

    #[test]
    fn a_certificate_comes_before_a_secret_that_is_not_closer() {
        let both = "-l spn --client-secret s --client-certificate /c";
        assert_eq!(way(both, &[]), Way::Certificate);
        assert_eq!(way("-l spn", &[SECRET, CERTIFICATE]), Way::Certificate);
        assert_eq!(way("-l spn --client-secret s", &[CERTIFICATE]), Way::Secret);
        assert_eq!(way("-l spn --client-secret-file /s", &[CERTIFICATE]), Way::Secret);
        assert_eq!(way("-l spn --client-certificate /c", &[SECRET]), Way::Certificate);
        let kubelogins = "-l spn --client-secret s --env-overrides-flags";
        assert_eq!(way(kubelogins, &[CERTIFICATE]), Way::Certificate);
    }

    #[test]
    fn a_jobs_own_token_comes_before_a_file_that_no_flag_names() {
        let line = "-l workloadidentity";
        assert_eq!(way(line, &GITHUB), Way::GitHub);
        assert_eq!(way(line, &[&GITHUB[..], &[FILE]].concat()), Way::GitHub);
        assert_eq!(way(&format!("{line} --federated-token-file /t"), &GITHUB), Way::TokenFile);
        assert_eq!(way(line, &GITHUB[..1]), Way::TokenFile, "both are needed");
    }

    #[test]
    fn auto_takes_the_first_that_is_offered() {
        let mut offers = vec![
            (Way::GitHub, GITHUB.to_vec()),
            (Way::TokenFile, vec![FILE]),
            (Way::Pipelines, PIPELINES.to_vec()),
            (Way::Certificate, vec![CERTIFICATE]),
            (Way::Secret, vec![SECRET]),
            (Way::Machine, vec![MSI]),
            (Way::AzureCli, vec![("AZURE_CONFIG_DIR", "/az")]),
        ];
        let way = |env: &[_]| {
            plan("-l auto", &World::default().env(env).file("/az/azureProfile.json", PROFILE)).way
        };
        while let Some((expected, _)) = offers.first().cloned() {
            let env: Vec<_> = offers.iter().flat_map(|(_, env)| env.clone()).collect();
            let with_application = [&APPLICATION[..], &env].concat();
            assert_eq!(way(&with_application), expected);
            // an application that nobody names is none
            let anonymous = if env.contains(&MSI) { Way::Machine } else { Way::AzureCli };
            assert_eq!(way(&env), anonymous);
            offers.remove(0);
        }
        assert_eq!(way(&APPLICATION), Way::Person(Asks::Best));
    }

    #[test]
    fn auto_reads_each_value_for_the_way_it_takes_and_says_why() {
        let world = World::default().env(&APPLICATION).env(&[MSI]);
        let Plan { way, settings } = plan("-l auto", &world);
        assert_eq!((way, settings.client_id.unwrap().value.as_str()), (Way::Machine, "app"));
        assert!(settings.tenant_id.is_none());
        let notes = world.notes.lines().join("\n");
        assert!(notes.contains("auto: `MSI_ENDPOINT` is set"), "{notes}");
        let person = plan("-l auto", &World::default().env(&APPLICATION));
        assert!(person.settings.client_id.is_none());
    }

    #[test]
    fn what_has_no_say_is_noted() {
        let world = World::default().env(&APPLICATION);
        plan("-l azd", &world);
        let notes = world.notes.lines().join("\n");
        assert!(notes.contains("`AZURE_CLIENT_ID` has no say"), "{notes}");
        assert!(notes.contains("`AZURE_TENANT_ID` has no say"), "{notes}");
    }
}
