//! A cluster's judgement of a token: the authenticator's fourteen rules in its order, then the question to STS, with the
//! cluster's own name, whose words are that it is or is not who it says.
//!
//! The rules are those of aws-iam-authenticator; what EKS runs may be narrower, and nobody outside knows.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::{SignedDuration, Timestamp};

use crate::aws::accounts::{Accounts, Identity};
use crate::aws::authentication::{STS, authenticate};
use crate::aws::hosts;
use crate::aws::rejection::Rejection;
use crate::clock::parse_amz_date;
use crate::http::Request;

/// A token that passed everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who it is.
    pub identity: Identity,
    /// With which key.
    pub access_key_id: String,
    /// The STS host it names.
    pub host: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// What a token says, once the fourteen rules hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The presigned URL.
    pub url: String,
    /// Its host.
    pub host: String,
    /// The access key it claims.
    pub access_key_id: String,
    /// When it says it was signed.
    pub signed_at: Timestamp,
}

/// The whole judgement, as the cluster of that name and region makes it.
pub(crate) fn verify(
    token: &str,
    cluster: &str,
    server_region: &str,
    now: Timestamp,
    accounts: &Accounts,
) -> Result<Verified, Rejection> {
    let Inspected { url, host, signed_at, .. } = inspect(token, server_region, now)?;
    let query = url.split_once('?').map_or("", |(_, query)| query);
    // What the authenticator's HTTP client sends; nothing else can have been signed.
    let headers = [
        ("host", host.as_str()),
        ("user-agent", "Go-http-client/1.1"),
        ("accept", "application/json"),
        ("x-k8s-aws-id", cluster),
        ("accept-encoding", "gzip"),
    ];
    let request = Request {
        method: "GET".to_owned(),
        target: format!("/?{query}"),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: Vec::new(),
    };
    if request.parameter("Action").is_none() {
        return Err(Rejection::Sts("MissingAction: Missing Action".to_owned()));
    }
    let caller = authenticate(&request, STS, accounts, now)
        .map_err(|error| Rejection::Sts(error.to_string()))?;
    Ok(Verified { identity: caller.identity, access_key_id: caller.access_key_id, host, signed_at })
}

/// The fourteen rules alone: what can be said of a token without knowing any secret.
pub fn inspect(token: &str, server_region: &str, now: Timestamp) -> Result<Inspected, Rejection> {
    if token.len() > 4096 {
        return Err(Rejection::TooLarge);
    }
    let encoded = token.strip_prefix("k8s-aws-v1.").ok_or(Rejection::Prefix)?;
    let url = BASE64.decode(encoded).map_err(|_| Rejection::Base64)?;
    let url = String::from_utf8(url).map_err(|_| Rejection::Url)?;
    let (host, path, query) = split(&url)?;
    if !hosts::believed(host, server_region) {
        return Err(Rejection::Host(host.to_owned()));
    }
    if path != "/" {
        return Err(Rejection::Path);
    }
    let parameters = parameters(query)?;
    let parameter = |wanted: &str| {
        let mut found = parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map_or("", |(_, value)| value.as_str())
    };
    if parameter("action") != "GetCallerIdentity" {
        return Err(Rejection::Action);
    }
    if !parameter("x-amz-signedheaders")
        .split(';')
        .any(|name| name.eq_ignore_ascii_case("x-k8s-aws-id"))
    {
        return Err(Rejection::UnsignedCluster);
    }
    if !parameter("x-amz-expires").parse::<i64>().is_ok_and(|seconds| (0..=900).contains(&seconds))
    {
        return Err(Rejection::Expires);
    }
    let signed_at = parse_amz_date(parameter("x-amz-date")).ok_or(Rejection::Date)?;
    if signed_at.saturating_add(SignedDuration::from_mins(15)).is_ok_and(|end| now > end) {
        return Err(Rejection::TooOld);
    }
    let access_key_id =
        parameter("x-amz-credential").split('/').next().unwrap_or_default().to_owned();
    if access_key_id.is_empty() {
        return Err(Rejection::AccessKey);
    }
    Ok(Inspected { host: host.to_owned(), access_key_id, signed_at, url })
}

