//! What `status` says before, between and after sign-ins; and that it asks nobody.

use std::fs;

use fleetkey_sandbox::{Person, Route};
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::{Aks, Fleet, PATIENCE, SESSIONS, alice, until};

fn json(fleet: &Fleet, more: &[&str]) -> Value {
    let program = fleet.plugin(["status", "--json"]).args(more.iter().copied());
    // a place of keys that would be asked hangs, and is none
    let program = program.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let run = program.run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

/// What the next call of each context will do, and how often.
fn next(fleet: &Fleet) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for context in json(fleet, &[])["contexts"].as_array().unwrap() {
        let word = context["next"].as_str().unwrap();
        match all.iter_mut().find(|(known, _)| known == word) {
            Some((_, count)) => *count += 1,
            None => all.push((word.to_owned(), 1)),
        }
    }
    all
}

fn words(pairs: &[(&str, usize)]) -> Vec<(String, usize)> {
    pairs.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}

#[test]
fn it_says_what_the_next_call_will_do_and_asks_nobody() {
    let fleet = Fleet::new();
    assert_eq!(next(&fleet), words(&[("ask", 40)]));
    assert_eq!(fleet.sandbox.total(), 0);
    assert_eq!(fleet.login().code, Some(0));
    let before = fleet.sandbox.total();
    assert_eq!(next(&fleet), words(&[("kept", 40)]));
    // what was lent is gone, the sessions stand
    fs::remove_dir_all(fleet.home.join(".cache/fleetkey")).unwrap();
    fs::remove_dir_all(fleet.home.join(".aws/cli")).unwrap();
    assert_eq!(next(&fleet), words(&[("renew", 40)]));
    for file in SESSIONS {
        fs::remove_file(fleet.home.join(file)).unwrap();
    }
    assert_eq!(next(&fleet), words(&[("renew", 24), ("ask", 16)]));
    assert_eq!(fleet.sandbox.total(), before);
    // and it is what happens
    let run = fleet.get_token(0);
    assert!(fleet.takes(0, &run), "{}", run.stderr);
    assert_eq!(fleet.get_token(24).code, Some(3));
}

#[test]
fn a_session_has_an_end_a_keeper_and_a_protection() {
    let fleet = Fleet::new();
    assert_eq!(fleet.login().code, Some(0));
    let all = json(&fleet, &["--identities"]);
    let identities = all["identities"].as_array().unwrap();
    assert_eq!(identities.len(), 5);
    for identity in identities {
        let session = &identity["session"];
        assert_eq!(session["state"], "signed-in");
        assert_eq!(session["renews"], true);
        assert!(session["since"].is_string(), "{identity}");
        let is_aws = identity["provider"] == "aws";
        assert_eq!(session["keeper"], if is_aws { "aws" } else { "fleetkey" });
        assert_eq!(session["until"].is_string(), is_aws);
        // these tests have no place for keys but a file
        assert_eq!(session["protection"].is_string(), !is_aws, "{identity}");
    }
    let run = fleet.plugin(["status"]).run();
    assert!(run.stdout.ends_with("protected by file permissions only\n"), "{}", run.stdout);
    let run = fleet.plugin(["status", "--identities"]).run();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{}", run.stdout);
    assert!(
        lines.iter().any(|line| line.starts_with("SSO session `corp`") && line.contains("3 of 3"))
    );
}

#[test]
fn a_session_that_is_over_and_one_that_cannot_be_asked_for_are_told_apart() {
    let fleet = Fleet::new();
    let over = fleet.sandbox.sso_sign_in(alice()).access_token_expired();
    fleet.home.sso_token("corp", &over.registration_expired().done()).unwrap();
    let soon = fleet.sandbox.sso_sign_in(alice()).access_token_for(SignedDuration::from_mins(9));
    fleet.home.sso_token("ops", &soon.legacy().done()).unwrap();
    let all = json(&fleet, &["eks-00", "eks-02"]);
    let contexts = all["contexts"].as_array().unwrap();
    assert_eq!(contexts[0]["next"], "ask");
    assert_eq!(contexts[0]["session"]["why"], "the last sign-in is over");
    assert_eq!(
        (&contexts[1]["next"], &contexts[1]["session"]["renews"]),
        (&"renew".into(), &false.into())
    );
    let all = json(&fleet, &["eks-00", "--ask", "never"]);
    let context = &all["contexts"][0];
    assert_eq!(context["next"], "cannot");
    let line = "fleetkey login aws --cluster-name prod --region us-east-1 --profile dev";
    assert_eq!(context["command"], line);
}

