//! One cluster, added to a kubeconfig by its name, as the clouds' own tools do; then kubectl gets in.

use std::{fs, path::Path};

use fleetkey::replay::value;
use fleetkey_sandbox::{AzLogin, EksCluster, ManagedCluster, Subscription};
use serde_json::{Value, json};

use crate::support::{ADMIN, Aks, EXTERNAL_ID, Program, Run, Stage, alice, for_every_kubectl, say};

const SUBSCRIPTION: &str = "aaaaaaaa-0000-4000-a000-000000000001";
const ARN: &str = "arn:aws:eks:us-east-1:111122223333:cluster/prod";
const MINE: &str = "\
# mine, do not touch
apiVersion: v1
kind: Config
clusters:
- name: old # the first one
  cluster: {server: 'https://old.example'}
contexts: []
current-context: \"old\" # for now
users: null
";

/// `kubeconfig add aws` for the cluster.
fn add(stage: &Stage) -> Program {
    stage.bare().args(["kubeconfig", "add", "aws", "--region", "us-east-1"])
}

fn config(home: &fleetkey_sandbox::Home) -> String {
    fs::read_to_string(home.join(".kube/config")).unwrap()
}

fn said(run: &Run) -> &str {
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    &run.stdout
}

/// Gets in with every kubectl, by the kubeconfig in that home.
fn get_in(name: &str, env: &[(String, String)], config: &Path) {
    for_every_kubectl(name, |kubectl| {
        let run = Program::new(&kubectl.path)
            .envs(env.to_vec())
            .args(["--kubeconfig".as_ref(), config.as_os_str()])
            .args(["get", "namespaces"])
            .run();
        assert!(said(&run).contains("kube-system"), "{run:?}");
    });
}

fn environment(stage: &Stage) -> Vec<(String, String)> {
    stage.home.environment().into_iter().chain(stage.sandbox.environment()).collect()
}

#[test]
fn by_a_profile_kubectl_gets_in_and_what_was_there_stays() {
    let stage = Stage::new();
    stage.home.write(".kube/config", MINE).unwrap();
    let run = add(&stage).args(["--name", "prod", "--profile", "alice"]).run();
    let path = stage.home.join(".kube/config");
    assert_eq!(said(&run), format!("context `{ARN}` is in {}\n", path.display()));
    let text = config(&stage.home);
    for line in MINE.lines().filter(|line| !line.starts_with("cont") && !line.starts_with("curr")) {
        assert!(text.contains(line) || line.starts_with("users"), "{line} is lost in\n{text}");
    }
    assert!(text.contains(&format!("current-context: \"{ARN}\" # for now")), "{text}");
    let user = &value(&text).unwrap()["users"][0]["user"]["exec"];
    assert_eq!(user["command"], Program::binary().to_str().unwrap());
    let args = [
        "get-token",
        "aws",
        "--cluster-name",
        "prod",
        "--region",
        "us-east-1",
        "--profile",
        "alice",
        "--exec-api-version=v1",
    ];
    assert_eq!(user["args"], json!(args));
    get_in("add by profile", &environment(&stage), &path);
    let again = add(&stage).args(["--name", "prod", "--profile", "alice"]).run();
    assert!(said(&again).ends_with("already; nothing was changed\n"));
    assert_eq!(config(&stage.home), text);
}

#[test]
fn by_a_role_under_names_that_were_typed() {
    let stage = Stage::new();
    let args = [
        "--cluster-name",
        "prod",
        "--profile",
        "alice",
        "--role-arn",
        ADMIN,
        "--external-id",
        EXTERNAL_ID,
        "--alias",
        "prod",
        "--user-alias",
        "me",
        "--bare-command",
    ];
    let run = add(&stage).args(args).run();
    assert!(said(&run).starts_with("context `prod` is in "));
    let path = stage.home.join(".kube/config");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
    let text = config(&stage.home);
    let new = value(&text).unwrap();
    assert_eq!(
        new["contexts"][0],
        json!({"name": "prod", "context": {"cluster": ARN, "user": "me"}})
    );
    assert_eq!(new["users"][0]["user"]["exec"]["command"], "fleetkey");
    fs::write(
        &path,
        text.replace("command: fleetkey", &format!("command: {}", Program::binary().display())),
    )
    .unwrap();
    get_in("add by role", &environment(&stage), &path);
    for identity in stage.cluster.identities() {
        assert_eq!(identity.identity.canonical_arn, ADMIN);
    }
    // the user's name is the context's where nothing else is said
    let run =
        add(&stage).args(["--name", "prod", "--profile", "alice", "--user-alias", "you"]).run();
    assert!(said(&run).starts_with("context `you` is in "));
}

