//! A kubeconfig of forty contexts: three tenants, two SSO sessions, five roles; and one person who is all
//! of them.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleetkey_sandbox::{AksCluster, Cluster, Endpoint, Home, Person, Role, Route, Sandbox};
use serde_json::{Value, json};

use super::{PATIENCE, Program, Run, Running, SERVER, alice, browser, until};

/// Where people sign in to both sessions.
const START_URL: &str = "https://sandbox.awsapps.com/start";
/// The files in which the tokens of the two sessions lie.
pub(crate) const SESSIONS: [&str; 2] = [
    ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
    ".aws/sso/cache/c62973cc56845b0e473e9e3c40b6e1f0a84662ef.json",
];
const SHARED: &str = "arn:aws:iam::444455556666:role/shared";
const TENANTS: [&str; 3] = ["contoso.com", "fabrikam.com", "tailspin.com"];

/// All of it. Nobody is signed in yet.
pub(crate) struct Fleet {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Home,
    pub(crate) eks: Cluster,
    pub(crate) aks: Vec<AksCluster>,
    /// The contexts, each with the arguments of its user.
    pub(crate) contexts: Vec<(String, Vec<String>)>,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let home = Home::temporary().unwrap();
        let entra = sandbox.entra();
        let tenants: Vec<String> = TENANTS.map(|name| entra.tenant(name)).into();
        entra.person(Person::new(alice(), &tenants));
        let aks: Vec<AksCluster> = tenants
            .iter()
            .enumerate()
            .map(|(at, tenant)| sandbox.aks_cluster(&format!("aks-{at}"), tenant).unwrap())
            .collect();
        let eks = sandbox.cluster("prod").unwrap();
        for role in ["Developer", "Reader"] {
            sandbox.grant_sso(alice(), "444455556666", role);
            sandbox.grant_sso(alice(), "777788889999", role);
        }
        sandbox.role(Role::new(SHARED));
        home.aws_config(&config()).unwrap();
        browser(&home);
        let mut contexts = Vec::new();
        for n in 0..24 {
            let cluster = &aks[n % 3];
            let authority = format!("{}/", entra.url());
            let args = ["get-token", "azure", "--server-id", SERVER, "--login", "interactive"];
            let more = ["--tenant-id", &cluster.tenant, "--authority-host", &authority];
            let args = args.into_iter().chain(more).map(str::to_owned);
            contexts.push((format!("aks-{n:02}"), args.collect()));
        }
        for n in 0..16 {
            let args = ["get-token", "aws", "--cluster-name", "prod", "--region", "us-east-1"];
            let profile = ["dev", "reader", "ops", "ops-reader", "shared"][n % 5];
            let args = args.into_iter().chain(["--profile", profile]).map(str::to_owned);
            contexts.push((format!("eks-{n:02}"), args.collect()));
        }
        let fleet = Self { sandbox, home, eks, aks, contexts };
        fleet.write_kubeconfig();
        fleet
    }

    /// The kubeconfig, as `aws` and `az` leave them: one user for each cluster.
    fn write_kubeconfig(&self) {
        let entries = self.contexts.iter().enumerate().map(|(at, (name, args))| {
            let endpoint: &dyn Endpoint = match at {
                0..24 => &self.aks[at % 3],
                _ => &self.eks,
            };
            (name, args, endpoint)
        });
        let text = kubeconfig(&entries.collect::<Vec<_>>());
        self.home.write(".kube/config", text).unwrap();
    }

    /// The kubeconfig's text.
    pub(crate) fn kubeconfig(&self) -> String {
        fs::read_to_string(self.home.join(".kube/config")).unwrap()
    }

    /// What a shell has.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        [self.home.environment(), self.sandbox.environment()].concat()
    }

    /// The plugin with that and a browser.
    pub(crate) fn plugin<const N: usize>(&self, args: [&str; N]) -> Program {
        let program = Program::plugin().envs(self.env()).args(args);
        program.env("BROWSER", self.home.join("browser"))
    }

    /// The token of a context, asked for as by a client.
    pub(crate) fn get_token(&self, at: usize) -> Run {
        let line = self.args_now(at);
        self.plugin([]).args(line).args(["--ask", "never"]).run()
    }

    /// The arguments that stand in the kubeconfig now.
    pub(crate) fn args_now(&self, at: usize) -> Vec<String> {
        let config: Value = serde_json::from_str(&self.kubeconfig()).unwrap();
        let args = config["users"][at]["user"]["exec"]["args"].as_array().unwrap();
        args.iter().map(|arg| arg.as_str().unwrap().to_owned()).collect()
    }

    /// Whether a cluster takes that token.
    pub(crate) fn takes(&self, at: usize, run: &Run) -> bool {
        let token = run.token();
        if at < 24 {
            self.aks[at % 3].verify(&token).is_ok()
        } else {
            self.eks.verify(&token).is_ok()
        }
    }

    pub(crate) fn opened(&self) -> Vec<String> {
        let opened = fs::read_to_string(self.home.join("opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// Plays the person before each page that a program opens, until it has opened so many.
    pub(crate) fn signs_in(&self, pages: usize) {
        let before = self.opened().len();
        for page in before..before + pages {
            self.signs_in_to(page);
        }
    }

    /// Declines the first page, and signs in on the others, of so many.
    pub(crate) fn declines_the_first(&self, pages: usize) {
        until("a page is opened", PATIENCE, || !self.opened().is_empty());
        self.sandbox.entra().browse_declines(&self.opened()[0]).unwrap();
        for page in 1..pages {
            until("the next page is opened", PATIENCE, || self.opened().len() > page);
            self.browse(&self.opened()[page]);
        }
    }

    /// Types a code of Entra on another device, and then one of SSO. The first.
    pub(crate) fn types_both_codes(&self) -> String {
        let device = self.sandbox.entra().wait_for_device(PATIENCE).unwrap();
        assert!(self.sandbox.entra().approve(&device.user_code, alice()));
        let mut code = None;
        until("a code is shown", PATIENCE, || {
            code = self.sandbox.sso_waiting();
            code.is_some()
        });
        assert!(self.sandbox.sso_approve(&code.unwrap(), alice()));
        device.user_code
    }

    fn signs_in_to(&self, page: usize) {
        until("the browser is opened", PATIENCE, || self.opened().len() > page);
        let opened = self.opened();
        assert_eq!(opened.len(), page + 1, "more than one page at a time: {opened:?}");
        self.browse(&opened[page]);
    }

    /// Signs in on that page.
    pub(crate) fn browse(&self, url: &str) {
        let entra = self.sandbox.entra();
        if url.starts_with(&entra.url()) {
            assert_eq!(entra.browse(url, alice()).unwrap().status, 200);
        } else {
            assert_eq!(self.sandbox.sso_browse(url, alice()).unwrap().status, 200);
        }
    }

    /// Everybody signs in by `login --all`.
    pub(crate) fn login(&self) -> Run {
        let running: Running = self.plugin(["login", "--all"]).spawn();
        self.signs_in(5);
        running.finish()
    }

    pub(crate) fn counts<const N: usize>(&self, routes: [Route; N]) -> [usize; N] {
        routes.map(|route| self.sandbox.count(route))
    }

    /// The files of sealed sessions.
    pub(crate) fn sealed(&self) -> Vec<PathBuf> {
        let folder = self.home.join(".local/state/fleetkey/sessions");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let files = entries.map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "session")).collect()
    }

    /// The files of kept credentials.
    pub(crate) fn kept(&self) -> usize {
        let kept = |cloud| super::kept_in(self.home.join(".cache/fleetkey").join(cloud)).len();
        kept("aws") + kept("azure")
    }
}

