//! One user of a kubeconfig for the clusters of every cloud: the cluster says whose it is, and all that
//! flags would.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleetkey_sandbox::{AksCluster, App, Cluster, EXCHANGE_AUDIENCE, Endpoint, Route};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{ADMIN, Desk, Program, SERVER, Stage, for_every_kubectl, say};

const APP: &str = "33333333-3333-3333-3333-333333333333";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";

/// Two clusters of either cloud. What tells them apart stands in the kubeconfig's clusters.
struct Fleet {
    stage: Stage,
    eks: [Cluster; 2],
    aks: [AksCluster; 2],
}

impl Fleet {
    fn new() -> Self {
        let stage = Stage::new();
        let other = stage.sandbox.cluster_in("staging", "eu-west-1").unwrap();
        let eks = [stage.cluster.clone(), other];
        let entra = stage.sandbox.entra();
        let aks = ["contoso.com", "fabrikam.com"].map(|name| {
            let tenant = entra.tenant(name);
            let issuer = stage.sandbox.azure_federation_issuer();
            entra.app(App::new(&tenant, APP).federated(issuer, SUBJECT, EXCHANGE_AUDIENCE));
            stage.sandbox.aks_cluster(&format!("aks-{name}"), &tenant).unwrap()
        });
        Self { stage, eks, aks }
    }

    /// What is the same for all of them: the homes of both clouds, and where the sandbox is.
    fn env(&self) -> Vec<(String, String)> {
        let Stage { sandbox, home, .. } = &self.stage;
        let hour = SignedDuration::from_hours(1);
        let projected = sandbox.azure_federated_token(SUBJECT, hour).unwrap();
        let file = home.azure_federated_token(&projected).unwrap().display().to_string();
        let authority = format!("{}/", sandbox.entra().url());
        let azure = [("AZURE_FEDERATED_TOKEN_FILE", file), ("AZURE_AUTHORITY_HOST", authority)];
        let azure = azure.map(|(name, value)| (name.to_owned(), value));
        [home.environment(), sandbox.environment(), azure.into()].concat()
    }

    fn extensions(&self) -> [(&dyn Endpoint, Value); 4] {
        let eks = |cluster: &Cluster| {
            let Cluster { name, region, .. } = cluster;
            json!({
                "provider": "aws", "cluster-name": name, "region": region, "profile": "admin",
            })
        };
        let aks = |cluster: &AksCluster| {
            json!({
                "provider": "azure", "login": "workloadidentity", "server-id": SERVER,
                "client-id": APP, "tenant-id": cluster.tenant,
            })
        };
        [
            (&self.eks[0], eks(&self.eks[0])),
            (&self.aks[0], aks(&self.aks[0])),
            (&self.eks[1], eks(&self.eks[1])),
            (&self.aks[1], aks(&self.aks[1])),
        ]
    }

    /// How many of each made their way to somebody who lends.
    fn asked(&self) -> [usize; 2] {
        [Route::AssumeRole, Route::EntraToken].map(|route| self.stage.sandbox.count(route))
    }
}

#[test]
fn one_user_serves_the_clusters_of_two_clouds() {
    let fleet = Fleet::new();
    for_every_kubectl("one stanza", |kubectl| {
        if kubectl.minor < FIRST_WITH_V1 {
            return say(&format!(
                "kubectl {}: one stanza is skipped, it has no v1",
                kubectl.version
            ));
        }
        let args = ["get-token".to_owned()];
        let desk = Desk::new(kubectl, args.clone().into_iter(), fleet.env());
        let extensions = fleet.extensions();
        let before = fleet.asked();
        let args = desk.newer().args;
        let config = fleet.stage.home.write("config", kubeconfig(&args, &extensions)).unwrap();
        // the AWS CLI's own cache would serve every kubectl
        drop(std::fs::remove_dir_all(fleet.stage.home.join(".aws/cli")));
        for _ in 0..2 {
            for (cluster, _) in &extensions {
                let line = ["--context", cluster.name(), "get", "namespaces"];
                let run = desk.run(&config, &line);
                assert!(run.stdout.contains("kube-system"), "{}: {run:?}", cluster.name());
            }
        }
        let asked = fleet.asked();
        let [roles, tokens] = [asked[0] - before[0], asked[1] - before[1]];
        // one role for both of one cloud; a token for each tenant of the other
        assert_eq!([roles, tokens], [1, 2], "{}", kubectl.version);
    });
    for cluster in &fleet.eks {
        assert_eq!(cluster.rejections(), []);
        assert!(cluster.identities().iter().all(|guest| guest.identity.canonical_arn == ADMIN));
    }
    for cluster in &fleet.aks {
        assert_eq!(cluster.rejections(), []);
        assert!(cluster.identities().iter().all(|guest| guest.tid == cluster.tenant));
    }
}