#[test]
fn a_cluster_on_an_outpost_is_known_by_its_id_and_one_that_failed_is_not_added() {
    let stage = Stage::new();
    stage.sandbox.eks_cluster(EksCluster::new("edge", "us-east-1").outpost("0f8a1c6e-id"));
    stage.sandbox.eks_cluster(EksCluster::new("broken", "us-east-1").status("FAILED"));
    let add = |name: &str| add(&stage).args(["--profile", "alice", "--name", name]).run();
    let [what, _, next] = add("broken").failed(1);
    assert_eq!(what, "cluster status is FAILED");
    assert!(next.starts_with("aws eks describe-cluster --name broken"), "{next}");
    let [what, ..] = add("none").failed(2);
    assert_eq!(what, "there is no cluster `none` in us-east-1");
    assert!(!stage.home.join(".kube").exists(), "something was made");
    assert!(said(&add("edge")).contains("cluster/edge"));
    let new = value(&config(&stage.home)).unwrap();
    let args = &new["users"][0]["user"]["exec"]["args"];
    assert_eq!(args.as_array().unwrap()[2..4], [json!("--cluster-id"), json!("0f8a1c6e-id")]);
}

#[test]
fn the_same_name_for_something_else_is_refused_and_the_next_line_does_it_all_the_same() {
    let stage = Stage::new();
    let old = MINE.replace("name: old", &format!("name: {ARN}"));
    stage.home.write(".kube/config", &old).unwrap();
    let before = stage.sandbox.total();
    let [what, why, next] =
        add(&stage).args(["--name", "prod", "--profile", "alice"]).run().failed(2);
    assert!(what.ends_with(&format!("has another cluster `{ARN}`")), "{what}");
    assert!(why.starts_with("its server is `https://old.example`, not "), "{why}");
    assert_eq!(config(&stage.home), old);
    assert!(stage.sandbox.total() > before);
    let wanted = "fleetkey kubeconfig add aws --cluster-name prod --region us-east-1 --profile alice --overwrite";
    assert_eq!(next, wanted);
    let run = stage.bare().args(next.split(' ').skip(1)).run();
    assert!(said(&run).contains(ARN));
    assert!(!config(&stage.home).contains("old.example"));
}

#[test]
fn a_dry_run_shows_a_diff_and_changes_nothing() {
    let stage = Stage::new();
    let dry = || add(&stage).args(["--name", "prod", "--profile", "alice", "--dry-run"]);
    let run = dry().run();
    assert!(
        said(&run).contains("\n+- name: arn:aws:eks") && run.stdout.starts_with("--- "),
        "{run:?}"
    );
    assert!(!stage.home.join(".kube").exists());
    stage.home.write("a", "").unwrap();
    stage.home.write("b", MINE.replace("name: old", &format!("name: {ARN}"))).unwrap();
    let list = format!("{}:{}", stage.home.join("a").display(), stage.home.join("b").display());
    let run = dry().args(["--overwrite"]).env("KUBECONFIG", &list).run();
    let b = stage.home.join("b").display().to_string();
    assert!(said(&run).starts_with(&format!("--- {b}\n")), "{run:?}");
    assert!(run.stdout.contains("-  cluster: {server: 'https://old.example'}"), "{run:?}");
    let run = add(&stage)
        .args(["--name", "prod", "--profile", "alice", "--context", "x"])
        .env("KUBECONFIG", stage.home.join("a").display().to_string() + ":/none")
        .run();
    assert!(said(&run).contains("/a\n"), "{run:?}");
}

