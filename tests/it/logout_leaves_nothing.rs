//! What a sign-out must not leave behind: what was lent to questions that no context asks, what no context
//! names, what killed processes left, and what those bring that were under way.

use std::{fs, path::PathBuf};

use fleetkey_sandbox::{Fault, Gate, Person, Route};
use serde_json::Value;

use crate::{
    renewal::{DUE, age, renewing},
    support::{Fleet, PATIENCE, Run, SERVER, alice, kept_in, until},
};

/// Arc's.
const OTHER_SERVER: &str = "6256c85f-0aad-4d50-b960-e6e9b21efe35";
const AKS_CLIENT: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";
const SESSIONS: &str = ".local/state/fleetkey/sessions";

/// One context, and its tenant's nameless user as it was before.
fn signed_in() -> Fleet {
    let fleet = Fleet::new();
    let running = fleet.plugin(["login", "aks-00"]).spawn();
    fleet.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
    fleet
}

/// The same question about another server, by the same application.
fn about_another(args: &[String]) -> Vec<String> {
    let other = args.iter().map(|arg| arg.replace(SERVER, OTHER_SERVER));
    other.chain(["--client-id", AKS_CLIENT].map(str::to_owned)).collect()
}

fn get(fleet: &Fleet, args: Vec<String>) -> Run {
    fleet.plugin([]).args(args).args(["--ask", "never"]).run()
}

fn in_sessions(fleet: &Fleet) -> Vec<String> {
    let Ok(entries) = fs::read_dir(fleet.home.join(SESSIONS)) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // whom a nameless user means is no secret, and nobody's session
    names.retain(|name| ![Some("lock"), Some("alias")].contains(&name.rsplit('.').next()));
    names
}

fn kept(fleet: &Fleet) -> Vec<PathBuf> {
    kept_in(fleet.home.join(".cache/fleetkey/azure"))
}

