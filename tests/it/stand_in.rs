//! fleetkey in the place of other programs: under their names, by their command lines, with their
//! answers and their exit codes.

use std::path::{Path, PathBuf};

use fleetkey_sandbox::{Exec, Route};
use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::support::{PATIENCE, Terminal, alice};
use crate::{
    aws_cli,
    support::{ADMIN, Aks, EXTERNAL_ID, Program, Run, SERVER, Stage, for_every_kubectl, say},
};

/// A folder with the plugin in it under every name that it stands in for.
struct Names(tempfile::TempDir);

impl Names {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["kubelogin", "aws", "aws-iam-authenticator", "heptio-authenticator-aws", "fk"]
        {
            std::os::unix::fs::symlink(Program::binary(), folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// That program in a home.
    fn program(&self, name: &str, env: Vec<(String, String)>) -> Program {
        Program::new(self.path(name)).envs(env)
    }

    /// The variable by which clients find them.
    fn on_path(&self) -> (String, String) {
        ("PATH".into(), format!("{}:/usr/bin:/bin", self.0.path().display()))
    }
}

fn of_stage(stage: &Stage) -> Vec<(String, String)> {
    let Stage { sandbox, home, alice, .. } = stage;
    [home.environment(), sandbox.environment(), alice.environment()].concat()
}

/// Reads an answer: what it says, and whether it ends as it should.
fn answer(run: &Run, end: &str) -> Value {
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    let text = run.stdout.strip_suffix(end).unwrap();
    assert!(!text.ends_with('\n'), "{text:?}");
    serde_json::from_str(text).unwrap()
}

fn token(answer: &Value) -> &str {
    answer["status"]["token"].as_str().unwrap()
}

/// `az aks get-credentials --format exec` writes these; only the host to sign in at is the sandbox's.
fn of_az(aks: &Aks) -> Vec<String> {
    let authority = format!("{}/", aks.sandbox.entra().url());
    let words = ["get-token", "--environment", "AzurePublicCloud", "--server-id", SERVER];
    let words = words.into_iter().chain(["--client-id", CLIENT_OF_AKS, "--tenant-id", &aks.tenant]);
    let words = words.chain(["--login", "devicecode", "--authority-host", &authority]);
    words.map(str::to_owned).collect()
}

/// Variables that make an application of it, as pipelines set them for kubelogin.
fn as_application(aks: &Aks) -> Vec<(String, String)> {
    let pairs =
        [("AAD_LOGIN_METHOD", "spn"), ("AZURE_CLIENT_ID", APP), ("AZURE_CLIENT_SECRET", SECRET)];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    [aks.environment(), pairs.into()].concat()
}

fn gets_in(name: &str, env: &[(String, String)], config: &Path) {
    for_every_kubectl(name, |kubectl| {
        let run = Program::new(&kubectl.path)
            .envs(env.to_vec())
            .args(["--kubeconfig".as_ref(), config.as_os_str()])
            .args(["get", "namespaces"])
            .run();
        assert!(run.stdout.contains("kube-system"), "{}: {run:?}", kubectl.version);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", kubectl.version);
    });
}

#[test]
fn kubectl_gets_in_by_what_aws_eks_update_kubeconfig_wrote() {
    let (stage, names) = (Stage::new(), Names::new());
    let env = [of_stage(&stage), vec![names.on_path()]].concat();
    let line = ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "prod"];
    let line = [&line[..], &["--output", "json"]].concat();
    let profile = vec![("AWS_PROFILE".to_owned(), "alice".to_owned())];
    let authenticator = ["token", "-i", "prod", "--region", "us-east-1"];
    let own = [&["fleetkey"][..], &line].concat();
    for (command, args, env_of_user) in [
        ("aws", &line[..], vec![]),
        ("aws", &line[..], profile),
        ("aws-iam-authenticator", &authenticator, vec![]),
        ("heptio-authenticator-aws", &authenticator, vec![]),
        // under any other name the words decide
        ("fk", &own[1..], vec![]),
    ] {
        let args = args.iter().copied();
        let exec = Exec::new(command, args).with_env(env_of_user);
        let config = stage.home.kubeconfig(&stage.cluster, &exec).unwrap();
        gets_in(&format!("in place of {command}"), &env, &config);
    }
    assert_eq!(stage.cluster.rejections(), []);
    for guest in stage.cluster.identities() {
        assert_eq!(guest.identity.canonical_arn, stage.alice.arn);
    }
}

#[test]
fn kubectl_gets_in_by_what_az_aks_get_credentials_wrote() {
    let (aks, names) = (Aks::new(), Names::new());
    let env = [as_application(&aks), vec![names.on_path()]].concat();
    let exec = Exec::new("kubelogin", of_az(&aks));
    let config = aks.home.kubeconfig(&aks.cluster, &exec).unwrap();
    gets_in("in place of kubelogin", &env, &config);
    assert_eq!(aks.cluster.rejections(), []);
    let guests = aks.cluster.identities();
    // the variable counts, and not the application that `az` wrote down
    assert!(guests.iter().all(|guest| guest.appid == APP), "{guests:?}");
    // one credential for every client
    assert!(aks.asked() <= 1);
}

#[test]
fn kubelogin_answers_in_its_own_form_and_the_version_asked_for() {
    let (aks, names) = (Aks::new(), Names::new());
    let program = names.program("kubelogin", as_application(&aks)).args(of_az(&aks));
    for version in ["v1", "v1beta1"] {
        let version = format!("client.authentication.k8s.io/{version}");
        let info = format!(r#"{{"apiVersion":"{version}","spec":{{"interactive":false}}}}"#);
        let run = program.clone().env("KUBERNETES_EXEC_INFO", info).run();
        let answer = answer(&run, "\n");
        aks.cluster.verify(token(&answer)).unwrap();
        let start = format!(r#"{{"kind":"ExecCredential","apiVersion":"{version}","spec":"#);
        assert!(run.stdout.starts_with(&start), "{}", run.stdout);
        run.keeps_secret(&Aks::secrets());
    }
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
    // and by its own get-token it is the same credential
    let own = aks.application().run();
    aks.cluster.verify(&own.token()).unwrap();
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
}

#[test]
fn kubelogin_lets_the_environment_win_unless_it_is_told_not_to() {
    let (aks, names) = (Aks::new(), Names::new());
    let program = || names.program("kubelogin", as_application(&aks)).args(of_az(&aks));
    let own = |args: &[&str]| program().args(args.iter().copied());
    aks.cluster.verify(token(&answer(&own(&["--client-id", "x"]).run(), "\n"))).unwrap();
    aks.cluster.verify(token(&answer(&own(&["-l", "msi"]).run(), "\n"))).unwrap();
    let asked = aks.asked();
    // then a person is meant, and there is none
    let run = own(&["--disable-environment-override"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains(CLIENT_OF_AKS) && run.stderr.contains("devicecode"), "{run:?}");
    assert_eq!(aks.asked(), asked);
}

#[test]
#[cfg(target_os = "linux")]
fn kubelogin_asks_for_a_code_where_nothing_else_is_said() {
    let (aks, names) = (Aks::new(), Names::new());
    let args = of_az(&aks);
    let at = args.iter().position(|arg| arg == "--login").unwrap();
    let without = [&args[..at], &args[at + 2..]].concat();
    let program = names.program("kubelogin", aks.environment()).args(without);
    let on_terminal = ["sh", "-c", "exec \"$0\" \"$@\" 2>/dev/tty"];
    let terminal = Terminal::start(&program.clone().under(on_terminal));
    let entra = aks.sandbox.entra();
    let device = entra.wait_for_device(PATIENCE).unwrap();
    assert!(entra.approve(&device.user_code, alice()));
    let (run, shown) = terminal.finish();
    assert!(shown.contains(&device.user_code), "{shown}");
    assert_eq!(aks.cluster.verify(token(&answer(&run, "\n"))).unwrap().name, alice());
    // who has signed in is not asked again, terminal or not
    let again = program.run();
    assert_eq!(aks.cluster.verify(token(&answer(&again, "\n"))).unwrap().name, alice());
    assert_eq!(aks.sandbox.count(Route::EntraDeviceCode), 1);
}

#[test]
fn every_failure_of_kubelogin_ends_with_1_and_says_what_to_type() {
    let (aks, names) = (Aks::new(), Names::new());
    let broken = || names.program("kubelogin", aks.environment());
    let of_az = of_az(&aks);
    for (args, env, words) in [
        (&["get-token"][..], None, "server-id is required"),
        (&["get-token", "--nonsense"], None, "`kubelogin` has no flag `--nonsense`"),
        (&["nonsense"], None, "`kubelogin` has no command `nonsense`"),
        (&["remove-tokens"], None, "nothing is removed"),
        (
            &of_az.iter().map(String::as_str).collect::<Vec<_>>(),
            Some(r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#),
            "api version: client.authentication.k8s.io/v1alpha1 is not supported",
        ),
    ] {
        let program = broken().args(args.iter().copied());
        let program = env.iter().fold(program, |one, info| one.env("KUBERNETES_EXEC_INFO", *info));
        let run = program.run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{args:?}");
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    // Entra refuses: still 1, and nothing of the secret
    let wrong =
        [as_application(&aks), vec![("AZURE_CLIENT_SECRET".into(), "wrong~secret.1".into())]];
    let run = names.program("kubelogin", wrong.concat()).args(of_az).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("Error: "), "{}", run.stderr);
    run.keeps_secret(&["wrong~secret.1".into()]);
    // an answer that nobody takes
    if cfg!(target_os = "linux") {
        let full = ["sh", "-c", "exec \"$0\" \"$@\" >/dev/full"];
        let program = names.program("kubelogin", as_application(&aks)).args(self::of_az(&aks));
        let run = program.under(full).run();
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.starts_with("Error: the answer could not be written"), "{run:?}");
    }
}

#[test]
fn texts_are_printed_and_nothing_else_is_done() {
    let names = Names::new();
    for (name, args, words) in [
        ("kubelogin", &["--version"][..], "fleetkey"),
        ("kubelogin", &["--help"], "convert-kubeconfig"),
        ("aws", &["--version"], "fleetkey"),
        ("aws-iam-authenticator", &["version"], "\"Version\""),
        ("aws-iam-authenticator", &["help"], "Usage:"),
    ] {
        let run = Program::new(names.path(name)).args(args.iter().copied()).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{name}");
        assert!(run.stdout.contains(words) && run.stdout.ends_with('\n'), "{}", run.stdout);
    }
}

#[test]
fn aws_eks_get_token_has_its_forms_and_its_exit_codes() {
    let (stage, names) = (Stage::new(), Names::new());
    let aws = |words: &[&str]| names.program("aws", of_stage(&stage)).args(words.iter().copied());
    let line = ["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"];
    let told = |more: &[&str]| aws(&[&line[..], more].concat()).run();
    let whole = answer(&told(&[]), "\n\n");
    assert_eq!(
        stage.cluster.verify(token(&whole)).unwrap().identity.canonical_arn,
        stage.alice.arn
    );
    let text = told(&["--output", "text"]).stdout;
    let words: Vec<&str> = text.split(['\t', '\n']).collect();
    let [version, kind, status, _, token, "", ""] = words[..] else { panic!("{text:?}") };
    assert_eq!([kind, status], ["ExecCredential", "STATUS"]);
    assert_eq!(version, "client.authentication.k8s.io/v1beta1");
    stage.cluster.verify(token).unwrap();
    let bare = told(&["--query", "status.token", "--output", "text"]).stdout;
    stage.cluster.verify(bare.trim_end()).unwrap();
    let quoted = told(&["--query", "status.token"]).stdout;
    stage.cluster.verify(quoted.trim_end().trim_matches('"')).unwrap();
    // a role, as `update-kubeconfig` shortens it, that wants more than was said
    let refused = told(&["--role", ADMIN]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(254), ""), "{}", refused.stderr);
    refused.keeps_secret(&stage.secrets());
    for (args, code) in [
        (&["eks", "get-token"][..], 252),
        (&["eks", "get-token", "--cluster-name", "c", "--output", "table"], 252),
        (&["eks", "get-token", "--cluster-name", "c", "--profile", "nobody"], 253),
    ] {
        let run = aws(args).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{args:?}");
        assert!(run.stderr.contains("next, type:"), "{}", run.stderr);
    }
    let old = r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#;
    let run = aws(&line).env("KUBERNETES_EXEC_INFO", old).run();
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.contains("/v1alpha1") && run.stderr.contains("no longer accept"), "{run:?}");
}

#[test]
fn aws_iam_authenticator_fills_in_from_its_variables_and_fails_with_1() {
    let (stage, names) = (Stage::new(), Names::new());
    let program = |words: &[&str]| {
        let program = names.program("aws-iam-authenticator", of_stage(&stage));
        program.args(words.iter().copied()).env("AWS_REGION", "us-east-1")
    };
    let by_variable = program(&["token"]).env("KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID", "prod");
    stage.cluster.verify(token(&answer(&by_variable.run(), "\n"))).unwrap();
    let role = ["token", "-i", "prod", "-r", ADMIN, "-e", EXTERNAL_ID, "--token-only"];
    let run = program(&role).run();
    let admitted = stage.cluster.verify(run.stdout.trim_end()).unwrap();
    assert_eq!(admitted.identity.canonical_arn, ADMIN);
    for words in [&["token"][..], &["token", "-i", "prod", "-r", ADMIN], &["token", "--nonsense"]] {
        let run = program(words).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn aws_itself_answers_in_the_same_form() {
    let (stage, names) = (Stage::new(), Names::new());
    let Some(aws) = aws_cli::installed(&stage) else {
        return say("in place of aws: the comparison is skipped, there is no `aws`");
    };
    let aws = aws.envs(of_stage(&stage)).env("AWS_STS_REGIONAL_ENDPOINTS", "regional");
    let v1 = r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#;
    let line = ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "prod"];
    for more in [&["--output", "json"][..], &["--output", "text"], &["--query", "status.token"]] {
        for info in [None, Some(v1), Some("{"), Some(r#"{"apiVersion":"x"}"#)] {
            let line = || line.iter().chain(more).copied();
            let asked = |program: Program| match info {
                Some(info) => program.args(line()).env("KUBERNETES_EXEC_INFO", info).run(),
                None => program.args(line()).run(),
            };
            let theirs = asked(aws.clone());
            let ours = asked(names.program("aws", of_stage(&stage)));
            assert_eq!((theirs.code, ours.code), (Some(0), Some(0)), "{theirs:?} {ours:?}");
            assert_eq!(shape(&theirs.stdout), shape(&ours.stdout), "{more:?} {info:?}");
            let says = |run: &Run| !run.stderr.is_empty();
            assert_eq!(says(&theirs), says(&ours), "{more:?} {info:?}: {theirs:?} {ours:?}");
        }
    }
    let wrong = |program: Program| program.args(["eks", "get-token"]).run().code;
    let [theirs, ours] = [wrong(aws), wrong(names.program("aws", of_stage(&stage)))];
    say(&format!(
        "in place of aws: its answers have our form; usage ends with {theirs:?}, {ours:?}"
    ));
}

/// An answer without what is another one every second.
fn shape(text: &str) -> String {
    let is_separator = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    let words = text.split_inclusive(is_separator).map(|word| {
        let bare = word.trim_end_matches(is_separator);
        if bare.starts_with("k8s-aws-v1.") {
            word.replace(bare, "TOKEN")
        } else if bare.parse::<jiff::Timestamp>().is_ok() {
            word.replace(bare, "TIME")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

/// The application that AKS has for people.
const CLIENT_OF_AKS: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";
const APP: &str = "33333333-3333-3333-3333-333333333333";
const SECRET: &str = "kept~only.in-the_environment";
