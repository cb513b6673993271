//! What a graph of profiles leads to: the cases of AWS's SDKs.
//!
//! Each graph is written as the file it would be and asked for as anybody would. What the plan was
//! shows in what is at hand and what is sent.

use std::fmt::Write;

use fleetkey_provider::{
    Host,
    testing::{ManualClock, ScriptedHttp, StaticEnv, StaticFiles},
};
use serde_json::{Map, Value};

use crate::{
    JWT, Set,
    chain::{keys, parameter, request, walk},
};

#[test]
fn assume_role() {
    let Some((mut set, data)) = Set::open("assume-role", "aws/assume-role-tests.json") else {
        return;
    };
    for case in data.as_array().unwrap() {
        let name = case["docs"].as_str().unwrap();
        if let Some(why) = differs(case) {
            set.skip(name, why);
            continue;
        }
        match &case["output"] {
            Value::Object(output) if output.contains_key("ProfileChain") => {
                leads_to(case, output["ProfileChain"].as_array().unwrap());
            }
            output => fails(case, output["Error"].as_str().unwrap()),
        }
        set.ran();
        if case["output"].to_string().contains("/var/token.jwt") {
            set.change(name, "with a JWT for its token, since one word is not sent");
        }
    }
    set.finish();
}

/// Why ours is another answer, if it is; it is checked to be the one the reason says.
fn differs(case: &Value) -> Option<&'static str> {
    let base = &case["output"]["ProfileChain"][0];
    let (why, words) = if base.get("Sso").is_some_and(|sso| sso.get("sso_account_id").is_none()) {
        ("an SSO token alone lends no keys to sign with", "has no `sso_account_id`")
    } else {
        return None;
    };
    let error = request(&arguments(case), &world(case, &ScriptedHttp::default())).unwrap_err();
    assert!(error.to_string().contains(words), "{case}: {error}");
    Some(why)
}

/// Ours may use other words, but must name the same thing.
const WORDS: &[(&str, &str)] = &[
    ("profile must contain `source_profile`", "has a `role_arn`, but no `source_profile`"),
    (
        "profile contained both source_profile and credential_source",
        "has both `source_profile` and `credential_source`",
    ),
    ("profile missing aws_secret_access_key", "profile `B` is missing `aws_secret_access_key`"),
    ("profile missing aws_access_key_id", "profile `B` is missing `aws_access_key_id`"),
    (
        "profile `B` did not contain credential information",
        "profile `B` did not contain credentials: profile `A` names it as its `source_profile`",
    ),
    (
        "profile `A` did not contain credential information",
        "looked at profile `A` in `/home/.aws/config` and `/home/.aws/credentials` \
         (no keys, and nothing that leads to any)",
    ),
    (
        "could not find source profile B referenced from A",
        "there is no profile `B`: profile `A` names it as its `source_profile`",
    ),
    ("No profiles were defined", "`--profile` names the profile `A`, which is not there"),
    ("profile formed an infinite loop", "the profiles formed a loop at `A`"),
    (
        "`role_arn` was missing",
        "`web_identity_token_file` of profile `A` is set, but `role_arn` of profile `A` was missing",
    ),
    (
        "if `sso_role_name` is set, then `sso_account_id` must also be set",
        "it has `sso_role_name`, so `sso_account_id` must also be set",
    ),
    (
        "if `sso_account_id` is set, then `sso_role_name` must also be set",
        "it has `sso_account_id`, so `sso_role_name` must also be set",
    ),
    (
        "`sso_region` can only be specified in the [sso-session] config when a session name is given",
        "`sso_region` stands in profile `A` but not in `[sso-session A]`: \
         where a profile names a session, it can only be specified there",
    ),
    (
        "sso-session named `oops` (referenced by profile `A`) was not found",
        "there is no `[sso-session oops]`: profile `A` names it, but it was not found",
    ),
];

fn fails(case: &Value, recorded: &str) {
    let (_, ours) = WORDS.iter().find(|(theirs, _)| *theirs == recorded).expect(recorded);
    let error = request(&arguments(case), &world(case, &ScriptedHttp::default())).unwrap_err();
    assert_eq!(error.kind(), fleetkey_provider::Kind::Config, "{case}");
    assert!(error.to_string().contains(ours), "{case}: {error}");
}