#[test]
fn strangers_and_contexts_that_lead_nowhere_are_told_of() {
    let fleet = Fleet::new();
    let text = r#"{"contexts":[
        {"name":"old","context":{"user":"old","cluster":"c"}},
        {"name":"plain","context":{"user":"plain","cluster":"c"}},
        {"name":"lost","context":{"user":"nobody","cluster":"c"}},
        {"name":"bad","context":{"user":"bad","cluster":"c"}},
        {"name":"keys","context":{"user":"keys","cluster":"c"}},
        {"name":"spn","context":{"user":"spn","cluster":"c"}}],
        "users":[
        {"name":"old","user":{"exec":{"command":"kubelogin","args":["get-token"]}}},
        {"name":"plain","user":{"token":"t"}},
        {"name":"bad","user":{"exec":{"command":"fleetkey",
            "args":["get-token","aws","--cluster-name","c","--profile","no\u001b[2Jbody"]}}},
        {"name":"keys","user":{"exec":{"command":"fleetkey",
            "args":["get-token","aws","--cluster-name","c","--region","us-east-1"],
            "env":[{"name":"AWS_ACCESS_KEY_ID","value":"AKIDX"},{"name":"AWS_SECRET_ACCESS_KEY","value":"hunter2hunter2"}]}}},
        {"name":"spn","user":{"exec":{"command":"fleetkey","args":["get-token","azure","-l","spn",
            "--server-id","6dae42f8-4368-4678-94ff-3960e28e3630","--client-id","33333333-3333-3333-3333-333333333333",
            "--tenant-id","contoso.com"],"env":[{"name":"AZURE_CLIENT_SECRET","value":"hunter2hunter2"}]}}}]}"#;
    fs::write(fleet.home.join(".kube/config"), text).unwrap();
    let all = json(&fleet, &[]);
    let next: Vec<&str> = all["contexts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|context| context["next"].as_str().unwrap())
        .collect();
    assert_eq!(next, ["at-hand", "machine"]);
    assert_eq!(all["failures"].as_array().unwrap().len(), 2);
    assert_eq!(all["others"].as_array().unwrap().len(), 2);
    let run = fleet.plugin(["status", "--identities"]).run();
    assert!(run.stdout.contains("`bad` cannot: "), "{}", run.stdout);
    let run = fleet.plugin(["logout", "--all"]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains("\nleft: context `bad`: "), "{}", run.stdout);
    let run = fleet.plugin(["status"]).run();
    assert_eq!(run.code, Some(0));
    for words in
        ["use keys at hand", "machine: ask the cloud", "cannot:", "1 context runs `kubelogin`"]
    {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    run.keeps_secret(&["hunter2hunter2".into()]);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    let [what, ..] = fleet.plugin(["status", "nobody"]).run().failed(2);
    assert_eq!(what, "no context is called `nobody`");
}

#[test]
fn az_keeps_its_own_session_and_status_says_so() {
    let fleet = Fleet::new();
    let tenant = fleet.aks[0].tenant.clone();
    let entra = fleet.sandbox.entra();
    entra.person(Person::new(alice(), std::slice::from_ref(&tenant)));
    let login = fleetkey_sandbox::AzLogin::person(&tenant, alice()).at_sandbox();
    let login = login.aks_token(fleetkey_sandbox::AksToken::Absent);
    fleet.home.az_login(&fleet.sandbox, &login).unwrap();
    let server = crate::support::SERVER;
    let text = serde_json::json!({
        "contexts": [{ "name": "az", "context": { "user": "az", "cluster": "c" } }],
        "users": [{ "name": "az", "user": { "exec": { "command": "fleetkey",
            "args": ["get-token", "azure", "--server-id", server, "-l", "azurecli"] } } }],
    });
    fs::write(fleet.home.join(".kube/config"), text.to_string()).unwrap();
    let context = &json(&fleet, &[])["contexts"][0];
    assert_eq!((&context["next"], &context["session"]["keeper"]), (&"renew".into(), &"az".into()));
    assert_eq!(fleet.sandbox.count(Route::EntraToken), 0);
    // its session is left as it is by a sign-out, and that is said
    let run = fleet.plugin(["logout", "az"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("until `az logout`"), "{}", run.stdout);
    assert_eq!(json(&fleet, &[])["contexts"][0]["next"], "renew");
}

#[test]
fn who_did_not_sign_in_a_moment_ago_is_not_asked_and_status_knows() {
    let fleet = Fleet::new();
    // a page is opened for one cluster of a tenant, and declined
    let running = fleet.plugin([]).args(fleet.args_now(0)).args(["--ask", "browser"]).spawn();
    until("the page is opened", PATIENCE, || !fleet.opened().is_empty());
    fleet.sandbox.entra().browse_declines(&fleet.opened()[0]).unwrap();
    assert_eq!(running.finish().code, Some(3));
    let before = fleet.sandbox.total();
    assert_eq!(next(&fleet), words(&[("cannot", 8), ("ask", 32)]));
    let all = json(&fleet, &["aks-03"]);
    let context = &all["contexts"][0];
    assert!(context["cannotUntil"].is_string(), "{context}");
    assert!(context["command"].as_str().unwrap().starts_with("fleetkey login azure "), "{context}");
    let run = fleet.plugin(["status", "aks-03", "aks-01"]).run();
    for told in ["cannot for 9m", "`aks-03` cannot: a sign-in was begun and not finished; type:\n"]
    {
        assert_eq!(run.stdout.matches(told).count(), 1, "{told}: {}", run.stdout);
    }
    // and so it is, in the same words
    let again = fleet.plugin([]).args(fleet.args_now(3)).args(["--ask", "browser"]).run();
    let [what, why, _] = again.failed(3);
    assert_eq!(context["why"], format!("{what}: {why}"));
    assert_eq!((fleet.opened().len(), fleet.sandbox.total()), (1, before));
    // where nobody could be asked anyway, waiting does not help
    let context = &json(&fleet, &["aks-03", "--ask", "never"])["contexts"][0];
    assert_eq!((&context["next"], &context["cannotUntil"]), (&"cannot".into(), &Value::Null));
    // whoever signs in by hand is asked
    let running = fleet.plugin(["login", "aks-03"]).spawn();
    fleet.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(next(&fleet), words(&[("kept", 8), ("ask", 32)]));
}

#[test]
fn a_secret_that_was_refused_a_moment_ago_is_not_shown_again_and_status_knows() {
    let aks = Aks::new();
    let secret = |secret: &str| aks.application().env("AZURE_CLIENT_SECRET", secret);
    secret("wrong~secret.1").run().failed(4);
    let mut line = aks.args("spn");
    line.extend(["--client-id".into(), Aks::app().into()]);
    let config = serde_json::json!({
        "contexts": [{ "name": "spn", "context": { "user": "spn", "cluster": "c" } }],
        "users": [{ "name": "spn", "user": { "exec": { "command": "fleetkey", "args": line } } }],
    });
    let file = aks.home.write("config", config.to_string()).unwrap();
    let status = |value: &str| {
        let program = aks.bare().args(["status", "--json", "--kubeconfig"]).args([&file]);
        let run = program.env("AZURE_CLIENT_SECRET", value).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        run.keeps_secret(&[value.to_owned()]);
        serde_json::from_str::<Value>(&run.stdout).unwrap()["contexts"][0].clone()
    };
    let context = status("wrong~secret.1");
    assert_eq!(context["next"], "cannot", "{context}");
    assert!(context["cannotUntil"].is_string(), "{context}");
    assert!(context["why"].as_str().unwrap().contains("not asked again before"), "{context}");
    // another secret is another question
    assert_eq!(status("right~secret.2")["next"], "machine");
    assert_eq!(aks.sandbox.count(Route::EntraToken), 1);
}

#[test]
fn where_there_is_nothing_yet_it_is_said_what_to_type() {
    let fleet = Fleet::new();
    let config = fleet.home.join(".kube/config");
    fs::write(&config, "").unwrap();
    for line in
        [&["status"][..], &["status", "--identities"], &["login", "--all"], &["logout", "--all"]]
    {
        let run = fleet.plugin([]).args(line.iter().copied()).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        let told =
            "nothing here runs fleetkey; to look for clusters: fleetkey kubeconfig discover\n";
        assert_eq!(run.stdout, told, "{line:?}");
    }
    fs::remove_file(&config).unwrap();
    let [what, _, next] = fleet.plugin(["status"]).run().failed(2);
    assert_eq!(what, "there is no kubeconfig");
    assert_eq!(next, "fleetkey kubeconfig discover");
    let [_, _, next] = fleet.plugin(["status", "--kubeconfig", "/nonexistent"]).run().failed(2);
    assert_eq!(next, "ls -l /nonexistent");
    let [_, _, next] = fleet.plugin(["login", "--all"]).without("HOME").run().failed(2);
    assert_eq!(next, "fleetkey status --kubeconfig FILE");
}
