//! `convert --one-stanza`: contexts of two clouds come to one user, and back.

use std::fs;

use fleetkey_sandbox::{App, EXCHANGE_AUDIENCE, Exec};
use jiff::SignedDuration;

use crate::support::{Program, Run, SERVER, Stage, kubectls, say};

const APP: &str = "33333333-3333-3333-3333-333333333333";
const SUBJECT: &str = "system:serviceaccount:ci:deployer";

#[test]
#[allow(clippy::too_many_lines, reason = "one story")]
fn a_kubeconfig_of_two_clouds_comes_to_one_user_and_back() {
    let stage = Stage::new();
    let entra = stage.sandbox.entra();
    let other = stage.sandbox.cluster_in("staging", "eu-west-1").unwrap();
    let aks = ["contoso.com", "fabrikam.com"].map(|name| {
        let tenant = entra.tenant(name);
        let issuer = stage.sandbox.azure_federation_issuer();
        entra.app(App::new(&tenant, APP).federated(issuer, SUBJECT, EXCHANGE_AUDIENCE));
        stage.sandbox.aks_cluster(&format!("aks-{name}"), &tenant).unwrap()
    });
    let projected =
        stage.sandbox.azure_federated_token(SUBJECT, SignedDuration::from_hours(1)).unwrap();
    let projected = stage.home.azure_federated_token(&projected).unwrap().display().to_string();
    let mut env = stage.home.environment();
    env.extend(stage.sandbox.environment());
    env.push(("AZURE_FEDERATED_TOKEN_FILE".into(), projected));
    env.push(("AZURE_AUTHORITY_HOST".into(), format!("{}/", entra.url())));

    let aws = |name: &str, region: &str| {
        let args = ["--region", region, "eks", "get-token", "--cluster-name", name];
        Exec::new("aws", args.map(str::to_owned))
            .with_env([("AWS_PROFILE".to_owned(), "admin".to_owned())])
    };
    let kubelogin = |tenant: &str| {
        let args = [
            "get-token",
            "--server-id",
            SERVER,
            "--login",
            "workloadidentity",
            "--tenant-id",
            tenant,
            "--client-id",
            APP,
        ];
        Exec::new("kubelogin", args.map(str::to_owned))
    };
    let execs = [
        aws("prod", "us-east-1"),
        aws("staging", "eu-west-1"),
        kubelogin(&aks[0].tenant),
        kubelogin(&aks[1].tenant),
    ];
    let clusters: [&dyn fleetkey_sandbox::Endpoint; 4] = [&stage.cluster, &other, &aks[0], &aks[1]];
    let names = ["eks-1", "eks-2", "aks-1", "aks-2"];
    let contexts: Vec<_> = names
        .iter()
        .zip(clusters)
        .zip(&execs)
        .map(|((name, cluster), exec)| (*name, cluster, exec))
        .collect();
    let file = stage.home.kubeconfig_at(".kube/config", &contexts).unwrap();
    let before = fs::read_to_string(&file).unwrap();
    let run = |line: &[&str]| -> Run {
        let path = file.to_str().unwrap();
        Program::plugin()
            .envs(env.clone())
            .args(["kubeconfig"])
            .args(line)
            .args(["--kubeconfig", path])
            .run()
    };

    let shown = run(&["convert", "--one-stanza", "--dry-run"]);
    assert_eq!((shown.code, &*shown.stderr), (Some(0), ""), "{shown:?}");
    assert!(shown.stdout.contains("client.authentication.k8s.io/exec"), "{}", shown.stdout);
    let done = run(&["convert", "--one-stanza", "--yes"]);
    assert_eq!((done.code, &*done.stderr), (Some(0), ""), "{done:?}");
    let after = fs::read_to_string(&file).unwrap();
    assert_eq!(after.matches("get-token").count(), 1, "{after}");
    assert!(!after.contains("kubelogin") && after.contains("cluster-name"), "{after}");
    if let Some(kubectl) = kubectls().pop() {
        for name in names {
            let run = Program::new(&kubectl.path)
                .envs(env.clone())
                .args([
                    "--kubeconfig",
                    file.to_str().unwrap(),
                    "--context",
                    name,
                    "get",
                    "namespaces",
                ])
                .run();
            assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{name}: {run:?}\n{after}");
        }
        assert_eq!((stage.cluster.rejections(), other.rejections()), (vec![], vec![]));
        assert_eq!((aks[0].rejections(), aks[1].rejections()), (vec![], vec![]));
        say("kubectl tests ran: 1 (convert --one-stanza, two clusters of each cloud)");
    }
    // again there is nothing to do
    assert!(run(&["convert", "--one-stanza", "--yes"]).stdout.starts_with("nothing to convert"));
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    assert_eq!(run(&["revert"]).code, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), before);

    // kubectl writes the file its own way in between: what was meant comes back all the same
    if let Some(kubectl) = kubectls().pop() {
        assert_eq!(run(&["convert", "--one-stanza", "--yes"]).code, Some(0));
        let set = Program::new(&kubectl.path)
            .envs(env.clone())
            .args([
                "--kubeconfig",
                file.to_str().unwrap(),
                "config",
                "set-context",
                "eks-1",
                "--namespace=x",
            ])
            .run();
        assert_eq!(set.code, Some(0), "{set:?}");
        let back = run(&["revert"]);
        assert_eq!(back.code, Some(0), "{back:?}");
        let now = fs::read_to_string(&file).unwrap();
        // the context that was changed since stays with the one user
        assert!(back.stdout.contains("left as it is: `eks-1`"), "{back:?}");
        assert_eq!(now.matches("command: aws").count(), 2, "{now}");
        assert_eq!(now.matches("command: kubelogin").count(), 2, "{now}");
        assert!(now.contains("namespace: x"), "{now}");
    }
}

