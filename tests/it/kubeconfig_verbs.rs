//! `convert` and `revert` as a person types them: what is chosen, what is shown, what is left and why.

use std::{fs, path::PathBuf};

use crate::support::{Program, Run};

const FLEET: &str = "\
apiVersion: v1
kind: Config
current-context: eks
clusters:
- {name: eks, cluster: {server: 'https://e.example'}}
- {name: aks, cluster: {server: 'https://a.example'}}
contexts:
- {name: eks, context: {cluster: eks, user: eks}}
- {name: aks, context: {cluster: aks, user: aks}}
users:
- name: eks  # the platform team's
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [--region, eu-west-1, eks, get-token, --cluster-name, prod]
      env:
      - {name: AWS_PROFILE, value: platform}
- name: aks
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubelogin
      args:
      - get-token
      - --server-id
      - 6dae42f8-4368-4678-94ff-3960e28e3630
      - --client-secret
      - hunter2-hunter2
      - --login
      - spn
      - --client-id
      - c
      - --tenant-id
      - contoso.com
- name: vault
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws-vault
      args: [exec, prod, --, aws, eks, get-token, --cluster-name, prod]
- name: other
  user: {token: hunter3-hunter3}
";

/// A home with files in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            fs::write(home.at(name), text).unwrap();
        }
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    fn program(&self, line: &[&str]) -> Program {
        Program::plugin()
            .env("HOME", self.0.path())
            .env("FLEETKEY_SESSION_STORE", "file")
            .env("KUBECONFIG", self.at("config"))
            .args(["kubeconfig"])
            .args(line)
    }

    fn run(&self, line: &[&str]) -> Run {
        self.program(line).run()
    }
}

