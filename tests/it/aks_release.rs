//! To whom a token is released: every AKS cluster takes the same audience, so a token that reaches a
//! stranger's server opens all of them.

use crate::support::Aks;

fn exec_info(server: &str) -> String {
    format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{{"interactive":false,"cluster":{{"server":"{server}"}}}}}}"#
    )
}

#[test]
fn a_token_is_released_to_clusters_of_the_cloud_and_to_whom_a_person_trusts() {
    let aks = Aks::new();
    for server in [
        "https://a-dns-1234.hcp.westeurope.azmk8s.io:443",
        "https://a-1234.1b2c.privatelink.westeurope.azmk8s.io",
        &aks.cluster.server,
        "https://[::1]:6443",
    ] {
        let run = aks.application().env("KUBERNETES_EXEC_INFO", exec_info(server)).run();
        assert_eq!(run.code, Some(0), "{server}: {}", run.stderr);
    }
    for server in [
        "https://evil.example",
        "https://azmk8s.io.evil.example",
        "https://evilazmk8s.io",
        "https://a.hcp.westeurope.azmk8s.io@evil.example",
        "http://a-dns-1234.hcp.westeurope.azmk8s.io",
        "not a url",
    ] {
        let run = aks.application().env("KUBERNETES_EXEC_INFO", exec_info(server)).run();
        run.failed(2);
    }
    let proxied =
        exec_info("https://a.hcp.westeurope.azmk8s.io\",\"proxy-url\":\"http://evil.example");
    let [_, _, next] = aks.application().env("KUBERNETES_EXEC_INFO", proxied).run().failed(2);
    assert_eq!(next, "fleetkey trust add evil.example");
    let server = exec_info("https://k8s.corp.example");
    let strange = || aks.application().env("KUBERNETES_EXEC_INFO", &server).run();
    let [_, _, next] = strange().failed(2);
    assert_eq!(next, "fleetkey trust add k8s.corp.example");
    assert_eq!(aks.bare().args(next.split(' ').skip(1)).run().code, Some(0));
    assert_eq!(strange().code, Some(0));
}

#[test]
fn secrets_go_to_no_authority_that_nobody_trusts() {
    let aks = Aks::new();
    let canary = aks.sandbox.canary().unwrap();
    let authority = canary.https.replace("127.0.0.1", "localhost.evil.example");
    let run = aks.application().args(["--authority-host", &format!("{authority}/")]).run();
    run.failed(2);
    run.keeps_secret(&Aks::secrets());
}
