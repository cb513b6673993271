//! A sandbox with a tenant in it: one AKS cluster, one person, one application, and a browser that
//! writes down what it was asked to open.

use std::{collections::HashMap, fs, path::PathBuf};

use fleetkey_sandbox::{
    AksCluster, AksToken, App, AzLogin, Caller, ClientCertificate, FakeRun, Home, ManagedIdentity,
    Person, Route, Sandbox,
};
use jiff::SignedDuration;

#[cfg(unix)]
use super::browser;
use super::{Program, Run, until};

/// AKS's server application.
pub(crate) const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const APP: &str = "33333333-3333-3333-3333-333333333333";
const IDENTITY: &str = "44444444-4444-4444-4444-444444444444";
const SECRET: &str = "kept~only.in-the_environment";
const PASSWORD: &str = "correct horse battery";
const ALICE: &str = "alice@contoso.com";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";
const GITHUB: &str = "repo:contoso/deploy:ref:refs/heads/main";

/// The person.
pub(crate) fn alice() -> &'static str {
    ALICE
}

/// What most tests of AKS begin with.
pub(crate) struct Aks {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Home,
    pub(crate) tenant: String,
    pub(crate) cluster: AksCluster,
}

/// One way to sign in without a person.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// What is asked the first time, and how often; nothing the second time.
    pub(crate) asks: Vec<(Route, usize)>,
    /// The application or the person that the cluster has to see.
    pub(crate) who: &'static str,
    /// The cluster that has to let it in.
    pub(crate) cluster: AksCluster,
    /// Whether each run signs anew.
    pub(crate) is_bound: bool,
}