#[test]
fn clusters_and_contexts_are_those_of_aws_itself() {
    let stage = Stage::new();
    let Some(aws) = crate::aws_cli::installed(&stage) else {
        return say("aws eks update-kubeconfig is skipped, there is no `aws`");
    };
    stage.sandbox.eks_cluster(EksCluster::new("edge", "us-east-1").outpost("0f8a1c6e-id"));
    let theirs = |args: &[&str], file: &str| {
        let region = ["--region", "us-east-1", "--profile", "alice"];
        aws.clone()
            .envs(environment(&stage))
            .args(["eks", "update-kubeconfig"])
            .args(region)
            .args(args.iter().copied())
            .args(["--kubeconfig".into(), stage.home.join(file)])
            .run()
    };
    let mut compared = 0;
    for (number, args) in [
        &["--name", "prod"][..],
        &["--name", "prod", "--alias", "a"],
        &["--name", "prod", "--user-alias", "u"],
        &["--name", "edge", "--alias", "a", "--user-alias", "u"],
    ]
    .into_iter()
    .enumerate()
    {
        for before in ["", MINE] {
            let [ours, their] =
                ["ours", "theirs"].map(|whose| format!("{whose}{number}{}", before.len()));
            if !before.is_empty() {
                for file in [&ours, &their] {
                    stage.home.write(file, before).unwrap();
                }
            }
            assert_eq!(theirs(args, &their).code, Some(0));
            let file = stage.home.join(&ours).display().to_string();
            let run = add(&stage)
                .args(["--profile", "alice", "--kubeconfig", &file])
                .args(args.iter().copied())
                .run();
            said(&run);
            let [ours, theirs] = [ours, their]
                .map(|file| value(&fs::read_to_string(stage.home.join(file)).unwrap()).unwrap());
            for key in ["clusters", "contexts", "current-context", "kind", "apiVersion"] {
                assert_eq!(ours[key], theirs[key], "{args:?}: {key}");
            }
            let names = |value: &Value| {
                let users = value["users"].as_array().unwrap();
                users.iter().map(|user| user["name"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(names(&ours), names(&theirs), "{args:?}");
            compared += 1;
        }
    }
    say(&format!("compared with the real aws eks update-kubeconfig: {compared} kubeconfigs"));
}

/// A tenant whose cluster Azure's Resource Manager knows.
fn managed() -> Aks {
    let aks = Aks::new();
    aks.sandbox.subscription(Subscription::new(SUBSCRIPTION, "one", &aks.tenant));
    aks.sandbox.managed_cluster(SUBSCRIPTION, ManagedCluster::of(&aks.cluster, "rg", "westeurope"));
    aks
}

fn add_azure(aks: &Aks) -> Program {
    let manager = aks.sandbox.resource_manager_url();
    let args = ["kubeconfig", "add", "azure", "-g", "rg", "--resource-manager", &manager];
    aks.bare().args(args).args(["--subscription", SUBSCRIPTION])
}

fn spn(aks: &Aks) -> Vec<String> {
    let authority = format!("{}/", aks.sandbox.entra().url());
    let args = ["--login", "spn", "--client-id", Aks::app(), "--tenant-id", &aks.tenant];
    args.into_iter().chain(["--authority-host", &authority]).map(str::to_owned).collect()
}

#[test]
fn as_whoever_is_signed_in_to_az() {
    let aks = managed();
    let login = AzLogin::person(&aks.tenant, alice()).at_sandbox();
    aks.home.az_login(&aks.sandbox, &login).unwrap();
    let run = add_azure(&aks).args(["-n", "aks"]).run();
    assert!(said(&run).starts_with("context `aks` is in "));
    let new = value(&config(&aks.home)).unwrap();
    assert_eq!(new["users"][0]["name"], "clusterUser_rg_aks");
    let args = new["users"][0]["user"]["exec"]["args"].to_string();
    assert!(args.contains("azurecli") && !args.contains("devicecode"), "{args}");
    get_in("add azure by az", &aks.environment(), &aks.home.join(".kube/config"));
    assert!(aks.cluster.identities().iter().all(|guest| guest.name == alice()));
}

#[test]
fn as_an_application() {
    let aks = managed();
    let secret = Aks::secrets().remove(0);
    let run = add_azure(&aks)
        .args(["-n", "aks"])
        .args(spn(&aks))
        .env("AZURE_CLIENT_SECRET", &secret)
        .run();
    assert!(said(&run).starts_with("context `aks` is in "));
    assert!(!config(&aks.home).contains(&secret));
    let mut env = aks.environment();
    env.push(("AZURE_CLIENT_SECRET".into(), secret));
    get_in("add azure by application", &env, &aks.home.join(".kube/config"));
}

#[test]
fn the_administrators_context_does_not_take_the_place_of_a_persons_own() {
    let aks = managed();
    let add = |args: &[&str]| {
        let program = add_azure(&aks).args(spn(&aks)).args(args.iter().copied());
        program.env("AZURE_CLIENT_SECRET", &Aks::secrets()[0]).run()
    };
    said(&add(&["-n", "aks"]));
    assert!(said(&add(&["-n", "aks", "--admin"])).starts_with("context `aks-admin` is in "));
    let new = value(&config(&aks.home)).unwrap();
    let context = |at: usize| {
        let context = &new["contexts"][at];
        (context["name"].as_str().unwrap(), context["context"]["user"].as_str().unwrap())
    };
    assert_eq!(context(0), ("aks", "clusterUser_rg_aks"));
    assert_eq!(context(1), ("aks-admin", "clusterAdmin_rg_aks"));
}

#[test]
fn under_a_context_that_was_named_another_clusters_entry_of_the_name_stays() {
    let aks = managed();
    aks.home.write(".kube/config", MINE.replace("name: old", "name: aks")).unwrap();
    let add = |args: &[&str]| {
        let program = add_azure(&aks).args(spn(&aks)).args(["-n", "aks"]).args(args.to_vec());
        program.env("AZURE_CLIENT_SECRET", &Aks::secrets()[0]).run()
    };
    let before = config(&aks.home);
    add(&[]).failed(2);
    assert_eq!(config(&aks.home), before);
    said(&add(&["--context", "mine"]));
    let text = config(&aks.home);
    let new = value(&text).unwrap();
    assert_eq!(new["clusters"][0]["cluster"]["server"], "https://old.example");
    assert_eq!(new["clusters"][1]["name"], "mine");
    assert_eq!(new["contexts"][0]["context"]["cluster"], "mine");
    assert!(said(&add(&["--context", "mine"])).ends_with("nothing was changed\n"));
    assert_eq!(config(&aks.home), text);
}

#[test]
fn a_cluster_that_was_made_anew_is_followed_as_the_same_person_and_no_other() {
    let stage = Stage::new();
    let add = || add(&stage).args(["--name", "prod", "--profile", "alice"]).run();
    said(&add());
    let text = config(&stage.home);
    let server = value(&text).unwrap()["clusters"][0]["cluster"]["server"].clone();
    let old = text.replace(server.as_str().unwrap(), "https://old.example");
    stage.home.write(".kube/config", &old).unwrap();
    assert!(said(&add()).starts_with(&format!("cluster `{ARN}` was made anew")), "no word");
    assert_eq!(config(&stage.home), text);
    let others = old.replace("- alice\n", "- bob\n");
    assert_ne!(others, old);
    stage.home.write(".kube/config", &others).unwrap();
    let [what, ..] = add().failed(2);
    assert!(what.ends_with(&format!("has another cluster `{ARN}`")), "{what}");
}

#[test]
fn as_the_local_administrator_where_there_is_one_and_by_the_public_name() {
    let aks = managed();
    let cluster = |name: &str| ManagedCluster::new(name, "rg", "westeurope");
    aks.sandbox.managed_cluster(SUBSCRIPTION, cluster("closed").without_local_accounts());
    aks.sandbox.managed_cluster(SUBSCRIPTION, cluster("private").private(true));
    let secret = Aks::secrets().remove(0);
    let add = |args: &[&str]| {
        let program = add_azure(&aks).args(spn(&aks)).args(args.iter().copied());
        program.env("AZURE_CLIENT_SECRET", &secret).run()
    };
    assert!(said(&add(&["-n", "aks", "--admin"])).starts_with("context `aks-admin` is in "));
    let text = config(&aks.home);
    let user = &value(&text).unwrap()["users"][0];
    assert_eq!(user["name"], "clusterAdmin_rg_aks");
    assert!(user["user"]["client-key-data"].is_string() && user["user"].get("exec").is_none());
    let key = user["user"]["client-key-data"].as_str().unwrap().to_owned();
    let dry = add(&["-n", "aks", "--admin", "--context", "x", "--user-alias", "x", "--dry-run"]);
    assert!(said(&dry).contains("client-key-data"), "{dry:?}");
    assert!(dry.stdout.contains("name: x-admin"), "{dry:?}");
    dry.keeps_secret(&[key]);
    let run = add(&["-n", "closed", "--admin"]);
    assert_ne!(run.code, Some(0));
    run.failed(run.code.unwrap());
    assert_eq!(config(&aks.home), text);

    let server = || {
        let new = value(&config(&aks.home)).unwrap();
        let clusters = new["clusters"].as_array().unwrap().clone();
        clusters.last().unwrap()["cluster"]["server"].as_str().unwrap().to_owned()
    };
    said(&add(&["-n", "private"]));
    assert!(server().contains(".privatelink."), "{}", server());
    let [_, _, next] = add(&["-n", "private", "--public-fqdn"]).failed(2);
    assert!(next.contains(" --public-fqdn ") && next.ends_with(" --overwrite"), "{next}");
    said(&add(&["-n", "private", "--public-fqdn", "--overwrite"]));
    assert!(server().contains(".hcp."), "{}", server());
}