#[test]
fn what_cannot_be_said_by_a_cluster_is_left_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    let large = "TFMw".repeat(30_000);
    let user = |name: &str, more: &str| {
        format!(
            "- name: {name}\n  user:\n    exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: aws, \
             args: [--region, eu-west-1, eks, get-token, --cluster-name, {name}{more}]}}\n"
        )
    };
    let context = |name: &str, cluster: &str| {
        format!("- name: {name}\n  context: {{cluster: {cluster}, user: {name}}}\n")
    };
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: small\n  cluster: {{server: 'https://s.example'}}\n\
         - name: large\n  cluster:\n    server: https://l.example\n    certificate-authority-data: {large}\n\
         contexts:\n{}{}{}{}users:\n{}{}{}{}",
        context("a", "small"),
        context("b", "small"),
        context("c", "large"),
        context("d", "elsewhere"),
        user("a", ""),
        user("b", ", --role, 'arn:aws:iam::111122223333:role/r'"),
        user("c", ""),
        user("d", ""),
    );
    fs::write(&file, &text).unwrap();
    let run = |line: &[&str]| {
        Program::plugin()
            .env("HOME", home.path())
            .env("FLEETKEY_SESSION_STORE", "file")
            .args(["kubeconfig"])
            .args(line)
            .args(["--kubeconfig", file.to_str().unwrap()])
            .run()
    };
    let done = run(&["convert", "--one-stanza", "--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    for words in [
        "user `b`: its cluster `small` is for two identities",
        "user `c`: its cluster `large` has authorities of 117 KB",
        "user `d`: its cluster `elsewhere` is in another file",
    ] {
        assert!(done.stderr.contains(words), "{words}\n{}", done.stderr);
    }
    let now = fs::read_to_string(&file).unwrap();
    assert_eq!(now.matches("command: aws,").count(), 3, "only one of four was moved");
    assert_eq!(run(&["revert"]).code, Some(0));
    assert!(fs::read_to_string(&file).unwrap() == text);
    // a user of that name is somebody's
    fs::write(&file, format!("{text}- name: fleetkey\n  user: {{token: x}}\n")).unwrap();
    let [what, _, next] = run(&["convert", "--one-stanza", "--yes"]).failed(2);
    assert_eq!(what, "there is another user called `fleetkey`");
    assert_eq!(next, "kubectl config delete-user fleetkey");
}

const EKS: &str = "https://ABCDEF0123456789ABCDEF0123456780.gr7.us-east-1.eks.amazonaws.com";

/// A home with kubeconfigs in it, and `fleetkey kubeconfig` there.
struct Home(tempfile::TempDir);

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            fs::write(home.0.path().join(name), text).unwrap();
        }
        home
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn run(&self, line: &[&str]) -> Run {
        let path = |name: &str| self.0.path().join(name).display().to_string();
        let list = ["config", "more"].map(path).join(":");
        Program::plugin()
            .env("HOME", self.0.path())
            .env("FLEETKEY_SESSION_STORE", "file")
            .env("KUBECONFIG", list)
            .args(["kubeconfig"])
            .args(line)
            .run()
    }
}

fn aws(name: &str, more: &str) -> String {
    format!(
        "- name: {name}\n  user: {{exec: {{command: aws, args: [--region, us-east-1, eks, get-token, --cluster-name, e{more}]}}}}\n"
    )
}

