//! The source of a plan, with all it needs.

use fleetkey_provider::{Error, Host, Result, SecretString, quoted, shown};

use super::needs::Need;
use crate::{
    arguments::{Arguments, Secret, boolean},
    authority::{self, Authority, ORGANIZATIONS},
    az,
    cloud::Cloud,
    entra::{Client, Version},
    environment::Environment,
    given::{Chosen, Hidden},
    go_duration,
    login::Login,
    plan::{Way, config_dir},
    server_id::{AKS, AKS_CLIENT, ServerId},
    settings::Settings,
    source::{
        Asks, AzSettings, Azd, AzureCli, ClientCertificate, ClientSecret, Identity,
        ManagedIdentity, Password, Person, Pipelines, Source, WorkloadIdentity,
    },
    variables,
};

/// The server application of clusters that Arc connects, and the one that people sign in with.
const ARC: &str = "6256c85f-0aad-4d50-b960-e6e9b21efe35";
const ARC_CLIENT: &str = "3f4439ff-e698-4d6d-84fe-09c9d574f06b";

/// What sources are made of.
pub(super) struct Sources<'a> {
    pub(super) arguments: Arguments,
    pub(super) settings: Settings,
    pub(super) environment: Environment<'a>,
    pub(super) server: &'a ServerId,
    /// The cloud, if one was named.
    pub(super) cloud: Option<Cloud>,
    pub(super) version: Version,
    pub(super) host: &'a Host,
}

