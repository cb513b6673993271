//! A sandbox with somebody in it: one cluster, one person, a role, and files that lead there.

use std::{fs, path::PathBuf};

use fleetkey_sandbox::{Cluster, Home, Identity, Role, Sandbox, SsoSession, User};
use jiff::SignedDuration;

use super::{Program, Run};

/// A role that wants [`EXTERNAL_ID`].
pub(crate) const ADMIN: &str = "arn:aws:iam::444455556666:role/eks-admin";
/// What it wants.
pub(crate) const EXTERNAL_ID: &str = "tenant-7";

/// What most tests begin with.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Home,
    pub(crate) cluster: Cluster,
    pub(crate) alice: User,
    pub(crate) sso: SsoSession,
    pub(crate) web_identity: String,
}

impl Stage {
    /// A fresh one; nothing is kept yet.
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let home = Home::temporary().unwrap();
        let cluster = sandbox.cluster(CLUSTER).unwrap();
        let alice = sandbox.user("alice");
        sandbox.role(Role::new(ADMIN).external_id(EXTERNAL_ID).trusts(&alice.arn));
        sandbox.role(Role::new(CI).trusts_subject(SUBJECT).trusts(NOBODY));
        sandbox.grant_sso("alice@example.com", "444455556666", "Developer");
        let sso = sandbox.sso_session("alice@example.com");
        home.aws_credentials(&[("alice", &alice)]).unwrap();
        home.aws_config(CONFIG).unwrap();
        home.sso_token("corp", &sso).unwrap();
        home.sso_token(&sso.start_url, &sso).unwrap();
        let web_identity =
            sandbox.web_identity_token(SUBJECT, SignedDuration::from_hours(12)).unwrap();
        home.web_identity_token(&web_identity).unwrap();
        Self { sandbox, home, cluster, alice, sso, web_identity }
    }

    /// The plugin with this stage's HOME and endpoints, and no arguments yet.
    pub(crate) fn bare(&self) -> Program {
        let env = self.sandbox.environment();
        // the file that AWS clients know is enough
        Program::plugin().envs(self.home.environment()).envs(env).without("SSL_CERT_FILE")
    }

    /// `get-token aws` for the cluster.
    pub(crate) fn plugin(&self) -> Program {
        self.bare().args(ARGS)
    }

    /// The same as alice, whose keys are in the environment.
    pub(crate) fn as_alice(&self) -> Program {
        self.plugin().envs(self.alice.environment())
    }

    /// The same through a profile.
    pub(crate) fn with_profile(&self, profile: &str) -> Program {
        self.plugin().args(["--profile", profile])
    }

    /// The role [`ADMIN`], which is assumed and kept.
    pub(crate) fn admin(&self) -> Program {
        self.with_profile("admin")
    }

    /// Variables of a workload that has a projected token.
    pub(crate) fn workload(&self) -> Vec<(String, String)> {
        let file = self.home.join("var/run/secrets/eks.amazonaws.com/serviceaccount/token");
        let pairs = [
            ("AWS_ROLE_ARN", CI.to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.display().to_string()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Who the cluster says the answer of a run is.
    pub(crate) fn who(&self, run: &Run) -> Identity {
        self.cluster.verify(&run.token()).unwrap().identity
    }

    /// How many requests lent or were to lend a credential.
    pub(crate) fn asked(&self) -> usize {
        self.sandbox.requests().iter().filter(|r| ["sts", "sso"].contains(&&*r.service)).count()
    }

    /// The files of kept credentials.
    pub(crate) fn kept(&self) -> Vec<PathBuf> {
        kept_in(self.home.join(".cache/fleetkey/aws"))
    }

    /// Everything that nobody may hear.
    pub(crate) fn secrets(&self) -> Vec<String> {
        vec![
            self.alice.secret_access_key.clone(),
            self.sso.access_token.clone(),
            self.web_identity.clone(),
        ]
    }
}

/// The kept credentials in a folder, in the order of their names.
pub(crate) fn kept_in(folder: impl Into<PathBuf>) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.into()) else { return Vec::new() };
    let files = entries.map(|entry| entry.unwrap().path());
    let mut kept: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "credential")).collect();
    kept.sort();
    kept
}

const CLUSTER: &str = "prod";
const ARGS: [&str; 6] = ["get-token", "aws", "--cluster-name", CLUSTER, "--region", "us-east-1"];
const CI: &str = "arn:aws:iam::444455556666:role/ci";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";
const NOBODY: &str = "arn:aws:iam::999999999999:root";

const CONFIG: &str = "\
[profile admin]
source_profile = alice
role_arn = arn:aws:iam::444455556666:role/eks-admin
external_id = tenant-7

[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile sso]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = Developer

[profile legacy]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
sso_account_id = 444455556666
sso_role_name = Developer
";