impl Aks {
    /// A fresh one; nothing is kept yet.
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let home = Home::temporary().unwrap();
        let tenant = sandbox.entra().tenant("contoso.com");
        let entra = sandbox.entra();
        entra.person(Person::new(ALICE, &[&tenant]).password(PASSWORD));
        entra.app(App::new(&tenant, APP).secret(SECRET));
        let cluster = sandbox.aks_cluster("aks", &tenant).unwrap();
        #[cfg(unix)]
        browser(&home);
        Self { sandbox, home, tenant, cluster }
    }

    /// The plugin with this HOME and no arguments yet.
    pub(crate) fn bare(&self) -> Program {
        Program::plugin().envs(self.environment())
    }

    /// HOME, and the authority to trust.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut env = self.home.environment();
        env.push(("SSL_CERT_FILE".into(), self.sandbox.ca_file().display().to_string()));
        env
    }

    /// `get-token azure` for the cluster with that `--login`.
    pub(crate) fn args(&self, login: &str) -> Vec<String> {
        self.args_in(&self.tenant, login)
    }

    /// The same for another tenant.
    pub(crate) fn args_in(&self, tenant: &str, login: &str) -> Vec<String> {
        let authority = format!("{}/", self.sandbox.entra().url());
        let args = ["get-token", "azure", "--server-id", SERVER, "--login", login];
        let args = args.into_iter().chain(["--tenant-id", tenant, "--authority-host", &authority]);
        args.map(str::to_owned).collect()
    }

    /// The plugin with these.
    pub(crate) fn login(&self, login: &str) -> Program {
        self.bare().args(self.args(login))
    }

    /// As the application, whose secret is in the environment.
    pub(crate) fn application(&self) -> Program {
        self.login("spn").args(["--client-id", APP]).env("AZURE_CLIENT_SECRET", SECRET)
    }

    /// As a person with a browser.
    pub(crate) fn interactive(&self) -> Program {
        self.login("interactive").envs(self.browser())
    }

    /// As a person with a terminal.
    pub(crate) fn device_code(&self) -> Program {
        self.login("devicecode").args(["--ask", "terminal"])
    }

    /// Makes the browser one of ours.
    pub(crate) fn browser(&self) -> Vec<(String, String)> {
        vec![("BROWSER".into(), self.home.join("browser").display().to_string())]
    }

    /// The pages that were opened so far.
    pub(crate) fn opened(&self) -> Vec<String> {
        let opened = fs::read_to_string(self.home.join("opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// Waits until so many pages were opened, and plays the person before the last of them.
    pub(crate) fn signs_in(&self, count: usize) {
        let page = self.page(count);
        let landed = self.sandbox.entra().browse(&page, ALICE).unwrap();
        assert_eq!(landed.status, 200, "{landed:?}");
    }

    /// The last page of so many that are or will be opened.
    pub(crate) fn page(&self, count: usize) -> String {
        until("the browser is opened", super::PATIENCE, || self.opened().len() >= count);
        let opened = self.opened();
        assert_eq!(opened.len(), count, "{opened:?}");
        opened.last().unwrap().clone()
    }

    /// Who the cluster says the answer of a run is.
    pub(crate) fn who(&self, run: &Run) -> fleetkey_sandbox::AksGuest {
        self.cluster.verify(&run.token()).unwrap()
    }

    /// How many requests were made to anything but an API server.
    pub(crate) fn asked(&self) -> usize {
        self.sandbox.total() - self.sandbox.count(Route::Api)
    }

    /// The files of sessions.
    pub(crate) fn sessions(&self) -> Vec<PathBuf> {
        let folder = self.home.join(".local/state/fleetkey/sessions");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let files = entries.map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "session")).collect()
    }

    /// A PATH with an `azd` on it that somebody is signed in to.
    #[cfg(unix)]
    fn with_azd(&self) -> Vec<(String, String)> {
        let caller = Caller::person(ALICE, "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
        let token = self.sandbox.entra().access_token(&self.tenant, SERVER, &caller);
        let answer = format!(r#"{{"token":"{token}","expiresOn":"2100-01-01T00:00:00Z"}}"#);
        self.home.fake_azd([FakeRun::Print(answer)]).unwrap();
        let path = format!("{}:/usr/bin:/bin", self.home.programs().display());
        vec![("PATH".into(), path)]
    }

    /// The application's id.
    pub(crate) fn app() -> &'static str {
        APP
    }

    /// Everything that nobody may hear.
    pub(crate) fn secrets() -> Vec<String> {
        vec![SECRET.into(), PASSWORD.into()]
    }
}

/// A certificate that other programs wrote.
fn data(name: &str) -> String {
    format!("{}/providers/azure/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Every way to sign in that needs no person, with what it costs.
#[allow(clippy::too_many_lines, reason = "a table")]
pub(crate) fn ways_of_machines(aks: &Aks) -> Vec<Way> {
    let Aks { sandbox, home, tenant, .. } = aks;
    let entra = sandbox.entra();
    let token = [(Route::EntraToken, 1)].to_vec();
    let certificate = ClientCertificate::new(30).unwrap();
    let pem = home.write("certificate.pem", certificate.pem()).unwrap().display().to_string();
    let user = ManagedIdentity::user(tenant, IDENTITY, OBJECT, RESOURCE);
    sandbox.managed_identity(user);
    let projected = sandbox.azure_federated_token(SUBJECT, SignedDuration::from_hours(1)).unwrap();
    let projected = home.azure_federated_token(&projected).unwrap().display().to_string();
    let pipelines = sandbox.pipelines_environment("connection-1").unwrap();
    let audience = "api://AzureADTokenExchange";
    entra.app(
        App::new(tenant, APP)
            .secret(SECRET)
            .certificate_pem(&certificate.pem())
            .certificate_pem(&fs::read_to_string(data("pkcs1.pem")).unwrap())
            .federated(sandbox.azure_federation_issuer(), SUBJECT, audience)
            .federated(sandbox.github_issuer(), GITHUB, audience)
            .federated(sandbox.pipelines_issuer(), "connection-1", audience),
    );
    let files = ["pkcs1.pem", "pkcs8.pem", "rc2.pfx", "aes.pfx"];
    let files: HashMap<&str, String> = files.map(|name| (name, data(name))).into();
    let login = AzLogin::person(tenant, ALICE).at_sandbox().aks_token(AksToken::Absent);
    home.az_login(sandbox, &login).unwrap();
    let way = |name, args: Vec<String>, env, asks: &[(Route, usize)], who| Way {
        name,
        args,
        env,
        asks: asks.to_vec(),
        who,
        cluster: aks.cluster.clone(),
        is_bound: false,
    };
    let cluster = |name| sandbox.aks_cluster(name, tenant).unwrap();
    let legacy = cluster("legacy").legacy();
    let bound = cluster("bound").pop_host(POP_HOST);
    let claims = format!("u={POP_HOST}");
    let pop = ["--pop-enabled", "--pop-claims", claims.as_str()];
    let with = |login: &str, more: &[&str]| {
        let mut args = aks.args(login);
        args.extend(words(more));
        args
    };
    let metadata = |more: &[&str]| {
        let mut args = words(&["get-token", "azure", "--server-id", SERVER, "--login", "msi"]);
        args.extend(words(more));
        args
    };
    let pfx = |name| ["--client-id", APP, "--client-certificate", files[name].as_str()];
    let hunter2 = variables(&[("AZURE_CLIENT_CERTIFICATE_PASSWORD", "hunter2")]);
    let secret = variables(&[("AZURE_CLIENT_SECRET", SECRET)]);
    let password = variables(&[("AZURE_PASSWORD", PASSWORD)]);
    vec![
        way("secret", with("spn", &["--client-id", APP]), secret.clone(), &token, APP),
        Way {
            cluster: legacy.clone(),
            ..way(
                "legacy secret",
                with("spn", &["--client-id", APP, "--legacy"]),
                secret.clone(),
                &token,
                APP,
            )
        },
        Way {
            cluster: bound.clone(),
            is_bound: true,
            ..way(
                "bound secret",
                with("spn", &[&["--client-id", APP], &pop[..]].concat()),
                secret,
                &token,
                APP,
            )
        },
        Way {
            cluster: bound.clone(),
            is_bound: true,
            ..way(
                "bound password",
                with("ropc", &[&["--username", ALICE], &pop[..]].concat()),
                password.clone(),
                &[(Route::EntraRealm, 1), (Route::EntraToken, 1)],
                ALICE,
            )
        },
        way(
            "certificate",
            with("spn", &["--client-id", APP, "--client-certificate", &pem]),
            vec![],
            &token,
            APP,
        ),
        Way {
            cluster: legacy.clone(),
            ..way(
                "legacy certificate",
                with("spn", &["--client-id", APP, "--client-certificate", &pem, "--legacy"]),
                vec![],
                &token,
                APP,
            )
        },
        Way {
            cluster: bound.clone(),
            is_bound: true,
            ..way(
                "bound certificate",
                with(
                    "spn",
                    &[&["--client-id", APP, "--client-certificate", &pem], &pop[..]].concat(),
                ),
                vec![],
                &token,
                APP,
            )
        },
        way("chain, rsa key", with("spn", &pfx("pkcs1.pem")), vec![], &token, APP),
        way("chain, pkcs#8 key", with("spn", &pfx("pkcs8.pem")), vec![], &token, APP),
        way("pfx of old", with("spn", &pfx("rc2.pfx")), hunter2.clone(), &token, APP),
        way("pfx of today", with("spn", &pfx("aes.pfx")), hunter2, &token, APP),
        way(
            "password",
            with("ropc", &["--username", ALICE]),
            password,
            &[(Route::EntraRealm, 1), (Route::EntraToken, 1)],
            ALICE,
        ),
        way(
            "workload identity",
            with("workloadidentity", &["--client-id", APP, "--federated-token-file", &projected]),
            vec![],
            &token,
            APP,
        ),
        way(
            "github",
            with("workloadidentity", &["--client-id", APP]),
            sandbox.github_environment(GITHUB).unwrap(),
            &[(Route::GithubOidc, 1), (Route::EntraToken, 1)],
            APP,
        ),
        way(
            "pipelines",
            with(
                "azurepipelines",
                &["--client-id", APP, "--azure-pipelines-service-connection-id", "connection-1"],
            ),
            pipelines,
            &[(Route::PipelinesOidc, 1), (Route::EntraToken, 1)],
            APP,
        ),
        way(
            "imds",
            metadata(&["--client-id", IDENTITY]),
            sandbox.imds_environment().unwrap(),
            &[(Route::Imds, 1)],
            IDENTITY,
        ),
        way(
            "imds by object id",
            metadata(&["--object-id", OBJECT]),
            sandbox.imds_environment().unwrap(),
            &[(Route::Imds, 1)],
            IDENTITY,
        ),
        way(
            "app service",
            metadata(&["--identity-resource-id", RESOURCE]),
            sandbox.app_service_environment().unwrap(),
            &[(Route::AppService, 1)],
            IDENTITY,
        ),
        way(
            "cloud shell",
            metadata(&[]),
            sandbox.cloud_shell_environment(tenant, ALICE).unwrap(),
            &[(Route::CloudShell, 1)],
            ALICE,
        ),
        way(
            "az",
            words(&["get-token", "azure", "--server-id", SERVER, "-l", "azurecli"]),
            vec![],
            &token,
            ALICE,
        ),
        way(
            "auto",
            words(&["get-token", "azure", "--server-id", SERVER, "-l", "auto"]),
            vec![],
            &token,
            ALICE,
        ),
        #[cfg(unix)]
        way("azd", with("azd", &[]), aks.with_azd(), &[], ALICE),
    ]
}

const OBJECT: &str = "55555555-5555-5555-5555-555555555555";
const POP_HOST: &str = "bound.contoso.com";
const RESOURCE: &str = "/subscriptions/s/resourceGroups/g/providers/\
                        Microsoft.ManagedIdentity/userAssignedIdentities/i";
