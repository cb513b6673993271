//! The token: a presigned `GetCallerIdentity`, which the cluster sends to STS to learn who asks.
//!
//! Signing is local and takes microseconds, so tokens are made for each call and never kept. The
//! bytes are those of `aws eks get-token`, with these deliberate differences:
//!
//! - The host is computed from the region alone. Endpoints that were configured for calls and
//!   `AWS_STS_REGIONAL_ENDPOINTS=legacy` do not reach into the token: clusters turn down hosts they
//!   do not know, and new regions turn down tokens of the global host.
//! - A cluster name that EKS would not have given out is refused, instead of being signed for.
//! - The token ends when its keys do, if that is before its own 14 minutes are over.
//! - A token longer than clusters read is refused here, where there is room to say why.

use std::time::Duration;

use aws_sigv4::{
    http_request::{
        SignableBody, SignableRequest, SignatureLocation, SigningParams, SigningSettings, sign,
    },
    sign::v4,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fleetkey_provider::{Error, ExposeSecret, Result, Rule, SecretString, Token, shown};
use jiff::{SignedDuration, Timestamp};

use crate::{keys::Keys, sts_host::StsHost};

/// What tells these tokens from others.
const PREFIX: &str = "k8s-aws-v1.";

/// The longest token a cluster reads.
const LONGEST: usize = 4096;

/// How long a token serves. Clusters take it for 15 minutes after signing.
const LIFE: SignedDuration = SignedDuration::from_mins(14);

/// What stands in every URL before the signer's own parameters.
const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// What stands in every URL, but for the host, the region, the key's id and the session token, whose
/// lengths differ. Only its length counts.
const FRAME: &str = "https:///?Action=GetCallerIdentity&Version=2011-06-15\
    &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%2F20260102%2F%2Fsts%2Faws4_request\
    &X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id\
    &X-Amz-Signature=b801c71b2d6c7acde1a344a2a29b00f01784708ee2d135ecf4f378538f9e2eb3";

/// What a session token adds to it, besides itself.
const SECURITY_TOKEN: &str = "&X-Amz-Security-Token=";

/// The header that ties a token to one cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";

/// A cluster's name or, for a local cluster on Outposts, its id: what a token is made for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ClusterId(String);

impl ClusterId {
    /// A name as EKS gives it out. `from` names the flag it came from.
    pub(crate) fn parse(text: &str, from: &str) -> Result<Self> {
        RULE.check(from, text)?;
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Error::config(format!(
                "{from} is not a cluster's name: `{}`",
                shown(text)
            ))
            .because("it begins with neither a letter nor a digit"));
        }
        Ok(Self(text.to_owned()))
    }

    /// That of somebody who only signs in. No token is made for it.
    pub(crate) fn none() -> Self {
        Self(String::new())
    }

    /// Whether it is that.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The name; empty where there is none.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Signs a token for a cluster.
pub(crate) fn presign(
    keys: &Keys,
    sts: &StsHost,
    cluster: &ClusterId,
    now: Timestamp,
) -> Result<Token> {
    // signed for the clock that judges it; its end is for clients, who have the clock here
    let now = keys.offset.there(now);
    if let Some(end) = keys.expires.filter(|end| *end <= now) {
        return Err(Error::config("the access keys cannot sign any more")
            .because(format!("they expired at {}", whole_seconds(end))));
    }
    // before signing: the signer panics where a URL is out of all bounds
    let length = length(keys, sts);
    if length > LONGEST {
        return Err(Error::config(format!(
            "the token would have {length} characters, and clusters read no more than {LONGEST}"
        ))
        .because(
            "the session token of these keys is too long: a role with fewer session tags, or \
             without a session policy, gets a shorter one",
        ));
    }
    let url = signed_url(keys, sts, cluster, now).ok_or_else(|| {
        Error::failed(format!("a request to `{}` could not be signed", shown(&sts.name)))
    })?;
    let mut token = String::with_capacity(PREFIX.len() + url.len().div_ceil(3) * 4);
    token.push_str(PREFIX);
    BASE64_URL_SAFE_NO_PAD.encode_string(&url, &mut token);
    let end = now.checked_add(LIFE).unwrap_or(Timestamp::MAX);
    let end = keys.expires.map_or(end, |keys_end| keys_end.min(end));
    let end = keys.offset.here(end);
    Ok(Token { secret: SecretString::from(token), expires: whole_seconds(end) })
}