fn dead() -> u32 {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn logout_leaves_nothing_that_was_lent_to_another_question() {
    let fleet = signed_in();
    let named = fleet.args_now(0);
    let nameless = fleet.contexts[0].1.clone();
    let asked = [about_another(&named), about_another(&nameless), nameless];
    for args in &asked {
        get(&fleet, args.clone()).answer();
    }
    assert_eq!(kept(&fleet).len(), 4);
    let run = fleet.plugin(["logout", "aks-00"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("4 credentials removed"), "{}", run.stdout);
    assert_eq!(kept(&fleet).len(), 0);
    for args in asked {
        assert_eq!(get(&fleet, args).code, Some(3));
    }
}

#[test]
fn what_alice_was_lent_is_not_served_to_bob_who_signs_in_after_her() {
    let fleet = Fleet::new();
    let bob = "bob@contoso.com";
    let entra = fleet.sandbox.entra();
    entra.person(Person::new(bob, &[fleet.aks[0].tenant.clone()]));
    let nameless = fleet.contexts[0].1.clone();
    let other = about_another(&nameless);
    let running = fleet.plugin([]).args(nameless.clone()).spawn();
    fleet.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
    let alices = get(&fleet, other.clone()).token();
    // her session ends where nobody here hears of it, and one question finds that out
    entra.revoke_sessions(alice());
    let running = fleet.plugin([]).args(nameless).args(["--fresh"]).spawn();
    until("a page is opened", PATIENCE, || fleet.opened().len() == 2);
    assert_eq!(entra.browse(&fleet.opened()[1], bob).unwrap().status, 200);
    assert_eq!(running.finish().code, Some(0));
    assert_ne!(get(&fleet, other).token(), alices);
}

#[test]
fn logout_all_ends_sessions_that_no_context_names() {
    let fleet = signed_in();
    let args = about_another(&fleet.contexts[1].1).into_iter().skip(2);
    // by a name that no user has
    let running =
        fleet.plugin(["login", "azure"]).args(args).args(["--login-hint", alice()]).spawn();
    fleet.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
    let left = format!("{}.session.{}.tmp", "0123456789abcdef".repeat(4), dead());
    fs::write(fleet.home.join(SESSIONS).join(&left), "half").unwrap();
    let run = fleet.plugin(["logout", "--all"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stdout.contains("and 1 session and 1 credential that no context names"),
        "{}",
        run.stdout
    );
    assert_eq!((in_sessions(&fleet), kept(&fleet).len()), (vec![], 0));

    let fleet = signed_in();
    // a kubeconfig that knows nobody
    let empty = fleet.home.write("empty", "apiVersion: v1\nkind: Config\n").unwrap();
    let run = fleet
        .plugin(["logout", "--all", "--json"])
        .env("KUBECONFIG", empty.to_str().unwrap())
        .run();
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&json["rest"]["sessions"], &json["rest"]["credentials"]), (&1.into(), &1.into()));
    assert_eq!((in_sessions(&fleet), kept(&fleet).len()), (vec![], 0));
}

#[test]
fn what_a_killed_sign_in_left_goes_by_logout() {
    let fleet = Fleet::new();
    let dead = dead();
    let sso = fleet.home.join(crate::support::SESSIONS[0]);
    fs::create_dir_all(sso.parent().unwrap()).unwrap();
    let left = sso.with_file_name(format!(
        "{}.fleetkey-{dead}-1.tmp",
        sso.file_name().unwrap().to_str().unwrap()
    ));
    fs::write(&left, r#"{"accessToken":"hunter2"}"#).unwrap();
    assert_eq!(fleet.plugin(["logout", "eks-00"]).run().code, Some(0));
    assert!(!left.exists(), "a token in plain text is left");

    let fleet = signed_in();
    let session = fleet.sealed().remove(0);
    let left = session.with_extension(format!("session.{dead}.tmp"));
    fs::copy(&session, &left).unwrap();
    let credential = kept(&fleet).remove(0);
    let token = credential.with_extension(format!("credential.{dead}.tmp"));
    fs::copy(&credential, &token).unwrap();
    assert_eq!(fleet.plugin(["logout", "aks-00"]).run().code, Some(0));
    assert!(!left.exists() && !token.exists());
}

#[test]
fn a_call_that_was_under_way_is_answered_and_keeps_nothing() {
    let fleet = signed_in();
    for args in [fleet.args_now(0), about_another(&fleet.args_now(0))] {
        let gate = Gate::new();
        fleet.sandbox.script(Route::EntraToken, [Fault::Hold(gate.clone())]);
        let running = fleet.plugin([]).args(args).args(["--ask", "never", "--fresh"]).spawn();
        assert!(gate.wait_for(1, PATIENCE), "nobody asked");
        // to its end, while the other holds the session
        let run = fleet.plugin(["logout", "aks-00"]).run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        gate.release();
        running.finish().answer();
        assert_eq!((in_sessions(&fleet), kept(&fleet).len()), (vec![], 0));
        assert_eq!(fleet.get_token(0).code, Some(3));
        let again = fleet.plugin(["login", "aks-00"]).spawn();
        fleet.signs_in(1);
        assert_eq!(again.finish().code, Some(0));
    }
}

#[test]
fn a_logout_waits_for_nobody_and_a_renewal_brings_nothing_back() {
    let fleet = signed_in();
    let gate = Gate::new();
    fleet.sandbox.script(Route::EntraToken, [Fault::Hold(gate.clone())]);
    age(&kept(&fleet)[0], DUE);
    assert_eq!(fleet.get_token(0).code, Some(0));
    assert!(gate.wait_for(1, PATIENCE), "nobody renews");
    let run = fleet.plugin(["logout", "aks-00", "-v"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("is removed without its lock"), "{}", run.stderr);
    assert_eq!((gate.waiting(), renewing(fleet.home.path()).len()), (1, 1));
    gate.release();
    until("it is over", PATIENCE, || renewing(fleet.home.path()).is_empty());
    assert_eq!((in_sessions(&fleet), kept(&fleet).len()), (vec![], 0));
    assert_eq!(fleet.get_token(0).code, Some(3));
}

#[test]
fn all_and_names_exclude_each_other() {
    let fleet = Fleet::new();
    for verb in ["logout", "login"] {
        let [what, _, next] = fleet.plugin([verb, "--all", "aks-00"]).run().failed(2);
        assert!(what.contains("`--all`"), "{what}");
        assert_eq!(next, format!("fleetkey {verb} --help"));
    }
}