fn context(name: &str, cluster: &str, user: &str) -> String {
    format!("- {{name: {name}, context: {{cluster: {cluster}, user: {user}}}}}\n")
}

#[test]
fn a_second_conversion_gives_no_context_another_identity() {
    let role = |name: &str| format!(", --role, \"arn:aws:iam::111122223333:role/{name}\"");
    let text = format!(
        "clusters:\n- {{name: e, cluster: {{server: '{EKS}'}}}}\ncontexts:\n{}{}users:\n{}{}",
        context("readonly", "e", "ro"),
        context("admin", "e", "ad"),
        aws("ro", &role("ro")),
        aws("ad", &role("admin")),
    );
    let home = Home::new(&[("config", &text)]);
    assert_eq!(
        home.run(&["convert", "--one-stanza", "--yes", "--context", "readonly"]).code,
        Some(0)
    );
    let once = home.read("config");
    let run = home.run(&["convert", "--one-stanza", "--yes", "--context", "admin"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("says something else already"), "{run:?}");
    assert_eq!(home.read("config"), once);
}

#[test]
fn another_plugins_extension_stays() {
    let text = format!(
        "clusters:\n- name: e\n  cluster:\n    server: '{EKS}'\n    extensions:\n    - name: client.authentication.k8s.io/exec\n      \
         extension: {{audience: corp}}\ncontexts:\n{}users:\n{}",
        context("c", "e", "u"),
        aws("u", ""),
    );
    let home = Home::new(&[("config", &text)]);
    let run = home.run(&["convert", "--one-stanza", "--yes"]);
    assert!(run.stderr.contains("says something else already"), "{run:?}");
    assert_eq!(home.read("config"), text);
}

#[test]
fn what_anchors_tie_together_is_changed_whole_or_not_at_all() {
    let text = format!(
        "clusters: [{{name: k1, cluster: &c {{server: '{EKS}'}}}}, {{name: k2, cluster: *c}}]\ncontexts:\n{}{}users:\n{}",
        context("c1", "k1", "u"),
        context("c2", "k2", "u"),
        aws("u", ""),
    );
    let home = Home::new(&[("config", &text)]);
    let [what, ..] = home.run(&["convert", "--one-stanza", "--yes"]).failed(2);
    assert_eq!(what, "the kubeconfig cannot be brought to one user");
    assert_eq!(home.read("config"), text);
}

#[test]
fn a_user_that_a_context_of_another_file_has_stays_and_one_context_is_one_context() {
    let text = format!(
        "clusters:\n- {{name: e, cluster: {{server: '{EKS}'}}}}\n- {{name: f, cluster: {{server: '{EKS}'}}}}\ncontexts:\n{}{}users:\n{}{}",
        context("ca", "e", "u"),
        context("cf", "f", "u"),
        aws("u", ""),
        aws("v", ""),
    );
    let more = format!("contexts:\n{}{}", context("cb", "e", "u"), context("cc", "e", "v"));
    let home = Home::new(&[("config", &text), ("more", &more)]);
    let run = home.run(&["convert", "--one-stanza", "--yes", "--context", "ca"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let now = home.read("config");
    assert!(now.contains("{name: cf, context: {cluster: f, user: u}}"), "{now}");
    assert!(now.contains("name: u\n") && now.contains("name: v\n"), "{now}");
    let run = home.run(&["convert", "--one-stanza", "--yes"]);
    assert!(run.stderr.contains("it is in another file than its context"), "{run:?}");
    assert!(home.read("config").contains("name: u\n"));
    assert_eq!(home.run(&["revert"]).code, Some(0));
    assert_eq!((home.read("config"), home.read("more")), (text, more));
}

#[test]
fn what_a_context_that_stays_needs_is_not_put_back() {
    let text = format!(
        "clusters:\n- {{name: e, cluster: {{server: '{EKS}'}}}}\ncontexts:\n{}users:\n{}",
        context("c", "e", "u"),
        aws("u", ""),
    );
    let home = Home::new(&[("config", &text)]);
    assert_eq!(home.run(&["convert", "--one-stanza", "--yes"]).code, Some(0));
    let mine = home
        .read("config")
        .replace("cluster: e, user: fleetkey", "cluster: e, user: fleetkey, namespace: x");
    fs::write(home.0.path().join("config"), &mine).unwrap();
    let run = home.run(&["revert"]);
    assert!(run.stdout.contains("left as it is: `c`: it was changed since"), "{run:?}");
    let now = home.read("config");
    assert!(now.contains("cluster-name") && now.contains("name: fleetkey"), "{now}");
}