/// Host, path and query of an https URL, kept as they stand: a parser that tidies up would forgive too much.
fn split(url: &str) -> Result<(&str, &str, &str), Rejection> {
    let (scheme, rest) = url.split_once("://").ok_or(Rejection::Url)?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        || url.bytes().any(|byte| byte.is_ascii_control())
    {
        return Err(Rejection::Url);
    }
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(Rejection::Scheme);
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let slash = before.find('/').unwrap_or(before.len());
    let (host, path) = before.split_at(slash);
    Ok((host, path, query))
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, Rejection> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.push((unescape(name)?, unescape(value)?));
    }
    for (index, (name, _)) in parameters.iter().enumerate() {
        for (earlier, _) in &parameters[..index] {
            if earlier == name {
                return Err(Rejection::MultipleValues(name.clone()));
            }
            if earlier.eq_ignore_ascii_case(name) {
                return Err(Rejection::DuplicateParameter(name.clone()));
            }
        }
    }
    match parameters.iter().find(|(name, _)| !KNOWN.contains(&name.to_ascii_lowercase().as_str())) {
        Some((name, _)) => Err(Rejection::UnknownParameter(name.clone())),
        None => Ok(parameters),
    }
}

fn unescape(text: &str) -> Result<String, Rejection> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b';' => return Err(Rejection::MalformedQuery),
            b'%' => {
                let digits =
                    after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(value.ok_or(Rejection::MalformedQuery)?);
                rest = &after[2..];
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| Rejection::MalformedQuery)
}

