//! What is typed for `convert` and what it writes: only what `get-token` takes gets into a kubeconfig.

use std::fs;

use crate::support::{Program, Run};

const FLEET: &str = "\
users:
- name: eks
  user: {exec: {command: aws, args: [--region, eu-west-1, eks, get-token, --cluster-name, prod]}}
- name: eks-odd
  user: {exec: {command: aws, args: [--region, mars, eks, get-token, --cluster-name, prod]}}
- name: eks-role
  user: {exec: {command: aws, args: [eks, get-token, --cluster-name, prod, --role-arn, \
'arn:aws:iam::111122223333:role/r']}}
- name: aks
  user: {exec: {command: kubelogin, args: [get-token, --server-id, s, --login, spn, \
--tenant-id, contoso.com]}}
- name: aks-odd
  user: {exec: {command: kubelogin, args: [get-token, --server-id, s, --tenant-id, mars]}}
";

fn convert(line: &[&str]) -> (Run, String) {
    convert_text(FLEET, line)
}

fn convert_text(text: &str, line: &[&str]) -> (Run, String) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    fs::write(&file, text).unwrap();
    let run = Program::plugin()
        .env("HOME", home.path())
        .env("KUBECONFIG", &file)
        .args(["kubeconfig", "convert", "--yes"])
        .args(line)
        .run();
    (run, fs::read_to_string(&file).unwrap())
}

#[test]
fn a_flag_that_is_typed_wrongly_is_wrong_for_the_whole_command() {
    for (line, words) in [
        (&["--region", "x y"][..], "`--region` is not a region"),
        (&["--region", ""], "`--region` is not a region"),
        (&["--profile", ""], "`--profile` is not"),
        (&["--role-arn", "me"], "`--role-arn` is not"),
        (&["--cluster-name", "a", "--cluster-id", "b"], "`--cluster-name` and `--cluster-id`"),
        (&["--cluster-name", "a b"], "`--cluster-name` is not a cluster's name"),
        (&["--sso-session", "s"], "`--sso-session` needs"),
        (&["--login", "bogus"], "`--login` names no way to sign in: `bogus`"),
        (&["--tenant-id", "mars"], "`--tenant-id` is not a tenant"),
        (&["--environment", "mars"], "`--environment`"),
        (&["--authority-host", "http://mars.example"], "`--authority-host` is not an endpoint"),
        // a flag is wrong whether its users are looked at or not
        (&["--user", "aks", "--region", "x y"], "`--region` is not a region"),
        (&["--provider", "azure", "--region", "x y"], "`--region` is not a region"),
        (&["--dry-run", "--login", "bogus"], "`--login` names no way"),
    ] {
        let (run, now) = convert(line);
        let [what, ..] = run.failed(2);
        assert!(what.contains(words), "{line:?}: {what}");
        assert_eq!(now, FLEET, "{line:?}");
    }
}

#[test]
fn what_an_entry_says_wrongly_is_why_that_one_is_left() {
    let (run, now) = convert(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with("changed 3 entries"), "{run:?}");
    for words in [
        "left as it is: user `eks-odd`: `--region` is not a region: `mars`",
        "left as it is: user `aks-odd`: `--tenant-id` is not a tenant: `mars`",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    assert!(now.contains("eu-west-1") && now.contains("contoso.com"), "{now}");
    // a flag that is right puts it right
    let (run, now) = convert(&["--region", "us-west-2", "--tenant-id", "fabrikam.com"]);
    assert!(run.stdout.starts_with("changed 5 entries") && run.stderr.is_empty(), "{run:?}");
    assert!(!now.contains("mars"), "{now}");
}

#[test]
fn a_flag_that_does_not_fit_an_entry_leaves_that_entry() {
    let (run, now) = convert(&["--session-name", "me"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let words = "user `eks`: `--session-name` needs a role";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(now.matches("--session-name").count(), 1, "{now}");
}

#[test]
fn a_secret_that_comes_by_an_alias_is_not_written_down_again() {
    const TEXT: &str = "\
x-secret: &secret hunter2-hunter2
x-user: &user
  token: hunter2-hunter2
  exec: {command: kubelogin, args: [get-token, --server-id, s]}
x-exec: &exec
  command: kubelogin
  args: [get-token, --server-id, s, --login, spn, --client-secret, hunter2-hunter2]
users:
- name: word
  user: {exec: {command: kubelogin, args: [get-token, --server-id, s, --login, spn, \
--client-secret, *secret]}}
- name: user
  user: *user
- name: merged
  user: {exec: {<<: *exec}}
- name: variable
  user:
    exec:
      command: kubelogin
      args: [get-token, --server-id, s, --login, spn]
      env: [{name: AZURE_CLIENT_SECRET, value: *secret}]
- name: inline
  user: {exec: {command: kubelogin, args: [get-token, --server-id, s, --login, spn, \
--client-secret, hunter3-hunter3]}}
";
    let (run, now) = convert_text(TEXT, &[]);
    assert!(run.stdout.starts_with("changed 2 entries"), "{run:?}");
    for name in ["word", "user", "merged"] {
        let words = format!("left as it is: user `{name}`: a secret of it stands elsewhere");
        assert!(run.stderr.contains(&words), "{name}: {}", run.stderr);
    }
    assert!(now.contains("value: *secret"), "{now}");
    for secret in ["hunter2-hunter2", "hunter3-hunter3"] {
        assert_eq!(now.matches(secret).count(), TEXT.matches(secret).count(), "{now}");
        assert!(!run.stderr.contains(secret));
    }
}

#[test]
fn a_complex_key_stops_the_user_that_has_it_and_no_other() {
    const TEXT: &str = "\
users:
- name: key
  user:
    ? exec
    : command: aws
      args: [eks, get-token, --cluster-name, prod]
- name: inner
  user:
    exec:
      ? command
      : aws
      ? args
      : [eks, get-token, --cluster-name, prod]
- name: flow
  user: {exec: {? command : aws, args: [eks, get-token, --cluster-name, prod]}}
- name: beside
  user:
    ? {a: b}
    : c
    exec: {command: aws, args: [eks, get-token, --cluster-name, prod]}
- ? name
  : entry
  ? user
  : exec: {command: aws, args: [eks, get-token, --cluster-name, prod]}
- name: plain  # is this one of them ?
  user:
    exec: {command: aws, args: [eks, get-token, --cluster-name, prod]}
";
    let (run, now) = convert_text(TEXT, &[]);
    assert!(run.stdout.starts_with("changed 1 entry"), "{run:?}");
    for name in ["key", "inner", "flow", "beside", "entry"] {
        let words = format!("left as it is: user `{name}`: it has a key behind `?`");
        assert!(run.stderr.contains(&words), "{name}: {}", run.stderr);
    }
    let (head, tail) = now.split_once("- name: plain").unwrap();
    assert!(TEXT.starts_with(head) && tail.contains("get-token\", \"aws\""), "{now}");
}
