//! Which host of STS a region has: the cases of AWS's own rules.

use fleetkey_aws::replay::{sts_host, sts_target};
use fleetkey_provider::{
    Host,
    testing::{StaticEnv, StaticTrust},
};
use serde_json::Value;

use crate::{Set, chain::request};

#[test]
fn sts_endpoints() {
    let Some((mut set, data)) = Set::open("sts_endpoints", "aws/sts-endpoint-tests.json") else {
        return;
    };
    for case in data["testCases"].as_array().unwrap() {
        let name = case["documentation"].as_str().unwrap();
        if let Some(why) = differs(case) {
            set.skip(name, why);
        } else {
            as_recorded(case);
            set.ran();
        }
    }
    set.finish();
}

fn as_recorded(case: &Value) {
    let endpoint = &case["expect"]["endpoint"];
    let [url, signing_region] = ours(case);
    assert_eq!(url, endpoint["url"].as_str().unwrap(), "{case}");
    let region = endpoint["properties"]["authSchemes"][0]["signingRegion"].as_str();
    let region = region.or(case["params"]["Region"].as_str()).unwrap_or("us-east-1");
    assert_eq!(signing_region, region, "{case}");
}

/// Why ours is another answer, if it is; it is checked to be the one the reason says.
fn differs(case: &Value) -> Option<&'static str> {
    let params = &case["params"];
    if params.is_null() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let host = Host { env: Box::new(StaticEnv::new(keys)), ..Host::refusing() };
        let error = request(&["--cluster-name", "c"], &host).unwrap_err();
        assert_eq!(error.message(), "no AWS region is named");
        return Some("without a region ours is an error: nothing is guessed");
    }
    let [url, signing_region] = ours(case);
    if params.get("Endpoint").is_some() && case["expect"].get("error").is_some() {
        assert_eq!(url, params["Endpoint"].as_str().unwrap());
        return Some("a configured endpoint wins over FIPS and dualstack, as in botocore");
    }
    let is_global = case["expect"]["endpoint"]["url"] == "https://sts.amazonaws.com";
    let region = params["Region"].as_str()?;
    if params["UseGlobalEndpoint"] == true && is_global && region != "aws-global" {
        assert_eq!(url, format!("https://sts.{region}.amazonaws.com"));
        assert_eq!(signing_region, region);
        return Some("the host is regional: new regions turn down tokens of the global one");
    }
    None
}

/// URL and signing region: of the token's host, or of the calls where an endpoint is configured.
fn ours(case: &Value) -> [String; 2] {
    let params = &case["params"];
    let region = params["Region"].as_str();
    let (fips, dualstack) = (params["UseFIPS"] == true, params["UseDualStack"] == true);
    let Some(endpoint) = params["Endpoint"].as_str() else {
        let [name, region] = sts_host(region, fips, dualstack).unwrap();
        return [format!("https://{name}"), region];
    };
    let host = Host {
        env: Box::new(StaticEnv::new([
            ("AWS_ENDPOINT_URL_STS", endpoint.to_owned()),
            ("AWS_USE_FIPS_ENDPOINT", fips.to_string()),
            ("AWS_USE_DUALSTACK_ENDPOINT", dualstack.to_string()),
        ])),
        trust: Box::new(StaticTrust {
            hosts: vec!["example.com".to_owned()],
            ..StaticTrust::default()
        }),
        ..Host::refusing()
    };
    sts_target(region, &host).unwrap()
}