impl Sources<'_> {
    /// The source of that way.
    pub(super) fn make(self, way: Way) -> Result<Box<dyn Source>> {
        Ok(match way {
            Way::Person(asks) => Box::new(self.person(asks)?),
            Way::Password => Box::new(self.password()?),
            Way::Secret => Box::new(self.secret()?),
            Way::Certificate => Box::new(self.certificate()?),
            Way::TokenFile => Box::new(self.token_file()?),
            Way::GitHub => {
                let client = self.application(Login::WorkloadIdentity)?;
                Box::new(WorkloadIdentity::github(client, self.host)?)
            }
            Way::Pipelines => Box::new(self.pipelines()?),
            Way::Machine => Box::new(ManagedIdentity::here(self.identity()?, self.host)?),
            Way::AzureCli => Box::new(self.azure_cli()?),
            Way::Azd => Box::new(Azd::here(self.settings.tenant_id.map(|id| id.value), self.host)?),
        })
    }

    fn person(self, asks: Asks) -> Result<Person> {
        // what is asked of the v1 endpoint is asked with a code, as in kubelogin
        let asks = match (self.version, asks) {
            (Version::V1, Asks::Best) => Asks::DeviceCode,
            _ => asks,
        };
        let client = self.of_a_person()?;
        let hint = self.arguments.login_hint.map(|hint| hint.value);
        let redirect = self.arguments.redirect.and_then(|redirect| redirect.port(self.host));
        Ok(Person::new(client, hint, asks, redirect))
    }

    fn password(self) -> Result<Password> {
        let client = self.of_a_person()?;
        let username = USERNAME.of(self.settings.username, Login::Ropc, self.environment)?;
        let password = PASSWORD.of(self.settings.password, Login::Ropc, self.environment)?;
        Ok(Password::new(client, username.value, opened(password, self.host)?))
    }

    fn secret(self) -> Result<ClientSecret> {
        let client = self.application(Login::Spn)?;
        let secret = CLIENT_SECRET.of(self.settings.secret, Login::Spn, self.environment)?;
        Ok(ClientSecret::new(client, opened(secret, self.host)?))
    }

    fn certificate(self) -> Result<ClientCertificate> {
        let client = self.application(Login::Spn)?;
        let file = CLIENT_SECRET.of(self.settings.certificate, Login::Spn, self.environment)?;
        let password = self.settings.certificate_password.map(|password| password.value);
        ClientCertificate::open(client, file.value, &file.from.to_string(), password, self.host)
    }

    fn token_file(self) -> Result<WorkloadIdentity> {
        let login = Login::WorkloadIdentity;
        let client = self.application(login)?;
        let file = TOKEN_FILE.of(self.settings.token_file, login, self.environment)?;
        WorkloadIdentity::open(client, file.value, &file.from.to_string(), self.host)
    }

    fn pipelines(self) -> Result<Pipelines> {
        let login = Login::AzurePipelines;
        let client = self.application(login)?;
        let connection = CONNECTION.of(self.settings.connection, login, self.environment)?;
        Pipelines::open(client, connection.value, self.host)
    }

    fn azure_cli(self) -> Result<AzureCli> {
        let is_named = self.settings.authority_host.is_some();
        let authority = is_named.then(|| self.authority(String::new())).transpose()?;
        let limit = self.environment.text(variables::AZURE_CLI_TIMEOUT)?;
        let settings = AzSettings {
            native: !self.runs_az()?,
            config_dir: config_dir(self.host)?,
            cloud: self.cloud.filter(|_| authority.is_none()),
            authority: authority.map(|authority| authority.endpoint),
            limit: limit.and_then(|text| go_duration::parse(&text)),
            tenant: self.settings.tenant_id.map(|id| id.value),
            subscription: self.arguments.subscription.map(|name| name.value),
        };
        AzureCli::open(&settings, self.host)
    }

    fn runs_az(&self) -> Result<bool> {
        const NAME: &str = variables::FLEETKEY_RUN_AZ;
        match (self.arguments.run_az, self.host.text_var(NAME)?) {
            (Some(flag), _) => Ok(flag),
            (None, None) => Ok(false),
            (None, Some(text)) => boolean(&text).map_err(|why| {
                Error::config(format!("the variable `{NAME}` is no switch: `{}`", shown(&text)))
                    .because(why)
                    .next(format!("export {NAME}=true"))
            }),
        }
    }

    /// Which of the machine's identities. In kubelogin a client id hides a resource id; here a flag
    /// wins over a client id that is none.
    fn identity(&self) -> Result<Identity> {
        let client = self.settings.client_id.as_ref();
        let (object, resource) = (&self.arguments.object_id, &self.arguments.resource_id);
        if let (Some(object), Some(resource)) = (object, resource) {
            return Err(one_identity(object, resource));
        }
        match (client, object.as_ref().or(resource.as_ref())) {
            (Some(client), Some(other)) if client.from.is_flag() => {
                Err(one_identity(client, other))
            }
            (_, Some(_)) => Ok(match (object, resource) {
                (Some(object), _) => Identity::Object(object.value.clone()),
                (_, Some(resource)) => Identity::Resource(resource.value.clone()),
                (None, None) => Identity::System,
            }),
            (Some(client), None) => Ok(Identity::Client(client.value.clone())),
            (None, None) => Ok(Identity::System),
        }
    }

    /// A person's application; who is not told which gets the one that AKS or Arc has for people, or
    /// that of `az` for Azure itself.
    fn of_a_person(&self) -> Result<Client> {
        let id = match &self.settings.client_id {
            Some(id) => id.value.clone(),
            None => default_client(self.server)?.to_owned(),
        };
        let tenant = self.settings.tenant_id.as_ref();
        let tenant = tenant.map_or_else(|| ORGANIZATIONS.to_owned(), |id| id.value.clone());
        Ok(Client { authority: self.authority(tenant)?, id, version: self.version })
    }

    /// An application of one tenant.
    fn application(&self, login: Login) -> Result<Client> {
        let id = CLIENT_ID.of(self.settings.client_id.as_ref(), login, self.environment)?;
        let tenant = TENANT_ID.of(self.settings.tenant_id.as_ref(), login, self.environment)?;
        if authority::is_for_many(&tenant.value) {
            return Err(Error::config(format!("{} names no tenant of its own", tenant.from))
                .because(format!(
                    "an application signs in to one tenant, not to `{}`",
                    tenant.value
                ))
                .next(TENANT_ID.next));
        }
        let origins = format!("application from {}, tenant from {}", id.from, tenant.from);
        self.host.notes.note(&origins);
        let authority = self.authority(tenant.value.clone())?;
        Ok(Client { authority, id: id.value.clone(), version: self.version })
    }

    fn authority(&self, tenant: String) -> Result<Authority> {
        let (named, cloud) =
            (self.settings.authority_host.as_ref(), self.cloud.unwrap_or_default());
        Authority::new(named, cloud, tenant, self.arguments.discovery, self.host)
    }
}