fn config() -> String {
    let session = |name: &str| {
        format!(
            "[sso-session {name}]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n\
             sso_registration_scopes = sso:account:access\n"
        )
    };
    let profile = |name: &str, session: &str, account: &str, role: &str| {
        format!(
            "[profile {name}]\nsso_session = {session}\nsso_account_id = {account}\n\
             sso_role_name = {role}\n"
        )
    };
    [
        session("corp"),
        session("ops"),
        profile("dev", "corp", "444455556666", "Developer"),
        profile("reader", "corp", "444455556666", "Reader"),
        profile("ops", "ops", "777788889999", "Developer"),
        profile("ops-reader", "ops", "777788889999", "Reader"),
        format!("[profile shared]\nsource_profile = dev\nrole_arn = {SHARED}\n"),
    ]
    .concat()
}

/// One user for each context. JSON is YAML.
fn kubeconfig(entries: &[(&String, &Vec<String>, &dyn Endpoint)]) -> String {
    let clusters = entries.iter().map(|(name, _, endpoint)| {
        let ca = STANDARD.encode(endpoint.ca_pem());
        let cluster = json!({ "server": endpoint.server(), "certificate-authority-data": ca });
        json!({ "name": name, "cluster": cluster })
    });
    let contexts = entries
        .iter()
        .map(|(name, ..)| json!({ "name": name, "context": { "cluster": name, "user": name } }));
    let users = entries.iter().map(|(name, args, _)| {
        let exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": Program::binary(),
            "args": args, "interactiveMode": "IfAvailable", "provideClusterInfo": false,
        });
        json!({ "name": name, "user": { "exec": exec } })
    });
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "",
        "clusters": clusters.collect::<Vec<_>>(),
        "contexts": contexts.collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>(),
    });
    format!("{config:#}\n")
}
