//! The AWS side: an EKS cluster, a person, and four ways in.

use std::io;
use std::path::PathBuf;

use fleetkey_sandbox::{Cluster, EksCluster, Home, Role, Route, Sandbox, User};
use jiff::SignedDuration;

use super::Way;

pub(super) struct Eks {
    cluster: Cluster,
    alice: User,
    web_identity_token: PathBuf,
}

impl Eks {
    pub(super) fn new(sandbox: &Sandbox, home: &Home) -> io::Result<Self> {
        let cluster = sandbox.cluster("demo")?;
        // alice's account has it, and so has the one whose roles are lent: each finds it with its own keys
        sandbox.eks_cluster(EksCluster::of(&cluster).account("444455556666"));
        sandbox.account_name("444455556666", "demo");
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
        Ok(Self { cluster, alice, web_identity_token })
    }

    /// The easiest first.
    pub(super) fn ways(&self) -> Vec<Way<'_>> {
        let token = self.web_identity_token.to_string_lossy().into_owned();
        let web_identity =
            [("AWS_ROLE_ARN", CI.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", token)];
        vec![
            Way {
                context: "keys",
                title: "access keys in the environment",
                cluster: &self.cluster,
                args: self.args(&[]),
                env: self.alice.environment(),
                identity: self.alice.arn.clone(),
                asks: None,
            },
            Way {
                context: "role",
                title: "a role with an external id",
                cluster: &self.cluster,
                args: self.args(&[
                    "--profile",
                    "alice",
                    "--role-arn",
                    ADMIN,
                    "--external-id",
                    EXTERNAL_ID,
                ]),
                env: Vec::new(),
                identity: "arn:aws:sts::444455556666:assumed-role/eks-admin/".to_owned(),
                asks: Some(Route::AssumeRole),
            },
            Way {
                context: "sso",
                title: "single sign-on",
                cluster: &self.cluster,
                args: self.args(&["--profile", "sso"]),
                env: Vec::new(),
                identity: "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Developer_"
                    .to_owned(),
                asks: Some(Route::SsoCredentials),
            },
            Way {
                context: "web-identity",
                title: "a service account's token, as in a pod or in ci",
                cluster: &self.cluster,
                args: self.args(&[]),
                env: web_identity.map(|(name, value)| (name.to_owned(), value)).into(),
                identity: "arn:aws:sts::444455556666:assumed-role/ci/".to_owned(),
                asks: Some(Route::AssumeRoleWithWebIdentity),
            },
        ]
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let Cluster { name, region, .. } = &self.cluster;
        let mut args = vec!["get-token", "aws", "--cluster-name", name, "--region", region];
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
