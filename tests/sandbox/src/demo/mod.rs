//! `fleetkey-sandbox demo`: gets into a cluster of each cloud in every way there is, and shows what it took.

mod builtin;
mod kubectl;

use std::io;
use std::path::Path;
use std::time::Instant;

use fleetkey_sandbox::{Home, Recorded, Route};

use self::kubectl::Kubectl;
use crate::estate::{Estate, Way};

/// Runs all steps; whether all of them went well.
pub(crate) fn run(plugin: Option<&Path>, no_kubectl: bool) -> io::Result<bool> {
    // a client takes a relative path as one beside the kubeconfig
    let plugin = plugin.map(Path::canonicalize).transpose()?;
    let plugin = plugin.as_deref();
    let estate = Estate::new(Home::temporary()?)?;
    let kubectl = if no_kubectl { None } else { Kubectl::find(&estate.home) };
    println!("aws, entra, an eks and an aks cluster on 127.0.0.1, and nothing else");
    match &kubectl {
        Some(kubectl) => println!("client: kubectl {}", kubectl.version),
        None => println!("client: built in"),
    }
    let kubeconfig = estate.kubeconfig(plugin)?;
    let contexts: Vec<_> = estate.ways().iter().map(|way| way.context).collect();
    println!("one kubeconfig, with the contexts {}", contexts.join(", "));
    let mut failed = 0;
    let mut number = 0;
    for way in estate.ways() {
        for again in [false, true] {
            // A second time shows what was kept; with keys there is nothing to keep.
            if again && way.asks.is_none() {
                continue;
            }
            number += 1;
            println!("\n{number}. {}{}", way.title, if again { ", again" } else { "" });
            if let Err(reason) = step(&estate, kubectl.as_ref(), &kubeconfig, &way, again) {
                println!("   failed    {reason}");
                failed += 1;
            }
        }
    }
    println!(
        "\n{}",
        if failed == 0 {
            "all well".to_owned()
        } else {
            format!("{failed} of {number} steps failed")
        }
    );
    Ok(failed == 0)
}

fn step(
    estate: &Estate,
    kubectl: Option<&Kubectl>,
    kubeconfig: &Path,
    way: &Way<'_>,
    again: bool,
) -> Result<(), String> {
    let env = environment(estate, kubeconfig);

    for (name, _) in &way.env {
        println!("   variable  {name}");
    }
    println!("   plugin    fleetkey {}", way.args.join(" "));
    let before = estate.sandbox.total();
    let start = Instant::now();
    let answer = if let Some(kubectl) = kubectl {
        println!("   command   kubectl --context {} get namespaces", way.context);
        kubectl.namespaces(way.context, &env)
    } else {
        println!("   command   GET /api/v1/namespaces");
        builtin::namespaces(kubeconfig, way.context, &env)
    };
    let took = start.elapsed();
    let requests = estate.sandbox.requests().split_off(before);
    if let Ok(namespaces) = &answer {
        println!("   answer    {}", namespaces.join(", "));
    }
    let guest = requests.iter().rev().find(|request| request.route == Route::Api);
    let refused = guest.and_then(|request| request.error.as_deref());
    let admitted = guest.filter(|request| request.status == Some(200));
    let who = admitted.and_then(|request| request.caller.as_deref());
    if let Some(who) = who {
        println!("   you are   {who}");
    }
    println!("   asked     {}", summary(&requests));
    println!("   took      {} ms", took.as_millis());

    answer.map_err(|error| {
        refused.map_or_else(|| error.clone(), |rule| format!("{error} (the cluster: {rule})"))
    })?;
    let who = who.ok_or("the cluster let nobody in")?;
    if !who.starts_with(&way.identity) {
        return Err(format!("expected {}", way.identity));
    }
    let asked: Vec<Route> = cloud(&requests).collect();
    let expected: Vec<Route> = way.asks.filter(|_| !again).into_iter().collect();
    if asked == expected {
        Ok(())
    } else {
        Err(format!("expected of the cloud: {}", words(&expected)))
    }
}

/// Nothing of the caller's own but what programs need to start.
fn environment(estate: &Estate, kubeconfig: &Path) -> Vec<(String, String)> {
    let mut env = estate.home.environment();
    env.extend(estate.sandbox.environment());
    env.push(("KUBECONFIG".to_owned(), kubeconfig.to_string_lossy().into_owned()));
    env.extend(KEPT.iter().filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?))));
    env
}

fn cloud(requests: &[Recorded]) -> impl Iterator<Item = Route> {
    requests.iter().map(|request| request.route).filter(|&route| route != Route::Api)
}

fn summary(requests: &[Recorded]) -> String {
    let asked: Vec<Route> = cloud(requests).collect();
    format!("of the cloud: {}; of the cluster: {}", words(&asked), requests.len() - asked.len())
}

fn words(routes: &[Route]) -> String {
    if routes.is_empty() {
        return "nothing".to_owned();
    }
    routes.iter().map(|route| format!("{route:?}")).collect::<Vec<_>>().join(", ")
}

const KEPT: [&str; 6] = ["PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR", "LLVM_PROFILE_FILE"];
