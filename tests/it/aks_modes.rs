//! Every way to sign in: what it asks, counted; that it asks nothing the second time; and that real
//! kubectl gets in by it.

use fleetkey_sandbox::Route;

use crate::support::{Aks, Way, alice, say, ways_of_machines};
#[cfg(unix)]
use crate::support::{Desk, Kubectl, for_every_kubectl, kubectls};

/// What a run asked of anybody but the cluster.
fn asked(aks: &Aks, before: usize) -> Vec<(Route, usize)> {
    let mut asked: Vec<(Route, usize)> = Vec::new();
    for request in aks.sandbox.requests().split_off(before) {
        match asked.iter_mut().find(|(route, _)| *route == request.route) {
            _ if request.route == Route::Api => {}
            Some((_, count)) => *count += 1,
            None => asked.push((request.route, 1)),
        }
    }
    asked
}

fn in_home(aks: &Aks, way: &Way) -> Vec<(String, String)> {
    let mut env = aks.environment();
    env.extend(way.env.clone());
    env
}

#[test]
fn every_mode_that_needs_no_person_asks_what_it_must_and_only_once() {
    let aks = Aks::new();
    for way in ways_of_machines(&aks) {
        let cache = aks.home.join(way.name.replace(' ', "-")).display().to_string();
        let state = aks.home.join(way.name.replace(' ', "_")).display().to_string();
        let program = crate::support::Program::plugin()
            .envs(in_home(&aks, &way))
            .env("XDG_STATE_HOME", &state)
            .args(way.args.clone())
            .args(["--cache-dir", &cache]);
        let before = aks.sandbox.total();
        let run = program.run();
        let who = way.cluster.verify(&run.token()).unwrap();
        assert_eq!(who.tid, aks.tenant, "{}", way.name);
        assert!([&who.appid, &who.name].contains(&&way.who.to_owned()), "{}: {who:?}", way.name);
        assert_eq!(asked(&aks, before), way.asks, "{}", way.name);
        run.keeps_secret(&Aks::secrets());

        let before = aks.sandbox.total();
        let again = program.run().token();
        assert_eq!(again != run.token(), way.is_bound, "{}", way.name);
        way.cluster.verify(&again).unwrap();
        assert_eq!(asked(&aks, before), [], "{}: again", way.name);
    }
    say(&format!("aks modes without a person: {}", ways_of_machines(&aks).len()));
}

#[test]
#[cfg(unix)]
fn every_kubectl_gets_in_as_an_application() {
    let aks = Aks::new();
    let ways = ways_of_machines(&aks);
    let way = ways.iter().find(|way| way.name == "secret").unwrap();
    for_every_kubectl("an application's secret", |kubectl| gets_in(&aks, way, kubectl));
}

#[test]
#[cfg(unix)]
fn kubectl_gets_in_by_every_mode_that_needs_no_person() {
    let aks = Aks::new();
    let Some(kubectl) = newest() else { return };
    for way in ways_of_machines(&aks) {
        gets_in(&aks, &way, &kubectl);
        say(&format!("kubectl tests ran: 1 ({}, {})", way.name, kubectl.version));
    }
}

/// Three commands for each form of the stanza, with what it costs the first time and no more.
#[cfg(unix)]
fn gets_in(aks: &Aks, way: &Way, kubectl: &Kubectl) {
    let state = aks.home.join(format!("{} {}", way.name, kubectl.version)).display().to_string();
    let mut env = in_home(aks, way);
    env.push(("XDG_STATE_HOME".into(), state));
    let desk = Desk::new(kubectl, way.args.iter().cloned(), env);
    let before = aks.sandbox.total();
    let came = way.cluster.identities().len();
    for exec in [desk.older(), desk.newer()] {
        let config = aks.home.kubeconfig(&way.cluster, &exec).unwrap();
        let name = desk.three_commands(&config);
        assert!(name.is_none_or(|name| !name.is_empty()));
    }
    assert_eq!(asked(aks, before), way.asks, "{} {}", way.name, kubectl.version);
    assert_eq!(way.cluster.rejections(), [], "{}", way.name);
    let guests = way.cluster.identities().split_off(came);
    assert!(!guests.is_empty());
    for guest in guests {
        assert_eq!(guest.tid, aks.tenant, "{}", way.name);
        assert!([&guest.appid, &guest.name].contains(&&way.who.to_owned()), "{guest:?}");
    }
}

