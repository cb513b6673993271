//! `fleetkey-sandbox serve`: everything runs, a folder says how to use it, until Ctrl-C.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use fleetkey_sandbox::Home;

use crate::estate::{Estate, Way};

/// Starts, prints, and stays.
pub(crate) fn run(dir: Option<PathBuf>) -> io::Result<()> {
    let dir = match dir {
        Some(dir) => dir,
        None => tempfile::Builder::new().prefix("fleetkey-sandbox-home-").tempdir()?.keep(),
    };
    let estate = Estate::new(Home::at(dir)?)?;
    let ways = estate.ways();
    estate.kubeconfig(None)?;
    let env = estate.home.write("env", variables(&estate))?;

    println!("sts      {}", estate.sandbox.sts_url());
    println!("eks      {}", estate.sandbox.eks_url());
    println!("ec2      {}", estate.sandbox.ec2_url());
    println!("sso      {}", estate.sandbox.sso_url());
    println!("sso-oidc {}", estate.sandbox.sso_oidc_url());
    println!("signin {}", estate.sandbox.signin_url());
    println!("entra    {}", estate.sandbox.entra().url());
    println!("arm      {}", estate.sandbox.resource_manager_url());
    let mut clusters: Vec<_> =
        ways.iter().map(|way| (way.cluster.name(), way.cluster.server())).collect();
    clusters.dedup();
    for (name, server) in clusters {
        println!("cluster  {server} ({name})");
    }
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
            "{status}  {:<12} {} {} {:?}  {who}",
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
        let ca = matches!(name.as_str(), "AWS_CA_BUNDLE" | "SSL_CERT_FILE");
        let value = if ca { format!("{home}/ca.pem") } else { value };
        let _ = writeln!(text, "export {name}='{value}'");
    }
    text
}
