//! `fleetkey-sandbox serve`: everything runs, a folder says how to use it, until Ctrl-C.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use fleetkey_sandbox::{Exec, Home};

use crate::estate::{Estate, Way};

/// Starts, prints, and stays.
pub(crate) fn run(dir: Option<PathBuf>) -> io::Result<()> {
    let dir = match dir {
        Some(dir) => dir,
        None => tempfile::Builder::new().prefix("fleetkey-sandbox-home-").tempdir()?.keep(),
    };
    let estate = Estate::new(Home::at(dir)?)?;
    let ways = estate.ways();
    let execs: Vec<Exec> = ways
        .iter()
        .map(|way| Estate::exec(way, None).map(|exec| exec.with_env(way.env.clone())))
        .collect::<io::Result<_>>()?;
    let contexts: Vec<_> =
        ways.iter().zip(&execs).map(|(way, exec)| (way.context, &estate.cluster, exec)).collect();
    estate.home.kubeconfig_at(".kube/config", &contexts)?;
    let env = estate.home.write("env", variables(&estate))?;

    println!("sts      {}", estate.sandbox.sts_url());
    println!("sso      {}", estate.sandbox.sso_url());
    println!("cluster  {} ({})", estate.cluster.server, estate.cluster.name);
    println!("home     {}\n", estate.home.path().display());
    println!("in another shell:\n\n    . {}", env.display());
    for Way { context, title, .. } in &ways {
        println!("    kubectl --context {context} get namespaces    # {title}");
    }
    println!("\nctrl-c ends it; the folder stays.");
    let mut shown = 0;
    loop {
        std::thread::park_timeout(std::time::Duration::from_millis(200));
        shown = show(&estate, shown);
    }
}

/// A line for every answered request since the last time.
fn show(estate: &Estate, shown: usize) -> usize {
    let requests = estate.sandbox.requests();
    for request in requests.iter().skip(shown) {
        let status = request.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let who = request.caller.as_deref().or(request.error.as_deref()).unwrap_or("-");
        println!(
            "{status}  {:<9} {} {} {:?}  {who}",
            request.service, request.method, request.path, request.route
        );
    }
    requests.len()
}

fn variables(estate: &Estate) -> String {
    let home = estate.home.path().display();
    let mut text = format!("export HOME='{home}'\nexport KUBECONFIG='{home}/.kube/config'\n");
    for (name, value) in estate.sandbox.environment() {
        // the folder outlives the sandbox's own copy of the authority
        let value = if name == "AWS_CA_BUNDLE" { format!("{home}/ca.pem") } else { value };
        let _ = writeln!(text, "export {name}='{value}'");
    }
    text
}