/// The newest kubectl: a person's part is the same for all of them.
#[cfg(unix)]
fn newest() -> Option<Kubectl> {
    let newest = kubectls().into_iter().max_by_key(|kubectl| kubectl.minor);
    let wanted = std::env::var_os("FLEETKEY_REQUIRE_KUBECTL").is_some_and(|value| value == "1");
    assert!(newest.is_some() || !wanted, "there is no kubectl, and one is asked for");
    newest
}

#[test]
#[cfg(unix)]
fn kubectl_gets_in_with_a_person_at_a_browser() {
    let aks = Aks::new();
    let Some(kubectl) = newest() else { return };
    let mut env = aks.environment();
    env.extend(aks.browser());
    let desk = Desk::new(&kubectl, aks.args("interactive").into_iter(), env);
    let config = aks.home.kubeconfig(&aks.cluster, &desk.newer()).unwrap();
    let running = desk.start(&config, &["get", "namespaces"]);
    aks.signs_in(1);
    let run = running.finish();
    assert!(run.stdout.contains("kube-system"), "{run:?}");
    assert!(run.stderr.contains("http"), "the page is always shown: {run:?}");
    assert_eq!(aks.cluster.identities().last().unwrap().name, alice());
    // no discovery, one page, one redemption
    let routes = [Route::EntraDiscovery, Route::EntraAuthorize, Route::EntraToken];
    assert_eq!(routes.map(|route| aks.sandbox.count(route)), [0, 1, 1]);
    let before = aks.asked();
    desk.three_commands(&config);
    assert_eq!(aks.asked(), before);
    say("kubectl tests ran: 1 (a person at a browser)");
}

#[test]
#[cfg(unix)]
fn kubectl_gets_in_with_a_person_who_types_a_code() {
    let aks = Aks::new();
    let Some(kubectl) = newest() else { return };
    let args = aks.args("devicecode").into_iter().chain(["--ask".into(), "terminal".into()]);
    let desk = Desk::new(&kubectl, args, aks.environment());
    let config = aks.home.kubeconfig(&aks.cluster, &desk.newer()).unwrap();
    let running = desk.start(&config, &["get", "namespaces"]);
    let entra = aks.sandbox.entra();
    let device = entra.wait_for_device(crate::support::PATIENCE).unwrap();
    assert!(entra.approve(&device.user_code, alice()));
    let run = running.finish();
    assert!(run.stdout.contains("kube-system"), "{run:?}");
    assert!(run.stderr.contains(&device.user_code), "{run:?}");
    assert_eq!(aks.sandbox.count(Route::EntraDeviceCode), 1);
    let before = aks.asked();
    desk.three_commands(&config);
    assert_eq!(aks.asked(), before);
    say("kubectl tests ran: 1 (a person who types a code)");
}

#[test]
fn a_persons_token_can_be_bound_to_a_key() {
    let aks = Aks::new();
    let cluster = aks.sandbox.aks_cluster("bound", &aks.tenant).unwrap().pop_host("b.contoso.com");
    let bound = || aks.interactive().args(["--pop-enabled", "--pop-claims", "u=b.contoso.com"]);
    let running = bound().spawn();
    aks.signs_in(1);
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for _ in 0..2 {
        assert_eq!(cluster.verify(&bound().run().token()).unwrap().name, alice());
    }
    // a token that is not bound is another credential of the same session
    assert!(cluster.verify(&aks.interactive().run().token()).is_err());
    assert_eq!((aks.opened().len(), aks.sandbox.count(Route::EntraToken)), (1, 2));
}

#[test]
fn a_code_of_the_older_endpoint_leads_to_an_older_cluster() {
    let aks = Aks::new();
    let cluster = aks.sandbox.aks_cluster("legacy", &aks.tenant).unwrap().legacy();
    let legacy = || aks.device_code().args(["--legacy"]);
    let running = legacy().spawn();
    let entra = aks.sandbox.entra();
    let device = entra.wait_for_device(crate::support::PATIENCE).unwrap();
    assert!(entra.approve(&device.user_code, alice()));
    assert_eq!(running.finish().code, Some(0));
    let before = aks.asked();
    assert_eq!(cluster.verify(&legacy().run().token()).unwrap().name, alice());
    assert_eq!(aks.asked(), before);
    // and its session is renewed there, too
    let fresh = legacy().args(["--fresh", "--ask", "never"]).run();
    assert_eq!(cluster.verify(&fresh.token()).unwrap().name, alice());
}
