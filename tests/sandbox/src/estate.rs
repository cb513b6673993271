//! What `demo` and `serve` set up: one cluster, one person, and four ways in.

use std::io;
use std::path::{Path, PathBuf};

use fleetkey_sandbox::{Cluster, Exec, Home, Role, Route, Sandbox, User};
use jiff::SignedDuration;

/// The first argument that makes this binary the plugin.
pub(crate) const PLUGIN: &str = "plugin";

/// A sandbox with something in it.
pub(crate) struct Estate {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Home,
    pub(crate) cluster: Cluster,
    alice: User,
    web_identity_token: PathBuf,
}

/// One way in.
pub(crate) struct Way {
    /// What it is called, as a context of the kubeconfig.
    pub(crate) context: &'static str,
    /// The same in words.
    pub(crate) title: &'static str,
    /// Arguments of the plugin.
    pub(crate) args: Vec<String>,
    /// Variables it needs.
    pub(crate) env: Vec<(String, String)>,
    /// Who the cluster should say it is, at least in part.
    pub(crate) identity: String,
    /// What it should ask of the cloud, at first.
    pub(crate) asks: Option<Route>,
}

impl Estate {
    pub(crate) fn new(home: Home) -> io::Result<Self> {
        let sandbox = Sandbox::start()?;
        let cluster = sandbox.cluster("demo")?;
        let alice = sandbox.user("alice");
        sandbox.role(Role::new(ADMIN).external_id(EXTERNAL_ID).trusts(&alice.arn));
        sandbox
            .role(Role::new(CI).trusts_subject(SUBJECT).trusts("arn:aws:iam::444455556666:root"));
        sandbox.grant_sso("alice@example.com", "444455556666", "Developer");
        home.aws_credentials(&[("alice", &alice)])?;
        home.aws_config(CONFIG)?;
        home.sso_token("corp", &sandbox.sso_session("alice@example.com"))?;
        let token = sandbox.web_identity_token(SUBJECT, SignedDuration::from_hours(12))?;
        let web_identity_token = home.web_identity_token(&token)?;
        home.ca(sandbox.ca_pem())?;
        Ok(Self { sandbox, home, cluster, alice, web_identity_token })
    }

    /// All ways in, the easiest first.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let token = self.web_identity_token.to_string_lossy().into_owned();
        let web_identity =
            [("AWS_ROLE_ARN", CI.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", token)];
        vec![
            Way {
                context: "keys",
                title: "access keys in the environment",
                args: self.args(&[]),
                env: self.alice.environment(),
                identity: self.alice.arn.clone(),
                asks: None,
            },
            Way {
                context: "role",
                title: "a role with an external id",
                args: self.args(&[
                    "--profile",
                    "alice",
                    "--role-arn",
                    ADMIN,
                    "--external-id",
                    EXTERNAL_ID,
                ]),
                env: Vec::new(),
                identity: ADMIN.to_owned(),
                asks: Some(Route::AssumeRole),
            },
            Way {
                context: "sso",
                title: "single sign-on",
                args: self.args(&["--profile", "sso"]),
                env: Vec::new(),
                identity: "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_".to_owned(),
                asks: Some(Route::SsoCredentials),
            },
            Way {
                context: "web-identity",
                title: "a service account's token, as in a pod or in ci",
                args: self.args(&[]),
                env: web_identity.map(|(name, value)| (name.to_owned(), value)).into(),
                identity: CI.to_owned(),
                asks: Some(Route::AssumeRoleWithWebIdentity),
            },
        ]
    }

    /// The exec stanza of a way: this very binary, or another program.
    pub(crate) fn exec(way: &Way, plugin: Option<&Path>) -> io::Result<Exec> {
        if let Some(program) = plugin {
            return Ok(Exec::new(program, way.args.clone()));
        }
        let args = std::iter::once(PLUGIN.to_owned()).chain(way.args.clone());
        Ok(Exec::new(std::env::current_exe()?, args))
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let mut args = vec![
            "get-token",
            "aws",
            "--cluster-name",
            &self.cluster.name,
            "--region",
            &self.cluster.region,
        ];
        args.extend(more);
        args.into_iter().map(str::to_owned).collect()
    }
}

const ADMIN: &str = "arn:aws:iam::444455556666:role/eks-admin";
const CI: &str = "arn:aws:iam::444455556666:role/ci";
const EXTERNAL_ID: &str = "sandbox-7";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";

const CONFIG: &str = "\
[profile alice]
region = us-east-1

[profile admin]
source_profile = alice
role_arn = arn:aws:iam::444455556666:role/eks-admin
external_id = sandbox-7
region = us-east-1

[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile sso]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = Developer
region = us-east-1
";
