//! The exec credential protocol: `KUBERNETES_EXEC_INFO` in, one ExecCredential out.
//!
//! Clients differ (some set no variable, some parse the answer strictly, some merge stderr into
//! it), so the question is read leniently and the answer is always the same: one compact object in
//! the version that was asked for, and a newline. The contract is that of Kubernetes' authentication
//! reference, "client-go credential plugins".

use fleetkey_provider::{
    ApiVersion, ClusterInfo, Error, ExecInfo, ExposeSecret, Host, Result, Token, shown,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::World;

/// Set by clients, last, so that a kubeconfig cannot forge it.
const KUBERNETES_EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// Reads the client's question. Unset, empty, not JSON, not an object: as if nothing was said.
/// Errors only where an answer would be refused: a version that clients no longer or not yet speak.
pub(crate) fn question(world: &World) -> Result<ExecInfo> {
    let text = text(&world.host).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(ExecInfo::default());
    }
    let Ok(Value::Object(object)) = serde_json::from_str(&text) else {
        world.warn("`KUBERNETES_EXEC_INFO` is not a JSON object, so it is ignored");
        return Ok(ExecInfo::default());
    };
    Ok(ExecInfo { api_version: version(&object)?, ..asked(&object) })
}

/// The same for those who answer in a version of their own finding: nothing fails, and nothing is said.
pub(crate) fn spec(text: Option<&str>) -> ExecInfo {
    match text.map(serde_json::from_str) {
        Some(Ok(Value::Object(object))) => asked(&object),
        _ => ExecInfo::default(),
    }
}

/// The question as it stands.
pub(crate) fn text(host: &Host) -> Option<String> {
    let text = host.env.var(KUBERNETES_EXEC_INFO)?;
    Some(text.into_string().unwrap_or_else(|text| text.to_string_lossy().into_owned()))
}

/// The answer, as clients want it. The token's characters are checked: a line break in a header
/// would be the client's problem to explain.
pub(crate) fn answer(token: &Token, version: ApiVersion) -> Result<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ExecCredential<'a> {
        api_version: &'a str,
        kind: &'a str,
        status: Status<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Status<'a> {
        expiration_timestamp: String,
        token: &'a str,
    }
    let secret = bare(token)?;
    let credential = ExecCredential {
        api_version: version.as_str(),
        kind: "ExecCredential",
        status: Status {
            expiration_timestamp: token.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            token: secret,
        },
    };
    let mut text = serde_json::to_string(&credential).map_err(|error| {
        Error::failed("the answer could not be written as JSON").because(error.to_string())
    })?;
    text.push('\n');
    Ok(text)
}

/// The token alone, checked.
pub(crate) fn bare(token: &Token) -> Result<&str> {
    let secret = token.secret.expose_secret();
    if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::failed("the token has characters that no HTTP header may have"));
    }
    Ok(secret)
}

/// All but the version.
fn asked(object: &Map<String, Value>) -> ExecInfo {
    let spec = object.get("spec").and_then(Value::as_object);
    ExecInfo {
        api_version: None,
        interactive: spec.and_then(|spec| spec.get("interactive")).and_then(Value::as_bool),
        cluster: spec.and_then(|spec| spec.get("cluster")).and_then(Value::as_object).map(cluster),
    }
}

fn version(object: &Map<String, Value>) -> Result<Option<ApiVersion>> {
    match object.get("apiVersion").and_then(Value::as_str) {
        None | Some("") => Ok(None),
        Some(text) => ApiVersion::parse(text).filter(|_| text.contains('/')).map(Some).ok_or_else(|| {
            Error::config(format!("the client asks for `{}`, which is not spoken here", shown(text)))
                .because("`exec.apiVersion` in the kubeconfig has to be `client.authentication.k8s.io/v1` or `v1beta1`")
                .next("kubectl config view --minify")
        }),
    }
}

fn cluster(cluster: &Map<String, Value>) -> ClusterInfo {
    ClusterInfo {
        server: cluster.get("server").and_then(Value::as_str).unwrap_or_default().to_owned(),
        proxy_url: cluster.get("proxy-url").and_then(Value::as_str).map(str::to_owned),
        config: cluster.get("config").and_then(Value::as_object).cloned().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    fn ask(text: &str) -> Result<ExecInfo> {
        let mut world = World::real();
        world.host.env = Box::new(StaticEnv::new([(KUBERNETES_EXEC_INFO, text)]));
        world.stderr_is_terminal = || false;
        question(&world)
    }

    #[test]
    fn what_says_nothing_is_no_question() {
        for text in [
            "",
            " \n",
            "{",
            "[]",
            "null",
            "\"x\"",
            "1",
            "{}",
            r#"{"apiVersion":null}"#,
            r#"{"apiVersion":7,"spec":[]}"#,
        ] {
            let info = ask(text).unwrap();
            assert_eq!(info.api_version, None, "{text}");
            assert!(info.cluster.is_none() && info.interactive.is_none(), "{text}");
        }
    }

    #[test]
    fn nesting_without_end_is_no_question() {
        assert!(ask(&"[".repeat(100_000)).unwrap().cluster.is_none());
    }

    #[test]
    fn both_versions_are_spoken_and_no_other() {
        let asked = |v: &str| {
            ask(&format!(
                r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{v}"}}"#
            ))
        };
        assert_eq!(asked("v1").unwrap().api_version, Some(ApiVersion::V1));
        assert_eq!(asked("v1beta1").unwrap().api_version, Some(ApiVersion::V1Beta1));
        for bad in ["v1alpha1", "v2", "v1\\u001b"] {
            let error = asked(bad).unwrap_err();
            assert_eq!(error.kind(), fleetkey_provider::Kind::Config);
            assert!(!error.to_string().contains('\u{1b}'));
        }
        assert!(ask(r#"{"apiVersion":"v1"}"#).is_err());
    }

    #[test]
    fn the_cluster_and_its_extension_are_read() {
        let info = ask(concat!(
            r#"{"apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false,"cluster":"#,
            r#"{"server":"https://s","config":{"region":"eu-west-1"},"new-field":1}}}"#,
            "\n"
        ))
        .unwrap();
        let cluster = info.cluster.unwrap();
        assert_eq!((cluster.server.as_str(), info.interactive), ("https://s", Some(false)));
        assert_eq!(cluster.config["region"], "eu-west-1");
    }

    #[test]
    fn the_answer_is_one_compact_line() {
        let token =
            Token { secret: "t".into(), expires: "2026-01-02T03:18:05.9Z".parse().unwrap() };
        assert_eq!(
            answer(&token, ApiVersion::V1).unwrap(),
            "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
             \"status\":{\"expirationTimestamp\":\"2026-01-02T03:18:05Z\",\"token\":\"t\"}}\n"
        );
    }

    #[test]
    fn a_token_that_breaks_a_header_is_not_answered() {
        for bad in ["", "a\nb", "a b", "é", "a\0"] {
            let token = Token { secret: bad.into(), expires: jiff::Timestamp::UNIX_EPOCH };
            assert!(answer(&token, ApiVersion::V1).is_err(), "{bad:?}");
        }
    }
}
