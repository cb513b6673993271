//! Tokens as `aws eks get-token` made them at a clock that stood still, byte for byte.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fleetkey_aws::{PROVIDER, replay};
use fleetkey_provider::{
    ExposeSecret, Host, Result, StandIn, Token,
    testing::{ManualClock, StaticEnv},
};
use serde_json::Value;

use crate::{Set, chain::request};

#[test]
fn token_goldens() {
    let Some((mut set, data)) = Set::open("token_goldens", "aws/token-goldens.json") else {
        return;
    };
    let cases = data.as_array().unwrap();
    for case in cases {
        if let Some(why) = differs(case) {
            set.skip(&format!("{} in {}", text(case, "cluster"), text(case, "region")), why);
            continue;
        }
        let token = ours(case).unwrap();
        assert_eq!(url(&token), text(case, "url"));
        assert_eq!(token.secret.expose_secret(), text(case, "token"));
        assert_eq!(token.expires.to_string(), text(case, "expiration"));
        assert_eq!(printed(case), whole(case));
        set.ran();
    }
    set.finish();
}

/// What is printed for the command line of the case: as `aws` was called, with its keys in the
/// environment.
fn printed(case: &Value) -> String {
    let keys = [
        ("AWS_ACCESS_KEY_ID", case["access_key"].as_str()),
        ("AWS_SECRET_ACCESS_KEY", case["secret_key"].as_str()),
        ("AWS_SESSION_TOKEN", case["session_token"].as_str()),
    ];
    let keys = keys.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let extra = case["extra_env"].as_object().unwrap().iter();
    let extra = extra.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let host = Host {
        env: Box::new(StaticEnv::new(keys.chain(extra))),
        clock: Box::new(ManualClock::at(text(case, "time"))),
        ..Host::refusing()
    };
    let (region, flag, cluster) = (text(case, "region"), text(case, "flag"), text(case, "cluster"));
    let line = ["--region", region, "eks", "get-token", flag, cluster, "--output", "json"];
    let Some(Ok(StandIn::Token { args, manner })) =
        PROVIDER.stands_in("aws", &line.map(str::to_owned), &*host.env)
    else {
        panic!("{line:?} is not understood")
    };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let request = request(&args, &host).unwrap();
    let credential = request.at_hand(&host).unwrap().unwrap();
    let token = request.token(&credential, &host).unwrap();
    let (version, warning) = manner.version(None).unwrap();
    assert_eq!(warning, None);
    manner.answer(&token, &version).unwrap()
}

/// What `aws` printed around the token.
fn whole(case: &Value) -> String {
    format!(
        "{{\n    \"kind\": \"ExecCredential\",\n    \"apiVersion\": \
         \"client.authentication.k8s.io/v1beta1\",\n    \"spec\": {{}},\n    \"status\": {{\n        \
         \"expirationTimestamp\": \"{}\",\n        \"token\": \"{}\"\n    }}\n}}\n\n",
        text(case, "expiration"),
        text(case, "token")
    )
}

/// Why ours is another token, if it is; it is checked to be the one the reason says.
fn differs(case: &Value) -> Option<&'static str> {
    let regional = || format!("https://sts.{}.amazonaws.com/?", text(case, "region"));
    let env = &case["extra_env"];
    if env["AWS_STS_REGIONAL_ENDPOINTS"] == "legacy" {
        assert!(url(&ours(case).unwrap()).starts_with(&regional()));
        return Some("the host is regional: new regions turn down tokens of the global one");
    }
    if env.get("AWS_ENDPOINT_URL_STS").is_some() {
        assert!(url(&ours(case).unwrap()).starts_with(&regional()));
        return Some("a configured endpoint is for calls: clusters know only AWS's public hosts");
    }
    if text(case, "cluster").contains(':') {
        assert!(ours(case).unwrap_err().message().contains("is not a cluster's name"));
        return Some("EKS gives no cluster such a name");
    }
    None
}

fn ours(case: &Value) -> Result<Token> {
    let env = case["extra_env"].as_object().unwrap();
    let host = Host {
        env: Box::new(StaticEnv::new(
            env.iter().map(|(name, value)| (name, value.as_str().unwrap())),
        )),
        ..Host::refusing()
    };
    let keys = (text(case, "access_key"), text(case, "secret_key"), case["session_token"].as_str());
    let now = text(case, "time").parse().unwrap();
    replay::token(text(case, "region"), keys, text(case, "cluster"), now, &host)
}

fn url(token: &Token) -> String {
    let encoded = token.secret.expose_secret().strip_prefix("k8s-aws-v1.").unwrap();
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}
