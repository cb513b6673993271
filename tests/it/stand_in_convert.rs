//! `kubelogin convert-kubeconfig` under our name for it: the files are kubelogin's, and so is the silence.

use std::fs;

use fleetkey_sandbox::Home;

use crate::support::{Program, Run, SERVER};

/// As `az aks get-credentials` writes it, between things that nobody may touch.
fn user(name: &str, tenant: &str) -> String {
    format!(
        "- name: {name} # mine\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      \
         args:\n      - get-token\n      - --environment\n      - AzurePublicCloud\n      - --server-id\n      \
         - {SERVER}\n      - --client-id\n      - c\n      - --tenant-id\n      - {tenant}\n      - --login\n      \
         - devicecode\n      command: kubelogin\n      env: null\n      provideClusterInfo: false\n"
    )
}

fn file(users: &[String]) -> String {
    format!(
        "# a fleet\napiVersion: v1\nkind: Config\nclusters: [] # none\ncontexts:\n\
         - {{name: one, context: {{cluster: x, user: one}}}}\n\
         - {{name: two, context: {{cluster: x, user: two}}}}\nusers:\n\
         - {{name: other, user: {{token: 'abc'}}}}\n{}",
        users.concat()
    )
}

struct Place {
    home: Home,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(Program::binary(), folder.path().join("kubelogin")).unwrap();
        Self { home: Home::temporary().unwrap(), folder }
    }

    fn converts(&self, args: &[&str], env: &[(&str, &str)]) -> Run {
        let program = Program::new(self.folder.path().join("kubelogin"));
        let program = program.envs(self.home.environment()).args(["convert-kubeconfig"]);
        env.iter()
            .fold(program, |one, (name, value)| one.env(name, value))
            .args(args.to_vec())
            .run()
    }

    fn write(&self, name: &str, text: &str) -> String {
        self.home.write(name, text).unwrap().display().to_string()
    }
}

fn silent(run: &Run) {
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn users_are_converted_where_they_stand_and_nothing_else_changes() {
    let place = Place::new();
    let before = file(&[user("one", "t"), user("two", "u")]);
    let path = place.write(".kube/config", &before);
    silent(&place.converts(&["-l", "azurecli", "--context", "two"], &[]));
    let after = fs::read_to_string(&path).unwrap();
    let (start, converted) = after.split_once("- name: two # mine").unwrap();
    assert!(before.starts_with(start), "{after}");
    for line in ["- get-token\n", "- --login\n", "- azurecli\n", SERVER, "command: kubelogin\n"] {
        assert!(converted.contains(line), "{line}: {after}");
    }
    assert!(!converted.contains("devicecode") && !converted.contains("--client-id"), "{after}");

    silent(&place.converts(&["-l", "msi"], &[("AZURE_CLIENT_ID", "unheard")]));
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after.matches("- msi\n").count(), 2, "{after}");
    assert!(after.contains("# a fleet\n") && after.contains("{token: 'abc'}"), "{after}");
    assert!(!after.contains("unheard"));
    // once more is nothing more
    silent(&place.converts(&["-l", "msi"], &[]));
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
}

#[test]
fn of_many_files_each_keeps_its_own_users() {
    let place = Place::new();
    let one = place.write("one", &file(&[user("one", "t")]));
    let both = place.write("both", &file(&[user("one", "shadowed"), user("two", "u")]));
    let list = format!("{one}:{both}:{one}.absent");
    silent(&place.converts(&["-l", "azurecli"], &[("KUBECONFIG", &list)]));
    assert!(fs::read_to_string(&one).unwrap().contains("azurecli"));
    let both = fs::read_to_string(&both).unwrap();
    assert_eq!((both.matches("azurecli").count(), both.matches("devicecode").count()), (1, 1));
}

#[test]
fn one_that_cannot_be_converted_leaves_all_as_they_are() {
    let place = Place::new();
    let bad = user("two", "u").replace("      - --server-id\n", "");
    let (one, two) = (file(&[user("one", "t")]), file(&[bad]));
    let paths = [place.write("one", &one), place.write("two", &two)];
    let run = place.converts(&["-l", "spn"], &[("KUBECONFIG", &paths.join(":"))]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("Error: `--server-id` is required\n"), "{}", run.stderr);
    assert_eq!(paths.map(|path| fs::read_to_string(path).unwrap()), [one, two]);
}

#[test]
fn what_is_not_there_is_told_as_kubelogin_does() {
    let place = Place::new();
    place.write(".kube/config", &file(&[user("one", "t")]));
    for (args, words) in [
        (&["--context", "X"][..], "Error: no context exists with the name: \"X\"\n"),
        (&["--kubeconfig", "/nowhere/config"], "Error: there is no kubeconfig `/nowhere/config`\n"),
        (&["-l", "nonsense"], "Error: `--login` names no way to sign in: `nonsense`\n"),
    ] {
        let run = place.converts(args, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{args:?}");
        assert!(run.stderr.starts_with(words), "{}", run.stderr);
    }
}
