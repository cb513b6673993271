//! Kubeconfigs of other plugins, converted: real kubectl gets in by every kind of entry, and what was there
//! comes back.

use std::{fs, path::Path};

use fleetkey_sandbox::{Endpoint, Exec, Role};

use crate::support::{
    ADMIN, Aks, EXTERNAL_ID, Kubectl, Program, Run, Stage, kubectls, say, ways_of_machines,
};

/// `fleetkey kubeconfig …` on a file.
fn kubeconfig(bare: Program, file: &Path, line: &[&str]) -> Run {
    let file = file.to_str().unwrap();
    bare.args(["kubeconfig"]).args(line).args(["--kubeconfig", file]).run()
}

fn newest() -> Option<Kubectl> {
    kubectls().pop()
}

/// What it is, its command, its arguments, its variables.
type Kind = (&'static str, &'static str, Vec<&'static str>, Vec<(String, String)>);

/// One entry, before and after: converted it lets the same one in, and put back it is what it was.
fn gets_in(
    name: &str,
    bare: &Program,
    env: &[(String, String)],
    cluster: &dyn Endpoint,
    exec: &Exec,
    home: &fleetkey_sandbox::Home,
) {
    let file = home.kubeconfig_at(".kube/config", &[("c", cluster, exec)]).unwrap();
    let before = fs::read(&file).unwrap();
    let run = kubeconfig(bare.clone(), &file, &["convert", "--yes"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{name}: {run:?}");
    assert!(run.stdout.starts_with("changed 1 entry in "), "{name}: {run:?}");
    let after = fs::read_to_string(&file).unwrap();
    let binary = Program::binary().display().to_string();
    assert!(after.contains(&binary), "{name}: {after}");
    if let Some(kubectl) = newest() {
        let run = Program::new(&kubectl.path)
            .envs(env.to_vec())
            .args(["--kubeconfig", file.to_str().unwrap(), "get", "namespaces"])
            .run();
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{name}: {run:?}\n{after}");
        assert!(run.stdout.contains("kube-system"), "{name}: {run:?}");
    }
    let run = kubeconfig(bare.clone(), &file, &["revert"]);
    assert_eq!(run.code, Some(0), "{name}: {run:?}");
    assert_eq!(fs::read(&file).unwrap(), before, "{name}");
}

#[test]
fn kubectl_gets_in_by_every_kind_of_entry_for_eks_once_it_is_converted() {
    let stage = Stage::new();
    let other = "arn:aws:iam::444455556666:role/other";
    stage.sandbox.role(Role::new(other).external_id("flag-9").trusts(&stage.alice.arn));
    stage.sandbox.role(Role::new("arn:aws:iam::444455556666:role/plain").trusts(&stage.alice.arn));
    let mut env = stage.home.environment();
    env.extend(stage.sandbox.environment());
    let profile = |name: &str| vec![("AWS_PROFILE".to_owned(), name.to_owned())];
    let get_token =
        ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json"];
    let with = |more: &[&'static str]| [&get_token[..], more].concat();
    let authenticator =
        |more: &[&'static str]| [&["token", "-i", "prod", "--region=us-east-1"][..], more].concat();
    let kinds: Vec<Kind> = vec![
        ("aws, profile", "aws", with(&[]), profile("alice")),
        ("aws, a role of a profile", "/usr/local/bin/aws", with(&[]), profile("admin")),
        ("aws, sso", "aws", with(&["--profile", "sso"]), vec![]),
        ("aws, sso of old", "aws.exe", with(&["--profile=legacy"]), vec![]),
        (
            "aws, role",
            "aws",
            with(&["--role", "arn:aws:iam::444455556666:role/plain"]),
            profile("alice"),
        ),
        ("aws, keys", "aws", with(&[]), stage.alice.environment()),
        ("aws, web identity", "aws", with(&[]), stage.workload()),
        (
            "authenticator, role",
            "aws-iam-authenticator",
            authenticator(&["-r", other, "-e", "flag-9"]),
            profile("alice"),
        ),
        (
            "authenticator, a role of a profile",
            "/opt/aws-iam-authenticator",
            authenticator(&["--cache"]),
            profile("admin"),
        ),
        ("env", "/usr/bin/env", [&["AWS_PROFILE=alice", "aws"][..], &get_token].concat(), vec![]),
        ("a shell", "sh", vec!["-c", "AWS_PROFILE=alice exec-is-no-word"], vec![]),
    ];
    let shell = format!("AWS_PROFILE=alice aws {}", get_token.join(" "));
    let mut count = 0;
    for (name, command, args, entry_env) in kinds {
        let args = if name == "a shell" { vec!["-c", shell.as_str()] } else { args };
        let args = args.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let exec = Exec::new(command, args).with_env(entry_env);
        gets_in(name, &stage.bare(), &env, &stage.cluster, &exec, &stage.home);
        count += 1;
    }
    assert_eq!(stage.cluster.rejections(), []);
    if newest().is_some() {
        let guests = stage.cluster.identities();
        let has = |arn: &str| guests.iter().any(|g| g.identity.canonical_arn.starts_with(arn));
        assert!(has(&stage.alice.arn) && has(ADMIN) && has(other), "{guests:?}");
        let given = stage.sandbox.requests();
        let given: Vec<_> = given.iter().filter_map(|r| r.parameter("ExternalId")).collect();
        assert!(given.contains(&EXTERNAL_ID) && given.contains(&"flag-9"));
        say(&format!("kubectl tests ran: 1 (converted entries of {count} kinds for EKS)"));
    }
}

#[test]
fn kubectl_gets_in_by_every_kind_of_entry_for_aks_once_it_is_converted() {
    let aks = Aks::new();
    let mut count = 0;
    for way in ways_of_machines(&aks) {
        // what kubelogin has not
        if way.name == "auto" || way.args.iter().any(|arg| arg == "--object-id") {
            continue;
        }
        // the flags are kubelogin's own
        let mut args = way.args.clone();
        assert_eq!(args.remove(1), "azure");
        let path = way.env.iter().find(|(name, _)| name == "PATH").cloned();
        let env: Vec<_> = aks.environment().into_iter().chain(path).collect();
        let exec = Exec::new("kubelogin", args).with_env(way.env.clone());
        gets_in(way.name, &aks.bare(), &env, &way.cluster, &exec, &aks.home);
        assert_eq!(way.cluster.rejections(), [], "{}", way.name);
        count += 1;
    }
    say(&format!("kubectl tests ran: 1 (converted entries of {count} kinds for AKS machines)"));
}

#[test]
fn kubectl_gets_in_by_a_persons_entries_for_aks_once_they_are_converted() {
    let aks = Aks::new();
    // a person signs in once, in a browser
    let login = aks.bare().args(["login"]).args(aks.args("interactive").into_iter().skip(1));
    let running = login.envs(aks.browser()).spawn();
    aks.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
    let authority = format!("{}/", aks.sandbox.entra().url());
    let server = crate::support::SERVER;
    let args = |more: &[&str]| {
        let all = [
            "get-token",
            "--server-id",
            server,
            "--tenant-id",
            &aks.tenant,
            "--authority-host",
            &authority,
        ];
        all.iter().chain(more).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let az = ["account", "get-access-token", "--resource", server, "-o", "json"];
    let login =
        fleetkey_sandbox::AzLogin::person(&aks.tenant, crate::support::alice()).at_sandbox();
    aks.home.az_login(&aks.sandbox, &login).unwrap();
    for (name, exec) in [
        ("device code, by default", Exec::new("kubelogin", args(&[]))),
        ("device code", Exec::new("/usr/bin/kubelogin", args(&["-l", "devicecode"]))),
        ("interactive", Exec::new("kubelogin.exe", args(&["--login=interactive"]))),
        ("az", Exec::new("az", az.map(str::to_owned))),
    ] {
        gets_in(name, &aks.bare(), &aks.environment(), &aks.cluster, &exec, &aks.home);
    }
    // as clients of old had it: no authority can be said there, so it is said here
    let file = aks.home.join("old");
    let ca = aks.sandbox.ca_pem();
    let old = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster:\n    server: {}\n    certificate-authority: {}\n\
         contexts:\n- name: c\n  context: {{cluster: c, user: u}}\ncurrent-context: c\nusers:\n- name: u\n  user:\n    \
         auth-provider: # of old\n      config:\n        apiserver-id: {server}\n        client-id: 80faf920-1908-4b52-b5ef-a8e7bedfc67a\n        \
         config-mode: '1'\n        environment: AzurePublicCloud\n        refresh-token: hunter2-hunter2\n        tenant-id: {}\n      name: azure\n",
        aks.cluster.server,
        aks.sandbox.ca_file().display(),
        aks.tenant
    );
    assert!(!ca.is_empty());
    fs::write(&file, &old).unwrap();
    let run = kubeconfig(aks.bare(), &file, &["convert", "--yes", "--authority-host", &authority]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    let after = fs::read_to_string(&file).unwrap();
    assert!(!after.contains("hunter2") && after.contains("# of old"), "{after}");
    if let Some(kubectl) = newest() {
        let run = Program::new(&kubectl.path)
            .envs(aks.environment())
            .args(["--kubeconfig", file.to_str().unwrap(), "get", "namespaces"])
            .run();
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}\n{after}");
    }
    // what is kept for `revert` shows nothing of it
    let state = aks.home.join(".local/state/fleetkey");
    for kept in fs::read_dir(state).unwrap().flatten().filter(|kept| kept.path().is_file()) {
        let bytes = fs::read(kept.path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"), "{kept:?}");
    }
    assert_eq!(kubeconfig(aks.bare(), &file, &["revert"]).code, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), old);
    assert_eq!(aks.cluster.rejections(), []);
    say("kubectl tests ran: 1 (converted entries of people for AKS)");
}
