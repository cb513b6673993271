//! `kubeconfig snippet`: Terraform can read what it writes, and what it writes gets in.

use fleetkey_sandbox::Exec;
use serde_json::Value;

use crate::support::{ADMIN, Program, Stage, say, which};

/// A kubeconfig with a user for each thing that may stand there.
fn config(stage: &Stage, users: &[(&str, &Exec)]) -> String {
    let contexts: Vec<_> =
        users.iter().map(|(name, exec)| (*name, &stage.cluster, *exec)).collect();
    let path = stage.home.kubeconfig_at("config", &contexts).unwrap();
    path.display().to_string()
}

fn snippet(stage: &Stage, config: &str, args: &[&str]) -> Program {
    stage.bare().args(["kubeconfig", "snippet", "--kubeconfig", config]).args(args.to_vec())
}

/// What Terraform makes of a text in quotes, as the snippet has it.
fn read(text: &str) -> String {
    serde_json::from_str(&text.replace("$${", "${").replace("%%{", "%{")).unwrap()
}

#[test]
fn what_it_says_to_run_gets_in() {
    let stage = Stage::new();
    let line = ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "prod"];
    let theirs = Exec::new("aws", line).with_env([("AWS_PROFILE".into(), "admin".into())]);
    let config = config(&stage, &[("theirs", &theirs)]);
    let text = snippet(&stage, &config, &[]).run().stdout;
    let list = text.split_once("args = [").unwrap().1.split_once(']').unwrap().0;
    let words = list.split(['\n', ',']).map(str::trim).filter(|word| !word.is_empty()).map(read);
    let run = stage.bare().args(words).run();
    assert_eq!(stage.who(&run).canonical_arn, ADMIN);
    assert!(text.contains(&format!("host                   = {:?}\n", stage.cluster.server)));
}

#[test]
fn terraform_reads_all_of_it_and_changes_no_space() {
    let stage = Stage::new();
    let hard =
        ["get-token", "aws", "--profile", "a\"b\\c ${d} %{e} $${f} ü", "--cluster-name", "c"];
    let env = [("A.B", "x\ny"), ("LONGER_NAME", "${z}")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let ours = Exec::new("fleetkey", hard).with_env(env);
    let config = config(&stage, &[("ours", &ours)]);
    let Some(terraform) = which("terraform") else {
        return say("kubeconfig snippet: `terraform fmt` is skipped, there is no `terraform`");
    };
    for whom in ["kubernetes", "helm", "helm-2"] {
        let run = snippet(&stage, &config, &["--for", whom]).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        let file = stage.home.write(format!("{whom}.tf"), &run.stdout).unwrap();
        let checked = Program::new(&terraform)
            .envs(stage.home.environment())
            .args(["fmt".as_ref(), "-check".as_ref(), "-diff".as_ref(), file.as_os_str()])
            .run();
        assert_eq!((checked.code, checked.stdout.as_str()), (Some(0), ""), "{whom}: {checked:?}");
    }
    say("kubeconfig snippet: `terraform fmt` changes nothing in 3 snippets");
}

#[test]
fn one_stanza_is_written_out_with_what_the_cluster_says() {
    let stage = Stage::new();
    let all = Exec::new("fleetkey", ["get-token"]).v1().with_cluster_info();
    let path = config(&stage, &[("all", &all)]);
    let mut text: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let extension = serde_json::json!({
        "provider": "aws", "cluster-name": "prod", "region": "us-east-1", "profile": "admin",
        "endpoint-url": "https://elsewhere.example",
    });
    let name = "client.authentication.k8s.io/exec";
    text["clusters"][0]["cluster"]["extensions"] =
        serde_json::json!([{ "name": name, "extension": extension }]);
    std::fs::write(&path, text.to_string()).unwrap();
    let text = snippet(&stage, &path, &["--context", "all"]).run().stdout;
    for line in
        ["\"get-token\", \"aws\",", "\"--cluster-name\", \"prod\",", "\"--profile\", \"admin\","]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("elsewhere") && !text.contains('#'), "{text}");
}

#[test]
fn what_is_not_there_is_named() {
    let stage = Stage::new();
    let config = config(&stage, &[("a", &Exec::new("other-plugin", ["x"]))]);
    let [said, ..] = snippet(&stage, &config, &["--context", "b"]).run().failed(2);
    assert_eq!(said, "there is no context `b`");
    let [said, ..] = snippet(&stage, &config, &[]).run().failed(2);
    assert_eq!(said, "user `a` signs in by no program that is known here");
    let [said, ..] = snippet(&stage, "/nowhere/config", &[]).run().failed(2);
    assert_eq!(said, "no context is named, and none is current");
}
