//! Forty contexts, three tenants, two SSO sessions, five roles: five sign-ins in the morning, and then
//! nobody is asked and nothing is waited for.

use std::fs;

use fleetkey_sandbox::Route;
use serde_json::Value;

use crate::support::{
    Fleet, PATIENCE, Program, Running, SESSIONS, Terminal, alice, for_every_kubectl, kubectls, say,
    until,
};

/// What a sign-in and what a credential is, in requests.
const LENT: [Route; 3] = [Route::EntraToken, Route::SsoCredentials, Route::AssumeRole];

#[test]
fn five_sign_ins_serve_forty_clusters() {
    let fleet = Fleet::new();
    let run = fleet.login();
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(fleet.opened().len(), 5);
    assert_eq!(run.stdout.matches("signed in").count(), 5, "{}", run.stdout);
    // a code for each tenant brought its token; each session lends two roles, one of which a third
    assert_eq!(fleet.counts(LENT), [3, 4, 1]);
    assert_eq!(
        fleet.counts([Route::SsoToken, Route::SsoAuthorize, Route::EntraAuthorize]),
        [2, 2, 3]
    );

    // from here on nothing is asked of anybody
    let before = fleet.sandbox.total();
    for at in 0..fleet.contexts.len() {
        let run = fleet.get_token(at);
        assert_eq!(run.code, Some(0), "{}: {}", fleet.contexts[at].0, run.stderr);
        assert!(fleet.takes(at, &run), "{}", fleet.contexts[at].0);
    }
    assert_eq!((fleet.sandbox.total(), fleet.opened().len()), (before, 5));

    // and a second sign-in finds that there is nothing to do
    let again = fleet.plugin(["login", "--all"]).run();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!((fleet.sandbox.total(), fleet.opened().len()), (before, 5));
    assert_eq!((again.stderr.as_str(), again.stdout.matches("signed in").count()), ("", 0));
}

#[test]
fn kubectl_uses_what_login_left() {
    let fleet = Fleet::new();
    assert_eq!(fleet.login().code, Some(0));
    let config = fleet.home.join(".kube/config");
    let before = fleet.counts(LENT);
    let newest = kubectls().iter().map(|kubectl| kubectl.minor).max();
    for_every_kubectl("login --all", |kubectl| {
        if kubectl.minor < 22 {
            return say(&format!("kubectl {}: it has no v1", kubectl.version));
        }
        let all = fleet.contexts.iter().map(|(name, _)| name.as_str());
        let some = ["aks-00", "aks-01", "aks-02", "eks-00", "eks-04", "eks-07"];
        let is_meant = |name: &&str| Some(kubectl.minor) == newest || some.contains(name);
        let contexts: Vec<&str> = all.filter(is_meant).collect();
        for context in &contexts {
            let run = Program::new(&kubectl.path)
                .envs(fleet.env())
                .env("BROWSER", fleet.home.join("browser"))
                .args(["--kubeconfig".as_ref(), config.as_os_str()])
                .args(["--context", context, "get", "namespaces"])
                .run();
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{context}");
            assert!(run.stdout.contains("kube-system"), "{context}: {}", run.stdout);
        }
        let (lent, asked) = (fleet.counts(LENT) == before, fleet.opened().len() > 5);
        say(&format!(
            "kubectl {}: {} contexts of 40, {} prompts, nothing lent: {lent}",
            kubectl.version,
            contexts.len(),
            usize::from(asked),
        ));
        assert!(lent && !asked, "{:?} {:?}", fleet.counts(LENT), fleet.opened());
    });
}