/// How long the token will be.
fn length(keys: &Keys, sts: &StsHost) -> usize {
    let session_token = keys.session_token.as_ref().map_or(0, |token| {
        let kept = |byte: u8| if is_unreserved(byte) { 1 } else { 3 };
        SECURITY_TOKEN.len() + token.expose_secret().bytes().map(kept).sum::<usize>()
    });
    let varying = sts.name.len() + sts.signing_region.len() + keys.access_key_id.len();
    PREFIX.len() + ((FRAME.len() + varying + session_token) * 4).div_ceil(3)
}

/// The URL, with its parameters where botocore puts them.
fn signed_url(keys: &Keys, sts: &StsHost, cluster: &ClusterId, now: Timestamp) -> Option<String> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_mins(1));
    let identity = keys.to_aws().into();
    let params: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region(&sts.signing_region)
        .name("sts")
        .time(now.into())
        .settings(settings)
        .build()
        .ok()?
        .into();
    let mut url = format!("https://{}/?{QUERY}", sts.name);
    let headers = [(CLUSTER_HEADER, cluster.as_str())].into_iter();
    let request =
        SignableRequest::new("GET", url.as_str(), headers, SignableBody::Bytes(b"")).ok()?;
    let (_, mut params) = sign(request, &params).ok()?.into_parts().0.into_parts();
    // the signer puts the session token behind the signature, botocore before it; STS minds neither
    if let [.., signature, session_token] = params.as_mut_slice()
        && signature.0 == "X-Amz-Signature"
    {
        std::mem::swap(signature, session_token);
    }
    for (name, value) in &params {
        url.push('&');
        url.push_str(name);
        url.push('=');
        encode(value, &mut url);
    }
    Some(url)
}