fn default_client(server: &ServerId) -> Result<&'static str> {
    let id = server.resource().strip_prefix("spn:").unwrap_or(server.resource());
    // AKS's own may not ask for it (AADSTS65002), and this one every tenant knows
    if Cloud::is_resource_manager(id) {
        return Ok(az::CLIENT);
    }
    let known = [(AKS, AKS_CLIENT), (ARC, ARC_CLIENT)];
    let found = known.into_iter().find(|(server, _)| server.eq_ignore_ascii_case(id));
    found.map(|(_, client)| client).ok_or_else(|| {
        Error::config("no application is named for people to sign in with")
            .because(format!(
                "`--client-id` is not given, and only AKS and Arc have one of their own, not `{}`",
                shown(id)
            ))
            .next("az ad app list --show-mine --query '[].[appId,displayName]' --output table")
    })
}

fn one_identity(one: &Chosen, other: &Chosen) -> Error {
    Error::config(format!("{} and {} exclude each other", one.from, other.from))
        .because("each names the managed identity that is meant")
        .next(HELP)
}

/// A secret, read from its file if it is in one. A line break at the end is the editor's.
fn opened(secret: Secret, host: &Host) -> Result<SecretString> {
    let file = match secret {
        Secret::Typed(secret) => return Ok(secret.value),
        Secret::In(file) => file,
    };
    let path = file.value.to_string_lossy();
    let unread = |why: &str| {
        Error::config(format!("{} names no file with a secret: `{}`", file.from, shown(&path)))
            .because(why)
            .next(format!("ls -l {}", quoted(&path)))
    };
    let bytes = host.files.read(&file.value)?.ok_or_else(|| unread("there is no such file"))?;
    let text = String::from_utf8(bytes).map_err(|_| unread("it is not UTF-8 text"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Hidden::secret(file.from, line.to_owned()).map(|secret| secret.value)
}

const HELP: &str = "fleetkey get-token azure --help";

const CLIENT_ID: Need = Need {
    what: "the application's id",
    flags: "`--client-id`",
    names: Some(&variables::CLIENT_ID),
    next: "az ad sp list --show-mine --query '[].[appId,displayName]' --output table",
};
const TENANT_ID: Need = Need {
    what: "the application's tenant",
    flags: "`--tenant-id`",
    names: Some(&variables::TENANT_ID),
    next: "az account show --query tenantId --output tsv",
};
const CLIENT_SECRET: Need = Need {
    what: "a secret or a certificate",
    flags: "none of `--client-secret-file`, `--client-secret` and `--client-certificate`",
    names: Some(&variables::CLIENT_SECRET),
    next: HELP,
};
const USERNAME: Need = Need {
    what: "the person's name",
    flags: "`--username`",
    names: Some(&variables::USERNAME),
    next: HELP,
};
const PASSWORD: Need = Need {
    what: "the person's password",
    flags: "neither `--password-file` nor `--password`",
    names: Some(&variables::PASSWORD),
    next: HELP,
};
const TOKEN_FILE: Need = Need {
    what: "a federated token",
    flags: "`--federated-token-file`",
    names: Some(&variables::FEDERATED_TOKEN_FILE),
    next: HELP,
};
const CONNECTION: Need = Need {
    what: "a service connection",
    flags: "`--azure-pipelines-service-connection-id`",
    names: None,
    next: "az devops service-endpoint list --query '[].[id,name]' --output table",
};