#[test]
fn a_context_signs_in_its_identity_and_no_other() {
    let fleet = Fleet::new();
    let running = fleet.plugin(["login", "eks-00", "--json"]).spawn();
    fleet.signs_in(1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let [identity] = &json["identities"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(identity["identity"], "SSO session `corp`");
    assert_eq!((&identity["done"], &identity["served"]), (&"signed-in".into(), &1.into()));
    assert_eq!(fleet.counts(LENT), [0, 1, 0]);
    // its other roles are lent without a question
    let run = fleet.plugin(["login", "eks-01", "eks-04"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("renewed"), "{}", run.stdout);
    assert_eq!((fleet.counts(LENT), fleet.opened().len()), ([0, 2, 1], 1));
}

#[test]
fn one_failure_does_not_stop_the_rest() {
    let fleet = Fleet::new();
    let running: Running = fleet.plugin(["login", "--all"]).spawn();
    fleet.declines_the_first(5);
    let run = running.finish();
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(run.stdout.matches("signed in").count(), 4, "{}", run.stdout);
    assert!(run.stdout.contains("0 of 8"), "{}", run.stdout);
    assert!(run.stderr.contains("declined"), "{}", run.stderr);
    assert!(fleet.takes(30, &fleet.get_token(30)));
    // who tries again is asked for what is missing, and for nothing else
    let running: Running = fleet.plugin(["login", "--all"]).spawn();
    fleet.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn who_has_no_browser_types_codes_or_opens_the_pages_themselves() {
    let fleet = Fleet::new();
    fleet.sandbox.entra().device_interval(1);
    fleet.sandbox.sso_device_interval(1);
    let running = fleet.plugin(["login", "aks-00", "eks-00", "--device-code"]).spawn();
    let code = fleet.types_both_codes();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains(&code) && fleet.opened().is_empty());

    let running = fleet.plugin(["login", "aks-01", "eks-02", "--no-browser"]).spawn();
    let mut seen = 0;
    while seen < 2 {
        let pages = || -> Vec<String> {
            let said = running.said();
            let lines = said.lines().take(said.matches('\n').count());
            let words = lines.flat_map(|line| line.split_whitespace().map(str::to_owned));
            words.filter(|word| word.contains("/authorize?")).collect()
        };
        until("a page is shown", PATIENCE, || pages().len() > seen);
        fleet.browse(&pages()[seen]);
        seen += 1;
    }
    assert_eq!(running.finish().code, Some(0));
    assert!(fleet.opened().is_empty());
}

#[test]
fn a_sign_in_to_a_session_or_a_profile_needs_no_cluster() {
    let fleet = Fleet::new();
    for (line, told) in [
        (&["login", "aws", "--sso-session", "corp"][..], "SSO session `corp`, good until"),
        (
            &["login", "aws", "--profile", "ops"],
            "role Developer in 777788889999 (SSO of profile `ops`)",
        ),
    ] {
        let running = fleet.plugin([]).args(line.iter().copied()).spawn();
        fleet.signs_in(1);
        let run = running.finish();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.starts_with(told), "{}", run.stdout);
    }
    assert!(SESSIONS.iter().all(|file| fleet.home.join(file).exists()));
    let authority = format!("{}/", fleet.sandbox.entra().url());
    let tenant = fleet.aks[0].tenant.clone();
    let line = ["login", "azure", "--login", "interactive", "--tenant-id", &tenant];
    let running = fleet.plugin(line).args(["--authority-host", &authority]).spawn();
    fleet.signs_in(1);
    assert_eq!(running.finish().code, Some(0));
    // it is the sign-in that the contexts use
    let before = fleet.opened().len();
    assert!(fleet.takes(0, &fleet.get_token(0)));
    assert_eq!(fleet.opened().len(), before);
}

#[test]
fn one_code_serves_every_role_behind_a_device() {
    let fleet = Fleet::new();
    let alice = fleet.sandbox.user("alice");
    let device = format!("arn:aws:iam::{}:mfa/alice", &alice.arn["arn:aws:iam::".len()..][..12]);
    let profile = |n: usize| {
        let arn = format!("arn:aws:iam::444455556666:role/mfa-{n}");
        fleet.sandbox.role(fleetkey_sandbox::Role::new(&arn).trusts(&alice.arn).requires_mfa());
        format!(
            "[profile mfa-{n}]\nrole_arn = {arn}\nsource_profile = alice\nmfa_serial = {device}\n"
        )
    };
    let profiles: String = (0..4).map(profile).collect();
    fleet.home.aws_config(&profiles).unwrap();
    fleet.home.aws_credentials(&[("alice", &alice)]).unwrap();
    let users: Vec<Value> = (0..4)
        .map(|n| {
            let profile = format!("mfa-{n}");
            let args = ["get-token", "aws", "--cluster-name", "prod", "--region", "us-east-1"];
            let args: Vec<&str> = args.into_iter().chain(["--profile", &profile]).collect();
            serde_json::json!({ "name": profile, "user": { "exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": "fleetkey", "args": args,
            }}})
        })
        .collect();
    let contexts: Vec<Value> = (0..4)
        .map(|n| {
            let name = format!("mfa-{n}");
            serde_json::json!({ "name": name, "context": { "cluster": "c", "user": name } })
        })
        .collect();
    let config = serde_json::json!({ "users": users, "contexts": contexts });
    fs::write(fleet.home.join(".kube/config"), config.to_string()).unwrap();
    let program = fleet.plugin(["login", "--all"]);
    let code = fleet.sandbox.mfa_code(&alice);
    let (run, shown) =
        Terminal::start(&program).types(&format!("MFA code for {device}: "), &code).finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(shown.matches("MFA code for").count(), 1, "{shown}");
    assert_eq!(fleet.counts([Route::GetSessionToken, Route::AssumeRole]), [1, 4]);
    assert!(run.stdout.contains("the MFA device"), "{}", run.stdout);
}

#[test]
fn who_names_nobody_or_a_stranger_is_told_what_to_type() {
    let fleet = Fleet::new();
    let [_, _, next] = fleet.plugin(["login"]).run().failed(2);
    assert_eq!(next, "fleetkey login --all");
    let [what, _, next] = fleet.plugin(["login", "nobody"]).run().failed(2);
    assert_eq!(what, "no context is called `nobody`");
    assert_eq!(next, "kubectl config get-contexts");
    let [what, _, next] =
        fleet.plugin(["login", "--all", "aws", "--profile", "dev"]).run().failed(2);
    assert_eq!(what, "contexts and a provider exclude each other");
    assert_eq!(next, "fleetkey login -- aws");

    let text = r#"{"contexts":[{"name":"old","context":{"user":"u","cluster":"c"}},
        {"name":"plain","context":{"user":"t","cluster":"c"}}],
        "users":[{"name":"u","user":{"exec":{"command":"aws","args":["eks","get-token"]}}},
        {"name":"t","user":{"token":"secret-token"}}]}"#;
    fs::write(fleet.home.join(".kube/config"), text).unwrap();
    let run = fleet.plugin(["login", "old"]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.ends_with("fleetkey kubeconfig convert --context old\n"), "{}", run.stderr);
    let run = fleet.plugin(["login", "--all"]).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("1 context runs `aws`"), "{}", run.stdout);
    assert!(run.stdout.contains("by a token or a certificate"), "{}", run.stdout);
    assert_eq!(fleet.sandbox.total(), 0);
}

