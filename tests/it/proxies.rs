//! Proxies of the environment: what leaves this machine goes through them and stays sealed; what
//! does not leave it goes to nobody else.

use crate::support::{ADMIN, Program, Stage};

const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

fn through(program: Program, proxy: &str) -> Program {
    VARIABLES.iter().fold(program, |program, name| program.env(*name, proxy))
}

#[test]
fn loopback_is_reached_directly_whatever_the_variables_say() {
    let stage = Stage::new();
    let canary = stage.sandbox.canary().unwrap();
    let run = through(stage.admin(), &canary.http).run();
    assert_eq!(stage.who(&run).canonical_arn, ADMIN);
    assert_eq!(canary.connections(), 0, "a proxy was asked to reach this machine");
}

#[test]
fn a_clouds_own_host_is_reached_through_the_proxy_and_the_proxy_sees_its_name_alone() {
    let stage = Stage::new();
    let canary = stage.sandbox.canary().unwrap();
    let program = stage.admin().without("AWS_ENDPOINT_URL_STS").args(["--timeout", "3"]);
    let run = through(program, &canary.http).run();
    run.failed(5);
    run.keeps_secret(&stage.secrets());
    let heard = String::from_utf8_lossy(&canary.heard()).into_owned();
    assert!(heard.contains("CONNECT sts.us-east-1.amazonaws.com:443"), "{heard}");
    assert!(stage.secrets().iter().all(|secret| !canary.heard_of(secret)));
}