#[test]
fn a_dry_run_shows_what_would_change_and_no_secret_and_changes_nothing() {
    let home = Home::new(&[("config", FLEET)]);
    let run = home.run(&["convert", "--dry-run"]);
    assert_eq!(run.code, Some(0));
    let path = home.at("config").display().to_string();
    assert!(run.stdout.starts_with(&format!("--- {path}\n+++ {path}\n@@ -")), "{}", run.stdout);
    for line in [
        "-      command: aws",
        "-      args: [--region, eu-west-1, eks, get-token, --cluster-name, prod]",
        "+      - --profile",
        "+      - platform",
        "+      interactiveMode: IfAvailable",
        "+      apiVersion: client.authentication.k8s.io/v1",
    ] {
        assert!(run.stdout.lines().any(|shown| shown == line), "{line}\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("hunter") && run.stdout.contains("REDACTED"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "coloured, and nobody sees it");
    assert!(
        run.stderr.contains("left as it is: user `vault`: it is run by `aws-vault`"),
        "{}",
        run.stderr
    );
    assert_eq!(home.read("config"), FLEET);
}

#[test]
fn only_what_is_chosen_changes_and_flags_win_over_entries() {
    for (line, changed) in [
        (&["convert", "--yes", "--context", "eks"][..], ["eks"].as_slice()),
        (&["convert", "--yes", "--user", "aks"], &["aks"]),
        (&["convert", "--yes", "--provider", "aws"], &["eks"]),
        (&["convert", "--yes"], &["eks", "aks"]),
    ] {
        let home = Home::new(&[("config", FLEET)]);
        let run = home.run(line);
        assert_eq!(run.code, Some(0), "{run:?}");
        let now = home.read("config");
        let is = |name: &str| changed.contains(&name);
        assert_eq!(now.contains("command: aws\n"), !is("eks"), "{line:?}\n{now}");
        assert_eq!(now.contains("command: kubelogin"), !is("aks"), "{line:?}\n{now}");
        assert!(now.contains("- name: eks  # the platform team's"));
        assert!(now.contains("aws-vault") && now.contains("hunter3-hunter3"));
    }
    let home = Home::new(&[("config", FLEET)]);
    let line = [
        "convert",
        "--yes",
        "--profile",
        "mine",
        "--region",
        "us-east-2",
        "--login",
        "azurecli",
        "--bare-command",
        "--exec-api-version",
        "v1beta1",
    ];
    assert_eq!(home.run(&line).code, Some(0));
    let now = home.read("config");
    for words in
        ["- mine", "- us-east-2", "- azurecli", "command: fleetkey", "--exec-api-version=v1beta1"]
    {
        assert!(now.contains(words), "{words}\n{now}");
    }
    assert!(!now.contains("hunter2") && !now.contains("platform\n"), "{now}");
    assert!(!now.contains("client.authentication.k8s.io/v1\n"), "{now}");
}

#[test]
fn what_is_not_there_or_cannot_be_is_an_error_with_words() {
    let home = Home::new(&[
        ("config", FLEET),
        ("text", "This is no kubeconfig\n"),
        ("lists", "users: x\n"),
    ]);
    let failed = |line: &[&str]| home.run(line).failed(2);
    let [what, ..] = failed(&["convert", "--context", "nobody"]);
    assert_eq!(what, "no context is called `nobody`");
    let [what, ..] = failed(&["convert", "--user", "nobody"]);
    assert_eq!(what, "no user is called `nobody`");
    let [what, why, _] = failed(&["convert", "--user", "vault"]);
    assert_eq!(what, "user `vault` cannot be converted");
    assert!(why.contains("aws-vault"), "{why}");
    for (name, line) in [("text", 1), ("lists", 1)] {
        let path = home.at(name).display().to_string();
        let [what, ..] = failed(&["convert", "--kubeconfig", &path]);
        assert_eq!(what, format!("`{path}` is not a kubeconfig, line {line}"));
    }
    let [what, ..] = failed(&["convert", "--kubeconfig", "/nonexistent/config"]);
    assert_eq!(what, "there is no kubeconfig");
    let [what, ..] = failed(&["convert", "--user", "aks", "--client-secret", "hunter4-hunter4"]);
    assert!(!what.contains("hunter4"), "{what}");
    let [what, ..] = failed(&["revert"]);
    assert_eq!(what, "there is nothing to put back");
    // nobody is there to be asked
    let run = home.run(&["convert"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.ends_with("fleetkey kubeconfig convert --yes\n"), "{}", run.stderr);
    let run = home.run(&["convert", "--user", "aks", "--login", "azurecli"]);
    let next = "fleetkey kubeconfig convert --user aks --login azurecli --yes\n";
    assert!(run.stderr.ends_with(next), "{}", run.stderr);
    assert!(run.stderr.contains("+++ ") && !run.stderr.contains("hunter"), "{}", run.stderr);
    assert_eq!(home.read("config"), FLEET);
}

#[test]
fn each_file_of_a_list_is_changed_where_its_entry_stands() {
    let (first, second) = FLEET.split_once("- name: aks\n  user").unwrap();
    let second = format!("users:\n- name: aks\n  user{second}");
    let home = Home::new(&[("config", first), ("more", &second), ("none", "")]);
    let list = format!(
        "{}:{}:{}:/nonexistent",
        home.at("config").display(),
        home.at("none").display(),
        home.at("more").display()
    );
    let run = |line: &[&str]| home.program(line).env("KUBECONFIG", &list).run();
    let done = run(&["convert", "--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout.matches("changed 1 entry in ").count(), 2, "{}", done.stdout);
    assert!(
        home.read("config").contains("- platform") && home.read("more").contains("- contoso.com")
    );
    assert_eq!(home.read("none"), "");
    assert!(!home.read("config").contains("contoso") && !home.read("more").contains("platform"));
    let back = run(&["revert"]);
    assert_eq!(back.stdout.matches("byte for byte").count(), 2, "{back:?}");
    assert_eq!((home.read("config"), home.read("more")), (first.to_owned(), second));
}

#[test]
fn what_a_cloud_tool_adds_later_is_taken_over_by_itself_and_all_of_it_can_be_put_back() {
    let home = Home::new(&[("config", FLEET)]);
    assert_eq!(home.run(&["convert", "--yes"]).code, Some(0));
    let once = home.read("config");
    let added = format!(
        "{once}- name: new\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: aws\n      \
         args: [--region, eu-west-1, eks, get-token, --cluster-name, new]\n"
    );
    fs::write(home.at("config"), &added).unwrap();
    let run = home.run(&["convert", "--yes"]);
    assert!(run.stdout.starts_with("changed 1 entry in "), "{run:?}");
    assert!(home.read("config").starts_with(&once));
    // the last conversion is put back whole, what was there before it entry by entry
    let run = home.run(&["revert"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(home.read("config"), format!("{FLEET}{}", &added[once.len()..]));
}

#[test]
fn what_somebody_changed_since_stays_and_the_rest_is_put_back() {
    let home = Home::new(&[("config", FLEET)]);
    assert_eq!(home.run(&["convert", "--yes"]).code, Some(0));
    let mine = home
        .read("config")
        .replace("- platform", "- mine")
        .replace("current-context: eks", "current-context: aks");
    fs::write(home.at("config"), &mine).unwrap();
    let run = home.run(&["revert"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stdout.contains("put back 1 entry in ")
            && run.stdout.contains("left as it is: `eks`: it was changed since"),
        "{run:?}"
    );
    let now = home.read("config");
    assert!(
        now.contains("- mine")
            && now.contains("command: kubelogin")
            && now.contains("current-context: aks"),
        "{now}"
    );
}

#[test]
fn without_a_place_to_keep_what_was_there_nothing_is_changed_unless_it_is_said_so() {
    let home = Home::new(&[("config", FLEET)]);
    let homeless = |line: &[&str]| home.program(line).without("HOME").run();
    let [what, _, next] = homeless(&["convert", "--yes"]).gave_up(1);
    assert!(what.contains("cannot be kept for `revert`"), "{what}");
    assert_eq!(next, "fleetkey kubeconfig convert --yes --no-undo");
    assert_eq!(home.read("config"), FLEET);
    let run = homeless(&["convert", "--yes", "--no-undo"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stdout.contains("revert") && home.read("config") != FLEET);
}

#[test]
#[cfg(target_os = "linux")]
fn a_person_sees_what_would_change_says_yes_and_hears_of_a_file_that_was_changed_meanwhile() {
    use crate::support::Terminal;
    let home = Home::new(&[("config", FLEET)]);
    let terminal = |line: &[&str]| Terminal::start(&home.program(line).env("TERM", "xterm"));
    let (run, shown) = terminal(&["convert"]).types("change 2 entries? [y/N]", "n").finish();
    assert_eq!(run.code, Some(1), "{run:?} {shown}");
    assert!(run.stderr.contains("nothing was changed, as you said"), "{run:?}");
    assert_eq!(home.read("config"), FLEET);
    // what comes in while the question stands is not lost, and what was shown is done
    let asking = terminal(&["convert"]);
    crate::support::until("it asks", crate::support::PATIENCE, || asking.shown().contains("[y/N]"));
    let changed = FLEET.replace("current-context: eks", "current-context: aks");
    fs::write(home.at("config"), &changed).unwrap();
    let (run, shown) = asking.types("[y/N]", "y").finish();
    assert_eq!(run.code, Some(0), "{run:?} {shown}");
    assert!(run.stderr.contains("meanwhile, so it was read again"), "{run:?}");
    let now = home.read("config");
    assert!(now.contains("current-context: aks") && now.contains("- platform"), "{now}");
    assert_eq!(home.run(&["revert"]).code, Some(0));
    assert_eq!(home.read("config"), changed);
    // and what was not shown is not done
    let asking = terminal(&["convert"]);
    crate::support::until("it asks", crate::support::PATIENCE, || asking.shown().contains("[y/N]"));
    let theirs = FLEET.replace("value: platform", "value: theirs");
    fs::write(home.at("config"), &theirs).unwrap();
    let (run, _) = asking.types("[y/N]", "y").finish();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("is not what was shown any more"), "{run:?}");
    assert_eq!(home.read("config"), theirs);
}

#[test]
fn a_token_that_is_good_at_many_clusters_is_asked_for_with_the_cluster_where_its_name_is_the_clouds_own()
 {
    let own = "{server: 'https://aks-1a2b.hcp.westeurope.azmk8s.io:443', certificate-authority-data: TFMw}";
    for (cluster, knows) in [
        (own, true),
        ("{server: 'https://aks.own.example', certificate-authority-data: TFMw}", false),
        (
            "{server: 'https://aks-1a2b.hcp.westeurope.azmk8s.io', proxy-url: 'http://p', certificate-authority-data: TFMw}",
            false,
        ),
        (
            "{server: 'https://aks-1a2b.hcp.westeurope.azmk8s.io', certificate-authority: ca.pem}",
            false,
        ),
    ] {
        let text = FLEET.replace("{server: 'https://a.example'}", cluster);
        let home = Home::new(&[("config", &text)]);
        assert_eq!(home.run(&["convert", "--yes"]).code, Some(0));
        let now = home.read("config");
        assert_eq!(now.contains("provideClusterInfo: true"), knows, "{cluster}\n{now}");
        assert_eq!(home.run(&["revert"]).code, Some(0));
        assert_eq!(home.read("config"), text);
    }
}
