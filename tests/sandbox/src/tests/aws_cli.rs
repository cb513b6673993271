//! The real `aws`, where it is installed, asks this EKS, EC2 and portal: if it is content, they are as it knows them.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::{EksCluster, Home, Sandbox};

/// `aws`, in a home of its own, with the keys of alice.
struct Aws<'a> {
    program: PathBuf,
    home: Home,
    sandbox: &'a Sandbox,
}

impl<'a> Aws<'a> {
    /// None where it is not installed, which is said.
    fn find(sandbox: &'a Sandbox) -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let program = std::env::split_paths(&path).map(|folder| folder.join("aws"));
        let aws = program.into_iter().find(|program| program.is_file()).map(|program| Self {
            program,
            home: Home::temporary().unwrap(),
            sandbox,
        });
        let works = |aws: &Self| {
            let output = aws.output(&["--version"]);
            String::from_utf8_lossy(&output.stdout).contains("aws-cli/")
        };
        let aws = aws.filter(works);
        if aws.is_none() {
            println!("skipped: there is no `aws`");
        }
        aws
    }

    fn output(&self, args: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.env_clear().args(args).envs(self.home.environment());
        // a shim finds the program it stands for through these
        for name in ["PATH", "PYENV_ROOT", "PYENV_VERSION"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(self.sandbox.environment()).envs(self.sandbox.user("alice").environment());
        command.env("AWS_MAX_ATTEMPTS", "1").output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.output(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn failure(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

#[test]
fn aws_finds_clusters_and_writes_a_kubeconfig() {
    let sandbox = Sandbox::start().unwrap();
    let Some(aws) = Aws::find(&sandbox) else { return };
    let cluster = sandbox.cluster_in("prod", "eu-west-1").unwrap();
    sandbox.eks_cluster(EksCluster::new("edge", "eu-west-1").outpost("0f8a1c6e"));
    sandbox.eks_cluster(EksCluster::new("new", "eu-west-1").status("CREATING"));
    sandbox.page_size(Some(1));
    let region = ["--region", "eu-west-1"];
    let with = |args: &[&'static str]| [args, &region].concat();
    let listed = aws.json(&with(&["eks", "list-clusters"]));
    assert_eq!(listed["clusters"], json!(["edge", "new", "prod"]));
    let found = aws.json(&with(&["eks", "describe-cluster", "--name", "prod"]));
    assert_eq!(found["cluster"]["endpoint"], cluster.server);
    let missing = aws.failure(&with(&["eks", "describe-cluster", "--name", "none"]));
    assert!(missing.contains("(ResourceNotFoundException)"), "{missing}");
    for name in ["prod", "edge"] {
        let output = aws.output(&with(&["eks", "update-kubeconfig", "--name", name]));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let kubeconfig = std::fs::read_to_string(aws.home.join(".kube/config")).unwrap();
    assert!(kubeconfig.contains(&format!("server: {}", cluster.server)), "{kubeconfig}");
    assert!(kubeconfig.contains("- --cluster-id\n      - 0f8a1c6e"), "{kubeconfig}");
    let new = aws.failure(&with(&["eks", "update-kubeconfig", "--name", "new"]));
    assert!(new.contains("Cluster status is CREATING"), "{new}");
}

#[test]
fn aws_reads_regions_lists_and_refusals() {
    let sandbox = Sandbox::start().unwrap();
    let Some(aws) = Aws::find(&sandbox) else { return };
    let regions = aws.json(&["ec2", "describe-regions", "--region", "us-east-1"]);
    assert_eq!(regions["Regions"].as_array().unwrap().len(), 5);
    assert_eq!(regions["Regions"][0]["OptInStatus"], "opt-in-not-required");
    sandbox.grant_sso("carol", "111111111111", "Admin");
    sandbox.grant_sso("carol", "222222222222", "Admin");
    sandbox.page_size(Some(1));
    let token = sandbox.sso_session("carol").access_token;
    let sso = ["--region", "us-east-1", "--access-token", &token];
    let accounts = aws.json(&[&["sso", "list-accounts"][..], &sso].concat());
    assert_eq!(accounts["accountList"][1]["accountId"], "222222222222");
    let roles = ["sso", "list-account-roles", "--account-id", "222222222222"];
    let roles = aws.json(&[&roles[..], &sso].concat());
    assert_eq!(roles["roleList"][0]["roleName"], "Admin");

    sandbox.deny(crate::Route::EksList, "111122223333");
    let denied = aws.failure(&["eks", "list-clusters", "--region", "us-east-1"]);
    assert!(denied.contains("(AccessDeniedException)"), "{denied}");
    sandbox.throttle("eu-west-1", None);
    let throttled = aws.failure(&["eks", "list-clusters", "--region", "eu-west-1"]);
    assert!(throttled.contains("(TooManyRequestsException)"), "{throttled}");
    sandbox.regions("111122223333", &["us-east-1"]);
    let elsewhere = aws.failure(&["eks", "list-clusters", "--region", "eu-west-1"]);
    assert!(elsewhere.contains("(UnrecognizedClientException)"), "{elsewhere}");
    let elsewhere = aws.failure(&["ec2", "describe-regions", "--region", "eu-west-1"]);
    assert!(elsewhere.contains("(AuthFailure)"), "{elsewhere}");
}
