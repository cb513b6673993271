//! Who signed in is written into the users they signed in for: there, nowhere else, and not for good.

use std::fs;

use fleetkey_sandbox::Route;
use serde_json::Value;

use crate::support::{Fleet, alice};

#[test]
fn who_signed_in_is_written_down_and_can_be_taken_back() {
    let fleet = Fleet::new();
    let text = fleet.kubeconfig();
    let run = fleet.login();
    let hinted = fleet.kubeconfig();
    assert_eq!(hinted.matches("--login-hint").count(), 24);
    assert!(fleet.args_now(0).ends_with(&["--login-hint".into(), alice().into()]));
    assert!(
        run.stdout.contains("is written into 8 users of the kubeconfig, as `--login-hint`"),
        "{}",
        run.stdout
    );
    // the sessions are those of that name, and of no other
    assert_eq!(fleet.sealed().len(), 3);
    let back = fleet.plugin(["kubeconfig", "revert"]).run();
    assert_eq!(back.code, Some(0), "{}", back.stderr);
    assert_eq!(fleet.kubeconfig(), text);

    let other = Fleet::new();
    let running = other.plugin(["login", "--no-hint", "aks-00", "aks-04"]).spawn();
    other.signs_in(2);
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(other.kubeconfig().matches("--login-hint").count(), 0);
}

#[test]
fn every_file_that_has_such_a_user_is_changed_and_nothing_else_in_it() {
    let fleet = Fleet::new();
    let one = fleet.home.write("one", yaml(&fleet, "one")).unwrap();
    let two = fleet.home.write("two", yaml(&fleet, "two")).unwrap();
    let both = format!("{}:{}", one.display(), two.display());
    let running = fleet.plugin(["login", "--all"]).env("KUBECONFIG", &both).spawn();
    fleet.signs_in(1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("into 2 users of the kubeconfig"), "{}", run.stdout);
    for (path, name) in [(&one, "one"), (&two, "two")] {
        let (before, after) = (yaml(&fleet, name), fs::read_to_string(path).unwrap());
        let more = format!("      - --login-hint\n      - {}\n", alice());
        assert_eq!(after, before.replace("      # the end\n", &(more + "      # the end\n")));
    }
    let run = fleet.plugin(["kubeconfig", "revert"]).env("KUBECONFIG", &both).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&one).unwrap(), yaml(&fleet, "one"));
}

#[test]
fn nobody_is_written_into_a_user_that_serves_others_too() {
    let fleet = Fleet::new();
    let authority = format!("{}/", fleet.sandbox.entra().url());
    let cluster = |at: usize| {
        let extension = serde_json::json!({
            "server-id": crate::support::SERVER, "tenant-id": fleet.aks[at].tenant,
        });
        let name = "client.authentication.k8s.io/exec";
        let extensions = serde_json::json!([{ "name": name, "extension": extension }]);
        let cluster =
            serde_json::json!({ "server": fleet.aks[at].server, "extensions": extensions });
        serde_json::json!({ "name": format!("c{at}"), "cluster": cluster })
    };
    let context = |at: usize| {
        let context = serde_json::json!({ "user": "all", "cluster": format!("c{at}") });
        serde_json::json!({ "name": format!("c{at}"), "context": context })
    };
    let text = serde_json::json!({
        "contexts": [context(0), context(1)], "clusters": [cluster(0), cluster(1)],
        "users": [{ "name": "all", "user": { "exec": {
            "command": "fleetkey", "provideClusterInfo": true,
            "args": ["get-token", "azure", "--login", "interactive", "--authority-host", authority],
        }}}],
    });
    fs::write(fleet.home.join(".kube/config"), text.to_string()).unwrap();
    // whether both sign in now or one of them
    for (contexts, pages) in [(&["c1"][..], 1), (&["c0", "c1"], 1)] {
        let running = fleet.plugin(["login"]).args(contexts.iter().copied()).spawn();
        fleet.signs_in(pages);
        let run = running.finish();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let why = "user `all` serves clusters of other identities too";
        assert!(run.stdout.contains(why), "{}", run.stdout);
        assert_eq!(fleet.kubeconfig(), text.to_string());
    }
    // and the sign-ins serve
    let status = fleet.plugin(["status", "--json"]).run();
    let json: Value = serde_json::from_str(&status.stdout).unwrap();
    for context in json["contexts"].as_array().unwrap() {
        assert_eq!(context["next"], "kept", "{json}");
    }
}