#[test]
fn each_cluster_accepts_the_token_that_was_meant_for_it_and_no_other() {
    let fleet = Fleet::new();
    let tokens: Vec<String> = fleet
        .extensions()
        .iter()
        .map(|(cluster, config)| asks(&fleet, cluster.server(), config).run().token())
        .collect();
    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 4);
    for (at, token) in tokens.iter().enumerate() {
        let accepts = [
            fleet.eks[0].verify(token).is_ok(),
            fleet.aks[0].verify(token).is_ok(),
            fleet.eks[1].verify(token).is_ok(),
            fleet.aks[1].verify(token).is_ok(),
        ];
        assert_eq!(accepts, [0, 1, 2, 3].map(|other| other == at));
    }
    assert_eq!(fleet.asked(), [1, 2]);
}

#[test]
fn flags_and_a_named_provider_win_over_the_cluster() {
    let fleet = Fleet::new();
    let (cluster, config) = &fleet.extensions()[0];
    // a provider that is typed is meant, whatever the cluster says
    let mut other = config.clone();
    other["provider"] = json!("azure");
    let run = asks(&fleet, cluster.server(), &other).args(["aws", "--output", "token"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(fleet.eks[0].verify(run.stdout.trim_end()).is_ok());
    let run = asks(&fleet, cluster.server(), config).args(["aws", "--cluster-name", "b"]).run();
    assert!(fleet.eks[0].verify(&run.token()).is_err());
    // both places for the form of the answer
    let run = asks(&fleet, cluster.server(), config).args(["--output", "token"]).run();
    assert!(fleet.eks[0].verify(run.stdout.trim_end()).is_ok(), "{run:?}");
    let run = asks(&fleet, cluster.server(), config).args(["--output", "token", "aws"]).run();
    assert!(fleet.eks[0].verify(run.stdout.trim_end()).is_ok(), "{run:?}");
}

#[test]
fn what_is_missing_is_said_with_the_place_where_it_belongs() {
    let fleet = Fleet::new();
    let server = fleet.eks[0].server.as_str();
    for (config, what, where_) in [
        (
            json!({"provider": "aws", "region": "us-east-1", "profile": "admin"}),
            "no cluster is named",
            "`cluster-name` in the extension `client.authentication.k8s.io/exec`",
        ),
        (
            json!({"cluster-name": "prod"}),
            "whose cluster `127.0.0.1` is, is not known",
            "`provider`",
        ),
        (json!({"provider": "gcp"}), "there is no provider `gcp`", "one of `aws`, `azure`"),
    ] {
        let [said, why, _] = asks(&fleet, server, &config).run().failed(2);
        assert!(said.contains(what) && why.contains(where_), "{said}: {why}");
    }
    let bare = Program::plugin().envs(fleet.env()).args(["get-token"]);
    let info = r#"{"apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}"#;
    for program in [bare.clone(), bare.clone().env("KUBERNETES_EXEC_INFO", info)] {
        let [_, why, _] = program.run().failed(2);
        assert!(why.contains("`provideClusterInfo: true`"), "{why}");
    }
    let [said, why, next] = bare.args(["--region", "us-east-1"]).run().failed(2);
    assert_eq!(said, "unexpected argument `--region` found");
    assert!(why.contains("`aws`") && next == "fleetkey get-token --help", "{why}; {next}");
    assert_eq!(fleet.asked(), [0, 0]);
}

/// `get-token` as a client runs it for that cluster.
fn asks(fleet: &Fleet, server: &str, config: &Value) -> Program {
    let info = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": { "server": server, "config": config } },
    });
    let program = Program::plugin().envs(fleet.env()).args(["get-token"]);
    program.env("KUBERNETES_EXEC_INFO", info.to_string())
}

/// A kubeconfig in which all contexts have one user. JSON is YAML.
fn kubeconfig(args: &[String], extensions: &[(&dyn Endpoint, Value)]) -> String {
    let clusters = extensions.iter().map(|(cluster, extension)| {
        let name = "client.authentication.k8s.io/exec";
        json!({ "name": cluster.name(), "cluster": {
            "server": cluster.server(),
            "certificate-authority-data": STANDARD.encode(cluster.ca_pem()),
            "extensions": [{ "name": name, "extension": extension }],
        }})
    });
    let contexts = extensions.iter().map(|(cluster, _)| {
        let context = json!({ "cluster": cluster.name(), "user": "fleetkey" });
        json!({ "name": cluster.name(), "context": context })
    });
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "fleetkey", "args": args,
        "interactiveMode": "IfAvailable", "provideClusterInfo": true,
    });
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters.collect::<Vec<_>>(),
        "contexts": contexts.collect::<Vec<_>>(),
        "users": [{ "name": "fleetkey", "user": { "exec": exec } }],
    });
    format!("{config:#}\n")
}

const FIRST_WITH_V1: u32 = 22;