const KNOWN: [&str; 9] = [
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// As lenient in the last bits as Go is, and as strict about padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::*;
    use crate::aws::accounts::User;
    use crate::clock::amz_date;

    const NOW: &str = "2026-01-02T03:04:05Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn token(url: &str) -> String {
        format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
    }

    fn good(host: &str) -> String {
        format!(
            "https://{host}/?action=GetCallerIdentity&version=2011-06-15&x-amz-algorithm=AWS4-HMAC-SHA256&\
             x-amz-credential=AKID%2F20260102%2Fr%2Fsts%2Faws4_request&x-amz-date={}&x-amz-expires=60&\
             x-amz-signature=00&x-amz-signedheaders=x-k8s-aws-id",
            amz_date(now())
        )
    }

    fn inspected(url: &str) -> Result<Inspected, Rejection> {
        inspect(&token(url), "us-east-1", now())
    }

    #[test]
    fn what_the_authenticator_accepts() {
        for region in ["us-east-2", "ap-northeast-2", "ca-central-1", "eu-west-1", "sa-east-1"] {
            let inspected = inspected(&good(&format!("sts.{region}.amazonaws.com"))).unwrap();
            assert_eq!(inspected.access_key_id, "AKID");
        }
        let good = good("sts.amazonaws.com");
        for (part, other) in [
            ("=60", "=0"),
            ("=60", "=900"),
            ("&version=2011-06-15", ""),
            ("=x-k8s-aws-id", "=host%3BX-K8s-Aws-Id"),
            ("20260102T030405Z", "20260102T024905Z"), // fifteen minutes old, to the second
            ("20260102T030405Z", "20270102T030405Z"), // the future is for STS to refuse
            ("x-amz-expires", "X-Amz-Expires"),
        ] {
            assert!(good.contains(part));
            assert_eq!(
                inspected(&good.replace(part, other)).map(|_| ()),
                Ok(()),
                "{part} -> {other}"
            );
        }
    }

    #[test]
    fn what_the_authenticator_rejects() {
        let good = good("sts.amazonaws.com");
        let parameter = |name: &str| name.to_owned();
        let changed = [
            ("https:", "http:", Rejection::Scheme),
            ("sts.amazonaws.com", "google.com", Rejection::Host("google.com".into())),
            (
                "sts.amazonaws.com",
                "a@sts.amazonaws.com",
                Rejection::Host("a@sts.amazonaws.com".into()),
            ),
            ("amazonaws.com/", "amazonaws.com/abc", Rejection::Path),
            ("amazonaws.com/", "amazonaws.com", Rejection::Path),
            (
                "&version",
                "&NonWhitelisted=1&version",
                Rejection::UnknownParameter(parameter("NonWhitelisted")),
            ),
            (
                "&version",
                "&action=GetCallerIdentity&version",
                Rejection::MultipleValues(parameter("action")),
            ),
            (
                "&version",
                "&X-Amz-Credential=x&version",
                Rejection::DuplicateParameter(parameter("x-amz-credential")),
            ),
            ("=GetCallerIdentity", "=NotGetCallerIdenity", Rejection::Action),
            ("=GetCallerIdentity", "=getcalleridentity", Rejection::Action),
            ("=x-k8s-aws-id", "=x-k8s-aws-i", Rejection::UnsignedCluster),
            ("=60", "=9999999", Rejection::Expires),
            ("=60", "=-1", Rejection::Expires),
            ("=60", "=x", Rejection::Expires),
            ("&x-amz-expires=60", "", Rejection::Expires),
            ("20260102T030405Z", "xxxxxxx", Rejection::Date),
            ("&x-amz-date=20260102T030405Z", "", Rejection::Date),
            ("20260102T030405Z", "19900102T030405Z", Rejection::TooOld),
            ("20260102T030405Z", "20260102T024904Z", Rejection::TooOld),
            ("=60", "=%gh", Rejection::MalformedQuery),
            ("=60", "=60;", Rejection::MalformedQuery),
            ("AKID%2F", "%2F", Rejection::AccessKey),
        ];
        for (part, other, rejection) in changed {
            assert!(good.contains(part));
            assert_eq!(
                inspected(&good.replace(part, other)).unwrap_err(),
                rejection,
                "{part} -> {other}"
            );
        }
        let china = good.replace("sts.amazonaws.com/", "sts.cn-north-1.amazonaws.com.cn/abc");
        assert_eq!(inspect(&token(&china), "cn-north-1", now()), Err(Rejection::Path));
        let filled = format!("k8s-aws-v1.{}", "A".repeat(4096 - 11));
        assert_ne!(inspect(&filled, "us-east-1", now()), Err(Rejection::TooLarge));
        let padded = format!("{}=", token(&good));
        for (token, rejection) in [
            (format!("{filled}A"), Rejection::TooLarge),
            (token(&good).replace("-v1.", "-v2."), Rejection::Prefix),
            (String::new(), Rejection::Prefix),
            ("k8s-aws-v1.decodingerror".to_owned() + "!", Rejection::Base64),
            ("k8s-aws-v1.a+/b".to_owned(), Rejection::Base64),
            (padded, Rejection::Base64),
            (token(":ab:cd"), Rejection::Url),
            (token("https://sts.amazonaws.com/\r\n?a=b"), Rejection::Url),
        ] {
            assert_eq!(inspect(&token, "us-east-1", now()).unwrap_err(), rejection, "{token}");
        }
    }

    /// Tokens that the AWS CLI made, each with the key it made them with.
    fn goldens() -> Vec<Value> {
        serde_json::from_str(include_str!("../../tests-data/token-goldens.json")).unwrap()
    }

    #[test]
    fn the_cli_s_tokens_verify_and_a_changed_one_does_not() {
        let mut verified = 0;
        for golden in goldens() {
            let text = |name: &str| golden[name].as_str().map(str::to_owned);
            let (Some(token), Some(cluster)) = (text("token"), text("cluster")) else { continue };
            let accounts = Accounts::default();
            accounts.add_user(User::with_key(
                "a",
                "1",
                &text("access_key").unwrap(),
                &text("secret_key").unwrap(),
            ));
            accounts.set_session_token(&text("access_key").unwrap(), text("session_token"));
            let region = text("region").unwrap_or_else(|| "us-east-1".into());
            let at: Timestamp = text("time").unwrap().parse().unwrap();
            let judge =
                |token: &str, cluster: &str, at| verify(token, cluster, &region, at, &accounts);
            if !hosts::believed(&inspect_host(&token), &region) {
                assert!(matches!(judge(&token, &cluster, at), Err(Rejection::Host(_))));
                continue;
            }
            verified += 1;
            assert_eq!(
                judge(&token, &cluster, at).map(|verified| verified.signed_at),
                Ok(at),
                "{golden}"
            );
            let other = judge(&token, "another", at).unwrap_err();
            assert!(
                matches!(&other, Rejection::Sts(words) if words.starts_with("SignatureDoesNotMatch")),
                "{other}"
            );
            let late = at.checked_add(SignedDuration::from_secs(901)).unwrap();
            assert_eq!(judge(&token, &cluster, late), Err(Rejection::TooOld));
            let early = at.checked_sub(SignedDuration::from_secs(901)).unwrap();
            assert!(matches!(judge(&token, &cluster, early), Err(Rejection::Sts(_))));
        }
        assert!(verified >= 8, "only {verified} goldens could be verified");
    }

    fn inspect_host(token: &str) -> String {
        let url =
            String::from_utf8(BASE64.decode(token.strip_prefix("k8s-aws-v1.").unwrap()).unwrap())
                .unwrap();
        split(&url).unwrap().0.to_owned()
    }
}