fn leads_to(case: &Value, chain: &[Value]) {
    let http = ScriptedHttp::default();
    let calls = chain.iter().filter(|step| step.get("AccessKey").is_none());
    for step in calls {
        for body in answers(step) {
            http.answer(200, &[], &body);
        }
    }
    let host = world(case, &http);
    let request = request(&arguments(case), &host).unwrap();
    let steps = walk(request.as_ref(), &host).unwrap();
    assert_eq!(steps.len(), chain.len(), "{case}");
    let mut sent = http.requests().into_iter();
    for (step, credential) in chain.iter().zip(&steps) {
        let (kind, expected) = step.as_object().unwrap().iter().next().unwrap();
        if kind == "AccessKey" {
            let keys = keys(credential);
            for key in ["access_key_id", "secret_access_key", "account_id"] {
                assert_eq!(keys[key], expected[key], "{case}");
            }
            continue;
        }
        let request = sent.next().unwrap();
        if kind == "NamedSource" {
            assert_eq!(expected, "Ec2InstanceMetadata", "{case}");
            let service = "http://169.254.169.254/latest";
            assert_eq!(request.endpoint.to_string(), format!("{service}/api/token"));
            let roles = format!("{service}/meta-data/iam/security-credentials/");
            assert_eq!(sent.next().unwrap().endpoint.to_string(), roles);
            assert_eq!(sent.next().unwrap().endpoint.to_string(), format!("{roles}web"));
            continue;
        }
        if kind == "Sso" {
            let url = request.endpoint.url().as_str();
            assert_eq!(
                url,
                format!(
                    "https://portal.sso.{}.amazonaws.com/federation/credentials?role_name={}&account_id={}",
                    text(expected, "sso_region"),
                    text(expected, "sso_role_name"),
                    text(expected, "sso_account_id")
                )
            );
            continue;
        }
        let is_web = kind == "WebIdentityToken";
        let action = if is_web { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
        assert_eq!(parameter(&request, "Action").as_deref(), Some(action), "{case}");
        assert_eq!(parameter(&request, "RoleArn").as_deref(), expected["role_arn"].as_str());
        assert_eq!(parameter(&request, "ExternalId").as_deref(), expected["external_id"].as_str());
        let name = parameter(&request, "RoleSessionName").unwrap();
        match expected["role_session_name"].as_str() {
            Some(expected) => assert_eq!(name, expected, "{case}"),
            None => assert!(name.starts_with("fleetkey-"), "{case}: {name}"),
        }
        let token = is_web.then_some(JWT);
        assert_eq!(parameter(&request, "WebIdentityToken").as_deref(), token, "{case}");
        let is_signed = request.headers.iter().any(|(name, _)| name == "authorization");
        assert_eq!(is_signed, !is_web, "{case}");
    }
}

fn arguments(case: &Value) -> [&str; 6] {
    let profile = case["input"]["selected_profile"].as_str().unwrap();
    ["--cluster-name", "c", "--region", "us-east-1", "--profile", profile]
}

/// The graph as a file, and whatever its sources need.
fn world(case: &Value, http: &ScriptedHttp) -> Host {
    let input = &case["input"];
    let mut config = String::new();
    for (kind, key) in [("profile", "profiles"), ("sso-session", "sso_sessions")] {
        for (name, values) in input[key].as_object().unwrap_or(&Map::new()) {
            writeln!(config, "[{kind} {name}]").unwrap();
            for (key, value) in values.as_object().unwrap() {
                writeln!(config, "{key} = {}", value.as_str().unwrap()).unwrap();
            }
        }
    }
    let mut files = vec![
        ("/home/.aws/config".to_owned(), config),
        ("/var/token.jwt".to_owned(), format!("{JWT}\n")),
        // a machine that is nobody's but its owner's
        ("/sys/devices/virtual/dmi/id/sys_vendor".to_owned(), "LENOVO\n".to_owned()),
        ("/etc/machine-id".to_owned(), "0a1b\n".to_owned()),
    ];
    for profile in input["profiles"].as_object().unwrap().values() {
        if let Some(url) = profile["sso_start_url"].as_str() {
            let name = sha1_smol::Sha1::from(url).digest();
            let token = r#"{"accessToken":"a-token","expiresAt":"2080-10-16T03:56:45Z"}"#;
            files.push((format!("/home/.aws/sso/cache/{name}.json"), token.to_owned()));
        }
    }
    Host {
        env: Box::new(StaticEnv::new([("HOME", "/home")])),
        files: Box::new(StaticFiles::new(files)),
        clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
        http: Box::new(http.clone()),
        ..Host::refusing()
    }
}

/// What would be answered to a step.
fn answers(step: &Value) -> Vec<String> {
    if step.get("NamedSource").is_some() {
        let lent = r#"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t"}"#;
        return ["session", "web", lent].map(str::to_owned).to_vec();
    }
    vec![answer(step)]
}

/// What the cloud would answer to a step.
fn answer(step: &Value) -> String {
    if step.get("Sso").is_some() {
        return r#"{"roleCredentials":{"accessKeyId":"ASIA","secretAccessKey":"s","sessionToken":"t","expiration":1767326645000}}"#.into();
    }
    let is_web = step.get("WebIdentityToken").is_some();
    let action = if is_web { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
    format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>ASIA</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2026-01-02T04:04:05Z</Expiration></Credentials></{action}Result></{action}Response>"
    )
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}
