//! Signing out: at the cloud where it hears of it, here in any case, and for the tools that share the
//! session.

use std::fs;

use fleetkey_sandbox::{Fault, Route};
use serde_json::Value;

use crate::support::{Fleet, SESSIONS, say, which};

/// What a process does that changes a disk.
const WRITES: &str = "write,writev,pwrite64,open,openat,mkdir,mkdirat,rename,renameat,renameat2,\
                      unlink,unlinkat,fsync,fdatasync,flock,ftruncate,linkat";

fn signed_in() -> Fleet {
    let fleet = Fleet::new();
    let run = fleet.login();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    fleet
}

fn role_files(fleet: &Fleet) -> usize {
    fs::read_dir(fleet.home.join(".aws/cli/cache")).map_or(0, Iterator::count)
}

#[test]
fn all_is_ended_removed_and_told() {
    let fleet = signed_in();
    assert_eq!((fleet.kept(), fleet.sealed().len(), role_files(&fleet)), (8, 3, 4));
    let run = fleet.plugin(["logout", "--all"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert_eq!((fleet.kept(), fleet.sealed().len(), role_files(&fleet)), (0, 0, 0));
    assert!(SESSIONS.iter().all(|file| !fleet.home.join(file).exists()));
    assert_eq!(fleet.sandbox.count(Route::SsoLogout), 2);
    for words in ["`corp`: ended at the portal", "`ops`: ended at the portal", "4 roles of SSO"] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(run.stdout.matches("left: ").count(), 3, "{}", run.stdout);
    assert!(run.stdout.contains("Entra was not told"), "{}", run.stdout);
    // nobody is signed in any more, for whatever asks
    for at in [0, 1, 2, 24, 25, 26, 27, 28] {
        assert_eq!(fleet.get_token(at).code, Some(3), "{at}");
    }
    let status = fleet.plugin(["status", "--json"]).run();
    let json: Value = serde_json::from_str(&status.stdout).unwrap();
    let contexts = json["contexts"].as_array().unwrap();
    assert!(contexts.iter().all(|context| context["next"] == "ask"), "{}", status.stdout);
    // and once is enough
    let again = fleet.plugin(["logout", "--all"]).run();
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    assert_eq!(fleet.sandbox.count(Route::SsoLogout), 2);
}

#[test]
fn one_context_signs_its_identity_out_and_nobody_else() {
    let fleet = signed_in();
    let run = fleet.plugin(["logout", "eks-00", "--json"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["identities"].as_array().unwrap().len(), 1);
    // all roles of that session, named or not
    for at in [24, 25, 28] {
        assert_eq!(fleet.get_token(at).code, Some(3), "{at}");
    }
    for at in [0, 1, 2, 26, 27] {
        assert!(fleet.takes(at, &fleet.get_token(at)), "{at}");
    }
    assert!(!fleet.home.join(SESSIONS[0]).exists() && fleet.home.join(SESSIONS[1]).exists());
    let [what, _, next] = fleet.plugin(["logout"]).run().failed(2);
    assert_eq!(what, "nobody is named who is to be signed out");
    assert_eq!(next, "fleetkey logout --all");
}

#[test]
fn what_aws_sso_logout_does_ends_our_use_whatever_is_kept() {
    let fleet = signed_in();
    let kept = fleet.kept();
    // as the AWS CLI does: the portal is told, tokens and roles of SSO are removed, the rest stays
    let before = fleet.sandbox.total();
    for file in SESSIONS {
        fs::remove_file(fleet.home.join(file)).unwrap();
    }
    fs::remove_dir_all(fleet.home.join(".aws/cli/cache")).unwrap();
    for at in 24..29 {
        let run = fleet.get_token(at);
        assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""), "{at}");
    }
    assert_eq!(fleet.sandbox.total(), before, "something was asked with what was lent before");
    assert_eq!(fleet.kept(), kept);
}

#[test]
fn a_portal_that_is_not_reached_keeps_nobody_signed_in_here() {
    let fleet = signed_in();
    fleet.sandbox.always(Route::SsoLogout, Fault::status(503, "{}"));
    let run = fleet.plugin(["logout", "eks-00", "--timeout", "2"]).run();
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    assert!(
        run.stdout.contains("left: SSO session `corp`: the portal was not told"),
        "{}",
        run.stdout
    );
    assert!(!fleet.home.join(SESSIONS[0]).exists());
    assert_eq!(fleet.get_token(24).code, Some(3));
}

#[test]
fn the_real_aws_is_signed_in_by_login_and_out_by_logout() {
    let fleet = signed_in();
    let Some(aws) = which("aws") else {
        return say("logout: the real aws is skipped, there is none");
    };
    let aws = crate::support::Program::new(aws)
        .envs(fleet.env())
        .without("AWS_ENDPOINT_URL_STS") // it would stand in the token
        .args(["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"])
        .args(["--profile", "dev", "--output", "json"]);
    let run = aws.run();
    let answer: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
    assert!(fleet.eks.verify(answer["status"]["token"].as_str().unwrap()).is_ok());
    assert_eq!(fleet.plugin(["logout", "--all"]).run().code, Some(0));
    let run = aws.run();
    assert_ne!(run.code, Some(0), "{}", run.stdout);
    say("the real aws was signed in by `login`, and out by `logout`");
}

#[test]
fn a_logout_that_is_killed_at_any_write_can_be_done_again() {
    let Some(strace) = which("strace") else {
        return say("logout: the kills are skipped, there is no strace");
    };
    let (mut kills, mut done) = (0, false);
    // one identity of each cloud, and one role and token of each
    let contexts = ["aks-00", "eks-00"];
    for nth in 1..=400 {
        let fleet = Fleet::new();
        let running = fleet.plugin(["login", "--no-hint", "aks-00", "eks-00"]).spawn();
        fleet.signs_in(2);
        assert_eq!(running.finish().code, Some(0));
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        if fleet.plugin(["logout"]).args(contexts).under(traced).run().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        // whatever was cut off, it serves as it did or says that nobody is signed in
        for at in [0, 24] {
            let run = fleet.get_token(at);
            assert!([Some(0), Some(3)].contains(&run.code), "write {nth}: {}", run.stderr);
        }
        let again = fleet.plugin(["logout"]).args(contexts).run();
        assert_eq!(again.code, Some(0), "after the kill at write {nth}: {}", again.stderr);
        assert_eq!(
            (fleet.kept(), fleet.sealed().len(), role_files(&fleet)),
            (0, 0, 0),
            "write {nth}"
        );
        assert!(!fleet.home.join(SESSIONS[0]).exists());
    }
    assert!(done && kills > 10, "{kills} kills");
    say(&format!("a logout was killed {kills} times, once at every write: the next one ended all"));
}

#[test]
fn a_login_that_is_killed_at_any_write_leaves_what_serves_or_asks() {
    let Some(strace) = which("strace") else {
        return say("login: the kills are skipped, there is no strace");
    };
    let (mut kills, mut served, mut hinted, mut done) = (0, 0, 0, false);
    for nth in 1..=600 {
        let fleet = Fleet::new();
        let text = fleet.kubeconfig();
        let inject = format!("inject={WRITES}:signal=SIGKILL:when={nth}");
        let under = [strace.display().to_string(), "-fqqo/dev/null".into()];
        let traced = under.into_iter().chain([format!("-etrace={WRITES}"), "-e".into(), inject]);
        // pages that nobody opens but us: a browser would be killed too
        let program = fleet.plugin(["login", "aks-00", "eks-00", "--no-browser"]);
        let mut running = program.under(traced).spawn();
        let mut seen = 0;
        loop {
            let said = running.said();
            let lines = said.lines().take(said.matches('\n').count());
            let words = lines.flat_map(|line| line.split_whitespace().map(str::to_owned));
            let pages: Vec<String> = words.filter(|word| word.contains("/authorize?")).collect();
            if pages.len() > seen {
                // who was killed is not there any more when the browser comes back
                browse(&fleet, &pages[seen]);
                seen += 1;
            } else if !running.is_running() {
                break;
            }
            std::thread::yield_now();
        }
        if running.finish().code == Some(0) {
            done = true;
            break;
        }
        kills += 1;
        let now = fleet.kubeconfig();
        if now != text {
            assert_eq!(now.matches("--login-hint").count(), 8, "half a kubeconfig at write {nth}");
            hinted += 1;
        }
        for at in [0, 24] {
            let run = fleet.get_token(at);
            assert!([Some(0), Some(3)].contains(&run.code), "write {nth}: {}", run.stderr);
            served += usize::from(run.code == Some(0));
        }
    }
    assert!(done && kills > 20 && served > 0 && hinted > 0, "{kills} {served} {hinted}");
    say(&format!(
        "a login of two identities was killed {kills} times, once at every write: {served} tokens served \
         after it, {hinted} kubeconfigs were changed, wholly"
    ));
}

fn browse(fleet: &Fleet, url: &str) {
    let entra = fleet.sandbox.entra();
    let who = crate::support::alice();
    if url.starts_with(&entra.url()) {
        drop(entra.browse(url, who));
    } else {
        drop(fleet.sandbox.sso_browse(url, who));
    }
}