/// Percent-encodes all but what RFC 3986 leaves unreserved. The signer hands values out raw.
fn encode(value: &str, url: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if is_unreserved(byte) {
            url.push(byte.into());
        } else {
            url.push('%');
            url.push(HEX[usize::from(byte >> 4)].into());
            url.push(HEX[usize::from(byte & 15)].into());
        }
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

/// Clients read no fractions, and a token that ends sooner harms nobody.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

const RULE: Rule = Rule {
    what: "a cluster's name or id",
    min: 1,
    max: 100,
    allows: |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
    allowed: "letters, digits, `-` and `_`",
};

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, Kind};

    use super::*;
    use crate::clock::Offset;

    fn keys(session_token: Option<&str>) -> Keys {
        Keys::new("a test", "AKIDEXAMPLE", "x", session_token.map(str::to_owned)).unwrap()
    }

    fn sts() -> StsHost {
        StsHost { name: "sts.us-east-1.amazonaws.com".into(), signing_region: "us-east-1".into() }
    }

    fn token(keys: &Keys) -> Result<Token> {
        let sts = sts();
        let cluster = ClusterId::parse("c", "`--cluster-name`").unwrap();
        presign(keys, &sts, &cluster, "2026-01-02T03:04:05.9Z".parse().unwrap())
    }

    fn url(token: &Token) -> String {
        let text = token.secret.expose_secret().strip_prefix(PREFIX).unwrap();
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn a_known_question_has_a_known_answer() {
        let token = token(&keys(None)).unwrap();
        assert_eq!(
            url(&token),
            "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
             &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2F\
             us-east-1%2Fsts%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60\
             &X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=\
             b801c71b2d6c7acde1a344a2a29b00f01784708ee2d135ecf4f378538f9e2eb3"
        );
        assert_eq!(token.expires.to_string(), "2026-01-02T03:18:05Z");
    }

    #[test]
    fn the_session_token_stands_before_the_signature_and_is_encoded() {
        let url = url(&token(&keys(Some("a/+= ~%"))).unwrap());
        let (_, end) = url.split_once("&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id").unwrap();
        let start = "&X-Amz-Security-Token=a%2F%2B%3D%20~%25&X-Amz-Signature=";
        assert_eq!(end.strip_prefix(start).map(str::len), Some(64), "{url}");
    }

    #[test]
    fn a_token_does_not_outlive_its_keys() {
        let ending = |end: &str| Keys { expires: Some(end.parse().unwrap()), ..keys(None) };
        let end = |keys: &Keys| token(keys).unwrap().expires.to_string();
        assert_eq!(end(&ending("2026-01-02T03:10:00.7Z")), "2026-01-02T03:10:00Z");
        assert_eq!(end(&ending("2026-01-02T04:00:00Z")), "2026-01-02T03:18:05Z");
        let error = token(&ending("2026-01-02T03:04:05.9Z")).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert_eq!(error.cause(), Some("they expired at 2026-01-02T03:04:05Z"));
    }

    #[test]
    fn a_wrong_clock_here_is_made_up_for() {
        let offset = Offset::of_seconds(1200);
        let ahead = Keys { offset, ..keys(None) };
        let signed = token(&ahead).unwrap();
        assert!(url(&signed).contains("X-Amz-Date=20260102T032405Z"));
        assert_eq!(signed.expires.to_string(), "2026-01-02T03:18:05Z", "by the clock here");
        let ending = |end: &str| Keys { expires: Some(end.parse().unwrap()), offset, ..keys(None) };
        let signed = token(&ending("2026-01-02T03:30:05Z")).unwrap();
        assert_eq!(signed.expires.to_string(), "2026-01-02T03:10:05Z");
        assert!(token(&ending("2026-01-02T03:20:05Z")).is_err(), "over by the clock there");
    }

    #[test]
    fn no_cluster_is_shown_more_than_it_reads() {
        // the last length at which nobody complains, and the first at which the cluster would
        let length = |n: usize| {
            token(&keys(Some(&"x".repeat(n)))).map(|token| token.secret.expose_secret().len())
        };
        let longest = (1..LONGEST).take_while(|n| length(*n).is_ok()).last().unwrap();
        assert_eq!(length(longest).unwrap(), LONGEST - 1, "base64 has no text of every length");
        let error = length(longest + 1).unwrap_err();
        assert!(error.to_string().contains("session token"), "{error}");
        assert!(!error.to_string().contains("xxxx"), "{error}");
    }

    #[test]
    fn the_length_is_known_before_signing() {
        for session_token in [None, Some("x"), Some("a/+= ~%"), Some("abc"), Some("abcd")] {
            let keys = keys(session_token);
            let signed = token(&keys).unwrap().secret.expose_secret().len();
            assert_eq!(length(&keys, &sts()), signed, "{session_token:?}");
        }
    }

    #[test]
    fn a_session_token_that_cannot_fit_never_reaches_the_signer() {
        let longest = (LONGEST - PREFIX.len()) * 3 / 4 - FRAME.len() - SECURITY_TOKEN.len();
        let longest = "x".repeat(longest);
        // on the shortest host, with the shortest id, it is the frame that decides
        let bare = StsHost { name: String::new(), signing_region: String::new() };
        let keys = Keys { access_key_id: String::new(), ..keys(Some(&longest)) };
        assert!(length(&keys, &bare) <= LONGEST);
        let session_token = Some(SecretString::from("/".repeat(66_000)));
        let over = Keys { session_token, ..keys };
        assert_eq!(token(&over).unwrap_err().kind(), Kind::Config);
    }

    #[test]
    fn clusters_are_named_as_eks_names_them() {
        for good in ["c", "prod-eu_1", "0d3c5e9b-8a1d-4c0f-9d4e-000000000000", &"x".repeat(100)] {
            assert!(ClusterId::parse(good, "`--cluster-name`").is_ok(), "{good}");
        }
        for bad in ["", "-c", "_c", "a b", "arn:aws:eks:x", "é", "a\n", &"x".repeat(101)] {
            let error = ClusterId::parse(bad, "`--cluster-name`").unwrap_err();
            assert!(error.message().starts_with("`--cluster-name` is not a cluster's"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let shown = format!("{:?}", token(&keys(Some("hunter2"))).unwrap());
        assert!(!shown.contains("k8s-aws-v1"), "{shown}");
    }
}