#[test]
fn who_asks_without_the_name_means_the_same_person_and_nobody_is_asked_again() {
    let fleet = Fleet::new();
    let (before, args) = (fleet.kubeconfig(), fleet.args_now(0));
    assert_eq!(fleet.login().code, Some(0));
    let asked = || (fleet.opened().len(), fleet.counts([Route::EntraAuthorize]));
    let signed_in = asked();
    // a program that runs has read the kubeconfig already
    let run = fleet.plugin([]).args(args).args(["--ask", "never"]).run();
    assert!(fleet.takes(0, &run), "{}", run.stderr);
    // a kubeconfig of its own, as it was before
    let other = fleet.home.write("other", &before).unwrap();
    let status = fleet.plugin(["status", "--json"]).env("KUBECONFIG", &other).run();
    let json: Value = serde_json::from_str(&status.stdout).unwrap();
    for context in json["contexts"].as_array().unwrap() {
        assert!(["kept", "renew"].contains(&context["next"].as_str().unwrap()), "{context}");
    }
    let run = fleet.plugin(["login", "--all"]).env("KUBECONFIG", &other).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // nobody signed in, so nobody is written down
    assert_eq!(fs::read_to_string(&other).unwrap(), before);
    // a cluster that comes later
    fleet.home.write(".kube/config", yaml(&fleet, "new")).unwrap();
    let run = fleet.plugin(["login", "--all"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // and a sign-in by hand
    let authority = format!("{}/", fleet.sandbox.entra().url());
    let tenant = ["--tenant-id", &fleet.aks[1].tenant, "--authority-host", &authority];
    let run = fleet.plugin(["login", "azure", "--login", "interactive"]).args(tenant).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!((asked(), fleet.sealed().len()), (signed_in, 3));
}

#[test]
fn who_is_signed_out_by_name_is_so_without_it() {
    let fleet = Fleet::new();
    let args = fleet.args_now(0);
    assert_eq!(fleet.login().code, Some(0));
    let get = fleet.plugin([]).args(args).args(["--ask", "never"]);
    assert!(fleet.takes(0, &get.run()));
    assert_eq!(fleet.plugin(["logout", "aks-00"]).run().code, Some(0));
    get.clone().args(["--fresh"]).run().failed(3);
}

#[test]
fn a_kubeconfig_that_cannot_be_written_leaves_no_second_session_behind() {
    let fleet = Fleet::new();
    // somebody else's lock, which is waited for in vain
    fleet.home.write(".kube/config.lock", "").unwrap();
    let running = fleet.plugin(["login", "aks-00"]).spawn();
    fleet.signs_in(1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("is not written into the kubeconfig"), "{}", run.stdout);
    assert_eq!((fleet.sealed().len(), fleet.kept()), (1, 1));
    assert!(fleet.takes(0, &fleet.get_token(0)));
    assert_eq!(fleet.plugin(["logout", "aks-00"]).run().code, Some(0));
    assert_eq!((fleet.sealed().len(), fleet.kept()), (0, 0));
}

/// A user as people write it.
fn yaml(fleet: &Fleet, name: &str) -> String {
    let authority = format!("{}/", fleet.sandbox.entra().url());
    let tenant = &fleet.aks[0].tenant;
    format!(
        "# {name}: mine\ncontexts:\n- name: {name}\n  context: {{user: {name}, cluster: c}} # this one\n\
         users:\n- name: {name}\n  user:\n    exec:\n      command: fleetkey\n      args:   # odd, but mine\n\
         \x20     - get-token\n      - \"azure\"\n      - --server-id={server}\n      - --login=interactive\n\
         \x20     - --tenant-id={tenant}\n      - --authority-host={authority}\n      # the end\n",
        server = crate::support::SERVER,
    )
}