#[test]
fn who_has_neither_browser_nor_terminal_is_told_of_codes_and_may_have_them() {
    let fleet = Fleet::new();
    fleet.sandbox.entra().device_interval(1);
    let nobody = |args: &[&str]| {
        fleet.plugin(["login"]).args(args.iter().copied()).without("BROWSER").env("BROWSER", "")
    };
    for (args, line) in [
        (&["aks-00"][..], "fleetkey login --device-code aks-00"),
        (&["--all"], "fleetkey login --device-code --all"),
    ] {
        let run = nobody(args).run();
        assert_eq!(run.code, Some(3));
        assert!(run.stderr.ends_with(&format!("next, type:\n{line}\n")) || args == ["--all"]);
        assert!(run.stderr.contains("neither a browser here nor a terminal"), "{}", run.stderr);
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
    let authority = format!("{}/", fleet.sandbox.entra().url());
    let tenant = fleet.aks[0].tenant.clone();
    let one = nobody(&["azure", "--tenant-id", &tenant, "--authority-host", &authority]);
    let [_, why, next] = one.run().failed(3);
    assert!(why.contains("neither a browser"), "{why}");
    assert!(
        next.starts_with("fleetkey login azure ") && next.ends_with(" --device-code"),
        "{next}"
    );
    // whoever said that nobody is to be asked meant it
    let run = nobody(&["aks-00", "--ask", "never", "--device-code"]).run();
    assert_eq!(run.code, Some(3));
    assert!(!run.stderr.contains("neither a browser"), "{}", run.stderr);
    let running = nobody(&["aks-00", "--device-code"]).spawn();
    let device = fleet.sandbox.entra().wait_for_device(PATIENCE).unwrap();
    assert!(fleet.sandbox.entra().approve(&device.user_code, alice()));
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn a_session_that_could_not_be_kept_is_told_of() {
    let fleet = Fleet::new();
    fleet.home.write(".local/state/fleetkey/sessions", "a file where a folder should be").unwrap();
    let running = fleet.plugin(["login", "--no-hint", "aks-00"]).spawn();
    fleet.signs_in(1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("the sign-in could not be kept ("), "{}", run.stdout);
    assert!(fleet.takes(0, &fleet.get_token(0)));
}

#[test]
fn a_session_that_is_over_is_signed_in_to_whatever_still_serves() {
    let fleet = Fleet::new();
    assert_eq!(fleet.login().code, Some(0));
    for session in fleet.sealed() {
        fs::remove_file(session).unwrap();
    }
    let before = fleet.counts(LENT);
    let running = fleet.plugin(["login", "--all"]).spawn();
    fleet.signs_in(3);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.matches("signed in").count(), 3, "{}", run.stdout);
    // a token for each tenant, and nothing of what stood
    let [tokens, roles, assumed] = fleet.counts(LENT);
    assert_eq!([tokens - before[0], roles - before[1], assumed - before[2]], [3, 0, 0]);
    assert_eq!(fleet.sealed().len(), 3);
}

#[test]
fn who_wants_nothing_kept_leaves_no_token_behind() {
    let fleet = Fleet::new();
    let running = fleet.plugin(["login", "--all", "--no-cache"]).spawn();
    fleet.signs_in(5);
    assert_eq!(running.finish().code, Some(0));
    assert_eq!((fleet.kept(), fleet.sealed().len()), (0, 3));
}

#[test]
fn what_a_sign_in_ends_of_other_roles_is_lent_anew_at_once() {
    let fleet = Fleet::new();
    assert_eq!(fleet.login().code, Some(0));
    // the session of one is over, and what it lent to all of its roles still serves
    fs::remove_file(fleet.home.join(SESSIONS[0])).unwrap();
    let running = fleet.plugin(["login", "--all"]).spawn();
    fleet.signs_in(1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let before = fleet.counts(LENT);
    for at in 24..40 {
        assert!(fleet.takes(at, &fleet.get_token(at)), "{at}");
    }
    assert_eq!(fleet.counts(LENT), before, "a role was not lent beforehand");
}
